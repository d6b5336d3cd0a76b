package evidence

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what a person writes into one entry.
const (
	MaxWordingBytes = 4 << 20 // of the words of an utterance or a translation
	MaxNameBytes    = 1 << 10 // of a call sign
	MaxNoteBytes    = 64 << 10
)

// Bases of a call sign: how it is known who is speaking, or to whom.
const (
	BasisSelf    = "self-identified" // the station names itself in the transmission
	BasisNamed   = "named"           // another station names it
	BasisVoice   = "voice"           // it sounds like a station that is named elsewhere
	BasisGuessed = "guessed"
)

// Kinds of mark.
const (
	MarkDistress = "distress" // hard to bear: read first, skip or attenuate
	MarkReturn   = "return"   // to be come back to
)

// UtteranceWritten says what words a person hears in a transmission. The newest of a chain counts; a chain begins with
// an entry that replaces none, and there is one for all who see each other's words, and one for each listener who works blind.
type UtteranceWritten struct {
	Blind     bool    `json:"blind,omitempty"`    // it begins a chain by a listener who had played the span and seen no one's words
	Edit      string  `json:"edit"`               // 32 hexadecimal digits that the writer drew: the same edit, sent twice, is one entry
	Language  string  `json:"language,omitempty"` // ISO 639; absent where it is not said
	Pieces    []Piece `json:"pieces,omitempty"`   // absent where the person takes their words back: what was heard before them counts again
	Recording string  `json:"recording"`
	Replaces  int64   `json:"replaces,omitempty"` // index of the entry whose words these replace; absent at the begin of a chain
	Span      Span    `json:"span"`               // of the transmission
}

// Piece is a stretch of an utterance, in one of three forms.
type Piece struct {
	InaudibleMilli int64    `json:"inaudible_milli,omitempty"` // nothing can be made out, for so long
	Rivals         []string `json:"rivals,omitempty"`          // several hearings of the same sound, none of them preferred
	Text           string   `json:"text,omitempty"`            // with the spaces around it
}

// TranslationWritten is a person's translation of an utterance.
type TranslationWritten struct {
	Edit      string `json:"edit"`
	Language  string `json:"language"` // of Text, ISO 639
	Of        int64  `json:"of"`       // index of the entry whose words it translates; it is stale once others count
	Recording string `json:"recording"`
	Replaces  int64  `json:"replaces,omitempty"`
	Span      Span   `json:"span"`
	Text      string `json:"text,omitempty"` // absent where it is taken back
}

// TransmissionsCut says that what was taken for some transmissions is others: moved, split, joined, found or none at all.
type TransmissionsCut struct {
	Edit      string `json:"edit"`
	Now       []Span `json:"now,omitempty"` // in the order of their start
	Recording string `json:"recording"`
	Was       []Span `json:"was,omitempty"`
}

// StationsStated says which station sends a transmission, and to which.
type StationsStated struct {
	Edit      string   `json:"edit"`
	From      *Station `json:"from,omitempty"` // absent where not known
	Recording string   `json:"recording"`
	Replaces  int64    `json:"replaces,omitempty"`
	Span      Span     `json:"span"`
	To        *Station `json:"to,omitempty"`
}

// Station is a call sign with how it is known. It names no voice and no person.
type Station struct {
	Basis    string `json:"basis"` // self-identified, named, voice, guessed
	CallSign string `json:"call_sign"`
}

// String writes a station with how it is known; "?" where it is not.
func (s *Station) String() string {
	if s == nil {
		return "?"
	}
	return s.CallSign + " (" + s.Basis + ")"
}

// MarkSet marks seconds of a recording, or takes a mark off.
type MarkSet struct {
	Edit      string `json:"edit"`
	Mark      string `json:"mark"` // distress, return
	Note      string `json:"note,omitempty"`
	Off       bool   `json:"off,omitempty"`
	Recording string `json:"recording"`
	Replaces  int64  `json:"replaces,omitempty"`
	Span      Span   `json:"span"`
}

// TransmissionPlayed says that its author played a transmission from end to end.
type TransmissionPlayed struct {
	Recording string `json:"recording"`
	Span      Span   `json:"span"`
}

