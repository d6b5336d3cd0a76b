package whisper

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

//go:embed multilingual.tiktoken
var multilingual []byte // a token's bytes in base64 and its number, a line each, in the order of the numbers

// languageCodes are Whisper's languages in the order of their tokens. large-v3 and turbo have the last one,
// the others do not.
const languageCodes = "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml " +
	"cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps " +
	"tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"

// vocabulary knows the tokens of one model.
type vocabulary struct {
	text      [][]byte // of the tokens below end
	languages []string

	end, start, firstLanguage, translate, transcribe, noSpeech, noTimestamps int

	never  []bool // of tokens up to end: those that are no speech, such as brackets and notes
	barred []int  // the tokens that are never written, the control tokens beyond end among them
	labels []int  // of those, the ones that open a sound label
	blank  int    // a single space
}

// newVocabulary makes the vocabulary of a model with that many words.
func newVocabulary(words int) (*vocabulary, error) {
	v := &vocabulary{blank: -1}
	rank := map[string]int{}
	for line := range bytes.Lines(multilingual) {
		b64, number, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if string(b64) == "=" {
			b64 = nil // the file's way of writing the empty token, its last
		}
		text, err := base64.StdEncoding.DecodeString(string(b64))
		if !ok || err != nil || string(number) != fmt.Sprint(len(v.text)) {
			return nil, fmt.Errorf("read vocabulary: line %d is malformed", len(v.text)+1)
		}
		rank[string(text)] = len(v.text)
		v.text = append(v.text, text)
	}
	const others = 1 + 1 + 6 + 1501 // end, start; translate to notimestamps; times of 0.00 to 30.00
	v.languages = strings.Fields(languageCodes)
	n := words - len(v.text) - others
	if n < 99 || n > len(v.languages) {
		return nil, evidence.Invalid("the graphs have a vocabulary of %d words, which no multilingual Whisper model has", words)
	}
	v.languages = v.languages[:n]
	v.end = len(v.text)
	v.start = v.end + 1
	v.firstLanguage = v.start + 1
	v.translate = v.firstLanguage + n
	v.transcribe = v.translate + 1
	v.noSpeech = v.transcribe + 3 // after "startoflm" and "startofprev"
	v.noTimestamps = v.noSpeech + 1

	v.blank = rank[" "]
	v.never = make([]bool, v.end+1)
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
		if t > v.end || v.never[t] {
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

// string joins tokens; bytes that are no UTF-8 become U+FFFD.
func (v *vocabulary) string(tokens []int) string {
	var b []byte
	for _, t := range tokens {
		b = append(b, v.text[t]...)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// language is the token of a language that the model has.
func (v *vocabulary) language(code string) int {
	return v.firstLanguage + slices.Index(v.languages, code)
}
