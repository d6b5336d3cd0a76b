package analysis

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/internal/audio"
)

// growth is a sound that comes in piece by piece.
type growth struct {
	t   *testing.T
	all audio.Samples
	max int64 // less than all of it where the maker fails there

	mu   sync.Mutex
	more *sync.Cond
	have int64
	err  error
}

func grow(t *testing.T, all audio.Samples, upTo int64, err error) *growth {
	g := &growth{t: t, all: all, max: upTo}
	g.more = sync.NewCond(&g.mu)
	go func() {
		r := rand.New(rand.NewPCG(1, 1))
		for done := false; !done; {
			g.mu.Lock()
			g.have = min(g.have+r.Int64N(400_000), upTo)
			if done = g.have == upTo; done {
				g.err = err
			}
			g.more.Broadcast()
			g.mu.Unlock()
		}
	}()
	return g
}

func (g *growth) Len() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.have
}

func (g *growth) Wait(ctx context.Context, n int64) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.have < min(n, g.max) {
		g.more.Wait()
	}
	if g.have < n {
		return true, errors.Join(g.err, ctx.Err())
	}
	return false, ctx.Err()
}

func (g *growth) ReadSamples(dst []int16, at int64) (int, error) {
	if end := at + int64(len(dst)); end > g.Len() && g.Len() < g.max {
		g.t.Errorf("sample %d was read when %d were there", end, g.Len())
	}
	return g.all[:g.max].ReadSamples(dst, at)
}

// A sound that is still coming in is found to hold what it holds when it is there, wherever its chunks end.
func TestFollowingFindsTheSame(t *testing.T) {
	for _, seconds := range []float64{0, 0.3, 139.99, 140, 140.01, 700} {
		x := make(tape, int(seconds*rate))
		x.add(0, seconds, hiss(0.005))
		for at := 5.0; at+9 < seconds; at += 17 {
			x.add(at, at+3, voice(0.2))
		}
		if seconds > 600 {
			x.add(160, 690, voice(0.1)) // longer than a chunk may be
		}
		all := x.samples()
		want, _ := detect(t, all)
		got, err := Detect(t.Context(), grow(t, all, all.Len(), nil), &listener{t: t}, DefaultDetectParams(), nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v s: %d transmissions when followed (%v), %d when whole", seconds, len(got.Transmissions), err, len(want.Transmissions))
		}
		if seconds == 700 && len(want.Transmissions) < 10 {
			t.Errorf("only %d transmissions", len(want.Transmissions))
		}
	}
}

// Where the sound's maker fails, so does the detection.
func TestFollowingEndsWithTheMaker(t *testing.T) {
	x := blank(300)
	x.add(0, 300, hiss(0.005))
	if _, err := Detect(t.Context(), grow(t, x.samples(), 200*audio.Rate, errDisk), &listener{t: t}, DefaultDetectParams(), nil); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}
