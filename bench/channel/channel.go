// Package channel simulates what radio does to voices, for measuring: whole recordings of a channel with their truth
// (Simulate), and single bursts (Path.Burst). Voices are given as sound; all else is made here, by arithmetic and a
// seed, so that everybody who measures hears the same.
package channel

import (
	"math"

	"github.com/earwitness/earwitness/internal/audio"
)

// Rate is that of every sound here, in samples a second.
const Rate = audio.Rate

// biquad is a second-order filter (RBJ cookbook formulas).
type biquad struct{ b0, b1, b2, a1, a2, x1, x2, y1, y2 float64 }

func pass(hz float64, high bool) *biquad {
	w := 2 * math.Pi * hz / Rate
	alpha, c := math.Sin(w)/(2*0.7071), math.Cos(w)
	f := &biquad{b0: (1 - c) / 2, b1: 1 - c, b2: (1 - c) / 2}
	if high {
		f.b0, f.b1, f.b2 = (1+c)/2, -(1 + c), (1+c)/2
	}
	a0 := 1 + alpha
	f.b0, f.b1, f.b2, f.a1, f.a2 = f.b0/a0, f.b1/a0, f.b2/a0, -2*c/a0, (1-alpha)/a0
	return f
}

func (f *biquad) next(x float64) float64 {
	y := f.b0*x + f.b1*f.x1 + f.b2*f.x2 - f.a1*f.y1 - f.a2*f.y2
	f.x2, f.x1, f.y2, f.y1 = f.x1, x, f.y1, y
	return y
}

// limit filters x in place to the band between two frequencies, fourth order, and returns its mean power.
func limit(x []float64, low, high float64) float64 {
	filters := []*biquad{pass(low, true), pass(low, true), pass(high, false), pass(high, false)}
	s := 0.0
	for i, v := range x {
		for _, f := range filters {
			v = f.next(v)
		}
		x[i] = v
		s += v * v
	}
	return s / float64(len(x))
}

// Band filters x in place to 300-2,900 Hz, fourth order, and brings it to a level of 1.
func Band(x []float64) {
	scale(x, 1/math.Sqrt(limit(x, 300, 2900)+1e-12))
}

func scale(x []float64, g float64) {
	for i := range x {
		x[i] *= g
	}
}
