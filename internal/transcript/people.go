package transcript

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/earwitness/earwitness/evidence"
)

// What a line can be once people have listened.
const (
	StateCorrected = "corrected" // one person's words
	StateVerified  = "verified"  // two people heard the same, one of them without seeing the other's words
	StateDisputed  = "disputed"  // two people heard different words
)

// States of a person's translation.
const (
	StateTranslated = evidence.TranslatedWords // of the words that count
	StateStale      = "stale"                  // of words that have been replaced since
)

// passage is what people have stated about one span.
type passage struct {
	span     evidence.Span
	common   *uttered             // the newest of the chain that all see; nil before there is one
	blind    []*uttered           // the newest of each listener who worked blind, in the order of their begin
	rendered map[string]*rendered // the newest translation, by language
	stations *stations
	played   []string // who played it
	wrote    []string // who ever wrote words about it, and so has seen others'
	entries  []int64  // everything stated about it, cuts too
	gone     bool     // it was cut into others
	cut      bool     // it came out of a cut
}

// uttered is a person's words.
type uttered struct {
	entry    int64
	author   string
	at       time.Time
	language string
	pieces   []evidence.Piece
}

// rendered is a person's translation.
type rendered struct {
	entry, of int64
	author    string
	text      string
}

type stations struct {
	entry    int64
	from, to *evidence.Station
}

// Mark is a mark that people set on seconds of a recording.
type Mark struct {
	Mark  string        `json:"mark"` // distress, return
	Note  string        `json:"note,omitempty"`
	Span  evidence.Span `json:"samples"`
	By    string        `json:"by"`
	Entry int64         `json:"entry"`
}

// stands reports whether u is there and was not taken back.
func stands(u *uttered) bool { return u != nil && len(u.pieces) > 0 }

// passage returns what people have stated about a span, ready to be added to.
func (r *recording) passage(sp evidence.Span) *passage {
	p := r.passages[sp]
	if p == nil {
		p = &passage{span: sp}
		r.passages[sp] = p
	}
	return p
}

// decided reports whether a person took p for a transmission: then it is one, whatever a machine finds later.
func (p *passage) decided() bool {
	if p.gone {
		return false
	}
	return p.cut || stands(p.common) || p.stations != nil || slices.ContainsFunc(p.blind, stands) || len(p.rendered) > 0
}

// written takes in an entry of a kind that people write.
func (s *State) written(idx int64, e evidence.Entry) error {
	switch e.Kind {
	case evidence.EntryUtteranceWritten:
		return take(s, e, func(b evidence.UtteranceWritten) string { return b.Recording }, func(r *recording, b evidence.UtteranceWritten) {
			p := r.passage(b.Span)
			p.entries = append(p.entries, idx)
			p.wrote = once(p.wrote, e.Author.Name)
			p.utter(b, &uttered{idx, e.Author.Name, e.Time, b.Language, b.Pieces})
		})
	case evidence.EntryTranslationWritten:
		return take(s, e, func(b evidence.TranslationWritten) string { return b.Recording }, func(r *recording, b evidence.TranslationWritten) {
			p := r.passage(b.Span)
			p.entries = append(p.entries, idx)
			if p.rendered == nil {
				p.rendered = map[string]*rendered{}
			}
			p.rendered[b.Language] = &rendered{idx, b.Of, e.Author.Name, b.Text}
		})
	case evidence.EntryStationsStated:
		return take(s, e, func(b evidence.StationsStated) string { return b.Recording }, func(r *recording, b evidence.StationsStated) {
			p := r.passage(b.Span)
			p.entries = append(p.entries, idx)
			p.stations = &stations{idx, b.From, b.To}
		})
	case evidence.EntryMarkSet:
		return take(s, e, func(b evidence.MarkSet) string { return b.Recording }, func(r *recording, b evidence.MarkSet) {
			r.marks = slices.DeleteFunc(r.marks, func(m Mark) bool { return m.Mark == b.Mark && m.Span == b.Span })
			if r.marksOff == nil {
				r.marksOff = map[Mark]int64{}
			}
			key := Mark{Mark: b.Mark, Span: b.Span}
			delete(r.marksOff, key)
			if b.Off {
				r.marksOff[key] = idx
			} else {
				r.marks = append(r.marks, Mark{b.Mark, b.Note, b.Span, e.Author.Name, idx})
			}
			r.markEntries = append(r.markEntries, Mark{Span: b.Span, Entry: idx})
		})
	case evidence.EntryTransmissionPlayed:
		return take(s, e, func(b evidence.TransmissionPlayed) string { return b.Recording }, func(r *recording, b evidence.TransmissionPlayed) {
			p := r.passage(b.Span)
			p.played = append(p.played, e.Author.Name)
		})
	case evidence.EntryTransmissionsCut:
		return take(s, e, func(b evidence.TransmissionsCut) string { return b.Recording }, func(r *recording, b evidence.TransmissionsCut) {
			for _, sp := range b.Was {
				p := r.passage(sp)
				p.gone, p.entries = true, append(p.entries, idx)
			}
			for _, sp := range b.Now {
				p := r.passage(sp)
				p.gone, p.cut, p.entries = false, true, append(p.entries, idx)
			}
		})
	}
	return nil
}

