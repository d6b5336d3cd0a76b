package search

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
)

func FuzzParseQuery(f *testing.F) {
	for _, q := range append(probes, `a OR b -c -"d e" «f g» x~ y* lang:ru snr:>1.5 date:2022-02-27..2022-03-01 from:2022-01-01T10:00Z`, "(a", "-", "--a", `""`, "a:b", "-lang:uk") {
		f.Add(q)
	}
	x := openIndex(f, filepath.Join(f.TempDir(), "derived.db"), sampleCase(f))
	f.Fuzz(func(t *testing.T, s string) {
		q, err := ParseQuery(s)
		if err != nil {
			if evidence.KindOf(err) != evidence.KindInvalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		for _, group := range q.all {
			for _, term := range group {
				if term.kind == termWord && fold(s[term.from:min(term.to, term.from+maxWord)]) != term.words[0] {
					t.Errorf("%q: %q does not stand at %d-%d", s, term.words, term.from, term.to)
				}
			}
		}
		if _, err := x.Search(context.Background(), s, Options{}); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func FuzzTokens(f *testing.F) {
	f.Add("П'ять танків \u202e \xff Ёж")
	f.Fuzz(func(t *testing.T, s string) {
		st := newStemmer()
		for _, tok := range tokens(s) {
			if again := fold(tok.word); again != tok.word {
				t.Errorf("%q folds again to %q", tok.word, again)
			}
			if v := st.of(tok.word); v.first == "" || strings.ContainsAny(v.first+v.uk, "\" \n") || !utf8.ValidString(v.first+v.uk) {
				t.Errorf("%q has stems %+v", tok.word, v)
			}
		}
	})
}
