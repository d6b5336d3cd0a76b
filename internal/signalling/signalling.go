// Package signalling finds selective calls and signalling tones in a stretch of sound: who was called, not what was said.
// It knows DTMF, the five-tone sequences ZVEI-1, ZVEI-2, CCIR-1, CCIR-2 and EEA, the aeronautical SELCAL of 16 and 32 tones,
// and the sub-tones of CTCSS. It promises the same calls for the same samples, in memory that does not grow with the
// stretch but by what is found. It would rather miss a call than make one up: a call must fit its system in the
// frequencies of all its tones at once, in their lengths and in their pauses.
//
// A receiver of single sideband that is off by some hertz shifts all tones by as much: up to Mistuned it is allowed for,
// the same for all tones of a call.
package signalling

import (
	"fmt"
	"math"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// Mistuned is the greatest shift of a call's tones that is allowed for, in Hz.
const Mistuned = 25

// Find returns the calls in a stretch of src, in the order of their start, as DTMF, five tones and SELCAL. Where the tones
// of one call fit several systems, each reading is there with the same span.
func Find(src audio.Source, span evidence.Span) ([]evidence.SelectiveCall, error) {
	f := finder{src: src, span: span}
	fast, err := f.fast()
	if err != nil {
		return nil, fmt.Errorf("look for selective calls: %w", err)
	}
	calls := fiveTones(fast.single)
	calls = append(calls, dtmf(fast)...)
	slow, err := f.slow()
	if err != nil {
		return nil, fmt.Errorf("look for selective calls: %w", err)
	}
	calls = append(calls, slow...)
	for i := range calls {
		calls[i].Span = evidence.Span{From: max(span.From, calls[i].Span.From), To: min(span.To, calls[i].Span.To)}
	}
	calls = slices.DeleteFunc(calls, func(c evidence.SelectiveCall) bool { return c.Span.Len() <= 0 })
	slices.SortStableFunc(calls, func(a, b evidence.SelectiveCall) int { return int(a.Span.From - b.Span.From) })
	return calls, nil
}

type finder struct {
	src  audio.Source
	span evidence.Span
}

// tones is a run of frames with the same one or two tones.
type tones struct {
	from, to int64      // samples of the recording, by the middles of its first and last frames
	hz       [2]float64 // mean; the second is 0 for a single tone
	power    float64    // greatest
	frames   int
	loud     float64 // greatest power of the whole band
}

func (t *tones) ms() float64 { return float64(t.to-t.from) * 1000 / audio.Rate }

// track gathers frames into runs. A run ends where the tones change, fall by more than 8 dB, or are not there.
type track struct {
	hop    int64
	within float64 // Hz that a frame may be off the run's mean
	least  int     // frames
	runs   []tones
	now    tones
	missed int
}

// add takes the next frame, whose middle is at and whose band has the power total; power 0 says that there are no tones
// in it.
func (t *track) add(at int64, low, high, power, total float64) {
	n := float64(t.now.frames)
	if t.now.frames > 0 {
		if power > 0 && math.Abs(low-t.now.hz[0]) <= t.within && math.Abs(high-t.now.hz[1]) <= t.within && power*6 > t.now.power {
			t.now.hz[0] = (t.now.hz[0]*n + low) / (n + 1)
			t.now.hz[1] = (t.now.hz[1]*n + high) / (n + 1)
			t.now.to, t.now.power, t.missed = at+t.hop/2, max(t.now.power, power), 0
			t.now.frames++
			t.now.loud = max(t.now.loud, total)
			return
		}
		if t.missed++; t.missed == 1 && power == 0 { // one frame may be spoilt
			return
		}
		t.end()
	}
	if power > 0 {
		t.now, t.missed = tones{from: at - t.hop/2, to: at + t.hop/2, hz: [2]float64{low, high}, power: power, frames: 1, loud: total}, 0
	}
}

func (t *track) end() {
	if t.now.frames >= t.least {
		t.runs = append(t.runs, t.now)
	}
	t.now, t.missed = tones{}, 0
}

// line is a line of a spectrum: its bin with its fraction, and its power with its skirts.
type line struct{ bin, power float64 }

// strongest returns the strongest local maximum of p between two bins, and one that is not within apart bins of not.
func strongest(p []float32, from, to int, not float64, apart float64) line {
	best, at := float32(0), -1
	for k := max(from, 2); k <= min(to, len(p)-3); k++ {
		if p[k] > best && p[k] >= p[k-1] && p[k] > p[k+1] && math.Abs(float64(k)-not) >= apart {
			best, at = p[k], k
		}
	}
	if at < 0 {
		return line{}
	}
	// Between the bins, by the ratio of two neighbours under a Hann window.
	side := 1
	if p[at-1] > p[at+1] {
		side = -1
	}
	a := math.Sqrt(float64(p[at+side]) / float64(p[at]))
	var power float64
	for k := at - 2; k <= at+2; k++ {
		power += float64(p[k])
	}
	return line{float64(at) + float64(side)*max(0, min(1, (2*a-1)/(a+1))), power}
}

func sum(p []float32, from, to int) (s float64) {
	for _, v := range p[from : to+1] {
		s += float64(v)
	}
	return s
}

// What is needed of a frame, as shares of the power of its band.
const (
	singleShare = 0.4 // about -2 dB of noise in 300-3,000 Hz
	doubleShare = 0.5
	twist       = 10.0 // power of one tone of a pair over the other's
)

// fastTracks is what stretches of short tones are made of.
type fastTracks struct {
	single, double []tones
	total          []float32 // power of the band in each frame
	first, hop     int64     // sample of the first frame's middle, and from one to the next
}

// fast looks for tones of 35 ms and longer: blocks of 32 ms, every 5 ms; where every fourth of them shows no tones, only those.
func (f *finder) fast() (fastTracks, error) {
	const window, hop, coarse = audio.SpectraWindow, 80, 4
	single := track{hop: hop, within: 16, least: 4}
	double := track{hop: hop, within: 16, least: 5}
	out := fastTracks{first: f.span.From, hop: hop}
	spectra := audio.NewSpectra()
	const second = audio.Rate / hop // frames
	buf := make([]int16, audio.Rate+window+2*coarse*hop)
	frames := make([]fastFrame, second+2*coarse)
	// Blocks begin half a window before the stretch, so that their middles cover it.
	for at := f.span.From - window/2; at+window/2 < f.span.To; at += audio.Rate {
		// A few frames before and after this second tell whether its first and last are worth a look.
		if err := audio.ReadPadded(f.src, buf, at-coarse*hop); err != nil {
			return fastTracks{}, err
		}
		for k := range frames {
			frames[k].done = false
			if k%coarse == 0 {
				frames[k].look(spectra.Of(buf[k*hop : k*hop+window]))
			}
		}
		for k := coarse; k < second+coarse; k++ {
			mid := at + int64(k-coarse)*hop + window/2
			if mid >= f.span.To {
				break
			}
			near := k / coarse * coarse
			fr := &frames[k]
			if !fr.done && (frames[near].tones() || frames[near+coarse].tones()) {
				fr.look(spectra.Of(buf[k*hop : k*hop+window]))
			}
			if !fr.done {
				*fr = fastFrame{total: frames[near].total}
			}
			out.total = append(out.total, float32(fr.total))
			single.add(mid, fr.one.bin*fastBin, 0, fr.one.power, fr.total)
			double.add(mid, fr.low.bin*fastBin, fr.high.bin*fastBin, fr.low.power+fr.high.power, fr.total)
		}
	}
	single.end()
	double.end()
	out.single, out.double = single.runs, double.runs
	return out, nil
}

const fastBin = float64(audio.Rate) / audio.SpectraWindow

// fastFrame is what one block shows: a single tone, a pair of DTMF, or neither.
type fastFrame struct {
	one, low, high line
	total          float64
	done           bool
}

func (f *fastFrame) tones() bool { return f.one.power > 0 || f.low.power > 0 }

func (f *fastFrame) look(p []float32) {
	*f = fastFrame{done: true, total: sum(p, 10, 96)} // 312 to 3,000 Hz
	if f.total < 1e-9 {
		return
	}
	if one := strongest(p, 20, 92, -9, 1); one.power >= singleShare*f.total {
		f.one = one
	}
	low, high := strongest(p, 20, 32, -9, 1), strongest(p, 37, 54, -9, 1)
	if low.power+high.power >= doubleShare*f.total && low.power <= twist*high.power && high.power <= twist*low.power {
		f.low, f.high = low, high
	}
}