func take[T any](s *State, e evidence.Entry, recording func(T) string, do func(*recording, T)) error {
	b, err := evidence.DecodeBody[T](e, e.Kind)
	if err != nil {
		return err
	}
	r, err := s.find(recording(b))
	if err != nil {
		return err
	}
	do(r, b)
	return nil
}

// utter puts new words in the place of those that they replace.
func (p *passage) utter(b evidence.UtteranceWritten, u *uttered) {
	if b.Blind {
		p.blind = append(p.blind, u)
		return
	}
	for i, old := range p.blind {
		if old.entry == b.Replaces && b.Replaces != 0 {
			p.blind[i] = u
			return
		}
	}
	p.common = u
}

// heads returns the words that people stand by, the common ones first.
func (p *passage) heads() []*uttered {
	var out []*uttered
	if stands(p.common) {
		out = append(out, p.common)
	}
	for _, u := range p.blind {
		if stands(u) {
			out = append(out, u)
		}
	}
	return out
}

// judge says which words of people count, whether a second person heard the same, and which others differ from them.
func (p *passage) judge() (state string, counts, second, rival *uttered) {
	heads := p.heads()
	if len(heads) == 0 {
		return "", nil, nil, nil
	}
	counts, state = heads[0], StateCorrected
	same := SameWords(counts.pieces)
	for _, u := range heads[1:] {
		switch {
		case SameWords(u.pieces) != same:
			rival = u
		case u.author != counts.author:
			second = u
		}
	}
	switch {
	case rival != nil:
		state = StateDisputed
	case second != nil:
		state = StateVerified
	}
	return state, counts, second, rival
}

// SameWords writes pieces so that two people who heard the same words give the same text: without case, punctuation,
// spaces and stress marks, ё as е. What is inaudible counts as such, whatever its length.
func SameWords(pieces []evidence.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case p.InaudibleMilli != 0:
			b.WriteString("\x00?")
		case len(p.Rivals) > 0:
			rivals := make([]string, len(p.Rivals))
			for i, r := range p.Rivals {
				rivals[i] = bare(r)
			}
			slices.Sort(rivals)
			b.WriteString("\x00[" + strings.Join(slices.Compact(rivals), "/") + "]")
		default:
			b.WriteString(bare(p.Text))
		}
	}
	return b.String()
}

