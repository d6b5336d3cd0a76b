package child

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// protocol is the version of what the two ends say to each other.
const protocol = 5

// HearsPerThread is how many requests to hear an engine takes for each of its threads: enough for it to hear several at
// once and have the next ones at hand. Each holds the samples of at most 30 s.
const HearsPerThread = 16

// SpeechFrame is the number of samples that one probability of speech stands for.
const SpeechFrame = 512

// Identity is what tells one engine from another. Results name it.
type Identity struct {
	Build    string          `json:"build"`    // digest of program and libraries, and the libraries' versions
	CPU      []string        `json:"cpu"`      // features that arithmetic may depend on, sorted
	Machine  string          `json:"machine"`  // architecture, as Go names it
	Name     string          `json:"name"`     // of the program
	Protocol int             `json:"protocol"` //
	Runtime  string          `json:"runtime"`  // version of ONNX Runtime
	Settings json.RawMessage `json:"settings"` // canonical JSON: every setting of the recognisers and the voice detector that shapes a result
	Threads  int             `json:"threads"`  // requests it works on at once, and HearsPerThread times as many that hear
}

// Engine returns the engine as results name it. It does not depend on the machine or the threads.
func (i Identity) Engine() evidence.Engine { return evidence.Engine{Build: i.Build, Name: i.Name} }

// Features returns architecture and CPU features as results name them.
func (i Identity) Features() string {
	if len(i.CPU) == 0 {
		return i.Machine
	}
	return i.Machine + " " + strings.Join(i.CPU, " ")
}

func (i Identity) same(j Identity) bool {
	return i.Engine() == j.Engine() && i.Features() == j.Features() && i.Runtime == j.Runtime && bytes.Equal(i.Settings, j.Settings)
}

// HearOptions shapes what a recogniser makes of an utterance.
type HearOptions struct {
	Languages []string `json:"languages,omitempty"`  // expected, ISO 639-1: a hint, never forced; models that know one language ignore it
	MaxTokens int      `json:"max_tokens,omitempty"` // of the text; 0 leaves it to the recogniser
	Translate bool     `json:"translate,omitempty"`  // into English, as a draft without Words; Invalid where the model cannot

	// Vocabulary are words of the case whose odds are raised by a bounded amount; models that cannot ignore it.
	Vocabulary []string `json:"vocabulary,omitempty"`
}

// HearResult is what a recogniser made of an utterance.
type HearResult struct {
	Compression float64    `json:"compression"`        // ratio of the text; 0 where it was not needed
	Language    string     `json:"language,omitempty"` // that Text is written in; "ru|uk" where the two cannot be told apart
	Languages   []Language `json:"languages"`          // most likely first
	LogProb     float64    `json:"log_prob"`           // mean log-probability of a token
	NoSpeech    float64    `json:"no_speech"`          // probability of no speech
	Reason      string     `json:"reason,omitempty"`   // why it is not heard, or what was left out: a plain sentence
	Refused     string     `json:"refused,omitempty"`  // text that a guard refused: to be shown as refused, or not at all
	State       string     `json:"state"`              // evidence.HeardWords, HeardNotUnderstood, HeardNoSpeech
	Temperature float64    `json:"temperature"`
	Text        string     `json:"text"`
	Unrated     bool       `json:"unrated,omitempty"` // the recogniser gives no probabilities: those above are 0 and mean nothing, and Reason says so
	Words       []Word     `json:"words,omitempty"`
}

// Language is a language with its probability, 0 to 1.
type Language struct {
	Code string  `json:"code"` // ISO 639-1, or the recogniser's own where that has none
	P    float64 `json:"p"`
}

// Word is a word of an utterance.
type Word struct {
	Boosted bool    `json:"boosted,omitempty"` // it was heard only with its odds raised
	From    int64   `json:"from"`              // samples from the first that was handed in
	P       float64 `json:"p"`                 // 0 to 1
	Text    string  `json:"text"`
	To      int64   `json:"to"`
}

// Heard returns the result as it is written into the case, for an utterance whose first sample is the
// recording's sample from.
func (r HearResult) Heard(from int64) evidence.Heard {
	round := func(f, unit float64) int { return int(math.Round(f * unit)) }
	h := evidence.Heard{
		CompressionE2: round(r.Compression, 1e2), Language: r.Language, Languages: []evidence.Language{}, LogProbE4: round(r.LogProb, 1e4),
		NoSpeechE4: round(r.NoSpeech, 1e4), Reason: r.Reason, State: r.State, TemperatureE2: round(r.Temperature, 1e2), Text: r.Text,
	}
	for _, l := range r.Languages {
		h.Languages = append(h.Languages, evidence.Language{Code: l.Code, P: round(l.P, 1e4)})
	}
	for _, w := range r.Words {
		h.Words = append(h.Words, evidence.Word{Boosted: w.Boosted, P: round(w.P, 1e4), Span: evidence.Span{From: from + w.From, To: from + w.To}, Text: w.Text})
	}
	return h
}

