package main

import (
	"math"
	"math/rand/v2"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/internal/audio"
)

const second = audio.Rate

// silences are sounds without a word, each made a minute at a time. Where they are more than one minute, every minute
// is another one.
var silences = []struct {
	name  string
	sound func(minute int) []int16
}{
	{"silence", func(int) []int16 { return make([]int16, 60*second) }},
	{"white-noise", made(func(_ int, r *rand.Rand) float64 { return 0.1 * r.NormFloat64() })},
	{"band-noise", func(m int) []int16 { return channel.Path{SNR: 0}.Burst(make([]int16, 60*second), uint64(m)) }},
	{"noise-and-crashes", func(m int) []int16 {
		return channel.Path{SNR: 10, Crashes: true}.Burst(make([]int16, 60*second), uint64(m))
	}},
	{"noise-and-whistle", func(m int) []int16 {
		return channel.Path{SNR: 10, Heterodyne: true}.Burst(make([]int16, 60*second), uint64(m))
	}},
	{"music", func(m int) []int16 {
		return channel.Path{SNR: 20, Music: true}.Burst(make([]int16, 60*second), uint64(m))
	}},
	{"fading-music", func(m int) []int16 {
		music := channel.Path{SNR: channel.Clean, Music: true}.Burst(make([]int16, 60*second), uint64(m))
		return channel.Path{SNR: 10, Fading: true}.Burst(music, uint64(m))
	}},
	{"tones", made(func(i int, r *rand.Rand) float64 {
		if i/second%5 < 2 {
			return 0.3*sine(400+200*float64(i/second/5%8), i) + 0.003*r.NormFloat64()
		}
		return 0.003 * r.NormFloat64()
	})},
	{"morse", made(func(i int, r *rand.Rand) float64 {
		x := 0.01 * r.NormFloat64()
		if unit := i / (second * 60 / 1000); (unit*2654435761>>7)%3 > 0 && i/second%9 < 6 {
			x += 0.3 * sine(700, i)
		}
		return x
	})},
	{"modem", modem},
	{"hum", made(func(i int, r *rand.Rand) float64 {
		return 0.4*sine(50, i) + 0.2*sine(100, i) + 0.1*sine(150, i) + 0.01*r.NormFloat64()
	})},
	{"crackle", made(func(_ int, r *rand.Rand) float64 {
		if r.IntN(800) == 0 {
			return r.NormFloat64()
		}
		return 0.003 * r.NormFloat64()
	})},
	{"jammer", made(func(i int, r *rand.Rand) float64 {
		if i/second%10 < 7 {
			return r.NormFloat64() * 0.2 * (0.6 + 0.4*sine(40, i))
		}
		return 0.003 * r.NormFloat64()
	})},
	{"breath", made(func(i int, r *rand.Rand) float64 { // noise that swells like syllables: the nearest to a voice
		return r.NormFloat64() * 0.1 * math.Pow(math.Abs(sine(1.7, i)), 3) * (0.5 + 0.5*sine(0.2, i))
	})},
}

func sine(hz float64, i int) float64 { return math.Sin(2 * math.Pi * hz * float64(i) / second) }

func made(f func(i int, r *rand.Rand) float64) func(int) []int16 {
	return func(minute int) []int16 {
		r := rand.New(rand.NewPCG(uint64(minute), 11))
		x := make([]int16, 60*second)
		for i := range x {
			x[i] = int16(math.Round(max(-1, min(1, f(i, r))) * 32767))
		}
		return x
	}
}

// modem is frequency-shift keying in packets, 75 to 200 baud.
func modem(minute int) []int16 {
	phase, hz, next := 0.0, 0.0, 0.0
	return made(func(i int, r *rand.Rand) float64 {
		x := 0.01 * r.NormFloat64()
		if i/second%12 >= 8 {
			return x
		}
		if float64(i) >= next {
			next += second / (75 + float64(minute*31%126))
			hz = 1500 + 170*float64(2*r.IntN(2)-1)
		}
		phase += 2 * math.Pi * hz / second
		return x + 0.2*math.Sin(phase)
	})(minute)
}
