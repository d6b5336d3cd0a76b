package signalling

import (
	"math"
	"sort"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// SELCAL (ICAO Annex 10, volume III): two pulses of a second, 0.2 s apart, each of two tones. The tones' logarithms are
// equally spaced; since 2022 there are 16 more between and above the first 16.
const (
	selcalLetters = "ABCDEFGHJKLMPQRSTUVWXYZ123456789" // the order that a pair is written in
	selcalOld     = 16
)

// selcalHz returns the frequency of a letter, by its place in selcalLetters.
func selcalHz(i int) float64 {
	if i < selcalOld {
		return math.Pow(10, 2.495+0.045*float64(i))
	}
	return math.Pow(10, 2.495+0.0225+0.045*float64(i-selcalOld))
}

const (
	slowStep = 4 // samples that become one: 4 kHz, to 1.6 kHz
	slowRate = audio.Rate / slowStep

	pairShare = 0.4 // of 270 to 1,640 Hz, about -4 dB of noise in 300-3,000 Hz
)

// slow looks for SELCAL: blocks of 256 ms, every 25 ms; where every fifth of them shows no pair, only those.
func (f *finder) slow() ([]evidence.SelectiveCall, error) {
	const window, hop, coarse = slowWindow, slowRate / 40, 5
	const second = slowRate / hop // frames
	pairs := track{hop: hop * slowStep, within: 4, least: 16}
	spectra := audio.NewSpectraOf(window)
	d := newDecimator(slowStep, 1700)
	buf := make([]int16, slowRate+window+2*coarse*hop)
	frames := make([]slowFrame, second+2*coarse)
	for at := f.span.From - window/2*slowStep; at+window/2*slowStep < f.span.To; at += audio.Rate {
		// A few frames before and after this second tell whether its first and last are worth a look.
		if err := d.read(f.src, buf, at-coarse*hop*slowStep); err != nil {
			return nil, err
		}
		for k := range frames {
			frames[k] = slowFrame{}
			if k%coarse == 0 {
				frames[k].look(spectra.Of(buf[k*hop : k*hop+window]))
			}
		}
		for k := coarse; k < second+coarse; k++ {
			mid := at + int64((k-coarse)*hop+window/2)*slowStep
			if mid >= f.span.To {
				break
			}
			near := k / coarse * coarse
			fr := &frames[k]
			if k != near && (frames[near].power > 0 || frames[near+coarse].power > 0) {
				fr.look(spectra.Of(buf[k*hop : k*hop+window]))
			}
			pairs.add(mid, fr.low*slowBin, fr.high*slowBin, fr.power, fr.total)
		}
	}
	pairs.end()
	var out []evidence.SelectiveCall
	for i := 0; i+1 < len(pairs.runs); i++ {
		a, b := pairs.runs[i], pairs.runs[i+1]
		gap := float64(b.from-a.to) * 1000 / audio.Rate
		if !pulse(a) || !pulse(b) || gap < 50 || gap > 420 {
			continue
		}
		var hz [4]float64
		for j, r := range []tones{a, b} {
			if err := f.precise(d, r, hz[2*j:2*j+2]); err != nil {
				return nil, err
			}
		}
		for _, code := range selcal(hz) {
			out = append(out, evidence.SelectiveCall{System: evidence.SystemSELCAL, Code: code, Span: evidence.Span{From: a.from, To: b.to}})
		}
	}
	return out, nil
}

const (
	slowWindow = 1024
	slowBin    = float64(slowRate) / slowWindow
)

// slowFrame is the pair of tones that one block shows; power 0 says that there is none.
type slowFrame struct{ low, high, power, total float64 }

func (f *slowFrame) look(p []float32) {
	f.total = sum(p, 70, 420) // 273 to 1,640 Hz
	one := strongest(p, 72, 408, -9, 1)
	two := strongest(p, 72, 408, one.bin, 3.2)
	if f.total < 1e-9 || one.power+two.power < pairShare*f.total || one.power > 16*two.power || strongestBut(p, 72, 408, one.bin, two.bin) > two.power/3 {
		return
	}
	f.low, f.high, f.power = min(one.bin, two.bin), max(one.bin, two.bin), one.power+two.power
}

// pulse says whether r is as long as a pulse, 0.75 to 1.25 s, as the blocks see it.
func pulse(r tones) bool { return r.ms() > 600 && r.ms() < 1400 }

func strongestBut(p []float32, from, to int, a, b float64) float64 {
	best, at := float32(0), -1
	for k := from; k <= to; k++ {
		if p[k] > best && math.Abs(float64(k)-a) > 3 && math.Abs(float64(k)-b) > 3 {
			best, at = p[k], k
		}
	}
	if at < 0 {
		return 0
	}
	return sum(p, at-2, at+2)
}

// precise measures the two tones of r over the middle 600 ms of it, to a part of a hertz.
func (f *finder) precise(d *decimator, r tones, hz []float64) error {
	const n = 2400
	x := make([]int16, n)
	if err := d.read(f.src, x, (r.from+r.to)/2-n/2*slowStep); err != nil {
		return err
	}
	w := make([]float64, n)
	for i := range w {
		w[i] = float64(x[i]) * (0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/n))
	}
	power := func(hz float64) float64 {
		re, im := 0.0, 0.0
		c, s := math.Cos(2*math.Pi*hz/slowRate), math.Sin(2*math.Pi*hz/slowRate)
		a, b := 1.0, 0.0
		for _, v := range w {
			re += v * a
			im += v * b
			a, b = a*c-b*s, a*s+b*c
		}
		return re*re + im*im
	}
	for j := range hz {
		best, at := -1.0, r.hz[j]
		for step := range 17 { // 2 Hz to each side
			h := r.hz[j] + float64(step-8)/4
			if p := power(h); p > best {
				best, at = p, h
			}
		}
		left, right := power(at-0.25), power(at+0.25)
		if bend := left - 2*best + right; bend < 0 {
			at += 0.25 * max(-1, min(1, (left-right)/(2*bend)))
		}
		hz[j] = at
	}
	return nil
}

