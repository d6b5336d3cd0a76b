package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs/readervfs"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// checkDatabase reads case.db: first its bytes, by code of this package, then its rows through SQLite.
func (a *audit) checkDatabase(ctx context.Context) error {
	p, done, err := a.openPages(ctx)
	if err != nil || p == nil {
		return err
	}
	defer done()
	conn, err := openReader(ctx, p)
	if err != nil {
		a.find(DBRead, "case.db", "SQLite cannot open it: %v", err)
		return ctx.Err()
	}
	defer conn.Close()
	if !a.checkSchema(conn) {
		return ctx.Err()
	}
	a.checkIntegrity(conn)
	a.readEntries(conn)
	a.readHashes(conn)
	a.readCheckpoints(conn)
	return ctx.Err()
}

// openPages opens case.db and its write-ahead log, and checks header, length and every page's checksum.
// It returns nil where the file cannot be read at all. Done closes what is open.
func (a *audit) openPages(ctx context.Context) (_ *raw.Pages, done func(), err error) {
	main, size, err := a.openRegular("case.db")
	if err != nil {
		a.find(DBMissing, "case.db", "%v", err)
		return nil, nil, nil
	}
	closers := []io.Closer{main}
	closeAll := func() {
		for _, c := range closers {
			c.Close() // read only: nothing can be lost
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	p, mainCount := &raw.Pages{Main: main}, size/raw.PageSize
	log, logSize, err := a.openRegular("case.db-wal")
	switch {
	case err == nil:
		closers = append(closers, log)
		p.Log = log
		if p.WAL, err = raw.ParseWAL(log, logSize); err != nil {
			a.find(WALFrame, "case.db-wal", "read: %v", err)
		}
		a.reportWAL(p.WAL)
	case !absent(err):
		a.find(WALHeader, "case.db-wal", "%v", err)
	}
	p.Count = int64(p.WAL.Pages)
	if p.Count == 0 {
		p.Count = mainCount
	}
	head := make([]byte, raw.HeaderSize)
	n, _ := p.ReadAt(head, 0)
	h, problems := raw.ParseHeader(head[:n])
	for _, s := range problems {
		a.find(DBHeader, "case.db, page 1", "%s", s)
	}
	if len(problems) > 0 && h.UserVersion > 1 && a.pageOneHolds(p) {
		return nil, nil, evidence.Invalid("the case has format %d, this program knows 1", h.UserVersion).WithHint("use a newer earwitness")
	}
	if p.WAL.Committed == 0 && (int64(h.Pages) != mainCount || size%raw.PageSize != 0) {
		a.find(DBLength, "case.db", "expected %d pages, %d bytes, as the header says; found %d bytes", h.Pages, int64(h.Pages)*raw.PageSize, size)
	}
	if h.Free > 0 {
		a.notice(NoticeDBFree, "case.db", "%d pages are on the list of free pages: something was removed from case.db once", h.Free)
	}
	return p, closeAll, a.checkPages(ctx, p, mainCount)
}

func (a *audit) pageOneHolds(p *raw.Pages) bool {
	page := make([]byte, raw.PageSize)
	n, err := p.ReadAt(page, 0)
	return err == nil && n == raw.PageSize && raw.PageHolds(page)
}

func (a *audit) reportWAL(w raw.WAL) {
	if w.Problem != "" {
		code := WALFrame
		if w.Place == raw.PlaceHeader {
			code = WALHeader
		}
		a.find(code, "case.db-wal, "+w.Place, "%s", w.Problem)
	}
	if w.Tail != "" {
		a.notice(NoticeWALTail, "case.db-wal", "%s", w.Tail)
	}
	if w.Committed > 0 {
		a.notice(NoticeWALPending, "case.db-wal", "%d committed pages are not yet moved into case.db: another process has the case open, or was interrupted; they are counted here", len(w.At))
	}
}

// checkPages checks the checksum of every page of the file that the write-ahead log does not replace: those
// that it does may be half written, and nobody reads them.
func (a *audit) checkPages(ctx context.Context, p *raw.Pages, mainCount int64) error {
	const batch = 256
	buf := make([]byte, batch*raw.PageSize)
	for first := int64(0); first < max(p.Count, mainCount); first += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := p.Main.ReadAt(buf, first*raw.PageSize)
		if err != nil && err != io.EOF {
			a.find(DBPage, fmt.Sprintf("case.db, pages from %d", first+1), "read: %v", err)
			continue
		}
		for i := int64(0); i < batch && first+i < max(p.Count, mainCount); i++ {
			number := first + i + 1
			if _, replaced := p.WAL.At[uint32(number)]; replaced {
				continue
			}
			if (i+1)*raw.PageSize > int64(n) {
				if number <= p.Count {
					a.find(DBPage, fmt.Sprintf("case.db, page %d", number), "the file ends before it")
				}
				continue
			}
			if page := buf[i*raw.PageSize : (i+1)*raw.PageSize]; !raw.PageHolds(page) {
				a.find(DBPage, fmt.Sprintf("case.db, page %d", number), "checksum: expected %x by its contents, found %x", raw.PageChecksum(page), page[raw.PageSize-raw.PageReserved:])
			}
		}
	}
	return nil
}

// openReader opens the database that p holds, for reading alone.
func openReader(ctx context.Context, p *raw.Pages) (*sqlite3.Conn, error) {
	name := fmt.Sprintf("audit-%p", p) // unique as long as p lives
	readervfs.Create(name, p)
	defer readervfs.Delete(name) // an open file does not need the name
	conn, err := sqlite3.OpenContext(ctx, "file:"+name+"?vfs=reader&mode=ro")
	if err != nil {
		return nil, err
	}
	conn.Limit(sqlite3.LIMIT_LENGTH, evidence.MaxEntryBytes+raw.PageSize)
	// Bad pages are reported by now. Reading on tells which entries they hold.
	return conn, conn.Exec("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; PRAGMA checksum_verification = OFF")
}

// documented are the tables of docs/format/case.md.
var documented = map[string]string{
	"entry": `CREATE TABLE entry (
  idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
  salt  BLOB NOT NULL CHECK (length(salt) = 32),
  bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 2 AND 16777216)
) STRICT`,
	"hash": `CREATE TABLE hash (
  idx  INTEGER PRIMARY KEY CHECK (idx >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT`,
	"checkpoint": `CREATE TABLE checkpoint (
  origin TEXT NOT NULL,
  size   INTEGER NOT NULL CHECK (size > 0),
  note   BLOB NOT NULL,
  PRIMARY KEY (origin, size)
) STRICT`,
}

// words brings SQL to one spelling: no comments, one space between words, lower case.
func words(sql string) string {
	var b strings.Builder
	for line := range strings.Lines(sql) {
		line, _, _ = strings.Cut(line, "--")
		for _, r := range line {
			switch r {
			case '(', ')', ',', '=', '<', '>', ';':
				b.WriteString(" " + string(r) + " ")
			default:
				b.WriteRune(r)
			}
		}
		b.WriteByte(' ')
	}
	s := strings.Join(strings.Fields(strings.ToLower(b.String())), " ")
	return strings.ReplaceAll(strings.ReplaceAll(s, "> =", ">="), "< =", "<=")
}

// checkSchema reports whether the tables are the documented ones, so that rows may be read. What the
// database holds besides is a finding, and is never run.
func (a *audit) checkSchema(conn *sqlite3.Conn) bool {
	found := map[string]string{}
	var triggers []string
	err := rows(conn, "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema", func(s *sqlite3.Stmt) bool {
		kind, name, table, sql := s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), s.ColumnText(3)
		switch {
		case kind == "table" && documented[name] != "" && words(sql) == words(documented[name]):
			found[name] = sql
		case kind == "table" && documented[name] != "":
			a.find(DBSchema, "case.db, table "+name, "expected %s; found %s", words(documented[name]), words(sql))
		case kind == "index" && name == "sqlite_autoindex_checkpoint_1":
		case kind == "trigger" && documented[table] != "" && strings.HasPrefix(words(sql), "create trigger "):
			triggers = append(triggers, sql)
		default:
			a.find(DBSchema, fmt.Sprintf("case.db, %s %s", kind, name), "the format does not know it: %s", words(sql))
		}
		return true
	})
	if err != nil {
		a.find(DBRead, "case.db, schema", "%v", err)
		return false
	}
	for _, name := range []string{"entry", "hash", "checkpoint"} {
		if found[name] == "" {
			a.find(DBSchema, "case.db, table "+name, "the table is missing or differs: its rows are not read")
		}
	}
	if len(found) < len(documented) {
		return false
	}
	a.checkTriggers(found, triggers)
	return true
}

