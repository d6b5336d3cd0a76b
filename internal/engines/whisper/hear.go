//go:build cgo

package whisper

import (
	"math"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/mel"
	"github.com/earwitness/earwitness/internal/engines/whisper/timing"
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
}

// Heard is what was heard in one burst. Text and Words are empty unless State is "heard".
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
}

// hearing is one try at a burst: a text, and what it is judged by.
type hearing struct {
	*text
	raw    string
	state  string
	reason string
	doubt  doubt
	warm   float64 // temperature
}

// listening is a burst that the encoder has listened to, and what was found before any word.
type listening struct {
	pcm       []float32
	window    int // samples
	noSpeech  float64
	all       []Language
	language  Language
	undecided bool
	prompt    []int
	limit     int // tokens
}

// hear is the whole hearing of a burst, from the first listening to giving up. It runs as a coroutine; see row.
func (r *row) hear() (Heard, error) {
	return r.listen(r.pcm)
}

// listen hears pcm: greedily first and, where that text is in doubt, with rivals side by side; then, where what was
// written repeats itself, in the whole window that the recogniser was trained with; then with texts drawn by chance.
func (r *row) listen(pcm []float32) (Heard, error) {
	p := r.m.params
	s, places, logp, err := r.first(pcm, p.shown(len(pcm)))
	if err != nil {
		return Heard{}, err
	}
	h, err := r.try(s, 1, 0, places, logp)
	if err != nil {
		return Heard{}, err
	}
	if !h.sure(p) {
		if h, err = r.again(s, h); err != nil {
			return Heard{}, err
		}
	}
	return r.result(s, h), nil
}

// sure says whether a first hearing can stand without a second.
func (h *hearing) sure(p Params) bool {
	return h.state == StateHeard && h.doubt.meanLog >= float64(p.SureE4)/1e4 && !p.doubled(h.tokens) || h.state == StateNoSpeech
}

// again tries what is left to try on a burst whose first hearing is in doubt.
func (r *row) again(s *listening, h *hearing) (*hearing, error) {
	p := r.m.params
	best := h
	try := func(m int, warm float64) error {
		r.reset()
		places, logp, err := r.read(m, nil, s.prompt...)
		if err != nil {
			return err
		}
		h, err := r.try(s, m, warm, places, logp)
		if err == nil {
			best = best.better(h)
		}
		return err
	}
	if err := try(p.Rivals, 0); err != nil {
		return nil, err
	}
	if best.state == StateHeard || best.state == StateNoSpeech {
		return best, nil
	}
	if best.repeats(p) && s.window < longest*rate {
		if err := r.encode(s.pcm, longest*rate); err != nil {
			return nil, err
		}
		s.window = longest * rate
		if err := try(p.Rivals, 0); err != nil {
			return nil, err
		}
	}
	for warm := p.WarmE2; warm <= p.WarmestE2 && best.state == StateNotUnderstood; warm += p.WarmE2 {
		if err := try(p.Rivals, float64(warm)/100); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// better is the one of two hearings of the same sound that can rather be stood by.
func (h *hearing) better(o *hearing) *hearing {
	if (h.state == StateHeard) != (o.state == StateHeard) {
		if h.state == StateHeard {
			return h
		}
		return o
	}
	if h.repeated() != o.repeated() {
		if o.repeated() {
			return h
		}
		return o
	}
	if o.doubt.meanLog > h.doubt.meanLog {
		return o
	}
	return h
}

func (h *hearing) repeated() bool { return h.looped || h.doubt.compression > 2.4 }

func (h *hearing) repeats(p Params) bool {
	return h.looped || p.doubled(h.tokens) || h.doubt.compression > float64(p.CompressE2)/100
}

// first has the encoder listen, and finds whether somebody speaks and in which language. places and logp are what the
// prompt left for a greedy search.
func (r *row) first(pcm []float32, window int) (s *listening, places []int, logp []float32, err error) {
	v, p := r.m.words, r.m.params
	if err := r.encode(pcm, window); err != nil {
		return nil, nil, nil, err
	}
	if places, logp, err = r.read(1, nil, v.start); err != nil {
		return nil, nil, nil, err
	}
	s = &listening{pcm: pcm, window: window, noSpeech: math.Exp(float64(logp[v.noSpeech]))}
	all := distribution(v.languages, logp[v.firstLanguage:v.firstLanguage+len(v.languages)])
	s.language, s.all, s.undecided = p.choose(all, r.opts.Languages)
	s.prompt = []int{v.start, v.language(s.language.Code), v.transcribe, v.noTimestamps}
	s.limit = min(p.MaxTokens, p.TokensSpare+len(pcm)*p.TokensSecond/rate)
	if r.opts.MaxTokens > 0 {
		s.limit = min(s.limit, r.opts.MaxTokens)
	}
	places, logp, err = r.read(1, places, s.prompt[1:]...)
	return s, places, logp, err
}

// try writes a text and judges it.
func (r *row) try(s *listening, m int, warm float64, places []int, logp []float32) (*hearing, error) {
	f, err := r.search(m, warm, places, logp, s.limit)
	if err != nil {
		return nil, err
	}
	h := &hearing{text: f.best, raw: strings.TrimSpace(r.m.words.string(f.best.tokens)), warm: warm}
	written, left := withoutLabels(h.raw)
	h.doubt = doubt{
		meanLog: h.mean(), noSpeech: s.noSpeech, label: f.label, compression: compressionRatio(h.raw),
		looped: h.looped, unfinished: !h.ended && !h.looped, seconds: float64(len(s.pcm)) / rate,
	}
	h.state, h.reason = r.m.params.judge(written, h.doubt)
	if h.state == StateHeard && left != "" {
		// A label among words: what is inside it is not said, so no word of it may stand.
		h.state, h.reason = StateNotUnderstood, "the recogniser mixed words with a sound label, "+left
	}
	return h, nil
}

// result is what is said of a burst whose best hearing is h.
func (r *row) result(s *listening, h *hearing) Heard {
	out := Heard{
		State: h.state, Reason: h.reason, Language: s.language.Code, Languages: s.all, MeanLogProbability: h.doubt.meanLog, NoSpeech: s.noSpeech,
		CompressionRatio: h.doubt.compression, Temperature: h.warm, Tokens: len(h.tokens),
	}
	if s.undecided {
		out.Language = "ru|uk"
		if out.Reason == "" {
			out.Reason = "Russian or Ukrainian: the recogniser does not tell them apart here"
		}
	}
	if h.state != StateHeard {
		out.Refused = h.raw
		return out
	}
	out.Text = h.raw
	width := len(h.att) / len(h.places) / r.m.size.alignment
	used := min(width, (len(s.pcm)+frame-1)/frame)
	enter := timing.Align(h.att, len(h.places), r.m.size.alignment, width, used, len(s.prompt), r.m.params.MedianFrames)
	probabilities := make([]float64, len(h.logs))
	for i, l := range h.logs {
		probabilities[i] = math.Exp(l)
	}
	out.Words = timing.Words(r.m.words.text, h.tokens, probabilities, enter, s.language.Code, float64(len(s.pcm))/rate)
	timing.Settle(out.Words, timing.Rests(s.pcm))
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
