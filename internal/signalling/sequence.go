package signalling

import (
	"math"
	"slices"

	"github.com/earwitness/earwitness/evidence"
)

// dtmf reads sequences of at least three keys: fewer happen in speech and music. Where something as loud as the keys stands
// between or beside them, a key may have been lost, and nothing is said: a number that lacks a digit is another's.
func dtmf(f fastTracks) []evidence.SelectiveCall {
	const leastKeys, leastMS, pauseMS, longestMS = 3, 38, 1000, 1500
	keys := []string{"123A", "456B", "789C", "*0#D"}
	rows, columns := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	var out []evidence.SelectiveCall
	var held []tones
	flush := func() {
		if len(held) >= leastKeys && f.whole(held) {
			if code, ok := keyed(held, rows, columns, keys); ok {
				out = append(out, evidence.SelectiveCall{System: evidence.SystemDTMF, Code: code, Span: evidence.Span{From: held[0].from, To: held[len(held)-1].to}})
			}
		}
		held = held[:0]
	}
	for _, r := range f.double {
		if r.ms() < leastMS || r.ms() > longestMS || math.Abs(nearest(rows, r.hz[0])) > 35 || math.Abs(nearest(columns, r.hz[1])) > 45 {
			continue
		}
		if n := len(held); n > 0 && float64(r.from-held[n-1].to)*1000/evidence.Rate > pauseMS {
			flush()
		}
		held = append(held, r)
	}
	flush()
	return out
}

// whole says whether keys are all there are: nothing that is about as loud stands between them, or beside them where
// the next would.
func (f *fastTracks) whole(keys []tones) bool {
	const most = 3 // frames
	gap, loud := int64(0), 0.0
	for i, r := range keys {
		if i > 0 {
			gap = max(gap, r.from-keys[i-1].to)
		}
		loud += r.loud / float64(len(keys))
	}
	beside := min(gap*3/2+evidence.Rate/50, evidence.Rate/4)
	at := keys[0].from - beside
	n := 0
	count := func(to int64) {
		for ; at < to; at += f.hop {
			if i := (at - f.first) / f.hop; i >= 0 && i < int64(len(f.total)) && float64(f.total[i]) > 0.7*loud {
				n++
			}
		}
	}
	for _, r := range keys {
		count(r.from)
		if n > most {
			return false
		}
		at, n = r.to, 0
	}
	count(at + beside)
	return n <= most
}

// nearest returns how far hz is above the nearest of table.
func nearest(table []float64, hz float64) float64 {
	best := math.Inf(1)
	for _, f := range table {
		if d := hz - f; math.Abs(d) < math.Abs(best) {
			best = d
		}
	}
	return best
}

// keyed reads DTMF keys that one mistuning shifts.
func keyed(runs []tones, rows, columns []float64, keys []string) (string, bool) {
	const off = 0.018 // of the frequency, what receivers must take
	shift := 0.0
	for _, r := range runs {
		shift += (nearest(rows, r.hz[0]) + nearest(columns, r.hz[1])) / float64(2*len(runs))
	}
	if math.Abs(shift) > Mistuned {
		return "", false
	}
	code := ""
	for _, r := range runs {
		row, column := -1, -1
		for i := range 4 {
			if math.Abs(r.hz[0]-shift-rows[i]) <= off*rows[i] {
				row = i
			}
			if math.Abs(r.hz[1]-shift-columns[i]) <= off*columns[i] {
				column = i
			}
		}
		if row < 0 || column < 0 {
			return "", false
		}
		code += keys[row][column : column+1]
	}
	return code, true
}

// system is a system of tones one after the other.
type system struct {
	name   string
	ms     float64 // of each tone but the first, which may be longer
	repeat byte    // the tone that stands for the one before once more
	tone   map[byte]float64
}

func digits(hz ...float64) map[byte]float64 {
	m := map[byte]float64{}
	for i, f := range hz {
		m["0123456789"[i]] = f
	}
	return m
}

func with(m map[byte]float64, more map[byte]float64) map[byte]float64 {
	for c, f := range more {
		m[c] = f
	}
	return m
}

