// Package chains keeps what counts of what people have written in a case, and refuses what was written without knowing
// it: an entry replaces the newest of its chain or is a conflict, so that nobody's words are lost under another's.
// docs/format/entries.md, "What people write", is normative. It never looks at words.
package chains

import (
	"maps"
	"sync"

	"github.com/earwitness/earwitness/evidence"
)

// Chains is what the entries of a case so far say. One with a parent holds what a group of entries adds before it is
// committed. It is safe for concurrent use.
type Chains struct {
	parent *Chains

	mu    sync.RWMutex
	edits map[string]int64 // entry, by the edit's own digits
	heads map[name]int64   // newest entry of each chain
	of    map[int64]name   // the chain that an entry belongs to
	gone  map[place]bool   // transmissions that were cut into others; false: it came back
}

// place is a transmission.
type place struct {
	recording string
	span      evidence.Span
}

// name tells one chain from another.
type name struct {
	place
	kind string
	sub  string // the listener who works blind; the language of a translation; the mark; who played it
}

// Written is what all bodies that people write have in common here.
type Written struct {
	name
	edit     string
	replaces int64
	was, now []evidence.Span
}

// New returns an empty set, on top of parent where it is not nil.
func New(parent *Chains) *Chains {
	return &Chains{parent: parent, edits: map[string]int64{}, heads: map[name]int64{}, of: map[int64]name{}, gone: map[place]bool{}}
}

// Of reads the body of an entry; false: people do not write entries of its kind, or they are in no chain.
func Of(author evidence.Author, body any) (Written, bool) {
	at := func(recording string, span evidence.Span, kind, sub string) name {
		return name{place{recording, span}, kind, sub}
	}
	switch b := body.(type) {
	case evidence.UtteranceWritten:
		sub := ""
		if b.Blind {
			sub = author.Name
		}
		return Written{name: at(b.Recording, b.Span, evidence.EntryUtteranceWritten, sub), edit: b.Edit, replaces: b.Replaces}, true
	case evidence.TranslationWritten:
		return Written{name: at(b.Recording, b.Span, evidence.EntryTranslationWritten, b.Language), edit: b.Edit, replaces: b.Replaces}, true
	case evidence.StationsStated:
		return Written{name: at(b.Recording, b.Span, evidence.EntryStationsStated, ""), edit: b.Edit, replaces: b.Replaces}, true
	case evidence.MarkSet:
		return Written{name: at(b.Recording, b.Span, evidence.EntryMarkSet, b.Mark), edit: b.Edit, replaces: b.Replaces}, true
	case evidence.TransmissionPlayed:
		return Written{name: at(b.Recording, b.Span, evidence.EntryTransmissionPlayed, author.Name)}, true
	case evidence.PersonAdmitted:
		return Written{name: name{kind: evidence.EntryPersonAdmitted, sub: b.Person}, edit: b.Edit, replaces: b.Replaces}, true
	case evidence.TransmissionsCut:
		return Written{name: at(b.Recording, evidence.Span{}, evidence.EntryTransmissionsCut, ""), edit: b.Edit, was: b.Was, now: b.Now}, true
	}
	return Written{}, false
}

// Spans returns what an entry is about: a recording, and stretches of it; "" where it is about none.
func (w Written) Spans() (recording string, spans []evidence.Span) {
	if w.kind == evidence.EntryTransmissionsCut {
		return w.recording, append(append(spans, w.was...), w.now...)
	}
	if w.recording == "" {
		return "", nil
	}
	return w.recording, []evidence.Span{w.span}
}

// find looks a key up in c and its parents.
func find[K comparable, V any](c *Chains, of func(*Chains) map[K]V, key K) (V, bool) {
	for ; c != nil; c = c.parent {
		c.mu.RLock()
		v, ok := of(c)[key]
		c.mu.RUnlock()
		if ok {
			return v, true
		}
	}
	var none V
	return none, false
}

// Edited returns the entry of the edit with these digits.
func (c *Chains) Edited(edit string) (int64, bool) {
	return find(c, func(c *Chains) map[string]int64 { return c.edits }, edit)
}

func (c *Chains) head(n name) (int64, bool) {
	return find(c, func(c *Chains) map[name]int64 { return c.heads }, n)
}

func (c *Chains) cutAway(p place) bool {
	gone, _ := find(c, func(c *Chains) map[place]bool { return c.gone }, p)
	return gone
}

// Admit takes in an entry that is new, at idx. Conflict: it was written without knowing what counts now, or it is there
// already. Invalid: it names what is no chain's.
func (c *Chains) Admit(idx int64, author evidence.Author, w Written) error {
	if author.Kind != "person" {
		return evidence.Invalid("only a person writes an entry of kind %s", w.kind)
	}
	if at, ok := c.Edited(w.edit); ok && w.edit != "" {
		return evidence.Conflict("entry %d is this edit already", at)
	}
	var err error
	switch {
	case w.kind == evidence.EntryTransmissionsCut:
		err = c.admitCut(w)
	case c.cutAway(w.place):
		err = evidence.Conflict("%s is no transmission any more: its boundaries were changed", evidence.Citation{Recording: w.recording, Span: w.span})
	case w.replaces == 0:
		if at, ok := c.head(w.name); ok {
			err = evidence.Conflict("entry %d is there already", at)
		}
	default:
		err = c.admitReplacing(author, w)
	}
	if err != nil {
		return err
	}
	c.Take(idx, w)
	return nil
}

func (c *Chains) admitCut(w Written) error {
	for _, s := range w.was {
		if c.cutAway(place{w.recording, s}) {
			return evidence.Conflict("%s is no transmission any more: its boundaries were changed", evidence.Citation{Recording: w.recording, Span: s})
		}
	}
	return nil
}

func (c *Chains) admitReplacing(author evidence.Author, w Written) error {
	n, ok := find(c, func(c *Chains) map[int64]name { return c.of }, w.replaces)
	if !ok || n.place != w.place || n.kind != w.kind || n.kind != evidence.EntryUtteranceWritten && n.sub != w.sub {
		return evidence.Invalid("entry %d is nothing that this could replace", w.replaces)
	}
	if n.kind == evidence.EntryUtteranceWritten && n.sub != "" && n.sub != author.Name {
		return evidence.Invalid("entry %d is by a listener who worked blind: only they write on", w.replaces)
	}
	if at, _ := c.head(n); at != w.replaces {
		return evidence.Conflict("entry %d has been replaced by entry %d", w.replaces, at)
	}
	return nil
}

// Take takes in an entry of the log, which was admitted when it was written.
func (c *Chains) Take(idx int64, w Written) {
	n := w.name
	if w.replaces != 0 {
		if of, ok := find(c, func(c *Chains) map[int64]name { return c.of }, w.replaces); ok {
			n = of
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch w.kind {
	case evidence.EntryTransmissionsCut:
		for _, s := range w.was {
			c.gone[place{w.recording, s}] = true
		}
		for _, s := range w.now {
			c.gone[place{w.recording, s}] = false
		}
	default:
		c.heads[n], c.of[idx] = idx, n
	}
	if w.edit != "" {
		c.edits[w.edit] = idx
	}
}

// Merge moves what a child has taken in into c.
func (c *Chains) Merge(child *Chains) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.edits, child.edits)
	maps.Copy(c.heads, child.heads)
	maps.Copy(c.of, child.of)
	maps.Copy(c.gone, child.gone)
}
