package channel

import (
	"math"
	"math/rand/v2"
)

// Clean is the noise level of a path without noise.
var Clean = math.Inf(1)

// Path is what lies between a talker and a recording of one burst: a band of 300-3,000 Hz and what is stated here. The
// zero value has the voice as strong as the noise; Path{SNR: Clean} is the band alone.
type Path struct {
	// SNR is the level of the voice over the noise, both in the band, in dB. The voice's level is that of its 10 ms
	// within 30 dB of the loudest (pauses do not count), before fading.
	SNR float64
	// Fading is slow and selective: two paths 1 ms apart, each with Rayleigh fading of 0.5 Hz spread ("moderate
	// conditions" of ITU-R F.1487), of mean power 1 together.
	Fading bool
	// Crashes are atmospherics: bursts of noise, about twenty a minute and at least one, that stand 6 to 20 dB over the
	// voice for 30 to 150 ms and then die down with a time constant of 60 ms.
	Crashes bool
	// Heterodyne is another carrier's whistle, 3 dB below the voice, that drifts slowly between 500 and 2,500 Hz.
	Heterodyne bool
	// Music jams: chords of five harmonics, struck twice a second, 3 dB below the voice.
	Music bool
}

// Level of the voice in the sound of a burst, as a share of full scale: -23.4 dB.
const voiceLevel = 2200

// Burst sends a voice through the path. The sound has as many samples as pcm; the same pcm, path and seed give the
// same sound, and each thing on the path is the same whatever else is on it. Pcm without any sound gets noise at the
// level that it would have under a voice.
func (p Path) Burst(pcm []int16, seed uint64) []int16 {
	if len(pcm) == 0 {
		return nil
	}
	x := make([]float64, len(pcm))
	for i, v := range pcm {
		x[i] = float64(v)
	}
	limit(x, 300, 3000)
	scale(x, 1/math.Sqrt(active(x)+1e-12))
	if p.Fading {
		x = fade(x, rand.New(rand.NewPCG(seed, 1)))
	}
	add := func(y []float64, level float64) {
		g := level / math.Sqrt(limit(y, 300, 3000)+1e-12)
		for i, v := range y {
			x[i] += v * g
		}
	}
	if !math.IsInf(p.SNR, 1) {
		add(noise(len(x), rand.New(rand.NewPCG(seed, 2))), decibels(-p.SNR))
	}
	if p.Crashes {
		crash(x, rand.New(rand.NewPCG(seed, 3)))
	}
	if p.Heterodyne {
		add(whistle(len(x), rand.New(rand.NewPCG(seed, 4))), decibels(-3))
	}
	if p.Music {
		add(music(len(x), rand.New(rand.NewPCG(seed, 5))), decibels(-3))
	}
	out := make([]int16, len(x))
	for i, v := range x {
		out[i] = int16(max(-32768, min(32767, math.Round(v*voiceLevel))))
	}
	return out
}

func decibels(db float64) float64 { return math.Pow(10, db/20) }

// active is the mean power of the 10 ms within 30 dB of the loudest.
func active(x []float64) float64 {
	const step = Rate / 100
	var power []float64
	top := 0.0
	for i := 0; i < len(x); i += step {
		part := x[i:min(len(x), i+step)]
		s := 0.0
		for _, v := range part {
			s += v * v
		}
		s /= float64(len(part))
		power = append(power, s)
		top = max(top, s)
	}
	s, n := 0.0, 0
	for _, v := range power {
		if v >= top/1000 {
			s += v
			n++
		}
	}
	return s / float64(n)
}

func noise(n int, r *rand.Rand) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// gain is a random process of mean power 1/2 with a Gaussian spectrum of the given spread, as a sum of turning arrows.
type gain struct{ hz, phase [24]float64 }

func newGain(spread float64, r *rand.Rand) *gain {
	g := &gain{}
	for i := range g.hz {
		g.hz[i], g.phase[i] = r.NormFloat64()*spread/2, r.Float64()*2*math.Pi
	}
	return g
}

