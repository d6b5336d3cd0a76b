//go:build cgo

package whisper

import (
	"context"
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/semaphore"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
	"github.com/earwitness/earwitness/internal/engines/whisper/vocabulary"
)

// Config is what a model is loaded from.
type Config struct {
	Library string // path of libonnxruntime.so
	Encoder []byte // the two graphs of package graph; the caller has checked their digests
	Decoder []byte
	Params  Params // see Defaults
	Threads int    // that hear at once; results do not depend on it

	// Clean takes noise off a burst, as many samples in the same places; nil: nothing is heard a second time. It must
	// be safe for concurrent use and give the same for the same.
	Clean func(ctx context.Context, pcm []float32) ([]float32, error)
}

// Model is Whisper, ready to hear. Hear may be called from many goroutines at once: their bursts wait for a few
// workers, each of which decodes several together on one thread. Neither the number of workers nor what else is in a
// batch changes anything in a result.
type Model struct {
	encoder, decoder *ort.DynamicAdvancedSession
	words            *vocabulary.Vocabulary
	size             graph.Size
	params           Params
	clean            func(ctx context.Context, pcm []float32) ([]float32, error)

	queue   *queue
	long    *semaphore.Weighted // see enter
	workers sync.WaitGroup
}

// Load makes a model. ONNX Runtime is opened once in a process, from the library of the first Load, and stays
// open; Load itself must not be called from two goroutines at once. A graph that is damaged may abort the
// process inside ONNX Runtime: check digests first.
func Load(cfg Config) (*Model, error) {
	if err := cfg.Params.check(); err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	s, err := graph.SizeOf(cfg.Encoder, cfg.Decoder)
	if err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	m := &Model{size: s, params: cfg.Params, clean: cfg.Clean, queue: newQueue(), long: semaphore.NewWeighted(1)}
	if m.words, err = vocabulary.New(s.Words); err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	if !ort.IsInitialized() {
		ort.SetSharedLibraryPath(cfg.Library)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
			return nil, evidence.NotFound("ONNX Runtime cannot be opened at %s", cfg.Library).Because(err).
				WithHint("libonnxruntime.so lies beside the engine, in lib; install the program again")
		}
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	defer options.Destroy()
	for _, err := range []error{
		options.SetIntraOpNumThreads(1), // work runs on the caller's thread: no pool, no order of summation that varies
		options.SetInterOpNumThreads(1),
		options.SetExecutionMode(ort.ExecutionModeSequential),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		options.SetCpuMemArena(false), // an arena keeps the largest of every shape it has seen: memory would grow with the recording
		options.SetMemPattern(false),
	} {
		if err != nil {
			return nil, fmt.Errorf("set ONNX Runtime's options: %w", err)
		}
	}
	m.encoder, err = ort.NewDynamicAdvancedSessionWithONNXData(cfg.Encoder, []string{"mel", "at", "weight"}, layered(s.Layers, nil, "ck", "cv"), options)
	if err != nil {
		return nil, evidence.Invalid("the encoder's graph cannot be loaded").Because(err)
	}
	m.decoder, err = ort.NewDynamicAdvancedSessionWithONNXData(cfg.Decoder,
		layered(s.Layers, []string{"tokens", "pos", "mask", "weight"}, "pk", "pv", "ck", "cv"), layered(s.Layers, []string{"logp", "att"}, "nk", "nv"), options)
	if err != nil {
		return nil, errors.Join(evidence.Invalid("the decoder's graph cannot be loaded").Because(err), m.encoder.Destroy())
	}
	for range max(1, cfg.Threads) {
		m.workers.Go(m.work)
	}
	return m, nil
}

// Close frees the model. No Hear may be running.
func (m *Model) Close() error {
	m.queue.close()
	m.workers.Wait()
	return errors.Join(m.encoder.Destroy(), m.decoder.Destroy())
}