// checkTriggers tries the triggers on an empty database of the same schema: whatever their wording, they
// must refuse what the format says they refuse, and nothing else.
func (a *audit) checkTriggers(tables map[string]string, triggers []string) {
	conn, err := sqlite3.Open(":memory:")
	if err != nil {
		a.find(DBSchema, "case.db", "try the triggers: %v", err)
		return
	}
	defer conn.Close()
	// The text comes from the file. Without recursion and with these functions alone it ends soon.
	harmless := []string{"count", "coalesce", "ifnull", "max", "length", "raise"}
	err = conn.SetAuthorizer(func(action sqlite3.AuthorizerActionCode, _, name, _, _ string) sqlite3.AuthorizerReturnCode {
		if action == sqlite3.AUTH_RECURSIVE || action == sqlite3.AUTH_ATTACH || action == sqlite3.AUTH_FUNCTION && !slices.Contains(harmless, strings.ToLower(name)) {
			return sqlite3.AUTH_DENY
		}
		return sqlite3.AUTH_OK
	})
	for _, sql := range []string{tables["entry"], tables["hash"], tables["checkpoint"]} {
		err = errors.Join(err, conn.Exec(sql))
	}
	for _, sql := range triggers {
		err = errors.Join(err, conn.Exec(sql))
	}
	const zero = "x'0000000000000000000000000000000000000000000000000000000000000000'"
	for _, sql := range []string{
		"INSERT INTO entry VALUES (0, " + zero + ", x'7b7d'), (1, " + zero + ", x'7b7d')",
		"INSERT INTO entry VALUES (2, " + zero + ", x'7b7d')",
		"INSERT INTO hash VALUES (0, " + zero + ")",
		"INSERT INTO checkpoint VALUES ('o', 1, x'00')",
	} {
		err = errors.Join(err, conn.Exec(sql))
	}
	if err != nil {
		a.find(DBSchema, "case.db, triggers", "what the format allows is refused: %v", err)
		return
	}
	for _, sql := range []string{
		"UPDATE entry SET idx = 9 WHERE idx = 2", "UPDATE entry SET salt = salt", "UPDATE entry SET bytes = bytes", "DELETE FROM entry",
		"UPDATE hash SET idx = 9", "UPDATE hash SET hash = hash", "DELETE FROM hash",
		"UPDATE checkpoint SET origin = 'p'", "UPDATE checkpoint SET size = 2", "UPDATE checkpoint SET note = note", "DELETE FROM checkpoint",
		"INSERT INTO entry VALUES (4, " + zero + ", x'7b7d')",
	} {
		if err := conn.Exec(sql); !errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
			a.find(DBSchema, "case.db, triggers", "expected %q to be refused by a trigger; found: %v", sql, err)
			return
		}
	}
}

