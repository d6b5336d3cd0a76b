// Package search finds words in the transcript of a case: a full-text index over the lines of package
// transcript, and the query language of docs/search.md.
//
// The index is derived: it may be deleted, torn or damaged at any time and comes back from the entries with
// the same answers. The file belongs to this room alone. It holds no evidence.
package search

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/sqlitedb"
	"github.com/earwitness/earwitness/internal/transcript"
)

// Entries is a case as this room needs it.
type Entries interface {
	// Follow calls fn for each entry from index from on, in the order of the log, and returns the index after the
	// last one. Where from is at or beyond the end it calls nothing. It stops at the first error of fn
	// and returns it.
	Follow(ctx context.Context, from int64, fn func(idx int64, e evidence.Entry) error) (int64, error)
}

// form tells indexes that were made differently apart: it changes with the tables, the tokens, the stems.
const form = 1

var options = sqlitedb.Options{
	ApplicationID: 0x45415244, // "EARD"
	FTS5:          true,
	Migrations: []string{`
CREATE TABLE progress (                -- how far the index has followed the case; one row
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  form    INTEGER NOT NULL,            -- of the index
  program TEXT NOT NULL,               -- that made it
  next    INTEGER NOT NULL,            -- index of the first entry that is not in
  tail    BLOB NOT NULL                -- digest of the entry before it
) STRICT;
CREATE TABLE recording (
  number INTEGER PRIMARY KEY,
  id     TEXT NOT NULL,
  name   TEXT NOT NULL                 -- number and file name, folded
) STRICT;
CREATE TABLE line (
  id        INTEGER PRIMARY KEY,
  recording INTEGER NOT NULL,
  from_     INTEGER NOT NULL,          -- samples
  to_       INTEGER NOT NULL,
  state     TEXT NOT NULL,
  sound     TEXT NOT NULL,
  langs     TEXT NOT NULL,             -- " uk ru "
  snr       INTEGER NOT NULL,          -- 1/100 dB
  at_from   INTEGER,                   -- Unix milliseconds, where the recording's start is stated
  at_to     INTEGER,
  wall_from INTEGER,                   -- the same by the recording's own clock, as if that were UTC
  wall_to   INTEGER,
  UNIQUE (recording, from_, to_, id)
) STRICT;
CREATE TABLE body (                    -- what would make walking over lines slow
  id   INTEGER PRIMARY KEY,            -- of the line
  text TEXT NOT NULL,
  line BLOB NOT NULL                   -- JSON of transcript.Line
) STRICT;
CREATE TABLE word (                    -- the vocabulary, for fuzzy search
  word  TEXT PRIMARY KEY,
  key   TEXT NOT NULL,                 -- spelled as it sounds
  runes INTEGER NOT NULL,              -- of key
  n     INTEGER NOT NULL               -- how often it stands
) STRICT, WITHOUT ROWID;
CREATE INDEX word_runes ON word (runes, key, word, n);
CREATE VIRTUAL TABLE spoken USING fts5 (
  word, stem, uk,                      -- each word folded; its Russian or English stem; its Ukrainian one
  content = '', contentless_delete = 1, tokenize = 'ascii'
);`},
}

// Index is an open index of one case. It is safe for concurrent use.
type Index struct {
	path    string
	program string
	entries Entries

	mu    sync.Mutex        // held over every call
	db    *sqlitedb.DB      // nil after Close, or where opening again did not succeed
	state *transcript.State // the case up to where the index has followed it; nil before it was needed
	stems *stemmer
	tx    *sql.Tx // of the search under way
}

// Open opens the index at path for a case, or makes it anew where it is missing, damaged, or made by another
// program than the one named (with its version). It reads nothing of the case: Update does.
func Open(ctx context.Context, path, program string, c Entries) (*Index, error) {
	x := &Index{path: path, program: program, entries: c, stems: newStemmer()}
	if err := x.open(ctx); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Index) open(ctx context.Context) error {
	before, statErr := os.Stat(x.path)
	var db *sqlitedb.DB
	err := wholePages(x.path)
	if err == nil {
		db, err = sqlitedb.Open(ctx, x.path, options)
	}
	if err == nil {
		x.db = db
		var ours bool
		if ours, err = x.ours(ctx); ours && err == nil {
			return nil
		}
		if cerr := x.closeDB(); err == nil && cerr != nil {
			return fmt.Errorf("close the search index: %w", cerr)
		}
	}
	if err != nil && !mendable(err) {
		return fmt.Errorf("open the search index: %w", err)
	}
	if err := x.remove(before, statErr); err != nil {
		return err
	}
	if x.db, err = sqlitedb.Open(ctx, x.path, options); err != nil {
		return fmt.Errorf("make the search index anew: %w", err)
	}
	return nil
}

// wholePages refuses a file whose last page is cut off. SQLite fills it with zeros and checks no sum over it.
func wholePages(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	head := make([]byte, 18)
	if _, err := io.ReadFull(f, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	size := int64(binary.BigEndian.Uint16(head[16:])) // in whole numbers of 512, with 1 for 65536
	if size == 1 {
		size = 65536
	}
	if size < 512 || info.Size()%size != 0 {
		return evidence.Damaged("the search index breaks off within a page")
	}
	return nil
}

// ours reports whether the open file was made by this very program, or is empty.
func (x *Index) ours(ctx context.Context) (bool, error) {
	var f int64
	var program string
	err := x.db.Read.QueryRowContext(ctx, `SELECT form, program FROM progress`).Scan(&f, &program)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return f == form && program == x.program, x.explain(err)
}

// mendable reports whether making the index anew helps against err.
func mendable(err error) bool {
	switch evidence.KindOf(err) {
	case evidence.KindDamaged:
		return true
	case evidence.KindInvalid: // another version, another program's file, or one that may not be written
		return !errors.Is(err, sqlite3.READONLY)
	}
	// A table that is not there or has other columns: a file half-written, or altered.
	return errors.Is(err, sqlite3.ERROR)
}

func (x *Index) explain(err error) error { return sqlitedb.Explain(err, "the search index") }

// remove deletes the file, unless another process has just put a new one there. The file goes last: SQLite
// drops a log that it finds beside an empty file.
func (x *Index) remove(before fs.FileInfo, statErr error) error {
	now, err := os.Stat(x.path)
	if statErr == nil && err == nil && !os.SameFile(before, now) {
		return nil
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Remove(x.path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the damaged search index: %w", err)
		}
	}
	return nil
}

// Close closes the index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closeDB()
}

