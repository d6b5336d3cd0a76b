// Package wer measures a transcript against what was said: word and character error rates, after a written
// normalisation that is the same for every recogniser that is compared.
//
// The normalisation, in this order:
//
//  1. Letters become lower case; ё becomes е, in Russian and elsewhere; stress marks (U+0301, and "+" before or
//     after a letter, as festvox writes them) and soft hyphens are dropped.
//  2. Apostrophes of any kind are dropped inside words: "don't" is "dont", "п'ять" is "пять" with Ukrainian letters.
//  3. A number in digits becomes words in the language at hand (en, ru, uk): cardinals in the nominative, masculine, up
//     to 999,999. One that begins with 0, has more than six digits, or stands among other digits joined by hyphens, is
//     spelt digit by digit; so is one of five or six digits without a thousands separator, which is how a
//     recogniser writes digits that were read out. Separators of thousands are dropped. Other languages keep
//     digits, one word each number.
//  4. Everything that is no letter, mark or digit separates words: a hyphenated word is two words.
//  5. In English "oh" is "zero" next to a digit's name, and the titles that are never spoken as they are written are
//     spelt out: "mr" is "mister", "mrs" "missus", "dr" "doctor", as in the normalisation that Whisper's makers publish.
//
// Nothing else is forgiven: inflection, other abbreviations, ordinals and "uh" count as they stand.
package wer

import (
	"strings"
	"unicode"
)

// Normalise cuts text into the words that are compared. lang is an ISO 639-1 code.
func Normalise(lang, text string) []string {
	var b strings.Builder
	runes := []rune(strings.ToLower(text))
	for i, r := range runes {
		switch {
		case r == 'ё':
			b.WriteRune('е')
		case r == '\u0301' || r == '\u00ad':
		case r == '+' && (i > 0 && unicode.IsLetter(runes[i-1]) || i+1 < len(runes) && unicode.IsLetter(runes[i+1])):
		case strings.ContainsRune("'’‘ʼ`´", r) && i > 0 && i+1 < len(runes) && unicode.IsLetter(runes[i-1]) && unicode.IsLetter(runes[i+1]):
		case (r == ',' || r == '.' || r == '\u00a0' || r == '\u202f') && thousands(runes, i):
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
			// "15мм" is a number and a word.
			if i > 0 && unicode.IsDigit(r) != unicode.IsDigit(runes[i-1]) && (unicode.IsLetter(runes[i-1]) || unicode.IsDigit(runes[i-1])) {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
		case r == '-' && i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1]):
			b.WriteByte('-') // kept for spell
		default:
			b.WriteByte(' ')
		}
	}
	var out []string
	for _, w := range strings.Fields(b.String()) {
		if digits := strings.Split(w, "-"); unicode.IsDigit([]rune(w)[0]) {
			separated := hasThousands(text)
			for _, d := range digits {
				out = append(out, number(lang, d, len(digits) > 1, separated)...)
			}
			continue
		}
		out = append(out, w)
	}
	if lang == "en" {
		ohs(out)
		titles(out)
	}
	return out
}

// titles spells out English titles.
func titles(words []string) {
	spoken := map[string]string{"mr": "mister", "mrs": "missus", "dr": "doctor"}
	for i, w := range words {
		if s, ok := spoken[w]; ok {
			words[i] = s
		}
	}
}

// thousands says whether runes[i] separates thousands: a digit before it and exactly three after it. A full stop
// or a comma with one or two digits after it is no such separator, and parts two words.
func thousands(runes []rune, i int) bool {
	if i == 0 || i+3 >= len(runes) || !unicode.IsDigit(runes[i-1]) {
		return false
	}
	for _, r := range runes[i+1 : i+4] {
		if !unicode.IsDigit(r) {
			return false
		}
	}
	return i+4 == len(runes) || !unicode.IsDigit(runes[i+4])
}

func hasThousands(text string) bool {
	runes := []rune(text)
	for i, r := range runes {
		if (r == ',' || r == '.' || r == '\u00a0' || r == '\u202f') && thousands(runes, i) {
			return true
		}
	}
	return false
}

// ohs turns "oh" into "zero" beside a digit's name, again and again, as in "nine oh oh two".
func ohs(words []string) {
	digit := func(i int) bool {
		if i < 0 || i >= len(words) {
			return false
		}
		for d := range 10 {
			if words[i] == english().small[d] {
				return true
			}
		}
		return false
	}
	for i := range words {
		if words[i] == "oh" && (digit(i-1) || digit(i+1)) {
			words[i] = "zero"
		}
	}
}

// Errors counts what turns a transcript into the truth.
type Errors struct {
	Substitutions, Deletions, Insertions int
	Reference                            int // words or characters of the truth
}

// Rate is errors for each word or character of the truth. Of an empty truth it is the number of errors.
func (e Errors) Rate() float64 {
	return float64(e.Substitutions+e.Deletions+e.Insertions) / float64(max(1, e.Reference))
}

// Add adds the counts of another text.
func (e *Errors) Add(o Errors) {
	e.Substitutions += o.Substitutions
	e.Deletions += o.Deletions
	e.Insertions += o.Insertions
	e.Reference += o.Reference
}

// WordErrors compares normalised words.
func WordErrors(truth, heard []string) Errors { return distance(truth, heard) }

// CharErrors compares the characters of normalised words, with one space between words.
func CharErrors(truth, heard []string) Errors {
	return distance([]rune(strings.Join(truth, " ")), []rune(strings.Join(heard, " ")))
}

// distance is Levenshtein's, by its counts. Of equal ways it takes the one with most substitutions.
func distance[T comparable](truth, heard []T) Errors {
	prev := make([]Errors, len(heard)+1)
	cur := make([]Errors, len(heard)+1)
	for j := range prev {
		prev[j].Insertions = j
	}
	total := func(e Errors) int { return e.Substitutions + e.Deletions + e.Insertions }
	for i := range truth {
		cur[0] = Errors{Deletions: i + 1}
		for j := range heard {
			best := prev[j]
			if truth[i] != heard[j] {
				best.Substitutions++
			}
			if del := prev[j+1]; total(del)+1 < total(best) {
				best = del
				best.Deletions++
			}
			if ins := cur[j]; total(ins)+1 < total(best) {
				best = ins
				best.Insertions++
			}
			cur[j+1] = best
		}
		prev, cur = cur, prev
	}
	out := prev[len(heard)]
	out.Reference = len(truth)
	return out
}
