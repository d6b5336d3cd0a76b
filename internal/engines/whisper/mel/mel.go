// Package mel computes the log-mel spectra that Whisper's encoder takes. Arithmetic only: nothing is read or kept.
package mel

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The constants of Whisper's input, as its weights were trained: 16 kHz, a Hann window of 25 ms every 10 ms.
const (
	Rate   = 16000
	window = 400
	hop    = 160
	bins   = window/2 + 1
	Frame  = 2 * hop // samples of one encoder frame: 20 ms

	Longest = 30 // seconds that the encoder was trained with, always
)

// band is one triangle of the Slaney mel scale over the bins of the spectrum.
type band struct {
	first   int
	weights []float64
}

// triangles computes the filters of librosa.filters.mel(sr=16000, n_fft=400, n_mels=n), in single precision as
// Whisper's file has them: linear below 1 kHz, logarithmic above, each of equal area.
func triangles(n int) []band {
	const linear, knee = 200.0 / 3, 1000.0
	step := math.Log(6.4) / 27
	toMel := func(hz float64) float64 {
		if hz < knee {
			return hz / linear
		}
		return knee/linear + math.Log(hz/knee)/step
	}
	toHz := func(mel float64) float64 {
		if mel < knee/linear {
			return mel * linear
		}
		return knee * math.Exp(step*(mel-knee/linear))
	}
	edges := make([]float64, n+2)
	for i := range edges {
		edges[i] = toHz(toMel(Rate/2) * float64(i) / float64(n+1))
	}
	bands := make([]band, n)
	for i := range bands {
		low, mid, high := edges[i], edges[i+1], edges[i+2]
		for k := range bins {
			hz := float64(k) * Rate / window
			w := min((hz-low)/(mid-low), (high-hz)/(high-mid))
			if w <= 0 {
				continue
			}
			if bands[i].weights == nil {
				bands[i].first = k
			}
			bands[i].weights = append(bands[i].weights, float64(float32(w*2/(high-low))))
		}
	}
	return bands
}

func hann() []float64 {
	w := make([]float64, window)
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/window)
	}
	return w
}

// Spectrograph computes log-mel spectra. It has buffers of its own: one for each goroutine.
type Spectrograph struct {
	bands  []band
	window []float64
	fft    *fourier.FFT
	in     []float64
	out    []complex128
	power  []float64
}

// New makes a spectrograph with that many bands.
func New(bands int) *Spectrograph {
	return &Spectrograph{
		bands: triangles(bands), window: hann(), fft: fourier.NewFFT(window),
		in: make([]float64, window), out: make([]complex128, bins), power: make([]float64, bins),
	}
}

// Frames is the number of mel frames of n samples: an even number, as the encoder halves it.
func Frames(n int) int { return n / hop / 2 * 2 }

// LogMel computes the spectrum of pcm followed by tail samples of silence into dst, band by band, and returns
// it. The ends are mirrored for the first and last window; powers are floored eight decades below the greatest.
func (s *Spectrograph) LogMel(dst []float32, pcm []float32, tail int) []float32 {
	n := len(pcm) + tail
	m, all := Frames(n), n/hop
	if need := len(s.bands) * m; cap(dst) < need {
		dst = make([]float32, need)
	} else {
		dst = dst[:need]
	}
	most := math.Inf(-1)
	for f := range all {
		from := f*hop - window/2
		for i := range s.in {
			k := from + i
			if k < 0 {
				k = -k
			} else if k >= n {
				k = 2*(n-1) - k
			}
			if k >= 0 && k < len(pcm) {
				s.in[i] = float64(pcm[k]) * s.window[i]
			} else {
				s.in[i] = 0
			}
		}
		s.fft.Coefficients(s.out, s.in)
		for i, c := range s.out {
			s.power[i] = real(c)*real(c) + imag(c)*imag(c)
		}
		for b, t := range s.bands {
			sum := 0.0
			for i, w := range t.weights {
				sum += w * s.power[t.first+i]
			}
			l := math.Log10(max(sum, 1e-10))
			most = max(most, l)
			if f < m { // an odd last frame counts for the maximum only
				dst[b*m+f] = float32(l)
			}
		}
	}
	floor := float32(most - 8)
	for i, l := range dst {
		dst[i] = (max(l, floor) + 4) / 4
	}
	return dst
}

// Positions appends the encoder frames that stand for that many samples followed by silence: their positions in the 30 s that
// the encoder was trained with, and the logarithm of how many frames each stands for. Every frame of the samples is there;
// of the silence after them one in step (0: none), which counts for as many: it matters to the encoder, and nearly all of it is the same.
func Positions(at []int64, weight []float32, samples, step int) ([]int64, []float32) {
	n, all := samples/Frame, Longest*Rate/Frame
	for i := range n {
		at, weight = append(at, int64(i)), append(weight, 0)
	}
	if step == 0 {
		return at, weight
	}
	few := (all - n) / step
	for i := range few {
		at = append(at, int64(n+(2*i+1)*(all-n)/(2*few)))
		weight = append(weight, float32(math.Log(float64(all-n)/float64(few))))
	}
	return at, weight
}
