// Package timing cuts what Whisper wrote into words and places them in time: by the decoder's attention to the sound,
// and by the pauses that can be seen in its level. Arithmetic only: nothing is read or kept.
package timing

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Word is one word of a burst.
type Word struct {
	Text        string  // with the punctuation that belongs to it
	Start, End  float64 // seconds from the first sample
	Probability float64 // that it is right; as Words makes it, the product over its tokens
	Boosted     bool    // it was heard only with its odds raised
	From, To    int     // its tokens, without punctuation that was moved to it
}

// Align places tokens in time by the decoder's attention to the sound (Whisper's own method): each head's
// weights are normalised over the tokens, smoothed over time, averaged, and a path through them that only
// moves forward is found by dynamic time warping.
//
// att holds rows of heads x width weights, one row for each token that went into the decoder; the first prompt
// rows belong to the prompt. Of each row the first used frames lie within the sound. The result is, for each
// row from the last prompt row on, the frame at which the token it led to begins.
func Align(att []float32, rows, heads, width, used, prompt, median int) []int {
	n := rows - (prompt - 1)
	if n < 1 || used < 1 {
		return nil
	}
	mean := make([]float64, n*used) // over heads
	col := make([]float64, rows)
	norm := make([]float64, n*used)
	around := make([]float64, median)
	for h := range heads {
		for t := range used {
			sum := 0.0
			for r := range rows {
				col[r] = float64(att[(r*heads+h)*width+t])
				sum += col[r]
			}
			m := sum / float64(rows)
			dev := 0.0
			for _, v := range col {
				dev += (v - m) * (v - m)
			}
			dev = math.Sqrt(dev / float64(rows))
			for r := range n {
				norm[r*used+t] = 0
				if dev > 0 {
					norm[r*used+t] = (col[r+prompt-1] - m) / dev
				}
			}
		}
		for r := range n {
			row := norm[r*used : (r+1)*used]
			for t := range used {
				mean[r*used+t] += medianAt(row, t, around) / float64(heads)
			}
		}
	}
	return warp(mean, n, used)
}

// medianAt is the median of the len(around) values around row[t], mirrored at the ends.
func medianAt(row []float64, t int, around []float64) float64 {
	half := len(around) / 2
	if len(row) <= half {
		return row[t]
	}
	for i := range around {
		k := t + i - half
		if k < 0 {
			k = -k
		} else if k >= len(row) {
			k = 2*(len(row)-1) - k
		}
		around[i] = row[k]
	}
	// Insertion sort: the slice has seven values.
	for i := 1; i < len(around); i++ {
		for j := i; j > 0 && around[j] < around[j-1]; j-- {
			around[j], around[j-1] = around[j-1], around[j]
		}
	}
	return around[half]
}

// warp finds the path of greatest sum from the first row and frame to the last that moves by one row, one frame
// or both, and returns the frame at which it enters each row.
func warp(weight []float64, rows, cols int) []int {
	const both, down, right = 0, 1, 2
	cost := make([]float64, 2*(cols+1))
	prev, cur := cost[:cols+1], cost[cols+1:]
	for j := range prev {
		prev[j] = math.Inf(1)
	}
	prev[0] = 0
	step := make([]uint8, rows*cols)
	for i := range rows {
		cur[0] = math.Inf(1)
		for j := 1; j <= cols; j++ {
			c, s := cur[j-1], uint8(right)
			if prev[j-1] < prev[j] && prev[j-1] < c {
				c, s = prev[j-1], both
			} else if prev[j] < prev[j-1] && prev[j] < c {
				c, s = prev[j], down
			}
			cur[j] = c - weight[i*cols+j-1]
			step[i*cols+j-1] = s
		}
		prev, cur = cur, prev
	}
	enter := make([]int, rows)
	for i, j := rows-1, cols-1; i >= 0 && j >= 0; {
		enter[i] = j
		switch {
		case i == 0:
			j--
		case j == 0:
			i--
		case step[i*cols+j] == both:
			i, j = i-1, j-1
		case step[i*cols+j] == down:
			i--
		default:
			j--
		}
	}
	return enter
}

// piece is a run of tokens that belong together, and their text.
type piece struct {
	text     string
	from, to int // tokens
	inner    int // the first token that is not punctuation moved in from the left
	outer    int // the last, exclusive, that is not punctuation moved in from the right
}