func (g *gain) at(t float64) (re, im float64) {
	a := math.Sqrt(0.5 / float64(len(g.hz)))
	for i := range g.hz {
		s, c := math.Sincos(2*math.Pi*g.hz[i]*t + g.phase[i])
		re += a * c
		im += a * s
	}
	return re, im
}

// fade is a Watterson channel of two paths.
func fade(x []float64, r *rand.Rand) []float64 {
	const delay = Rate / 1000
	const every = 80 // samples between gains, 5 ms: nothing moves within them
	q := quadrature(x)
	near, far := newGain(0.5, r), newGain(0.5, r)
	y := make([]float64, len(x))
	var a, b, c, d float64
	for i := range x {
		if i%every == 0 {
			t := float64(i) / Rate
			a, b = near.at(t)
			c, d = far.at(t)
		}
		y[i] = a*x[i] - b*q[i]
		if i >= delay {
			y[i] += c*x[i-delay] - d*q[i-delay]
		}
	}
	return y
}

// quadrature shifts every frequency of the band by a quarter of a turn: the other half of the analytic signal.
func quadrature(x []float64) []float64 {
	const half = 127
	var h [2*half + 1]float64
	for k := -half; k <= half; k++ {
		if k%2 != 0 {
			w := 0.54 + 0.46*math.Cos(math.Pi*float64(k)/half)
			h[k+half] = 2 / (math.Pi * float64(k)) * w
		}
	}
	y := make([]float64, len(x))
	for i := range x {
		s := 0.0
		for k := -half; k <= half; k += 2 { // half is odd, and even taps are 0
			if j := i - k; j >= 0 && j < len(x) {
				s += h[k+half] * x[j]
			}
		}
		y[i] = s
	}
	return y
}

// crash adds atmospherics to x, whose voice has a level of 1.
func crash(x []float64, r *rand.Rand) {
	y := noise(len(x), r)
	scale(y, 1/math.Sqrt(limit(y, 300, 3000)+1e-12))
	count := 0
	for range len(x) * 20 / (60 * Rate) {
		count += r.IntN(3) // one on average
	}
	count = max(1, count)
	level := make([]float64, len(x))
	for range count {
		at, top, hold := r.IntN(len(x)), decibels(6+14*r.Float64()), Rate*(30+r.IntN(121))/1000
		for i := at; i < len(x); i++ {
			g := top
			if n := i - at - hold; n > 0 {
				if g *= math.Exp(-float64(n) / (0.06 * Rate)); g < 1e-4 {
					break
				}
			}
			level[i] = max(level[i], g)
		}
	}
	for i := range x {
		x[i] += y[i] * level[i]
	}
}

func whistle(n int, r *rand.Rand) []float64 {
	x := make([]float64, n)
	mid, swing, start := 1500.0, 1000*r.Float64(), r.Float64()*2*math.Pi
	phase := 0.0
	for i := range x {
		phase += 2 * math.Pi * (mid + swing*math.Sin(2*math.Pi*0.05*float64(i)/Rate+start)) / Rate
		x[i] = math.Sin(phase)
	}
	return x
}

func music(n int, r *rand.Rand) []float64 {
	chords := [][3]float64{{262, 330, 392}, {349, 440, 523}, {392, 494, 587}, {220, 262, 330}, {294, 349, 440}}
	x := make([]float64, n)
	var c [3]float64
	for i := range x {
		beat := i % (Rate / 2)
		if beat == 0 {
			c = chords[r.IntN(len(chords))]
		}
		a := math.Exp(-3 * float64(beat) / Rate)
		for _, f := range c {
			for h := 1.0; h <= 5; h++ {
				x[i] += a / h * math.Sin(2*math.Pi*f*h*float64(i)/Rate)
			}
		}
	}
	return x
}
