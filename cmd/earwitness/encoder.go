package main

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// voiceEncoder is a model of the shelf in the engine's process that says what a voice sounds like. Noise is taken off
// before: with it, vectors tell more of the noise than of the voice (bench/voice).
type voiceEncoder struct {
	*native
	name string

	once  sync.Once
	model models.Model
	err   error
}

// load finds the model on the shelf and has the engine load it, once.
func (v *voiceEncoder) load(ctx context.Context) (*child.Engine, error) {
	e, err := v.start(ctx)
	if err != nil {
		return nil, err
	}
	v.once.Do(func() {
		if v.model, v.err = models.Open(v.w.modelsDir()).Find(v.name); v.err != nil {
			return
		}
		if !models.IsVoice(v.model.Manifest.Kind) {
			v.err = evidence.Needs("the model %s hears words and tells no voices apart", v.name).WithHint("`earwitness run --voices voice-resemblyzer`, after `earwitness model get voice-resemblyzer`")
			return
		}
		v.err = e.Load(ctx, v.model)
	})
	if evidence.KindOf(v.err) == evidence.KindDamaged {
		// A damaged model is no fault of the recordings: nothing is written against them.
		return e, evidence.Needs("the model %s is damaged", v.name).Because(v.err).WithHint("`earwitness model remove %s`, then `earwitness model get %s`", v.name, v.name)
	}
	return e, v.err
}

func (v *voiceEncoder) Engine(ctx context.Context) (evidence.Engine, error) {
	if _, err := v.load(ctx); err != nil {
		return evidence.Engine{}, err
	}
	return v.identified()
}

func (v *voiceEncoder) Model() (*evidence.Model, error) {
	m := v.model.Evidence()
	return &m, nil
}

func (v *voiceEncoder) Params() (any, error) {
	part := "sherpa"
	if v.model.Manifest.Kind == models.KindVoice {
		part = "voice"
	}
	settings, err := v.settings(part)
	if err != nil {
		return nil, err
	}
	cleaner, err := v.settings("gtcrn")
	return struct {
		Cleaner  json.RawMessage `json:"cleaner"`
		Settings json.RawMessage `json:"settings"`
	}{cleaner, settings}, err
}

func (v *voiceEncoder) Voice(ctx context.Context, pcm []int16) ([]float32, error) {
	e, err := v.load(ctx)
	if err != nil {
		return nil, err
	}
	if pcm, err = e.Clean(ctx, pcm); err != nil {
		return nil, err
	}
	return e.Voice(ctx, v.model, pcm)
}
