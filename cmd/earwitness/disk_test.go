//go:build linux

package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

// A full disk refuses what does not fit, says so, loses nothing, and goes on when there is space again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		casetest.Skip(t, "a small file system cannot be mounted: "+err.Error())
	}
	defer syscall.Unmount(dir, 0)
	s := &session{t: t, dir: filepath.Join(dir, "c.case"), env: append(os.Environ(), "EARWITNESS_SEEN="+t.TempDir())}
	s.ok("init", s.dir)
	small, large := filepath.Join(t.TempDir(), "small.wav"), filepath.Join(t.TempDir(), "large.wav")
	for name, n := range map[string]int{small: 1000, large: 8 << 20} {
		if err := os.WriteFile(name, bytes.Repeat([]byte("sound"), n/5), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s.ok("-C", s.dir, "add", small)
	out, err := s.command("-C", s.dir, "add", large).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no space left") {
		t.Fatalf("a file larger than the disk: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "hint:") {
		t.Errorf("it does not say what to do:\n%s", out)
	}
	s.ok("-C", s.dir, "verify")
	if got := string(s.ok("-C", s.dir, "show")); !strings.Contains(got, "1 recording") || strings.Contains(got, "large") {
		t.Errorf("%s", got)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=30m"); err != nil {
		t.Fatal(err)
	}
	s.ok("-C", s.dir, "add", large)
	s.ok("-C", s.dir, "verify")
}
