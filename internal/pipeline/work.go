// Package pipeline computes what a case lacks and has it done: which stage follows which, what is missing,
// run it, append the result. It keeps no list of jobs: the work left is what the case does not hold yet.
package pipeline

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/casefile"
)

// Decoder turns the bytes of a media file into the working sound. It must be safe for concurrent use.
type Decoder interface {
	// Engine says what will decode; it is part of the result's key.
	Engine(ctx context.Context) (evidence.Engine, error)
	// Params are the settings that shape the samples; canonical JSON.
	Params() any
	// Decode writes 16 kHz mono signed 16-bit little-endian samples. An error of kind Invalid means that
	// this file cannot be decoded; any samples already written are then void.
	// progress is told how many samples were written, and of how many by what the file says of itself (0 where it does not).
	Decode(ctx context.Context, path string, raw *evidence.RawLayout, w io.Writer, progress func(samples, of int64)) (evidence.Decoded, error)
}

// Detector tells how likely each 32 ms of a region are speech.
type Detector interface {
	analysis.SpeechDetector
	Engine(ctx context.Context) (evidence.Engine, error)
	// Model names the weights. It comes after Engine.
	Model() (*evidence.Model, error)
	// Cleaner names the weights of the noise reduction. It comes after Engine.
	Cleaner() (*evidence.Model, error)
	// Machine names what a result was made on: architecture, CPU features, the very program.
	Machine(ctx context.Context) (string, error)
}

// Recogniser turns a burst of speech into a draft of its words. It must be safe for concurrent use and
// give the same result for the same samples, whatever else it is doing.
type Recogniser interface {
	// Engine says what will listen. It is an error of kind Needs where the model is missing.
	Engine(ctx context.Context) (evidence.Engine, error)
	// Model and Params come after Engine; Params are all settings that shape a result, for canonical JSON.
	Model() (*evidence.Model, error)
	Params() (any, error)
	Machine(ctx context.Context) (string, error)
	// Hear listens to at most 30 seconds. Spans in the result count from the first sample given.
	Hear(ctx context.Context, pcm []int16) (evidence.Heard, error)
}

// Options say how to run.
type Options struct {
	Author     evidence.Author
	Decoder    Decoder
	Detector   Detector
	Recogniser Recogniser
	Voices     VoiceEncoder // nil where nobody asked for voices
	Translator Translator   // nil where nobody asked for translations
	Detect     analysis.DetectParams
	Threads    int // recordings scanned and bursts heard at once
	Ahead      int // bursts handed to the recogniser for each of its threads, so that it can hear several at once; 0 is 1
	Now        func() time.Time
	Retry      bool          // try again what failed before
	Recordings []string      // only these; all where empty
	Publish    time.Duration // how often the log is published while running
	Report     func(Event)   // what happens, from one goroutine at a time
}

// Event is something that happened during a run.
type Event struct {
	Recording string        // "" where it concerns the whole run
	Stage     string        //
	State     string        // one of the states below
	Done      int64         // of Total, in samples; for Working
	Total     int64         // 0 where not known
	Text      string        // a heard text, or why it failed or waits
	Hint      string        // what to do next
	Span      evidence.Span // for Heard
	Fraction  float64       // of the whole run, 0 to 1
}

// States in events.
const (
	Working = "working"
	Done    = "done"   // of a burst: heard, and written as soon as the copy that it is in is kept
	Failed  = "failed" // written down; the rest goes on
	Waits   = "waits"  // until its intake delay has passed, or until something it needs is there
)

// Summary counts what a run did and what is left.
type Summary struct {
	Decoded       int    `json:"decoded"`
	Detected      int    `json:"detected"`
	Transmissions int    `json:"transmissions"`  // found in this run
	Heard         int    `json:"heard"`          // spans heard in this run
	Voices        int    `json:"voices"`         // made out in this run
	Translated    int    `json:"translated"`     // spans drafted in English in this run
	NotTranslated int    `json:"not_translated"` // spans of which a guard refused the draft
	Failed        int    `json:"failed"`         // new failures
	FailedBefore  int    `json:"failed_before"`  // failures of earlier runs that stand
	Damaged       int    `json:"damaged"`        // recordings whose stored bytes are damaged or gone
	Delayed       int    `json:"delayed"`        // recordings that wait for their intake delay
	Needs         string `json:"needs,omitempty"`
	NeedsHint     string `json:"needs_hint,omitempty"`
	Waiting       int    `json:"waiting"` // spans that could not be heard for what is needed
}

