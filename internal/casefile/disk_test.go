package casefile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/durable"
)

// simDisk stands between a case and a folder of real files. It keeps apart what was synced from what was not, so that
// it can say what a disk may hold after the power was cut; and it can make its n-th operation fail.
//
// Reads see everything that was written. After the cut every operation fails and changes nothing.
type simDisk struct {
	root string
	name string // under which SQLite finds it

	mu     sync.Mutex
	nodes  map[string]*node // what programs see, by path below root
	tops   map[string]*node // what is named on the disk
	names  []nameOp         // changes of names that were not synced
	log    []string         // each operation that changes something
	cutAt  int              // the operation before which the power goes; 0: never
	failAt int              // the operation that fails once with failWith; 0: none
	failed bool
	off    bool // the power
	err    error
	lie    func(op string) bool // syncs that do nothing and say that they did
}

// node is a file or folder.
type node struct {
	dir    bool
	synced []byte
	writes []write
}

// write is bytes at an offset, or a new length where data is nil.
type write struct {
	off  int64
	data []byte
}

// nameOp gives a name a node, or takes it away where node is nil.
type nameOp struct {
	dir, name string
	node      *node
}

var errPower = errors.New("the power is off")

// newSimDisk makes a disk over a folder; what is there already counts as synced.
func newSimDisk(t testing.TB, root string) *simDisk {
	t.Helper()
	d := &simDisk{root: root, name: "sim" + strings.ReplaceAll(root, "/", "-"), nodes: map[string]*node{}, tops: map[string]*node{}}
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(p, "-shm") {
			return err
		}
		n := &node{dir: e.IsDir()}
		if !n.dir {
			if n.synced, err = os.ReadFile(p); err != nil {
				return err
			}
		}
		d.nodes[d.rel(p)], d.tops[d.rel(p)] = n, n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	vfs.Register(d.name, simVFS{d, vfs.Find("os").(vfs.VFSFilename)})
	t.Cleanup(func() { vfs.Unregister(d.name) })
	return d
}

func (d *simDisk) disk() casefile.Disk { return casefile.Disk{FS: simFS{d}, VFS: d.name} }

func (d *simDisk) rel(p string) string {
	r, err := filepath.Rel(d.root, p)
	if err != nil {
		panic(err) // a test has given a path outside of its disk
	}
	return filepath.ToSlash(r)
}

// do counts an operation and performs it, on the real files and then in the books, unless the power is off.
func (d *simDisk) do(op, p string, real func() error, book func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.log) + 1
	if d.cutAt > 0 && n >= d.cutAt {
		d.off = true
		return errPower
	}
	d.log = append(d.log, op+" "+d.rel(p))
	if n == d.failAt {
		d.failed = true
		return &fs.PathError{Op: op, Path: p, Err: d.err}
	}
	if d.lie != nil && d.lie(op) {
		return nil
	}
	if real != nil {
		if err := real(); err != nil {
			return err
		}
	}
	book()
	return nil
}

func (d *simDisk) rename(n *node, p string) {
	d.names = append(d.names, nameOp{d.rel(filepath.Dir(p)), d.rel(p), n})
	if n == nil {
		delete(d.nodes, d.rel(p))
	} else {
		d.nodes[d.rel(p)] = n
	}
}

// syncNames puts the changed names of a folder on the disk; all of them or one.
func (d *simDisk) syncNames(dir, only string) {
	var left []nameOp
	for _, o := range d.names {
		if o.dir == dir && (only == "" || o.name == only) {
			d.apply(o)
		} else {
			left = append(left, o)
		}
	}
	d.names = left
}

func (d *simDisk) apply(o nameOp) {
	if o.node == nil {
		for name := range d.tops { // with what is below a folder
			if strings.HasPrefix(name, o.name+"/") {
				delete(d.tops, name)
			}
		}
		delete(d.tops, o.name)
	} else {
		d.tops[o.name] = o.node
	}
}

func (n *node) sync() {
	for _, w := range n.writes {
		n.synced = w.apply(n.synced)
	}
	n.writes = nil
}

func (w write) apply(b []byte) []byte {
	if w.data == nil {
		if int64(len(b)) >= w.off {
			return append([]byte(nil), b[:w.off]...)
		}
		return append(b, make([]byte, w.off-int64(len(b)))...)
	}
	if short := w.off + int64(len(w.data)) - int64(len(b)); short > 0 {
		b = append(b, make([]byte, short)...)
	}
	copy(b[w.off:], w.data)
	return b
}

// What becomes of writes that were not synced.
type fate func(r *rand.Rand) bool

func lost(*rand.Rand) bool     { return false }
func kept(*rand.Rand) bool     { return true }
func either(r *rand.Rand) bool { return r.IntN(2) == 0 }

const sector = 512