func (a *audit) checkIntegrity(conn *sqlite3.Conn) {
	err := rows(conn, "PRAGMA integrity_check(20)", func(s *sqlite3.Stmt) bool {
		if text := s.ColumnText(0); text != "ok" {
			a.find(DBIntegrity, "case.db", "SQLite: %s", strings.ReplaceAll(text, "\n", "; "))
		}
		return true
	})
	if err != nil {
		a.find(DBIntegrity, "case.db", "SQLite: %v", err)
	}
}

// readEntries reads every entry and its raw.Commitment, in order. Rows that do not follow each other end it:
// from there on, no index can be told.
func (a *audit) readEntries(conn *sqlite3.Conn) {
	next := int64(0)
	err := rows(conn, "SELECT idx, salt, bytes FROM entry ORDER BY idx", func(s *sqlite3.Stmt) bool {
		idx := s.ColumnInt64(0)
		if idx != next {
			a.find(EntryGap, fmt.Sprintf("case.db, entry %d", next), "expected index %d, found %d; what follows is not read", next, idx)
			return false
		}
		next++
		a.report.Entries++
		salt, bytes := s.ColumnRawBlob(1), s.ColumnRawBlob(2)
		if s.ColumnType(1) != sqlite3.BLOB || s.ColumnType(2) != sqlite3.BLOB || len(salt) != raw.SaltSize {
			a.find(EntryForm, fmt.Sprintf("case.db, entry %d", idx), "expected a salt of %d bytes and an entry, found %s of %d and %s of %d bytes", raw.SaltSize, s.ColumnType(1), len(salt), s.ColumnType(2), len(bytes))
		}
		if err := a.tree.Append(raw.Commitment(salt, bytes)); err != nil {
			a.find(AuditPanic, fmt.Sprintf("case.db, entry %d", idx), "tree: %v", err)
			return false
		}
		a.checkEntry(idx, bytes)
		return true
	})
	if err != nil {
		a.find(DBRead, fmt.Sprintf("case.db, entry %d", next), "SQLite: %v", err)
	}
	if next == 0 {
		a.find(EntryRule, "case.db, entry 0", "expected case.opened, found no entry")
	}
}

