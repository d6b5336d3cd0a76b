package voices

import "math"

// Range is what nine of ten pairs gave.
type Range struct {
	Low    float64 `json:"p5"`
	Median float64 `json:"p50"`
	High   float64 `json:"p95"`
}

// Measured is what pairs of like noise and length gave: `go run ./bench/voice`, whose table bench/voice/README.md keeps.
// Eighteen speakers, each in one session: kinder than life.
type Measured struct {
	Noise   string  `json:"noise"`            // of the two, in words
	Seconds float64 `json:"seconds"`          // of speech, of each
	Error   float64 `json:"equal_error_rate"` // where as many of the same are told apart as different ones are not
	Same    Range   `json:"same"`
	Other   Range   `json:"different"`
}

// MeasuredModel is the digest of the manifest of voice-resemblyzer: the model that the figures are of.
const MeasuredModel = "88421c78d459c1a50effb56d293b7866304b0729d144f8046eb981c3449fe8fb"

// Typical is the likeness that the same voice gave in half of all pairs, where both have the given seconds of speech, at
// 20 dB. It grows with the length, as that of different voices does: groups are made by shares of it. Outside 2 to 8 s it
// is that of the end.
func Typical(seconds float64) float64 {
	at := []struct{ seconds, likeness float64 }{{2, 0.82}, {4, 0.87}, {8, 0.93}}
	if seconds <= at[0].seconds {
		return at[0].likeness
	}
	for i, to := range at[1:] {
		if from := at[i]; seconds <= to.seconds {
			return from.likeness + (to.likeness-from.likeness)*math.Log2(seconds/from.seconds)
		}
	}
	return at[len(at)-1].likeness
}

// Threshold is the share of Typical from which on groups are joined.
const Threshold = 0.97

// GroupsTell says what groups by Threshold are worth: pairs at 20 dB, all voices and low ones.
const GroupsTell = "Measured by pairs at 20 dB: at 2 s, 5 in 100 different voices (men's: 9) were alike enough to be joined, and 38 in 100 of the same voice were not; at 4 s 3 (4) and 33; at 8 s 0 (1) and 27."

// The ratios of signal to noise that were measured stand in detection's own figures: detection states 24, 14 and 9 dB
// where the channel had 20, 10 and 5, and 4 where it had 0 (`go run ./bench/voice`). Between them the nearer counts.
const (
	clearFrom = 19.0 // "20 dB"
	midFrom   = 11.5 // "10 dB"
	// Noisiest is the least ratio, as detection states it, at which voices are compared. Below, at what the channel calls
	// 0 dB, beside a clear one every fourth pair is taken wrongly whatever likeness is asked for.
	Noisiest = 7
)

// measured returns what pairs like a and b gave: by the shorter and the noisier of the two, and by whether the other is
// much clearer, since likeness falls with unlike noise.
func measured(a, b Voice) Measured {
	class := func(v Voice) int {
		switch {
		case v.SnrDB >= clearFrom:
			return 0
		case v.SnrDB >= midFrom:
			return 1
		}
		return 2
	}
	length := 0
	switch s := min(a.Seconds, b.Seconds); {
	case s >= 6:
		length = 2
	case s >= 3:
		length = 1
	}
	noise := max(class(a), class(b))
	row := noise
	if class(a) != class(b) {
		row += 2 // 1 and 2 become 3 and 4
	}
	return table()[length][row]
}

// table has, by length, the rows 20, 10, 5 dB, then 20 dB with 10 and with 5.
func table() [3][5]Measured {
	const both20, both10, both5, with10, with5 = "20 dB", "10 dB", "5 dB", "10 dB beside 20", "5 dB beside 20"
	return [3][5]Measured{
		{
			{both20, 2, 0.156, Range{0.67, 0.82, 0.88}, Range{0.52, 0.64, 0.79}},
			{both10, 2, 0.156, Range{0.71, 0.82, 0.89}, Range{0.51, 0.65, 0.81}},
			{both5, 2, 0.182, Range{0.71, 0.82, 0.89}, Range{0.50, 0.66, 0.82}},
			{with10, 2, 0.167, Range{0.66, 0.79, 0.88}, Range{0.51, 0.64, 0.79}},
			{with5, 2, 0.221, Range{0.61, 0.74, 0.86}, Range{0.49, 0.61, 0.76}},
		}, {
			{both20, 4, 0.133, Range{0.76, 0.87, 0.92}, Range{0.56, 0.68, 0.83}},
			{both10, 4, 0.112, Range{0.79, 0.87, 0.92}, Range{0.55, 0.70, 0.85}},
			{both5, 4, 0.136, Range{0.80, 0.88, 0.92}, Range{0.53, 0.71, 0.87}},
			{with10, 4, 0.156, Range{0.74, 0.85, 0.91}, Range{0.55, 0.67, 0.82}},
			{with5, 4, 0.206, Range{0.69, 0.79, 0.88}, Range{0.53, 0.65, 0.79}},
		}, {
			{both20, 8, 0.109, Range{0.83, 0.93, 0.96}, Range{0.60, 0.73, 0.87}},
			{both10, 8, 0.102, Range{0.86, 0.93, 0.96}, Range{0.59, 0.75, 0.89}},
			{both5, 8, 0.125, Range{0.85, 0.93, 0.96}, Range{0.57, 0.77, 0.90}},
			{with10, 8, 0.123, Range{0.80, 0.90, 0.95}, Range{0.59, 0.72, 0.86}},
			{with5, 8, 0.182, Range{0.75, 0.83, 0.92}, Range{0.57, 0.69, 0.82}},
		},
	}
}
