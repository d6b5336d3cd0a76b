package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/earwitness/earwitness/internal/audio"
)

const rate = audio.Rate

// source makes a sound, sample by sample, full scale at 1. r is its own.
type source func(i int) float64

// kind is a kind of sound without speech; begin starts one of it.
type kind struct {
	name  string
	begin func(r *rand.Rand) source
}

// kinds lists what radio has besides voices. Each file of a kind differs in its pitch, speed and shape by chance.
func kinds() []kind {
	return []kind{
		{"silence", func(*rand.Rand) source { return func(int) float64 { return 0 } }},
		{"white noise", func(r *rand.Rand) source { return func(int) float64 { return 0.15 * r.NormFloat64() } }},
		{"pink noise", pink},
		{"brown noise", func(r *rand.Rand) source {
			s := 0.0
			return func(int) float64 { s = 0.998*s + 0.02*r.NormFloat64(); return s }
		}},
		{"shaped noise", shaped},
		{"impulsive noise", func(r *rand.Rand) source {
			p := 1 / (float64(rate) * (0.002 + 0.2*r.Float64()))
			a := 0.0
			return func(int) float64 {
				if r.Float64() < p {
					a = 0.5 * r.ExpFloat64()
				}
				a *= 0.99
				return (a + 0.01) * r.NormFloat64()
			}
		}},
		{"crackle", func(r *rand.Rand) source {
			n := 200 + r.IntN(3000)
			return func(int) float64 {
				if r.IntN(n) == 0 {
					return r.NormFloat64()
				}
				return 0.003 * r.NormFloat64()
			}
		}},
		{"HF static with fading", static},
		{"FSK", fsk},
		{"PSK", psk},
		{"OFDM-like", ofdm},
		{"Morse", morse},
		{"a tone", func(r *rand.Rand) source { return bursts(r, 1, 8, tone(300+2500*r.Float64())) }},
		{"warbling tone", func(r *rand.Rand) source {
			hz, depth, speed, phase := 500+1500*r.Float64(), 20+300*r.Float64(), 1+8*r.Float64(), 0.0
			return bursts(r, 1, 8, func(i int) float64 {
				phase += 2 * math.Pi * (hz + depth*math.Sin(2*math.Pi*speed*float64(i)/rate)) / rate
				return 0.3 * math.Sin(phase)
			})
		}},
		{"sweeps", func(r *rand.Rand) source {
			length, phase := float64(rate)*(0.2+4*r.Float64()), 0.0
			return func(i int) float64 {
				phase += 2 * math.Pi * (300 + 2600*math.Mod(float64(i), length)/length) / rate
				return 0.3 * math.Sin(phase)
			}
		}},
		{"chords", chords},
		{"melody", melody},
		{"drums", drums},
		{"hum", func(r *rand.Rand) source {
			mains, level := 50+10*float64(r.IntN(2)), [8]float64{}
			for k := range level {
				level[k] = 0.3 * r.Float64() / float64(k+1)
			}
			return func(i int) (s float64) {
				for k, a := range level {
					s += a * math.Sin(2*math.Pi*mains*float64(k+1)*float64(i)/rate)
				}
				return s + 0.003*r.NormFloat64()
			}
		}},
		{"a carrier", func(r *rand.Rand) source {
			f := tone(400 + 2000*r.Float64())
			return func(i int) float64 { return f(i) + 0.02*r.NormFloat64() }
		}},
		{"carriers", func(r *rand.Rand) source {
			var all []source
			for range 2 + r.IntN(4) {
				all = append(all, tone(300+2600*r.Float64()))
			}
			return func(i int) (s float64) {
				for _, f := range all {
					s += f(i) / 3
				}
				return s + 0.03*r.NormFloat64()
			}
		}},
		{"SELCAL", selcal},
		{"DTMF", dtmf},
		{"squelch", func(r *rand.Rand) source {
			return bursts(r, 0.1, 0.6, func(int) float64 { return 0.4 * r.NormFloat64() })
		}},
		{"a buzzing jammer", func(r *rand.Rand) source {
			hz, duty := 20+150*r.Float64(), 0.2+0.6*r.Float64()
			return bursts(r, 2, 20, func(i int) float64 {
				if _, f := math.Modf(float64(i) * hz / rate); f > duty {
					return 0
				}
				return 0.4 * r.NormFloat64()
			})
		}},
	}
}

func tone(hz float64) source {
	return func(i int) float64 { return 0.3 * math.Sin(2*math.Pi*hz*float64(i)/rate) }
}

