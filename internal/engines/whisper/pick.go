package whisper

import "math"

// choice is a token that may be written.
type choice struct {
	token int
	log   float64 // its log-probability among the tokens that may be written
	all   float64 // and among all tokens
}

// may says whether a token may be written: brackets, notes and control tokens never, and first, the text may neither
// end nor begin with a blank.
func (v *vocabulary) may(token int, first bool) bool {
	return token <= v.end && !v.never[token] && !(first && (token == v.end || token == v.blank))
}

// top returns the n most probable tokens that may be written, best first, from the log-probabilities of all.
func (v *vocabulary) top(logp []float32, n int, first bool) []choice {
	best := make([]choice, 0, n+1)
	least := float32(math.Inf(-1))
	for t, l := range logp[:v.end+1] {
		if l <= least && len(best) == n || !v.may(t, first) {
			continue
		}
		at := len(best)
		for at > 0 && float64(l) > best[at-1].all {
			at--
		}
		best = append(best, choice{})
		copy(best[at+1:], best[at:])
		best[at] = choice{token: t, all: float64(l)}
		if len(best) > n {
			best = best[:n]
		}
		least = float32(best[len(best)-1].all)
	}
	rest := v.allowed(logp, first)
	for i := range best {
		best[i].log = best[i].all - rest
	}
	return best
}

// allowed is the log-probability that what follows may be written. Where that is vanishingly improbable the scale of
// the rest says nothing, and every choice is as improbable.
func (v *vocabulary) allowed(logp []float32, first bool) float64 {
	barred := 0.0
	for _, t := range v.barred {
		barred += float64(exp32(min(logp[t], 0)))
	}
	if first {
		barred += float64(exp32(min(logp[v.end], 0))) + float64(exp32(min(logp[v.blank], 0)))
	}
	if barred > 1-1e-6 {
		return 0
	}
	return math.Log1p(-barred)
}

// labelled is the probability that a sound label begins.
func (v *vocabulary) labelled(logp []float32) float64 {
	sum := 0.0
	for _, t := range v.labels {
		sum += float64(exp32(min(logp[t], 0)))
	}
	return sum
}

// draw picks a token that may be written by chance, at a number between 0 and 1; a higher temperature makes the
// improbable more probable.
func (v *vocabulary) draw(logp []float32, temperature, at float64, first bool) choice {
	most := float32(math.Inf(-1))
	for t, l := range logp[:v.end+1] {
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
	for t := range logp[:v.end+1] {
		sum += weight(t)
	}
	last, until := 0, at*sum
	for t := range logp[:v.end+1] {
		if w := weight(t); w > 0 {
			last = t
			if until -= w; until < 0 {
				break
			}
		}
	}
	all := float64(logp[last])
	return choice{token: last, all: all, log: all - v.allowed(logp, first)}
}
