//go:build cgo

package whisper

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

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

	again bool // it seems to repeat itself: worth a second hearing
}

// Hear turns a burst, mono at 16 kHz in -1..1, into words. A burst longer than Params.LongestMs or with samples
// that are no numbers is an error of kind invalid: the caller cuts at pauses. Silence, noise and whatever else
// there is to hear are no errors.
func (m *Model) Hear(ctx context.Context, pcm []float32, opts Options) (heard Heard, err error) {
	if len(pcm) > m.params.LongestMs*rate/1000 {
		return Heard{}, evidence.Invalid("a burst of %.1f s is too long: at most %.1f s are heard at once", float64(len(pcm))/rate, float64(m.params.LongestMs)/1000).
			WithHint("cut it at a pause")
	}
	if opts.MaxTokens < 0 {
		return Heard{}, evidence.Invalid("max_tokens is %d", opts.MaxTokens)
	}
	loud, err := loudness(pcm)
	if err != nil {
		return Heard{}, err
	}
	if err := ctx.Err(); err != nil {
		return Heard{}, cancelled(err)
	}
	if loud < float64(m.params.SilenceE6)/1e6 {
		return Heard{State: StateNoSpeech, Reason: "silence"}, nil
	}
	w := m.workspace()
	defer m.leave(w)
	defer func() { err = errors.Join(err, w.release(0)) }()
	heard, err = m.hear(ctx, w, pcm, opts)
	if err != nil && ctx.Err() != nil {
		return Heard{}, cancelled(ctx.Err())
	}
	if err != nil {
		return Heard{}, fmt.Errorf("hear %.1f s: %w", float64(len(pcm))/rate, err)
	}
	return heard, nil
}

func cancelled(err error) error { return evidence.Cancelled("hearing was stopped").Because(err) }

// hear listens in a window of the usual size and, where the recogniser repeats itself, once more in the whole window
// that it was trained with: there it finds the end of what is said far more often, at several times the cost.
func (m *Model) hear(ctx context.Context, w *workspace, pcm []float32, opts Options) (Heard, error) {
	usual := m.params.shown(len(pcm), m.params.WindowMs*rate/1000)
	h, err := m.hearIn(ctx, w, pcm, usual, opts)
	if err != nil || !h.again || usual == longest*rate {
		return h, err
	}
	if err := w.release(0); err != nil {
		return Heard{}, err
	}
	return m.hearIn(ctx, w, pcm, longest*rate, opts)
}

// hearIn hears a burst followed by silence up to n samples.
func (m *Model) hearIn(ctx context.Context, w *workspace, pcm []float32, n int, opts Options) (Heard, error) {
	seconds := float64(len(pcm)) / rate
	leave, err := m.enter(ctx, n)
	if err != nil {
		return Heard{}, err
	}
	d, err := m.encode(w, pcm, n)
	leave()
	if err != nil {
		return Heard{}, err
	}
	if err := ctx.Err(); err != nil {
		return Heard{}, err
	}
	v := m.words
	limit := min(m.params.MaxTokens, m.params.TokensSpare+int(seconds*float64(m.params.TokensSecond)))
	if opts.MaxTokens > 0 {
		limit = min(limit, opts.MaxTokens)
	}
	w.att = grown(w.att, (limit+4)*m.size.alignment*d.width)[:0] // a row for each token of prompt and text
	if err := d.step(int64(v.start)); err != nil {
		return Heard{}, err
	}
	h := Heard{Temperature: float64(m.params.TemperatureE2) / 100, NoSpeech: v.share(w.logits, v.noSpeech)}
	all := distribution(v.languages, w.logits[v.firstLanguage:v.firstLanguage+len(v.languages)])
	language, shown, undecided := m.params.choose(all, opts.Languages)
	h.Languages, h.Language = shown, language.Code
	if undecided {
		h.Language = "ru|uk"
		h.Reason = "Russian or Ukrainian: the recogniser does not tell them apart here"
	}
	if err := d.step(int64(v.language(language.Code)), int64(v.transcribe), int64(v.noTimestamps)); err != nil {
		return Heard{}, err
	}
	prompt := d.done
	out, err := d.write(ctx, limit)
	if err != nil {
		return Heard{}, err
	}

	raw := strings.TrimSpace(v.string(out.tokens))
	h.Tokens = len(out.tokens)
	h.MeanLogProbability = out.sumLog / float64(len(out.tokens)+1)
	h.CompressionRatio = compressionRatio(raw)
	text, left := withoutLabels(raw)
	state, reason := m.params.judge(text, doubt{
		meanLog: h.MeanLogProbability, noSpeech: h.NoSpeech, label: out.label, compression: h.CompressionRatio,
		looped: out.looped, unfinished: out.unfinished, seconds: seconds,
	})
	h.State, h.again = state, out.looped || m.params.doubled(out.tokens) || h.CompressionRatio > float64(m.params.CompressE2)/100
	if state != StateHeard {
		h.Reason, h.Refused = reason, raw
		return h, nil
	}
	if left != "" {
		// A label among words: what is inside it is not said, so no word of it may stand.
		h.State, h.Reason, h.Refused = StateNotUnderstood, "the recogniser mixed words with a sound label, "+left, raw
		return h, nil
	}
	h.Text = raw
	used := min(d.width, (len(pcm)+frame-1)/frame)
	enter := alignment(w.att, d.done, m.size.alignment, d.width, used, prompt, m.params.MedianFrames)
	h.Words = words(v, out.tokens, out.probabilities, enter, language.Code, seconds)
	settle(h.Words, rests(pcm))
	return h, nil
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
