package child

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// Config says how to run an engine.
type Config struct {
	Executable  string        // path of earwitness-engine
	Args        []string      // beside --threads, which Engine adds
	Env         []string      // the whole environment; the engine needs none
	Threads     int           // requests at once, at least 1; the results do not depend on it
	MemoryBytes int64         // resident memory at which the process is ended (Linux); 0 for no cap
	Deadline    time.Duration // for one request, counted from when the engine gets it, and of those that hear from its last answer to one; 0 for five minutes
	StartWithin time.Duration // until the engine has said hello; 0 for half a minute
}

// Engine is an engine in a process of its own. Its methods may be called from several goroutines at once; up
// to Config.Threads of them are worked on, and HearsPerThread times as many that hear; the rest wait. They return:
//
//   - what the engine answered, with the kind of its error (Damaged: a file of the model is not what its
//     manifest says; Invalid: what was handed in cannot be used)
//   - Cancelled when ctx ended first; the engine is told, and its place is free once it has answered
//   - an internal error when this request ended the process, overstayed its deadline or got an answer that
//     cannot be true. Requests that were only beside it are repeated, see the package's "Blame"
//   - Needs or Conflict when the program is missing, or was exchanged for another while in use
type Engine struct {
	cfg   Config
	slots *semaphore.Weighted // of requests that do not hear
	hears *semaphore.Weighted // of those that do
	first Identity

	current chan *process // holds the process, or nil where none runs: whoever took it may exchange it
	closing chan struct{} // closed by Close
	close   sync.Once
}

// Start runs the engine and waits for its hello. The engine runs until Close; ctx bounds the start alone.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Threads < 1 {
		return nil, evidence.Invalid("an engine works on at least one request at a time, not %d", cfg.Threads)
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 5 * time.Minute
	}
	if cfg.StartWithin == 0 {
		cfg.StartWithin = 30 * time.Second
	}
	if cfg.Env == nil {
		cfg.Env = []string{}
	}
	p, err := startProcess(ctx, cfg)
	if err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, slots: semaphore.NewWeighted(int64(cfg.Threads)), hears: semaphore.NewWeighted(int64(cfg.Threads * HearsPerThread)), first: p.identity, current: make(chan *process, 1), closing: make(chan struct{})}
	e.current <- p
	return e, nil
}

// Identity returns what the engine said of itself.
func (e *Engine) Identity() Identity { return e.first }

// Close ends the process and waits for it. Requests under way get an error; Close may be called again.
func (e *Engine) Close() error {
	e.close.Do(func() { close(e.closing) })
	p := <-e.current
	if p != nil {
		p.end()
	}
	e.current <- nil
	return nil
}

// Speech returns the probability of speech, 0 to 1, for each SpeechFrame samples of pcm, the last one filled
// up with silence. The detector starts afresh with each call. pcm is at most MaxSamples.
func (e *Engine) Speech(ctx context.Context, pcm []int16) ([]float32, error) {
	if err := checkLength(pcm); err != nil {
		return nil, err
	}
	_, b, err := e.call(ctx, request{Op: opSpeech}, encodeSamples(pcm), nil)
	if err != nil {
		return nil, fmt.Errorf("look for speech: %w", err)
	}
	p, err := decodeFloats(b)
	if err != nil {
		return nil, fmt.Errorf("look for speech: %w", err)
	}
	if want := (len(pcm) + SpeechFrame - 1) / SpeechFrame; len(p) != want {
		return nil, fmt.Errorf("look for speech: the engine gave %d probabilities for %d samples, not %d", len(p), len(pcm), want)
	}
	for _, v := range p {
		if !(v >= 0 && v <= 1) || math.IsNaN(float64(v)) {
			return nil, fmt.Errorf("look for speech: the engine gave a probability of %v", v)
		}
	}
	return p, nil
}

// Clean returns pcm with the noise taken off: as many samples, in the same places, for a machine's second look or hearing
// and never as evidence. It starts afresh with each call. pcm is at most MaxSamples.
func (e *Engine) Clean(ctx context.Context, pcm []int16) ([]int16, error) {
	if err := checkLength(pcm); err != nil {
		return nil, err
	}
	_, b, err := e.call(ctx, request{Op: opClean}, encodeSamples(pcm), nil)
	if err != nil {
		return nil, fmt.Errorf("take noise off: %w", err)
	}
	out, err := decodeSamples(b)
	if err != nil {
		return nil, fmt.Errorf("take noise off: %w", err)
	}
	if len(out) != len(pcm) {
		return nil, fmt.Errorf("take noise off: the engine gave %d samples for %d", len(out), len(pcm))
	}
	return out, nil
}

// Load makes the engine read a model, as Hear does where it is needed.
func (e *Engine) Load(ctx context.Context, m models.Model) error {
	_, _, err := e.call(ctx, request{}, nil, &m)
	return err
}

// Unload lets the engine forget a model. It is no error where it was not loaded.
func (e *Engine) Unload(ctx context.Context, m models.Model) error {
	_, _, err := e.call(ctx, request{Op: opUnload, Model: &m.Digest}, nil, nil)
	return err
}

