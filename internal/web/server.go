// Package web is the workbench's server: the JSON API of docs/api.md, sessions, live events, sound and pictures, and the
// files of the front end that it is handed. It keeps nothing that is not in the case but who is connected; what a person
// may not see does not leave it by any address.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/gallery"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/search"
	"github.com/earwitness/earwitness/internal/web/api"
	"github.com/earwitness/earwitness/internal/web/hub"
)

// Options say what is served, and to whom.
type Options struct {
	Case     *casefile.Case // open for writing
	Person   string         // who works alone on this machine, as it will stand in the case
	Program  string         // with its version
	Host     string         // what browsers call the server: name or address, with the port where it is not the usual one
	URL      string         // scheme and Host
	Files    fs.FS          // the front end; nil where the program was built without it
	Index    string         // path of the search index
	Accounts string         // path of the file of passwords
	Pictures string         // folder for pictures of sound, which may be deleted at any time
	Run      Run            // does what is missing; nil where nothing can be run
	Now      func() time.Time
	Rand     io.Reader
	Log      *slog.Logger
}

// Run does what is missing in the case, as `earwitness run` does, and reports what happens from one goroutine at a time.
type Run func(ctx context.Context, what api.RunJobs, report func(pipeline.Event)) (pipeline.Summary, error)

// Server serves one case. It is safe for concurrent use.
type Server struct {
	o         Options
	mux       *http.ServeMux
	sameSite  *http.CrossOriginProtection
	routes    []route
	sessions  *people.Sessions
	passwords *people.Passwords
	desk      *desk
	hub       *hub.Hub
	pictures  *gallery.Gallery
	jobs      *jobs
	index     *search.Index

	background sync.WaitGroup
	stop       context.CancelFunc
}

// route is one request that the API answers.
type route struct {
	pattern string
	right   string // that the person must have; "" where a session is enough
	serve   func(w http.ResponseWriter, r *http.Request, who *people.Session) error
}

// New makes a server and begins to draw the pictures of what is in the case. ctx ends its background work; Close waits for it.
func New(ctx context.Context, o Options) (*Server, error) {
	passwords, err := people.OpenPasswords(ctx, o.Accounts, o.Now)
	if err != nil {
		return nil, err
	}
	index, err := search.Open(ctx, o.Index, o.Program, o.Case)
	if err != nil {
		return nil, errors.Join(err, passwords.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Server{o: o, mux: http.NewServeMux(), sameSite: http.NewCrossOriginProtection(), index: index, passwords: passwords, stop: stop}
	s.sessions = people.NewSessions(o.Now, o.Rand)
	s.hub = hub.New()
	s.desk = &desk{c: o.Case}
	if _, err := s.desk.follow(ctx); err != nil {
		stop()
		return nil, errors.Join(err, index.Close(), passwords.Close())
	}
	s.pictures = gallery.New(o.Case, o.Pictures)
	s.jobs = newJobs(ctx, s)
	s.register()
	s.background.Go(func() { s.watch(ctx) })
	s.background.Go(func() { s.draw(ctx) })
	return s, nil
}

// Goodbye tells who is connected that the server stops, and ends their streams of events.
func (s *Server) Goodbye() { s.hub.Close() }

// Close ends the background work and waits for it.
func (s *Server) Close() error {
	s.Goodbye()
	s.stop()
	s.jobs.wait()
	s.background.Wait()
	return errors.Join(s.pictures.Close(), s.index.Close(), s.passwords.Close())
}

// Link makes a link that opens the workbench once, for the person who works on this machine.
func (s *Server) Link() (string, error) {
	token, err := s.sessions.Invite(s.o.Person)
	return s.o.URL + "/open/" + token, err
}

func (s *Server) register() {
	s.routes = []route{
		{"GET /api/session", "", s.getSession},
		{"POST /api/session/end", "", s.endSession},
		{"POST /api/session/link", "", s.newLink},
		{"GET /api/case", "", s.getCase},
		{"GET /api/recordings", "", s.getRecordings},
		{"POST /api/recordings", people.RightAdd, s.addRecording},
		{"GET /api/recordings/{id}", "", s.getRecording},
		{"GET /api/recordings/{id}/lines", "", s.getLines},
		{"GET /api/recordings/{id}/lines/{span}/history", "", s.getHistory},
		{"POST /api/recordings/{id}/edits", "", s.edit},
		{"POST /api/recordings/{id}/played", people.RightListen, s.played},
		{"GET /api/recordings/{id}/peaks/{level}/{tile}", people.RightListen, s.getTile},
		{"GET /api/recordings/{id}/spectrogram/{level}/{tile}", people.RightListen, s.getTile},
		{"GET /api/recordings/{id}/sound.wav", people.RightListen, s.getSound},
		{"GET /api/recordings/{id}/clip.wav", people.RightListen, s.getClip},
		{"GET /api/search", "", s.search},
		{"GET /api/jobs", "", s.getJobs},
		{"POST /api/jobs/run", people.RightRun, s.runJobs},
		{"POST /api/jobs/stop", people.RightRun, s.stopJobs},
		{"GET /api/events", "", s.events},
		{"POST /api/presence", "", s.presence},
		{"GET /api/export", people.RightExport, s.export},
		{"GET /api/people", "", s.getPeople},
		{"POST /api/people", people.RightAdmit, s.admit},
		{"POST /api/people/link", people.RightAdmit, s.invite},
		{"POST /api/session/password", "", s.setPassword},
	}
	for _, r := range s.routes {
		s.mux.HandleFunc(r.pattern, s.guarded(r))
	}
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, evidence.NotFound("there is nothing at %s %s", r.Method, r.URL.Path).WithHint("docs/api.md lists what there is"))
	})
	s.mux.HandleFunc("POST /api/login", s.login)
	s.mux.HandleFunc("GET /open/{token}", s.open)
	s.mux.HandleFunc("/", s.files)
}

