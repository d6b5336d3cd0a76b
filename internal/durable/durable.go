// Package durable writes files so that a power cut can neither lose nor tear what it has promised: bytes go to a
// new file, which is synced, renamed into place, and whose folder is synced, with every folder that was made on the way.
//
// After a sync has failed nobody knows what the disk holds, and a second sync may report success all the same. So a
// Folder never tries again: from then on it refuses every write, and the program must start anew from what is on disk.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// FS is the part of a file system that writing needs. Names are operating system paths. OS is the real one; tests
// put in one that fails or forgets what was not synced.
type FS interface {
	// Create makes a new file for writing and reading back; fs.ErrExist where the name is taken.
	Create(name string, perm fs.FileMode) (File, error)
	// Mkdir makes one folder; fs.ErrExist where the name is taken.
	Mkdir(name string) error
	// Rename moves a file or folder and replaces a file of the new name.
	Rename(from, to string) error
	// Remove deletes a file or an empty folder; fs.ErrNotExist where there is none.
	Remove(name string) error
	// SyncDir returns once the names in a folder are on the disk.
	SyncDir(name string) error
}

// File is a file that is being written.
type File interface {
	io.Writer
	io.ReaderAt
	// Sync returns once all bytes written are on the disk.
	Sync() error
	Close() error
}

// Folder writes below one folder. It is safe for concurrent use. Names are slash-separated and relative to it.
type Folder struct {
	fsys   FS
	root   string
	health *health // shared with the folders below

	mu     sync.Mutex
	synced map[string]bool // folders known to be in their parent on the disk
}

// health keeps the first sync that failed.
type health struct {
	mu  sync.Mutex
	err error
}

func (h *health) get() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// fail keeps err, unless there was one before, and returns the one that is kept.
func (h *health) fail(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = err
	}
	return h.err
}

// NewFolder returns a Folder for root, which must exist.
func NewFolder(fsys FS, root string) *Folder {
	return &Folder{fsys: fsys, root: root, health: &health{}, synced: map[string]bool{".": true}}
}

// Below returns a Folder for one below f, which need not exist. Where a sync fails in either, neither is written to any more.
func (f *Folder) Below(name string) *Folder {
	return &Folder{fsys: f.fsys, root: f.Path(name), health: f.health, synced: map[string]bool{}}
}

// Path returns the operating system's path of a name.
func (f *Folder) Path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

// Err returns the error of the sync that failed, after which nothing is written any more.
func (f *Folder) Err() error { return f.health.get() }

// sync runs one sync and remembers its failure for good.
func (f *Folder) sync(what string, do func() error) error {
	if err := f.Err(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return f.health.fail(fmt.Errorf("sync %s: %w", what, err))
	}
	return nil
}

// SyncDir returns once the names in a folder are on the disk.
func (f *Folder) SyncDir(name string) error {
	return f.sync(name, func() error { return f.fsys.SyncDir(f.Path(name)) })
}

// Mkdir makes a folder and those above it, where they are missing, and returns once they are on the disk. A folder that
// is there already is synced once, too: another writer may have made it a moment ago.
func (f *Folder) Mkdir(name string) error {
	name = path.Clean(name)
	f.mu.Lock()
	done := f.synced[name]
	f.mu.Unlock()
	if err := f.Err(); done || err != nil {
		return err
	}
	up := ".." // of a folder below another, which may have to be made itself
	if name != "." {
		up = path.Dir(name)
		if err := f.Mkdir(up); err != nil {
			return err
		}
	}
	if err := f.fsys.Mkdir(f.Path(name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := f.SyncDir(up); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.synced[name] = true
	return nil
}

// Create makes a new file, in a folder that is made where it is missing. The file is not promised to last before it was
// synced and Place has put it under its name.
func (f *Folder) Create(name string, perm fs.FileMode) (File, error) {
	if err := f.Mkdir(path.Dir(name)); err != nil {
		return nil, err
	}
	file, err := f.fsys.Create(f.Path(name), perm)
	if err != nil {
		return nil, err
	}
	return &tracked{file, f, name}, nil
}

// tracked is a File whose failed sync breaks its folder.
type tracked struct {
	File
	folder *Folder
	name   string
}

func (t *tracked) Sync() error { return t.folder.sync(t.name, t.File.Sync) }

// Place moves a synced file or a folder to its name, and returns once that is on the disk. Where the old name is in
// another folder, a crash may bring that one back as well.
func (f *Folder) Place(from, to string) error {
	if err := f.Mkdir(path.Dir(to)); err != nil {
		return err
	}
	if err := f.fsys.Rename(f.Path(from), f.Path(to)); err != nil {
		return fmt.Errorf("put %s in place: %w", to, err)
	}
	f.mu.Lock()
	delete(f.synced, from)
	f.mu.Unlock()
	return f.SyncDir(path.Dir(to))
}

// Remove deletes a file or an empty folder. It does not sync: a crash may bring it back.
func (f *Folder) Remove(name string) error {
	if err := f.Err(); err != nil {
		return err
	}
	return f.fsys.Remove(f.Path(name))
}

// WriteFile puts data under a name, in place of what was there: after a crash the file is the old or the new one, and
// once WriteFile has returned it is the new one. Two calls for one name must not overlap. A crash may leave NAME.tmp.
func (f *Folder) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return f.WriteVia(name+".tmp", name, data, perm)
}

// WriteVia is WriteFile with the name of the temporary file, for one writer of many files: a crash leaves one at most,
// and the next call takes it away.
func (f *Folder) WriteVia(tmp, name string, data []byte, perm fs.FileMode) error {
	if err := f.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", name, err)
	}
	file, err := f.Create(tmp, perm)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := file.Write(data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), file.Close(), f.fsys.Remove(f.Path(tmp)))
	}
	if err := file.Sync(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.Place(tmp, name)
}

// MakeFolder makes a folder and those above it, where they are missing, durably, and returns it.
func MakeFolder(fsys FS, dir string) (*Folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make folder %s: %w", dir, err)
	}
	there := abs
	for {
		_, err := os.Stat(there)
		if err == nil {
			break
		}
		if up := filepath.Dir(there); errors.Is(err, fs.ErrNotExist) && up != there {
			there = up
			continue
		}
		return nil, fmt.Errorf("make folder %s: %w", dir, err)
	}
	rel, err := filepath.Rel(there, abs)
	if err != nil {
		return nil, fmt.Errorf("make folder %s: %w", dir, err)
	}
	if err := NewFolder(fsys, there).Mkdir(filepath.ToSlash(rel)); err != nil {
		return nil, err
	}
	return NewFolder(fsys, abs), nil
}
