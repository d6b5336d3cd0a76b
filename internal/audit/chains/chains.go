// Package chains holds the auditor's rules for what people write: docs/format/entries.md, "What people write". It shares
// nothing with the room that writes them but the format, and looks at one entry after the other.
package chains

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/earwitness/earwitness/evidence"
)

// Rules is what the entries so far say. The zero value is a case without any.
type Rules struct {
	newest map[string]int64 // of each chain
	chain  map[int64]string // that an entry belongs to
	blind  map[int64]string // entries of a chain that was begun blind, with its listener
	edits  map[string]int64 // by their digits
	gone   map[string]bool  // transmissions that were cut into others
}

// Read reads the body of an entry of one of the kinds that people write, and says what it is about: a recording, "" where it
// is none, and spans of it.
func Read(e evidence.Entry) (body any, recording string, spans []evidence.Span, err error) {
	switch e.Kind {
	case evidence.EntryUtteranceWritten:
		v, err := evidence.DecodeBody[evidence.UtteranceWritten](e, e.Kind)
		return v, v.Recording, []evidence.Span{v.Span}, err
	case evidence.EntryTranslationWritten:
		v, err := evidence.DecodeBody[evidence.TranslationWritten](e, e.Kind)
		return v, v.Recording, []evidence.Span{v.Span}, err
	case evidence.EntryStationsStated:
		v, err := evidence.DecodeBody[evidence.StationsStated](e, e.Kind)
		return v, v.Recording, []evidence.Span{v.Span}, err
	case evidence.EntryMarkSet:
		v, err := evidence.DecodeBody[evidence.MarkSet](e, e.Kind)
		return v, v.Recording, []evidence.Span{v.Span}, err
	case evidence.EntryTransmissionPlayed:
		v, err := evidence.DecodeBody[evidence.TransmissionPlayed](e, e.Kind)
		return v, v.Recording, []evidence.Span{v.Span}, err
	case evidence.EntryTransmissionsCut:
		v, err := evidence.DecodeBody[evidence.TransmissionsCut](e, e.Kind)
		return v, v.Recording, slices.Concat(v.Was, v.Now), err
	case evidence.EntryPersonAdmitted:
		v, err := evidence.DecodeBody[evidence.PersonAdmitted](e, e.Kind)
		return v, "", nil, err
	}
	return nil, "", nil, evidence.Invalid("format 1 knows no entry of this kind")
}

// Check takes in a body of one of the kinds that people write, and says which rule it breaks.
func (r *Rules) Check(idx int64, author evidence.Author, body any) error {
	if r.newest == nil {
		*r = Rules{map[string]int64{}, map[int64]string{}, map[int64]string{}, map[string]int64{}, map[string]bool{}}
	}
	if author.Kind != "person" {
		return evidence.Invalid("it is written by a %s, not by a person", author.Kind)
	}
	switch b := body.(type) {
	case evidence.UtteranceWritten:
		listener := ""
		if b.Blind {
			listener = author.Name
		}
		if begun, ok := r.blind[b.Replaces]; ok {
			if begun != author.Name {
				return evidence.Invalid("it replaces entry %d, which is by %q, who worked blind", b.Replaces, begun)
			}
			listener = begun
		}
		if listener != "" {
			r.blind[idx] = listener
		}
		return cmp.Or(b.Validate(), r.edit(idx, b.Edit), r.follow(idx, b.Recording, b.Span, "utterance/"+listener, b.Replaces))
	case evidence.TranslationWritten:
		if b.Of >= idx {
			return evidence.Invalid("it translates entry %d, which does not come before it", b.Of)
		}
		return cmp.Or(b.Validate(), r.edit(idx, b.Edit), r.follow(idx, b.Recording, b.Span, "translation/"+b.Language, b.Replaces))
	case evidence.StationsStated:
		return cmp.Or(b.Validate(), r.edit(idx, b.Edit), r.follow(idx, b.Recording, b.Span, "stations", b.Replaces))
	case evidence.MarkSet:
		return cmp.Or(b.Validate(), r.edit(idx, b.Edit), r.follow(idx, b.Recording, b.Span, "mark/"+b.Mark, b.Replaces))
	case evidence.PersonAdmitted:
		return cmp.Or(b.Validate(), r.edit(idx, b.Edit), r.follow(idx, "", evidence.Span{}, "person/"+b.Person, b.Replaces))
	case evidence.TransmissionPlayed:
		return r.follow(idx, b.Recording, b.Span, "played/"+author.Name, 0)
	case evidence.TransmissionsCut:
		if err := cmp.Or(b.Validate(), r.edit(idx, b.Edit)); err != nil {
			return err
		}
		for _, s := range b.Was {
			if r.gone[place(b.Recording, s)] {
				return evidence.Invalid("it cuts %d-%d, which was cut before", s.From, s.To)
			}
		}
		for _, s := range b.Was {
			r.gone[place(b.Recording, s)] = true
		}
		for _, s := range b.Now {
			delete(r.gone, place(b.Recording, s))
		}
		return nil
	}
	return fmt.Errorf("%T is not written by people", body)
}

func place(recording string, s evidence.Span) string {
	return fmt.Sprintf("%s/%d-%d", recording, s.From, s.To)
}

func (r *Rules) edit(idx int64, digits string) error {
	if other, ok := r.edits[digits]; ok {
		return evidence.Invalid("entry %d is the same edit %s", other, digits)
	}
	r.edits[digits] = idx
	return nil
}

// follow checks that an entry begins its chain, or replaces the newest of it.
func (r *Rules) follow(idx int64, recording string, span evidence.Span, chain string, replaces int64) error {
	at := place(recording, span)
	name := at + "/" + chain
	switch newest, begun := r.newest[name]; {
	case r.gone[at]:
		return evidence.Invalid("it is about %d-%d, which was cut into others", span.From, span.To)
	case replaces != 0 && r.chain[replaces] != name:
		return evidence.Invalid("it replaces entry %d, which is something else", replaces)
	case begun && newest != replaces:
		return evidence.Invalid("it replaces entry %d, and entry %d is the newest", replaces, newest)
	}
	r.newest[name], r.chain[idx] = idx, name
	return nil
}
