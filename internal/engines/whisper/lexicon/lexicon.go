// Package lexicon raises the odds of the words of a case (call signs, places) by a bounded amount while a text is being
// written token by token. A word that is begun and not finished gives back what it was given.
package lexicon

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

// Lexicon is a set of words and phrases, as tokens.
type Lexicon struct {
	v     *vocabulary.Vocabulary
	root  *node
	token float64 // what a token of a word is worth, in nats
	most  float64 // what a word is worth at most
}

type node struct {
	next map[int]*node
	word bool // a word ends here
	open []int
}

// New makes a lexicon. Words are taken as they are written, in small letters, and with a capital.
func New(v *vocabulary.Vocabulary, words []string, token, most float64) *Lexicon {
	l := &Lexicon{v: v, root: &node{next: map[int]*node{}}, token: token, most: most}
	for _, w := range words {
		w = strings.Join(strings.Fields(w), " ")
		if w == "" {
			continue
		}
		small := strings.ToLower(w)
		first, n := utf8.DecodeRuneInString(small)
		for _, form := range []string{w, small, string(unicode.ToUpper(first)) + small[n:]} {
			l.add(form)
		}
	}
	return l
}

func (l *Lexicon) add(phrase string) {
	at := l.root
	for _, word := range strings.Fields(phrase) {
		for _, t := range l.v.Encode(" " + word) {
			if at.next[t] == nil {
				at.next[t] = &node{next: map[int]*node{}}
				at.open = append(at.open, t)
				slices.Sort(at.open)
			}
			at = at.next[t]
		}
	}
	at.word = true
}

// Place is how far a text has come in a word of the lexicon; the zero value is a text outside any.
type Place struct {
	at   *node
	owed float64 // given for a word that is not finished
}

// Open are the tokens that begin a word or go on with the one that a text is in.
func (l *Lexicon) Open(p Place) []int {
	if p.at == nil {
		return l.root.open
	}
	return slices.Concat(p.at.open, l.root.open)
}

// Next is where a text comes with one more token, and what that changes of its log-probability.
func (l *Lexicon) Next(p Place, token int) (Place, float64) {
	if p.at != nil {
		if n := p.at.next[token]; n != nil {
			gain := min(l.token, l.most-p.owed)
			return Place{n, p.owed + gain}, gain
		}
	}
	back := 0.0
	if p.at != nil && !(p.at.word && l.outside(token)) {
		back = -p.owed // begun and not finished, or the beginning of another word
	}
	if n := l.root.next[token]; n != nil {
		gain := min(l.token, l.most)
		return Place{n, gain}, back + gain
	}
	return Place{}, back
}

// outside says whether a token does not go on with a word: a space, a mark, the end.
func (l *Lexicon) outside(token int) bool {
	if token >= len(l.v.Text) || len(l.v.Text[token]) == 0 {
		return true
	}
	r, _ := utf8.DecodeRune(l.v.Text[token])
	return r != utf8.RuneError && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}
