package audio

import (
	"errors"
	"io"
	"math"
	"sync"
)

// The resampler. Working sample n stands at the time of input frame n*rate/16000 exactly. Its value is the
// input convolved with a windowed sinc centred there, so the delay is zero and no position depends on another.
//
// The filter, with low = the smaller of the two rates: flat to 0.43*low, 70 dB down from 0.50*low on (Kaiser
// window), so that nothing folds back. Coefficients are integers (2^30 = 1), every phase sums to exactly 2^30,
// and sums are in 64 bits: the samples are the same on every machine. Ratios L/M whose reduced L is above
// maxPhases use maxPhases phases and the straight line between two of them (its error is below -100 dB).
const (
	stopDB     = 70.0
	passEdge   = 0.43
	stopEdge   = 0.50
	coefBits   = 30
	maxPhases  = 1024
	kaiserStep = 14.36 // taps = (A - 7.95) / (14.36 * width), Kaiser 1974
)

type resampler struct {
	up, down int64 // working rate : input rate, in lowest terms
	half     int   // taps at or before the centre; a phase has 2*half taps
	phases   int
	coef     [][]int32 // phases rows, or phases+1 where lines are drawn between them
}

func newResampler(rate int) *resampler {
	g := gcd(int64(rate), Rate)
	r := &resampler{up: Rate / g, down: int64(rate) / g}
	if r.up == r.down {
		return r
	}
	low := math.Min(float64(rate), Rate) / float64(rate) // in units of the input rate
	taps := (stopDB - 7.95) / (kaiserStep * (stopEdge - passEdge) * low)
	r.half = int(math.Ceil(taps / 2))
	r.phases = int(r.up)
	rows := r.phases
	if r.phases > maxPhases {
		r.phases = maxPhases
		rows = maxPhases + 1
	}
	cut := (passEdge + stopEdge) / 2 * low // cycles per input sample
	beta := 0.1102 * (stopDB - 8.7)
	span := taps / 2
	r.coef = make([][]int32, rows)
	row := make([]float64, 2*r.half)
	for p := range r.coef {
		frac := float64(p) / float64(r.phases)
		sum := 0.0
		for k := range row {
			t := float64(k-r.half+1) - frac // from the centre, in input samples
			row[k] = 0
			if u := t / span; u > -1 && u < 1 {
				row[k] = 2 * cut * sinc(2*cut*t) * bessel0(beta*math.Sqrt(1-u*u)) / bessel0(beta)
			}
			sum += row[k]
		}
		c := make([]int32, len(row))
		total, peak := int64(0), 0
		for k, x := range row {
			c[k] = int32(math.RoundToEven(x / sum * (1 << coefBits)))
			total += int64(c[k])
			if c[k] > c[peak] {
				peak = k
			}
		}
		c[peak] += int32(1<<coefBits - total)
		r.coef[p] = c
	}
	return r
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of order zero, by its series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1; term > sum*1e-17; k++ {
		term *= x / 2 / float64(k) * x / 2 / float64(k)
		sum += term
	}
	return sum
}

// frame returns the input frame at or before working sample n, and how far after it n stands, in 1/up.
func (r *resampler) frame(n int64) (at, rest int64) {
	return n * r.down / r.up, n * r.down % r.up
}

// samples returns how many working samples stand before the end of the given number of frames.
func (r *resampler) samples(frames int64) int64 {
	return frames/r.down*r.up + (frames%r.down*r.up+r.down-1)/r.down
}

func dot(x, c []int32) int64 {
	x = x[:len(c)]
	var a, b, d, e int64
	i := 0
	for ; i+4 <= len(c); i += 4 {
		a += int64(x[i]) * int64(c[i])
		b += int64(x[i+1]) * int64(c[i+1])
		d += int64(x[i+2]) * int64(c[i+2])
		e += int64(x[i+3]) * int64(c[i+3])
	}
	for ; i < len(c); i++ {
		a += int64(x[i]) * int64(c[i])
	}
	return a + b + d + e
}

// value returns working sample n; in holds the frames from first on, zero outside the sound.
func (r *resampler) value(in []int32, first, n int64) int16 {
	at, rest := r.frame(n)
	i := int(at - first)
	var v int64 // full scale at 2^23
	switch {
	case r.half == 0:
		v = int64(in[i])
	case int64(r.phases) == r.up:
		v = (dot(in[i-r.half+1:], r.coef[rest]) + 1<<(coefBits-1)) >> coefBits
	default:
		pos := rest * int64(r.phases)
		p, w := pos/r.up, pos%r.up
		a := dot(in[i-r.half+1:], r.coef[p]) >> (coefBits - 4)
		b := dot(in[i-r.half+1:], r.coef[p+1]) >> (coefBits - 4)
		v = (a + (b-a)*w/r.up + 8) >> 4
	}
	v = (v + 128) >> 8
	return int16(max(math.MinInt16, min(math.MaxInt16, v)))
}

// Source returns the file as working sound: the mean of its channels at 16 kHz. A file that is so already, in
// 16 bits, passes through bit for bit.
func (w *WAV) Source() Source {
	if w.Layout == (Layout{Encoding: EncodingPCM, Bits: 16, Channels: 1, Rate: Rate}) {
		return &PCM{r: w.r, start: w.start, samples: w.frames}
	}
	r := newResampler(w.Rate)
	return &resampled{wav: w, r: r, samples: r.samples(w.frames)}
}

type resampled struct {
	wav     *WAV
	r       *resampler
	samples int64
	pool    sync.Pool // of *resampleBuffer
}

type resampleBuffer struct {
	raw []byte
	in  []int32
}

func (s *resampled) Len() int64 { return s.samples }

// ReadSamples implements Source.
func (s *resampled) ReadSamples(dst []int16, at int64) (int, error) {
	if at < 0 {
		return 0, errPosition
	}
	want := int(min(int64(len(dst)), max(s.samples-at, 0)))
	buf, ok := s.pool.Get().(*resampleBuffer)
	if !ok {
		buf = &resampleBuffer{}
	}
	defer s.pool.Put(buf)
	for n := 0; n < want; {
		m := min(want-n, 4096)
		if err := s.block(buf, dst[n:n+m], at+int64(n)); err != nil {
			return n, err
		}
		n += m
	}
	if want < len(dst) {
		return want, io.EOF
	}
	return want, nil
}

func (s *resampled) block(buf *resampleBuffer, dst []int16, at int64) error {
	first, _ := s.r.frame(at)
	last, _ := s.r.frame(at + int64(len(dst)) - 1)
	pad := int64(s.r.half)
	first, last = first-pad, last+pad+1
	need := int(last - first)
	if cap(buf.in) < need {
		buf.in = make([]int32, need)
	}
	in := buf.in[:need]
	from, to := max(first, 0), min(last, s.wav.frames)
	clear(in[:from-first])
	clear(in[max(to, from)-first:])
	if count := int(to - from); count > 0 {
		fb := s.wav.FrameBytes()
		if cap(buf.raw) < count*fb {
			buf.raw = make([]byte, count*fb)
		}
		if _, err := s.wav.ReadFrames(buf.raw[:count*fb], from); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		s.wav.mono(in[from-first:to-first], buf.raw)
	}
	for i := range dst {
		dst[i] = s.r.value(in, first, at+int64(i))
	}
	return nil
}
