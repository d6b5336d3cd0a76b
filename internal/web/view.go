package web

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/transcript"
	"github.com/earwitness/earwitness/internal/web/api"
)

// hidden reports whether a line has words that who may not see: a second listener sees none, a machine's neither, before
// they have written their own.
func hidden(l transcript.Line, who people.Person) bool {
	return who.Blind() && (l.People == nil || !slices.Contains(l.People.Wrote, who.Name))
}

// view makes of a line what a person may see of it. It is the one door through which lines leave.
func view(l transcript.Line, who people.Person, language string) api.LineView {
	v := api.LineView{Citation: l.Citation, Span: l.Samples, Time: l.TimeStart, State: l.State, Reason: l.Reason, Sound: l.Sound, SnrDB: l.SnrDB,
		Lang: l.Lang, Calls: l.CallsText(), Marks: []api.MarkView{}, Words: []api.WordView{}}
	p := l.People
	if p == nil {
		p = &transcript.People{}
	}
	v.From, v.To, v.Stations, v.Cut = p.From, p.To, p.Stations, p.Drawn
	v.Played = slices.Contains(p.Played, who.Name)
	for _, m := range p.Marks {
		v.Marks = append(v.Marks, api.MarkView{Mark: m.Mark, Note: m.Note, Span: m.Span, By: m.By, Entry: m.Entry})
	}
	v.Entry = p.Common
	for _, own := range p.Blind {
		if own.Author == who.Name {
			v.Entry = own.Entry
		}
	}
	if hidden(l, who) {
		v.Hidden, v.Reason, v.Lang = true, "", ""
		if v.State != transcript.StateNoWords {
			v.State = StateHidden
		}
		for i := range v.Marks {
			v.Marks[i].Note = ""
		}
		// Stations are hearsay of the words: who reads them knows what to expect.
		v.From, v.To, v.Stations = nil, nil, 0
		if v.Entry == p.Common {
			v.Entry = 0
		}
		return v
	}
	v.Text, v.Pieces, v.Author, v.Second = l.Text, p.Pieces, p.Author, p.Second
	v.Rival, v.RivalEntry, v.RivalBy = p.Rival, p.RivalEntry, p.RivalBy
	v.Machine, v.Model = p.Machine, l.Model
	if p.Entry == 0 {
		v.Machine = l.Text
	}
	for _, w := range l.Desk.MachineWords {
		v.Words = append(v.Words, api.WordView{Text: w.Word, From: sample(w.Start), To: sample(w.End), P: int(math.Round(w.Probability * 10000)), Boosted: w.Boosted})
	}
	v.Basis = l.Desk.Basis
	v.Translation = translationView(l, language)
	return v
}

func sample(seconds float64) int64 { return int64(math.Round(seconds * evidence.Rate)) }

// StateHidden is a line's state for a second listener who has not written their own words.
const StateHidden = "hidden"

// translationView picks a translation into a language: a person's, else the machine's draft.
func translationView(l transcript.Line, language string) *api.TranslationView {
	for _, t := range l.Desk.Translations {
		if t.Language == language {
			return &api.TranslationView{Text: t.Text, Language: t.Language, State: t.State, Reason: t.Reason, Author: t.Author, Entry: t.Entry}
		}
	}
	var v *api.TranslationView
	if t := l.Translation; t != nil && t.MachineDraft && t.Language == language {
		v = &api.TranslationView{Text: t.Text, Language: t.Language, State: t.State, Reason: t.Reason, Model: t.Model}
	}
	for _, t := range l.Desk.TakenBack {
		if t.Language == language {
			if v == nil {
				v = &api.TranslationView{Language: language, State: transcript.StateNotTranslated}
			}
			v.Entry = t.Entry
		}
	}
	return v
}

func views(lines []transcript.Line, who people.Person, language string) []api.LineView {
	out := make([]api.LineView, len(lines))
	for i, l := range lines {
		out[i] = view(l, who, language)
	}
	return out
}

// language is the one that translations are asked for in.
func language(r *http.Request) string {
	if to := r.URL.Query().Get("to"); to != "" {
		return to
	}
	return "en"
}

