//go:build cgo && linux

package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime/debug"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/gtcrn"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/engines/sherpa"
	"github.com/earwitness/earwitness/internal/engines/silero"
	"github.com/earwitness/earwitness/internal/engines/whisper"
)

// backend is the native code behind the protocol.
type backend struct {
	runtime   string   // path of libonnxruntime.so
	libraries []string // paths of all libraries of ours
	threads   int      // that a recogniser hears on
	detector  *silero.Detector
	cleaner   *gtcrn.Cleaner

	loading sync.Mutex // a model at a time: whisper.Load wants it so
	mu      sync.Mutex
	models  map[evidence.Digest]*recognizer
}

var _ child.Backend = (*backend)(nil)

// recognizer is a model in memory.
type recognizer struct {
	hear  func(ctx context.Context, pcm []int16, o child.HearOptions) (child.HearResult, error) // nil for one that knows voices
	voice func(ctx context.Context, pcm []int16) ([]float32, error)                             // nil for one that hears words
	inUse sync.RWMutex                                                                          // read by Hear, written by Unload
	close func() error
	gone  bool
}

// newBackend opens ONNX Runtime and makes the voice detector. dir holds the libraries: sherpa-onnx, which this
// program is linked with, has brought libonnxruntime.so in from there already, and opening it by its path gives
// the same library, not a second one.
func newBackend(dir string, threads int) (*backend, error) {
	b := &backend{threads: threads, runtime: filepath.Join(dir, "libonnxruntime.so"), models: map[evidence.Digest]*recognizer{}}
	b.libraries = []string{b.runtime, filepath.Join(dir, "libsherpa-onnx-c-api.so")}
	ort.SetSharedLibraryPath(b.runtime)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("open ONNX Runtime at %s: %w", b.runtime, err)
	}
	var err error
	if b.detector, err = silero.New(); err != nil {
		return nil, err
	}
	b.cleaner, err = gtcrn.New()
	return b, err
}

// Speech gives the voice detector's probabilities.
func (b *backend) Speech(ctx context.Context, pcm []int16) ([]float32, error) {
	p, err := b.detector.Speech(ctx, pcm)
	if err != nil && ctx.Err() != nil {
		return nil, evidence.Cancelled("looking for speech was stopped").Because(err)
	}
	return p, err
}

// Clean takes noise off.
func (b *backend) Clean(ctx context.Context, pcm []int16) ([]int16, error) {
	out, err := b.cleaner.Clean(ctx, pcm)
	if err != nil && ctx.Err() != nil {
		return nil, evidence.Cancelled("taking noise off was stopped").Because(err)
	}
	return out, err
}

// cleanFloats is Clean for samples in -1..1.
func (b *backend) cleanFloats(ctx context.Context, pcm []float32) ([]float32, error) {
	in := make([]int16, len(pcm))
	for i, x := range pcm {
		in[i] = int16(max(-32768, min(32767, math.Round(float64(x)*32768))))
	}
	clean, err := b.Clean(ctx, in)
	return floats(clean), err
}

func floats(pcm []int16) []float32 {
	out := make([]float32, len(pcm))
	for i, s := range pcm {
		out[i] = float32(s) / 32768
	}
	return out
}

// Load reads a model, unless it is in memory.
func (b *backend) Load(_ context.Context, m models.Model) error {
	b.loading.Lock()
	defer b.loading.Unlock()
	if b.recognizer(m.Digest) != nil {
		return nil
	}
	load := b.loadSherpa
	switch m.Manifest.Kind {
	case models.KindWhisper:
		load = b.loadWhisper
	case models.KindVoice:
		load = loadVoice
	case models.KindSpeaker:
		load = loadSpeaker
	}
	r, err := load(m)
	debug.FreeOSMemory() // the files' bytes, which the runtime has copied, are a quarter of what the engine holds
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models[m.Digest] = r
	return nil
}

