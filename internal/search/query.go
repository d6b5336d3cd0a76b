package search

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

// Query is a parsed query; docs/search.md describes the language.
type Query struct {
	all     [][]term // every group must match; a group matches where one of its terms does
	not     []term   // none may match
	filters []filter
}

// How a term matches.
type termKind int

const (
	termWord   termKind = iota // any form of the word
	termPhrase                 // exactly these words in this order
	termPrefix                 // words that begin so
	termFuzzy                  // words spelled nearly so
)

// term is one thing to look for in the text.
type term struct {
	kind     termKind
	words    []string // folded; one, but for a phrase
	from, to int      // bytes of the query where a termWord stands
}

// filter narrows by something other than the text.
type filter struct {
	key    string
	negate bool
	value  string   // folded, or as written where the case matters
	bounds [2]int64 // of a time, in milliseconds (date, from, to), or a ratio, in 1/100 dB (snr): from, to (to not included)
	zoned  bool     // the time was written with an offset: bounds are instants, else by the recording's own clock
}

// Limits of a query.
const (
	maxQueryBytes = 4096
	maxTerms      = 64
)

// The filters there are, in the order in which they are documented.
var filterKeys = []string{"rec", "lang", "state", "sound", "date", "from", "to", "snr"}

// ParseQuery reads a query. What cannot be meant is an Invalid error that says what to write instead.
func ParseQuery(s string) (Query, error) {
	var q Query
	written := s
	if len(s) > maxQueryBytes {
		return q, evidence.Invalid("the query has %d bytes, which is over the limit of %d", len(s), maxQueryBytes)
	}
	if !utf8.ValidString(s) {
		return q, evidence.Invalid("the query is not valid UTF-8")
	}
	terms := 0
	or := false // the next term joins the last group
	for {
		p, rest, err := nextPiece(s)
		if err != nil {
			return q, err
		}
		if p == (piece{}) {
			break
		}
		s = rest
		if p.text == "OR" && !p.quoted && !p.minus && p.key == "" {
			if or || len(q.all) == 0 {
				return q, evidence.Invalid("OR stands between two words").WithHint("write: топливо OR паливо")
			}
			or = true
			continue
		}
		if p.key != "" {
			if or {
				return q, evidence.Invalid("OR stands between two words, and %s: is a filter", p.key).WithHint("a filter given twice means either: lang:ru lang:uk")
			}
			f, err := parseFilter(p)
			if err != nil {
				return q, err
			}
			q.filters = append(q.filters, f)
			continue
		}
		found, err := parseTerms(p, len(written)-len(rest)-len(p.text))
		if err != nil {
			return q, err
		}
		if terms += len(found); terms > maxTerms {
			return q, evidence.Invalid("the query has more than %d words", maxTerms)
		}
		switch {
		case p.minus && or:
			return q, evidence.Invalid("OR stands between two words, and -%s excludes one", p.text)
		case p.minus && len(found) > 1:
			// -по-русски excludes the words where they stand together, not each of them.
			words := make([]string, len(found))
			for i, t := range found {
				words[i] = t.words[0]
			}
			q.not = append(q.not, term{kind: termPhrase, words: words})
		case p.minus:
			q.not = append(q.not, found...)
		case or && len(found) == 1:
			last := len(q.all) - 1
			q.all[last] = append(q.all[last], found[0])
			or = false
		case or && len(found) > 1:
			return q, evidence.Invalid("OR stands between two words, and %q is several", p.text).WithHint("put it in double quotes")
		default:
			for _, t := range found {
				q.all = append(q.all, []term{t})
			}
		}
	}
	if or {
		return q, evidence.Invalid("OR stands between two words, and nothing follows it")
	}
	if len(q.all) == 0 && len(q.not) == 0 && len(q.filters) == 0 {
		return q, evidence.Invalid("the query holds nothing to look for").WithHint("write a word, or a filter such as lang:uk; see docs/search.md")
	}
	return q, nil
}

// piece is a word, a phrase or a filter as written.
type piece struct {
	minus  bool
	key    string // of a filter
	text   string
	quoted bool
	suffix byte // '*' or '~' after the text
}