func (s *Server) caseHead() api.CaseHead {
	info := s.o.Case.Info()
	return api.CaseHead{Title: info.Title, Origin: info.Origin}
}

func (s *Server) getCase(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	c, err := s.caseView(r.Context(), who.Person)
	if err != nil {
		return err
	}
	return s.give(w, c)
}

func (s *Server) caseView(ctx context.Context, who people.Person) (api.CaseView, error) {
	info := s.o.Case.Info()
	c := api.CaseView{CaseHead: s.caseHead(), Key: info.Key, Policy: info.Policy, Entries: s.desk.entries(), States: map[string]int{}, Recent: []api.EntryView{}, Carried: []transcript.Carried{}}
	if c.Policy.Languages == nil {
		c.Policy.Languages = []string{}
	}
	recs := s.desk.recordings()
	c.Recordings = len(recs)
	for _, r := range recs {
		if r.Decoded != nil {
			c.Samples += r.Decoded.Samples
		}
	}
	for _, l := range s.desk.all() {
		v := view(l, who, "en")
		c.Lines++
		c.States[v.State]++
		if v.State == transcript.StateDraft && slices.ContainsFunc(v.Words, func(w api.WordView) bool { return w.P < 5000 }) {
			c.Doubtful++
		}
		heard := v.Author != "" && v.Lang != "en"
		if heard && (v.Translation == nil || v.Translation.State != transcript.StateTranslated) {
			c.Untranslated++
		}
	}
	c.Carried = append(c.Carried, s.desk.carried()...)
	for _, idx := range s.desk.newest(20) {
		e, err := s.entryView(ctx, idx, who)
		if err != nil {
			return c, err
		}
		c.Recent = append(c.Recent, e)
	}
	return c, nil
}

func (s *Server) getRecordings(w http.ResponseWriter, _ *http.Request, who *people.Session) error {
	out := []api.RecordingView{}
	for _, r := range s.desk.recordings() {
		out = append(out, s.recordingView(r, who.Person))
	}
	return s.give(w, out)
}