// Roles that people have in a case.
const (
	RoleCollector    = "collector"    // hands in recordings
	RoleListener     = "listener"     // walks the transmissions, corrects text
	RoleTranslator   = "translator"   // writes translations
	RoleInvestigator = "investigator" // searches and takes away
	RoleReviewer     = "reviewer"     // the second listener: sees no words before having written their own
	RoleEditor       = "editor"       // writes the story
	RoleAdmin        = "admin"        // everything
)

// Roles lists them.
var Roles = [...]string{RoleCollector, RoleListener, RoleTranslator, RoleInvestigator, RoleReviewer, RoleEditor, RoleAdmin}

// PersonAdmitted says in which role somebody works in the case from here on. Whoever opens the case's folder itself has
// every right, with or without such an entry.
type PersonAdmitted struct {
	Edit     string `json:"edit"`
	Person   string `json:"person"`             // the name that their entries have as author
	Replaces int64  `json:"replaces,omitempty"` // index of the entry that said so before
	Role     string `json:"role,omitempty"`     // one of Roles; absent where they do not work in it any more
}

// Validate reports why p cannot be what a person states.
func (p PersonAdmitted) Validate() error {
	if err := written(p.Edit, p.Replaces); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(p.Person) != p.Person || p.Person == "" || len(p.Person) > MaxNameBytes:
		return Invalid("a name has 1 to %d bytes, without spaces at its ends", MaxNameBytes)
	case p.Role == "" && p.Replaces == 0:
		return Invalid("somebody who was never admitted cannot leave")
	case p.Role != "" && !slices.Contains(Roles[:], p.Role):
		return Invalid("%q is no role", p.Role).WithHint("the roles are %s", strings.Join(Roles[:], ", "))
	}
	return nil
}

