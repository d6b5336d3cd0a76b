// Package gallery keeps the pictures of a case's recordings: which are drawn, how far, and where their files lie, outside of the
// case.
package gallery

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/picture"
	"github.com/earwitness/earwitness/internal/sound"
)

// Key names the working sound of a recording, and the file of its picture.
func Key(original evidence.Digest, d evidence.Decoded) string {
	if d.Copy != nil {
		return d.Copy.String()
	}
	return original.String() + "-" + strconv.FormatInt(d.Samples, 10)
}

// Gallery is the pictures of one case. It is safe for concurrent use.
type Gallery struct {
	c   *casefile.Case
	dir string

	mu sync.Mutex
	by map[string]*Drawing // by Key
}

// Drawing is the pictures of one recording.
type Drawing struct {
	*picture.Drawer
	sound   *sound.Sound
	samples int64
	drawn   int64 // guarded by Gallery.mu
	failed  error
}

// New returns a gallery whose files lie in dir; nothing is drawn yet.
func New(c *casefile.Case, dir string) *Gallery {
	return &Gallery{c: c, dir: dir, by: map[string]*Drawing{}}
}

// Close lets all files go. Prepare must have returned.
func (p *Gallery) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, d := range p.by {
		errs = append(errs, d.Close(), d.sound.Close())
	}
	return errors.Join(errs...)
}

// Of returns the drawing of a recording, opened when it is first asked for.
func (p *Gallery) Of(original evidence.Digest, decoded evidence.Decoded) (*Drawing, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := Key(original, decoded)
	if d := p.by[key]; d != nil {
		return d, nil
	}
	snd, err := sound.Open(p.c, original, decoded)
	if err != nil {
		return nil, err
	}
	d := &Drawing{Drawer: picture.NewDrawer(snd), sound: snd, samples: snd.Len()}
	p.by[key] = d
	return d, nil
}

// Progress returns how many levels the pictures of a recording have, and how much of the coarse ones is drawn.
func (p *Gallery) Progress(original evidence.Digest, decoded evidence.Decoded) (levels int, drawn int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.by[Key(original, decoded)]; d != nil {
		drawn = d.drawn
	}
	return picture.Levels(decoded.Samples), drawn
}

// Prepare draws the coarse levels of a recording, where they are not there.
func (p *Gallery) Prepare(ctx context.Context, original evidence.Digest, decoded evidence.Decoded, progress func(done, of int64)) error {
	d, err := p.Of(original, decoded)
	if err != nil {
		return err
	}
	p.mu.Lock()
	ready := d.drawn == d.samples || d.failed != nil
	p.mu.Unlock()
	if ready {
		return d.failed
	}
	err = d.Prepare(ctx, filepath.Join(p.dir, Key(original, decoded)+".picture"), Key(original, decoded), func(done, of int64) {
		p.mu.Lock()
		d.drawn = done
		p.mu.Unlock()
		progress(done, of)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		d.drawn = d.samples
	} else if ctx.Err() == nil {
		d.failed = err
	}
	return err
}
