package pipeline_test

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/pipeline"
)

// encoder tells loud sound from less loud.
type encoder struct {
	missing bool
	build   string
	err     error
	mu      sync.Mutex
	lengths []int
}

func (e *encoder) Engine(context.Context) (evidence.Engine, error) {
	if e.missing {
		return evidence.Engine{}, evidence.Needs("the model is missing").WithHint("get it")
	}
	return evidence.Engine{Name: "test-encoder", Build: e.build}, nil
}
func (e *encoder) Model() (*evidence.Model, error) {
	return &evidence.Model{Name: "test", Digest: evidence.DigestOf([]byte("test"))}, nil
}
func (e *encoder) Params() (any, error)                    { return "none", nil }
func (e *encoder) Machine(context.Context) (string, error) { return "test", nil }
func (e *encoder) Voice(_ context.Context, pcm []int16) ([]float32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lengths = append(e.lengths, len(pcm))
	if e.err != nil {
		return nil, e.err
	}
	v := make([]float32, 16)
	for i := range v {
		v[i] = float32(1 / math.Sqrt(16))
	}
	return v, nil
}

func TestVoicesAreMadeOutOnceAndOnlyWhenAsked(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	if s := b.run(); s.Voices != 0 || s.Heard == 0 {
		t.Fatalf("%+v", s)
	}
	e := &encoder{build: "1"}
	b.o.Voices = e
	s := b.run()
	if s.Voices == 0 || s.Heard != 0 {
		t.Fatalf("%+v", s)
	}
	for _, n := range e.lengths {
		if n < pipeline.ShortestVoice || n > pipeline.LongestVoice {
			t.Errorf("a voice of %d samples", n)
		}
	}
	made := 0
	if _, err := b.c.Follow(t.Context(), 0, func(_ int64, entry evidence.Entry) error {
		if entry.Kind != evidence.EntryResult {
			return nil
		}
		r, err := evidence.DecodeBody[evidence.Result](entry, entry.Kind)
		if err != nil || r.Stage != evidence.StageVoice {
			return err
		}
		made++
		var v evidence.Voice
		if err := json.Unmarshal(r.Output, &v); err != nil {
			return err
		}
		if r.Span == nil || r.Model == nil || v.VectorE4[3] != 2500 || v.Samples > r.Span.Len() {
			t.Errorf("%+v: %+v", r.Span, v)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if made != s.Voices {
		t.Errorf("%d results for %d voices", made, s.Voices)
	}
	if again := b.run(); again.Voices != 0 {
		t.Errorf("made out again: %+v", again)
	}
	e.build = "2"
	if other := b.run(); other.Voices != s.Voices || other.Heard != 0 {
		t.Errorf("another engine: %+v after %+v", other, s)
	}
}

func TestVoicesThatFailStopNothing(t *testing.T) {
	b := newBench(t, "noise")
	e := &encoder{build: "1", missing: true}
	b.o.Voices = e
	if s := b.run(); s.NeedsHint != "get it" || s.Failed != 0 || s.Heard == 0 {
		t.Fatalf("without the model: %+v", s)
	}
	e.missing, e.err = false, evidence.Invalid("nothing can be made out")
	s := b.run()
	if s.Voices != 0 || s.Failed == 0 || b.count(evidence.EntryFailure) != s.Failed {
		t.Errorf("%+v", s)
	}
	if again := b.run(); again.Failed != 0 || again.FailedBefore != s.Failed {
		t.Errorf("tried again unasked: %+v", again)
	}
}
