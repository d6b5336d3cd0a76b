package whisper

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The states of a burst.
const (
	StateHeard         = "heard"
	StateNotUnderstood = "not understood"
	StateNoSpeech      = "no speech"
)

// evidence a text is judged by, all of it measured while decoding.
type doubt struct {
	meanLog     float64 // mean log-probability of a token, the end included
	noSpeech    float64 // probability of no speech
	label       float64 // probability that the text begins with a sound label
	compression float64
	looped      bool    // decoding was stopped in a loop
	unfinished  bool    // decoding ran out of tokens
	seconds     float64 // length of the sound
}

// judge decides whether a text may be handed out. It is the place where a second try, at a higher temperature
// or on a part of the sound, will hang: what fails here as not understood is what deserves one.
func (p Params) judge(text string, d doubt) (state, reason string) {
	e4 := func(v int) float64 { return float64(v) / 1e4 }
	letters := len([]rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)))
	most := float64(p.LettersSec)*d.seconds + float64(p.LettersSpare)
	stock := stockPhrase(text)
	switch {
	case d.label > e4(p.BlockTextE4):
		return StateNoSpeech, fmt.Sprintf("the recogniser wanted to label a sound, not write words (probability %.2f)", d.label)
	case letters == 0:
		return StateNoSpeech, "the recogniser wrote no letter or digit"
	case d.noSpeech > e4(p.NoSpeechE4) && d.meanLog < e4(p.LogProbE4):
		return StateNoSpeech, fmt.Sprintf("probability of no speech %.2f, and the words are improbable (mean log-probability %.2f)", d.noSpeech, d.meanLog)
	case stock == creditLine:
		return StateNoSpeech, "a line of subtitle credits, which the recogniser learnt from films and writes into noise"
	case stock == filmPhrase && (d.meanLog < e4(p.WeakLogE4) || d.noSpeech > e4(p.WeakVoiceE4)):
		return StateNotUnderstood, fmt.Sprintf("a stock phrase of subtitles on weak evidence (probability of no speech %.2f, mean log-probability %.2f)", d.noSpeech, d.meanLog)
	case d.looped:
		return StateNotUnderstood, "the recogniser wrote the same words over and over"
	case d.compression > float64(p.CompressE2)/100:
		return StateNotUnderstood, fmt.Sprintf("the text repeats itself (compression ratio %.2f)", d.compression)
	case d.meanLog < e4(p.LogProbE4):
		return StateNotUnderstood, fmt.Sprintf("the words are improbable (mean log-probability %.2f)", d.meanLog)
	case d.unfinished:
		return StateNotUnderstood, "the recogniser came to no end"
	case float64(letters) > most:
		return StateNotUnderstood, fmt.Sprintf("%d letters are more than can be spoken in %.1f s", letters, d.seconds)
	}
	return StateHeard, ""
}

// loops says whether the end of tokens is one run of up to LoopSpan tokens repeated too often to be spoken. The
// limits leave room for what people repeat on the air: a call sign three times, "mayday" three times.
func (p Params) loops(tokens []int) bool {
	for n := 1; n <= p.LoopSpan; n++ {
		limit := p.LoopLong
		switch {
		case n <= 3:
			limit = p.LoopShort
		case n <= 7:
			limit = p.LoopMiddle
		}
		if len(tokens) < n*limit {
			continue
		}
		unit := tokens[len(tokens)-n:]
		times := 1
		for end := len(tokens) - n; end >= n && slices.Equal(tokens[end-n:end], unit); end -= n {
			times++
		}
		if times >= limit {
			return true
		}
	}
	return false
}

// doubled says whether tokens end with a run of at least RepeatSpan of them that stands there twice. People repeat
// themselves, too: it is no reason to refuse a text, but one to listen again.
func (p Params) doubled(tokens []int) bool {
	for n := p.RepeatSpan; 2*n <= len(tokens); n++ {
		if end := len(tokens); slices.Equal(tokens[end-2*n:end-n], tokens[end-n:]) {
			return true
		}
	}
	return false
}

// labels finds descriptions of sounds in a text: "(crickets)", "[BEEPING]", "*music*", "♪".
func labels() *regexp.Regexp {
	return regexp.MustCompile(`\([^()]*\)|\[[^\[\]]*\]|\*[^*]*\*|[♩♪♫♬♭♮♯]+[^♩♪♫♬♭♮♯]*[♩♪♫♬♭♮♯]*`)
}

type stock int

const (
	noStock    stock = iota
	creditLine       // names subtitles or their makers: not said by anyone on the air
	filmPhrase       // could be said, but is what the recogniser writes into noise
)

// stockPhrase recognises what Whisper is known to invent, having been trained on subtitles. The phrases are
// facts about the weights; the list is short so that it can be read.
func stockPhrase(text string) stock {
	t := strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
	for _, part := range []string{
		"субтитры сделал", "субтитры создавал", "субтитры подогнал", "субтитры делал", "субтитры предоставил", "редактор субтитров", "корректор а ",
		"dimatorzok", "субтитрувальниця", "редактор субтитрів", "субтитри зробив", "субтитри створював",
		"subtitles by", "subtitled by", "captions by", "captioned by", "amara org", "transcription by", "translated by",
	} {
		if strings.Contains(t+" ", part) {
			return creditLine
		}
	}
	if slices.Contains([]string{
		"продолжение следует", "спасибо за просмотр", "спасибо за внимание", "спасибо", "до свидания", "до встречи", "всем пока", "пока", "подписывайтесь на канал",
		"подписывайтесь на наш канал", "ставьте лайки", "с вами был игорь негода", "конец", "музыка", "аплодисменты", "смех", "тишина", "играет музыка",
		"динамичная музыка", "спокойная музыка", "веселая музыка", "тревожная музыка",
		"дякую за перегляд", "дякую за увагу", "дякую", "дякуємо за перегляд", "далі буде", "до побачення", "підписуйтесь на канал", "музика",
		"thank you", "thanks", "thank you very much", "thank you for watching", "thanks for watching", "thank you so much for watching", "see you next time", "bye", "bye bye",
		"please subscribe", "please subscribe to my channel", "like and subscribe", "you", "the end", "music", "applause", "silence", "i m sorry", "so", "oh", "okay",
	}, t) {
		return filmPhrase
	}
	return noStock
}

// withoutLabels takes descriptions of sounds out of a text, and says which.
func withoutLabels(text string) (rest, left string) {
	re := labels()
	found := re.FindAllString(text, -1)
	return strings.TrimSpace(re.ReplaceAllString(text, " ")), strings.Join(found, " ")
}