var (
	editForm     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// Validate reports why u cannot be what a person writes.
func (u UtteranceWritten) Validate() error {
	if err := cmp.Or(written(u.Edit, u.Replaces), inSpan(u.Span)); err != nil {
		return err
	}
	switch {
	case u.Language != "" && !languageForm.MatchString(u.Language):
		return Invalid("%q is no code of a language", u.Language)
	case len(u.Pieces) == 0 && u.Replaces == 0:
		return Invalid("an utterance that replaces none has words")
	case u.Blind && u.Replaces != 0:
		return Invalid("what is written blind replaces nothing")
	case len(Wording(u.Pieces)) > MaxWordingBytes:
		return Invalid("an utterance has at most %d bytes", MaxWordingBytes)
	}
	for i, p := range u.Pieces {
		if err := p.validate(); err != nil {
			return Invalid("piece %d", i+1).Because(err)
		}
	}
	if again, err := ParseWording(Wording(u.Pieces)); err != nil || !slices.EqualFunc(again, u.Pieces, samePiece) {
		return Invalid("the pieces are not as their text would be read")
	}
	return nil
}

func samePiece(a, b Piece) bool {
	return a.InaudibleMilli == b.InaudibleMilli && a.Text == b.Text && slices.Equal(a.Rivals, b.Rivals)
}

func (p Piece) validate() error {
	forms := 0
	for _, is := range []bool{p.InaudibleMilli != 0, len(p.Rivals) > 0, p.Text != ""} {
		if is {
			forms++
		}
	}
	switch {
	case forms != 1:
		return Invalid("a piece is words, rival hearings, or inaudible")
	case p.InaudibleMilli < 0 || p.InaudibleMilli > 3_600_000 || p.InaudibleMilli%100 != 0:
		return Invalid("inaudible for %d ms: tenths of a second up to an hour are meant", p.InaudibleMilli)
	}
	return nil
}

// Validate reports why t cannot be what a person writes.
func (t TranslationWritten) Validate() error {
	if err := cmp.Or(written(t.Edit, t.Replaces), inSpan(t.Span)); err != nil {
		return err
	}
	switch {
	case !languageForm.MatchString(t.Language):
		return Invalid("%q is no code of a language", t.Language)
	case t.Text == "" && t.Replaces == 0:
		return Invalid("a translation that replaces none has words")
	case len(t.Text) > MaxWordingBytes:
		return Invalid("a translation has at most %d bytes", MaxWordingBytes)
	case t.Of <= 0:
		return Invalid("a translation names the entry whose words it translates")
	}
	return nil
}

// Validate reports why c cannot be what a person states.
func (c TransmissionsCut) Validate() error {
	if err := written(c.Edit, 0); err != nil {
		return err
	}
	if len(c.Was)+len(c.Now) == 0 {
		return Invalid("it cuts nothing")
	}
	for _, list := range [][]Span{c.Was, c.Now} {
		for i, s := range list {
			if err := inSpan(s); err != nil {
				return err
			}
			if i > 0 && (list[i-1].From > s.From || list[i-1] == s) {
				return Invalid("spans stand in the order of their start, each once")
			}
		}
	}
	for _, s := range c.Now {
		if slices.Contains(c.Was, s) {
			return Invalid("%d-%d is not changed", s.From, s.To)
		}
	}
	return nil
}

// Validate reports why s cannot be what a person states.
func (s StationsStated) Validate() error {
	if err := cmp.Or(written(s.Edit, s.Replaces), inSpan(s.Span)); err != nil {
		return err
	}
	if s.From == nil && s.To == nil && s.Replaces == 0 {
		return Invalid("it names no station")
	}
	for _, st := range []*Station{s.From, s.To} {
		switch {
		case st == nil:
		case !slices.Contains([]string{BasisSelf, BasisNamed, BasisVoice, BasisGuessed}, st.Basis):
			return Invalid("%q is no basis of a call sign", st.Basis)
		case strings.TrimSpace(st.CallSign) == "" || len(st.CallSign) > MaxNameBytes:
			return Invalid("a call sign has 1 to %d bytes", MaxNameBytes)
		}
	}
	return nil
}

// Validate reports why m cannot be what a person states.
func (m MarkSet) Validate() error {
	if err := cmp.Or(written(m.Edit, m.Replaces), inSpan(m.Span)); err != nil {
		return err
	}
	switch {
	case m.Mark != MarkDistress && m.Mark != MarkReturn:
		return Invalid("%q is no mark", m.Mark)
	case len(m.Note) > MaxNoteBytes:
		return Invalid("a note has at most %d bytes", MaxNoteBytes)
	case m.Off && m.Replaces == 0:
		return Invalid("there is no mark to take off")
	}
	return nil
}

func written(edit string, replaces int64) error {
	switch {
	case !editForm.MatchString(edit):
		return Invalid("%q is not the 32 hexadecimal digits of an edit", edit)
	case replaces < 0:
		return Invalid("%d is no index of an entry", replaces)
	}
	return nil
}

func inSpan(s Span) error {
	if s.From < 0 || s.To <= s.From {
		return Invalid("%d-%d is no span", s.From, s.To)
	}
	return nil
}

var pieceForm = regexp.MustCompile(`\[inaudible ([0-9]{1,4})(?:\.([0-9]))? s\]|\[([^\[\]/]*[^\[\]/ ](?: / [^\[\]/ ][^\[\]/]*)+)\]`)

// ParseWording reads words as a person types them: "[inaudible 1.2 s]" is a piece of that length, "[мост / пост]" two
// rival hearings, everything else words. Spaces at the ends are dropped.
func ParseWording(s string) ([]Piece, error) {
	s = strings.TrimSpace(s)
	var out []Piece
	for s != "" {
		m := pieceForm.FindStringSubmatchIndex(s)
		if m == nil {
			return append(out, Piece{Text: s}), nil
		}
		if m[0] > 0 {
			out = append(out, Piece{Text: s[:m[0]]})
		}
		if m[2] >= 0 {
			milli, err := strconv.ParseInt(s[m[2]:m[3]], 10, 64)
			if err != nil {
				return nil, Invalid("%q is no length", s[m[2]:m[3]])
			}
			milli *= 1000
			if m[4] >= 0 {
				milli += 100 * int64(s[m[4]]-'0')
			}
			if milli == 0 {
				return nil, Invalid("what is inaudible lasts at least 0.1 s")
			}
			out = append(out, Piece{InaudibleMilli: milli})
		} else {
			rivals := strings.Split(s[m[6]:m[7]], " / ")
			for i, r := range rivals {
				rivals[i] = strings.TrimSpace(r)
			}
			out = append(out, Piece{Rivals: rivals})
		}
		s = s[m[1]:]
	}
	return out, nil
}

// Wording writes pieces as a person types them.
func Wording(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case p.InaudibleMilli != 0:
			d := time.Duration(p.InaudibleMilli) * time.Millisecond
			fmt.Fprintf(&b, "[inaudible %s s]", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
		case len(p.Rivals) > 0:
			b.WriteString("[" + strings.Join(p.Rivals, " / ") + "]")
		default:
			b.WriteString(p.Text)
		}
	}
	return b.String()
}