func (x *Index) closeDB() error {
	db := x.db
	x.db, x.state = nil, nil
	if db == nil {
		return nil
	}
	return db.Close()
}

// caseError is an error of the case. However damaged that is, a new index does not mend it.
type caseError struct{ error }

func (e caseError) Unwrap() error { return e.error }

// mended runs fn, and once more over a new index where the file turns out to be damaged.
func (x *Index) mended(ctx context.Context, fn func() error) error {
	if x.db == nil {
		return evidence.Conflict("the search index is closed")
	}
	err := x.explain(fn())
	if _, ok := errors.AsType[caseError](err); ok || err == nil || ctx.Err() != nil || !mendable(err) {
		return err
	}
	before, statErr := os.Stat(x.path)
	if cerr := x.closeDB(); cerr != nil && !mendable(x.explain(cerr)) {
		return errors.Join(err, cerr)
	}
	if err := x.remove(before, statErr); err != nil {
		return err
	}
	if err := x.open(ctx); err != nil {
		return err
	}
	if err := x.update(ctx); err != nil {
		return x.explain(err)
	}
	return x.explain(fn())
}

// Update brings the index up to the case's newest entry. Where nothing is new it reads one entry.
func (x *Index) Update(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mended(ctx, func() error { return x.update(ctx) })
}

// errStop ends Follow early.
var errStop = errors.New("enough")

func (x *Index) update(ctx context.Context) (err error) {
	next, same, err := x.look(ctx)
	if err != nil || same {
		return err
	}
	tx, err := x.db.Write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("update the search index: %w", err)
	}
	defer func() {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
	}()
	// Another process may have followed the case in the meantime: its work stands, and Follow tells what is left.
	var now int64
	switch err := tx.QueryRowContext(ctx, `SELECT next FROM progress`).Scan(&now); {
	case errors.Is(err, sql.ErrNoRows):
		next = 0
	case err != nil:
		return err
	case next > 0:
		next = now
	}
	w := writer{tx: tx, stems: x.stems, touched: map[string]bool{}, words: map[string]int{}}
	if next == 0 { // all anew: the index is empty, or of another case
		x.state = nil
		for _, q := range []string{`DELETE FROM line`, `DELETE FROM body`, `DELETE FROM word`, `DELETE FROM recording`, `DELETE FROM progress`, `INSERT INTO spoken (spoken) VALUES ('delete-all')`} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("clear the search index: %w", err)
			}
		}
	}
	newest, err := x.follow(ctx, next, &w)
	if err != nil {
		x.state = nil
		return err
	}
	if err := w.write(ctx, x.state); err != nil {
		x.state = nil
		return fmt.Errorf("update the search index: %w", err)
	}
	if newest.Kind != "" {
		tail, err := digest(newest)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO progress (one, form, program, next, tail) VALUES (1, ?, ?, ?, ?)`, form, x.program, x.state.Next(), tail[:])
		if err != nil {
			return fmt.Errorf("note how far the search index goes: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("update the search index: %w", err)
	}
	return nil
}

// look returns how far the index has followed this case, 0 if it is of another one, and whether that is all
// there is.
func (x *Index) look(ctx context.Context) (next int64, same bool, err error) {
	var tail []byte
	err = x.db.Read.QueryRowContext(ctx, `SELECT next, tail FROM progress`).Scan(&next, &tail)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	found, more := false, false
	_, err = x.entries.Follow(ctx, max(0, next-1), func(idx int64, e evidence.Entry) error {
		if idx >= next {
			more = true
			return errStop
		}
		d, err := digest(e)
		found = err == nil && bytes.Equal(d[:], tail)
		return err
	})
	if err != nil && !errors.Is(err, errStop) {
		return 0, false, caseError{fmt.Errorf("follow the case: %w", err)}
	}
	if !found {
		return 0, false, nil
	}
	return next, !more, nil
}

func digest(e evidence.Entry) (evidence.Digest, error) {
	b, err := e.Encode()
	return evidence.DigestOf(b), err
}

// follow brings the state up to the newest entry and notes in w which recordings the entries from next on
// touch. It returns the newest entry, an empty one where there was nothing to read.
func (x *Index) follow(ctx context.Context, next int64, w *writer) (newest evidence.Entry, err error) {
	if x.state == nil || x.state.Next() > next {
		x.state = &transcript.State{}
	}
	_, err = x.entries.Follow(ctx, x.state.Next(), func(idx int64, e evidence.Entry) error {
		if err := x.state.Apply(idx, e); err != nil {
			return err
		}
		newest = e
		if idx < next {
			return nil
		}
		var body struct {
			Recording string `json:"recording"`
		}
		if err := json.Unmarshal(e.Body, &body); err != nil {
			return fmt.Errorf("read entry %d: %w", idx, err)
		}
		if body.Recording != "" {
			w.touched[body.Recording] = true
		}
		return nil
	})
	if err != nil {
		return newest, caseError{fmt.Errorf("follow the case: %w", err)}
	}
	return newest, nil
}