// bursts keys a sound for some seconds between two limits, with pauses of faint noise.
func bursts(r *rand.Rand, least, most float64, f source) source {
	until, on := 0, false
	return func(i int) float64 {
		if i >= until {
			on = !on
			length := 1 + 6*r.Float64()
			if on {
				length = least + (most-least)*r.Float64()
			}
			until = i + int(length*rate)
		}
		n := 0.005 * r.NormFloat64()
		if !on {
			return n
		}
		return n + f(i)
	}
}

func pink(r *rand.Rand) source {
	var rows [12]float64
	return func(i int) (s float64) {
		for k := range rows {
			if i%(1<<k) == 0 {
				rows[k] = r.NormFloat64()
			}
			s += rows[k]
		}
		return 0.04 * s
	}
}

// resonance is a filter with one peak.
func resonance(hz, width float64) func(x float64) float64 {
	a, b := -2*math.Exp(-math.Pi*width/rate)*math.Cos(2*math.Pi*hz/rate), math.Exp(-2*math.Pi*width/rate)
	y1, y2 := 0.0, 0.0
	return func(x float64) float64 {
		y := x - a*y1 - b*y2
		y1, y2 = y, y1
		return y
	}
}

// shaped is noise with two peaks that wander like a voice's, which is what deceives recognisers.
func shaped(r *rand.Rand) source {
	one, two := resonance(400+400*r.Float64(), 150), resonance(1000+1500*r.Float64(), 300)
	slow := 2 + 4*r.Float64()
	return func(i int) float64 {
		x := r.NormFloat64()
		return 0.01 * (one(x) + two(x)) * (0.6 + 0.4*math.Sin(2*math.Pi*slow*float64(i)/rate))
	}
}

func static(r *rand.Rand) source {
	band := resonance(1200, 2400)
	a, b := 0.05+0.2*r.Float64(), 0.3+0.5*r.Float64()
	crash := 0.0
	return func(i int) float64 {
		t := float64(i) / rate
		if r.Float64() < 0.3/rate {
			crash = 3 + 5*r.Float64()
		}
		crash *= 0.9997
		return 0.03 * band(r.NormFloat64()) * (1.2 + math.Sin(2*math.Pi*a*t)*0.6 + math.Sin(2*math.Pi*b*t)*0.4 + crash)
	}
}

func fsk(r *rand.Rand) source {
	bauds, shifts := []float64{45.45, 50, 75, 100, 200, 300, 600, 1200}, []float64{85, 170, 425, 450, 850}
	baud, shift, mid, levels := bauds[r.IntN(len(bauds))], shifts[r.IntN(len(shifts))], 1000+1000*r.Float64(), 2
	if r.IntN(3) == 0 {
		levels, shift, baud = 8, 250, 125
	}
	phase, f, next := 0.0, mid, 0.0
	return bursts(r, 2, 25, func(i int) float64 {
		if float64(i) >= next {
			next = float64(i) + rate/baud
			f = mid + shift*(float64(r.IntN(levels))/float64(levels-1)-0.5)
		}
		phase += 2 * math.Pi * f / rate
		return 0.25 * math.Sin(phase)
	})
}

func psk(r *rand.Rand) source {
	bauds := []float64{31.25, 63, 125, 600, 1200, 2400}
	baud, hz := bauds[r.IntN(len(bauds))], 800+1000*r.Float64()
	a, b, next := 1.0, 1.0, 0.0
	return bursts(r, 2, 25, func(i int) float64 {
		if float64(i) >= next {
			next = float64(i) + rate/baud
			a, b = b, float64(2*r.IntN(2)-1)
		}
		w := 0.5 - 0.5*math.Cos(math.Pi*(1-(next-float64(i))*baud/rate))
		return 0.25 * (a + (b-a)*w) * math.Sin(2*math.Pi*hz*float64(i)/rate)
	})
}

func ofdm(r *rand.Rand) source {
	n, spacing := 16+r.IntN(40), 30+30*r.Float64()
	phase := make([]float64, n)
	next := 0
	return bursts(r, 3, 25, func(i int) (s float64) {
		if i >= next {
			next = i + int(rate/spacing*1.2)
			for k := range phase {
				phase[k] = math.Pi / 2 * float64(r.IntN(4))
			}
		}
		for k, p := range phase {
			s += math.Sin(2*math.Pi*(600+spacing*float64(k))*float64(i)/rate + p)
		}
		return 0.25 * s / math.Sqrt(float64(n))
	})
}

