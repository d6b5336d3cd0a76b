package whisper

import (
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/mel"
)

// Version counts the changes of this package's code that can change a result under equal Params.
const Version = 8

// Params is every constant that shapes a result: a result is keyed by it. All are whole numbers, so that they
// have one canonical form: a name that ends in E4 counts ten-thousandths, in E2 hundredths, in Ms
// milliseconds.
type Params struct {
	NoisyE2      int `json:"noisy_e2"`       // dB that a burst's loud parts stand above its quiet ones, below which it is noisy
	TailMs       int `json:"tail_ms"`        // silence appended to a noisy burst; without it the last word is lost
	WindowMs     int `json:"window_ms"`      // a noisy one is shown with silence up to this length: in less room the recogniser repeats itself
	SilenceMs    int `json:"silence_ms"`     // silence appended to any other ...
	SilenceStep  int `json:"silence_step"`   // ... and of the rest of the 30 s that the encoder was trained with, one place in this many
	WindowStepMs int `json:"window_step_ms"` // windows are longer by whole steps of this
	MaxTokens    int `json:"max_tokens"`     // tokens of text at most
	TokensSecond int `json:"tokens_second"`  // tokens of text at most for each second of sound ...
	TokensSpare  int `json:"tokens_spare"`   // ... and this many more
	SilenceE6    int `json:"silence_e6"`     // root mean square, in millionths of full scale, below which a burst is not looked at
	LongestMs    int `json:"longest_ms"`     // longer bursts are refused
	BlockTextE4  int `json:"label_mass_e4"`  // probability that the text begins with a sound label, from which it is no speech
	NoSpeechE4   int `json:"no_speech_e4"`   // no speech from this probability on, where the text is improbable too
	LogProbE4    int `json:"log_prob_e4"`    // mean log-probability of a token below which text is not stood by
	WeakLogE4    int `json:"weak_log_e4"`    // mean log-probability below which a stock phrase of subtitles is taken for invented
	WeakVoiceE4  int `json:"weak_voice_e4"`  // probability of no speech from which it is
	CompressE2   int `json:"compress_e2"`    // compression ratio above which text is a loop
	LettersSec   int `json:"letters_second"` // letters that can be spoken in a second ...
	LettersSpare int `json:"letters_spare"`  // ... and this many more

	LoopShort  int `json:"loop_short"`  // repeats of one to three tokens that are a loop
	LoopMiddle int `json:"loop_middle"` // repeats of four to seven
	LoopLong   int `json:"loop_long"`   // repeats of eight to LoopSpan
	LoopSpan   int `json:"loop_span"`   // longest run of tokens looked for
	RepeatSpan int `json:"repeat_span"` // shortest run that, standing twice at the end, is worth a second hearing

	HintMassE4     int `json:"hint_mass_e4"`    // the case's languages restrict the choice where together they have this probability
	NeighbourE4    int `json:"neighbour_e4"`    // Russian and Ukrainian closer than this are not told apart
	LanguagesShown int `json:"languages_shown"` // languages listed in a result
	MedianFrames   int `json:"median_frames"`   // width of the median filter before alignment, in frames of 20 ms

	Rivals       int        `json:"rivals"`         // texts that are followed side by side
	SecondE4     int        `json:"second_e4"`      // share of words expected to be right below which a burst is heard a second time, with some of the noise taken off ...
	SecondFromE4 int        `json:"second_from_e4"` // ... and from which: with less there is nothing to mend
	LeastE4      int        `json:"least_e4"`       // share of words expected to be right below which nothing is understood
	NoTimeE4     int        `json:"no_time_e4"`     // share of words without any time of their own above which a text is invented
	SplitMs      int        `json:"split_ms"`       // a burst of at least this length that is not understood is heard in two parts
	DoubtE3      [signs]int `json:"doubt_e3"`       // weights of a word's signs in the logit of its probability (make eval EVAL=-fit)
	BoostE4      int        `json:"boost_e4"`       // by how many nats the odds of each token of a word of the case are raised, where such words are given ...
	BoostMostE4  int        `json:"boost_most_e4"`  // ... and of a whole word at most
	Seed         int        `json:"seed"`           // of what is drawn by chance
	WarmE2       int        `json:"warm_e2"`        // temperatures that texts are drawn at where they loop otherwise: steps of this ...
	WarmestE2    int        `json:"warmest_e2"`     // ... up to this
}

