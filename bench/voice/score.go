package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/earwitness/earwitness/internal/voices"
)

// pair is the likeness of two stretches.
type pair struct {
	likeness float64
	same     bool // of one person
	sessions bool // of one person, in two sessions
	low      bool // both voices are low
}

// pairs compares every stretch at level a with every other at level b.
func pairs(set []*cuts, a, b int) []pair {
	var all []pair
	for i, x := range set {
		for j, y := range set {
			if j < i {
				continue
			}
			same := i == j || x.speaker.person != "" && x.speaker.person == y.speaker.person
			for k, v := range x.vectors[a] {
				for l, w := range y.vectors[b] {
					if i == j && l <= k {
						continue
					}
					s := 0.0
					for n := range v {
						s += float64(v[n]) * float64(w[n])
					}
					all = append(all, pair{s, same, same && i != j, x.speaker.low && y.speaker.low})
				}
			}
		}
	}
	return all
}

// equal is the equal error rate: where as many of the same are refused as others are taken.
func equal(same, other []float64) float64 {
	if len(same) == 0 || len(other) == 0 {
		return math.NaN()
	}
	slices.Sort(same)
	slices.Sort(other)
	best, rate := math.Inf(1), 0.0
	for _, t := range same {
		refused, _ := slices.BinarySearch(same, t)
		taken, _ := slices.BinarySearch(other, t)
		r, f := float64(refused)/float64(len(same)), float64(len(other)-taken)/float64(len(other))
		if d := math.Abs(r - f); d < best {
			best, rate = d, (r+f)/2
		}
	}
	return rate
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

// below is the share of those under a threshold.
func below(sorted []float64, threshold float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	n, _ := slices.BinarySearch(sorted, threshold)
	return float64(n) / float64(len(sorted))
}

func split(all []pair, keep func(pair) bool) (same, other []float64) {
	for _, p := range all {
		switch {
		case !keep(p):
		case p.same:
			same = append(same, p.likeness)
		default:
			other = append(other, p.likeness)
		}
	}
	return same, other
}

func report(seconds float64, set []*cuts, levels []level) {
	threshold := voices.Threshold * voices.Typical(seconds)
	fmt.Printf("\n%.1f s, %d speakers\n", seconds, len(set))
	fmt.Printf("| both | pairs: same, different | EER | same voice: 5 %%, median, 95 %% | different: 5 %%, median, 95 %%, 99 %% | low voices: EER, different 95 %%, 99 %% | at %.2f: same kept apart, different joined (low voices) | the same in two sessions: median |\n|---|---|---|---|---|---|---|---|\n", threshold)
	row := func(name string, all []pair) {
		everyone := func(pair) bool { return true }
		same, other := split(all, everyone)
		eer := equal(same, other)
		lowSame, lowOther := split(all, func(p pair) bool { return p.low })
		lowEER := equal(lowSame, lowOther)
		sessions, _ := split(all, func(p pair) bool { return p.sessions })
		slices.Sort(sessions)
		fmt.Printf("| %s | %d, %d | %.1f %% | %.2f %.2f %.2f | %.2f %.2f %.2f %.2f | %.1f %%, %.2f %.2f | %.0f %%, %.0f %% (%.0f %%) | %.2f |\n", name, len(same), len(other), 100*eer,
			quantile(same, 0.05), quantile(same, 0.5), quantile(same, 0.95), quantile(other, 0.05), quantile(other, 0.5), quantile(other, 0.95), quantile(other, 0.99),
			100*lowEER, quantile(lowOther, 0.95), quantile(lowOther, 0.99), 100*below(same, threshold), 100-100*below(other, threshold), 100-100*below(lowOther, threshold), quantile(sessions, 0.5))
	}
	reference := -1
	for l, level := range levels {
		row(level.name, pairs(set, l, l))
		if level.name == "20 dB" {
			reference = l
		}
	}
	for l, level := range levels {
		if reference >= 0 && l != reference {
			row("20 dB and "+level.name, pairs(set, reference, l))
		}
	}
}
