package timing

import (
	"math"
	"slices"
)

// Settling moves the ends of words onto the pauses beside them: the attention tells which word is where, but places its
// ends by a tenth of a second or more beside a pause that can be seen in the level.
const (
	rate         = 16000
	frame        = 320        // samples of one encoder frame
	levelFrame   = rate / 100 // samples of one level: 10 ms
	shortestRest = 10         // levels of a pause; the closure of a consonant is shorter
	reachRest    = 0.3        // seconds by which an end is moved at most
	leastWord    = 0.02       // seconds that a word keeps
)

// Rest is a pause, in seconds.
type Rest struct{ from, to float64 }

// levels returns the level of each 10 ms, in dB.
func levels(pcm []float32) []float64 {
	db := make([]float64, len(pcm)/levelFrame)
	for i := range db {
		sum := 1e-10
		for _, x := range pcm[i*levelFrame : (i+1)*levelFrame] {
			sum += float64(x) * float64(x)
		}
		db[i] = 10 * math.Log10(sum/levelFrame)
	}
	return db
}

// Quietest is the sample to cut a burst at: the middle of its quietest 200 ms, away from its ends.
func Quietest(pcm []float32) int {
	const half = 10
	db := levels(pcm)
	best, at := math.Inf(1), len(db)/2
	for i := len(db)/4 + half; i < len(db)*3/4-half; i++ {
		sum := 0.0
		for _, l := range db[i-half : i+half] {
			sum += l
		}
		if sum < best {
			best, at = sum, i
		}
	}
	return at * levelFrame
}

// Range is how far the loud parts of a burst stand above its quiet ones, in dB: little where noise fills its pauses, and 0
// where it is too short to tell.
func Range(pcm []float32) float64 {
	floor, top := extremes(levels(pcm))
	return top - floor
}

// extremes are the levels that 95 % and 5 % of a burst exceed.
func extremes(db []float64) (floor, top float64) {
	if len(db) < 2*shortestRest {
		return 0, 0
	}
	sorted := slices.Clone(db)
	slices.Sort(sorted)
	return sorted[len(sorted)/20], sorted[len(sorted)*19/20]
}

// Rests finds the pauses of a burst by its level; none where speech does not stand out of what is around it.
func Rests(pcm []float32) []Rest {
	db := levels(pcm)
	floor, top := extremes(db)
	if top-floor < 12 {
		return nil
	}
	threshold := max(floor+(top-floor)*0.3, top-35)
	var out []Rest
	begin := -1
	for i := 0; i <= len(db); i++ {
		quiet := i < len(db) && db[i] < threshold
		switch {
		case quiet && begin < 0:
			begin = i
		case !quiet && begin >= 0:
			if i-begin >= shortestRest {
				out = append(out, Rest{float64(begin) / 100, float64(i) / 100})
			}
			begin = -1
		}
	}
	return out
}

// Settle moves the ends of words onto pauses. Words keep their order and do not overlap.
func Settle(words []Word, pauses []Rest) {
	for i := 0; i <= len(words); i++ {
		var at float64 // where the attention has one word end and the next begin
		low, high := math.Inf(-1), math.Inf(1)
		if i > 0 {
			at, low = words[i-1].End, words[i-1].Start+leastWord
		}
		if i < len(words) {
			at, high = words[i].Start, words[i].End-leastWord
		}
		best, away := Rest{}, math.Inf(1)
		for _, r := range pauses {
			d := max(r.from-at, at-r.to, 0)
			if d < away && d <= reachRest && (i == 0 || r.from >= low) && (i == len(words) || r.to <= high) {
				best, away = r, d
			}
		}
		if math.IsInf(away, 1) {
			continue
		}
		if i > 0 {
			words[i-1].End = best.from
		}
		if i < len(words) {
			words[i].Start = best.to
		}
	}
}
