package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
)

// show prints the truth and what was found.
func show(sc channel.Scene, speech []found, out []evidence.Transmission) {
	for _, t := range sc.Truth {
		fmt.Printf("    truth %-6s %7.2f-%7.2f speech %7.2f-%7.2f\n", t.Sound, t.Down, t.Up, t.From, t.To)
	}
	for _, t := range out {
		f := seconds(t.Span)
		fmt.Printf("    found %-6s %7.2f-%7.2f level %.1f peak %.1f snr %.1f band %d-%d p %d clipped %v hear", t.Sound, f.from, f.to,
			float64(t.LevelCB)/100, float64(t.PeakCB)/100, float64(t.SnrCB)/100, t.BandLowHz, t.BandHighHz, t.SpeechP, t.Clipped)
		for _, h := range t.Hear {
			fmt.Printf(" %.2f-%.2f", seconds(h).from, seconds(h).to)
		}
		fmt.Println()
	}
}

// generated makes half a minute of a sound without speech, in 0.3 % of noise where it pauses.
func generated(f func(i int, r *rand.Rand) float64) []int16 {
	r := rand.New(rand.NewPCG(5, 6))
	x := make([]int16, 30*rate)
	for i := range x {
		x[i] = int16(math.Round(max(-1, min(1, f(i, r)+0.003*r.NormFloat64())) * 32767))
	}
	return x
}

func negative(ctx context.Context, d analysis.SpeechDetector, verbose bool) error {
	sine := func(hz float64, i int) float64 { return math.Sin(2 * math.Pi * hz * float64(i) / rate) }
	on := func(i int, from, to float64) bool { t := float64(i) / rate; return t >= from && t < to }
	sounds := []struct {
		name  string
		sound []int16
	}{
		{"digital silence", make([]int16, 30*rate)},
		{"noise", generated(func(_ int, r *rand.Rand) float64 { return 0.1 * r.NormFloat64() })},
		{"tone throughout", generated(func(i int, _ *rand.Rand) float64 { return 0.3 * sine(1000, i) })},
		{"tone 5-9 s", generated(func(i int, _ *rand.Rand) float64 {
			if on(i, 5, 9) {
				return 0.3 * sine(1000, i)
			}
			return 0
		})},
		{"Morse 700 Hz", generated(func(i int, _ *rand.Rand) float64 {
			if on(i, 5, 15) && (i/960)%7 < 3 || on(i, 5, 15) && (i/960)%7 == 4 {
				return 0.3 * sine(700, i)
			}
			return 0
		})},
		{"FSK 6-12 s", fsk()},
		{"loud hum", generated(func(i int, _ *rand.Rand) float64 { return 0.5*sine(50, i) + 0.2*sine(100, i) + 0.1*sine(150, i) })},
		{"chords 4-20 s", generated(func(i int, _ *rand.Rand) float64 {
			if !on(i, 4, 20) {
				return 0
			}
			chords := [][3]float64{{262, 330, 392}, {349, 440, 523}, {392, 494, 587}, {220, 262, 330}}
			c := chords[i/rate%4]
			a := math.Exp(-float64(i%(rate/2)) / rate * 3)
			return 0.1 * a * (sine(c[0], i) + sine(c[1], i) + sine(c[2], i) + 0.5*sine(2*c[0], i) + 0.3*sine(3*c[1], i))
		})},
		{"jammer 5-8 s", generated(func(i int, r *rand.Rand) float64 {
			if on(i, 5, 8) {
				return 0.2 * r.NormFloat64()
			}
			return 0
		})},
		{"crackle", generated(func(_ int, r *rand.Rand) float64 {
			if r.IntN(800) == 0 {
				return r.NormFloat64()
			}
			return 0
		})},
	}
	names, err := filepath.Glob(filepath.Join(shared(), "audio", "*negative", "*.*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if ext := filepath.Ext(name); ext == ".wav" || ext == ".mp3" && haveFFmpeg() {
			x, err := file(name)
			if err != nil {
				return err
			}
			sounds = append(sounds, struct {
				name  string
				sound []int16
			}{filepath.Base(name), x})
		}
	}
	fmt.Printf("\nSounds without speech\n%-20s %-30s %s\n", "sound", "ours (count by label)", "silero alone, segments")
	for _, s := range sounds {
		_, _, out, err := ours(ctx, s.sound, d)
		if err != nil {
			return err
		}
		a, err := alone(ctx, s.sound, d, 0.1, 0.03)
		if err != nil {
			return err
		}
		count := map[string]int{}
		for _, t := range out.Transmissions {
			count[t.Sound]++
		}
		fmt.Printf("%-20s %-30v %d\n", s.name, fmt.Sprint(count)[3:], len(a))
		if verbose {
			show(channel.Scene{}, nil, out.Transmissions)
		}
	}
	return nil
}

func fsk() []int16 {
	phase, f := 0.0, 0.0
	return generated(func(i int, r *rand.Rand) float64 {
		if i < 6*rate || i >= 12*rate {
			return 0
		}
		if i%(rate/100) == 0 {
			f = 1500 + 85*float64(2*r.IntN(2)-1)
		}
		phase += 2 * math.Pi * f / rate
		return 0.2 * math.Sin(phase)
	})
}