// Translated returns the result of hearing with HearOptions.Translate as it is written into the case; from is the key of
// the hearing that it belongs to.
func (r HearResult) Translated(from evidence.Digest) evidence.Translated {
	t := evidence.Translated{CompressionE2: int(math.Round(r.Compression * 1e2)), From: from, Language: "en", LogProbE4: int(math.Round(r.LogProb * 1e4)),
		Reason: r.Reason, State: evidence.NotTranslated}
	if r.State == evidence.HeardWords {
		t.State, t.Text = evidence.TranslatedWords, r.Text
	} else if t.Reason == "" {
		t.Reason = r.State
	}
	return t
}

// check refuses what no recogniser of ours may say: the result comes out of native code and goes into a case.
func (r HearResult) check(samples int) error {
	finite := func(low, high float64, vs ...float64) bool {
		for _, v := range vs {
			if math.IsNaN(v) || v < low || v > high {
				return false
			}
		}
		return true
	}
	const maxText = 64 << 10
	switch {
	case r.State != evidence.HeardWords && r.State != evidence.HeardNotUnderstood && r.State != evidence.HeardNoSpeech:
		return fmt.Errorf("state %q", r.State)
	case r.State == evidence.HeardWords && strings.TrimSpace(r.Text) == "":
		return errors.New("words without text")
	case len(r.Text)+len(r.Reason)+len(r.Refused)+len(r.Language) > maxText || !utf8.ValidString(r.Text+r.Reason+r.Refused+r.Language):
		return fmt.Errorf("text of %d bytes, or not UTF-8", len(r.Text))
	case !finite(0, 1, r.NoSpeech) || !finite(-1e3, 1e-3, r.LogProb) || !finite(0, 1e6, r.Compression) || !finite(0, 2, r.Temperature):
		return errors.New("figures out of range")
	}
	for _, l := range r.Languages {
		if !finite(0, 1, l.P) || len(l.Code) < 2 || len(l.Code) > 8 || !utf8.ValidString(l.Code) {
			return fmt.Errorf("language %q at %v", l.Code, l.P)
		}
	}
	last := int64(0)
	for _, w := range r.Words {
		if !finite(0, 1, w.P) || w.From < last || w.To < w.From || w.To > int64(samples) || w.Text == "" || !utf8.ValidString(w.Text) {
			return fmt.Errorf("word %q at samples %d-%d of %d, probability %v", w.Text, w.From, w.To, samples, w.P)
		}
		last = w.From
	}
	return nil
}

// The operations.
const (
	opSpeech = "speech"
	opClean  = "clean"
	opLoad   = "load"
	opHear   = "hear"
	opVoice  = "voice"
	opUnload = "unload"
	opCancel = "cancel"
)

type request struct {
	Dir      string           `json:"dir,omitempty"`
	ID       uint64           `json:"id"`
	Manifest *models.Manifest `json:"manifest,omitempty"`
	Model    *evidence.Digest `json:"model,omitempty"`
	Op       string           `json:"op"`
	Options  *HearOptions     `json:"options,omitempty"`
}

type response struct {
	Error *wireError  `json:"error,omitempty"`
	Heard *HearResult `json:"heard,omitempty"`
	Hello *Identity   `json:"hello,omitempty"`
	ID    uint64      `json:"id"`
}

type wireError struct {
	Hint    string `json:"hint,omitempty"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func toWire(err error) *wireError {
	return &wireError{Hint: evidence.HintOf(err), Kind: evidence.KindOf(err).String(), Message: err.Error()}
}

func (w *wireError) error() error {
	for _, k := range []evidence.Kind{
		evidence.KindInvalid, evidence.KindNotFound, evidence.KindConflict, evidence.KindDamaged, evidence.KindNeeds, evidence.KindCancelled,
	} {
		if k.String() == w.Kind {
			return &evidence.Error{Kind: k, Message: w.Message, Hint: w.Hint}
		}
	}
	return &evidence.Error{Kind: evidence.KindInternal, Message: w.Message, Hint: w.Hint}
}
