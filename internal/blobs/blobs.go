// Package blobs keeps bytes under their SHA-256. What it has given a digest for survives a power cut and is never
// changed.
package blobs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
)

// Dir keeps blobs in a folder: ab/abcd... under their digests, tmp/ for bytes on their way in. It is safe for
// concurrent use; only one process at a time may write.
type Dir struct {
	folder *durable.Folder
	next   atomic.Int64 // names of temporary files
	// buffers for reading back
	buffers sync.Pool
}

const bufferSize = 1 << 20

// NewDir returns the store in a folder. A store that is only read needs no folder on the disk.
func NewDir(folder *durable.Folder) *Dir {
	return &Dir{folder: folder, buffers: sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}}
}

// Sweep removes what an interrupted writer left in tmp/. Only the one process that writes may call it, before it writes.
func (d *Dir) Sweep() error {
	left, err := os.ReadDir(d.folder.Path("tmp"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep temporary blobs: %w", err)
	}
	for _, e := range left {
		if err := d.folder.Remove("tmp/" + e.Name()); err != nil {
			return fmt.Errorf("sweep temporary blobs: %w", err)
		}
	}
	return nil
}

func folderOf(d evidence.Digest) string { return d.String()[:2] }

func nameOf(d evidence.Digest) string { return folderOf(d) + "/" + d.String() }

// Path returns the path of a blob, whether it is there or not. The file is not to be written to.
func (d *Dir) Path(digest evidence.Digest) string { return d.folder.Path(nameOf(digest)) }

// Has reports whether a blob is there. It does not look at its bytes.
func (d *Dir) Has(digest evidence.Digest) (bool, error) {
	info, err := os.Stat(d.Path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for blob %s: %w", digest.Short(), err)
	}
	return info.Mode().IsRegular(), nil
}

// Blob is an open blob. ReadAt is safe for concurrent use, Read and Seek are not.
type Blob struct {
	file *os.File
	size int64
}

// Open opens a blob. NotFound: it is not there. What is read is not checked against the digest; Check does that.
func (d *Dir) Open(digest evidence.Digest) (*Blob, error) {
	f, err := os.Open(d.Path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.NotFound("there is no blob %s", digest).WithHint("bring the file back from a copy of the case, to %s", d.Path(digest))
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", digest.Short(), err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blob %s: %w", digest.Short(), err), f.Close())
	}
	return &Blob{f, info.Size()}, nil
}

// Size returns the number of bytes.
func (b *Blob) Size() int64 { return b.size }

// ReadAt is io.ReaderAt.
func (b *Blob) ReadAt(p []byte, off int64) (int, error) { return b.file.ReadAt(p, off) }

// Read is io.Reader.
func (b *Blob) Read(p []byte) (int, error) { return b.file.Read(p) }

// Seek is io.Seeker.
func (b *Blob) Seek(off int64, whence int) (int64, error) { return b.file.Seek(off, whence) }

// Close closes the file.
func (b *Blob) Close() error { return b.file.Close() }

// Check reads a whole blob and reports, as a Damaged error that gives the proof, that its bytes are not those of its digest.
func (d *Dir) Check(ctx context.Context, digest evidence.Digest) error {
	b, err := d.Open(digest)
	if err != nil {
		return err
	}
	got, err := d.digestOf(ctx, b, b.size)
	if err := errors.Join(err, b.Close()); err != nil {
		return fmt.Errorf("check blob %s: %w", digest.Short(), err)
	}
	if got != digest {
		return damaged(digest, got, b.size)
	}
	return nil
}

func damaged(want, got evidence.Digest, size int64) error {
	return evidence.Damaged("blob %s is damaged: its %d bytes have the digest %s", want, size, got).
		WithHint("bring the file back from a copy of the case")
}

// digestOf reads size bytes in order.
func (d *Dir) digestOf(ctx context.Context, r io.ReaderAt, size int64) (evidence.Digest, error) {
	h := sha256.New()
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	for off := int64(0); off < size; {
		if err := ctx.Err(); err != nil {
			return evidence.Digest{}, err
		}
		n, err := r.ReadAt((*buf)[:min(bufferSize, size-off)], off)
		h.Write((*buf)[:n])
		off += int64(n)
		if err != nil && (err != io.EOF || off < size) {
			return evidence.Digest{}, err
		}
	}
	return evidence.Digest(h.Sum(nil)), nil
}

