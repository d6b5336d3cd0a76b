package whisper

import (
	"math"
	"slices"
)

// Language is one that a burst may be in.
type Language struct {
	Code        string // Whisper's: ISO 639-1, but "haw", "jw" and "yue"
	Probability float64
}

// choose picks the language to decode in from the distribution over all of them, most probable first. The
// case's languages restrict the choice only where together they have HintMassE4: a hint, never forced.
// undecided is set where Russian and Ukrainian lead and are closer than NeighbourE4.
func (p Params) choose(all []Language, hints []string) (chosen Language, shown []Language, undecided bool) {
	kept := all
	mass := 0.0
	var hinted []Language
	for _, l := range all {
		if slices.Contains(hints, l.Code) {
			hinted = append(hinted, l)
			mass += l.Probability
		}
	}
	if len(hinted) > 0 && mass >= float64(p.HintMassE4)/1e4 {
		kept = hinted
	}
	if len(kept) > 1 {
		a, b := kept[0], kept[1]
		neighbours := a.Code == "ru" && b.Code == "uk" || a.Code == "uk" && b.Code == "ru"
		undecided = neighbours && a.Probability-b.Probability < float64(p.NeighbourE4)/1e4*(a.Probability+b.Probability)
	}
	shown = slices.Clone(kept[:1])
	if undecided {
		shown = slices.Clone(kept[:2])
	}
	for _, l := range all {
		if len(shown) < p.LanguagesShown && !slices.Contains(shown, l) {
			shown = append(shown, l)
		}
	}
	return kept[0], shown, undecided
}

// distribution turns the scores of the language tokens into probabilities, most probable first.
func distribution(codes []string, scores []float32) []Language {
	out := make([]Language, len(codes))
	most := slices.Max(scores)
	sum := 0.0
	for i, c := range codes {
		out[i] = Language{c, math.Exp(float64(scores[i] - most))}
		sum += out[i].Probability
	}
	for i := range out {
		out[i].Probability /= sum
	}
	slices.SortStableFunc(out, func(a, b Language) int {
		switch {
		case a.Probability > b.Probability:
			return -1
		case a.Probability < b.Probability:
			return 1
		}
		return 0
	})
	return out
}
