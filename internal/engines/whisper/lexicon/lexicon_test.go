package lexicon

import (
	"math"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

// worth writes words after each other and returns what the lexicon gave them.
func worth(l *Lexicon, v *vocabulary.Vocabulary, words ...string) float64 {
	var p Place
	sum := 0.0
	for _, w := range words {
		for _, t := range v.Encode(w) {
			var gain float64
			p, gain = l.Next(p, t)
			sum += gain
		}
	}
	_, gain := l.Next(p, v.End)
	return sum + gain
}

func TestOnlyFinishedWordsAreWorthSomething(t *testing.T) {
	v, err := vocabulary.New(51865)
	if err != nil {
		t.Fatal(err)
	}
	l := New(v, []string{"Мотыжин", "заря  один", ""}, 0.5, 1.2)
	full := min(1.2, 0.5*float64(len(v.Encode(" Мотыжин"))))
	for _, c := range []struct {
		words []string
		want  float64
	}{
		{[]string{" Мотыжин"}, full},
		{[]string{" мотыжин"}, min(1.2, 0.5*float64(len(v.Encode(" мотыжин"))))},
		{[]string{" у", " Мотыжин", ",", " приём"}, full},
		{[]string{" Мотыжин", "ка"}, 0},
		{[]string{" Мотыжин", " Мотыжин"}, 2 * full},
		{[]string{" Мот", "ор"}, 0},
		{[]string{" заря"}, 0},
		{[]string{" заря", " один"}, 1.2},
		{[]string{" Заря", " два"}, 0},
		{[]string{" берег"}, 0},
		{nil, 0},
	} {
		if got := worth(l, v, c.words...); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%q is given %.2f, want %.2f", c.words, got, c.want)
		}
	}
	if open := l.Open(Place{}); !slices.Contains(open, v.Encode(" Мотыжин")[0]) || len(open) < 3 {
		t.Errorf("words begin with %v", open)
	}
}
