package analysis

import (
	"math"

	"github.com/earwitness/earwitness/internal/audio"
)

// The background is what a channel sounds like while nobody transmits. It is learnt from the sound around each
// moment as the most frequent level of each band: noise holds one level within a decibel or two, speech spreads over
// forty. So it does not matter whether a signal raises the level (a voice in single sideband), lowers it (a carrier
// that quietens an FM receiver) or comes out of digital silence.

const (
	voiceBands = 11 // bands up to 3.9 kHz, which every radio channel has
	smooth     = 2  // frames to each side over which power is averaged

	histLow    = audio.Quietest // dB
	histBins   = 184            // of half a decibel
	histBlock  = 500            // frames
	histStride = 2              // every how many frames are counted: smoothed ones are alike
	leastCount = 40             // frames (0.8 s) that make a background
)

// level is the background around a moment: the level of each band and how far it strays from it, in dB.
type level struct {
	db, spread [audio.Bands]float32
	known      bool
}

// power returns the sum of the background's power over the voice bands.
func (l *level) power() float32 {
	var s float32
	for b := range voiceBands {
		s += undB(l.db[b])
	}
	return s
}

func undB(db float32) float32 { return float32(math.Pow(10, float64(db)/10)) }

type histogram [audio.Bands][histBins]uint16

func (h *histogram) count(f *[audio.Bands]float32) {
	for b, x := range f {
		i := int((x - histLow) * 2)
		h[b][max(0, min(histBins-1, i))]++
	}
}

// background learns the background of each block of frames; use says which frames may be learnt from (nil: all).
func background(db [][audio.Bands]float32, use []bool, reach int) []level {
	blocks := (len(db) + histBlock - 1) / histBlock
	hist := make([]histogram, blocks)
	counted := make([]int, blocks)
	for k := range hist {
		for i := k * histBlock; i < min(len(db), (k+1)*histBlock); i += histStride {
			if use == nil || use[i] {
				hist[k].count(&db[i])
				counted[k]++
			}
		}
	}
	out := make([]level, blocks)
	for k := range out {
		// Where little of the neighbourhood may be learnt from, look farther.
		for r := reach; ; r *= 2 {
			from, to := max(0, k-r), min(blocks, k+r+1)
			n := 0
			for j := from; j < to; j++ {
				n += counted[j]
			}
			if n >= leastCount {
				out[k] = mode(hist[from:to])
				break
			}
			if from == 0 && to == blocks {
				break
			}
		}
	}
	return out
}

func mode(hist []histogram) level {
	l := level{known: true}
	var sum [histBins]float64
	for b := range audio.Bands {
		clear(sum[:])
		for k := range hist {
			for i, n := range hist[k][b] {
				sum[i] += float64(n)
			}
		}
		best, at := -1.0, 0
		for i := range sum {
			s := 0.0
			for d := -3; d <= 3; d++ { // a triangle of 1.5 dB to each side
				if j := i + d; j >= 0 && j < histBins {
					s += sum[j] * float64(4-max(d, -d))
				}
			}
			if s > best {
				best, at = s, i
			}
		}
		var n, m, q float64
		for i := max(0, at-6); i <= min(histBins-1, at+6); i++ {
			x := float64(i - at)
			n += sum[i]
			m += x * sum[i]
			q += x * x * sum[i]
		}
		m /= n
		l.db[b] = histLow + (float32(at)+float32(m)+0.5)/2
		l.spread[b] = float32(max(0.8, min(2.5, math.Sqrt(max(0, q/n-m*m))/2)))
	}
	return l
}

// smoothed returns the level of each band of each frame, with the power averaged over its neighbours.
func smoothed(f []audio.Frame) [][audio.Bands]float32 {
	out := make([][audio.Bands]float32, len(f))
	for i := range f {
		from, to := max(0, i-smooth), min(len(f), i+smooth+1)
		for b := range audio.Bands {
			var s float32
			for j := from; j < to; j++ {
				s += f[j].Power[b]
			}
			out[i][b] = audio.Decibels(s / float32(to-from))
		}
	}
	return out
}

// deviation returns, for each frame, the mean over the voice bands of its squared distance from the background in
// units of the spread there. Background itself has about 1.
func deviation(db [][audio.Bands]float32, bg []level) []float32 {
	out := make([]float32, len(db))
	for i := range db {
		l := &bg[i/histBlock]
		if !l.known {
			out[i] = 25
			continue
		}
		var s float32
		for b := range voiceBands {
			d := (db[i][b] - l.db[b]) / l.spread[b]
			s += min(d*d, 25) // one loud band is not more than a signal
		}
		out[i] = s / voiceBands
	}
	return out
}

// averaged returns the mean of x over reach frames to each side.
func averaged(x []float32, reach int) []float32 {
	out := make([]float32, len(x))
	var sum float64
	from, to := 0, 0
	for i := range x {
		for ; to < min(len(x), i+reach+1); to++ {
			sum += float64(x[to])
		}
		for ; from < i-reach; from++ {
			sum -= float64(x[from])
		}
		out[i] = float32(sum / float64(to-from))
	}
	return out
}

// run is a stretch of frames, to is the first not in it.
type run struct{ from, to int }

func (r run) len() int { return r.to - r.from }

// runs returns the stretches of frames for which is says yes, with gaps below fill closed and then stretches
// below least left out.
func runs(n, fill, least int, is func(i int) bool) []run {
	var out []run
	for i := 0; i < n; i++ {
		if !is(i) {
			continue
		}
		if k := len(out); k > 0 && i-out[k-1].to < max(fill, 1) {
			out[k-1].to = i + 1
		} else {
			out = append(out, run{i, i + 1})
		}
	}
	kept := out[:0]
	for _, r := range out {
		if r.len() >= least {
			kept = append(kept, r)
		}
	}
	return kept
}

// hysteresis returns the stretches above off that reach on somewhere.
func hysteresis(x []float32, on, off float32, fill, least int) []run {
	mark := make([]bool, len(x))
	for i := 0; i < len(x); {
		if x[i] < off {
			i++
			continue
		}
		j, reached := i, false
		for ; j < len(x) && x[j] >= off; j++ {
			reached = reached || x[j] >= on
		}
		for ; i < j; i++ {
			mark[i] = reached
		}
	}
	return runs(len(x), fill, least, func(i int) bool { return mark[i] })
}
