package whisper

import (
	"slices"
	"strings"
	"testing"
)

func vocabularyOf(t testing.TB, words int) *vocabulary {
	t.Helper()
	v, err := newVocabulary(words)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// encode cuts text into tokens, always the longest first: enough for tests.
func (v *vocabulary) encode(text string) (out []int) {
	for text != "" {
		best := -1
		for id, b := range v.text {
			if len(b) > 0 && strings.HasPrefix(text, string(b)) && (best < 0 || len(b) > len(v.text[best])) {
				best = id
			}
		}
		out = append(out, best)
		text = text[len(v.text[best]):]
	}
	return out
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
				t.Errorf("token %d %q may be written", id, v.text[id])
			}
		}
		for _, id := range got {
			if !slices.Contains(want, id) {
				t.Errorf("token %d %q may not be written", id, v.text[id])
			}
		}
	}
	for _, id := range v.labels {
		if !v.never[id] {
			t.Errorf("token %d %q opens a label and may be written", id, v.text[id])
		}
	}
}

func TestSpecialTokens(t *testing.T) {
	for words, want := range map[int][6]int{51865: {50257, 50258, 50263, 50359, 50362, 50363}, 51866: {50257, 50258, 50263, 50360, 50363, 50364}} {
		v := vocabularyOf(t, words)
		if got := [6]int{v.end, v.start, v.language("ru"), v.transcribe, v.noSpeech, v.noTimestamps}; got != want || v.blank != 220 {
			t.Errorf("of %d words: %v and blank %d, want %v and 220", words, got, v.blank, want)
		}
	}
	if _, err := newVocabulary(50257); err == nil {
		t.Error("a vocabulary without languages was taken")
	}
}
