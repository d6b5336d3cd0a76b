package sqlitedb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

var options = sqlitedb.Options{ApplicationID: 0x45415254, Migrations: []string{
	"CREATE TABLE a (n INTEGER PRIMARY KEY, t TEXT NOT NULL) STRICT",
}}

func open(t *testing.T, path string, o sqlitedb.Options) *sqlitedb.DB {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeDB(t, db) })
	return db
}

func closeDB(t *testing.T, db *sqlitedb.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func pragma(t *testing.T, db *sql.DB, name string) string {
	t.Helper()
	var v string
	if err := db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOpenSetsWhatIsPromised(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b#c?.db")
	db := open(t, path, options)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0", "cell_size_check": "1",
		"checksum_verification": "1", "user_version": "1", "application_id": "1161908820", "query_only": "0", "busy_timeout": "10000", "page_size": "4096"}
	for name, v := range want {
		if got := pragma(t, db.Write, name); got != v {
			t.Errorf("%s is %s, not %s", name, got, v)
		}
	}
	if got := pragma(t, db.Read, "query_only"); got != "1" {
		t.Error("a reader can write")
	}
	if _, err := db.Read.ExecContext(t.Context(), "INSERT INTO a VALUES (1, 'x')"); err == nil {
		t.Error("a reader has written")
	}
	exec(t, db.Write, "INSERT INTO a VALUES (1, 'x')")
	closeDB(t, db)
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the write-ahead log is left after a clean close")
	}
	b, err := os.ReadFile(path)
	if err != nil || b[20] != 8 {
		t.Errorf("reserved bytes: %d, %v", b[20], err)
	}
}

func TestVersions(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	newer := options
	newer.Migrations = append(newer.Migrations[:1:1], "ALTER TABLE a ADD COLUMN more TEXT", "CREATE TABLE b (n INTEGER) STRICT")
	closeDB(t, open(t, path, options))

	readNewer := newer
	readNewer.ReadOnly = true
	_, err := sqlitedb.Open(t.Context(), path, readNewer)
	if evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
		t.Errorf("an older file to read: %v", err)
	}
	failing := newer
	failing.Migrations = append(newer.Migrations[:2:2], "CREATE TABLE c (n INTEGER) STRICT; this is no SQL")
	if _, err := sqlitedb.Open(t.Context(), path, failing); err == nil {
		t.Fatal("a migration that fails succeeds")
	}
	db := open(t, path, newer)
	if got := pragma(t, db.Read, "user_version"); got != "3" {
		t.Errorf("user_version %s after migrating", got)
	}
	exec(t, db.Write, "INSERT INTO a (n, t, more) VALUES (1, 'x', 'y')")
	var tables int
	if err := db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'c'").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("a failed migration left %d of its tables, %v", tables, err)
	}
	closeDB(t, db)
	for _, o := range []sqlitedb.Options{options, {ApplicationID: options.ApplicationID, Migrations: options.Migrations, ReadOnly: true}} {
		if _, err := sqlitedb.Open(t.Context(), path, o); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
			t.Errorf("a newer file: %v", err)
		}
	}
	other := options
	other.ApplicationID = 7
	if _, err := sqlitedb.Open(t.Context(), path, other); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("another kind of file: %v", err)
	}
	if _, err := sqlitedb.Open(t.Context(), filepath.Join(dir, "none.db"), readNewer); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("no file: %v", err)
	}
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, make([]byte, 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.Open(t.Context(), garbage, options); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("garbage: %v", err)
	}
	if _, err := sqlitedb.Open(t.Context(), filepath.Join(dir, "no", "such", "x.db"), options); err == nil {
		t.Error("opened in a folder that is not there")
	}
}

// Each flipped byte shows as Damaged, or does not change what is read.
func TestFlippedByte(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	db := open(t, path, options)
	for n := range 300 {
		exec(t, db.Write, "INSERT INTO a VALUES (?, 'what was said on the net that night')", n)
	}
	closeDB(t, db)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	step := 61
	undetected := 0
	flip := func(at int) {
		b := append([]byte(nil), whole...)
		b[at] ^= 1 << (at % 8)
		flipped := filepath.Join(dir, "flipped.db")
		if err := os.WriteFile(flipped, b, 0o600); err != nil {
			t.Fatal(err)
		}
		ro := options
		ro.ReadOnly = true
		db, err := sqlitedb.Open(t.Context(), flipped, ro)
		if err == nil {
			var n, length int
			err = db.Read.QueryRowContext(t.Context(), "SELECT count(*), sum(length(t)) FROM a WHERE t = 'what was said on the net that night'").Scan(&n, &length)
			if err == nil && n != 300 {
				t.Errorf("byte %d flipped: %d rows, not 300, and no error", at, n)
			}
			if err == nil {
				undetected++
			}
			closeDB(t, db)
		}
		if err = sqlitedb.Explain(err, "flipped.db"); err != nil && evidence.KindOf(err) != evidence.KindDamaged {
			t.Errorf("byte %d flipped: kind %v: %v", at, evidence.KindOf(err), err)
		}
		for _, s := range []string{"-wal", "-shm"} {
			_ = os.Remove(flipped + s)
		}
	}
	for at := range 100 {
		flip(at)
	}
	for at := 100; at < len(whole); at += step {
		flip(at)
	}
	if undetected > 0 {
		t.Errorf("%d flips were not noticed", undetected)
	}
}

func TestFTS5(t *testing.T) {
	o := options
	o.FTS5 = true
	o.Migrations = []string{"CREATE VIRTUAL TABLE f USING fts5 (t)"}
	db := open(t, filepath.Join(t.TempDir(), "f.db"), o)
	exec(t, db.Write, "INSERT INTO f VALUES ('колонна прошла мост')")
	var n int
	if err := db.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM f WHERE f MATCH 'мост'").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d matches, %v", n, err)
	}
}
