package vocabulary

import (
	"math"
	"slices"
	"testing"
)

func vocabularyOf(t testing.TB, words int) *Vocabulary {
	t.Helper()
	v, err := New(words)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The tokens that are never written are those that openai-whisper suppresses by default.
func TestTokensNeverWritten(t *testing.T) {
	want := []int{1, 2, 7, 8, 9, 10, 14, 25, 26, 27, 28, 29, 31, 58, 59, 60, 61, 62, 63, 90, 91, 92, 93, 359, 503, 522, 542, 873, 893, 902, 918,
		922, 931, 1350, 1853, 1982, 2460, 2627, 3246, 3253, 3268, 3536, 3846, 3961, 4183, 4667, 6585, 6647, 7273, 9061, 9383, 10428, 10929,
		11938, 12033, 12331, 12562, 13793, 14157, 14635, 15265, 15618, 16553, 16604, 18362, 18956, 20075, 21675, 22520, 26130, 26161,
		26435, 28279, 29464, 31650, 32302, 32470, 36865, 42863, 47425, 49870, 50254}
	var got []int
	v := vocabularyOf(t, 51865)
	for id, never := range v.never {
		if never {
			got = append(got, id)
		}
	}
	if !slices.Equal(got, want) {
		for _, id := range want {
			if !slices.Contains(got, id) {
				t.Errorf("token %d %q may be written", id, v.Text[id])
			}
		}
		for _, id := range got {
			if !slices.Contains(want, id) {
				t.Errorf("token %d %q may not be written", id, v.Text[id])
			}
		}
	}
	for _, id := range v.labels {
		if !v.never[id] {
			t.Errorf("token %d %q opens a label and may be written", id, v.Text[id])
		}
	}
}

func TestSpecialTokens(t *testing.T) {
	for words, want := range map[int][6]int{51865: {50257, 50258, 50263, 50359, 50362, 50363}, 51866: {50257, 50258, 50263, 50360, 50363, 50364}} {
		v := vocabularyOf(t, words)
		if got := [6]int{v.End, v.Start, v.Language("ru"), v.Transcribe, v.NoSpeech, v.NoTimestamps}; got != want || v.blank != 220 {
			t.Errorf("of %d words: %v and blank %d, want %v and 220", words, got, v.blank, want)
		}
	}
	if _, err := New(50257); err == nil {
		t.Error("a vocabulary without languages was taken")
	}
}

// A choice is a most probable token that may be written; its two probabilities are of different wholes.
func TestTop(t *testing.T) {
	v := vocabularyOf(t, 51865)
	scores := make([]float32, 51865)
	for i := range scores {
		scores[i] = -50
	}
	open, word, other := v.Encode("[")[0], v.Encode(" дом")[0], v.Encode(" лес")[0]
	scores[open], scores[word], scores[other], scores[v.End] = 2, 1, 0.5, 0
	all := math.Exp(2) + math.Exp(1) + math.Exp(0.5) + 1
	logp := func() []float32 {
		out := make([]float32, len(scores))
		for i, s := range scores {
			out[i] = s - float32(math.Log(all))
		}
		return out
	}
	c := v.Top(logp(), 2, true)
	if c[0].Token != word || c[1].Token != other || math.Abs(math.Exp(c[0].All)-math.Exp(1)/all) > 1e-6 ||
		math.Abs(math.Exp(c[0].Log)-math.Exp(1)/(math.Exp(1)+math.Exp(0.5))) > 1e-5 || math.Abs(v.Labelled(logp())-math.Exp(2)/all) > 1e-6 {
		t.Errorf("first choices %+v", c)
	}
	all += math.Exp(5) - 1
	scores[v.End] = 5
	if c := v.Top(logp(), 1, true); c[0].Token != word {
		t.Errorf("the first token is %d, the end", c[0].Token)
	}
	if c := v.Top(logp(), 1, false); c[0].Token != v.End {
		t.Errorf("choice %+v, want the end", c)
	}
	if c := v.Top(logp(), 1000, false); len(c) != 1000 || c[999].All > c[1].All {
		t.Errorf("%d choices", len(c))
	}
	drawn := map[int]int{}
	for i := range 1000 {
		drawn[v.Draw(logp(), 1, (float64(i)+0.5)/1000, true).Token]++
	}
	if n := drawn[word]; n < 600 || n > 640 || drawn[word]+drawn[other] != 1000 {
		t.Errorf("drawn %v, want the word 622 times and the other for the rest", drawn)
	}
}

func TestExp(t *testing.T) {
	for x := -86.9; x <= 0; x += 0.0173 {
		want := math.Exp(float64(float32(x)))
		if got := float64(exp32(float32(x))); math.Abs(got-want) > 3e-7*want {
			t.Fatalf("exp32(%v) = %v, want %v", x, got, want)
		}
	}
	for x, want := range map[float32]float32{0: 1, -1000: 0, float32(math.Inf(-1)): 0, float32(math.NaN()): 0} {
		if got := exp32(x); got != want {
			t.Errorf("exp32(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestLatin(t *testing.T) {
	for text, want := range map[string]bool{"": true, "Over, 15!": true, "café": true, "Over, приём": false, "Київ": false, "了解": false} {
		if Latin(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
