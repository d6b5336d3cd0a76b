//go:build cgo && linux

package main

import (
	"context"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/engines/sherpa"
	"github.com/earwitness/earwitness/internal/engines/voice"
)

func loadVoice(m models.Model) (*recognizer, error) {
	graph, err := m.ReadFile(models.RoleModel)
	if err != nil {
		return nil, err
	}
	e, err := voice.Load(graph, voice.Defaults())
	if err != nil {
		return nil, err
	}
	return &recognizer{voice: e.Voice, close: e.Close}, nil
}

func loadSpeaker(m models.Model) (*recognizer, error) {
	s, err := sherpa.LoadSpeaker(m)
	if err != nil {
		return nil, err
	}
	return &recognizer{voice: s.Voice, close: func() error { s.Close(); return nil }}, nil
}

// Voice gives the vector of a voice by a model in memory.
func (b *backend) Voice(ctx context.Context, model evidence.Digest, pcm []int16) ([]float32, error) {
	r := b.recognizer(model)
	if r == nil {
		return nil, evidence.NotFound("model %s is not loaded", model.Short())
	}
	r.inUse.RLock()
	defer r.inUse.RUnlock()
	if r.gone {
		return nil, evidence.NotFound("model %s has been unloaded", model.Short())
	}
	if r.voice == nil {
		return nil, evidence.Invalid("model %s hears words and tells no voices apart", model.Short())
	}
	defer giveBack()
	return r.voice(ctx, pcm)
}
