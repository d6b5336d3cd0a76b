package web

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/intake"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/search"
	"github.com/earwitness/earwitness/internal/transcript"
	"github.com/earwitness/earwitness/internal/web/api"
)

// longestPage is how many lines one answer to a search holds at most.
const longestPage = 1000

// search answers a query. For a second listener only the lines count that they may see: a query must not tell what
// stands in the others.
func (s *Server) search(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	q := r.URL.Query()
	number := func(name string, fallback, most int) (int, error) {
		if q.Get(name) == "" {
			return fallback, nil
		}
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 0 || n > most {
			return 0, evidence.Invalid("%s is a number from 0 to %d", name, most)
		}
		return n, nil
	}
	limit, err1 := number("limit", 50, longestPage)
	offset, err2 := number("offset", 0, math.MaxInt32)
	if err := cmp.Or(err1, err2); err != nil {
		return err
	}
	if err := s.index.Update(r.Context()); err != nil {
		return err
	}
	a, err := s.index.Search(r.Context(), q.Get("q"), search.Options{Limit: max(limit, 1), Offset: offset, Histogram: true, Facets: true, Only: s.seen(who.Person)})
	if err != nil {
		return err
	}
	out := api.SearchView{Total: a.Total, Hits: []api.HitView{}, Hours: a.Hours, Hints: a.Hints, Undated: a.Undated, Facets: facets(a.Facets)}
	for _, h := range a.Hits[:min(limit, len(a.Hits))] {
		now, err := s.desk.line(h.Line.Recording, h.Line.Samples)
		if err != nil {
			return err
		}
		if now == nil {
			continue // its boundaries have been changed since the index was brought up to date
		}
		out.Hits = append(out.Hits, api.HitView{Recording: h.Line.Recording, File: h.Line.File, Line: view(*now, who.Person, language(r)), Matches: h.Matches, Excerpt: h.Excerpt})
	}
	if out.Hours == nil {
		out.Hours = []search.Hour{}
	}
	if out.Hints == nil {
		out.Hints = []string{}
	}
	return s.give(w, out)
}

// seen returns the lines that a second listener may see; nil for who may see all.
func (s *Server) seen(who people.Person) []search.Place {
	if !who.Blind() {
		return nil
	}
	out := []search.Place{}
	for _, l := range s.desk.all() {
		if !hidden(l, who) {
			out = append(out, search.Place{Recording: l.Recording, Span: l.Samples})
		}
	}
	return out
}

func facets(counts map[string][]search.Count) []api.Facet {
	out := []api.Facet{}
	for _, f := range []struct{ name, filter string }{{"recording", "rec:"}, {"state", "state:"}, {"language", "lang:"}, {"sound", "sound:"}} {
		facet := api.Facet{Name: f.name, Values: []api.FacetValue{}}
		for _, c := range counts[f.name] {
			v := strings.ReplaceAll(c.Value, " ", "-")
			facet.Values = append(facet.Values, api.FacetValue{Value: v, Filter: f.filter + v, Count: c.Count})
		}
		out = append(out, facet)
	}
	return out
}

// export gives the transcript as a file. It holds what second listeners may not see: their role has not the right.
func (s *Server) export(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	q := r.URL.Query()
	lines := s.desk.all()
	if id := q.Get("recording"); id != "" {
		var err error
		if lines, _, err = s.desk.lines(id); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := transcript.Export(&b, q.Get("format"), lines); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="transcript.`+q.Get("format")+`"`)
	if _, err := io.Copy(w, &b); err != nil {
		return nil // the browser has gone
	}
	return nil
}

// addRecording takes the body in, as it comes, before anything looks inside.
func (s *Server) addRecording(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	name := r.URL.Query().Get("name")
	if name == "" {
		return evidence.Invalid("the file has no name").WithHint("add ?name=FILE to the address")
	}
	var outcome intake.Outcome
	err := intake.Add(r.Context(), s.o.Case, []string{"-"}, intake.Options{Author: evidence.Author{Kind: "person", Name: who.Name}, Stdin: r.Body, StdinName: name,
		Reception: evidence.Reception{HandedInBy: who.Name}, Report: func(o intake.Outcome) { outcome = o }})
	if err != nil {
		return err
	}
	if err := s.follow(r.Context()); err != nil {
		return err
	}
	if outcome.Recording == "" {
		return evidence.Invalid("%s was not taken in: %s", name, outcome.Reason).WithHint("%s", outcome.Hint)
	}
	rec, err := s.desk.recording(outcome.Recording)
	if err != nil {
		return err
	}
	return s.give(w, s.recordingView(rec, who.Person))
}
