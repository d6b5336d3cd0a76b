// Package hub knows who is connected to the workbench and what they look at, and tells them what happens. A message that is
// lost costs nothing: who is told that something changed asks for it.
package hub

import (
	"slices"
	"strings"
	"sync"

	"github.com/earwitness/earwitness/internal/web/api"
)

// Hub tells everyone who is connected what happens, and who is there.
type Hub struct {
	mu     sync.Mutex
	all    map[*Listener]bool
	closed bool
}

// Listener is one connection of the stream of events.
type Listener struct {
	session string
	C       chan api.Event // a listener who does not keep up is disconnected, and asks anew for what it missed
	at      api.Presence
}

// New returns a hub that nobody is connected to.
func New() *Hub { return &Hub{all: map[*Listener]bool{}} }

// Join connects a window of a person's. Leave is to be called in the end.
func (h *Hub) Join(session, person string) *Listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &Listener{session: session, C: make(chan api.Event, 64), at: api.Presence{Person: person}}
	if h.closed {
		close(l.C)
		return l
	}
	h.all[l] = true
	return l
}

// Leave disconnects it.
func (h *Hub) Leave(l *Listener) {
	h.mu.Lock()
	if h.all[l] {
		delete(h.all, l)
		close(l.C)
	}
	h.mu.Unlock()
	h.People()
}

// Tell tells everyone.
func (h *Hub) Tell(e api.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.all {
		h.sendTo(l, e)
	}
}

func (h *Hub) sendTo(l *Listener, e api.Event) {
	select {
	case l.C <- e:
	default:
		delete(h.all, l)
		close(l.C)
	}
}

// People tells everyone who is there.
func (h *Hub) People() {
	h.mu.Lock()
	defer h.mu.Unlock()
	var there []*Listener
	for l := range h.all {
		there = append(there, l)
	}
	slices.SortFunc(there, func(a, b *Listener) int { return strings.Compare(a.at.Person+a.session, b.at.Person+b.session) })
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

// Close tells everyone that the server stops, and disconnects them.
func (h *Hub) Close() {
	h.Tell(api.Event{Kind: "bye"})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.all {
		delete(h.all, l)
		close(l.C)
	}
}

// See keeps what the windows of a session look at, and tells everyone.
func (h *Hub) See(session string, at api.Presence) {
	h.mu.Lock()
	for l := range h.all {
		if l.session == session {
			l.at = at
		}
	}
	h.mu.Unlock()
	h.People()
}