func (s *Server) getRecording(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	rec, err := s.desk.recording(r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.give(w, s.recordingView(rec, who.Person))
}

func (s *Server) recordingView(r transcript.Recording, who people.Person) api.RecordingView {
	v := api.RecordingView{Recording: r}
	if r.Decoded != nil {
		v.Samples = r.Decoded.Samples
		v.Levels, v.Drawn = s.pictures.Progress(r.Digest, *r.Decoded)
	}
	for state, n := range r.States {
		switch state {
		case transcript.StateNoWords:
		case transcript.StateCorrected, transcript.StateVerified, transcript.StateDisputed:
			v.Heard += n
			v.Of += n
		default:
			v.Of += n
		}
	}
	if who.Blind() { // how others' words compare would tell of them
		v.States = map[string]int{}
	}
	switch {
	case len(r.Failures) > 0:
		f := r.Failures[len(r.Failures)-1]
		v.State, v.Reason, v.Hint = "failed", f.Stage+": "+f.Message, f.Hint
	case r.Decoded == nil:
		v.State = "received"
	case !r.Detected:
		v.State = "decoded"
	case r.States[transcript.StateWaiting] > 0:
		v.State = "searched"
	default:
		v.State = "heard"
	}
	return v
}

func (s *Server) getLines(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	id := r.PathValue("id")
	q := r.URL.Query()
	if q.Get("from") != "" || q.Get("until") != "" {
		from, err1 := strconv.ParseInt(q.Get("from"), 10, 64)
		to, err2 := strconv.ParseInt(q.Get("until"), 10, 64)
		if err1 != nil || err2 != nil {
			return evidence.Invalid("from and until are numbers of samples")
		}
		lines, err := s.desk.around(id, evidence.Span{From: from, To: to})
		if err != nil {
			return err
		}
		return s.give(w, api.LinesView{Recording: id, Entries: s.desk.entries(), Lines: views(lines, who.Person, language(r))})
	}
	lines, entries, err := s.desk.lines(id)
	if err != nil {
		return err
	}
	return s.give(w, api.LinesView{Recording: id, Entries: entries, Lines: views(lines, who.Person, language(r))})
}

// parseSpan reads FROM-TO in samples.
func parseSpan(text string) (evidence.Span, error) {
	a, b, found := strings.Cut(text, "-")
	from, err1 := strconv.ParseInt(a, 10, 64)
	to, err2 := strconv.ParseInt(b, 10, 64)
	sp := evidence.Span{From: from, To: to}
	if !found || err1 != nil || err2 != nil {
		return sp, evidence.Invalid("%q is no span: it is written FROM-TO, in samples", text)
	}
	return sp, sp.Validate(math.MaxInt64)
}

func (s *Server) getHistory(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	sp, err := parseSpan(r.PathValue("span"))
	if err != nil {
		return err
	}
	list, err := s.desk.history(r.PathValue("id"), sp)
	if err != nil {
		return err
	}
	out := []api.EntryView{}
	for _, idx := range list {
		e, err := s.entryView(r.Context(), idx, who.Person)
		if err != nil {
			return err
		}
		out = append(out, e)
	}
	return s.give(w, out)
}

// about is what an entry that people write has to say where it stands.
type about struct {
	Recording string           `json:"recording"`
	Span      *evidence.Span   `json:"span"`
	Replaces  int64            `json:"replaces"`
	Pieces    []evidence.Piece `json:"pieces"`
	Text      string           `json:"text"`
	Mark      string           `json:"mark"`
	Off       bool             `json:"off"`
	Name      string           `json:"name"`
}

// entryView makes of an entry what a person may see of it.
func (s *Server) entryView(ctx context.Context, idx int64, who people.Person) (api.EntryView, error) {
	e, err := s.o.Case.Read(ctx, idx)
	if err != nil {
		return api.EntryView{}, err
	}
	var a about
	if err := json.Unmarshal(e.Body, &a); err != nil {
		return api.EntryView{}, evidence.Damaged("entry %d cannot be read", idx).Because(err).WithHint("run `earwitness verify`")
	}
	v := api.EntryView{Index: idx, Kind: e.Kind, Author: e.Author.Name, Person: e.Author.Kind == "person", Time: e.Time.Format(evidence.TimeFormat), Recording: a.Recording, Span: a.Span, Replaces: a.Replaces}
	if who.Blind() && e.Author.Name != who.Name {
		open := false
		if a.Span != nil {
			lines, err := s.desk.around(a.Recording, *a.Span)
			if err != nil {
				return v, err
			}
			open = len(lines) > 0 && !slices.ContainsFunc(lines, func(l transcript.Line) bool { return hidden(l, who) })
		}
		if !open {
			v.Hidden = true
			return v, nil
		}
	}
	v.Text, err = says(e, a)
	return v, err
}

// says puts what an entry says into a line.
func says(e evidence.Entry, a about) (string, error) {
	switch e.Kind {
	case evidence.EntryUtteranceWritten:
		return evidence.Wording(a.Pieces), nil
	case evidence.EntryStationsStated:
		b, err := evidence.DecodeBody[evidence.StationsStated](e, e.Kind)
		return b.From.String() + " → " + b.To.String(), err
	case evidence.EntryTransmissionsCut:
		b, err := evidence.DecodeBody[evidence.TransmissionsCut](e, e.Kind)
		list := func(spans []evidence.Span) string {
			var out []string
			for _, sp := range spans {
				out = append(out, evidence.Clock(sp.From)+"-"+evidence.Clock(sp.To))
			}
			return strings.Join(out, ", ")
		}
		return list(b.Was) + " → " + list(b.Now), err
	case evidence.EntryMarkSet:
		if a.Off {
			return "− " + a.Mark, nil
		}
		return "+ " + a.Mark, nil
	case evidence.EntryPersonAdmitted:
		b, err := evidence.DecodeBody[evidence.PersonAdmitted](e, e.Kind)
		return strings.TrimSuffix(b.Person+": "+b.Role, ": "), err
	case evidence.EntryRecordingReceived, evidence.EntryIntakeRefused:
		return a.Name, nil
	}
	return cutShort(a.Text, 4000), nil
}

// cutShort leaves the first n bytes of a text, whole characters only.
func cutShort(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:n], len(s))
}
