// Package casefile is the vault: a case as one folder, and the only room that writes evidence. An entry is durable when
// Append returns, with everything that it names; nothing is ever changed or removed. docs/format/case.md is normative.
//
// Order of writing: blob, entry with its hashes in one transaction, acknowledgement, checkpoint, tiles, published
// checkpoint. Opening a case for writing after a crash does what is missing by the same code.
package casefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/blobs"
	"github.com/earwitness/earwitness/internal/durable"
	"github.com/earwitness/earwitness/internal/lockfile"
	"github.com/earwitness/earwitness/internal/merklelog"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

// Format is the version of the case folder that this package writes.
const Format = 1

// world is what writing needs from outside.
type world struct {
	now     func() time.Time
	rand    io.Reader
	seenDir string
	disk    Disk
}

// Disk is where the bytes go; tests put in disks that fail.
type Disk struct {
	FS  durable.FS // for blobs, key, log and SeenDir
	VFS string     // for case.db, a registered VFS of ncruces/go-sqlite3
}

func (d Disk) fs() durable.FS {
	if d.FS == nil {
		return durable.OS{}
	}
	return d.FS
}

// Options describe a case that is made.
type Options struct {
	Title   string
	Policy  evidence.Policy
	Author  evidence.Author  // who opens the case
	Program string           // with its version
	Now     func() time.Time // the wall clock; safe for concurrent use
	Rand    io.Reader        // for keys, origins and salts: crypto/rand.Reader
	SeenDir string           // folder outside of every case that keeps what was signed on this machine; made where it is missing
	Disk    Disk             // the zero value is the operating system's
}

// OpenOptions say how a case is opened. Reading needs none of the others.
type OpenOptions struct {
	ReadOnly bool
	Now      func() time.Time
	Rand     io.Reader
	SeenDir  string
	Disk     Disk
}

// Info is what the case says about itself.
type Info struct {
	Title   string
	Policy  evidence.Policy
	Program string    // that made the case
	Opened  time.Time // by the clock of who made it
	Origin  string    // of the log that is being written
	Key     string    // its verifier key
	Epochs  []evidence.EpochStarted
}

// Case is an open case. It is safe for concurrent use.
type Case struct {
	dir     string
	world   world
	db      *sqlitedb.DB
	folder  *durable.Folder
	blobs   *blobs.Dir
	log     merklelog.Publisher
	index   *index // what lookups need; its own lock
	writer  *writer
	closing sync.Once
	closed  error
}

