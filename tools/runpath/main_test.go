package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

func TestSet(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil || runtime.GOOS != "linux" {
		casetest.Skip(t, "a C compiler on Linux is needed to make an ELF program")
	}
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	if err := os.WriteFile(src, []byte("int main(void) { return 0; }"), 0o600); err != nil {
		t.Fatal(err)
	}
	const old = "/somewhere/on/the/building/machine"
	for _, tags := range []string{"--enable-new-dtags", "--disable-new-dtags"} {
		if out, err := exec.Command(cc, "-o", bin, src, "-Wl,-rpath,"+old, "-Wl,"+tags).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := set(bin, "$ORIGIN/"+strings.Repeat("x", len(old))); err == nil {
			t.Error("a value that is too long was written")
		}
		if err := set(bin, "$ORIGIN/lib"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(bin)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("building/machine")) {
			t.Error("the old path is still in the file")
		}
		e, err := elf.Open(bin)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, got, err := find(e); err != nil || got != "$ORIGIN/lib" {
			t.Errorf("%q, %v", got, err)
		}
		if out, err := exec.Command(bin).CombinedOutput(); err != nil {
			t.Errorf("the program does not run any more: %v: %s", err, out)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, s := range []string{"", "\x7fELF", "text"} {
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := set(path, "x"); err == nil {
			t.Errorf("%q was taken for a program", s)
		}
	}
}
