package vocabulary

import (
	"math"
	"slices"
)

// Choice is a token that may be written.
type Choice struct {
	Token int
	Log   float64 // its log-probability among the tokens that may be written
	All   float64 // and among all tokens
}

// may says whether a token may be written: brackets, notes and control tokens never, and first, the text may neither
// end nor begin with a blank.
func (v *Vocabulary) may(token int, first bool) bool {
	return token <= v.End && !v.never[token] && !(first && (token == v.End || token == v.blank))
}

// Top returns the n most probable tokens that may be written, best first, from the log-probabilities of all.
func (v *Vocabulary) Top(logp []float32, n int, first bool) []Choice {
	best := make([]Choice, 0, n+1)
	least := float32(math.Inf(-1))
	for t, l := range logp[:v.End+1] {
		if l <= least && len(best) == n || !v.may(t, first) {
			continue
		}
		at := len(best)
		for at > 0 && float64(l) > best[at-1].All {
			at--
		}
		best = append(best, Choice{})
		copy(best[at+1:], best[at:])
		best[at] = Choice{Token: t, All: float64(l)}
		if len(best) > n {
			best = best[:n]
		}
		least = float32(best[len(best)-1].All)
	}
	rest := v.allowed(logp, first)
	for i := range best {
		best[i].Log = best[i].All - rest
	}
	return best
}

// Also adds tokens to choices, unless they are among them or may not be written.
func (v *Vocabulary) Also(choices []Choice, logp []float32, tokens []int, first bool) []Choice {
	rest := v.allowed(logp, first)
	for _, t := range tokens {
		if v.may(t, first) && !slices.ContainsFunc(choices, func(c Choice) bool { return c.Token == t }) {
			all := float64(logp[t])
			choices = append(choices, Choice{Token: t, All: all, Log: all - rest})
		}
	}
	return choices
}

// allowed is the log-probability that what follows may be written. Where that is vanishingly improbable the scale of
// the rest says nothing, and every Choice is as improbable.
func (v *Vocabulary) allowed(logp []float32, first bool) float64 {
	barred := 0.0
	for _, t := range v.barred {
		barred += float64(exp32(min(logp[t], 0)))
	}
	if first {
		barred += float64(exp32(min(logp[v.End], 0))) + float64(exp32(min(logp[v.blank], 0)))
	}
	if barred > 1-1e-6 {
		return 0
	}
	return math.Log1p(-barred)
}

// Labelled is the probability that a sound label begins.
func (v *Vocabulary) Labelled(logp []float32) float64 {
	sum := 0.0
	for _, t := range v.labels {
		sum += float64(exp32(min(logp[t], 0)))
	}
	return sum
}

// Draw picks a token that may be written by chance, at a number between 0 and 1; a higher temperature makes the
// improbable more probable.
func (v *Vocabulary) Draw(logp []float32, temperature, at float64, first bool) Choice {
	most := float32(math.Inf(-1))
	for t, l := range logp[:v.End+1] {
		if l > most && v.may(t, first) {
			most = l
		}
	}
	weight := func(t int) float64 {
		if !v.may(t, first) {
			return 0
		}
		return float64(exp32((logp[t] - most) / float32(temperature)))
	}
	sum := 0.0
	for t := range logp[:v.End+1] {
		sum += weight(t)
	}
	last, until := 0, at*sum
	for t := range logp[:v.End+1] {
		if w := weight(t); w > 0 {
			last = t
			if until -= w; until < 0 {
				break
			}
		}
	}
	all := float64(logp[last])
	return Choice{Token: last, All: all, Log: all - v.allowed(logp, first)}
}

// Chance is a number in 0..1 that looks random (splitmix64's finisher, Steele and others 2014, over each input).
func Chance(inputs ...uint64) float64 {
	var z uint64
	for _, x := range inputs {
		z += x + 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return float64(z>>11) / (1 << 53)
}