// Create makes a case in a folder that is not there, or is empty, and opens it for writing. A crash leaves no case, and
// what is left of the attempt does not stand in the way of the next one. Conflict: something else is in the folder.
func Create(ctx context.Context, dir string, o Options) (_ *Case, err error) {
	w := world{o.Now, o.Rand, o.SeenDir, o.Disk}
	defer func() { err = durable.Explain(err, dir) }()
	if o.Title == "" {
		return nil, evidence.Invalid("a case has a title").WithHint("say in a few words what it is about")
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	if up := filepath.Dir(filepath.Clean(dir)); !isDir(up) {
		return nil, evidence.NotFound("there is no folder %s to make the case in", up).WithHint("make that folder first, or look at how its name is written")
	}
	folder, err := durable.MakeFolder(w.disk.fs(), dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockfile.Take(filepath.Join(dir, "lock"), "the case "+dir)
	if err != nil {
		return nil, err
	}
	err = create(ctx, dir, folder, w, o)
	if err := errors.Join(err, lock.Close()); err != nil {
		return nil, err
	}
	c, err := Open(ctx, dir, OpenOptions{Now: o.Now, Rand: o.Rand, SeenDir: o.SeenDir, Disk: o.Disk})
	if err != nil {
		return nil, err
	}
	if err := c.Publish(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func create(ctx context.Context, dir string, folder *durable.Folder, w world, o Options) error {
	if err := clearAttempt(dir, folder); err != nil {
		return err
	}
	origin, err := merklelog.NewOrigin(w.rand)
	if err != nil {
		return err
	}
	signerKey, verifierKey, err := merklelog.NewKey(w.rand, origin)
	if err != nil {
		return err
	}
	first, err := evidence.NewEntry(evidence.EntryCaseOpened, o.Author, w.now(), evidence.CaseOpened{
		Format: Format, Origin: origin, Policy: o.Policy, Program: o.Program, Title: o.Title, Key: verifierKey})
	if err != nil {
		return err
	}
	p, err := prepare(first)
	if err != nil {
		return err
	}
	if err := folder.WriteFile("key", []byte(signerKey+"\n"), 0o600); err != nil {
		return err
	}
	for _, name := range []string{"blobs/tmp", "log"} {
		if err := folder.Mkdir(name); err != nil {
			return err
		}
	}
	// The file gets its name last: a folder without case.db is no case.
	db, err := openDB(ctx, filepath.Join(dir, "case.db.new"), false, "")
	if err != nil {
		return err
	}
	wr := &writer{world: w, db: db}
	err = wr.connect(ctx)
	if err == nil {
		_, err = wr.insert(ctx, merklelog.Edge{}, []*prepared{p})
	}
	if err := errors.Join(err, wr.disconnect(), db.Close()); err != nil {
		return fmt.Errorf("make case.db: %w", err)
	}
	return folder.Place("case.db.new", "case.db")
}

// clearAttempt removes what an interrupted Create left, and refuses a folder that holds anything else.
func clearAttempt(dir string, folder *durable.Folder) error {
	ours := map[string]bool{"lock": true, "key": true, "key.tmp": true, "blobs": true, "blobs/tmp": true, "log": true,
		"case.db.new": true, "case.db.new-wal": true, "case.db.new-shm": true, "case.db.new-journal": true}
	if _, err := os.Lstat(filepath.Join(dir, "case.db")); err == nil {
		return evidence.Conflict("%s is a case already", dir).WithHint("work on it with: earwitness -C %s ...; or choose another folder", dir)
	}
	var found []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if !ours[filepath.ToSlash(rel)] {
			return evidence.Conflict("%s is not empty: it holds %s", dir, rel).WithHint("choose another folder for the case, or an empty one")
		}
		found = append(found, filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		return err
	}
	for i := len(found) - 1; i >= 0; i-- {
		if found[i] == "lock" {
			continue
		}
		if err := folder.Remove(found[i]); err != nil {
			return fmt.Errorf("remove what an interrupted attempt left: %w", err)
		}
	}
	return nil
}

func (w world) check() error {
	if w.now == nil || w.rand == nil || w.seenDir == "" {
		return errors.New("open case for writing: a clock, randomness and a folder for what was signed are needed")
	}
	return nil
}

func openDB(ctx context.Context, path string, readOnly bool, vfs string) (*sqlitedb.DB, error) {
	return sqlitedb.Open(ctx, path, sqlitedb.Options{ApplicationID: applicationID, Migrations: migrations(), ReadOnly: readOnly, VFS: vfs})
}

// Open opens a case. Any number of programs may read while one writes.
//
// NotFound: the folder is no case, or its key is missing. Conflict: another program is writing to it, or it is an old
// copy. Invalid: a newer version has written it, or it cannot be written to. Damaged: it is not what was written.
func Open(ctx context.Context, dir string, o OpenOptions) (_ *Case, err error) {
	return open(ctx, dir, o, nil)
}

// open opens a case; with an epoch to start, also one that has become an old copy.
func open(ctx context.Context, dir string, o OpenOptions, epoch *EpochOptions) (_ *Case, err error) {
	defer func() { err = durable.Explain(err, dir) }()
	if _, err := os.Stat(filepath.Join(dir, "case.db")); errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.NotFound("%s is no case: it has no case.db", dir).WithHint("name the case with -C DIR, or make one with: earwitness init DIR")
	}
	c := &Case{dir: dir, world: world{o.Now, o.Rand, o.SeenDir, o.Disk}, folder: durable.NewFolder(o.Disk.fs(), dir), index: newIndex(nil)}
	c.blobs, c.log = blobs.NewDir(c.folder.Below("blobs")), merklelog.Publisher{Folder: c.folder.Below("log")}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if !o.ReadOnly {
		if err := c.world.check(); err != nil {
			return nil, err
		}
		c.writer = &writer{world: c.world}
		if c.writer.lock, err = lockfile.Take(filepath.Join(dir, "lock"), "the case "+dir); err != nil {
			return nil, err
		}
	}
	if c.db, err = openDB(ctx, filepath.Join(dir, "case.db"), o.ReadOnly, o.Disk.VFS); err != nil {
		return nil, err
	}
	if err := c.refresh(ctx); err != nil {
		return nil, err
	}
	if c.index.opened == nil {
		return nil, evidence.Damaged("case.db of %s holds no entries", dir).WithHint("bring the file back from a copy")
	}
	if o.ReadOnly {
		return c, nil
	}
	if err := c.startWriting(ctx, epoch); err != nil {
		return nil, err
	}
	return c, nil
}

// Close gives the case back. It does not publish. Appends that are under way end first.
func (c *Case) Close() error {
	c.closing.Do(func() {
		var errs []error
		if c.writer != nil {
			errs = append(errs, c.writer.stop())
		}
		if c.db != nil {
			errs = append(errs, c.db.Close())
		}
		if c.writer != nil {
			errs = append(errs, c.writer.unlock())
		}
		c.closed = errors.Join(errs...)
	})
	return c.closed
}

// Dir returns the folder of the case.
func (c *Case) Dir() string { return c.dir }

// Info returns what the case says about itself.
func (c *Case) Info() Info { return c.index.info() }

// Received finds the recording with the given bytes, and the index of its entry. Like Recording and Result, it knows of
// an entry as soon as it is durable; in a case that is open for reading, of those that were there when it was opened.
func (c *Case) Received(d evidence.Digest) (evidence.RecordingReceived, int64, bool) {
	return c.index.received(d)
}

// Recording finds a recording by its name, such as REC-0001, and the index of its entry.
func (c *Case) Recording(name string) (evidence.RecordingReceived, int64, bool) {
	return c.index.recording(name)
}

// Edited finds the entry of an edit by its digits.
func (c *Case) Edited(edit string) (int64, bool) { return c.index.written.Edited(edit) }

// Result finds the index of the result with a key.
func (c *Case) Result(key evidence.Digest) (int64, bool) { return c.index.result(key) }

// NewBlob begins a blob. A blob is to be durable before an entry names it.
func (c *Case) NewBlob(ctx context.Context) (*blobs.Writer, error) {
	if c.writer == nil {
		return nil, errReadOnly(c.dir)
	}
	return c.blobs.NewWriter()
}

// OpenBlob opens a blob. NotFound: it is not there.
func (c *Case) OpenBlob(d evidence.Digest) (*blobs.Blob, error) { return c.blobs.Open(d) }

// CheckBlob reads a blob and reports, as a Damaged error with the proof, where its bytes are not those of its digest.
func (c *Case) CheckBlob(ctx context.Context, d evidence.Digest) error { return c.blobs.Check(ctx, d) }

// BlobPath returns the path of a blob, for programs that read files. The file is not to be written to.
func (c *Case) BlobPath(d evidence.Digest) string { return c.blobs.Path(d) }

func errReadOnly(dir string) error {
	return evidence.Invalid("the case %s is open for reading only", dir)
}
