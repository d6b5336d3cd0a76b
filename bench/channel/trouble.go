package channel

import (
	"math"
	"math/rand/v2"
)

// Troubles lists what else may happen on a simulated channel, as Scene and SimulateWith name it:
//
//	deep fading      two paths with Rayleigh fading of 0.5 Hz spread, that cancel each other now and then
//	crashes          atmospherics, twenty a minute, 6 to 20 dB over the voice
//	heterodyne       one carrier's whistle that drifts, 3 dB below the voice
//	heterodynes      four carriers that stand still, each 6 dB below the voice
//	music            chords under and between the voices, 6 dB below them
//	overlap          in every second transmission somebody else speaks, too
//	ctcss            a sub-tone of 103.5 Hz, 16 dB below the voice, while the key is down and 0.2 s longer
//	clipping         the whole recorded 18 dB too loud
//	telephone        the whole through 8 kHz and 8 bits of mu-law
//	mistuned -100 Hz and +50, +300: a receiver of single sideband that is off by as much
func Troubles() []string {
	return []string{"deep fading", "crashes", "heterodyne", "heterodynes", "music", "overlap", "ctcss", "clipping", "telephone", "mistuned +50", "mistuned -100", "mistuned +300"}
}

// onSignal does what happens to the stations' signals before the receiver adds its noise.
func onSignal(trouble string, signal []float64, gate []bool, truth []Keyed, voices [][]float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 78))
	var hz float64
	switch trouble {
	case "deep fading":
		copy(signal, fade(signal, r))
	case "overlap":
		for i, k := range truth {
			if k.Sound != "speech" || i%2 == 1 {
				continue
			}
			x := append([]float64{}, voices[r.IntN(len(voices))]...)
			Band(x)
			g := decibels(-6 * r.Float64())
			for j, v := range x {
				if at := int((k.From+(k.To-k.From)*0.3)*Rate) + j; at < int(k.To*Rate) {
					signal[at] += v * g
				}
			}
		}
	case "ctcss":
		last := -Rate
		for i := range signal {
			if gate[i] {
				last = i
			}
			if i-last < Rate/5 {
				signal[i] += decibels(-16) * math.Sqrt2 * math.Sin(2*math.Pi*103.5*float64(i)/Rate)
			}
		}
	case "mistuned +50":
		hz = 50
	case "mistuned -100":
		hz = -100
	case "mistuned +300":
		hz = 300
	}
	if hz != 0 {
		q := quadrature(signal)
		for i, v := range signal {
			s, c := math.Sincos(2 * math.Pi * hz * float64(i) / Rate)
			signal[i] = v*c - q[i]*s
		}
	}
}

// onReceived does what comes on top of signal and noise; a voice has a level of 1.
func onReceived(trouble string, x []float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 79))
	add := func(y []float64, db float64) {
		g := decibels(db) / math.Sqrt(limit(y, 300, 3000)+1e-12)
		for i, v := range y {
			x[i] += v * g
		}
	}
	switch trouble {
	case "crashes":
		crash(x, r)
	case "heterodyne":
		add(whistle(len(x), r), -3)
	case "heterodynes":
		for range 4 {
			hz, phase := 400+2300*r.Float64(), 7*r.Float64()
			for i := range x {
				x[i] += decibels(-6) * math.Sqrt2 * math.Sin(2*math.Pi*hz*float64(i)/Rate+phase)
			}
		}
	case "music":
		add(music(len(x), r), -6)
	case "clipping":
		scale(x, decibels(18))
	}
}

// telephone sends sound through 8 kHz and mu-law. Every second sample is what 8 kHz has: the channel's band ends at 2.9 kHz. The
// way back is that of the project's reader, but for its filter: the mean of two neighbours, and its images above 5 kHz.
func telephone(x []int16) []int16 {
	y := make([]int16, len(x))
	for i := 0; i < len(x); i += 2 {
		y[i] = mulaw(x[i])
	}
	for i := 1; i < len(x); i += 2 {
		y[i] = int16((int(y[i-1]) + int(y[min(i+1, (len(x)-1)/2*2)])) / 2)
	}
	return y
}

// mulaw rounds a sample to the 8 bits of ITU-T G.711: 8 steps to each doubling.
func mulaw(v int16) int16 {
	m := min(32635, math.Abs(float64(v))) + 132
	step := math.Pow(2, math.Floor(math.Log2(m))-4)
	return int16(math.Copysign(math.Round(m/step)*step-132, float64(v)))
}
