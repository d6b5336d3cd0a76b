package timing

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func noise(level, seconds float64, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, int(seconds*rate))
	for i := range out {
		out[i] = float32(level * r.NormFloat64())
	}
	return out
}

func TestSettle(t *testing.T) {
	pauses := []Rest{{0, 0.5}, {1.2, 1.5}, {2.4, 3}}
	words := []Word{{Text: "a", Start: 0.38, End: 1.33}, {Text: "b", Start: 1.33, End: 2}, {Text: "c", Start: 2, End: 2.6}}
	Settle(words, pauses)
	want := []Word{{Text: "a", Start: 0.5, End: 1.2}, {Text: "b", Start: 1.5, End: 2}, {Text: "c", Start: 2, End: 2.4}}
	if !slices.Equal(words, want) {
		t.Errorf("got  %+v\nwant %+v", words, want)
	}
	// A pause that would swallow a word, or is far off, moves nothing.
	words = []Word{{Text: "a", Start: 1.25, End: 1.45}, {Text: "b", Start: 1.45, End: 2}}
	Settle(words, []Rest{{1.2, 1.5}, {2.5, 3}})
	if words[0].Start != 1.25 || words[0].End != 1.45 || words[1].End != 2 {
		t.Errorf("%+v", words)
	}
	Settle(nil, pauses)
}

func TestRestsAreSeenOnlyWhereSpeechStandsOut(t *testing.T) {
	x := noise(0.001, 3, 1)
	for i := rate / 2; i < rate; i++ {
		x[i] += float32(0.3 * math.Sin(float64(i)*0.2))
	}
	for i := 3 * rate / 2; i < 3*rate; i++ {
		x[i] += float32(0.3 * math.Sin(float64(i)*0.2))
	}
	got := Rests(x)
	if len(got) != 2 || math.Abs(got[0].to-0.5) > 0.02 || math.Abs(got[1].from-1) > 0.02 || math.Abs(got[1].to-1.5) > 0.02 {
		t.Errorf("%+v", got)
	}
	if got := Rests(noise(0.1, 3, 2)); got != nil {
		t.Errorf("in noise alone: %+v", got)
	}
	if got := Rests(x[:100]); got != nil {
		t.Errorf("in a moment: %+v", got)
	}
}

// Attention that moves forward evenly gives back the times it was made from.
func TestAlignmentFollowsAttention(t *testing.T) {
	const rows, heads, width, prompt = 9, 2, 60, 4
	starts := []int{0, 8, 20, 31, 40, 52} // of rows 3 to 8
	att := make([]float32, rows*heads*width)
	for r := prompt - 1; r < rows; r++ {
		from, to := starts[r-prompt+1], width
		if r-prompt+2 < len(starts) {
			to = starts[r-prompt+2]
		}
		for h := range heads {
			for f := from; f < to; f++ {
				att[(r*heads+h)*width+f] = 1 / float32(to-from)
			}
		}
	}
	got := Align(att, rows, heads, width, width, prompt, 7)
	for i, want := range starts {
		if math.Abs(float64(got[i]-want)) > 1 {
			t.Errorf("row %d begins at frame %d, want %d", i, got[i], want)
		}
	}
	if got := Align(make([]float32, rows*heads*width), rows, heads, width, 2, prompt, 7); len(got) != rows-prompt+1 {
		t.Errorf("of no attention at all: %v", got)
	}
}