// nextPiece cuts the first piece off s; an empty one means that nothing is left.
func nextPiece(s string) (p piece, rest string, err error) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	if s == "" {
		return p, "", nil
	}
	whole := s
	if after, ok := strings.CutPrefix(s, "-"); ok && after != "" && !unicode.IsSpace(firstRune(after)) {
		p.minus, s = true, after
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }); i > 0 && s[i] == ':' {
		p.key, s = strings.ToLower(s[:i]), s[i+1:]
	}
	if q, after, ok := cutQuote(s); ok {
		text, rest, found := strings.Cut(after, q)
		if !found {
			return p, "", evidence.Invalid("a quotation mark is not closed").WithHint("write the phrase between two double quotes")
		}
		p.text, p.quoted = text, true
		if p.key == "" && (strings.HasPrefix(rest, "*") || strings.HasPrefix(rest, "~")) {
			return p, "", evidence.Invalid("%c goes with a single word, not with a phrase", rest[0])
		}
		return p, rest, nil
	}
	i := strings.IndexFunc(s, unicode.IsSpace)
	if i < 0 {
		i = len(s)
	}
	p.text, rest = s[:i], s[i:]
	if p.key == "" && (strings.HasPrefix(p.text, "(") || strings.HasSuffix(p.text, ")")) {
		return p, "", evidence.Invalid("brackets have no meaning in a query").WithHint("OR binds first: `a OR b c` finds c with either a or b")
	}
	if p.key == "" && len(p.text) > 1 && (strings.HasSuffix(p.text, "*") || strings.HasSuffix(p.text, "~")) {
		p.suffix = p.text[len(p.text)-1]
		p.text = p.text[:len(p.text)-1]
	}
	if p == (piece{}) { // cannot be, as s is not blank; but never loop
		return piece{text: whole}, "", nil
	}
	return p, rest, nil
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// cutQuote takes an opening quotation mark off s and returns the one that closes it.
func cutQuote(s string) (closing, rest string, ok bool) {
	for _, q := range [...][2]string{{`"`, `"`}, {"«", "»"}, {"“", "”"}, {"„", "“"}} {
		if rest, ok := strings.CutPrefix(s, q[0]); ok {
			return q[1], rest, true
		}
	}
	return "", s, false
}

// parseTerms returns what p looks for: one term, several for a word with a hyphen, none for punctuation.
// Where p is a plain word, at is where its text stands in the query.
func parseTerms(p piece, at int) ([]term, error) {
	var words []string
	found := tokens(p.text)
	for _, t := range found {
		words = append(words, t.word)
	}
	switch {
	case len(words) == 0:
		return nil, nil
	case p.quoted:
		if len(words) > maxTerms {
			return nil, evidence.Invalid("the query has more than %d words", maxTerms)
		}
		return []term{{kind: termPhrase, words: words}}, nil
	case p.suffix == 0:
		out := make([]term, len(words))
		for i, w := range words {
			out[i] = term{termWord, []string{w}, at + found[i].from, at + found[i].to}
		}
		return out, nil
	case len(words) > 1:
		return nil, evidence.Invalid("%c goes with a single word, and %q is several", p.suffix, p.text)
	case p.suffix == '*':
		if utf8.RuneCountInString(words[0]) < 2 {
			return nil, evidence.Invalid("%s* would find nearly every word", p.text).WithHint("write at least two letters before *")
		}
		return []term{{kind: termPrefix, words: words}}, nil
	default:
		if utf8.RuneCountInString(words[0]) < 3 {
			return nil, evidence.Invalid("%s~ would find nearly every short word", p.text).WithHint("write at least three letters before ~")
		}
		return []term{{kind: termFuzzy, words: words}}, nil
	}
}

