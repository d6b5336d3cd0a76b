package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

// admitted is what the case says about one person.
type admitted struct {
	role  string // "" where they left
	entry int64
}

// role returns what a person works as; "" where they do not. Who opened the case's folder administers it.
func (s *Server) role(name string) string {
	if name == s.o.Person {
		return evidence.RoleAdmin
	}
	s.desk.mu.RLock()
	defer s.desk.mu.RUnlock()
	return s.desk.people[name].role
}

func (s *Server) getPeople(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	s.desk.mu.RLock()
	out := []api.PersonView{}
	for name, a := range s.desk.people {
		out = append(out, api.PersonView{Person: name, Role: a.role, Entry: a.entry})
	}
	s.desk.mu.RUnlock()
	if !slices.ContainsFunc(out, func(p api.PersonView) bool { return p.Person == s.o.Person }) {
		out = append(out, api.PersonView{Person: s.o.Person})
	}
	for i := range out {
		p := &out[i]
		p.Owner = p.Person == s.o.Person
		p.Role = s.role(p.Person)
		p.May = people.Rights[p.Role]
		var err error
		if p.Password, err = s.passwords.Has(r.Context(), p.Person); err != nil {
			return err
		}
	}
	slices.SortFunc(out, func(a, b api.PersonView) int { return strings.Compare(a.Person, b.Person) })
	return s.give(w, out)
}

// admit says in which role somebody works, and makes a link for who is new.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	a, err := read[api.Admit](w, r)
	if err != nil {
		return err
	}
	if a.Person == s.o.Person {
		return evidence.Invalid("%s opened the case's folder and has every right: a role would not change that", a.Person)
	}
	e, err := evidence.NewEntry(evidence.EntryPersonAdmitted, evidence.Author{Kind: "person", Name: who.Name}, s.o.Now(), evidence.PersonAdmitted{Edit: a.ID, Person: a.Person, Replaces: a.Replaces, Role: a.Role})
	if err != nil {
		return err
	}
	if _, _, err := s.state(r.Context(), a.ID, []evidence.Entry{e}); err != nil {
		return err
	}
	if err := s.follow(r.Context()); err != nil {
		return err
	}
	s.hub.Tell(api.Event{Kind: "people"})
	return s.linkFor(w, a.Person)
}

// invite makes a link for somebody who works in the case.
func (s *Server) invite(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	a, err := read[api.Admit](w, r)
	if err != nil {
		return err
	}
	if a.Person == s.o.Person {
		return &forbidden{"a link for who opened the case is made where it was opened", "stop `earwitness serve` and start it again"}
	}
	return s.linkFor(w, a.Person)
}

func (s *Server) linkFor(w http.ResponseWriter, name string) error {
	if s.role(name) == "" {
		return s.give(w, api.Invitation{})
	}
	token, err := s.sessions.Invite(name)
	if err != nil {
		return err
	}
	return s.give(w, api.Invitation{Link: s.o.URL + "/open/" + token})
}

// setPassword lets a person come back without a link.
func (s *Server) setPassword(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	b, err := read[api.Login](w, r)
	if err != nil {
		return err
	}
	if err := s.passwords.Set(r.Context(), who.Name, b.Password); err != nil {
		return err
	}
	return s.give(w, struct{}{})
}

// login begins a session by name and password.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	b, err := read[api.Login](w, r)
	if err == nil {
		var right bool
		if right, err = s.passwords.Check(r.Context(), b.Person, b.Password); err == nil && (!right || s.role(b.Person) == "") {
			err = &forbidden{"name or password is not right", "ask for a link where you have forgotten it"}
		}
	}
	var text string
	if err == nil {
		text, err = s.sessions.Begin(b.Person)
	}
	if err != nil {
		s.problem(w, err)
		return
	}
	s.setCookie(w, text)
	s.answer(w, http.StatusOK, struct{}{})
}

// members takes in who works in the case.
func (d *desk) members(idx int64, e evidence.Entry) error {
	p, err := evidence.DecodeBody[evidence.PersonAdmitted](e, e.Kind)
	if err != nil {
		return errors.Join(evidence.Damaged("entry %d cannot be read", idx), err)
	}
	if d.people == nil {
		d.people = map[string]admitted{}
	}
	d.people[p.Person] = admitted{p.Role, idx}
	return nil
}
