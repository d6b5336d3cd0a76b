package picture

import (
	"context"
	"fmt"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/durable"
)

// NotDrawn is the error of Tile for a tile that will be there later: the sound that it shows has not been drawn yet. It
// is of kind conflict for those who do not look for it.
type NotDrawn struct {
	Drawn, Of int64 // samples drawn so far, 0 where nobody has begun, and of how many
}

// Error says how much is drawn.
func (e *NotDrawn) Error() string {
	return fmt.Sprintf("this part of the picture is not drawn yet: %s of %s are", evidence.Clock(e.Drawn), evidence.Clock(e.Of))
}

// Unwrap gives the kind.
func (e *NotDrawn) Unwrap() error {
	return evidence.Conflict("the picture is being drawn").WithHint("ask again in a moment")
}

// Drawer gives every tile of one recording: those of fine levels it draws from the sound, those of coarse levels it takes
// from the kept picture once Prepare has opened or drawn it. It is safe for concurrent use.
type Drawer struct {
	src     audio.Source
	samples int64

	mu       sync.RWMutex // guards the fields below; writers hold it for moments only
	busy     bool         // Prepare runs
	building *builder
	picture  *Picture
	broken   bool // the file at the path of the last Prepare is damaged, whatever Open says
}

// NewDrawer returns a Drawer for src, whose length must be final.
func NewDrawer(src audio.Source) *Drawer { return &Drawer{src: src, samples: src.Len()} }

// Prepare makes the coarse levels ready: it opens the file at path, or draws it as Build does where it is missing, of
// another sound or damaged. What is drawn can be seen at once. It does nothing where it was done before and nothing has
// turned out damaged since, or where the recording is so short that it has no coarse level. While one call runs, another
// returns an error of kind conflict. Other errors are those of Build and, where the file cannot be read, of the disk.
func (d *Drawer) Prepare(ctx context.Context, path, key string, progress func(done, of int64)) error {
	if planFor(d.samples).kept == 0 {
		return nil
	}
	d.mu.Lock()
	if d.busy {
		d.mu.Unlock()
		return evidence.Conflict("this picture is being drawn already")
	}
	if d.picture != nil {
		d.mu.Unlock()
		return nil
	}
	d.busy = true
	broken := d.broken
	d.mu.Unlock()

	if !broken {
		p, err := Open(path, key, d.samples)
		switch evidence.KindOf(err) {
		case evidence.KindNotFound, evidence.KindConflict, evidence.KindDamaged:
		default: // opened, or it cannot be: then drawing would not help
			return d.settle(p, err)
		}
	}
	b, err := newBuilder(durable.OS{}, d.src, d.samples, path, key)
	if err != nil {
		return d.settle(nil, err)
	}
	d.show(b)
	if err := b.draw(ctx, progress); err != nil {
		d.show(nil) // nobody may look at b while it goes away
		return d.settle(nil, b.abandon(err))
	}

	d.mu.Lock()
	defer d.mu.Unlock() // tiles wait while the file moves, rather than be missing for a moment
	d.busy, d.building = false, nil
	if err := b.place(); err != nil {
		return err
	}
	d.picture, err = Open(path, key, d.samples)
	d.broken = err != nil
	return err
}

// show makes what b has drawn visible.
func (d *Drawer) show(b *builder) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.building = b
}

// settle ends Prepare.
func (d *Drawer) settle(p *Picture, err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy, d.building, d.picture = false, nil, p
	return err
}

// Close lets the file go. Prepare must have returned.
func (d *Drawer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.picture == nil {
		return nil
	}
	p := d.picture
	d.picture = nil
	return p.Close()
}

// Tile returns the bytes of a tile, which are the caller's. Whole tiles never change.
//
// With the error *NotDrawn come the columns at the beginning of the tile that are drawn already, perhaps none; only
// levels above FirstKept can say so. Other errors are of kind not found (the recording has no such tile), invalid (there
// is no such kind), cancelled, and damaged: the kept picture is not what was drawn. It is then let go, and the next Prepare
// draws it anew; until then its tiles are *NotDrawn. Anything else is an error of the source or the disk.
func (d *Drawer) Tile(ctx context.Context, kind Kind, level, tile int) ([]byte, error) {
	if err := check(d.samples, kind, level, tile); err != nil {
		return nil, err
	}
	if level < FirstKept {
		return d.fine(ctx, kind, level, tile)
	}
	columns, whole, drawn, err := d.coarse(kind, level, tile)
	switch {
	case err != nil || whole:
		return columns, err
	case level == FirstKept:
		return d.fine(ctx, kind, level, tile)
	default:
		return columns, &NotDrawn{Drawn: drawn, Of: d.samples}
	}
}

// fine draws a tile from the sound.
func (d *Drawer) fine(ctx context.Context, kind Kind, level, tile int) ([]byte, error) {
	n := tileColumns(d.samples, level, tile)
	var s strip
	s[kind] = make([]byte, n*kind.ColumnBytes())
	if err := newBrush(d.src, d.samples).draw(ctx, level, int64(tile)*TileColumns, n, s); err != nil {
		return nil, err
	}
	return s[kind], nil
}

// coarse returns what is known of a tile, whether that is all, and how many samples are drawn.
func (d *Drawer) coarse(kind Kind, level, tile int) (columns []byte, whole bool, drawn int64, err error) {
	p, columns, whole, drawn, err := d.look(kind, level, tile)
	if p != nil && evidence.KindOf(err) == evidence.KindDamaged {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.picture == p {
			p.Close() // read only: the error that matters is the one at hand
			d.picture, d.broken = nil, true
		}
	}
	return columns, whole, drawn, err
}

func (d *Drawer) look(kind Kind, level, tile int) (p *Picture, columns []byte, whole bool, drawn int64, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch {
	case d.picture != nil:
		columns, whole, err = compose(d.picture, kind, d.samples, level, tile)
		return d.picture, columns, whole, d.samples, err
	case d.building != nil:
		columns, whole, drawn, err = d.building.tile(kind, level, tile)
		return nil, columns, whole, drawn, err
	default:
		return nil, nil, false, 0, nil
	}
}