// after writes to a new folder what the disk may hold after a cut now, and returns it.
func (d *simDisk) after(t testing.TB, keep fate, r *rand.Rand) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.names {
		if keep(r) {
			d.apply(o)
		}
	}
	out, err := os.MkdirTemp(filepath.Dir(d.root), "after-")
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range d.tops {
		p := filepath.Join(out, filepath.FromSlash(name))
		if !d.reachable(name) {
			continue
		}
		if n.dir {
			err = os.MkdirAll(p, 0o777)
		} else {
			b := append([]byte(nil), n.synced...)
			for _, w := range n.writes {
				if w.data == nil {
					if keep(r) {
						b = w.apply(b)
					}
					continue
				}
				for at := 0; at < len(w.data); {
					end := min(at+sector-int(w.off+int64(at))%sector, len(w.data))
					if keep(r) {
						b = write{w.off + int64(at), w.data[at:end]}.apply(b)
					}
					at = end
				}
			}
			err = errors.Join(os.MkdirAll(filepath.Dir(p), 0o777), os.WriteFile(p, b, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// reachable reports whether all folders above a name are on the disk.
func (d *simDisk) reachable(name string) bool {
	for up := name; up != "."; {
		up = filepath.ToSlash(filepath.Dir(up))
		if n := d.tops[up]; n == nil || !n.dir {
			return false
		}
	}
	return true
}

// simFS is the disk for blobs, key and log.
type simFS struct{ d *simDisk }

func (f simFS) Create(name string, perm fs.FileMode) (durable.File, error) {
	n := &node{}
	var file durable.File
	err := f.d.do("create", name, func() (err error) {
		file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		return err
	}, func() { f.d.rename(n, name) })
	if err != nil {
		return nil, err
	}
	return &simFile{File: file, d: f.d, n: n, name: name}, nil
}

func (f simFS) Mkdir(name string) error {
	if _, err := os.Stat(name); err == nil {
		return fs.ErrExist // nothing changes, so there is nothing to count
	}
	return f.d.do("mkdir", name, func() error { return os.Mkdir(name, 0o777) }, func() { f.d.rename(&node{dir: true}, name) })
}

func (f simFS) Rename(from, to string) error {
	return f.d.do("rename", to, func() error { return os.Rename(from, to) }, func() {
		below := map[string]*node{}
		for name, n := range f.d.nodes {
			if rest, ok := strings.CutPrefix(name, f.d.rel(from)+"/"); ok {
				below[rest] = n
			}
		}
		n := f.d.nodes[f.d.rel(from)]
		f.d.rename(n, to)
		f.d.rename(nil, from)
		for rest, n := range below { // they move with their folder
			f.d.names = append(f.d.names, nameOp{f.d.rel(filepath.Dir(to)), f.d.rel(to) + "/" + rest, n})
			delete(f.d.nodes, f.d.rel(from)+"/"+rest)
			f.d.nodes[f.d.rel(to)+"/"+rest] = n
		}
	})
}

func (f simFS) Remove(name string) error {
	if _, err := os.Lstat(name); err != nil {
		return err
	}
	return f.d.do("remove", name, func() error { return os.Remove(name) }, func() { f.d.rename(nil, name) })
}

func (f simFS) SyncDir(name string) error {
	return f.d.do("syncdir", name, nil, func() { f.d.syncNames(f.d.rel(name), "") })
}

type simFile struct {
	durable.File
	d    *simDisk
	n    *node
	name string
	size int64
}

func (f *simFile) Write(p []byte) (int, error) {
	err := f.d.do("write", f.name, func() error { _, err := f.File.Write(p); return err }, func() {
		f.n.writes = append(f.n.writes, write{f.size, append([]byte(nil), p...)})
		f.size += int64(len(p))
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *simFile) Sync() error { return f.d.do("sync", f.name, nil, f.n.sync) }

// simVFS is the disk for case.db: the driver in use writes through it.
type simVFS struct {
	d  *simDisk
	os vfs.VFSFilename
}

func (v simVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, 0, fmt.Errorf("open %s: a temporary file is not expected", name)
}

func (v simVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil || name.String() == "" {
		return v.os.OpenFilename(name, flags)
	}
	p := name.String()
	v.d.mu.Lock()
	n := v.d.nodes[v.d.rel(p)]
	v.d.mu.Unlock()
	f, flags, err := v.os.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}
	s := &simDB{File: f, d: v.d, n: n, name: p}
	if n == nil {
		s.n, s.fresh = &node{}, flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL) != 0
		if err := v.d.do("create", p, nil, func() { v.d.rename(s.n, p) }); err != nil {
			return nil, flags, errors.Join(err, f.Close())
		}
	}
	if flags&vfs.OPEN_MAIN_DB != 0 {
		s.shm = vfs.NewSharedMemory(p+"-shm", flags)
	}
	return s, flags, nil
}

func (v simVFS) Delete(p string, syncDir bool) error {
	if _, err := os.Lstat(p); err != nil {
		return vfs.SystemError(err, sqlite3.IOERR_DELETE_NOENT)
	}
	return v.d.do("remove", p, func() error { return v.os.Delete(p, false) }, func() {
		v.d.rename(nil, p)
		if syncDir {
			v.d.syncNames(v.d.rel(filepath.Dir(p)), "")
		}
	})
}

func (v simVFS) Access(name string, flags vfs.AccessFlag) (bool, error) {
	return v.os.Access(name, flags)
}
func (v simVFS) FullPathname(name string) (string, error) { return v.os.FullPathname(name) }

type simDB struct {
	vfs.File
	d     *simDisk
	n     *node
	name  string
	fresh bool // its name has yet to be synced with it
	shm   vfs.SharedMemory
}

func (f *simDB) SharedMemory() vfs.SharedMemory { return f.shm }

func (f *simDB) WriteAt(p []byte, off int64) (int, error) {
	err := f.d.do("write", f.name, func() error { _, err := f.File.WriteAt(p, off); return err }, func() {
		f.n.writes = append(f.n.writes, write{off, append([]byte(nil), p...)})
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *simDB) Truncate(size int64) error {
	return f.d.do("truncate", f.name, func() error { return f.File.Truncate(size) }, func() { f.n.writes = append(f.n.writes, write{off: size}) })
}

func (f *simDB) Sync(vfs.SyncFlag) error {
	return f.d.do("syncdb", f.name, nil, func() {
		f.n.sync()
		if f.fresh {
			f.fresh = false
			f.d.syncNames(f.d.rel(filepath.Dir(f.name)), f.d.rel(f.name))
		}
	})
}

func (f *simDB) Close() error {
	if f.shm != nil {
		return errors.Join(f.shm.Close(), f.File.Close())
	}
	return f.File.Close()
}
