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

	mu     sync.Mutex
	by     map[string]*drawing // by Key
	failed map[string]bool     // those that could not be drawn
}

// drawing is the pictures of one recording.
type drawing struct {
	*picture.Drawer
	sound   *sound.Sound
	samples int64
	drawn   int64 // guarded by Gallery.mu
}

// New returns a gallery whose files lie in dir; nothing is drawn yet.
func New(c *casefile.Case, dir string) *Gallery {
	return &Gallery{c: c, dir: dir, by: map[string]*drawing{}, failed: map[string]bool{}}
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

// Tile returns a tile of a recording's pictures, with the errors of picture.Drawer. One that turns out damaged is drawn anew
// by the next Prepare.
func (p *Gallery) Tile(ctx context.Context, original evidence.Digest, decoded evidence.Decoded, kind picture.Kind, level, tile int) ([]byte, error) {
	d, err := p.of(original, decoded)
	if err != nil {
		return nil, err
	}
	b, err := d.Tile(ctx, kind, level, tile)
	if evidence.KindOf(err) == evidence.KindDamaged {
		p.mu.Lock()
		d.drawn = 0
		p.mu.Unlock()
	}
	return b, err
}

// of returns the drawing of a recording, opened when it is first asked for.
func (p *Gallery) of(original evidence.Digest, decoded evidence.Decoded) (*drawing, error) {
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
	d := &drawing{Drawer: picture.NewDrawer(snd), sound: snd, samples: snd.Len()}
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

// Settled reports whether there is nothing to prepare: the pictures are drawn, or could not be.
func (p *Gallery) Settled(original evidence.Digest, decoded evidence.Decoded) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := Key(original, decoded)
	d := p.by[key]
	return p.failed[key] || d != nil && d.drawn == d.samples
}

// Prepare draws the coarse levels of a recording. An error but that of ctx settles it.
func (p *Gallery) Prepare(ctx context.Context, original evidence.Digest, decoded evidence.Decoded, progress func(done, of int64)) error {
	err := p.prepare(ctx, original, decoded, progress)
	if err != nil && ctx.Err() == nil {
		p.mu.Lock()
		p.failed[Key(original, decoded)] = true
		p.mu.Unlock()
	}
	return err
}

func (p *Gallery) prepare(ctx context.Context, original evidence.Digest, decoded evidence.Decoded, progress func(done, of int64)) error {
	d, err := p.of(original, decoded)
	if err != nil {
		return err
	}
	err = d.Prepare(ctx, filepath.Join(p.dir, Key(original, decoded)+".picture"), Key(original, decoded), func(done, of int64) {
		p.mu.Lock()
		d.drawn = done
		p.mu.Unlock()
		progress(done, of)
	})
	if err == nil {
		p.mu.Lock()
		d.drawn = d.samples
		p.mu.Unlock()
	}
	return err
}
