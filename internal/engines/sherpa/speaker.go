//go:build cgo && linux

package sherpa

import (
	"context"
	"math"
	"sync"

	sherpa "github.com/k2-fsa/sherpa-onnx-go-linux"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// Speaker is an encoder of voices that has been read. Voice may be called from several goroutines at once.
type Speaker struct {
	native *sherpa.SpeakerEmbeddingExtractor

	mu     sync.RWMutex // read by Voice, written by Close
	closed bool
}

// LoadSpeaker reads a model of KindSpeaker, with the errors of Load.
func LoadSpeaker(m models.Model) (*Speaker, error) {
	if m.Manifest.Kind != models.KindSpeaker {
		return nil, evidence.Invalid("%q is not a kind that sherpa-onnx tells voices apart with", m.Manifest.Kind)
	}
	paths, release, err := files(m)
	defer release()
	if err != nil {
		return nil, err
	}
	native := sherpa.NewSpeakerEmbeddingExtractor(&sherpa.SpeakerEmbeddingExtractorConfig{Model: paths[models.RoleModel], NumThreads: 1, Provider: "cpu"})
	if native == nil {
		return nil, refused(m)
	}
	return &Speaker{native: native}, nil
}

// Voice returns the vector of pcm, brought to length 1.
func (s *Speaker) Voice(ctx context.Context, pcm []int16) ([]float32, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, evidence.NotFound("the model has been unloaded")
	}
	if ctx.Err() != nil {
		return nil, evidence.Cancelled("stopped before the voice was made out")
	}
	samples := make([]float32, len(pcm))
	for i, v := range pcm {
		samples[i] = float32(v) / 32768
	}
	stream := s.native.CreateStream()
	defer sherpa.DeleteOnlineStream(stream)
	stream.AcceptWaveform(evidence.Rate, samples)
	stream.InputFinished()
	if !s.native.IsReady(stream) {
		return nil, evidence.Invalid("%d ms of speech are too short for this model", len(pcm)*1000/evidence.Rate)
	}
	v := s.native.Compute(stream)
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, evidence.Invalid("the model makes out no voice in it")
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v, nil
}

// Close frees the model, after the calls under way.
func (s *Speaker) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		sherpa.DeleteSpeakerEmbeddingExtractor(s.native)
	}
}
