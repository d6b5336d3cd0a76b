package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

// edit takes what a person states about a line. It is durable when it is answered, and done once however often it is sent.
func (s *Server) edit(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	id := r.PathValue("id")
	if _, err := s.desk.sound(id); err != nil {
		return err
	}
	e, err := read[api.Edit](w, r)
	if err != nil {
		return err
	}
	entries, around, err := s.entriesOf(id, e, who.Person)
	if err != nil {
		return err
	}
	at, again, err := s.state(r.Context(), e.ID, entries)
	if evidence.KindOf(err) == evidence.KindConflict {
		if err := s.follow(r.Context()); err != nil {
			return err
		}
		c := conflicted{error: err}
		line, lerr := s.desk.line(id, around)
		if lerr != nil {
			return lerr
		}
		if line != nil {
			v := view(*line, who.Person, language(r))
			c.line = &v
		}
		return c
	}
	if err != nil {
		return err
	}
	return s.edited(w, r, who, id, around, at, again)
}

// state appends the entries of an edit, or finds where they were when it was sent before. Conflict: it does not follow what
// counts now, or its digits were used for something else.
func (s *Server) state(ctx context.Context, edit string, entries []evidence.Entry) (at int64, again bool, err error) {
	at, again = s.o.Case.Edited(edit)
	if !again {
		at, err = s.o.Case.AppendAll(ctx, entries)
		if evidence.KindOf(err) != evidence.KindConflict {
			return at, false, err
		}
		if at, again = s.o.Case.Edited(edit); !again { // else it was sent twice at once
			return 0, false, err
		}
	}
	before, err := s.o.Case.Read(ctx, at)
	if err == nil && !sameEdit(before, entries[0]) {
		err = evidence.Conflict("the digits %s are those of entry %d, which says something else", edit, at).WithHint("draw new ones")
	}
	return at, true, err
}

// sameEdit reports whether an entry says what another would, but for what it follows: that moves on with what is written.
func sameEdit(a, b evidence.Entry) bool {
	what := func(e evidence.Entry) map[string]any {
		var m map[string]any
		if err := json.Unmarshal(e.Body, &m); err != nil {
			return nil
		}
		for _, follows := range []string{"blind", "of", "replaces"} {
			delete(m, follows)
		}
		return m
	}
	return a.Author == b.Author && a.Kind == b.Kind && reflect.DeepEqual(what(a), what(b))
}

// edited answers an edit that stands at an entry.
func (s *Server) edited(w http.ResponseWriter, r *http.Request, who *people.Session, id string, around evidence.Span, at int64, again bool) error {
	if err := s.follow(r.Context()); err != nil {
		return err
	}
	lines, err := s.desk.around(id, around)
	if err != nil {
		return err
	}
	return s.give(w, api.EditDone{Entry: at, Again: again, Lines: views(lines, who.Person, language(r)), Around: around})
}

// stated is what becomes an entry.
type stated struct {
	kind string
	body any
}

// entriesOf makes the entries of an edit, and says which seconds it concerns.
func (s *Server) entriesOf(id string, e api.Edit, who people.Person) ([]evidence.Entry, evidence.Span, error) {
	given := 0
	for _, is := range []bool{e.Utterance != nil, e.Translation != nil, e.Cut != nil, e.Stations != nil, e.Mark != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, evidence.Span{}, evidence.Invalid("an edit has exactly one of utterance, translation, cut, stations and mark")
	}
	right := people.RightWrite
	if e.Translation != nil {
		right = people.RightTranslate
	}
	if !who.May(right) {
		return nil, evidence.Span{}, errMayNot(who, right)
	}
	list, around, err := s.statedBy(id, e, who)
	if err != nil {
		return nil, around, err
	}
	out := make([]evidence.Entry, len(list))
	for i, x := range list {
		if out[i], err = evidence.NewEntry(x.kind, evidence.Author{Kind: "person", Name: who.Name}, s.o.Now(), x.body); err != nil {
			return nil, around, err
		}
	}
	return out, around, nil
}