func morse(r *rand.Rand) source {
	hz, unit := 400+600*r.Float64(), int(rate*1.2/(10+25*r.Float64()))
	until, on, a := 0, false, 0.0
	return func(i int) float64 {
		if i >= until {
			on = !on
			length := []int{1, 1, 3}[r.IntN(3)]
			if !on {
				length = []int{1, 1, 1, 3, 3, 7}[r.IntN(6)]
			}
			until = i + unit*length
		}
		goal := 0.0
		if on {
			goal = 0.3
		}
		a += (goal - a) * 0.01 // no clicks
		return a*math.Sin(2*math.Pi*hz*float64(i)/rate) + 0.01*r.NormFloat64()
	}
}

func note(n int) float64 { return 220 * math.Pow(2, float64(n)/12) }

func chords(r *rand.Rand) source {
	var hz [4]float64
	length := rate * (300 + r.IntN(1200)) / 1000
	return func(i int) (s float64) {
		if i%length == 0 {
			root := r.IntN(12)
			hz = [4]float64{note(root), note(root + 3 + r.IntN(2)), note(root + 7), note(root + 12)}
		}
		a := math.Exp(-2 * float64(i%length) / rate)
		for _, f := range hz {
			for h := 1.0; h < 6; h++ {
				s += a / h * math.Sin(2*math.Pi*f*h*float64(i)/rate)
			}
		}
		return 0.05 * s
	}
}

// melody has vibrato and slides, as a singer has, but no words.
func melody(r *rand.Rand) source {
	hz, goal, phase, until := 440.0, 440.0, 0.0, 0
	return func(i int) (s float64) {
		if i >= until {
			until = i + rate*(100+r.IntN(600))/1000
			goal = note(r.IntN(25))
		}
		hz += (goal - hz) * 0.001
		phase += 2 * math.Pi * hz * (1 + 0.01*math.Sin(2*math.Pi*5.5*float64(i)/rate)) / rate
		for h := 1.0; h < 9; h++ {
			s += math.Sin(phase*h) / h
		}
		return 0.12*s + 0.002*r.NormFloat64()
	}
}

func drums(r *rand.Rand) source {
	beat := rate * (150 + r.IntN(250)) / 1000
	kind := 0
	return func(i int) float64 {
		if i%beat == 0 {
			kind = r.IntN(3)
		}
		t := float64(i%beat) / rate
		switch kind {
		case 0:
			return 0.5 * math.Exp(-12*t) * math.Sin(2*math.Pi*(60+80*math.Exp(-20*t))*t)
		case 1:
			return 0.3 * math.Exp(-25*t) * r.NormFloat64()
		default:
			return 0
		}
	}
}

func selcal(r *rand.Rand) source {
	var hz [4]float64
	start := 0
	return func(i int) float64 {
		if i-start >= 5*rate || i == 0 {
			start = i
			p := r.Perm(16)
			for k := range hz {
				hz[k] = math.Pow(10, 2.495+0.045*float64(p[k]))
			}
		}
		t, k := float64(i-start)/rate, 0
		switch {
		case t >= 1 && t < 1.2 || t >= 2.2:
			return 0.01 * r.NormFloat64()
		case t >= 1.2:
			k = 2
		}
		return 0.15*(math.Sin(2*math.Pi*hz[k]*t)+math.Sin(2*math.Pi*hz[k+1]*t)) + 0.01*r.NormFloat64()
	}
}

func dtmf(r *rand.Rand) source {
	rows, columns := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	on := rate * (50 + r.IntN(150)) / 1000
	a, b, silent := 0.0, 0.0, false
	return func(i int) float64 {
		if i%(2*on) == 0 {
			a, b = rows[r.IntN(4)], columns[r.IntN(4)]
			silent = i/(2*on)%16 > 9
		}
		n := 0.005 * r.NormFloat64()
		if silent || i%(2*on) >= on {
			return n
		}
		return n + 0.15*(math.Sin(2*math.Pi*a*float64(i)/rate)+math.Sin(2*math.Pi*b*float64(i)/rate))
	}
}

// sound makes the given seconds of a kind; the same seed gives the same samples.
func (k kind) sound(seconds int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, uint64(len(k.name))<<32|hash(k.name)))
	f := k.begin(r)
	x := make([]int16, seconds*rate)
	for i := range x {
		x[i] = int16(math.Round(max(-1, min(1, f(i))) * 32767))
	}
	return x
}

func hash(s string) (h uint64) {
	for _, c := range []byte(s) {
		h = h*31 + uint64(c)
	}
	return h & math.MaxUint32
}

func (k kind) file(n int) string { return fmt.Sprintf("%s %03d.wav", k.name, n) }
