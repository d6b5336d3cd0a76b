package main

import (
	"math"
	"math/rand/v2"

	"github.com/earwitness/earwitness/internal/audio"
)

const rate = audio.Rate

// keyed is one transmission of the truth, in seconds.
type keyed struct {
	sound    string // speech, tone, data, music, noise
	down, up float64
	from, to float64 // of the speech
	rest     found   // the talker's pause in it, if any
}

// scene is a simulated recording with its truth.
type scene struct {
	kind  string // ssb, am, fm, open
	snr   float64
	sound []int16
	truth []keyed
}

// biquad is a second-order filter (RBJ cookbook formulas).
type biquad struct{ b0, b1, b2, a1, a2, x1, x2, y1, y2 float64 }

func pass(hz float64, high bool) *biquad {
	w := 2 * math.Pi * hz / rate
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

// band filters x in place to 300-2,900 Hz, fourth order, and brings it back to a level of 1.
func band(x []float64) {
	filters := []*biquad{pass(300, true), pass(300, true), pass(2900, false), pass(2900, false)}
	s := 0.0
	for i, v := range x {
		for _, f := range filters {
			v = f.next(v)
		}
		x[i] = v
		s += v * v
	}
	g := 1 / math.Sqrt(s/float64(len(x))+1e-12)
	for i := range x {
		x[i] *= g
	}
}

// simulate places voices and other sounds in a channel of the given kind:
//
//	ssb   steady noise, fading of 6 dB, crashes; keying cannot be seen
//	am    the carrier quietens the noise by 9 dB while keyed
//	fm    digital silence while nobody transmits, a squelch tail at the end
//	open  an FM receiver without squelch: loud noise while nobody transmits, 20 dB or more less while keyed
//
// The level of the voice over the noise that is there while keyed is snr, in dB, in the channel's band.
func simulate(kind string, snr float64, seconds int, voices []voice, seed uint64) scene {
	r := rand.New(rand.NewPCG(seed, 77))
	n := seconds * rate
	signal, gate := make([]float64, n), make([]bool, n)
	sc := scene{kind: kind, snr: snr}
	tail := make([]float64, n) // gain of the squelch tail's noise
	place := func(x []float64, at int, gain float64) {
		for i, v := range x {
			if at+i < n {
				signal[at+i] += v * gain
			}
		}
	}
	for at := rate * 2; ; {
		lead, lag := 0, 0
		if kind != "ssb" {
			lead, lag = rate*(120+r.IntN(300))/1000, rate*(120+r.IntN(300))/1000
		}
		k := keyed{sound: "speech"}
		var x []float64
		switch what := r.IntN(10); {
		case what < 7:
			x = append(x, voices[r.IntN(len(voices))].sound...)
			if r.IntN(3) == 0 && len(x) < 5*rate { // the talker pauses, the carrier stays up
				k.rest.from = float64(len(x)) / rate
				x = append(x, make([]float64, rate*(400+r.IntN(500))/1000)...)
				k.rest.to = float64(len(x)) / rate
				x = append(x, voices[r.IntN(len(voices))].sound...)
			}
			x = append([]float64{}, x...)
		case what == 7:
			k.sound = "tone"
			x = make([]float64, rate*(600+r.IntN(1500))/1000)
			hz := 400 + r.Float64()*1600
			for i := range x {
				x[i] = math.Sin(2 * math.Pi * hz * float64(i) / rate)
			}
		case what == 8:
			k.sound = "data" // frequency-shift keying, 75 to 200 baud
			x = make([]float64, rate*(800+r.IntN(2500))/1000)
			mid, shift, baud := 1000+r.Float64()*800, 85+r.Float64()*340, 75+r.Float64()*125
			phase, f, next := 0.0, mid, 0.0
			for i := range x {
				if float64(i) >= next {
					next += rate / baud
					f = mid + shift*float64(2*r.IntN(2)-1)
				}
				phase += 2 * math.Pi * f / rate
				x[i] = math.Sin(phase)
			}
		default:
			k.sound = "noise" // a jammer's buzz: shaped noise, chopped
			x = make([]float64, rate*(500+r.IntN(1500))/1000)
			for i := range x {
				x[i] = r.NormFloat64() * (0.6 + 0.4*math.Sin(2*math.Pi*40*float64(i)/rate))
			}
		}
		if at+lead+len(x)+lag+3*rate > n {
			break
		}
		band(x)
		place(x, at+lead, 1)
		up := at + lead + len(x) + lag
		for i := at; i < up; i++ {
			gate[i] = true
		}
		k.down, k.up = float64(at)/rate, float64(up)/rate
		k.from, k.to = float64(at+lead)/rate, float64(at+lead+len(x))/rate
		k.rest.from, k.rest.to = k.from+k.rest.from, k.from+k.rest.to
		sc.truth = append(sc.truth, k)
		if kind == "fm" {
			for i := up; i < up+rate*(80+r.IntN(170))/1000; i++ {
				tail[i] = 1
			}
		}
		switch r.IntN(4) {
		case 0:
			at = up + rate*(300+r.IntN(300))/1000
		case 1:
			at = up + rate*(700+r.IntN(1500))/1000
		default:
			at = up + rate*(3000+r.IntN(12000))/1000
		}
	}
	// The receiver: noise in its band, by the state of the key.
	noise := make([]float64, n)
	for i := range noise {
		noise[i] = r.NormFloat64()
	}
	band(noise)
	down := math.Pow(10, -snr/20)
	fade := r.Float64() * 10
	crash, until := 0.0, 0
	sc.sound = make([]int16, n)
	for i := range n {
		v := signal[i]
		t := float64(i) / rate
		open := down
		switch kind {
		case "ssb":
			v *= math.Pow(10, 3*math.Sin(2*math.Pi*0.23*t+fade)/20) // 6 dB between crest and trough
			if r.Float64() < 5.0/60/rate {
				crash, until = 2+4*r.Float64(), i+rate*(30+r.IntN(120))/1000
			}
			if i > until {
				crash *= 0.9995
			}
			open = down * (1 + crash)
		case "am":
			if !gate[i] {
				open = down * 2.8
			}
		case "fm":
			if !gate[i] {
				open = max(0.7, down*3) * tail[i]
			}
		case "open":
			if !gate[i] {
				open = max(1.5, down*10)
			}
		}
		v = (v + noise[i]*open) * 2200
		sc.sound[i] = int16(max(-32768, min(32767, math.Round(v))))
	}
	return sc
}
