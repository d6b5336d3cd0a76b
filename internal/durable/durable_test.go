package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
)

// spy is the real file system; it writes down what it is asked, and fails one operation.
type spy struct {
	durable.OS
	root string
	log  []string
	fail string // the operation that fails, as it stands in the log
	with error
}

func (s *spy) do(op, name string) error {
	rel, err := filepath.Rel(s.root, name)
	if err != nil {
		return err
	}
	s.log = append(s.log, op+" "+filepath.ToSlash(rel))
	if s.log[len(s.log)-1] == s.fail {
		return s.with
	}
	return nil
}

func (s *spy) Create(name string, perm fs.FileMode) (durable.File, error) {
	if err := s.do("create", name); err != nil {
		return nil, err
	}
	f, err := s.OS.Create(name, perm)
	return &spyFile{f, s, name}, err
}

func (s *spy) Mkdir(name string) error { return errors.Join(s.do("mkdir", name), s.OS.Mkdir(name)) }

func (s *spy) Rename(from, to string) error {
	if err := s.do("rename", to); err != nil {
		return err
	}
	return s.OS.Rename(from, to)
}

func (s *spy) SyncDir(name string) error {
	return errors.Join(s.do("syncdir", name), s.OS.SyncDir(name))
}

type spyFile struct {
	durable.File
	s    *spy
	name string
}

func (f *spyFile) Write(p []byte) (int, error) {
	if err := f.s.do("write", f.name); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *spyFile) Sync() error { return errors.Join(f.s.do("sync", f.name), f.File.Sync()) }

func TestOrderOfWriteFile(t *testing.T) {
	s := &spy{root: t.TempDir()}
	f := durable.NewFolder(s, s.root)
	if err := f.WriteFile("a/b/c", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{"mkdir a", "syncdir .", "mkdir a/b", "syncdir a", "create a/b/c.tmp", "write a/b/c.tmp", "sync a/b/c.tmp", "rename a/b/c", "syncdir a/b"}
	if !slices.Equal(s.log, want) {
		t.Errorf("did\n%s\nnot\n%s", strings.Join(s.log, "\n"), strings.Join(want, "\n"))
	}
	s.log = nil
	if err := f.WriteFile("a/b/c", []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.log, want[4:]) {
		t.Errorf("a second time did\n%s", strings.Join(s.log, "\n"))
	}
	if b, err := os.ReadFile(f.Path("a/b/c")); string(b) != "y" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// A folder that is there already may not be on the disk yet: it is synced once by each process that relies on it.
func TestFolderOfAnother(t *testing.T) {
	s := &spy{root: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.root, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.NewFolder(s, s.root).Below("a").WriteFile("c", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.log, "syncdir .") {
		t.Errorf("did %v", s.log)
	}
}

func TestNothingIsWrittenAfterAFailedSync(t *testing.T) {
	for _, fail := range []string{"sync a/c.tmp", "syncdir a", "syncdir ."} {
		s := &spy{root: t.TempDir(), fail: fail, with: syscall.EIO}
		f := durable.NewFolder(s, s.root)
		below := f.Below("d")
		if err := f.WriteFile("a/c", []byte("x"), 0o600); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: %v", fail, err)
		}
		s.fail, s.log = "", nil
		for _, err := range []error{f.WriteFile("a/c", nil, 0o600), f.WriteFile("z", nil, 0o600), below.WriteFile("z", nil, 0o600), f.Mkdir("y"), f.SyncDir("."), f.Remove("a"), f.Err()} {
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%s has failed, and then: %v", fail, err)
			}
		}
		if len(s.log) > 0 {
			t.Errorf("%s has failed, and then %v", fail, s.log)
		}
	}
}

func TestFullDiskIsNoFailedSync(t *testing.T) {
	for _, fail := range []string{"create c.tmp", "write c.tmp", "rename c"} {
		s := &spy{root: t.TempDir(), fail: fail, with: syscall.ENOSPC}
		f := durable.NewFolder(s, s.root)
		err := durable.Explain(f.WriteFile("c", []byte("x"), 0o600), "the case")
		if !durable.Full(err) || evidence.HintOf(err) == "" {
			t.Errorf("%s fails: %v", fail, err)
		}
		s.fail = ""
		if err := f.WriteFile("c", []byte("y"), 0o600); err != nil {
			t.Errorf("%s has failed, and with space again: %v", fail, err)
		}
		left, err := os.ReadDir(s.root)
		if err != nil || len(left) != 1 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

func TestMakeFolder(t *testing.T) {
	s := &spy{root: t.TempDir()}
	for range 2 {
		f, err := durable.MakeFolder(s, filepath.Join(s.root, "x", "y"))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.WriteFile("z", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"mkdir x", "syncdir .", "mkdir x/y", "syncdir x"}; !slices.Equal(s.log[:4], want) {
		t.Errorf("did %v", s.log)
	}
	if err := os.WriteFile(filepath.Join(s.root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := durable.MakeFolder(s, filepath.Join(s.root, "file", "y")); err == nil {
		t.Error("a folder below a file is made")
	}
}

func TestExplain(t *testing.T) {
	if err := durable.Explain(&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, "the case"); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
		t.Errorf("a read-only place: %v", err)
	}
	damaged := evidence.Damaged("it is").Because(syscall.ENOSPC)
	if err := durable.Explain(damaged, "the case"); err != error(damaged) {
		t.Errorf("an error that is explained already: %v", err)
	}
	if err := durable.Explain(syscall.EIO, "the case"); err != error(syscall.EIO) {
		t.Errorf("another error: %v", err)
	}
}
