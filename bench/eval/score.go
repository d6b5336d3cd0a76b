package main

import (
	"math"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/bench/corpus"
	"github.com/earwitness/earwitness/internal/wer"
)

// word is a word that an engine wrote, in seconds of its file.
type word struct {
	Word        string  `json:"word"`
	Start       float64 `json:"start"`
	End         float64 `json:"end"`
	Probability float64 `json:"probability"`
}

// verdict is whether a written word was said.
type verdict struct {
	probability float64
	right       bool
}

// judge says of each written word whether it was said: all that the normalisation makes of it stands in the truth where
// the alignment puts it. A word that is nothing after normalisation is not judged.
func judge(lang, truth string, words []word) []verdict {
	right, judged := rights(lang, truth, words)
	var out []verdict
	for k, w := range words {
		if judged[k] {
			out = append(out, verdict{w.Probability, right[k]})
		}
	}
	return out
}

// rights says of each written word whether it was said, and whether it can be judged.
func rights(lang, truth string, words []word) (right, judged []bool) {
	pieces, owner := split(lang, words)
	right, judged = make([]bool, len(words)), make([]bool, len(words))
	for i, at := range corpus.Align(wer.Normalise(lang, truth), pieces) {
		k := owner[i]
		right[k] = at >= 0 && (right[k] || !judged[k])
		judged[k] = true
	}
	return right, judged
}

// split normalises words one by one; owner says of which word each piece is.
func split(lang string, words []word) (pieces []string, owner []int) {
	for k, w := range words {
		for _, p := range wer.Normalise(lang, w.Word) {
			pieces = append(pieces, p)
			owner = append(owner, k)
		}
	}
	return pieces, owner
}

// timeErrors compares the times of written words with those of the same words as said, in seconds. Only words that the
// alignment finds equal are compared, and only those that are one word in both.
func timeErrors(lang string, said []corpus.Timed, words []word) (start, end []float64) {
	var truth []string
	var of []int
	single := map[int]int{}
	for k, s := range said {
		for _, p := range wer.Normalise(lang, s.Text) {
			truth = append(truth, p)
			of = append(of, k)
			single[k]++
		}
	}
	pieces, owner := split(lang, words)
	count := map[int]int{}
	for _, k := range owner {
		count[k]++
	}
	for i, at := range corpus.Align(truth, pieces) {
		if at < 0 || single[of[at]] != 1 || count[owner[i]] != 1 {
			continue
		}
		s, w := said[of[at]], words[owner[i]]
		if math.IsNaN(s.Start) || math.IsNaN(s.End) {
			continue
		}
		start = append(start, math.Abs(w.Start-s.Start))
		end = append(end, math.Abs(w.End-s.End))
	}
	return start, end
}

// bin is one of the ten of a reliability diagram.
type bin struct {
	words, right int
	probability  float64 // sum
}

// bins sorts verdicts by probability into ten equal bins.
func bins(vs []verdict) [10]bin {
	var out [10]bin
	for _, v := range vs {
		b := &out[max(0, min(9, int(v.probability*10)))]
		b.words++
		b.probability += v.probability
		if v.right {
			b.right++
		}
	}
	return out
}

// calibrationError is the expected calibration error: the mean over words of the distance between a bin's mean
// probability and the share of its words that are right. Without words it is not a number.
func calibrationError(bs [10]bin) float64 {
	n, sum := 0, 0.0
	for _, b := range bs {
		n += b.words
		sum += math.Abs(b.probability - float64(b.right))
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// sure counts the words of at least 0.8, and those of them that are right.
func sure(vs []verdict) (words, right int) {
	for _, v := range vs {
		if v.probability >= 0.8 {
			words++
			if v.right {
				right++
			}
		}
	}
	return words, right
}

// quantile of x, which need not be sorted: the smallest value that at least a share p of x does not exceed.
func quantile(x []float64, p float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return x[max(0, min(len(x)-1, int(math.Ceil(p*float64(len(x))))-1))]
}

// rates adds up word and character errors.
type rates struct{ words, chars wer.Errors }

func (e *rates) add(lang, truth, text string) {
	said, heard := wer.Normalise(lang, truth), wer.Normalise(lang, text)
	e.words.Add(wer.WordErrors(said, heard))
	e.chars.Add(wer.CharErrors(said, heard))
}

func joined(texts []string) string { return strings.Join(texts, " ") }
