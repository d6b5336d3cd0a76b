// Package sqlitedb opens SQLite files the one right way: checksummed pages, write-ahead log, synchronous=FULL,
// one writing connection, schema by migrations. What a commit has returned for survives a power cut.
//
// It knows nothing of what the tables hold.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/ext/fts5"

	"github.com/earwitness/earwitness/evidence"
)

// oldest is the first release of SQLite without the race that loses committed pages when two connections reset the
// write-ahead log at once: 3.51.3, written as sqlite3_libversion_number does.
const oldest = 3051003

// readers is how many connections read at once.
const readers = 4

// Options say what file is expected.
type Options struct {
	ApplicationID int32    // PRAGMA application_id of such files
	Migrations    []string // Migrations[i] brings a file from user_version i to i+1; 0 is an empty file
	ReadOnly      bool     // open without writing anything, and without migrating
	FTS5          bool     // register the full-text extension
	VFS           string   // the registered ncruces VFS to go through; "" is the operating system's
}

// DB is an open file. It is safe for concurrent use.
type DB struct {
	Write *sql.DB // one connection, transactions begin IMMEDIATE; nil where the file is open for reading only
	Read  *sql.DB // a few connections that cannot write
}

// Open opens path, makes it where it is missing (unless ReadOnly), and migrates it.
//
// NotFound: there is no such file to read. Invalid: it is another kind of file, or of a newer version, or of an older
// one that has to be migrated while ReadOnly. Damaged: its bytes are not what was written.
func Open(ctx context.Context, path string, o Options) (_ *DB, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	name := filepath.Base(path)
	defer func() { err = Explain(err, name) }()
	if o.VFS == "" && o.ReadOnly {
		if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
			return nil, evidence.NotFound("there is no %s", path)
		}
	}
	db := &DB{}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if !o.ReadOnly {
		if db.Write, err = connect(abs, o, false, false); err != nil {
			return nil, err
		}
		db.Write.SetMaxOpenConns(1)
		if err := migrate(ctx, db.Write, name, o); err != nil {
			return nil, err
		}
	}
	if db.Read, err = connect(abs, o, true, false); err != nil {
		return nil, err
	}
	err = checkVersion(ctx, db.Read, name, o)
	if err != nil && o.ReadOnly && errors.Is(err, sqlite3.CANTOPEN) && walIsEmpty(abs) {
		// A write-ahead log needs a file of shared memory, which a read-only place cannot have. Without a log to read,
		// the file alone is the whole truth.
		err = db.Read.Close()
		if err == nil {
			db.Read, err = connect(abs, o, true, true)
		}
		if err == nil {
			err = checkVersion(ctx, db.Read, name, o)
		}
	}
	if err != nil {
		return nil, err
	}
	db.Read.SetMaxOpenConns(readers)
	db.Read.SetMaxIdleConns(readers)
	return db, nil
}

