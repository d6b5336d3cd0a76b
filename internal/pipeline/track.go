package pipeline

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// track is one recording on its way through a run. Its bursts are heard while it is still decoded and searched. What is
// found before its inputs are known (the digest of a copy that is being decoded) is held, as text, and written when they
// are: no entry names bytes that may yet turn out void.
type track struct {
	rec    evidence.RecordingReceived
	place  int // in the run's order
	work   *work
	sound  source
	bursts sync.WaitGroup // not heard yet

	ear func() (ear, error) // what will listen, asked for once

	mu     sync.Mutex
	known  bool // the inputs are
	void   bool // nothing is written of it any more: it could not be decoded, or the run cannot go on with it
	inputs []evidence.Digest
	held   []finding

	spoken      []evidence.Transmission // whose voice or translation is asked for
	early       int                     // bursts that were put first
	waiting     int                     // bursts that could not be heard for what is needed
	found, done int64                   // samples to be heard as far as is known, and heard
	said        map[evidence.Kind]bool  // what keeps it from going on, said once
}

// source is working sound of which spans can be read.
type source interface {
	audio.Source
	Samples(span evidence.Span) ([]int16, error)
	Close() error
}

// ear is what will listen, as results name it.
type ear struct {
	engine evidence.Engine
	model  *evidence.Model
	params any
}

// finding is what a stage came to: an output, or the error that kept it from one.
type finding struct {
	job     func(inputs []evidence.Digest) (job, error)
	output  any
	machine string
	err     error
	written func() // called when the output has become a result
}

// firstFew is how many bursts of a recording are heard in their order, before longer ones.
const firstFew = 4

// put lets the spans of transmissions wait to be heard.
func (r *runner) put(t *track, final []evidence.Transmission) {
	if r.o.Voices != nil || r.o.Translator != nil {
		t.mu.Lock()
		t.spoken = append(t.spoken, final...)
		t.mu.Unlock()
	}
	for n, x := range final {
		for _, span := range x.Hear {
			b := &burst{t: t, span: span}
			if x.Within != nil {
				if n > 0 && final[n-1].Within != nil && *final[n-1].Within == *x.Within {
					continue // heard with the one before
				}
				b.span = *x.Within
				for _, y := range final[n:] {
					if y.Within == nil || *y.Within != *x.Within {
						break
					}
					b.parts = append(b.parts, y.Hear...)
				}
			}
			t.mu.Lock()
			t.found += b.span.Len()
			b.early = t.early < firstFew
			t.early++
			t.mu.Unlock()
			t.bursts.Add(1)
			if !r.budget.put(b) {
				t.bursts.Done()
			}
		}
	}
	if len(final) > 0 {
		t.mu.Lock()
		done, found := t.done, t.found
		t.mu.Unlock()
		r.progress(t, evidence.StageHear, done, found)
	}
}

// now returns the inputs where they are known, and whether anything is still to be written.
func (t *track) now() (inputs []evidence.Digest, wanted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inputs, !t.void
}

// abandon says that nothing more is written of t.
func (t *track) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.void, t.held = true, nil
}

// news reports whether nothing of this kind has kept t from going on before.
func (t *track) news(k evidence.Kind) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.said[k] {
		return false
	}
	if t.said == nil {
		t.said = map[evidence.Kind]bool{}
	}
	t.said[k] = true
	return true
}

// deliver writes f, once the inputs are known.
func (r *runner) deliver(ctx context.Context, t *track, f finding) error {
	t.mu.Lock()
	if t.void {
		t.mu.Unlock()
		return nil
	}
	if !t.known {
		t.held = append(t.held, f)
		t.mu.Unlock()
		return nil
	}
	inputs := t.inputs
	t.mu.Unlock()
	return r.write(ctx, inputs, f)
}

const appendAtOnce = 16 // entries that are made durable together

// settle says what the inputs are, and writes what was held.
func (r *runner) settle(ctx context.Context, t *track, inputs []evidence.Digest) error {
	t.mu.Lock()
	held := t.held
	t.known, t.inputs, t.held = true, inputs, nil
	t.mu.Unlock()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(appendAtOnce)
	for _, f := range held {
		g.Go(func() error { return r.write(gctx, inputs, f) })
	}
	return g.Wait()
}

func (r *runner) write(ctx context.Context, inputs []evidence.Digest, f finding) error {
	j, err := f.job(inputs)
	if err != nil {
		return err
	}
	_, err = r.after(ctx, j, f)
	if _, ok := errors.AsType[*stopped](err); ok {
		return nil // written down
	}
	return err
}
