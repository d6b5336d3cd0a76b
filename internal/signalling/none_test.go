package signalling

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
)

// Sounds that are no calls give none: minutes of them, hours where EARWITNESS_CAMPAIGN is set.
func TestNoCallsInOtherSounds(t *testing.T) {
	seconds := 40
	if os.Getenv("EARWITNESS_CAMPAIGN") != "" {
		seconds = 600
	}
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 12))
	noteHz := func(n int) float64 { return 440 * math.Pow(2, float64(n)/12) }
	// changing makes notes of lengths between two limits in ms, of the given tones at a time, each from pick.
	changing := func(least, most, count int, pause float64, pick func() float64) func(i int) float64 {
		until, hz, silent := 0, make([]float64, count), false
		phase := make([]float64, count)
		return func(i int) float64 {
			if i >= until {
				until = i + audio.Rate*(least+r.IntN(most-least+1))/1000
				silent = r.Float64() < pause
				for k := range hz {
					hz[k] = pick()
				}
			}
			s := 0.0
			for k := range hz {
				phase[k] += 2 * math.Pi * hz[k] / audio.Rate
				s += math.Sin(phase[k])
			}
			if silent {
				return 0
			}
			return s / float64(count)
		}
	}
	brown := 0.0
	fsk := func(baud, mid, shift float64, levels int) func(i int) float64 {
		phase, f, next := 0.0, mid, 0.0
		return func(i int) float64 {
			if float64(i) >= next {
				next += audio.Rate / baud
				f = mid + shift*(float64(r.IntN(levels))-float64(levels-1)/2)
			}
			phase += 2 * math.Pi * f / audio.Rate
			return math.Sin(phase)
		}
	}
	uniform := func(low, high float64) func() float64 {
		return func() float64 { return low + r.Float64()*(high-low) }
	}
	kinds := map[string]func(i int) float64{
		"white noise": func(int) float64 { return r.NormFloat64() / 4 },
		"brown noise": func(int) float64 { brown = brown*0.998 + r.NormFloat64()/40; return brown },
		"FSK 50":      fsk(50, 1500, 170, 2), "FSK 75": fsk(75, 1200, 850, 2), "FSK 10": fsk(10, 1400, 100, 2), "8-FSK 125": fsk(125, 1625, 250, 8),
		"MFSK 16": fsk(15.6, 1500, 15.6, 16), "MFSK wide": fsk(15.6, 1700, 62.5, 32), "MFSK of 100 ms": fsk(10, 1500, 60, 20),
		"melody": changing(60, 500, 1, 0.1, func() float64 { return noteHz(r.IntN(36) - 12) }), "fast scale": changing(100, 100, 1, 0.2, func() float64 { return noteHz(r.IntN(24)) }),
		"two voices": changing(100, 1200, 2, 0.3, func() float64 { return noteHz(r.IntN(30) - 10) }), "chords": changing(250, 1200, 4, 0.2, func() float64 { return noteHz(r.IntN(30) - 15) }),
		"random tones of 70 ms": changing(70, 70, 1, 0.2, uniform(600, 2800)), "of 100 ms": changing(100, 100, 1, 0.2, uniform(900, 2300)), "of 40 ms": changing(40, 40, 1, 0.2, uniform(900, 2300)),
		"random pairs of a second": changing(1000, 1000, 2, 0.3, uniform(300, 1500)), "random pairs of 80 ms": changing(80, 80, 2, 0.5, uniform(650, 1700)),
		"Morse": func(i int) float64 {
			if i/960%7 < 3 || i/960%11 == 4 {
				return math.Sin(2 * math.Pi * 700 * float64(i) / audio.Rate)
			}
			return 0
		},
		"sweep": func(i int) float64 {
			t := math.Mod(float64(i)/audio.Rate, 4)
			return math.Sin(2 * math.Pi * (300*t + 300*t*t))
		},
	}
	for n, name := range slices.Sorted(maps.Keys(kinds)) {
		f := kinds[name]
		*r = *rand.New(rand.NewPCG(seed, uint64(n))) // the same sound in any order
		x := make([]int16, seconds*audio.Rate)
		for i := range x {
			x[i] = int16(max(-32768, min(32767, math.Round(8000*f(i)+200*r.NormFloat64()))))
		}
		none(t, name, x)
	}
}

func none(t *testing.T, name string, x []int16) {
	t.Helper()
	calls := find(t, x)
	if len(calls) > 0 {
		t.Errorf("%s, %d s: %s", name, len(x)/audio.Rate, said(calls))
	}
	for from := 0; from < len(x); from += 8 * audio.Rate {
		c, ok, err := SubTone(audio.Samples(x), evidence.Span{From: int64(from), To: int64(min(len(x), from+7*audio.Rate))})
		if err != nil || ok {
			t.Errorf("%s at %d s: sub-tone %s %v", name, from/audio.Rate, c.Code, err)
		}
	}
}

// Real voices and the real modem have no calls in them.
func TestNoCallsInRealSpeech(t *testing.T) {
	dir := casetest.Shared(t, "audio")
	seconds := 0
	for _, pattern := range []string{"*/*.wav", "*/*.flac", "*/*.raw", "*/Hf*.mp3"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			x := decoded(t, name)
			seconds += len(x) / audio.Rate
			none(t, filepath.Base(name), x)
		}
	}
	t.Logf("%d s", seconds)
}

func BenchmarkFind(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]int16, 60*audio.Rate)
	for i := range x {
		x[i] = int16(1000 * r.NormFloat64())
	}
	for b.Loop() {
		if _, err := Find(audio.Samples(x), evidence.Span{To: int64(len(x))}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(60*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
