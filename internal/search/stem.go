package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/russian"
)

// stems are what a word may share with its other forms. Machines confuse Russian with Ukrainian in short
// transmissions, and people mix them: a Cyrillic word has a stem of each, whatever its line is
// labelled, and two words are forms of one where either agrees.
type stems struct {
	first string // by the Russian stemmer, or for words without Cyrillic the English one
	uk    string // by the Ukrainian stemmer; empty for words without Cyrillic
}

// stemmer makes stems. It remembers those it made, for words come again. It is not safe for concurrent
// use.
type stemmer struct {
	env   *snowballstem.Env
	known map[string]stems
}

func newStemmer() *stemmer {
	return &stemmer{env: snowballstem.NewEnv(""), known: map[string]stems{}}
}

// maxStemmed is how many bytes a word may have to be stemmed; no word of a language is longer.
const maxStemmed = 120

// of returns the stems of a folded word.
func (s *stemmer) of(word string) stems {
	if v, ok := s.known[word]; ok {
		return v
	}
	v := stems{first: word}
	cyrillic := strings.ContainsFunc(word, func(r rune) bool { return r >= 0x400 && r < 0x530 })
	if cyrillic {
		v.uk = word
	}
	if len(word) <= maxStemmed {
		s.env.SetCurrent(word)
		if cyrillic {
			russian.Stem(s.env)
			v.uk = ukrainian(word)
		} else {
			english.Stem(s.env)
		}
		if c := s.env.Current(); c != "" {
			v.first = c
		}
	}
	if len(s.known) >= 200000 {
		clear(s.known)
	}
	s.known[word] = v
	return v
}

// ukrainianEndings are cut off, the longest first.
var ukrainianEndings = byLength(strings.Fields(`
	а я у ю о е є и і ї й ь
	ою ею єю ом ем єм ам ям ах ях ами ями ей
	ий ій ого його ому йому им їм ої єї їй их їх ими їми ую юю ее яя
	іти їти іла іло іли їла їло їли ав яв ив ув ала яла ила ула ало яло ило али яли или ули ати яти ити ути
	ує ють уть ить ять ать еш єш иш їш ете єте ите їте емо ємо имо їмо
	ував увала ували увати ують уємо уєте уєш ував
	ши вши ючи учи ачи ячи
	ення ення енням енні ання анням анні
`))

func byLength(list []string) []string {
	slices.SortFunc(list, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(list)
}

// ukrainian is a light stemmer: it cuts endings and undoes the commonest changes of sound, so that the
// forms of a word come out as one stem, or two. It would rather put two words together than keep the
// forms of one apart. The word is folded (see fold), so that it has no apostrophes.
func ukrainian(word string) string {
	w := word
	if rest, ok := cut(w, 4, "ся", "сь"); ok {
		w = rest
	}
	if rest, ok := cut(w, 3, "інь"); ok { // Ірпінь, Ірпеня; камінь, каменя
		w = rest + "ень"
	}
	w, _ = cut(w, 2, ukrainianEndings...)
	// Макарів, Макарова; Харків, Харкова; танків, танкові: what is left may still end in -ов or -ів.
	w, _ = cut(w, 4, "ов", "ів", "ев", "єв", "їв")
	w = strings.ReplaceAll(w, "ь", "")
	r := []rune(w)
	n := len(r)
	if n > 3 && r[n-1] == r[n-2] { // знання, знань
		n--
	}
	if n > 4 && (r[n-1] == 'ц' || r[n-1] == 'к') && (r[n-2] == 'е' || r[n-2] == 'о') { // хлопець, хлопця; ринок, ринку
		r[n-2] = r[n-1]
		n--
	}
	r = r[:n]
	if n > 2 {
		switch r[n-1] {
		case 'ц': // Бородянка, Бородянці
			r[n-1] = 'к'
		case 'з': // дорога, дорозі
			r[n-1] = 'г'
		}
	}
	for i := n - 2; i >= 0 && i >= n-3; i-- { // міст, мосту; Київ, Києва
		if strings.ContainsRune("аеєиіїоуюя", r[i]) {
			switch r[i] {
			case 'і':
				r[i] = 'о'
			case 'ї':
				r[i] = 'є'
			}
			break
		}
	}
	return string(r)
}

// cut takes the first of the endings that w has off it, where at least keep letters are left.
func cut(w string, keep int, endings ...string) (string, bool) {
	for _, e := range endings {
		if rest, ok := strings.CutSuffix(w, e); ok && utf8.RuneCountInString(rest) >= keep {
			return rest, true
		}
	}
	return w, false
}
