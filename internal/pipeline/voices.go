package pipeline

import (
	"context"
	"errors"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
)

// VoiceEncoder says what a voice sounds like, as a vector of length 1. It must be safe for concurrent use and give the
// same vector for the same samples, whatever else it is doing.
type VoiceEncoder interface {
	// Engine says what will do it. It is an error of kind Needs where the model is missing.
	Engine(ctx context.Context) (evidence.Engine, error)
	// Model and Params come after Engine; Params are all settings that shape a vector, for canonical JSON.
	Model() (*evidence.Model, error)
	Params() (any, error)
	Machine(ctx context.Context) (string, error)
	// Voice is given at most LongestVoice samples of speech. An error of kind Invalid means that nothing can be made out.
	Voice(ctx context.Context, pcm []int16) ([]float32, error)
}

// voiceVersion is that of the stage's code here.
const voiceVersion = 1

// How much speech of a transmission a voice is made out from. ShortestVoice is about one window of the encoder, and at
// 2 s already every sixth comparison is wrong (bench/voice); LongestVoice, from the transmission's begin, bounds the work.
const (
	ShortestVoice = 3 * evidence.Rate / 2
	LongestVoice  = 60 * evidence.Rate
)

// voiceParams are what shapes a vector beside the encoder's own settings: the spans of speech are not in the span of the
// transmission, and another detection may draw them elsewhere.
type voiceParams struct {
	Encoder any             `json:"encoder"`
	Longest int             `json:"longest"` // samples
	Speech  []evidence.Span `json:"speech"`
}

// voices makes out the voice of every transmission of t with enough speech, where somebody asked for voices. Its inputs
// are known.
func (r *runner) voices(ctx context.Context, t *track) error {
	if r.o.Voices == nil {
		return nil
	}
	var todo []evidence.Transmission
	for _, x := range t.spoken {
		speech := int64(0)
		for _, s := range x.Hear {
			speech += s.Len()
		}
		if speech >= ShortestVoice {
			todo = append(todo, x)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	engine, err := r.o.Voices.Engine(ctx)
	if err != nil {
		return err
	}
	model, err := r.o.Voices.Model()
	if err != nil {
		return err
	}
	params, err := r.o.Voices.Params()
	if err != nil {
		return err
	}
	inputs, _ := t.now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, r.o.Threads)) // the engine works on as many at once, whatever recording they are of
	for _, x := range todo {
		g.Go(func() error {
			// Speech may reach past the keying by its padding: the span is that of both.
			span := x.Span
			for _, s := range x.Hear {
				span.From, span.To = min(span.From, s.From), max(span.To, s.To)
			}
			j, err := newJob(evidence.StageVoice, voiceVersion, t.rec.Recording, inputs, &span, engine, model, voiceParams{params, LongestVoice, x.Hear})
			if err == nil {
				err = r.voice(gctx, j, t.sound, x.Hear)
			}
			if _, ok := errors.AsType[*stopped](err); ok {
				err = nil // written down; the others go on
			}
			return err
		})
	}
	return g.Wait()
}

// voice makes out the voice of one job.
func (r *runner) voice(ctx context.Context, j job, snd source, speech []evidence.Span) error {
	if _, done, err := r.before(j); done || err != nil {
		return err
	}
	if err := r.intact(ctx, j.inputs[len(j.inputs)-1]); err != nil {
		return err
	}
	var pcm []int16
	for _, s := range speech {
		s.To = min(s.To, s.From+int64(LongestVoice-len(pcm)))
		if s.Len() <= 0 {
			break
		}
		part, err := snd.Samples(s)
		if err != nil {
			return err
		}
		pcm = append(pcm, part...)
	}
	f := finding{written: func() { r.count(func(s *Summary) { s.Voices++ }) }}
	var v []float32
	if v, f.err = r.o.Voices.Voice(ctx, pcm); f.err == nil {
		out := evidence.Voice{Samples: int64(len(pcm)), VectorE4: make([]int, len(v))}
		for i, x := range v {
			out.VectorE4[i] = int(math.Round(float64(x) * 1e4))
		}
		f.output, f.err = out, out.Validate()
	}
	if f.err == nil {
		f.machine, f.err = r.o.Voices.Machine(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := r.after(ctx, j, f)
	return err
}
