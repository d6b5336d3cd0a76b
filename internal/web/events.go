package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

// hub tells everyone who is connected what happens, and who is there.
type hub struct {
	mu     sync.Mutex
	all    map[*listener]bool
	closed bool
}

// listener is one connection of the stream of events.
type listener struct {
	session string
	send    chan api.Event // a listener who does not keep up is disconnected, and asks anew for what it missed
	at      api.Presence
}

func newHub() *hub { return &hub{all: map[*listener]bool{}} }

func (h *hub) join(who *people.Session) *listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &listener{session: who.ID, send: make(chan api.Event, 64), at: api.Presence{Person: who.Name}}
	if h.closed {
		close(l.send)
		return l
	}
	h.all[l] = true
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	if h.all[l] {
		delete(h.all, l)
		close(l.send)
	}
	h.mu.Unlock()
	h.people()
}

func (h *hub) tell(e api.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.all {
		h.sendTo(l, e)
	}
}

func (h *hub) sendTo(l *listener, e api.Event) {
	select {
	case l.send <- e:
	default:
		delete(h.all, l)
		close(l.send)
	}
}

// people tells everyone who is there.
func (h *hub) people() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var there []*listener
	for l := range h.all {
		there = append(there, l)
	}
	slices.SortFunc(there, func(a, b *listener) int { return strings.Compare(a.at.Person+a.session, b.at.Person+b.session) })
	for l := range h.all {
		e := api.Event{Kind: "presence", People: []api.Presence{}}
		for _, other := range there {
			p := other.at
			p.You = other.session == l.session
			e.People = append(e.People, p)
		}
		h.sendTo(l, e)
	}
}

func (h *hub) close() {
	h.tell(api.Event{Kind: "bye"})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.all {
		delete(h.all, l)
		close(l.send)
	}
}

// events is the stream of what happens.
func (s *Server) events(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	l := s.hub.join(who)
	defer s.hub.leave(l)
	c := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if _, err := fmt.Fprintf(w, "retry: 1000\n\n"); err != nil {
		return nil
	}
	if err := s.write(w, api.Event{Kind: "entries", Entries: s.desk.entries()}); err != nil {
		return nil // it has gone: there is nobody to tell
	}
	if err := c.Flush(); err != nil {
		return nil
	}
	s.hub.people()
	beat := time.NewTicker(20 * time.Second)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
			if s.of(r) == nil {
				return nil // it is over, and the next request says so
			}
			_, err = fmt.Fprint(w, ": still here\n\n")
		case e, ok := <-l.send:
			if !ok {
				return nil
			}
			err = s.write(w, e)
		}
		if err == nil {
			err = c.Flush()
		}
		if err != nil {
			return nil
		}
	}
}

func (s *Server) write(w http.ResponseWriter, e api.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "data: %s\n\n", b)
	return err
}

// presence keeps what a person looks at, for the others.
func (s *Server) presence(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	p, err := read[api.Presence](w, r)
	if err != nil {
		return err
	}
	p.Person, p.You = who.Name, false
	s.hub.mu.Lock()
	for l := range s.hub.all {
		if l.session == who.ID {
			l.at = p
		}
	}
	s.hub.mu.Unlock()
	s.hub.people()
	return s.give(w, struct{}{})
}

// follow takes in what was added to the case, and tells everyone.
func (s *Server) follow(ctx context.Context) error {
	changed, err := s.desk.follow(ctx)
	for _, id := range changed {
		s.hub.tell(api.Event{Kind: "entries", Entries: s.desk.entries(), Recording: id})
	}
	return err
}

// watch keeps up with the case, draws what is new, and has what was written signed, until ctx ends.
func (s *Server) watch(ctx context.Context) {
	look, publish := time.NewTicker(500*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer publish.Stop()
	for {
		s.draw(ctx)
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			err = s.follow(ctx)
		case <-publish.C:
			err = s.o.Case.Publish(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.trouble(err)
		}
	}
}

// draw draws the coarse pictures of recordings that have none, one after the other.
func (s *Server) draw(ctx context.Context) {
	for _, r := range s.desk.recordings() {
		if r.Decoded == nil || r.Decoded.Samples == 0 {
			continue
		}
		_, drawn := s.pictures.progress(r)
		if drawn == r.Decoded.Samples || ctx.Err() != nil {
			continue
		}
		err := s.pictures.prepare(ctx, r, func(done, of int64) { s.jobs.drawing(r, done, of, nil) })
		s.jobs.drawing(r, r.Decoded.Samples, r.Decoded.Samples, err)
	}
}

// trouble is an error of background work: it is said to whoever runs the server, and to everyone on the Jobs screen.
func (s *Server) trouble(err error) {
	if s.jobs.say(err) {
		s.o.Log.Error("background", "error", err.Error())
		s.hub.tell(api.Event{Kind: "jobs"})
	}
}
