package whisper

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestWordsOfAText(t *testing.T) {
	v := vocabularyOf(t, 51865)
	for _, c := range []struct{ lang, text, want string }{
		{"ru", " Берег, я Волна! Приём...", "Берег,|я|Волна!|Приём..."},
		{"ru", " Как-то ночью — «Понятно?» - тихо сказал", "Как-то|ночью —|«Понятно?» -|тихо|сказал"},
		{"en", " It's 3.5 or 1-0-0 \"quoted\" don't", "It's|3.5|or|1-0-0|\"quoted\"|don't"},
		{"ja", "今日は、いい天気", "今|日は、|いい|天|気"},
		{"en", " ...", ""},
		{"en", "", ""},
		{"uk", " п'ять — об'єкт", "п'ять —|об'єкт"},
	} {
		var got []string
		tokens := v.encode(c.text)
		next := 0
		for _, p := range split(v, tokens, c.lang) {
			got = append(got, strings.TrimSpace(p.text))
			if p.from < next || p.inner < p.from || p.outer > p.to || p.inner >= p.outer {
				t.Errorf("%q: piece %+v", c.text, p)
			}
			next = p.to
		}
		if c.lang == "ja" { // how many characters a token holds is the vocabulary's affair
			if strings.Join(got, "") != c.text {
				t.Errorf("%q: words %q", c.text, got)
			}
			continue
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q: words %q, want %q", c.text, strings.Join(got, "|"), c.want)
		}
	}
}

// Bytes that are no text come out as U+FFFD and end a piece: they cannot swallow what follows.
func TestWordsOfBrokenBytes(t *testing.T) {
	v := vocabularyOf(t, 51865)
	tokens := append([]int{slices.IndexFunc(v.text, func(b []byte) bool { return string(b) == "\xd0" })}, v.encode(" дом")...)
	if got := split(v, tokens, "ru"); len(got) != 1 || !strings.HasSuffix(got[0].text, " дом") || got[0].inner != 1 {
		t.Errorf("pieces %+v", got)
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
	got := alignment(att, rows, heads, width, width, prompt, 7)
	for i, want := range starts {
		if math.Abs(float64(got[i]-want)) > 1 {
			t.Errorf("row %d begins at frame %d, want %d", i, got[i], want)
		}
	}
	if got := alignment(make([]float32, rows*heads*width), rows, heads, width, 2, prompt, 7); len(got) != rows-prompt+1 {
		t.Errorf("of no attention at all: %v", got)
	}
}