// Writer takes in one blob. It belongs to one goroutine, and ends with Commit or Discard.
type Writer struct {
	dir  *Dir
	end  sync.RWMutex // held for reading by ReadAt, for writing where file goes
	file durable.File // nil once it ended
	name string
	hash hash.Hash
	size int64
	err  error // of an earlier Write
}

// NewWriter begins a blob.
func (d *Dir) NewWriter() (*Writer, error) {
	name := "tmp/" + strconv.FormatInt(d.next.Add(1), 10)
	f, err := d.folder.Create(name, 0o444)
	if err != nil {
		return nil, d.explain(fmt.Errorf("begin blob: %w", err))
	}
	return &Writer{dir: d, file: f, name: name, hash: sha256.New()}, nil
}

// Write takes the next bytes.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.hash.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		w.err = w.dir.explain(fmt.Errorf("write blob: %w", err))
	}
	return n, w.err
}

// Size returns the number of bytes taken so far.
func (w *Writer) Size() int64 { return w.size }

// ReadAt reads bytes that Write has taken. Unlike the other methods it may be called from any goroutine, also while they
// run; once the writer has ended it is an error.
func (w *Writer) ReadAt(p []byte, off int64) (int, error) {
	w.end.RLock()
	defer w.end.RUnlock()
	if w.file == nil {
		return 0, errors.New("read a blob on its way in: the writer has ended")
	}
	return w.file.ReadAt(p, off)
}

// Discard ends the writer and removes its bytes. After Commit it does nothing.
func (w *Writer) Discard() error {
	if w.file == nil {
		return nil
	}
	return errors.Join(w.close(), w.dir.folder.Remove(w.name))
}

func (w *Writer) close() error {
	w.end.Lock()
	defer w.end.Unlock()
	err := w.file.Close()
	w.file = nil
	return err
}

// Commit makes the blob durable under its digest and returns it. The bytes are read back first: Damaged means that the
// disk gave back others than it was given, and nothing was kept. Where the blob is there already, the new copy is dropped.
// The writer has ended in every case.
func (w *Writer) Commit(ctx context.Context) (evidence.Digest, error) {
	if w.file == nil {
		return evidence.Digest{}, errors.New("commit blob: the writer has ended")
	}
	digest := evidence.Digest(w.hash.Sum(nil))
	if err := w.commit(ctx, digest); err != nil {
		return evidence.Digest{}, errors.Join(w.dir.explain(err), w.Discard())
	}
	return digest, w.Discard()
}

func (d *Dir) explain(err error) error { return durable.Explain(err, d.folder.Path(".")) }

func (w *Writer) commit(ctx context.Context, digest evidence.Digest) error {
	if w.err != nil {
		return w.err
	}
	d := w.dir
	switch info, err := os.Stat(d.Path(digest)); {
	case err == nil:
		if info.Size() != w.size {
			return evidence.Damaged("blob %s is damaged: it has %d bytes, not %d", digest, info.Size(), w.size).
				WithHint("bring the file back from a copy of the case")
		}
		// Another writer may have renamed it a moment ago: it must be on the disk before anyone relies on it.
		if err := d.folder.Mkdir(folderOf(digest)); err != nil {
			return err
		}
		return d.folder.SyncDir(folderOf(digest))
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for blob %s: %w", digest.Short(), err)
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("write blob %s: %w", digest.Short(), err)
	}
	got, err := d.digestOf(ctx, w.file, w.size)
	if err != nil {
		return fmt.Errorf("read back blob %s: %w", digest.Short(), err)
	}
	if got != digest {
		return evidence.Damaged("the disk gave back other bytes than it was given: %d bytes with the digest %s came back with %s", w.size, digest, got).
			WithHint("do not trust this disk, or this machine's memory: test them before going on")
	}
	if err := w.close(); err != nil {
		return fmt.Errorf("write blob %s: %w", digest.Short(), err)
	}
	if err := d.folder.Place(w.name, nameOf(digest)); err != nil {
		// Where the rename did not happen the copy is left in tmp/, and swept by the next process that writes.
		return fmt.Errorf("keep blob %s: %w", digest.Short(), err)
	}
	return nil
}
