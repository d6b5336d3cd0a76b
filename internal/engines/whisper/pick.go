package whisper

import "math"

// choice is the most probable token that may be written.
type choice struct {
	token       int
	log         float64 // its log-probability among the tokens that may be written
	probability float64 // its probability among all tokens
	label       float64 // probability of a sound label among all tokens
}

// pick chooses from the decoder's scores. Brackets, notes and control tokens are never written; first, the text
// may neither end nor begin with a blank.
func (v *vocabulary) pick(scores []float32, first bool) choice {
	best, most := -1, float32(math.Inf(-1))
	top := most // of all
	for t, s := range scores {
		if s > top {
			top = s
		}
		if s > most && t <= v.end && !v.never[t] && !(first && (t == v.end || t == v.blank)) {
			best, most = t, s
		}
	}
	var may, all float64
	for t, s := range scores {
		if s-top < -30 {
			continue // less than 1e-13 of the whole
		}
		e := float64(exp32(s - top))
		all += e
		if t <= v.end && !v.never[t] && !(first && (t == v.end || t == v.blank)) {
			may += e
		}
	}
	own := float64(exp32(most - top))
	c := choice{token: best, probability: own / all}
	// Where all that may be written is vanishingly improbable, the scale of the rest says nothing.
	if may > 0 && own > 0 {
		c.log = math.Log(own / may)
	} else {
		c.log = math.Inf(-1)
	}
	for _, t := range v.labels {
		c.label += float64(exp32(scores[t]-top)) / all
	}
	return c
}
