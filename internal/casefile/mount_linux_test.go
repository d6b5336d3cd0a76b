package casefile_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/casetest"
)

// mount makes a file system of its own, where the test may: only root can.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		casetest.Skip(t, "a small file system cannot be mounted here: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// On a real full disk nothing that was promised is lost, the error is plain, and the case goes on when there is space.
func TestFullDisk(t *testing.T) {
	dir := mount(t, "size=1m")
	c := create(t, filepath.Join(dir, "a.case"), filepath.Join(t.TempDir(), "seen"))
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := int64(1)
	var full error
	for n := range 5000 {
		e := refused(n)
		e.Reason = strings.Repeat("x", 2000)
		at, err := c.Append(t.Context(), program, evidence.EntryIntakeRefused, e)
		if err != nil {
			full = err
			break
		}
		kept = at + 1
	}
	if full == nil || evidence.HintOf(full) == "" {
		t.Fatalf("a full disk: %v, hint %q", full, evidence.HintOf(full))
	}
	t.Logf("%v; hint: %s", full, evidence.HintOf(full))
	_, err := putBlob(c, make([]byte, 900<<10))
	if err == nil || evidence.HintOf(err) == "" {
		t.Errorf("a blob on a full disk: %v", err)
	}
	if n, err := c.Len(t.Context()); n != kept || err != nil {
		t.Errorf("%d entries, and %d were promised, %v", n, kept, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	append1(t, c, program, evidence.EntryIntakeRefused, refused(1))
	if err := c.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	audited(t, filepath.Join(dir, "a.case"))
}

// A case on a medium that cannot be written to is read, and says plainly that it cannot be added to.
func TestReadOnlyDisk(t *testing.T) {
	dir := mount(t, "size=4m")
	c := create(t, filepath.Join(dir, "a.case"), filepath.Join(t.TempDir(), "seen"))
	receive(t, c, []byte("sound"))
	if err := c.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if b, err := readAll(t, filepath.Join(dir, "a.case")); err != nil || bytes.Count(b, []byte("\n")) != 2 {
		t.Errorf("read %s: %v", b, err)
	}
	_, err := casefile.Open(t.Context(), filepath.Join(dir, "a.case"), openOptions(filepath.Join(t.TempDir(), "seen")))
	wantKind(t, "write to it", err, evidence.KindInvalid)
	if evidence.HintOf(err) == "" {
		t.Error("no hint")
	}
	_, err = casefile.Create(t.Context(), filepath.Join(dir, "b.case"), casefile.Options{Title: "x", Author: olia, Now: time.Now, Rand: rand.Reader, SeenDir: t.TempDir()})
	wantKind(t, "make a case there", err, evidence.KindInvalid)
}
