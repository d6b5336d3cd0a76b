// Package people keeps who works with a case: their roles, what each role may do, and the browsers that they have open. It
// knows nothing of what they work on.
package people

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// What a person may do. Reading the case is not among them: who has a session may read it, but for what a second listener
// may not see yet.
const (
	RightAdd       = "add"       // hand recordings in
	RightListen    = "listen"    // play, and see pictures of sound
	RightWrite     = "write"     // words, boundaries, stations, marks
	RightTranslate = "translate" //
	RightRun       = "run"       // start and stop the machine's work
	RightExport    = "export"    // take the transcript away
	RightAdmit     = "admit"     // say who works in the case, and as what
)

// Rights says what each role may do.
var Rights = map[string][]string{
	evidence.RoleCollector:    {RightAdd},
	evidence.RoleListener:     {RightListen, RightWrite, RightTranslate},
	evidence.RoleTranslator:   {RightListen, RightTranslate},
	evidence.RoleInvestigator: {RightListen, RightExport},
	evidence.RoleReviewer:     {RightListen, RightWrite},
	evidence.RoleEditor:       {RightListen, RightExport},
	evidence.RoleAdmin:        {RightAdd, RightListen, RightWrite, RightTranslate, RightRun, RightExport, RightAdmit},
}

// Person is who works with the case.
type Person struct {
	Name string
	Role string
}

// May reports whether p has a right.
func (p Person) May(right string) bool { return slices.Contains(Rights[p.Role], right) }

// Blind reports whether p hears what others have heard without seeing their words.
func (p Person) Blind() bool { return p.Role == evidence.RoleReviewer }

// Session is a browser that a person has opened the workbench in. What they work as is the case's to say, at each request.
type Session struct {
	Person
	ID      string // for people to tell their windows apart, and no secret
	used    time.Time
	expires time.Time
}

// How long things last.
const (
	linkLife    = time.Hour
	sessionIdle = 12 * time.Hour
	SessionLife = 7 * 24 * time.Hour
)

// Sessions are kept in memory, by the digest of their token: who reads the memory of the server's files learns none.
type Sessions struct {
	now  func() time.Time
	rand io.Reader

	mu    sync.Mutex
	by    map[[32]byte]*Session
	links map[[32]byte]invitation
	next  int
}

type invitation struct {
	name    string
	expires time.Time
}

// NewSessions returns none, by the given clock and source of chance.
func NewSessions(now func() time.Time, rand io.Reader) *Sessions {
	return &Sessions{now: now, rand: rand, by: map[[32]byte]*Session{}, links: map[[32]byte]invitation{}}
}

func (s *Sessions) token() (text string, digest [32]byte, err error) {
	var b [32]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		return "", digest, fmt.Errorf("draw a token: %w", err)
	}
	text = base64.RawURLEncoding.EncodeToString(b[:])
	return text, sha256.Sum256([]byte(text)), nil
}

// Invite makes the token of a link that opens one session.
func (s *Sessions) Invite(name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, digest, err := s.token()
	for k, old := range s.links {
		if s.now().After(old.expires) {
			delete(s.links, k)
		}
	}
	if err == nil {
		s.links[digest] = invitation{name, s.now().Add(linkLife)}
	}
	return text, err
}

// Open begins a session for a link's token; ok is false where the link is void.
func (s *Sessions) Open(token string) (text string, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest, now := sha256.Sum256([]byte(token)), s.now()
	link, ok := s.links[digest]
	delete(s.links, digest)
	if !ok || now.After(link.expires) {
		return "", false, nil
	}
	text, err = s.begin(link.name)
	return text, err == nil, err
}

// Begin begins a session of somebody who has proven who they are.
func (s *Sessions) Begin(name string) (token string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begin(name)
}

func (s *Sessions) begin(name string) (string, error) {
	text, digest, err := s.token()
	if err != nil {
		return "", err
	}
	now := s.now()
	for k, old := range s.by {
		if old.over(now) {
			delete(s.by, k)
		}
	}
	s.next++
	s.by[digest] = &Session{Person: Person{Name: name}, ID: fmt.Sprint(s.next), used: now, expires: now.Add(SessionLife)}
	return text, nil
}

// over reports whether a session has ended by itself. A clock that was set back does not make it last.
func (s *Session) over(now time.Time) bool {
	return now.After(s.expires) || now.Sub(s.used) > sessionIdle
}

// Find returns the session of a token; nil where there is none, or it is over. Where it is used it lasts on.
func (s *Sessions) Find(token string, used bool) *Session {
	digest := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.by[digest]
	if found == nil {
		return nil
	}
	if found.over(s.now()) {
		delete(s.by, digest)
		return nil
	}
	if used {
		found.used = s.now()
	}
	out := *found
	return &out
}

// End ends the session of a token.
func (s *Sessions) End(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, sha256.Sum256([]byte(token)))
}
