package voices

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/earwitness/earwitness/evidence"
)

// Caution is what stands wherever likenesses are shown.
const Caution = "Likeness is not identity: a voice names nobody. Whoever it may be must be shown by something else."

// Comparison is how alike two voices are and what that is worth.
type Comparison struct {
	Voice    Voice
	Likeness float64
	Known    *Measured // what like noise and length gave; nil where the model was not measured
}

// Meaning says in words what the likeness tells by what was measured.
func (c Comparison) Meaning() string {
	if c.Known == nil {
		return "what this model's likenesses are worth was not measured"
	}
	above, below := c.Likeness > c.Known.Other.High, c.Likeness < c.Known.Same.Low
	switch {
	case above && below:
		return "rare for the same voice and for different ones"
	case above:
		return "more alike than 95 in 100 different voices"
	case below:
		return "less alike than 95 in 100 of the same voice"
	}
	return "tells nothing: the same voice and different ones both give this"
}

// TooNoisy is the error for a voice with more noise than can be compared.
func TooNoisy(v Voice) error {
	return evidence.Invalid("%s is too noisy to compare: %.0f dB over the noise, and below %d dB the same voice and different ones come out alike", v.Citation(), v.SnrDB, Noisiest).
		WithHint("take another transmission of the same station, with less noise")
}

// Comparable reports whether a voice stands far enough over its noise to be compared.
func Comparable(v Voice) bool { return v.SnrDB >= Noisiest }

// Alike compares one voice with the others that can be compared, most alike first. known says whether the figures that
// were measured hold for the model.
func Alike(of Voice, all []Voice, known bool) ([]Comparison, error) {
	if !Comparable(of) {
		return nil, TooNoisy(of)
	}
	var out []Comparison
	for _, v := range all {
		if v.Recording == of.Recording && v.Span == of.Span || !Comparable(v) {
			continue
		}
		c := Comparison{Voice: v, Likeness: Like(of, v)}
		if known {
			m := measured(of, v)
			c.Known = &m
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Comparison) int { return cmp.Compare(b.Likeness, a.Likeness) })
	return out, nil
}

// Find returns the voice that shares most with a citation.
func Find(all []Voice, c evidence.Citation) (Voice, error) {
	best, most := -1, int64(0)
	for i, v := range all {
		if v.Recording != c.Recording {
			continue
		}
		if n := min(v.Span.To, c.Span.To) - max(v.Span.From, c.Span.From); n > most {
			best, most = i, n
		}
	}
	if best < 0 {
		return Voice{}, evidence.NotFound("no voice has been made out in %s", c.Recording).
			WithHint("`earwitness show %s` lists its transmissions; voices are made out by `earwitness run --voices voice-resemblyzer`, where there is speech enough", c.Recording)
	}
	return all[best], nil
}

// maxGrouped bounds the time that grouping takes, which grows with the square of it: 4,000 take some ten seconds.
const maxGrouped = 4000

// Group is transmissions that are alike.
type Group struct {
	Voices []Voice // in the order they were given
	Inside float64 // mean likeness of two of them; 1 for one alone
}

// cluster is a group under way: the sum of its unit vectors, so that the mean likeness between two is a product.
type cluster struct {
	sum     []float64
	members []int
}

func (a *cluster) like(b *cluster) float64 {
	s := 0.0
	for i, x := range a.sum {
		s += x * b.sum[i]
	}
	return s / float64(len(a.members)*len(b.members))
}

// Groups joins voices whose mean likeness is at least the threshold, the most alike first (agglomerative clustering with
// average linkage), largest group first. All must be comparable. For a model that is known, likenesses are divided by what
// is typical of the same voice at their lengths: the geometric mean of Typical of both.
func Groups(all []Voice, threshold float64, known bool) ([]Group, error) {
	if len(all) > maxGrouped {
		return nil, evidence.Invalid("%d voices are too many to group; %d can be", len(all), maxGrouped).WithHint("name a citation: its likes are found among any number")
	}
	if !(threshold > 0 && threshold <= 1) {
		return nil, evidence.Invalid("a likeness to group by is over 0 and at most 1, not %v", threshold)
	}
	live := make([]*cluster, len(all))
	for i, v := range all {
		if len(v.vector) != len(all[0].vector) {
			return nil, fmt.Errorf("group voices: vectors of %d and %d numbers", len(v.vector), len(all[0].vector))
		}
		live[i] = &cluster{slices.Clone(v.vector), []int{i}}
		if known {
			for k := range live[i].sum {
				live[i].sum[k] /= math.Sqrt(Typical(v.Seconds))
			}
		}
	}
	// A chain of nearest neighbours ends in two that are each other's: these are joined in any order of the joins
	// (average linkage is reducible), so each step looks at the others once, not at all pairs.
	var done []*cluster
	var chain []*cluster
	for len(live) > 0 {
		if len(chain) == 0 {
			chain = append(chain, live[0])
		}
		tip := chain[len(chain)-1]
		best, at := math.Inf(-1), -1
		for i, c := range live {
			if c == tip {
				continue
			}
			// On a tie the one before in the chain is taken: the chain must end.
			s := tip.like(c)
			if s > best || s == best && len(chain) > 1 && c == chain[len(chain)-2] {
				best, at = s, i
			}
		}
		switch {
		case at < 0 || best < threshold:
			// Nothing is near enough to the tip, and joins of others bring nothing nearer.
			live = slices.DeleteFunc(live, func(c *cluster) bool { return c == tip })
			done = append(done, tip)
			chain = chain[:len(chain)-1]
		case len(chain) > 1 && live[at] == chain[len(chain)-2]:
			other := live[at]
			for i, x := range tip.sum {
				other.sum[i] += x
			}
			other.members = append(other.members, tip.members...)
			live = slices.DeleteFunc(live, func(c *cluster) bool { return c == tip })
			chain = chain[:len(chain)-2]
		default:
			chain = append(chain, live[at])
		}
	}
	out := make([]Group, len(done))
	for i, c := range done {
		slices.Sort(c.members)
		g := Group{Inside: 1}
		if n := float64(len(c.members)); n > 1 {
			// The sum over all pairs, as a product of sums, without those of each with itself.
			sum, self := make([]float64, len(c.sum)), 0.0
			for _, k := range c.members {
				for i, x := range all[k].vector {
					sum[i] += x
					self += x * x
				}
			}
			pairs := -self
			for _, x := range sum {
				pairs += x * x
			}
			g.Inside = pairs / (n * (n - 1))
		}
		for _, k := range c.members {
			g.Voices = append(g.Voices, all[k])
		}
		out[i] = g
	}
	slices.SortFunc(out, func(a, b Group) int {
		if len(a.Voices) != len(b.Voices) {
			return len(b.Voices) - len(a.Voices)
		}
		return int(a.Voices[0].Entry - b.Voices[0].Entry)
	})
	return out, nil
}
