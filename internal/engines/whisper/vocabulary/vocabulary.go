// Package vocabulary holds Whisper's tokens: what each stands for, which may be written, and which are most probable.
//
// multilingual.tiktoken is part of openai-whisper, Copyright (c) 2022 OpenAI, MIT licence; its text is in
// LICENSE-whisper beside it.
package vocabulary

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/earwitness/earwitness/evidence"
)

//go:embed multilingual.tiktoken
var multilingual []byte // a token's bytes in base64 and its number, a line each, in the order of the numbers

// languageCodes are Whisper's languages in the order of their tokens. large-v3 and turbo have the last one,
// the others do not.
const languageCodes = "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml " +
	"cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps " +
	"tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"

// Vocabulary knows the tokens of one model.
type Vocabulary struct {
	Text      [][]byte // of the tokens below end
	Languages []string

	End, Start, FirstLanguage, Translate, Transcribe, NoSpeech, NoTimestamps int

	never  []bool // of tokens up to end: those that are no speech, such as brackets and notes
	barred []int  // the tokens that are never written, the control tokens beyond end among them
	labels []int  // of those, the ones that open a sound label
	blank  int    // a single space
	rank   map[string]int
}

// New makes the vocabulary of a model with that many words.
func New(words int) (*Vocabulary, error) {
	v := &Vocabulary{blank: -1}
	rank := map[string]int{}
	v.rank = rank
	for line := range bytes.Lines(multilingual) {
		b64, number, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if string(b64) == "=" {
			b64 = nil // the file's way of writing the empty token, its last
		}
		text, err := base64.StdEncoding.DecodeString(string(b64))
		if !ok || err != nil || string(number) != fmt.Sprint(len(v.Text)) {
			return nil, fmt.Errorf("read vocabulary: line %d is malformed", len(v.Text)+1)
		}
		rank[string(text)] = len(v.Text)
		v.Text = append(v.Text, text)
	}
	const others = 1 + 1 + 6 + 1501 // end, start; translate to notimestamps; times of 0.00 to 30.00
	v.Languages = strings.Fields(languageCodes)
	n := words - len(v.Text) - others
	if n < 99 || n > len(v.Languages) {
		return nil, evidence.Invalid("the graphs have a vocabulary of %d words, which no multilingual Whisper model has", words)
	}
	v.Languages = v.Languages[:n]
	v.End = len(v.Text)
	v.Start = v.End + 1
	v.FirstLanguage = v.Start + 1
	v.Translate = v.FirstLanguage + n
	v.Transcribe = v.Translate + 1
	v.NoSpeech = v.Transcribe + 3 // after "startoflm" and "startofprev"
	v.NoTimestamps = v.NoSpeech + 1

	v.blank = rank[" "]
	v.never = make([]bool, v.End+1)
	ban := func(s string) {
		if t, ok := rank[s]; ok {
			v.never[t] = true
		}
	}
	symbols := strings.Split(`"#()*+/:;<=>@[\]^_{|}~`+"`", "")
	symbols = append(symbols, strings.Fields("「 」 『 』 << >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♩ ♪ ♫ ♬ ♭ ♮ ♯ ♪♪ ♪♪♪")...)
	symbols = append(symbols, "\xe2\x99") // the first two bytes of the rarer of these, U+2640 to U+267F
	for _, s := range symbols {
		ban(s)
		ban(" " + s)
	}
	ban(" -") // a hyphen or an apostrophe may stand in a word, but not begin one
	ban(" '")
	for t := range words {
		if t > v.End || v.never[t] {
			v.barred = append(v.barred, t)
		}
	}
	for _, s := range []string{"(", "[", "*", "♪", "♫", "♬", "♩", "♪♪", "♪♪♪", "\xe2\x99", "((", "[["} {
		for _, s := range []string{s, " " + s} {
			if t, ok := rank[s]; ok {
				v.labels = append(v.labels, t)
			}
		}
	}
	return v, nil
}

// Encode cuts a word, a space before it, into the tokens that Whisper was trained with: two neighbours become one as
// long as that is a token, the most common first (byte pair encoding).
func (v *Vocabulary) Encode(word string) []int {
	parts := make([]string, len(word))
	for i := range parts {
		parts[i] = word[i : i+1]
	}
	for {
		at, least := -1, len(v.Text)
		for i := range len(parts) - 1 {
			if r, ok := v.rank[parts[i]+parts[i+1]]; ok && r < least {
				at, least = i, r
			}
		}
		if at < 0 {
			break
		}
		parts[at] += parts[at+1]
		parts = slices.Delete(parts, at+1, at+2)
	}
	out := make([]int, len(parts))
	for i, p := range parts {
		out[i] = v.rank[p]
	}
	return out
}

// String joins tokens; bytes that are no UTF-8 become U+FFFD.
func (v *Vocabulary) String(tokens []int) string {
	var b []byte
	for _, t := range tokens {
		b = append(b, v.Text[t]...)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// Language is the token of a language that the model has.
func (v *Vocabulary) Language(code string) int {
	return v.FirstLanguage + slices.Index(v.Languages, code)
}

// Latin says whether all letters of a text are Latin, as those of English are.
func Latin(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) {
			return false
		}
	}
	return true
}