func (a *audit) readHashes(conn *sqlite3.Conn) {
	next := int64(0)
	bad := map[int64]bool{}
	err := rows(conn, "SELECT idx, hash FROM hash ORDER BY idx", func(s *sqlite3.Stmt) bool {
		idx := s.ColumnInt64(0)
		if idx != next {
			a.find(HashMissing, fmt.Sprintf("case.db, hash %d", next), "expected index %d, found %d; what follows is not read", next, idx)
			return false
		}
		next++
		if idx < int64(len(a.tree.Hashes)) {
			a.checkHash(idx, s.ColumnRawBlob(1), bad)
			return true
		}
		a.find(HashTree, fmt.Sprintf("case.db, hash %d", idx), "%d entries have %d hashes: this one follows from none", a.tree.Size, len(a.tree.Hashes))
		return false
	})
	if err != nil {
		a.find(DBRead, fmt.Sprintf("case.db, hash %d", next), "SQLite: %v", err)
	} else if next < int64(len(a.tree.Hashes)) && !bad[-1] {
		a.find(HashMissing, fmt.Sprintf("case.db, hash %d", next), "expected %d rows, found %d", len(a.tree.Hashes), next)
	}
}

func (a *audit) readCheckpoints(conn *sqlite3.Conn) {
	err := rows(conn, "SELECT origin, size, note FROM checkpoint ORDER BY rowid", func(s *sqlite3.Stmt) bool {
		a.tree.rows = append(a.tree.rows, checkpointRow{s.ColumnText(0), s.ColumnInt64(1), s.ColumnBlob(2, nil)})
		return true
	})
	if err != nil {
		a.find(DBRead, "case.db, checkpoints", "SQLite: %v", err)
	}
}

// rows calls each for the rows of a query until it returns false.
func rows(conn *sqlite3.Conn, sql string, each func(*sqlite3.Stmt) bool) error {
	s, _, err := conn.Prepare(sql)
	if err != nil {
		return err
	}
	for s.Step() && each(s) {
	}
	return errors.Join(s.Err(), s.Close())
}