// statedBy puts an edit, of which exactly one part is there, into the words of the case.
func (s *Server) statedBy(id string, e api.Edit, who people.Person) ([]stated, evidence.Span, error) {
	switch {
	case e.Utterance != nil:
		u, err := s.utterance(id, e.ID, *e.Utterance, who)
		return []stated{{evidence.EntryUtteranceWritten, u}}, u.Span, err
	case e.Translation != nil:
		t := *e.Translation
		return []stated{{evidence.EntryTranslationWritten, evidence.TranslationWritten{Edit: e.ID, Language: t.Language, Of: t.Of, Recording: id, Replaces: t.Replaces, Span: t.Span, Text: t.Text}}}, t.Span, nil
	case e.Stations != nil:
		st := *e.Stations
		return []stated{{evidence.EntryStationsStated, evidence.StationsStated{Edit: e.ID, From: st.From, Recording: id, Replaces: st.Replaces, Span: st.Span, To: st.To}}}, st.Span, nil
	case e.Mark != nil:
		m := *e.Mark
		if m.Replaces == 0 && !m.Off {
			m.Replaces = s.markOff(id, m)
		}
		return []stated{{evidence.EntryMarkSet, evidence.MarkSet{Edit: e.ID, Mark: m.Mark, Note: m.Note, Off: m.Off, Recording: id, Replaces: m.Replaces, Span: m.Span}}}, m.Span, nil
	}
	c := *e.Cut
	around := hull(slices.Concat(c.Was, c.Now))
	if len(c.Texts) > 0 && len(c.Texts) != len(c.Now) {
		return nil, around, evidence.Invalid("there are %d texts for %d transmissions", len(c.Texts), len(c.Now))
	}
	out := []stated{{evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: e.ID, Recording: id, Was: c.Was, Now: c.Now}}}
	for i, text := range c.Texts {
		u, err := s.utterance(id, derived(e.ID, i), api.UtteranceEdit{Span: c.Now[i], Text: text, Language: c.Language, Replaces: s.common(id, c.Now[i])}, who)
		if err != nil {
			return nil, around, err
		}
		if len(u.Pieces) > 0 || u.Replaces != 0 {
			out = append(out, stated{evidence.EntryUtteranceWritten, u})
		}
	}
	return out, around, nil
}

// utterance makes the entry's body of words as they were typed. A second listener's are written blind, and only once they
// have played them.
func (s *Server) utterance(id, edit string, u api.UtteranceEdit, who people.Person) (evidence.UtteranceWritten, error) {
	pieces, err := evidence.ParseWording(u.Text)
	b := evidence.UtteranceWritten{Edit: edit, Language: u.Language, Pieces: pieces, Recording: id, Replaces: u.Replaces, Span: u.Span}
	if err != nil || !who.Blind() {
		return b, err
	}
	l, err := s.desk.line(id, u.Span)
	switch {
	case err != nil:
		return b, err
	case l == nil:
		return b, evidence.Conflict("%s is no transmission", evidence.Citation{Recording: id, Span: u.Span}).WithHint("its boundaries may have been changed meanwhile: load the recording again")
	case l.People == nil || !slices.Contains(l.People.Played, who.Name):
		return b, &forbidden{"play it to its end first: a second listener writes what they hear", "press Space on the line"}
	}
	if hidden(*l, who) { // who has written about it before has seen the others' words, whatever they worked as then
		b.Blind, b.Replaces = true, 0
	}
	return b, nil
}

// common returns the entry that the next words of a span replace, which a cut may bring back.
func (s *Server) common(id string, sp evidence.Span) int64 {
	s.desk.mu.RLock()
	defer s.desk.mu.RUnlock()
	return s.desk.state.Common(id, sp)
}

// markOff returns the entry that took a mark off, which setting it again replaces.
func (s *Server) markOff(id string, m api.MarkEdit) int64 {
	s.desk.mu.RLock()
	defer s.desk.mu.RUnlock()
	return s.desk.state.MarkOff(id, m.Span, m.Mark)
}

// derived makes the digits of the further entries of one edit.
func derived(edit string, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", edit, i))
	return hex.EncodeToString(sum[:16])
}

func hull(spans []evidence.Span) evidence.Span {
	if len(spans) == 0 {
		return evidence.Span{}
	}
	out := spans[0]
	for _, sp := range spans {
		out.From, out.To = min(out.From, sp.From), max(out.To, sp.To)
	}
	return out
}

// played keeps that a person has played a transmission from end to end.
func (s *Server) played(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	id := r.PathValue("id")
	b, err := read[struct {
		Span evidence.Span `json:"span"`
	}](w, r)
	if err != nil {
		return err
	}
	if _, err := s.desk.sound(id); err != nil {
		return err
	}
	if err := b.Span.Validate(1 << 52); err != nil {
		return err
	}
	_, err = s.o.Case.Append(r.Context(), evidence.Author{Kind: "person", Name: who.Name}, evidence.EntryTransmissionPlayed, evidence.TransmissionPlayed{Recording: id, Span: b.Span})
	if err != nil && evidence.KindOf(err) != evidence.KindConflict { // they played it before
		return err
	}
	if err := s.follow(r.Context()); err != nil {
		return err
	}
	l, err := s.desk.line(id, b.Span)
	if err != nil {
		return err
	}
	if l != nil {
		return s.give(w, view(*l, who.Person, language(r)))
	}
	return evidence.NotFound("%s is no transmission", evidence.Citation{Recording: id, Span: b.Span})
}