// job is the work that one key names, before it is done.
type job struct {
	key       evidence.Digest
	stage     string
	version   int
	recording string
	inputs    []evidence.Digest
	span      *evidence.Span
	engine    evidence.Engine
	model     *evidence.Model
	params    json.RawMessage
}

func newJob(stage string, version int, recording string, inputs []evidence.Digest, span *evidence.Span, engine evidence.Engine, model *evidence.Model, params any) (job, error) {
	p, err := evidence.Canonical(params)
	if err != nil {
		return job{}, err
	}
	key, err := evidence.ResultKey(stage, version, inputs, span, engine, model, p)
	return job{key, stage, version, recording, inputs, span, engine, model, p}, err
}

func (j job) result(machine string, output any) (evidence.Result, error) {
	out, err := evidence.Canonical(output)
	return evidence.Result{Engine: j.engine, Inputs: j.inputs, Key: j.key, Machine: machine, Model: j.model, Output: out, Params: j.params,
		Recording: j.recording, Span: j.span, Stage: j.stage, Version: j.version}, err
}

func (j job) failure(err error) evidence.Failure {
	return evidence.Failure{Engine: j.engine, Hint: evidence.HintOf(err), Key: j.key, Kind: evidence.KindOf(err).String(), Message: plain(err),
		Recording: j.recording, Span: j.span, Stage: j.stage}
}

// held is what the case holds already, read once and kept up to date by the run itself.
type held struct {
	recordings []evidence.RecordingReceived        // with their newest statement
	results    map[evidence.Digest]json.RawMessage // outputs that later stages need; empty for hearings, of which there are very many
	counts     map[string]evidence.Digest          // recording to the model whose hearing of it counts
	failures   map[evidence.Digest]evidence.Failure
	foreign    map[evidence.Digest]struct{} // hearings with words in another language than English; nil where nobody asks
}

func (h *held) keep(r evidence.Result) error {
	switch r.Stage {
	case evidence.StageHear:
		if h.foreign != nil {
			heard, err := evidence.DecodeBody[evidence.Heard](evidence.Entry{Body: r.Output, Kind: r.Stage}, r.Stage)
			if err != nil {
				return err
			}
			if foreign(heard) {
				h.foreign[r.Key] = struct{}{}
			}
		}
		r.Output = nil
	case evidence.StageVoice, evidence.StageTranslate:
		r.Output = nil
	}
	h.results[r.Key] = r.Output
	return nil
}

// read follows the case from its first entry; translate says whether somebody asks for translations.
func read(ctx context.Context, c *casefile.Case, translate bool) (*held, error) {
	h := &held{results: map[evidence.Digest]json.RawMessage{}, counts: map[string]evidence.Digest{}, failures: map[evidence.Digest]evidence.Failure{}}
	if translate {
		h.foreign = map[evidence.Digest]struct{}{}
	}
	at, chosen := map[string]int{}, map[string]bool{}
	_, err := c.Follow(ctx, 0, func(_ int64, e evidence.Entry) error {
		switch e.Kind {
		case evidence.EntryRecordingReceived:
			r, err := evidence.DecodeBody[evidence.RecordingReceived](e, e.Kind)
			if err != nil {
				return err
			}
			at[r.Recording] = len(h.recordings)
			h.recordings = append(h.recordings, r)
		case evidence.EntryRecordingDescribed:
			r, err := evidence.DecodeBody[evidence.RecordingDescribed](e, e.Kind)
			if err != nil {
				return err
			}
			if i, ok := at[r.Recording]; ok {
				h.recordings[i].Reception = r.Reception
			}
		case evidence.EntryResult:
			r, err := evidence.DecodeBody[evidence.Result](e, e.Kind)
			if err != nil {
				return err
			}
			if err := h.keep(r); err != nil {
				return err
			}
			if r.Stage == evidence.StageHear && r.Model != nil && !chosen[r.Recording] {
				h.counts[r.Recording] = r.Model.Digest
			}
			delete(h.failures, r.Key)
		case evidence.EntryHearingChosen:
			b, err := evidence.DecodeBody[evidence.HearingChosen](e, e.Kind)
			if err != nil {
				return err
			}
			h.counts[b.Recording], chosen[b.Recording] = b.Model.Digest, true
		case evidence.EntryFailure:
			f, err := evidence.DecodeBody[evidence.Failure](e, e.Kind)
			if err != nil {
				return err
			}
			h.failures[f.Key] = f
		}
		return nil
	})
	return h, err
}