func (b *backend) loadWhisper(m models.Model) (*recognizer, error) {
	encoder, err := m.ReadFile(models.RoleEncoder)
	if err != nil {
		return nil, err
	}
	decoder, err := m.ReadFile(models.RoleDecoder)
	if err != nil {
		return nil, err
	}
	model, err := whisper.Load(whisper.Config{Library: b.runtime, Encoder: encoder, Decoder: decoder, Params: whisper.Defaults(), Threads: b.threads, Clean: b.cleanFloats})
	if err != nil {
		return nil, err
	}
	hear := func(ctx context.Context, pcm []int16, o child.HearOptions) (child.HearResult, error) {
		h, err := model.Hear(ctx, floats(pcm), whisper.Options{Languages: o.Languages, MaxTokens: o.MaxTokens, Translate: o.Translate, Vocabulary: o.Vocabulary})
		return fromWhisper(h, len(pcm)), err
	}
	return &recognizer{hear: hear, close: model.Close}, nil
}

func (b *backend) loadSherpa(m models.Model) (*recognizer, error) {
	model, err := sherpa.Load(m)
	if err != nil {
		return nil, err
	}
	hearing := make(chan struct{}, b.threads) // more bursts are handed in than there are threads
	hear := func(ctx context.Context, pcm []int16, o child.HearOptions) (child.HearResult, error) {
		if o.Translate {
			return child.HearResult{}, evidence.Invalid("the model %s does not translate", m.Manifest.Name).WithHint("Whisper does, turbo excepted")
		}
		select {
		case hearing <- struct{}{}:
			defer func() { <-hearing }()
		case <-ctx.Done():
			return child.HearResult{}, evidence.Cancelled("hearing was stopped before it began")
		}
		return model.Hear(ctx, pcm)
	}
	return &recognizer{hear: hear, close: func() error { model.Close(); return nil }}, nil
}

func (b *backend) recognizer(model evidence.Digest) *recognizer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.models[model]
}

// Hear hears with a model in memory.
func (b *backend) Hear(ctx context.Context, model evidence.Digest, pcm []int16, o child.HearOptions) (child.HearResult, error) {
	r := b.recognizer(model)
	if r == nil {
		return child.HearResult{}, evidence.NotFound("model %s is not loaded", model.Short())
	}
	r.inUse.RLock()
	defer r.inUse.RUnlock()
	if r.gone {
		return child.HearResult{}, evidence.NotFound("model %s has been unloaded", model.Short())
	}
	if r.hear == nil {
		return child.HearResult{}, evidence.Invalid("model %s tells voices apart and hears no words", model.Short())
	}
	defer giveBack()
	return r.hear(ctx, pcm, o)
}

// Unload frees a model once nothing hears with it.
func (b *backend) Unload(_ context.Context, model evidence.Digest) error {
	b.mu.Lock()
	r := b.models[model]
	delete(b.models, model)
	b.mu.Unlock()
	if r == nil {
		return nil
	}
	r.inUse.Lock()
	defer r.inUse.Unlock()
	r.gone = true
	return r.close()
}

func fromWhisper(h whisper.Heard, samples int) child.HearResult {
	r := child.HearResult{
		Compression: h.CompressionRatio, Language: h.Language, Languages: []child.Language{}, LogProb: h.MeanLogProbability, NoSpeech: h.NoSpeech,
		Reason: h.Reason, Refused: h.Refused, State: h.State, Temperature: h.Temperature, Text: h.Text,
	}
	for _, l := range h.Languages {
		r.Languages = append(r.Languages, child.Language{Code: l.Code, P: l.Probability})
	}
	at := func(seconds float64) int64 {
		return min(int64(math.Round(seconds*evidence.Rate)), int64(samples))
	}
	for _, w := range h.Words {
		r.Words = append(r.Words, child.Word{Boosted: w.Boosted, From: at(w.Start), P: w.Probability, Text: w.Text, To: at(w.End)})
	}
	return r
}