// ServeHTTP answers one request: for this host only, and writes from this origin only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if !s.ours(r.Host) {
		// A page of another site, whose name was pointed at this address, would otherwise be let in.
		s.answer(w, http.StatusMisdirectedRequest, api.Problem{Kind: "forbidden", Message: "this server is not " + r.Host, Hint: "it is " + s.o.URL})
		return
	}
	if err := s.sameSite.Check(r); err != nil {
		s.answer(w, http.StatusForbidden, api.Problem{Kind: "forbidden", Message: "a write from another site was refused", Hint: "work in the workbench's own window"})
		return
	}
	s.mux.ServeHTTP(w, r)
}

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ours reports whether a request is for the name that this server goes by, or for the same machine by its other names.
func (s *Server) ours(host string) bool {
	if host == s.o.Host {
		return true
	}
	port, local := strings.CutPrefix(s.o.Host, "127.0.0.1:")
	return local && host == "localhost:"+port
}

// guarded lets in who has a session and the right that a route asks for.
func (s *Server) guarded(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := s.of(r, true)
		if who == nil {
			s.answer(w, http.StatusUnauthorized, api.Problem{Kind: "session", Message: "there is no session, or it is over", Hint: "open the link that `earwitness serve` prints; what you have typed is kept in this browser"})
			return
		}
		who.Role = s.role(who.Name)
		if who.Role == "" {
			s.answer(w, http.StatusForbidden, api.Problem{Kind: "forbidden", Message: who.Name + " does not work in this case any more", Hint: "ask someone who administers it"})
			return
		}
		if rt.right != "" && !who.May(rt.right) {
			s.problem(w, errMayNot(who.Person, rt.right))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if err := rt.serve(w, r, who); err != nil {
			s.problem(w, err)
		}
	}
}

// forbidden is an error of a person who may not do something.
type forbidden struct{ message, hint string }

func (e *forbidden) Error() string { return e.message }

func errMayNot(who people.Person, right string) error {
	return &forbidden{who.Name + " works as " + who.Role + " and may not " + right, "ask someone who administers the case"}
}

// conflicted is a conflict about a line, with the line as it is now.
type conflicted struct {
	error
	line *api.LineView
}

func (e conflicted) Unwrap() error { return e.error }

// problem answers with an error. It is the one place where kinds of error become statuses.
func (s *Server) problem(w http.ResponseWriter, err error) {
	p := api.Problem{Message: err.Error(), Hint: evidence.HintOf(err)}
	if c, ok := errors.AsType[conflicted](err); ok {
		p.Line = c.line
	}
	if f, ok := errors.AsType[*forbidden](err); ok {
		s.answer(w, http.StatusForbidden, api.Problem{Kind: "forbidden", Message: f.message, Hint: f.hint})
		return
	}
	kind := evidence.KindOf(err)
	p.Kind = kind.String()
	status := map[evidence.Kind]int{evidence.KindInvalid: http.StatusBadRequest, evidence.KindNotFound: http.StatusNotFound, evidence.KindConflict: http.StatusConflict,
		evidence.KindDamaged: http.StatusServiceUnavailable, evidence.KindNeeds: http.StatusServiceUnavailable, evidence.KindCancelled: http.StatusServiceUnavailable}[kind]
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status, p = http.StatusRequestEntityTooLarge, api.Problem{Kind: "invalid", Message: "that is more than a request may hold", Hint: "split it"}
	}
	if status == 0 {
		status = http.StatusInternalServerError
		if errors.Is(err, context.Canceled) {
			return // nobody waits for an answer
		}
		s.o.Log.Error("request", "error", err.Error())
		p = api.Problem{Kind: kind.String(), Message: "something went wrong that should not have; nothing was changed by this request, or it is in the history", Hint: "try again; the terminal that runs `earwitness serve` says what it was"}
	}
	s.answer(w, status, p)
}

func (s *Server) answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("answer", "error", err.Error())
		http.Error(w, "the answer could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(b); err != nil {
		return // the browser has gone
	}
}

// give answers with what was asked for.
func (s *Server) give(w http.ResponseWriter, v any) error {
	s.answer(w, http.StatusOK, v)
	return nil
}

const maxBody = 8 << 20

// read reads a request's body strictly.
func read[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var v T
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case err != nil:
		return v, err
	case !utf8.Valid(b):
		return v, evidence.Invalid("the request is not UTF-8").WithHint("nothing was kept: bytes that are no characters would be lost")
	case len(b) == 0:
		return v, nil
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, evidence.Invalid("the request cannot be read").Because(err)
	}
	return v, nil
}

// kinds of files of the front end: Go would ask the machine's own tables, which may say otherwise.
var kinds = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}

// files serves the front end. Addresses without a file are screens of it.
func (s *Server) files(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "pages are only read", http.StatusMethodNotAllowed)
		return
	}
	if s.o.Files == nil {
		http.Error(w, "This earwitness was built without the workbench. `make build` builds it with it; the API under /api/ works.", http.StatusNotFound)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if st, err := fs.Stat(s.o.Files, name); name == "" || err != nil || st.IsDir() {
		name = "index.html"
	}
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	if kind := kinds[path.Ext(name)]; kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	http.ServeFileFS(w, r, s.o.Files, name)
}