// Hear makes the engine read the model, where it has not yet, and hear pcm with it: one utterance of at most
// 30 s.
func (e *Engine) Hear(ctx context.Context, m models.Model, pcm []int16, o HearOptions) (HearResult, error) {
	if err := checkLength(pcm); err != nil {
		return HearResult{}, err
	}
	a, _, err := e.call(ctx, request{Op: opHear, Model: &m.Digest, Options: &o}, encodeSamples(pcm), &m)
	if err != nil {
		return HearResult{}, fmt.Errorf("hear with %s: %w", m.Manifest.Name, err)
	}
	if a.Heard == nil {
		return HearResult{}, fmt.Errorf("hear with %s: the engine answered nothing", m.Manifest.Name)
	}
	if err := a.Heard.check(len(pcm)); err != nil {
		return HearResult{}, fmt.Errorf("hear with %s: the answer cannot be true: %w", m.Manifest.Name, err)
	}
	return *a.Heard, nil
}

func checkLength(pcm []int16) error {
	if len(pcm) == 0 || len(pcm) > MaxSamples {
		return evidence.Invalid("a request carries 1 to %d samples, not %d", MaxSamples, len(pcm))
	}
	return nil
}

// slot is a place among those worked on at once.
type slot struct {
	e      *Engine
	hears  bool // it is one of those that hear
	alone  bool // it is all of them
	handed bool // to a call that was abandoned, which frees it when its answer comes
}

// take waits for the place.
func (s *slot) take(ctx context.Context) error {
	if s.alone {
		if err := s.e.slots.Acquire(ctx, int64(s.e.cfg.Threads)); err != nil {
			return err
		}
		if err := s.e.hears.Acquire(ctx, int64(s.e.cfg.Threads*HearsPerThread)); err != nil {
			s.e.slots.Release(int64(s.e.cfg.Threads))
			return err
		}
		return nil
	}
	if s.hears {
		return s.e.hears.Acquire(ctx, 1)
	}
	return s.e.slots.Acquire(ctx, 1)
}

func (s *slot) free() {
	switch {
	case s.alone:
		s.e.slots.Release(int64(s.e.cfg.Threads))
		s.e.hears.Release(int64(s.e.cfg.Threads * HearsPerThread))
	case s.hears:
		s.e.hears.Release(1)
	default:
		s.e.slots.Release(1)
	}
}

// call asks once and, where the process died of something else, again alone.
func (e *Engine) call(ctx context.Context, q request, payload []byte, m *models.Model) (response, []byte, error) {
	alone, times := false, 0
	for {
		s := &slot{e: e, hears: q.Op == opHear, alone: alone}
		if err := s.take(ctx); err != nil {
			return response{}, nil, cancelled(ctx)
		}
		a, b, err := e.once(ctx, s, q, payload, m)
		if !s.handed {
			s.free()
		}
		death, ok := errors.AsType[*death](err)
		if !ok || death.guilty {
			return a, b, err
		}
		if death.inFlight <= 1 {
			times++
		}
		if times == 2 {
			return a, b, err
		}
		alone = true
	}
}

func (e *Engine) once(ctx context.Context, s *slot, q request, payload []byte, m *models.Model) (response, []byte, error) {
	p, err := e.process(ctx)
	if err != nil {
		return response{}, nil, err
	}
	if m != nil {
		if err := p.load(ctx, s, *m); err != nil {
			return response{}, nil, err
		}
		if q.Op == "" {
			return response{}, nil, nil
		}
	}
	if q.Op == opUnload {
		p.forget(*q.Model)
	}
	return p.roundTrip(ctx, s, q, payload)
}

// process returns the running process, or starts one.
func (e *Engine) process(ctx context.Context) (*process, error) {
	var p *process
	select {
	case p = <-e.current:
	case <-ctx.Done():
		return nil, cancelled(ctx)
	}
	defer func() { e.current <- p }()
	select {
	case <-e.closing:
		return nil, evidence.Cancelled("the speech engine has been closed")
	default:
	}
	if p != nil {
		select {
		case <-p.dying:
			<-p.over
		default:
			return p, nil
		}
	}
	fresh, err := startProcess(ctx, e.cfg)
	if err != nil {
		p = nil
		return nil, err
	}
	if !fresh.identity.same(e.first) {
		fresh.end()
		p = nil
		return nil, evidence.Conflict("the speech engine was exchanged for another while in use").WithHint("start again: results name the engine that made them")
	}
	p = fresh
	return p, nil
}

func cancelled(ctx context.Context) error {
	return evidence.Cancelled("the request to the speech engine was stopped").Because(context.Cause(ctx))
}

func notFound(executable string, err error) error {
	if errors.Is(err, exec.ErrNotFound) || isNotExist(err) {
		return evidence.Needs("the speech engine %s is missing", executable).Because(err).
			WithHint("keep earwitness-engine and its folder lib beside earwitness; `make build` makes them")
	}
	return fmt.Errorf("start the speech engine %s: %w", executable, err)
}
