package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// Backend is what a child does its work with. Its methods are called at the same time from several
// goroutines. Load checks each file's digest before anything reads it as a model, and answers Damaged for a
// mismatch; loading what is loaded is no error. Hear of a model that was not loaded is NotFound. The errors'
// kinds reach the other end.
type Backend interface {
	Speech(ctx context.Context, pcm []int16) ([]float32, error)
	Clean(ctx context.Context, pcm []int16) ([]int16, error)
	Load(ctx context.Context, m models.Model) error
	Hear(ctx context.Context, model evidence.Digest, pcm []int16, o HearOptions) (HearResult, error)
	// Voice gives a vector of length 1; NotFound where the model was not loaded, Invalid where it is none for voices or
	// makes nothing out.
	Voice(ctx context.Context, model evidence.Digest, pcm []int16) ([]float32, error)
	Unload(ctx context.Context, model evidence.Digest) error
}

// graceful is how long Serve waits for requests under way when its input has ended.
const graceful = 2 * time.Second

// Serve answers the requests that come in on r, on w, until r ends: then it cancels what is under way, waits
// for it a moment and returns nil. Native code may still be running when it returns; the process should end.
// At most id.Threads requests are worked on at once, beside them up to HearsPerThread times as many that hear: how many of
// those are heard at the same time is the backend's to say.
func Serve(r io.Reader, w io.Writer, id Identity, b Backend) error {
	id.Protocol = protocol
	if id.Threads < 1 {
		return evidence.Invalid("an engine works on at least one request at a time")
	}
	if err := writeFrame(w, response{Hello: &id}, nil); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &server{backend: b, out: w, cancels: map[uint64]context.CancelFunc{}, slots: make(chan struct{}, id.Threads), hears: make(chan struct{}, id.Threads*HearsPerThread)}
	in := bufio.NewReaderSize(r, 64<<10)
	var err error
	for {
		var q request
		var payload []byte
		if payload, err = readFrame(in, &q); err != nil {
			break
		}
		if q.Op == opCancel {
			s.cancel(q.ID)
			continue
		}
		one, stop := context.WithCancel(ctx)
		s.register(q.ID, stop)
		s.running.Go(func() {
			defer s.cancel(q.ID)
			slots := s.slots
			if q.Op == opHear {
				slots = s.hears
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-one.Done(): // answered as cancelled
			}
			s.answer(one, q, payload)
		})
	}
	cancel()
	over := make(chan struct{})
	go func() { s.running.Wait(); close(over) }()
	select {
	case <-over:
	case <-time.After(graceful):
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read request: %w", err)
}

type server struct {
	backend Backend
	running sync.WaitGroup
	slots   chan struct{} // of requests that do not hear
	hears   chan struct{} // of those that do

	outMu sync.Mutex // a frame at a time
	out   io.Writer

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc
}

func (s *server) register(id uint64, stop context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[id] = stop
}

func (s *server) cancel(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop, ok := s.cancels[id]; ok {
		stop()
		delete(s.cancels, id)
	}
}

// answer writes one answer. Where that cannot be written, the other end is gone, and Serve sees its input end.
func (s *server) answer(ctx context.Context, q request, payload []byte) {
	a, out, err := s.do(ctx, q, payload)
	if err != nil {
		a, out = response{Error: toWire(err)}, nil
	}
	a.ID = q.ID
	s.outMu.Lock()
	defer s.outMu.Unlock()
	if err := writeFrame(s.out, a, out); err != nil {
		// The answer does not fit into a frame or is not JSON (a NaN): that is said instead.
		_ = writeFrame(s.out, response{ID: q.ID, Error: toWire(err)}, nil)
	}
}

func (s *server) do(ctx context.Context, q request, payload []byte) (response, []byte, error) {
	if err := ctx.Err(); err != nil {
		return response{}, nil, evidence.Cancelled("the request was cancelled before it began")
	}
	pcm, err := decodeSamples(payload)
	if err != nil {
		return response{}, nil, err
	}
	switch q.Op {
	case opSpeech:
		p, err := s.backend.Speech(ctx, pcm)
		return response{}, encodeFloats(p), err
	case opClean:
		out, err := s.backend.Clean(ctx, pcm)
		return response{}, encodeSamples(out), err
	case opLoad:
		if q.Manifest == nil {
			return response{}, nil, evidence.Invalid("a load without a manifest")
		}
		_, digest, err := q.Manifest.Encode()
		if err != nil {
			return response{}, nil, err
		}
		return response{}, nil, s.backend.Load(ctx, models.Model{Manifest: *q.Manifest, Digest: digest, Dir: q.Dir})
	case opHear, opVoice, opUnload:
		if q.Model == nil {
			return response{}, nil, evidence.Invalid("a %s without a model", q.Op)
		}
		if q.Op == opUnload {
			return response{}, nil, s.backend.Unload(ctx, *q.Model)
		}
		if q.Op == opVoice {
			v, err := s.backend.Voice(ctx, *q.Model, pcm)
			return response{}, encodeFloats(v), err
		}
		var o HearOptions
		if q.Options != nil {
			o = *q.Options
		}
		heard, err := s.backend.Hear(ctx, *q.Model, pcm, o)
		return response{Heard: &heard}, nil, err
	}
	return response{}, nil, evidence.Invalid("%q is not an operation of the engine", q.Op)
}
