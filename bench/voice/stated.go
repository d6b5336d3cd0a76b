package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
)

// stated prints the ratio of signal to noise that detection writes down for voices at known ratios: the program knows
// no other.
func stated(ctx context.Context, detector analysis.SpeechDetector, all []speaker) error {
	var voices [][]float64
	for _, s := range all {
		for k := range min(4, len(s.sound)/(3*channel.Rate)) {
			x := make([]float64, 3*channel.Rate)
			power := 0.0
			for i := range x {
				x[i] = float64(s.sound[k*len(x)+i])
				power += x[i] * x[i]
			}
			for i := range x {
				x[i] /= math.Sqrt(power/float64(len(x))) + 1e-9
			}
			voices = append(voices, x)
		}
	}
	fmt.Printf("\nWhat detection writes down as the ratio of transmissions of speech, at ratios that are known: 10 %%, median, 90 %%\n| | ssb | am | open |\n|---|---|---|---|\n")
	for _, snr := range []float64{20, 10, 5, 0} {
		fmt.Printf("| %.0f dB |", snr)
		for _, kind := range []string{"ssb", "am", "open"} {
			sc := channel.Simulate(kind, snr, 300, voices, uint64(snr)+5)
			found, err := analysis.Detect(ctx, audio.Samples(sc.Sound), detector, analysis.DefaultDetectParams(), nil)
			if err != nil {
				return err
			}
			var ratios []float64
			for _, t := range found.Transmissions {
				if t.Sound == evidence.SoundSpeech {
					ratios = append(ratios, float64(t.SnrCB)/100)
				}
			}
			slices.Sort(ratios)
			fmt.Printf(" %.0f %.0f %.0f |", quantile(ratios, 0.1), quantile(ratios, 0.5), quantile(ratios, 0.9))
		}
		fmt.Println()
	}
	return nil
}