// Defaults are the parameters that the measurements in this package's tests were made with.
func Defaults() Params {
	return Params{
		TailMs: 1000, WindowMs: 8000, WindowStepMs: 2000, NoisyE2: 3000, SilenceMs: 3000, SilenceStep: 16, MaxTokens: 220, TokensSecond: 16, TokensSpare: 16, SilenceE6: 100, LongestMs: 30000,
		BlockTextE4: 5000, NoSpeechE4: 6000, LogProbE4: -10000, WeakLogE4: -5000, WeakVoiceE4: 3000, CompressE2: 240,
		LettersSec: 30, LettersSpare: 12,
		LoopShort: 6, LoopMiddle: 5, LoopLong: 4, LoopSpan: 24, RepeatSpan: 6,
		HintMassE4: 2000, NeighbourE4: 4000, LanguagesShown: 3, MedianFrames: 7,
		Rivals: 5, SecondE4: 5000, SecondFromE4: 500, LeastE4: 200, NoTimeE4: 5000, SplitMs: 8000, DoubtE3: [signs]int{68, 405, 2987, 2659, 1226, 364, 131, 1515, 134, 65}, BoostE4: 20000, BoostMostE4: 60000, Seed: 1, WarmE2: 20, WarmestE2: 60,
	}
}

// window is what the encoder is given of a burst: its samples and silence after them, this many together, and, where spread
// is set, samples of more silence, up to 30 s.
type window struct {
	samples int
	spread  bool
}

// shown is the window of that many samples.
func (p Params) shown(samples int, noisy bool) window {
	ms := samples*1000/rate + 1
	if noisy {
		ms = max(ms+p.TailMs, p.WindowMs)
	} else {
		ms += p.SilenceMs
	}
	ms = (ms + p.WindowStepMs - 1) / p.WindowStepMs * p.WindowStepMs
	n := min(ms*rate/1000, longest*rate)
	return window{n, !noisy && n < longest*rate}
}

func (p Params) check() error {
	switch {
	case p.LongestMs < 1 || p.LongestMs > 1000*longest:
		return evidence.Invalid("longest_ms is %d: Whisper hears at most %d", p.LongestMs, 1000*longest)
	case p.TailMs < 0 || p.TailMs > 5000:
		return evidence.Invalid("tail_ms is %d: from 0 to 5000 makes sense", p.TailMs)
	case p.SilenceMs < 0 || p.SilenceMs > 5000:
		return evidence.Invalid("silence_ms is %d: from 0 to 5000 makes sense", p.SilenceMs)
	case p.WindowMs < 0 || p.WindowMs > 1000*longest:
		return evidence.Invalid("window_ms is %d: from 0 to %d can be", p.WindowMs, 1000*longest)
	case p.MaxTokens < 1 || p.MaxTokens > maxTokens:
		return evidence.Invalid("max_tokens is %d: from 1 to %d can be", p.MaxTokens, maxTokens)
	case p.MedianFrames < 1 || p.MedianFrames%2 == 0:
		return evidence.Invalid("median_frames is %d: it must be odd", p.MedianFrames)
	case p.LoopShort < 2 || p.LoopMiddle < 2 || p.LoopLong < 2 || p.LoopSpan < 1 || p.RepeatSpan < 1:
		return evidence.Invalid("a loop needs two repeats of at least one token")
	case p.SilenceStep < 1:
		return evidence.Invalid("silence_step is %d: it must be positive", p.SilenceStep)
	case p.WindowStepMs < 1:
		return evidence.Invalid("window_step_ms is %d: it must be positive", p.WindowStepMs)
	case p.Rivals < 2 || p.Rivals > 16:
		return evidence.Invalid("rivals is %d: from 2 to 16 can be", p.Rivals)
	case p.WarmE2 < 1 || p.WarmestE2 < 0 || p.WarmestE2 > 200:
		return evidence.Invalid("warm_e2 is %d, warmest_e2 %d: temperatures are positive and at most 2", p.WarmE2, p.WarmestE2)
	}
	return nil
}

// longest is how many seconds Whisper's encoder has places for.
const longest = mel.Longest

// maxTokens keeps prompt and text within Whisper's 448 text positions.
const maxTokens = 440
