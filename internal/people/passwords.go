package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

// Limits of a password, and of guessing it.
const (
	MinPassword = 12 // characters
	maxPassword = 1 << 10
	guesses     = 10 // for one name
	guessesFor  = 15 * time.Minute
)

// Passwords keeps, outside of every case, how people of one case prove who they are when they come back: argon2id with 64
// MiB. Without one they need a link. It is safe for concurrent use.
type Passwords struct {
	db  *sqlitedb.DB
	now func() time.Time

	mu     sync.Mutex // guards what follows, and is held while a password is tried: one at a time needs memory enough
	missed map[string][]time.Time
}

// params cost about a tenth of a second and 64 MiB.
var params = &argon2id.Params{Memory: 64 << 10, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// nobody is the hash of no password: trying one for a name that is not there takes as long as for one that is.
const nobody = "$argon2id$v=19$m=65536,t=3,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// OpenPasswords opens the file at path, or makes it.
func OpenPasswords(ctx context.Context, path string, now func() time.Time) (*Passwords, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	db, err := sqlitedb.Open(ctx, path, sqlitedb.Options{ApplicationID: 0x65777077, Migrations: []string{`CREATE TABLE password (person TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT`}})
	if err != nil {
		return nil, err
	}
	return &Passwords{db: db, now: now, missed: map[string][]time.Time{}}, nil
}

// Close closes the file.
func (p *Passwords) Close() error { return p.db.Close() }

// Set gives a person a password, in place of the one they have.
func (p *Passwords) Set(ctx context.Context, person, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return evidence.Invalid("a password has at least %d characters", MinPassword).WithHint("three or four words do well")
	case len(password) > maxPassword:
		return evidence.Invalid("a password has at most %d bytes", maxPassword)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	hash, err := argon2id.CreateHash(password, params)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	_, err = p.db.Write.ExecContext(ctx, `INSERT INTO password (person, hash) VALUES (?1, ?2) ON CONFLICT (person) DO UPDATE SET hash = ?2`, person, hash)
	return err
}

// Has reports whether a person has a password.
func (p *Passwords) Has(ctx context.Context, person string) (bool, error) {
	var n int
	err := p.db.Read.QueryRowContext(ctx, `SELECT count(*) FROM password WHERE person = ?`, person).Scan(&n)
	return n > 0, err
}

// Check reports whether a password is a person's. Conflict: it was guessed wrongly too often; the name is let alone for a
// while.
func (p *Passwords) Check(ctx context.Context, person, password string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var recent []time.Time
	for _, at := range p.missed[person] {
		if p.now().Sub(at) < guessesFor {
			recent = append(recent, at)
		}
	}
	if len(recent) >= guesses {
		return false, evidence.Conflict("too many wrong passwords for this name").WithHint("wait a quarter of an hour, or ask for a link")
	}
	hash := nobody
	if err := p.db.Read.QueryRowContext(ctx, `SELECT hash FROM password WHERE person = ?`, person).Scan(&hash); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if len(password) > maxPassword {
		password = "" // which is nobody's
	}
	right, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	if right && hash != nobody {
		delete(p.missed, person)
		return true, nil
	}
	if len(p.missed) < 10_000 { // names are guessed, too: memory is not theirs to fill
		p.missed[person] = append(recent, p.now())
	}
	return false, nil
}