// split cuts tokens into words: at spaces, at punctuation, and everywhere in languages written without spaces.
// Punctuation is then joined to the word it belongs to, so that every piece has a letter or digit.
func split(text [][]byte, tokens []int, language string) []piece {
	var parts []piece
	var buf []byte
	from := 0
	for i, t := range tokens {
		buf = append(buf, text[t]...)
		if i < len(tokens)-1 && !endsWhole(buf) {
			if next := text[tokens[i+1]]; len(next) == 0 || !utf8.RuneStart(next[0]) {
				continue
			}
		}
		parts = append(parts, piece{text: strings.ToValidUTF8(string(buf), "\uFFFD"), from: from, to: i + 1})
		buf, from = buf[:0], i+1
	}
	spaceless := slices.Contains([]string{"zh", "ja", "th", "lo", "my", "yue"}, language)
	var words []piece
	for _, p := range parts {
		if len(words) == 0 || spaceless || strings.HasPrefix(p.text, " ") || !spoken(p.text) || !spoken(words[len(words)-1].text) {
			words = append(words, p)
			continue
		}
		last := &words[len(words)-1]
		last.text += p.text
		last.to = p.to
	}
	return join(words)
}

// endsWhole says whether b does not end within a character.
func endsWhole(b []byte) bool {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			return utf8.FullRune(b[i:])
		}
	}
	return true
}

// spoken says whether there is something to say in s: a letter or a digit.
func spoken(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) })
}

// join attaches pieces of punctuation: opening ones to the word after, all others to the word before.
func join(parts []piece) []piece {
	var out []piece
	var held *piece // punctuation waiting for a word
	for i := range parts {
		p := parts[i]
		p.inner, p.outer = p.from, p.to
		if spoken(p.text) {
			if held != nil {
				p.text, p.from = held.text+p.text, held.from
				held = nil
			} else if i > 0 && len(out) > 0 && within(parts[i-1].text) && !strings.HasPrefix(p.text, " ") {
				last := &out[len(out)-1]
				last.text, last.to, last.outer = last.text+p.text, p.to, p.to
				continue
			}
			out = append(out, p)
			continue
		}
		opens := strings.HasPrefix(p.text, " ") && strings.Trim(p.text, " \"'“„¿([{«") == ""
		switch {
		case held != nil:
			held.text, held.to = held.text+p.text, p.to
		case opens || len(out) == 0:
			held = &p
		default:
			last := &out[len(out)-1]
			last.text, last.to = last.text+p.text, p.to
		}
	}
	if held != nil && len(out) > 0 {
		last := &out[len(out)-1]
		last.text, last.to = last.text+held.text, held.to
	}
	return out
}

// within says whether punctuation can stand inside a word or number: "кое-что", "3.5".
func within(s string) bool {
	return len(s) == 1 && strings.Contains("-'.,:", s) || s == "’" || s == "‐"
}

// Words gives the pieces of a text their times and probabilities. enter is Align's result, seconds the
// length of the sound.
func Words(text [][]byte, tokens []int, probabilities []float64, enter []int, language string, seconds float64) []Word {
	at := func(token int) float64 {
		if token >= len(enter) {
			return seconds
		}
		return min(float64(enter[token])*frame/rate, seconds)
	}
	var out []Word
	for _, p := range split(text, tokens, language) {
		w := Word{Text: strings.TrimSpace(p.text), Start: at(p.inner), End: at(p.outer), Probability: 1, From: p.inner, To: p.outer}
		for _, q := range probabilities[p.inner:p.outer] {
			w.Probability *= q
		}
		w.End = max(w.End, w.Start)
		out = append(out, w)
	}
	return trimFirst(out)
}

// trimFirst moves the start of the first word up. The path through the attention begins at the first frame, so that
// word swallows whatever silence or noise comes before it. Like Whisper's own timing it gets at most twice the
// length of its fellows.
func trimFirst(w []Word) []Word {
	if len(w) == 0 {
		return w
	}
	most := 0.7
	if rest := w[1:]; len(rest) > 0 {
		lengths := make([]float64, len(rest))
		for i, r := range rest {
			lengths[i] = r.End - r.Start
		}
		slices.Sort(lengths)
		most = 2 * min(lengths[len(lengths)/2], 0.7)
	}
	w[0].Start = max(w[0].Start, w[0].End-most)
	return w
}
