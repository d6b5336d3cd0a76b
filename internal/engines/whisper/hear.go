//go:build cgo

package whisper

import (
	"fmt"
	"math"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/lexicon"
	"github.com/earwitness/earwitness/internal/engines/whisper/mel"
	"github.com/earwitness/earwitness/internal/engines/whisper/timing"
	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

const (
	rate  = mel.Rate
	frame = mel.Frame
)

// Word is one word of a burst.
type Word = timing.Word

// Options are what a caller knows of a burst.
type Options struct {
	Languages []string // of the case, as hints; see Params.HintMassE4
	MaxTokens int      // of text at most; 0: as many as Params says
	Translate bool     // into English, as a draft: no Words, since their probabilities and times are known of transcription alone

	// Vocabulary are call signs, places and other words of the case. Where they are given, a burst that is heard is
	// searched once more with their odds raised by a bounded amount; see Params.BoostE4. Words heard only so are marked.
	Vocabulary []string
}

// Heard is what was heard in one burst. Text and Words are empty unless State is "heard"; a translation has no Words.
type Heard struct {
	State  string // StateHeard, StateNotUnderstood or StateNoSpeech
	Reason string // why it is not heard, or what was left out or undecided; a plain sentence

	Text     string
	Words    []Word
	Language string // what Text was written in: a code, or "ru|uk" where the two were not told apart
	Refused  string // what the recogniser wrote and a guard refused: to be shown as refused or not at all

	Languages          []Language // the most probable ones
	MeanLogProbability float64    // of a token, the end included; 0 where nothing was written
	NoSpeech           float64    // probability
	CompressionRatio   float64    // of what the recogniser wrote
	Temperature        float64
	Tokens             int // that the recogniser wrote

	Signs [][signs]float64 // of each word: what its probability was computed from, for those who measure it
}

// hearing is one try at a burst: a text, and what it is judged by.
type hearing struct {
	*text
	others []*text // its rivals
	raw    string
	state  string
	reason string
	doubt  doubt
	warm   float64 // temperature
	mixed  bool    // it was heard with some of the noise taken off
	words  []Word
	signs  [][signs]float64
}

// listening is a burst that the encoder has listened to, and what was found before any word.
type listening struct {
	pcm       []float32
	window    window
	noSpeech  float64
	shown     []Language
	language  Language
	undecided bool
	prompt    []int
	limit     int // tokens
}

// hear is the whole hearing of a burst, from the first listening to giving up. It runs as a coroutine; see row.
func (r *row) hear() (Heard, error) {
	s, h, err := r.listen(r.pcm, true)
	if err != nil {
		return Heard{}, err
	}
	if h.state == StateNotUnderstood && len(r.pcm) >= r.m.params.SplitMs*rate/1000 {
		return r.parts(s, h)
	}
	return r.result(s, h), nil
}

// boosted writes the text of a burst once more with the odds of the case's words raised, and marks those that were not
// heard without. The encoder must have listened to the burst last as h was heard.
func (r *row) boosted(s *listening, h *hearing) (*hearing, error) {
	p := r.m.params
	lex := lexicon.New(r.m.words, r.opts.Vocabulary, float64(p.BoostE4)/1e4, float64(p.BoostMostE4)/1e4)
	r.reset()
	places, logp, err := r.read(p.Rivals, nil, s.prompt...)
	if err != nil {
		return nil, err
	}
	b, err := r.write(s, 0, lex, places, logp)
	if err != nil || b.state != StateHeard || b.raw == h.raw {
		return h, err
	}
	heard := common(plainWords(b.words), strings.Fields(plain(h.raw)))
	for i := range b.words {
		b.words[i].Boosted = !heard[i]
	}
	b.mixed = h.mixed
	return b, nil
}

// listen hears pcm with rivals side by side. Where what was written repeats itself it listens once more in the whole
// window that the recogniser was trained with, and then lets chance choose; where it is in doubt it hears twice, the second
// time with some of the noise taken off.
func (r *row) listen(pcm []float32, twice bool) (*listening, *hearing, error) {
	p := r.m.params
	s, places, logp, err := r.first(pcm, p.shown(len(pcm), r.noisy))
	if err != nil {
		return nil, nil, err
	}
	h, err := r.try(s, 0, places, logp)
	if err != nil {
		return nil, nil, err
	}
	if h.repeats(p) && h.state != StateNoSpeech {
		if h, err = r.unlooped(s, h); err != nil {
			return nil, nil, err
		}
	}
	if x := h.expected(); twice && !r.opts.Translate && r.m.clean != nil && h.state != StateNoSpeech && x >= float64(p.SecondFromE4)/1e4 && x < float64(p.SecondE4)/1e4 {
		if h, err = r.second(s, h); err != nil {
			return nil, nil, err
		}
	}
	if len(r.opts.Vocabulary) > 0 && !r.opts.Translate && h.state == StateHeard {
		if h, err = r.boosted(s, h); err != nil {
			return nil, nil, err
		}
	}
	return s, h, nil
}

// retry writes a text after the encoder has listened.
func (r *row) retry(s *listening, warm float64) (*hearing, error) {
	r.reset()
	places, logp, err := r.read(r.m.params.Rivals, nil, s.prompt...)
	if err != nil {
		return nil, err
	}
	return r.try(s, warm, places, logp)
}

// unlooped tries to hear a burst whose text h repeats itself.
func (r *row) unlooped(s *listening, h *hearing) (*hearing, error) {
	p := r.m.params
	if whole := (window{samples: longest * rate}); s.window != whole {
		if err := r.encode(s.pcm, whole); err != nil {
			return nil, err
		}
		s.window = whole
		again, err := r.retry(s, 0)
		if err != nil {
			return nil, err
		}
		h = h.better(again)
	}
	for warm := p.WarmE2; warm <= p.WarmestE2 && h.state == StateNotUnderstood; warm += p.WarmE2 {
		again, err := r.retry(s, float64(warm)/100)
		if err != nil {
			return nil, err
		}
		h = h.better(again)
	}
	return h, nil
}

// second hears once more, an equal mix of the sound as received and of what is left of it without noise, and lets the
// hearings that agree confirm each other. The better of the two is returned.
func (r *row) second(s *listening, h *hearing) (*hearing, error) {
	clean, err := r.m.clean(r.ctx, s.pcm)
	if err != nil {
		return nil, err
	}
	mix := make([]float32, len(s.pcm))
	for i, x := range s.pcm {
		mix[i] = (x + clean[i]) / 2
	}
	if err := r.encode(mix, r.m.params.shown(len(mix), r.noisy)); err != nil {
		return nil, err
	}
	other, err := r.retry(s, 0)
	if err != nil {
		return nil, err
	}
	other.mixed = true
	r.m.params.weigh(h, other, s, r.m.words)
	r.m.params.weigh(other, h, s, r.m.words)
	h.doubted(r.m.params)
	other.doubted(r.m.params)
	return h.better(other), nil
}

// parts hears a burst that was not understood in two parts, cut at its quietest, and joins what is understood of them.
func (r *row) parts(s *listening, h *hearing) (Heard, error) {
	whole := r.result(s, h)
	cut := timing.Quietest(s.pcm)
	var out Heard
	for i, pcm := range [][]float32{s.pcm[:cut], s.pcm[cut:]} {
		ps, ph, err := r.listen(pcm, false)
		if err != nil {
			return Heard{}, err
		}
		part := r.result(ps, ph)
		if part.State != StateHeard {
			continue
		}
		for k := range part.Words {
			part.Words[k].Start += float64(i*cut) / rate
			part.Words[k].End += float64(i*cut) / rate
		}
		if out.State == "" {
			out = part
			out.Reason = [...]string{"only the first part of it was understood", "only the second part of it was understood"}[i]
			continue
		}
		out.Text += " " + part.Text
		out.Words, out.Signs = append(out.Words, part.Words...), append(out.Signs, part.Signs...)
		out.MeanLogProbability = (out.MeanLogProbability*float64(out.Tokens+1) + part.MeanLogProbability*float64(part.Tokens+1)) / float64(out.Tokens+part.Tokens+2)
		out.Tokens += part.Tokens
		out.CompressionRatio, out.Reason = max(out.CompressionRatio, part.CompressionRatio), "it was heard in two parts"
		if out.Language != part.Language {
			out.Reason = "its two parts were heard in different languages, " + out.Language + " and " + part.Language
		}
	}
	if out.State == "" {
		return whole, nil
	}
	return out, nil
}

// better is the one of two hearings of the same burst that can rather be stood by.
func (h *hearing) better(o *hearing) *hearing {
	rank := func(h *hearing) int { return 2*btoi(h.state == StateHeard) + btoi(!h.looped) }
	switch a, b := rank(h), rank(o); {
	case a > b:
		return h
	case a < b:
		return o
	case h.state == StateHeard && o.expected() > h.expected():
		return o
	case h.state != StateHeard && o.doubt.meanLog > h.doubt.meanLog:
		return o
	}
	return h
}

func (h *hearing) repeats(p Params) bool {
	return h.looped || p.doubled(h.tokens) || h.doubt.compression > float64(p.CompressE2)/100
}

// first has the encoder listen, and finds whether somebody speaks and in which language. places and logp are what the
// prompt left for a greedy search.
func (r *row) first(pcm []float32, shown window) (s *listening, places []int, logp []float32, err error) {
	v, p := r.m.words, r.m.params
	if err := r.encode(pcm, shown); err != nil {
		return nil, nil, nil, err
	}
	if places, logp, err = r.read(p.Rivals, nil, v.Start); err != nil {
		return nil, nil, nil, err
	}
	s = &listening{pcm: pcm, window: shown, noSpeech: math.Exp(float64(logp[v.NoSpeech]))}
	all := distribution(v.Languages, logp[v.FirstLanguage:v.FirstLanguage+len(v.Languages)])
	s.language, s.shown, s.undecided = p.choose(all, r.opts.Languages)
	s.prompt = []int{v.Start, v.Language(s.language.Code), v.Transcribe, v.NoTimestamps}
	if r.opts.Translate {
		s.prompt[2] = v.Translate
	}
	s.limit = min(p.MaxTokens, p.TokensSpare+len(pcm)*p.TokensSecond/rate)
	if r.opts.MaxTokens > 0 {
		s.limit = min(s.limit, r.opts.MaxTokens)
	}
	places, logp, err = r.read(p.Rivals, places, s.prompt[1:]...)
	return s, places, logp, err
}

// doubted turns words none of which is probable, or which have no place in the sound, into what they are: not understood.
func (h *hearing) doubted(p Params) {
	timeless := 0
	for _, w := range h.words {
		timeless += btoi(w.End-w.Start < 2*float64(frame)/rate)
	}
	switch {
	case h.state != StateHeard:
	case float64(timeless) > float64(p.NoTimeE4)/1e4*float64(len(h.words)):
		h.state, h.reason = StateNotUnderstood, fmt.Sprintf("%d of the %d words that the recogniser wrote have no place in the sound", timeless, len(h.words))
	case h.expected() < float64(p.LeastE4)/1e4:
		h.state, h.reason = StateNotUnderstood, fmt.Sprintf("of the words that the recogniser wrote %.0f%% are expected to be right", 100*h.expected())
	}
}

// try writes a text and judges it.
func (r *row) try(s *listening, warm float64, places []int, logp []float32) (*hearing, error) {
	return r.write(s, warm, nil, places, logp)
}

// write is try with the odds of some words raised.
func (r *row) write(s *listening, warm float64, lex *lexicon.Lexicon, places []int, logp []float32) (*hearing, error) {
	f, err := r.search(r.m.params.Rivals, warm, lex, places, logp, s.limit)
	if err != nil {
		return nil, err
	}
	h := &hearing{text: f.best, others: f.others, raw: strings.TrimSpace(r.m.words.String(f.best.tokens)), warm: warm}
	written, left := withoutLabels(h.raw)
	h.doubt = doubt{
		meanLog: h.mean(), noSpeech: s.noSpeech, label: f.label, compression: vocabulary.CompressionRatio(h.raw),
		looped: h.looped, unfinished: !h.ended && !h.looped, seconds: float64(len(s.pcm)) / rate,
	}
	h.state, h.reason = r.m.params.judge(written, h.doubt)
	if h.state == StateHeard && left != "" {
		// A label among words: what is inside it is not said, so no word of it may stand.
		h.state, h.reason = StateNotUnderstood, "the recogniser mixed words with a sound label, "+left
	}
	if r.opts.Translate {
		if h.state == StateHeard && !vocabulary.Latin(h.raw) {
			h.state, h.reason = StateNotUnderstood, "the recogniser was to write English and wrote other letters"
		}
		return h, nil // without words: what is known of their times and probabilities is known of transcription
	}
	width := len(h.att) / len(h.places) / r.m.size.Alignment
	used := min(width, (len(s.pcm)+frame-1)/frame)
	enter := timing.Align(h.att, len(h.places), r.m.size.Alignment, width, used, len(s.prompt), r.m.params.MedianFrames)
	h.words = timing.Words(r.m.words.Text, h.tokens, make([]float64, len(h.tokens)), enter, s.language.Code, float64(len(s.pcm))/rate)
	timing.Settle(h.words, timing.Rests(s.pcm))
	r.m.params.weigh(h, nil, s, r.m.words)
	h.doubted(r.m.params)
	return h, nil
}

// result is what is said of a burst whose best hearing is h.
func (r *row) result(s *listening, h *hearing) Heard {
	out := Heard{
		State: h.state, Reason: h.reason, Language: s.language.Code, Languages: s.shown, MeanLogProbability: h.doubt.meanLog, NoSpeech: s.noSpeech,
		CompressionRatio: h.doubt.compression, Temperature: h.warm, Tokens: len(h.tokens),
	}
	switch {
	case r.opts.Translate:
		out.Language = "en"
	case s.undecided:
		out.Language = "ru|uk"
		if out.Reason == "" {
			out.Reason = "Russian or Ukrainian: the recogniser does not tell them apart here"
		}
	}
	if h.state != StateHeard {
		out.Refused = h.raw
		return out
	}
	out.Text, out.Words, out.Signs = h.raw, h.words, h.signs
	if h.mixed && out.Reason == "" {
		out.Reason = "heard better with some of the noise taken off"
	}
	return out
}

// loudness is the root mean square of a burst without its mean. A sample that is no number, or far outside -1..1,
// is refused: it would spread over the whole spectrum.
func loudness(pcm []float32) (float64, error) {
	var sum, squares float64
	for i, x := range pcm {
		if !(x >= -16 && x <= 16) {
			return 0, evidence.Invalid("sample %d of the burst is %v: samples must be numbers in -1..1", i, x)
		}
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	if len(pcm) == 0 {
		return 0, nil
	}
	n := float64(len(pcm))
	return math.Sqrt(max(0, squares/n-(sum/n)*(sum/n))), nil
}