// selcal returns the codes that four tones, a pair and a pair, may be: one shift for all of them, each within 0.15 % and
// the error of measuring of its place. Where codes of the first 16 tones fit, only those are said; and the least shift first.
func selcal(hz [4]float64) []string {
	const off, measure = 0.0015, 0.8
	type reading struct {
		code         string
		old          bool
		worst, shift float64
	}
	var all []reading
	for first := range len(selcalLetters) {
		shift := hz[0] - selcalHz(first)
		if math.Abs(shift) > Mistuned+2 {
			continue
		}
		var at [4]int
		mean := 0.0
		for i, f := range hz {
			best := math.Inf(1)
			for k := range len(selcalLetters) {
				if d := math.Abs(f - shift - selcalHz(k)); d < best {
					best, at[i] = d, k
				}
			}
			mean += (f - selcalHz(at[i])) / 4
		}
		r := reading{old: true, shift: math.Abs(mean)}
		for i, f := range hz {
			r.worst = max(r.worst, math.Abs(f-mean-selcalHz(at[i]))-off*selcalHz(at[i])/2)
			r.old = r.old && at[i] < selcalOld
			for j := range i {
				if at[i] == at[j] {
					r.worst = math.Inf(1) // no tone stands twice in a code
				}
			}
		}
		if r.worst > measure || r.shift > Mistuned {
			continue
		}
		a, b, c, d := min(at[0], at[1]), max(at[0], at[1]), min(at[2], at[3]), max(at[2], at[3])
		r.code = string([]byte{selcalLetters[a], selcalLetters[b], '-', selcalLetters[c], selcalLetters[d]})
		all = append(all, r)
	}
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].old != all[j].old {
			return all[i].old
		}
		return all[i].shift < all[j].shift
	})
	var out []string
	for _, r := range all {
		if r.old == all[0].old && (len(out) == 0 || r.code != out[len(out)-1]) {
			out = append(out, r.code)
		}
	}
	return out
}

// decimator lowers the rate of sound by a whole factor.
type decimator struct {
	step int
	fir  []float64
	buf  []int16
}

// newDecimator passes up to hz; 20 taps a step keep what lies above two thirds of the new rate 60 dB down.
func newDecimator(step int, hz float64) *decimator {
	n := 20*step + 1
	d := &decimator{step: step, fir: make([]float64, n)}
	var s float64
	for i := range d.fir {
		x := float64(i - n/2)
		w := 0.42 + 0.5*math.Cos(2*math.Pi*x/float64(n)) + 0.08*math.Cos(4*math.Pi*x/float64(n))
		c := 2 * hz / audio.Rate
		v := c
		if x != 0 {
			v = math.Sin(math.Pi*c*x) / (math.Pi * x)
		}
		d.fir[i] = v * w
		s += d.fir[i]
	}
	for i := range d.fir {
		d.fir[i] /= s
	}
	return d
}

// read fills dst with samples of which the first stands at at of src.
func (d *decimator) read(src audio.Source, dst []int16, at int64) error {
	n := (len(dst)-1)*d.step + len(d.fir)
	if len(d.buf) < n {
		d.buf = make([]int16, n)
	}
	buf := d.buf[:n]
	if err := audio.ReadPadded(src, buf, at-int64(len(d.fir)/2)); err != nil {
		return err
	}
	for i := range dst {
		var s float64
		for j, c := range d.fir {
			s += c * float64(buf[i*d.step+j])
		}
		dst[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.RoundToEven(s))))
	}
	return nil
}
