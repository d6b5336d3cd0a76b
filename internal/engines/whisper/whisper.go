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
)

// Config is what a model is loaded from.
type Config struct {
	Library string // path of libonnxruntime.so
	Encoder []byte // the two graphs of package graph; the caller has checked their digests
	Decoder []byte
	Params  Params // see Defaults
}

// Model is Whisper, ready to hear. Hear may be called from several goroutines at once: each runs on one thread
// of its own, so the number of callers changes nothing in a result.
type Model struct {
	encoder, decoder *ort.DynamicAdvancedSession
	words            *vocabulary
	bands            []melBand
	size             size
	params           Params

	// room is shared by the bursts in the encoder, whose attention takes memory with the square of the length:
	// the longest burst has the encoder to itself, short ones do not feel it.
	room *semaphore.Weighted

	mu    sync.Mutex
	free  []*workspace // of callers that have left
	longs int          // long bursts in the encoder
}

// Load makes a model. ONNX Runtime is opened once in a process, from the library of the first Load, and stays
// open; Load itself must not be called from two goroutines at once. A graph that is damaged may abort the
// process inside ONNX Runtime: check digests first.
func Load(cfg Config) (*Model, error) {
	if err := cfg.Params.check(); err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	s, err := sizes(cfg.Encoder, cfg.Decoder)
	if err != nil {
		return nil, fmt.Errorf("load Whisper: %w", err)
	}
	m := &Model{size: s, params: cfg.Params, bands: melBands(s.mels), room: semaphore.NewWeighted(square(longest * rate))}
	if m.words, err = newVocabulary(s.words); err != nil {
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
	m.encoder, err = ort.NewDynamicAdvancedSessionWithONNXData(cfg.Encoder, []string{"mel"}, []string{"ck", "cv"}, options)
	if err != nil {
		return nil, evidence.Invalid("the encoder's graph cannot be loaded").Because(err)
	}
	m.decoder, err = ort.NewDynamicAdvancedSessionWithONNXData(cfg.Decoder,
		[]string{"tokens", "pos", "mask", "pk", "pv", "ck", "cv", "cmask"}, []string{"logits", "nk", "nv", "att"}, options)
	if err != nil {
		return nil, errors.Join(evidence.Invalid("the decoder's graph cannot be loaded").Because(err), m.encoder.Destroy())
	}
	return m, nil
}

// Close frees the model. No Hear may be running.
func (m *Model) Close() error {
	return errors.Join(m.encoder.Destroy(), m.decoder.Destroy())
}

// workspace returns buffers for one burst; leave gives them back.
func (m *Model) workspace() *workspace {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.free); n > 0 {
		w := m.free[n-1]
		m.free = m.free[:n-1]
		return w
	}
	return &workspace{spectrograph: newSpectrograph(m.bands)}
}

func (m *Model) leave(w *workspace) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, w)
}

// longBurst is the length from which a burst's memory is worth giving back at once.
const longBurst = 12 * rate

// square is what a burst takes of the room: the square of its encoder frames.
func square(samples int) int64 {
	n := int64(samples / frame)
	return max(1, n*n)
}

// enter waits until a burst of that many samples may be encoded, and returns what ends its stay.
func (m *Model) enter(ctx context.Context, samples int) (leave func(), err error) {
	n := square(samples)
	if err := m.room.Acquire(ctx, n); err != nil {
		return nil, err
	}
	m.count(samples, 1)
	return func() {
		m.count(samples, -1)
		m.room.Release(n)
	}, nil
}

// count keeps the number of long bursts in the encoder, and spares memory while there are any.
func (m *Model) count(samples, change int) {
	if samples < longBurst {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.longs
	m.longs += change
	if before == 0 || m.longs == 0 {
		spare(m.longs > 0)
	}
}
