package sherpa

import (
	"math"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
)

// longestTail is the time that a word may last after the start of its last token, where the model does not
// say how long that is: seconds.
const longestTail = 0.2

// result makes of a transcript what engines answer. A word begins with its first token and ends where its last
// one does, or, where the model gives no lengths, where the next token begins, at most longestTail later.
func (t transcript) result(languages []string, samples int) child.HearResult {
	r := child.HearResult{Languages: []child.Language{}, State: evidence.HeardWords}
	r.Text = strings.Join(strings.Fields(strings.ToValidUTF8(t.text, "")), " ")
	var reasons []string
	if len(languages) == 1 {
		r.Languages = append(r.Languages, child.Language{Code: languages[0], P: 1})
		r.Language = languages[0]
		reasons = append(reasons, "the recogniser knows one language only")
	}
	if r.Text == "" {
		r.State, r.Unrated = evidence.HeardNotUnderstood, true
		r.Reason = "the recogniser gave no words"
		return r
	}
	rated := len(t.logP) == len(t.tokens)
	for _, p := range t.logP {
		rated = rated && !math.IsNaN(float64(p)) && p <= 0
		r.LogProb += float64(p) / float64(len(t.logP))
	}
	if !rated {
		r.LogProb, r.Unrated = 0, true
		reasons = append(reasons, "the recogniser gives no probabilities")
	}
	r.Words = t.words(rated, samples)
	said := make([]string, len(r.Words))
	for i, w := range r.Words {
		said[i] = w.Text
	}
	if strings.Join(said, " ") != r.Text {
		r.Words = nil
		reasons = append(reasons, "the recogniser gives no times of words")
	}
	r.Reason = strings.Join(reasons, "; ")
	return r
}

// words joins tokens to words. A word begins at a token that begins with a space or with U+2581, which is how
// SentencePiece writes one.
func (t transcript) words(rated bool, samples int) []child.Word {
	if len(t.start) != len(t.tokens) {
		return nil
	}
	var out []child.Word
	var text strings.Builder
	var w child.Word
	open := false
	finish := func(end float64) {
		if w.Text = strings.TrimSpace(strings.ToValidUTF8(text.String(), "")); open && w.Text != "" {
			w.To = max(w.From, sample(end, samples))
			out = append(out, w)
		}
		open = false
		text.Reset()
	}
	end := 0.0 // of the last token
	for i, token := range t.tokens {
		start := float64(t.start[i])
		if i > 0 && (len(t.length) != len(t.tokens)) {
			end = min(start, float64(t.start[i-1])+longestTail)
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(token, "\u2581"), " ")
		if rest != token {
			finish(end)
		}
		if rest == "" {
			continue
		}
		if !open {
			open = true
			w = child.Word{From: sample(start, samples), P: 1}
			if !rated {
				w.P = 0
			}
			if n := len(out); n > 0 {
				w.From = max(w.From, out[n-1].From)
			}
		}
		text.WriteString(rest)
		if rated {
			w.P *= math.Exp(float64(t.logP[i]))
		}
		if len(t.length) == len(t.tokens) {
			end = start + float64(t.length[i])
		} else {
			end = start + longestTail
		}
	}
	finish(end)
	return out
}

func sample(seconds float64, samples int) int64 {
	return min(max(int64(math.Round(seconds*evidence.Rate)), 0), int64(samples))
}
