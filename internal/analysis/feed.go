package analysis

import (
	"context"
	"fmt"
	"sync"

	"github.com/earwitness/earwitness/internal/audio"
)

// feed computes frames ahead of their use, in a goroutine of its own, and keeps the ones that may be asked for again.
type feed struct {
	blocks chan feedBlock
	cancel context.CancelFunc
	done   sync.WaitGroup

	first  int64 // number of frames[0]
	frames []audio.Frame
}

type feedBlock struct {
	frames []audio.Frame
	err    error
}

const (
	feedFrames = 10 * framesPerSec
	feedAhead  = 12 // blocks
)

// newFeed starts the goroutine; stop ends it.
func newFeed(ctx context.Context, src audio.Source) *feed {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed{blocks: make(chan feedBlock, feedAhead), cancel: cancel}
	f.done.Go(func() {
		defer close(f.blocks)
		r := audio.NewFrames(src)
		for at := int64(0); ; at += feedFrames {
			var b feedBlock
			// A frame's window reaches into the frame after it.
			known, err := audio.Known(ctx, src, (at+feedFrames+1)*audio.Hop)
			if b.err = err; err == nil {
				n := min(feedFrames, audio.FrameCount(known)-at)
				if n <= 0 {
					return
				}
				b.frames = make([]audio.Frame, n)
				b.err = r.Read(ctx, b.frames, at)
			}
			select {
			case f.blocks <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
		}
	})
	return f
}

func (f *feed) stop() {
	f.cancel()
	f.done.Wait()
}

// get returns frames from-to. Frames before from are forgotten: later calls may not ask for them.
func (f *feed) get(from, to int64) ([]audio.Frame, error) {
	if drop := from - f.first; drop > 0 {
		f.frames = append(f.frames[:0:0], f.frames[drop:]...)
		f.first = from
	}
	for f.first+int64(len(f.frames)) < to {
		b, ok := <-f.blocks
		if !ok {
			return nil, fmt.Errorf("frame %d: %w", f.first+int64(len(f.frames)), context.Canceled)
		}
		if b.err != nil {
			return nil, b.err
		}
		f.frames = append(f.frames, b.frames...)
	}
	return f.frames[:to-f.first], nil
}
