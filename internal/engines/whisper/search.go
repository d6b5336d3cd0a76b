//go:build cgo

package whisper

import (
	"cmp"
	"math"
	"slices"

	"github.com/earwitness/earwitness/internal/engines/whisper/lexicon"
	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

// text is what the decoder wrote, or is writing.
type text struct {
	places []int     // of prompt and tokens in the cache
	tokens []int     //
	logs   []float64 // of each, the log-probability among all tokens: also those that are never written
	sum    float64   // of the tokens' log-probabilities among those that may be written; of a whole text its end included
	ended  bool
	looped bool
	number int // of a text drawn by chance

	place lexicon.Place // in the words of the case, if their odds are raised
	bonus float64       // what that gave it
	att   []float32     // of a whole text
}

// mean is the log-probability of a token of the text, its end included.
func (t *text) mean() float64 { return t.sum / float64(len(t.tokens)+1) }

// rank is what texts are compared by.
func (t *text) rank() float64 { return (t.sum + t.bonus) / float64(len(t.tokens)+1) }

// found is what a search came to.
type found struct {
	best   *text
	others []*text // rivals, the better ones first
	label  float64 // probability that the text begins with a sound label
}

// search writes a text after a prompt that has been read: with m rivals side by side, of which the most probable whole
// one is found (m of 1 is greedy: the most probable token each time), or, where temperature is not 0, m texts drawn by
// chance. It ends at limit tokens. lex raises the odds of the case's words; nil: of none. places and logp are those of the
// prompt.
func (r *row) search(m int, temperature float64, lex *lexicon.Lexicon, places []int, logp []float32, limit int) (found, error) {
	words := r.m.size.Words
	out := found{label: r.m.words.Labelled(logp)}
	live := []*text{{places: places}}
	var over []*text // ended or in a loop; the best of them keeps its attention, before its places are forgotten
	for length := 1; ; length++ {
		var next []*text
		if temperature > 0 {
			next = r.drawn(live, m, temperature, logp)
		} else {
			next = r.rivals(live, m, lex, logp)
		}
		live = live[:0:0]
		for _, t := range next {
			t.looped = !t.ended && r.m.params.loops(t.tokens)
			switch {
			case t.ended || t.looped:
				over = append(over, t)
				if slices.MinFunc(over, order) == t {
					for _, o := range over {
						o.att = nil
					}
					t.att = r.attention(t.places)
				}
			case len(live) < m:
				live = append(live, t)
			}
		}
		if len(live) == 0 || length >= limit || temperature == 0 && decided(over, live, m) {
			break
		}
		in := make([]entry, m)
		for i := range in {
			t := live[min(i, len(live)-1)] // one that is short of rivals goes in again, to no effect
			in[i] = entry{token: t.tokens[len(t.tokens)-1], sees: slices.Clone(t.places)}
		}
		at, err := r.feed(0, in)
		if err != nil {
			return out, err
		}
		for i, t := range live {
			t.places = append(in[i].sees, at+i)
		}
		logp = r.logp[:len(live)*words]
	}
	all := append(over, live...)
	slices.SortStableFunc(all, order)
	out.best, out.others = all[0], all[1:]
	if out.best.att == nil { // it could have gone on
		out.best.att = r.attention(out.best.places)
	}
	return out, nil
}

// order puts the better of two texts first: one that has ended, then the more probable.
func order(a, b *text) int {
	return cmp.Or(cmp.Compare(btoi(b.ended), btoi(a.ended)), cmp.Compare(b.rank(), a.rank()))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// decided says whether a search can stop: enough texts have ended, or none that goes on can become as probable as one
// that has.
func decided(over, live []*text, m int) bool {
	ended, best := 0, math.Inf(-1)
	for _, t := range over {
		if t.ended {
			ended++
			best = max(best, t.sum+t.bonus)
		}
	}
	return ended >= m || ended > 0 && live[0].sum+live[0].bonus <= best
}

// rivals continues each text with its most probable tokens, and those of the case's words, and returns the most probable
// results, best first: m that go on, and those among them that end.
func (r *row) rivals(live []*text, m int, lex *lexicon.Lexicon, logp []float32) []*text {
	v, words := r.m.words, r.m.size.Words
	var next []*text
	for i, t := range live {
		row := logp[i*words : (i+1)*words]
		choices := v.Top(row, m+btoi(m > 1), len(t.tokens) == 0)
		if lex != nil {
			choices = v.Also(choices, row, lex.Open(t.place), len(t.tokens) == 0)
		}
		for _, c := range choices {
			n := t.with(c, v.End)
			if lex != nil {
				var gain float64
				n.place, gain = lex.Next(t.place, c.Token)
				n.bonus += gain
			}
			next = append(next, n)
		}
	}
	slices.SortStableFunc(next, func(a, b *text) int { return cmp.Compare(b.sum+b.bonus, a.sum+a.bonus) })
	if m == 1 {
		return next[:1]
	}
	for i, on := 0, 0; i < len(next); i++ {
		if on += btoi(!next[i].ended); on == m {
			return next[:i+1]
		}
	}
	return next
}

// with is the text with one more token, or ended.
func (t *text) with(c vocabulary.Choice, end int) *text {
	n := &text{places: t.places, tokens: t.tokens, logs: t.logs, sum: t.sum + c.Log, ended: c.Token == end, bonus: t.bonus}
	if !n.ended {
		n.tokens = append(slices.Clone(t.tokens), c.Token)
		n.logs = append(slices.Clone(t.logs), c.All)
	}
	return n
}

// drawn continues each text by one token that is drawn by chance; the one text of the beginning m times. The chance is
// the same for the same burst: it depends on the seed, the temperature, and the place in the text alone.
func (r *row) drawn(live []*text, m int, temperature float64, logp []float32) []*text {
	v, words := r.m.words, r.m.size.Words
	var out []*text
	draw := func(i, number int) {
		t := live[i]
		at := vocabulary.Chance(uint64(r.m.params.Seed), math.Float64bits(temperature), uint64(number), uint64(len(t.tokens)))
		n := t.with(v.Draw(logp[i*words:(i+1)*words], temperature, at, len(t.tokens) == 0), v.End)
		n.number = number
		out = append(out, n)
	}
	if len(live) == 1 && len(live[0].tokens) == 0 {
		for number := range m {
			draw(0, number)
		}
		return out
	}
	for i, t := range live {
		draw(i, t.number)
	}
	return out
}
