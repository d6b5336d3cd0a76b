package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

// events is the stream of what happens.
func (s *Server) events(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	l := s.hub.Join(who.ID, who.Name)
	defer s.hub.Leave(l)
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
	s.hub.People()
	beat := time.NewTicker(20 * time.Second)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-beat.C:
			if s.of(r, false) == nil || s.role(who.Name) == "" {
				return nil // it is over, and the next request says so
			}
			_, err = fmt.Fprint(w, ": still here\n\n")
		case e, ok := <-l.C:
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
	s.hub.See(who.ID, p)
	return s.give(w, struct{}{})
}

// follow takes in what was added to the case, and tells everyone.
func (s *Server) follow(ctx context.Context) error {
	changed, err := s.desk.follow(ctx)
	for _, c := range changed {
		s.hub.Tell(api.Event{Kind: "entries", Entries: s.desk.entries(), Recording: c.recording, Span: c.span})
	}
	return err
}

// watch keeps up with the case and has what was written signed, until ctx ends.
func (s *Server) watch(ctx context.Context) {
	look, publish := time.NewTicker(500*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer publish.Stop()
	for {
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

// draw draws the coarse pictures of recordings that have none, one after the other, until ctx ends.
func (s *Server) draw(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		s.drawAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func (s *Server) drawAll(ctx context.Context) {
	for _, r := range s.desk.sounds() {
		if r.Decoded == nil || r.Decoded.Samples == 0 || s.pictures.Settled(r.Digest, *r.Decoded) || ctx.Err() != nil {
			continue
		}
		err := s.pictures.Prepare(ctx, r.Digest, *r.Decoded, func(done, of int64) { s.jobs.drawing(r, done, of, nil) })
		s.jobs.drawing(r, r.Decoded.Samples, r.Decoded.Samples, err)
	}
}

// trouble is an error of background work: it is said to whoever runs the server, and to everyone on the Jobs screen.
func (s *Server) trouble(err error) {
	if s.jobs.say(err) {
		s.o.Log.Error("background", "error", err.Error())
		s.hub.Tell(api.Event{Kind: "jobs"})
	}
}
