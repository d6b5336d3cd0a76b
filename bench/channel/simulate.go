package channel

import (
	"math"
	"math/rand/v2"
)

// Interval is a stretch of time, in seconds.
type Interval struct{ From, To float64 }

// Keyed is one transmission of the truth, in seconds.
type Keyed struct {
	Sound    string // speech, tone, data, noise
	Down, Up float64
	From, To float64  // of the speech
	Rest     Interval // the talker's pause in it, if any
}

// Scene is a simulated recording with its truth.
type Scene struct {
	Kind    string // ssb, am, fm, open
	Trouble string // one of Troubles, or none
	SNR     float64
	Sound   []int16
	Truth   []Keyed
}

// Simulate places voices and other sounds in a channel of the given kind:
//
//	ssb   steady noise, fading of 6 dB, crashes; keying cannot be seen
//	am    the carrier quietens the noise by 9 dB while keyed
//	fm    digital silence while nobody transmits, a squelch tail at the end
//	open  an FM receiver without squelch: loud noise while nobody transmits, 20 dB or more less while keyed
//
// The level of the voice over the noise that is there while keyed is snr, in dB, in the channel's band. Each of voices is an utterance. The
// same seed gives the same sound.
func Simulate(kind string, snr float64, seconds int, voices [][]float64, seed uint64) Scene {
	return SimulateWith("", kind, snr, seconds, voices, seed)
}

// SimulateWith is Simulate with one of Troubles.
func SimulateWith(trouble, kind string, snr float64, seconds int, voices [][]float64, seed uint64) Scene {
	r := rand.New(rand.NewPCG(seed, 77))
	n := seconds * Rate
	signal, gate := make([]float64, n), make([]bool, n)
	sc := Scene{Kind: kind, Trouble: trouble, SNR: snr}
	tail := make([]float64, n) // gain of the squelch tail's noise
	place := func(x []float64, at int, gain float64) {
		for i, v := range x {
			if at+i < n {
				signal[at+i] += v * gain
			}
		}
	}
	for at := Rate * 2; ; {
		lead, lag := 0, 0
		if kind != "ssb" {
			lead, lag = Rate*(120+r.IntN(300))/1000, Rate*(120+r.IntN(300))/1000
		}
		k := Keyed{Sound: "speech"}
		var x []float64
		switch what := r.IntN(10); {
		case what < 7:
			x = append(x, voices[r.IntN(len(voices))]...)
			if r.IntN(3) == 0 && len(x) < 5*Rate { // the talker pauses, the carrier stays up
				k.Rest.From = float64(len(x)) / Rate
				x = append(x, make([]float64, Rate*(400+r.IntN(500))/1000)...)
				k.Rest.To = float64(len(x)) / Rate
				x = append(x, voices[r.IntN(len(voices))]...)
			}
			x = append([]float64{}, x...)
		case what == 7:
			k.Sound = "tone"
			x = make([]float64, Rate*(600+r.IntN(1500))/1000)
			hz := 400 + r.Float64()*1600
			for i := range x {
				x[i] = math.Sin(2 * math.Pi * hz * float64(i) / Rate)
			}
		case what == 8:
			k.Sound = "data" // frequency-shift keying, 75 to 200 baud
			x = make([]float64, Rate*(800+r.IntN(2500))/1000)
			mid, shift, baud := 1000+r.Float64()*800, 85+r.Float64()*340, 75+r.Float64()*125
			phase, f, next := 0.0, mid, 0.0
			for i := range x {
				if float64(i) >= next {
					next += Rate / baud
					f = mid + shift*float64(2*r.IntN(2)-1)
				}
				phase += 2 * math.Pi * f / Rate
				x[i] = math.Sin(phase)
			}
		default:
			k.Sound = "noise" // a jammer's buzz: shaped noise, chopped
			x = make([]float64, Rate*(500+r.IntN(1500))/1000)
			for i := range x {
				x[i] = r.NormFloat64() * (0.6 + 0.4*math.Sin(2*math.Pi*40*float64(i)/Rate))
			}
		}
		if at+lead+len(x)+lag+3*Rate > n {
			break
		}
		Band(x)
		place(x, at+lead, 1)
		up := at + lead + len(x) + lag
		for i := at; i < up; i++ {
			gate[i] = true
		}
		k.Down, k.Up = float64(at)/Rate, float64(up)/Rate
		k.From, k.To = float64(at+lead)/Rate, float64(at+lead+len(x))/Rate
		k.Rest.From, k.Rest.To = k.From+k.Rest.From, k.From+k.Rest.To
		sc.Truth = append(sc.Truth, k)
		if kind == "fm" {
			for i := up; i < up+Rate*(80+r.IntN(170))/1000; i++ {
				tail[i] = 1
			}
		}
		switch r.IntN(4) {
		case 0:
			at = up + Rate*(300+r.IntN(300))/1000
		case 1:
			at = up + Rate*(700+r.IntN(1500))/1000
		default:
			at = up + Rate*(3000+r.IntN(12000))/1000
		}
	}
	onSignal(trouble, signal, gate, sc.Truth, voices, seed)
	// The receiver: noise in its band, by the state of the key.
	noise := make([]float64, n)
	for i := range noise {
		noise[i] = r.NormFloat64()
	}
	Band(noise)
	down := math.Pow(10, -snr/20)
	fade := r.Float64() * 10
	crash, until := 0.0, 0
	for i := range n {
		v := signal[i]
		t := float64(i) / Rate
		open := down
		switch kind {
		case "ssb":
			v *= math.Pow(10, 3*math.Sin(2*math.Pi*0.23*t+fade)/20) // 6 dB between crest and trough
			if r.Float64() < 5.0/60/Rate {
				crash, until = 2+4*r.Float64(), i+Rate*(30+r.IntN(120))/1000
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
		signal[i] = v + noise[i]*open
	}
	onReceived(trouble, signal, seed)
	sc.Sound = make([]int16, n)
	for i, v := range signal {
		sc.Sound[i] = int16(max(-32768, min(32767, math.Round(v*voiceLevel))))
	}
	if trouble == "telephone" {
		sc.Sound = telephone(sc.Sound)
	}
	return sc
}