func bare(s string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(strings.ReplaceAll(strings.ToLower(norm.NFC.String(s)), "\u0301", "")) {
		switch {
		case r == 'ё':
			b.WriteRune('е')
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// shown is a transmission as it counts now: as a machine found it, or as a person drew it.
type shown struct {
	evidence.Transmission
	people *passage // nil where nobody has stated anything
	drawn  bool     // no machine found it with these boundaries
}

// shown returns the transmissions that count. What a person took for a transmission is one; what a machine found counts
// where no more than half of it has been decided about by people.
func (r *recording) shown() []shown {
	var decided []*passage
	for _, p := range r.passages {
		if p.gone || p.decided() {
			decided = append(decided, p)
		}
	}
	out := make([]shown, 0, len(r.transmissions)+len(decided))
	if len(decided) == 0 {
		for _, t := range r.transmissions {
			out = append(out, shown{t, r.passages[t.Span], false})
		}
	} else {
		slices.SortFunc(decided, func(a, b *passage) int { return cmp.Compare(a.span.From, b.span.From) })
		found := map[evidence.Span]bool{}
		for _, t := range r.transmissions {
			p := r.passages[t.Span]
			found[t.Span] = p != nil && p.decided()
			if found[t.Span] || p == nil && !covered(t.Span, decided) || p != nil && !p.gone && !covered(t.Span, decided) {
				out = append(out, shown{t, p, false})
			}
		}
		for _, p := range decided {
			if !p.gone && !found[p.span] {
				out = append(out, shown{r.drawn(p.span), p, true})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.Span.From, b.Span.From), cmp.Compare(a.Span.To, b.Span.To))
	})
	return out
}

// covered reports whether more than half of a span has been decided about. Spans stand in the order of their start.
func covered(sp evidence.Span, decided []*passage) bool {
	var sum, at int64
	for _, p := range decided {
		if p.span.From >= sp.To {
			break
		}
		from, to := max(p.span.From, sp.From, at), min(p.span.To, sp.To)
		if to > from {
			sum, at = sum+to-from, to
		}
	}
	return 2*sum > sp.Len()
}

// drawn makes a transmission of a span that a person drew, from what the machine found about the same seconds.
func (r *recording) drawn(sp evidence.Span) evidence.Transmission {
	t := evidence.Transmission{Span: sp, Sound: evidence.SoundSpeech, LevelCB: -12000}
	var most int64
	for _, m := range r.transmissions {
		over := min(m.Span.To, sp.To) - max(m.Span.From, sp.From)
		if over <= 0 {
			continue
		}
		if over > most {
			most, t.SnrCB, t.LevelCB = over, m.SnrCB, m.LevelCB
		}
		for _, h := range m.Hear {
			if min(h.To, sp.To) > max(h.From, sp.From) {
				t.Hear = append(t.Hear, h)
			}
		}
		for _, c := range m.Calls {
			if c.Span.From >= sp.From && c.Span.To <= sp.To {
				t.Calls = append(t.Calls, c)
			}
		}
	}
	return t
}

// People is what people have stated about a line.
type People struct {
	Entry      int64             `json:"entry,omitempty"`       // whose words count; absent where only a machine has heard it
	Author     string            `json:"author,omitempty"`      // of those words
	At         string            `json:"at,omitempty"`          // RFC 3339
	Pieces     []evidence.Piece  `json:"pieces,omitempty"`      // of the words
	Second     string            `json:"second,omitempty"`      // who heard the same, without seeing it
	Rival      string            `json:"rival,omitempty"`       // what another listener heard instead
	RivalBy    string            `json:"rival_by,omitempty"`    //
	RivalEntry int64             `json:"rival_entry,omitempty"` //
	Machine    string            `json:"machine,omitempty"`     // what the machine had heard
	From       *evidence.Station `json:"from,omitempty"`        //
	To         *evidence.Station `json:"to,omitempty"`          //
	Stations   int64             `json:"stations,omitempty"`    // entry that they stand in
	Marks      []Mark            `json:"marks,omitempty"`       // that lie on it, or on a part of it
	Drawn      bool              `json:"drawn,omitempty"`       // its boundaries are a person's

	Played []string `json:"-"` // who played it from end to end
	Wrote  []string `json:"-"` // who ever wrote words about it, blind or not: they have seen what others wrote
	Common int64    `json:"-"` // newest entry of the chain that all see, taken back or not: what the next one of it replaces
	Blind  []Own    `json:"-"` // the newest entries of those who worked blind
}

// Own is the newest entry of a listener who worked blind.
type Own struct {
	Author string
	Entry  int64
}

// people fills in what people have stated, and puts their words in the place of the machine's.
func (r *recording) people(l *Line, t shown) {
	v := People{Drawn: t.drawn || t.people != nil && t.people.cut}
	for _, m := range r.marks {
		if m.Span.From < t.Span.To && m.Span.To > t.Span.From {
			v.Marks = append(v.Marks, m)
		}
	}
	if p := t.people; p != nil {
		l.Entries = append(l.Entries, p.entries...)
		slices.Sort(l.Entries)
		l.Entries = slices.Compact(l.Entries)
		v.Played, v.Wrote = p.played, p.wrote
		if s := p.stations; s != nil {
			v.From, v.To, v.Stations = s.from, s.to, s.entry
		}
		if p.common != nil {
			v.Common = p.common.entry
		}
		for _, u := range p.blind {
			v.Blind = append(v.Blind, Own{u.author, u.entry})
		}
		if state, counts, second, rival := p.judge(); counts != nil {
			v.Machine = l.Text
			l.State, l.Reason, l.Text, l.Words, l.Probability = state, "", evidence.Wording(counts.pieces), []Word{}, 0
			v.Entry, v.Author, v.At, v.Pieces = counts.entry, counts.author, counts.at.Format(evidence.TimeFormat), counts.pieces
			if counts.language != "" {
				l.Lang, l.Langs = counts.language, []string{counts.language}
			}
			if second != nil {
				v.Second = second.author
			}
			if rival != nil {
				v.Rival, v.RivalBy, v.RivalEntry = evidence.Wording(rival.pieces), rival.author, rival.entry
			}
		}
	}
	if v.Entry != 0 || v.Stations != 0 || v.Drawn || len(v.Marks)+len(v.Played)+len(v.Wrote) > 0 {
		l.People = &v
	}
}

// translated puts people's translations into a line; basis is the entry whose words count.
func (l *Line) translated(p *passage) {
	if p == nil {
		return
	}
	for language, t := range p.rendered {
		v := t.view(language, l.Desk.Basis)
		if t.text == "" {
			l.Desk.TakenBack = append(l.Desk.TakenBack, *v)
			continue
		}
		l.Desk.Translations = append(l.Desk.Translations, *v)
	}
	slices.SortFunc(l.Desk.Translations, func(a, b Translation) int { return strings.Compare(a.Language, b.Language) })
	for i, t := range l.Desk.Translations {
		if t.Language == "en" || i == 0 {
			l.Translation = &l.Desk.Translations[i]
		}
	}
}

func (t *rendered) view(language string, basis int64) *Translation {
	v := &Translation{Text: t.text, Language: language, State: StateTranslated, Author: t.author, Entry: t.entry, Entries: []int64{t.entry}}
	if t.of != basis {
		v.State, v.Reason = StateStale, "the words it translates have been replaced"
	}
	return v
}

// Carried is how much one person has listened to and written.
type Carried struct {
	Person   string `json:"person"`
	Played   int    `json:"played"`   // transmissions
	Samples  int64  `json:"samples"`  // of sound in them
	Distress int64  `json:"distress"` // of that, in transmissions marked as hard to bear
	Written  int    `json:"written"`  // utterances and translations that stand
}

// Carried returns how much each person has carried, in the order of their names.
func (s *State) Carried() []Carried {
	by := map[string]*Carried{}
	of := func(name string) *Carried {
		if by[name] == nil {
			by[name] = &Carried{Person: name}
		}
		return by[name]
	}
	for _, r := range s.recordings {
		for _, p := range r.passages {
			hard := slices.ContainsFunc(r.marks, func(m Mark) bool {
				return m.Mark == evidence.MarkDistress && m.Span.From < p.span.To && m.Span.To > p.span.From
			})
			for _, name := range p.played {
				c := of(name)
				c.Played++
				c.Samples += p.span.Len()
				if hard {
					c.Distress += p.span.Len()
				}
			}
			for _, u := range p.heads() {
				of(u.author).Written++
			}
			for _, t := range p.rendered {
				if t.text != "" {
					of(t.author).Written++
				}
			}
		}
	}
	out := make([]Carried, 0, len(by))
	for _, c := range by {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Carried) int { return strings.Compare(a.Person, b.Person) })
	return out
}

// MarkOff returns the entry that took a mark off, which setting it again replaces; 0 where it was never set, or is.
func (s *State) MarkOff(recording string, sp evidence.Span, mark string) int64 {
	if r := s.byID[recording]; r != nil {
		return r.marksOff[Mark{Mark: mark, Span: sp}]
	}
	return 0
}

// Common returns the newest entry of the words that all see about a span, taken back or not; 0 where there is none.
func (s *State) Common(recording string, sp evidence.Span) int64 {
	if r := s.byID[recording]; r != nil && r.passages[sp] != nil && r.passages[sp].common != nil {
		return r.passages[sp].common.entry
	}
	return 0
}

// History returns the entries that people wrote about a span, oldest first; NotFound if there is no such recording.
func (s *State) History(recording string, sp evidence.Span) ([]int64, error) {
	r := s.byID[recording]
	if r == nil {
		return nil, evidence.NotFound("there is no recording %s in this case", recording)
	}
	var out []int64
	if p := r.passages[sp]; p != nil {
		out = append(out, p.entries...)
	}
	for _, m := range r.markEntries {
		if m.Span.From < sp.To && m.Span.To > sp.From {
			out = append(out, m.Entry)
		}
	}
	slices.Sort(out)
	return out, nil
}
