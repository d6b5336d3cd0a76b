package whisper

import (
	"math"
	"strings"
	"unicode"

	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

// signs are what the probability of a word is computed from. The product of its tokens' probabilities alone says too
// little: in clean sound it is right more often than it believes, in noise less often.
const (
	signOne      = iota // always 1
	signLog             // log of the product of the tokens' probabilities
	signProduct         // that product
	signText            // mean log-probability of a token of the whole text
	signRivals          // share of the rival texts, weighed by their probability, that have the word, too
	signSecond          // where a second hearing was taken: 1 where it has the word, too, -1 where it has not; else 0
	signNoSpeech        // log of the probability that nobody speaks
	signLanguage        // log of the probability of the language
	signLetters         // log of the number of the word's letters
	signPace            // log of the seconds that each letter takes
	signs
)

// weigh gives the words of a hearing their probabilities of being right. second is another hearing of the same burst, or
// nil.
func (p Params) weigh(h, second *hearing, s *listening, v *vocabulary.Vocabulary) {
	share := h.shared(h.words, v)
	has := make([]bool, len(h.words))
	if second != nil {
		has = common(plainWords(h.words), strings.Fields(plain(second.raw)))
	}
	h.signs = make([][signs]float64, len(h.words))
	for i := range h.words {
		w := &h.words[i]
		letters, product := 0.0, 0.0
		for _, r := range w.Text {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				letters++
			}
		}
		letters = max(letters, 1)
		for _, l := range h.logs[w.From:w.To] {
			product += l
		}
		agrees := 0.0
		if second != nil {
			agrees = 2*float64(btoi(has[i])) - 1
		}
		h.signs[i] = [signs]float64{
			signOne: 1, signLog: max(product, -9), signProduct: math.Exp(product), signText: max(h.doubt.meanLog, -3), signRivals: share[i],
			signSecond: agrees, signNoSpeech: math.Log(max(s.noSpeech, 1e-4)), signLanguage: math.Log(max(s.language.Probability, 1e-3)),
			signLetters: math.Log(letters), signPace: math.Log(max(0.02, w.End-w.Start) / letters),
		}
		sum := 0.0
		for k, x := range h.signs[i] {
			sum += x * float64(p.DoubtE3[k]) / 1e3
		}
		w.Probability = 1 / (1 + math.Exp(-sum))
	}
}

// shared returns for each word which share of the rival texts has it, weighed by how probable they are.
func (h *hearing) shared(words []Word, v *vocabulary.Vocabulary) []float64 {
	own := plainWords(words)
	share, all := make([]float64, len(words)), 0.0
	for _, o := range h.others {
		weight := math.Exp(max(-20, min(0, (o.mean()-h.mean())*float64(len(h.tokens)))))
		all += weight
		for i, has := range common(own, strings.Fields(plain(v.String(o.tokens)))) {
			if has {
				share[i] += weight
			}
		}
	}
	for i := range share {
		if all > 0 {
			share[i] /= all
		} else {
			share[i] = 1
		}
	}
	return share
}

func plainWords(words []Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = plain(w.Text)
	}
	return out
}

// plain is a text in small letters without punctuation.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }), " ")
}

// common says which words of a are in a longest common subsequence of a and b.
func common(a, b []string) []bool {
	n, m := len(a), len(b)
	long := make([]int, (n+1)*(m+1))
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[i] == b[j] {
				long[i*(m+1)+j] = long[(i+1)*(m+1)+j+1] + 1
			} else {
				long[i*(m+1)+j] = max(long[(i+1)*(m+1)+j], long[i*(m+1)+j+1])
			}
		}
	}
	out := make([]bool, n)
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[i] == b[j]:
			out[i] = true
			i, j = i+1, j+1
		case long[(i+1)*(m+1)+j] >= long[i*(m+1)+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// expected is the share of a hearing's words that are expected to be right.
func (h *hearing) expected() float64 {
	sum := 0.0
	for _, w := range h.words {
		sum += w.Probability
	}
	return sum / float64(max(1, len(h.words)))
}
