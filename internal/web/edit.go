package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/transcript"
	"github.com/earwitness/earwitness/internal/web/api"
)

// edit takes what a person states about a line. It is durable when it is answered, and done once however often it is sent.
func (s *Server) edit(w http.ResponseWriter, r *http.Request, who *people.Session) error {
	id := r.PathValue("id")
	if _, err := s.desk.recording(id); err != nil {
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
	if at, ok := s.o.Case.Edited(e.ID); ok {
		return s.edited(w, r, who, id, around, at, true)
	}
	at, err := s.o.Case.AppendAll(r.Context(), entries)
	if evidence.KindOf(err) == evidence.KindConflict {
		if at, ok := s.o.Case.Edited(e.ID); ok { // it was sent twice at once
			return s.edited(w, r, who, id, around, at, true)
		}
		if err := s.follow(r.Context()); err != nil {
			return err
		}
		c := conflicted{error: err}
		if lines, lerr := s.desk.around(id, around); lerr == nil && len(lines) > 0 {
			v := view(lines[0], who.Person, language(r))
			for _, l := range lines {
				if l.Samples == around {
					v = view(l, who.Person, language(r))
				}
			}
			c.line = &v
		}
		return c
	}
	if err != nil {
		return err
	}
	return s.edited(w, r, who, id, around, at, false)
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

// entriesOf makes the entries of an edit, and says which seconds it concerns.
func (s *Server) entriesOf(id string, e api.Edit, who people.Person) ([]evidence.Entry, evidence.Span, error) {
	var out []evidence.Entry
	var around evidence.Span
	author := evidence.Author{Kind: "person", Name: who.Name}
	add := func(kind string, body any) error {
		en, err := evidence.NewEntry(kind, author, s.o.Now(), body)
		out = append(out, en)
		return err
	}
	need := func(right string) error {
		if !who.May(right) {
			return errMayNot(&people.Session{Person: who}, right)
		}
		return nil
	}
	given := 0
	for _, is := range []bool{e.Utterance != nil, e.Translation != nil, e.Cut != nil, e.Stations != nil, e.Mark != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		return nil, around, evidence.Invalid("an edit has exactly one of utterance, translation, cut, stations and mark")
	}
	switch {
	case e.Utterance != nil:
		around = e.Utterance.Span
		if err := need(people.RightWrite); err != nil {
			return nil, around, err
		}
		u, err := s.utterance(id, e.ID, *e.Utterance, who)
		if err != nil {
			return nil, around, err
		}
		if err := add(evidence.EntryUtteranceWritten, u); err != nil {
			return nil, around, err
		}
	case e.Translation != nil:
		t := *e.Translation
		around = t.Span
		if err := need(people.RightTranslate); err != nil {
			return nil, around, err
		}
		if err := add(evidence.EntryTranslationWritten, evidence.TranslationWritten{Edit: e.ID, Language: t.Language, Of: t.Of, Recording: id, Replaces: t.Replaces, Span: t.Span, Text: t.Text}); err != nil {
			return nil, around, err
		}
	case e.Cut != nil:
		if err := need(people.RightWrite); err != nil {
			return nil, around, err
		}
		c := *e.Cut
		around = hull(slices.Concat(c.Was, c.Now))
		if err := add(evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: e.ID, Recording: id, Was: c.Was, Now: c.Now}); err != nil {
			return nil, around, err
		}
		if len(c.Texts) > 0 && len(c.Texts) != len(c.Now) {
			return nil, around, evidence.Invalid("there are %d texts for %d transmissions", len(c.Texts), len(c.Now))
		}
		for i, text := range c.Texts {
			u, err := s.utterance(id, derived(e.ID, i), api.UtteranceEdit{Span: c.Now[i], Text: text, Language: c.Language, Replaces: s.common(id, c.Now[i])}, who)
			if err != nil {
				return nil, around, err
			}
			if len(u.Pieces) == 0 && u.Replaces == 0 {
				continue
			}
			if err := add(evidence.EntryUtteranceWritten, u); err != nil {
				return nil, around, err
			}
		}
	case e.Stations != nil:
		st := *e.Stations
		around = st.Span
		if err := need(people.RightWrite); err != nil {
			return nil, around, err
		}
		if err := add(evidence.EntryStationsStated, evidence.StationsStated{Edit: e.ID, From: st.From, Recording: id, Replaces: st.Replaces, Span: st.Span, To: st.To}); err != nil {
			return nil, around, err
		}
	default:
		m := *e.Mark
		around = m.Span
		if err := need(people.RightWrite); err != nil {
			return nil, around, err
		}
		if m.Replaces == 0 && !m.Off {
			m.Replaces = s.markOff(id, m)
		}
		if err := add(evidence.EntryMarkSet, evidence.MarkSet{Edit: e.ID, Mark: m.Mark, Note: m.Note, Off: m.Off, Recording: id, Replaces: m.Replaces, Span: m.Span}); err != nil {
			return nil, around, err
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
	lines, err := s.desk.around(id, u.Span)
	if err != nil {
		return b, err
	}
	for _, l := range lines {
		if l.Samples != u.Span {
			continue
		}
		if l.People == nil || !slices.Contains(l.People.Played, who.Name) {
			return b, &forbidden{"play it to its end first: a second listener writes what they hear", "press Space on the line"}
		}
		b.Blind = !slices.ContainsFunc(l.People.Blind, func(o transcript.Own) bool { return o.Author == who.Name })
		if b.Blind {
			b.Replaces = 0
		}
		return b, nil
	}
	return b, evidence.Conflict("%s is no transmission", evidence.Citation{Recording: id, Span: u.Span}).WithHint("its boundaries may have been changed meanwhile: load the recording again")
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
	if _, err := s.desk.recording(id); err != nil {
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
	lines, err := s.desk.around(id, b.Span)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.Samples == b.Span {
			return s.give(w, view(l, who.Person, language(r)))
		}
	}
	return evidence.NotFound("%s is no transmission", evidence.Citation{Recording: id, Span: b.Span})
}