func parseFilter(p piece) (filter, error) {
	f := filter{key: p.key, negate: p.minus, value: strings.ToLower(p.text)}
	if !slices.Contains(filterKeys, p.key) {
		return f, evidence.Invalid("there is no filter %s:", p.key).
			WithHint("the filters are %s:; a word with a colon goes in double quotes", strings.Join(filterKeys, ":, "))
	}
	if strings.TrimSpace(p.text) == "" {
		return f, evidence.Invalid("the filter %s: has no value", p.key).WithHint("write the value right after the colon, without a space")
	}
	var err error
	switch p.key {
	case "rec":
		f.value = foldName(p.text)
	case "lang":
		if !regexp.MustCompile(`^[a-z]{2,3}$`).MatchString(f.value) {
			return f, evidence.Invalid("lang:%s is not a language", p.text).WithHint("write its two-letter code, such as lang:uk")
		}
	case "state":
		f.value = strings.NewReplacer("-", " ", "_", " ").Replace(f.value)
		if !slices.Contains(transcript.States[:], f.value) {
			return f, evidence.Invalid("state:%s is not a state", p.text).WithHint(`the states are %s; one of several words goes in quotes or with hyphens: state:not-understood`, strings.Join(transcript.States[:], ", "))
		}
	case "sound":
		sounds := []string{evidence.SoundSpeech, evidence.SoundTone, evidence.SoundData, evidence.SoundMusic, evidence.SoundNoise}
		if !slices.Contains(sounds, f.value) {
			return f, evidence.Invalid("sound:%s is not a sound", p.text).WithHint("the sounds are %s", strings.Join(sounds, ", "))
		}
	case "snr":
		f.bounds, err = parseRatio(p.text)
	case "date":
		first, last, two := strings.Cut(p.text, "..")
		if !two {
			last = first
		}
		var a, b timeBounds
		if a, err = parseTime(first); err != nil {
			break
		}
		if b, err = parseTime(last); err != nil {
			break
		}
		if !a.day || !b.day {
			return f, evidence.Invalid("date: takes whole days").WithHint("write date:2022-02-27 or date:2022-02-27..2022-03-01, or use from: and to: for hours")
		}
		if b.to <= a.from {
			return f, evidence.Invalid("date:%s ends before it begins", p.text)
		}
		f.bounds = [2]int64{a.from, b.to}
	case "from", "to":
		if p.minus {
			return f, evidence.Invalid("-%s: has no meaning", p.key).WithHint("exchange from: and to:")
		}
		if !startsLikeTime.MatchString(p.text) {
			return f, evidence.Invalid("%s:%s asks who speaks or is addressed, and this version knows no speakers", p.key, p.text).
				WithHint("look for the call sign as a word; from: and to: take a time here, such as from:2022-02-27 or to:2022-02-27T14:30")
		}
		var b timeBounds
		b, err = parseTime(p.text)
		f.bounds, f.zoned = [2]int64{b.from, b.to}, b.zoned
	}
	return f, err
}

// foldName folds a part of a file name, or a recording's number.
func foldName(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			b.WriteRune(r)
		} else {
			b.WriteString("\x00")
			b.WriteRune(r)
			b.WriteString("\x00")
		}
	}
	parts := strings.Split(b.String(), "\x00")
	for i, p := range parts {
		if f := fold(p); f != "" {
			parts[i] = f
		}
	}
	return strings.Join(parts, "")
}

var startsLikeTime = regexp.MustCompile(`^[0-9]{4}-[0-9]`)

// timeBounds is a time as written: from it on, and where what it names has passed.
type timeBounds struct {
	from, to   int64 // Unix milliseconds; of a clock without an offset as if it were UTC
	day, zoned bool
}

func parseTime(s string) (timeBounds, error) {
	if t, err := time.Parse("2006-01-02", s); err == nil {
		return timeBounds{from: t.UnixMilli(), to: t.AddDate(0, 0, 1).UnixMilli(), day: true}, nil
	}
	s = strings.Replace(s, " ", "T", 1)
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			return timeBounds{from: t.UnixMilli(), to: t.UnixMilli()}, nil
		}
		if t, err := time.Parse(form+"Z07:00", s); err == nil {
			return timeBounds{from: t.UnixMilli(), to: t.UnixMilli(), zoned: true}, nil
		}
	}
	return timeBounds{}, evidence.Invalid("%q is not a date or a time", s).
		WithHint("write 2022-02-27, 2022-02-27T14:30 (by the recording's own clock) or 2022-02-27T14:30:00+02:00")
}

var ratioForm = regexp.MustCompile(`^(>=|<=|>|<)?(-?[0-9]{1,4}(?:\.[0-9]{1,2})?)(?:\.\.(-?[0-9]{1,4}(?:\.[0-9]{1,2})?))?$`)

func parseRatio(s string) ([2]int64, error) {
	const far = 1 << 40
	m := ratioForm.FindStringSubmatch(s)
	if m == nil || (m[1] == "") == (m[3] == "") {
		return [2]int64{}, evidence.Invalid("snr:%s is not a bound in decibels", s).WithHint("write snr:>10, snr:<=3 or snr:5..15")
	}
	cb := func(s string) int64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0 // cannot be: the form is that of a number
		}
		if f < 0 {
			return int64(f*100 - 0.5)
		}
		return int64(f*100 + 0.5)
	}
	n := cb(m[2])
	switch m[1] {
	case ">":
		return [2]int64{n + 1, far}, nil
	case ">=":
		return [2]int64{n, far}, nil
	case "<":
		return [2]int64{-far, n}, nil
	case "<=":
		return [2]int64{-far, n + 1}, nil
	}
	if cb(m[3]) < n {
		return [2]int64{}, evidence.Invalid("snr:%s ends before it begins", s)
	}
	return [2]int64{n, cb(m[3]) + 1}, nil
}
