package analysis

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// A second look: where something is there and the voice detector was not sure, it is shown the sound once more with the noise
// taken off. That costs ten times as much, so it is not done where the sound is surely a machine's.

// doubtful returns the stretches to look at once more: signals without speech, and what was half taken for speech.
func (d *detection) doubtful(c *chunk, cores, active []run) ([]run, error) {
	const around, join = 30, 50
	spoken := make([]bool, c.body.to)
	for _, r := range cores {
		for i := max(c.body.from, r.from-around); i < min(c.body.to, r.to+around); i++ {
			spoken[i] = true
		}
	}
	mark := make([]bool, c.body.to)
	for _, r := range active {
		if r.len() < d.p.SecondMin/10 {
			continue
		}
		heard := 0
		for i := r.from; i < r.to; i++ {
			if spoken[i] {
				heard++
			}
		}
		if heard*4 > r.len() {
			continue // what there is, is known
		}
		for i := r.from; i < r.to; i++ {
			mark[i] = !spoken[i]
		}
	}
	half := float32(d.p.SecondFrom) / 10000
	for _, r := range runs(c.body.to, 20, 10, func(i int) bool { return i >= c.body.from && c.p[i] >= half && !spoken[i] }) {
		for i := r.from; i < r.to; i++ {
			mark[i] = true
		}
	}
	var out []run
	for _, r := range runs(c.body.to, join, d.p.SecondMin/10, func(i int) bool { return mark[i] }) {
		span := evidence.Span{From: (c.first + int64(r.from)) * audio.Hop, To: min((c.first+int64(r.to))*audio.Hop, d.src.Len())}
		l, err := d.look(c, r, span)
		if err != nil {
			return nil, err
		}
		if !l.machine() {
			out = append(out, r)
		}
	}
	return out, nil
}

// again looks a second time and raises the probabilities of speech. It reports whether it raised any.
func (d *detection) again(ctx context.Context, c *chunk, regions []run) (bool, error) {
	const warm, margin = framesPerSec, 30 // for the noise to be known
	type piece struct {
		at int // frame that p[0] stands for
		p  []float32
	}
	var pieces []run
	for _, r := range regions {
		r = run{max(r.from-margin, c.body.from), min(r.to+margin, c.body.to)}
		for ; r.len() > regionFrames; r.from += regionFrames {
			pieces = append(pieces, run{r.from, r.from + regionFrames})
		}
		pieces = append(pieces, r)
	}
	found := make([]piece, len(pieces))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for k, r := range pieces {
		g.Go(func() error {
			from := max(int64(0), c.first+int64(r.from)-warm)
			x := make([]int16, min((c.first+int64(r.to))*audio.Hop, d.src.Len())-from*audio.Hop)
			if err := audio.ReadPadded(d.src, x, from*audio.Hop); err != nil {
				return err
			}
			clean, err := d.speech.Clean(ctx, x)
			if err != nil {
				return err
			}
			if len(clean) != len(x) {
				return fmt.Errorf("taking noise off gave %d samples for %d", len(clean), len(x))
			}
			p, err := d.speech.Speech(ctx, clean)
			found[k] = piece{int(from - c.first), p}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return false, err
	}
	raised := false
	sure := float32(d.p.SecondOn) / 10000
	for k, r := range pieces {
		for i := r.from; i < r.to; i++ {
			mid := (i-found[k].at)*audio.Hop + audio.Hop/2
			if p := found[k].p[min(mid/speechWindow, len(found[k].p)-1)]; p >= sure && p > c.p[i] {
				c.p[i] = p
				raised = true
			}
		}
	}
	return raised, nil
}
