package whisper

import (
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/engines/whisper/timing"
	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

func TestWordsOfAText(t *testing.T) {
	v, err := vocabulary.New(51865)
	if err != nil {
		t.Fatal(err)
	}
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
		tokens := v.Encode(c.text)
		for _, w := range timing.Words(v.Text, tokens, make([]float64, len(tokens)), nil, c.lang, 1) {
			got = append(got, w.Text)
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
	v, err := vocabulary.New(51865)
	if err != nil {
		t.Fatal(err)
	}
	tokens := append([]int{slices.IndexFunc(v.Text, func(b []byte) bool { return string(b) == "\xd0" })}, v.Encode(" дом")...)
	if got := timing.Words(v.Text, tokens, make([]float64, len(tokens)), nil, "ru", 1); len(got) != 1 || !strings.HasSuffix(got[0].Text, " дом") {
		t.Errorf("words %+v", got)
	}
}
