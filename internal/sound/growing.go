package sound

import (
	"context"
	"io"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// Growing is the working sound of a recording that is being decoded: its samples can be read as soon as they are there.
// Whoever decodes says how far it has come (Grow) and that all are there (End), and then either that the copy is kept
// (Keep) or that it is void (Fail). Everything else may be called from any goroutine. It implements audio.Growing.
type Growing struct {
	copy io.ReaderAt

	mu    sync.Mutex
	more  *sync.Cond // the fields below have changed
	have  int64      // samples
	whole bool
	kept  *Sound
	err   error
}

// NewGrowing returns the sound of a copy that is being written: samples of 16 bits, least significant byte first.
func NewGrowing(copy io.ReaderAt) *Growing {
	g := &Growing{copy: copy}
	g.more = sync.NewCond(&g.mu)
	return g
}

func (g *Growing) change(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
	g.more.Broadcast()
}

// Grow says how many samples can be read.
func (g *Growing) Grow(samples int64) { g.change(func() { g.have = max(g.have, samples) }) }

// End says that no more come.
func (g *Growing) End() { g.change(func() { g.whole = true }) }

// Keep says that the copy is in the case, from where it is read from now on. Close closes s.
func (g *Growing) Keep(s *Sound) { g.change(func() { g.kept, g.whole = s, true }) }

// Fail says that the copy is void: who reads or waits gets err. After Keep it does nothing.
func (g *Growing) Fail(err error) {
	g.change(func() {
		if g.kept == nil {
			g.err = err
		}
	})
}

// Close lets the kept copy go.
func (g *Growing) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.kept == nil {
		return nil
	}
	return g.kept.Close()
}

// Wait implements audio.Growing.
func (g *Growing) Wait(ctx context.Context, n int64) (bool, error) {
	stop := context.AfterFunc(ctx, func() { g.change(func() {}) })
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.err == nil && ctx.Err() == nil && !g.whole && g.have < n {
		g.more.Wait()
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return g.whole, g.err
}

// Len returns how many samples are there so far.
func (g *Growing) Len() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.have
}

// ReadSamples implements audio.Source for the samples that are there.
func (g *Growing) ReadSamples(dst []int16, at int64) (int, error) {
	g.mu.Lock()
	kept, have, err := g.kept, g.have, g.err
	g.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if kept != nil {
		return kept.ReadSamples(dst, at)
	}
	n, err := audio.OpenPCM(g.copy, have).ReadSamples(dst, at)
	if err == nil || err == io.EOF {
		return n, err
	}
	// The copy may just have moved into the case; if it cannot be read, it will not be kept either.
	g.mu.Lock()
	for g.kept == nil && g.err == nil {
		g.more.Wait()
	}
	g.mu.Unlock()
	return g.ReadSamples(dst, at)
}

// Samples reads all samples of span into memory; for spans of seconds.
func (g *Growing) Samples(span evidence.Span) ([]int16, error) { return samples(g, span) }