// systems lists the five-tone systems. Sources differ on some letters of EEA and of ZVEI-2, which nobody calls with: only
// those on which they agree are here.
func systems() []system {
	zvei := []float64{2400, 1060, 1160, 1270, 1400, 1530, 1670, 1830, 2000, 2200}
	ccir := []float64{1981, 1124, 1197, 1275, 1358, 1446, 1540, 1640, 1747, 1860}
	group := map[byte]float64{'A': 2400, 'B': 930, 'C': 2247, 'D': 991, 'E': 2110, 'F': 1055}
	return []system{
		{evidence.SystemZVEI1, 70, 'E', with(digits(zvei...), map[byte]float64{'A': 2800, 'B': 810, 'C': 970, 'D': 885, 'E': 2600, 'F': 680})},
		{evidence.SystemZVEI2, 70, 'E', with(digits(zvei...), map[byte]float64{'A': 885, 'C': 740, 'D': 680, 'E': 970, 'F': 2600})},
		{evidence.SystemCCIR1, 100, 'E', with(digits(ccir...), group)},
		{evidence.SystemCCIR2, 70, 'E', with(digits(ccir...), group)},
		{evidence.SystemEEA, 40, 'E', with(digits(ccir...), map[byte]float64{'A': 1055, 'B': 930, 'D': 991, 'E': 2110})},
	}
}

// fiveTones reads sequences of exactly five tones without pauses between them.
func fiveTones(runs []tones) []evidence.SelectiveCall {
	const count, gapMS, leastMS = 5, 22, 20
	all := systems()
	var out []evidence.SelectiveCall
	var held []tones
	flush := func() {
		if len(held) == count {
			out = append(out, read(held, all)...)
		}
		held = held[:0]
	}
	for _, r := range runs {
		if r.ms() < leastMS {
			continue
		}
		if n := len(held); n > 0 && float64(r.from-held[n-1].to)*1000/evidence.Rate > gapMS {
			flush()
		}
		held = append(held, r)
	}
	flush()
	return out
}

// read returns what five tones say in each of the systems that they fit.
func read(runs []tones, all []system) []evidence.SelectiveCall {
	var out []evidence.SelectiveCall
	for _, s := range all {
		if code, ok := s.read(runs); ok {
			out = append(out, evidence.SelectiveCall{System: s.name, Code: code, Span: evidence.Span{From: runs[0].from, To: runs[len(runs)-1].to}})
		}
	}
	return out
}

func (s system) read(runs []tones) (string, bool) {
	const firstMost, lengthOff, away = 3000, 0.24, 4.0 // ms; of a tone's length; Hz from its place, beside 0.3 % of it
	for i, r := range runs {
		low, high := s.ms*(1-lengthOff)-3, s.ms*(1+lengthOff)+3
		if i == 0 {
			high = firstMost
		}
		if r.ms() < low || r.ms() > high {
			return "", false
		}
	}
	// The shift that suits best, of all that one tone's place in the table would have.
	code, best := "", math.Inf(1)
	for _, first := range s.tone {
		shift := runs[0].hz[0] - first
		if math.Abs(shift) > Mistuned+away {
			continue
		}
		// Once by the first tone alone, then by all.
		for range 2 {
			read, mean, worst, ok := s.match(runs, shift)
			if !ok {
				break
			}
			shift = mean
			if worst < best && math.Abs(mean) <= Mistuned {
				code, best = read, worst
			}
		}
	}
	if best > away {
		return "", false
	}
	if !varied(code) {
		return "", false
	}
	// The repeat tone stands for the digit before.
	b := []byte(code)
	for i := range b {
		if b[i] == s.repeat {
			if i == 0 {
				return "", false
			}
			b[i] = b[i-1]
		}
	}
	return string(b), true
}

// varied says that no tone follows itself, and that there are at least three: two in turn are what a modem sends.
func varied(code string) bool {
	var seen []byte
	for i := range len(code) {
		if i > 0 && code[i] == code[i-1] {
			return false
		}
		if !slices.Contains(seen, code[i]) {
			seen = append(seen, code[i])
		}
	}
	return len(seen) >= 3
}

// match reads each run as the nearest tone. mean is the shift that suits all of them, worst the greatest distance that is
// left of what may be, in Hz.
func (s system) match(runs []tones, shift float64) (code string, mean, worst float64, ok bool) {
	places := make([]float64, len(runs))
	for i, r := range runs {
		at, off := byte(0), math.Inf(1)
		for c, f := range s.tone {
			if d := math.Abs(r.hz[0] - shift - f); d < off {
				at, off = c, d
			}
		}
		places[i] = s.tone[at]
		code += string(at)
		mean += (r.hz[0] - places[i]) / float64(len(runs))
	}
	for i, r := range runs {
		worst = max(worst, math.Abs(r.hz[0]-mean-places[i])-0.003*places[i])
	}
	return code, mean, worst, true
}
