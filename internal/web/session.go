package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

const cookie = "earwitness"

// name of the cookie: a browser keeps one for all ports of a machine, and two cases may be open at once.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.o.Host))
	return fmt.Sprintf("%s-%x", cookie, sum[:4])
}

// of returns the session of a request; nil where there is none. It counts as use but where a window is merely open.
func (s *Server) of(r *http.Request, used bool) *people.Session {
	for _, c := range r.Cookies() {
		if found := s.sessions.Find(c.Value, used); found != nil {
			return found
		}
	}
	return nil
}

// open is the address of a link: it begins a session and leads to the workbench.
func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	text, ok, err := s.sessions.Open(r.PathValue("token"))
	if err != nil {
		s.problem(w, err)
		return
	}
	if !ok && s.of(r, true) == nil {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintln(w, "This link was used before, or is older than an hour.\nStart `earwitness serve` again, or have another link made in a window that is open.\n\nПосилання вже використане або застаріле. Запустіть `earwitness serve` знову.\n\nСсылка уже использована или устарела. Запустите `earwitness serve` снова.")
		return
	}
	if ok {
		s.setCookie(w, text)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) setCookie(w http.ResponseWriter, text string) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: text, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(s.o.URL, "https:"), SameSite: http.SameSiteStrictMode, MaxAge: int(people.SessionLife.Seconds())})
}

func (s *Server) getSession(w http.ResponseWriter, _ *http.Request, who *people.Session) error {
	return s.give(w, api.SessionView{Person: who.Name, Role: who.Role, May: people.Rights[who.Role], Blind: who.Blind(), Version: s.o.Program, Case: s.caseHead(), Languages: []string{"en", "uk", "ru"}})
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	for _, c := range r.Cookies() {
		s.sessions.End(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: -1})
	return s.give(w, struct{}{})
}

func (s *Server) newLink(w http.ResponseWriter, _ *http.Request, who *people.Session) error {
	token, err := s.sessions.Invite(who.Name)
	if err != nil {
		return err
	}
	return s.give(w, api.Invitation{Link: s.o.URL + "/open/" + token})
}
