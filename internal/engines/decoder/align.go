package decoder

import (
	"errors"
	"io"
	"sync"
)

const (
	slack    = Rate / 50 // 20 ms: what timestamps may be off before they count; containers round to 1 ms, AVI to a frame
	firstBit = 9         // half a millisecond: what rounding to the coarsest clock of a container does to the first timestamp
	maxGap   = 24 * 3600 * Rate
	maxGaps  = 1000 // kept for the record
)

var (
	errLimit   = errors.New("more samples than the input may become")
	errOutStep = errors.New("samples arrived that FFmpeg did not announce")
)

// aligner lays decoded samples on the recording's own clock. FFmpeg announces each frame of samples (announce) on one
// pipe and sends them (Write) on another; where an announced time lies after the samples so far, silence is written.
type aligner struct {
	w    io.Writer
	max  int64 // samples
	soft bool  // timestamps are FFmpeg's count, not the recording's: good only while the stream keeps its parameters
	wait bool  // announcements come from another goroutine: wait for one rather than call its absence an error

	mu     sync.Mutex // guards the three below
	more   *sync.Cond
	queue  []frame
	closed bool

	// Owned by the goroutine that calls Write.
	begun   bool
	blind   bool  // timestamps are no longer followed
	drop    int64 // bytes of the current frame to leave out
	left    int64 // bytes of the current frame still to come
	bytes   int64 // written
	silence []byte
	gaps    []Gap
	gapSum  int64 // samples of silence in all
	gapN    int64
	behind  int64 // farthest that a timestamp lay before its samples
	jump    int64 // the gap that was too long to be one; timestamps are not followed from there
}

type frame struct {
	first   bool  // the first one after FFmpeg set its filters up for new parameters of the stream
	pts     int64 // in samples
	known   bool  // pts is
	samples int64
}

func newAligner(w io.Writer, max int64, wait bool) *aligner {
	a := &aligner{w: w, max: max, wait: wait, silence: make([]byte, 64<<10)}
	a.more = sync.NewCond(&a.mu)
	return a
}

func (a *aligner) announce(f frame) {
	a.mu.Lock()
	a.queue = append(a.queue, f)
	a.mu.Unlock()
	a.more.Signal()
}

// finish says that no more announcements come.
func (a *aligner) finish() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.more.Signal()
}

func (a *aligner) next() (frame, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.queue) == 0 {
		if a.closed || !a.wait {
			return frame{}, errOutStep
		}
		a.more.Wait()
	}
	f := a.queue[0]
	a.queue = a.queue[1:]
	return f, nil
}

// place writes the silence that belongs before f, or marks the part of f that lies before time zero.
func (a *aligner) place(f frame) error {
	a.left, a.drop = 2*f.samples, 0
	first := !a.begun
	a.begun = true
	if !first && f.first && a.soft {
		a.blind = true
	}
	if !f.known || a.blind {
		return nil
	}
	off := f.pts - a.bytes/2
	switch {
	case first && off < -firstBit:
		a.drop = 2 * min(-off, f.samples) // priming that the container does not flag, but places before zero
		a.begun = a.drop < a.left
		return nil
	case first && off <= firstBit, !first && off >= -slack && off <= slack:
		return nil
	case off < 0:
		a.behind = max(a.behind, -off)
		return nil // overlapping timestamps: every sample is kept
	}
	if off > a.max/2-a.gapSum || off > maxGap {
		a.jump, a.blind = off, true // the sound matters more than a clock that is broken
		return nil
	}
	if len(a.gaps) < maxGaps {
		a.gaps = append(a.gaps, Gap{At: a.bytes / 2, Length: off})
	}
	a.gapN++
	a.gapSum += off
	for off > 0 {
		n := min(off, int64(len(a.silence)/2))
		if err := a.put(a.silence[:2*n]); err != nil {
			return err
		}
		off -= n
	}
	return nil
}

func (a *aligner) put(p []byte) error {
	if int64(len(p)) > 2*a.max-a.bytes {
		return errLimit
	}
	if _, err := a.w.Write(p); err != nil {
		return err
	}
	a.bytes += int64(len(p))
	return nil
}

// Write takes the samples of the announced frames, in order.
func (a *aligner) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		for a.left == 0 {
			f, err := a.next()
			if err != nil {
				return done, err
			}
			if err := a.place(f); err != nil {
				return done, err
			}
		}
		n := int(min(a.left, int64(len(p)-done)))
		skip := int(min(a.drop, int64(n)))
		if err := a.put(p[done+skip : done+n]); err != nil {
			return done, err
		}
		a.drop -= int64(skip)
		a.left -= int64(n)
		done += n
	}
	return len(p), nil
}