func walIsEmpty(path string) bool {
	info, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// Close closes all connections. The last one to close folds the write-ahead log into the file.
func (db *DB) Close() error {
	var errs []error
	if db.Write != nil {
		// Where another process has written, folding the log, as the last connection does when it closes, makes SQLite
		// drop its memory map, and go-sqlite3 v0.37.0 has none to drop while checksums are verified: it panics. Pages
		// that are written get their checksums still. A file too damaged for the pragma is closed all the same,
		// and so is one that is closed already.
		_, _ = db.Write.Exec(`PRAGMA checksum_verification = OFF`)
	}
	for _, d := range []*sql.DB{db.Read, db.Write} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

func connect(path string, o Options, reader, immutable bool) (*sql.DB, error) {
	q := url.Values{}
	q.Set("_txlock", "immediate")
	q.Set("mode", "rwc")
	if reader {
		q.Set("_txlock", "deferred")
		q.Set("mode", "ro")
	}
	if immutable {
		q.Set("immutable", "1")
	}
	if o.VFS != "" {
		q.Set("vfs", o.VFS)
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return driver.Open(dsn.String(), func(c *sqlite3.Conn) error { return prepare(c, o, reader) })
}

// prepare makes a new connection what the package promises.
func prepare(c *sqlite3.Conn, o Options, reader bool) error {
	if err := c.BusyTimeout(10 * time.Second); err != nil {
		return err
	}
	if err := checkRelease(c); err != nil {
		return err
	}
	if o.FTS5 {
		if err := fts5.Register(c); err != nil {
			return fmt.Errorf("register full-text search: %w", err)
		}
	}
	pragmas := []string{"trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON", "synchronous = FULL"}
	if reader {
		pragmas = append(pragmas, "query_only = ON")
	}
	for _, p := range pragmas {
		if err := c.Exec("PRAGMA " + p); err != nil {
			return fmt.Errorf("set %s: %w", p, err)
		}
	}
	if reader {
		return checksummed(c, o)
	}
	pages, err := number(c, `PRAGMA page_count`)
	if err != nil {
		return err
	}
	if pages == 0 {
		// Reserving the bytes for checksums rewrites the file, which only works outside of the write-ahead log.
		if err := c.EnableChecksums("main"); err != nil {
			return fmt.Errorf("enable page checksums: %w", err)
		}
	}
	if err := checksummed(c, o); err != nil {
		return err
	}
	mode, err := text(c, "PRAGMA journal_mode = wal")
	if err != nil {
		return fmt.Errorf("set journal mode: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("set journal mode: it is %s, not wal", mode)
	}
	return nil
}

// checkRelease refuses an SQLite that is too old to trust.
func checkRelease(c *sqlite3.Conn) error {
	release, err := text(c, "SELECT sqlite_version()")
	if err != nil {
		return err
	}
	var x, y, z int
	if _, err := fmt.Sscanf(release, "%d.%d.%d", &x, &y, &z); err != nil {
		return fmt.Errorf("read SQLite's version %q: %w", release, err)
	}
	if x*1000000+y*1000+z < oldest {
		return fmt.Errorf("SQLite %s can lose committed pages: it must be 3.51.3 or newer", release)
	}
	return nil
}

// checksummed reads the first page and makes sure that checksums are being verified.
func checksummed(c *sqlite3.Conn, o Options) error {
	app, err := number(c, "PRAGMA application_id")
	if err != nil {
		return err
	}
	on, err := number(c, "PRAGMA checksum_verification")
	if err != nil {
		return err
	}
	if on != 1 {
		if app != int64(o.ApplicationID) {
			return stranger(app, o)
		}
		return evidence.Damaged("its pages carry no checksums, which every file of ours does")
	}
	return nil
}

func number(c *sqlite3.Conn, query string) (int64, error) {
	s, _, err := c.Prepare(query)
	if err != nil {
		return 0, err
	}
	var n int64
	if s.Step() {
		n = s.ColumnInt64(0)
	}
	return n, s.Close()
}

func text(c *sqlite3.Conn, query string) (string, error) {
	s, _, err := c.Prepare(query)
	if err != nil {
		return "", err
	}
	var v string
	if s.Step() {
		v = s.ColumnText(0)
	}
	return v, s.Close()
}

// migrate brings the file to the newest version, each step in a transaction of its own.
func migrate(ctx context.Context, db *sql.DB, name string, o Options) error {
	for {
		done, err := migrateOnce(ctx, db, name, o)
		if done || err != nil {
			return err
		}
	}
}

func migrateOnce(ctx context.Context, db *sql.DB, name string, o Options) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("migrate %s: %w", name, err)
	}
	defer func() {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
	}()
	var app, version, tables int64
	row := tx.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`)
	if err := row.Scan(&app, &version, &tables); err != nil {
		return false, fmt.Errorf("read version of %s: %w", name, err)
	}
	if fresh := app == 0 && version == 0 && tables == 0; !fresh {
		if err := compatible(app, version, name, o); err != nil {
			return false, err
		}
	}
	if version == int64(len(o.Migrations)) {
		return true, nil
	}
	steps := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", o.ApplicationID, version+1)
	for _, q := range []string{o.Migrations[version], steps} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return false, fmt.Errorf("migrate %s from version %d: %w", name, version, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("migrate %s from version %d: %w", name, version, err)
	}
	return false, nil
}

// compatible refuses a file of another kind or of a newer version.
func compatible(app, version int64, name string, o Options) error {
	if app != int64(o.ApplicationID) {
		return stranger(app, o)
	}
	if version > int64(len(o.Migrations)) {
		return evidence.Invalid("%s is of version %d, and this program knows versions up to %d", name, version, len(o.Migrations)).
			WithHint("use a newer earwitness")
	}
	return nil
}

func stranger(app int64, o Options) error {
	return evidence.Invalid("the file is another program's: its application id is %#x, not %#x", uint32(app), uint32(o.ApplicationID)).
		WithHint("look whether this is the right folder")
}

// checkVersion is what a reader asks of a file.
func checkVersion(ctx context.Context, db *sql.DB, name string, o Options) error {
	var app, version int64
	row := db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)`)
	if err := row.Scan(&app, &version); err != nil {
		return fmt.Errorf("read version of %s: %w", name, err)
	}
	if err := compatible(app, version, name, o); err != nil {
		return err
	}
	if version < int64(len(o.Migrations)) {
		return evidence.Invalid("%s is of the older version %d", name, version).
			WithHint("open it once with a command that writes: that brings it to version %d", len(o.Migrations))
	}
	return nil
}

// Explain gives the errors of SQLite that have a plain meaning their kind and sentence; others stay as they are.
// name is the file's, for the message.
func Explain(err error, name string) error {
	if err == nil || evidence.KindOf(err) != evidence.KindInternal {
		return err
	}
	var x sqlite3.ExtendedErrorCode
	switch {
	case errors.As(err, &x) && x == sqlite3.IOERR_DATA:
		return evidence.Damaged("%s is damaged: a page does not have the checksum it was written with", name).Because(err).WithHint("%s", restore)
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB), errors.As(err, &x) && (x == sqlite3.IOERR_SHORT_READ || x == sqlite3.IOERR_CORRUPTFS):
		return evidence.Damaged("%s is damaged: it is not what SQLite wrote", name).Because(err).WithHint("%s", restore)
	case errors.Is(err, sqlite3.FULL) && !errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", err, syscall.ENOSPC)
	case errors.As(err, &x) && (x == sqlite3.IOERR_WRITE || x == sqlite3.IOERR_SHMSIZE || x == sqlite3.IOERR_TRUNCATE) && !errors.Is(err, syscall.ENOSPC):
		// The driver does not always say why.
		return (&evidence.Error{Message: name + " could not be written", Err: err}).
			WithHint("the disk may be full, or failing: look how much space is left, and at the system's log; then run the command again")
	case errors.Is(err, sqlite3.CANTOPEN):
		return (&evidence.Error{Message: name + " could not be opened", Err: err}).
			WithHint("look whether its folder may be written to, and how much space the disk has left")
	case SyncFailed(err):
		return (&evidence.Error{Message: "the disk did not take what was written to " + name, Err: err}).
			WithHint("the disk may be failing: look at the system's log before you go on; what was reported as kept is kept")
	case errors.Is(err, sqlite3.BUSY):
		return evidence.Conflict("%s is held by another program", name).Because(err).WithHint("wait until that program has finished, then try again")
	case errors.Is(err, sqlite3.READONLY), strings.Contains(err.Error(), "READONLY"):
		return evidence.Invalid("%s cannot be written to", name).Because(err).WithHint("copy it to a place where you may write")
	}
	return err
}

const restore = "do not write to it; run `earwitness verify` to see what is damaged, and bring the file back from a copy"
