package blobs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/blobs"
	"github.com/earwitness/earwitness/internal/durable"
)

func newDir(t testing.TB, fsys durable.FS) (*blobs.Dir, string) {
	t.Helper()
	root := t.TempDir()
	return blobs.NewDir(durable.NewFolder(fsys, root)), root
}

func put(t testing.TB, d *blobs.Dir, data []byte) (evidence.Digest, error) {
	t.Helper()
	w, err := d.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(len(data)) {
		t.Errorf("size %d of %d bytes", w.Size(), len(data))
	}
	return w.Commit(context.Background())
}

func files(t testing.TB, root string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, p)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestKeepAndRead(t *testing.T) {
	d, root := newDir(t, durable.OS{})
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		data := bytes.Repeat([]byte{7, 1, 9}, size/3+1)[:size]
		digest, err := put(t, d, data)
		if err != nil || digest != evidence.DigestOf(data) {
			t.Fatalf("%d bytes: %v, %v", size, digest, err)
		}
		if again, err := put(t, d, data); again != digest || err != nil {
			t.Errorf("%d bytes again: %v, %v", size, again, err)
		}
		b, err := d.Open(digest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if !bytes.Equal(got, data) || err != nil || b.Size() != int64(size) {
			t.Errorf("%d bytes come back as %d, %v", size, len(got), err)
		}
		if err := errors.Join(b.Close(), d.Check(t.Context(), digest)); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(d.Path(digest))
		if err != nil || info.Mode().Perm()&0o222 != 0 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if want := filepath.Join(root, digest.String()[:2], digest.String()); d.Path(digest) != want {
			t.Errorf("path %s, not %s", d.Path(digest), want)
		}
	}
	if names := files(t, root); len(names) != 6 {
		t.Errorf("files: %v", names)
	}
	none := evidence.DigestOf([]byte("none"))
	if _, err := d.Open(none); evidence.KindOf(err) != evidence.KindNotFound || evidence.HintOf(err) == "" {
		t.Errorf("open what is not there: %v", err)
	}
	if ok, err := d.Has(none); ok || err != nil {
		t.Errorf("has what is not there: %v, %v", ok, err)
	}
}

func TestDiscardAndSweep(t *testing.T) {
	d, root := newDir(t, durable.OS{})
	w, err := d.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Discard(), w.Discard()); err != nil {
		t.Error(err)
	}
	if _, err := w.Commit(t.Context()); err == nil {
		t.Error("committed after it was discarded")
	}
	if _, err := d.NewWriter(); err != nil { // as if the process had ended here
		t.Fatal(err)
	}
	if names := files(t, root); len(names) != 1 {
		t.Errorf("files: %v", names)
	}
	if err := blobs.NewDir(durable.NewFolder(durable.OS{}, root)).Sweep(); err != nil {
		t.Error(err)
	}
	if names := files(t, root); len(names) != 0 {
		t.Errorf("left after sweeping: %v", names)
	}
	empty, _ := newDir(t, durable.OS{})
	if err := empty.Sweep(); err != nil {
		t.Errorf("sweep where there is nothing: %v", err)
	}
}

func TestDamageIsProven(t *testing.T) {
	d, _ := newDir(t, durable.OS{})
	data := []byte("what was said")
	digest, err := put(t, d, data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(d.Path(digest), 0o600); err != nil {
		t.Fatal(err)
	}
	for at := range data {
		b := bytes.Clone(data)
		b[at] ^= 4
		if err := os.WriteFile(d.Path(digest), b, 0o600); err != nil {
			t.Fatal(err)
		}
		err := d.Check(t.Context(), digest)
		if evidence.KindOf(err) != evidence.KindDamaged || !bytes.Contains([]byte(err.Error()), []byte(evidence.DigestOf(b).String())) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if err := os.WriteFile(d.Path(digest), data[:4], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, d, data); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("keep again what is there cut short: %v", err)
	}
}

// liar gives back other bytes than it was given.
type liar struct{ durable.OS }

func (l liar) Create(name string, perm fs.FileMode) (durable.File, error) {
	f, err := l.OS.Create(name, perm)
	return liarFile{f}, err
}

type liarFile struct{ durable.File }

func (f liarFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	if n > 3 {
		p[3] ^= 1
	}
	return n, err
}

func TestReadBackBeforeItCounts(t *testing.T) {
	d, root := newDir(t, liar{})
	digest, err := put(t, d, []byte("bytes"))
	if evidence.KindOf(err) != evidence.KindDamaged || !digest.IsZero() {
		t.Errorf("%v, %v", digest, err)
	}
	if names := files(t, root); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func TestCancelled(t *testing.T) {
	d, root := newDir(t, durable.OS{})
	w, err := d.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if names := files(t, root); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
}

func BenchmarkPut(b *testing.B) {
	d, _ := newDir(b, durable.OS{})
	data := make([]byte, 64<<20)
	b.SetBytes(int64(len(data)))
	for n := 0; b.Loop(); n++ {
		data[0], data[1] = byte(n), byte(n>>8)
		if _, err := put(b, d, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	d, _ := newDir(b, durable.OS{})
	data := make([]byte, 64<<20)
	digest, err := put(b, d, data)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := d.Check(b.Context(), digest); err != nil {
			b.Fatal(err)
		}
	}
}
