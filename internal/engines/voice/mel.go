package voice

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// The constants of the encoder's input, as its weights were trained: 16 kHz, a Hann window of 25 ms every 10 ms, 40
// bands of the Slaney mel scale up to 8 kHz, powers that are not logarithms.
const (
	rate   = 16000
	window = 400
	hop    = 160
	bins   = window/2 + 1
	mels   = 40
)

// band is one triangle of the mel scale over the bins of the spectrum.
type band struct {
	first   int
	weights []float64
}

// bands are the filters of librosa.filters.mel(sr=16000, n_fft=400, n_mels=40): linear below 1 kHz, logarithmic
// above, each of equal area, in single precision.
func bands() []band {
	const linear, knee = 200.0 / 3, 1000.0
	step := math.Log(6.4) / 27
	hertz := func(mel float64) float64 {
		if mel < knee/linear {
			return mel * linear
		}
		return knee * math.Exp(step*(mel-knee/linear))
	}
	top := knee/linear + math.Log(rate/2/knee)/step
	edges := make([]float64, mels+2)
	for i := range edges {
		edges[i] = hertz(top * float64(i) / (mels + 1))
	}
	all := make([]band, mels)
	for i := range all {
		low, mid, high := edges[i], edges[i+1], edges[i+2]
		for k := range bins {
			hz := float64(k) * rate / window
			w := min((hz-low)/(mid-low), (high-hz)/(high-mid))
			if w <= 0 {
				continue
			}
			if all[i].weights == nil {
				all[i].first = k
			}
			all[i].weights = append(all[i].weights, float64(float32(w*2/(high-low))))
		}
	}
	return all
}

// spectrograph computes mel spectra. It has buffers of its own: one for each goroutine.
type spectrograph struct {
	bands []band
	hann  []float64
	fft   *fourier.FFT
	in    []float64
	out   []complex128
	power []float64
}

func newSpectrograph() *spectrograph {
	s := &spectrograph{
		bands: bands(), hann: make([]float64, window), fft: fourier.NewFFT(window),
		in: make([]float64, window), out: make([]complex128, bins), power: make([]float64, bins),
	}
	for i := range s.hann {
		s.hann[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/window)
	}
	return s
}

// frame computes the spectrum of x around sample f*hop into dst, which has a place for each band. What lies outside
// x is silence.
func (s *spectrograph) frame(dst []float32, x []float32, f int) {
	from := f*hop - window/2
	for i := range s.in {
		s.in[i] = 0
		if k := from + i; k >= 0 && k < len(x) {
			s.in[i] = float64(x[k]) * s.hann[i]
		}
	}
	s.fft.Coefficients(s.out, s.in)
	for i, c := range s.out {
		s.power[i] = real(c)*real(c) + imag(c)*imag(c)
	}
	for b, band := range s.bands {
		sum := 0.0
		for i, w := range band.weights {
			sum += w * s.power[band.first+i]
		}
		dst[b] = float32(sum)
	}
}
