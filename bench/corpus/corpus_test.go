package corpus

import (
	"math"
	"testing"
)

func TestWordTimes(t *testing.T) {
	ps, err := labels([]byte("#\n0.3 125 pau\n0.4 125 a\n0.5 125 n\n0.6 125 aa\n0.9 125 pau\n1.0 125 s\n1.2 125 uu\n1.3 125 h\n1.5 125 pau\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := wordTimes([]spoken{{"Он+а", []string{"a", "n", "aa"}}, {"с", []string{"z"}}, {"ухо", []string{"uu", "h", "a"}}}, ps)
	if got[0] != (Timed{"Она", 0.3, 0.6}) {
		t.Errorf("%v", got[0])
	}
	if !math.IsNaN(got[1].Start) || !math.IsNaN(got[1].End) {
		t.Errorf("a word that the labels do not have: %v", got[1])
	}
	if got[2].Start != 1 || !math.IsNaN(got[2].End) {
		t.Errorf("a word whose last phone is missing: %v", got[2])
	}
	for _, bad := range []string{"", "0.3 125 pau", "#\n0.3 pau", "#\nx 125 a"} {
		if _, err := labels([]byte(bad)); err == nil {
			t.Errorf("labels %q are taken", bad)
		}
	}
}

// The real corpus, where it is installed: every word of the sample has its times, in order.
func TestWordTimesOfTheCorpus(t *testing.T) {
	odd, _, err := Utterances(Dir)
	if err != nil {
		t.Skip(err)
	}
	for _, u := range odd {
		if u.Number%2 == 0 {
			t.Errorf("%s is for fitting", u.Name)
		}
	}
	us := Evenly(odd, 16)
	times, err := Words(us)
	if err != nil {
		t.Fatal(err)
	}
	words, without := 0, 0
	for _, u := range us {
		last := 0.0
		for _, w := range times[u.Name] {
			words++
			if math.IsNaN(w.Start) || math.IsNaN(w.End) {
				without++
				continue
			}
			if w.Start < last-1e-9 || w.End <= w.Start {
				t.Errorf("%s: %v after %v", u.Name, w, last)
			}
			last = w.End
		}
	}
	if words < 200 || without*20 > words {
		t.Errorf("%d of %d words have no times", without, words)
	}
}
