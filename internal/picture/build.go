package picture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/durable"
)

// Build draws the kept levels of src, whose length must be final, and puts them at path, in place of what is there, with
// the folders that are missing. The key names the sound, such as the digest of its decoded copy: Open finds the file by
// it. It goes through the sound once, in constant memory. After every few seconds of sound it calls progress, which may
// be nil, with how many samples are drawn, and of how many.
//
// Two calls for one path must not overlap. If it fails, what was at path stays; a crash may leave PATH.tmp, which the next
// call takes away. Errors are those of src and of the disk (durable.Explain), or of kind cancelled.
func Build(ctx context.Context, src audio.Source, path, key string, progress func(done, of int64)) error {
	b, err := newBuilder(durable.OS{}, src, src.Len(), path, key)
	if err != nil {
		return err
	}
	if err := b.draw(ctx, progress); err != nil {
		return b.abandon(err)
	}
	return b.place()
}

// builder draws the kept levels and writes them to a file. One goroutine draws; others may read what is there already.
type builder struct {
	brush  *brush
	folder *durable.Folder
	name   string // in the folder
	out    []byte // the tile that is being written

	mu     sync.RWMutex // guards the fields below
	file   durable.File
	sofar  Picture // reads the tiles that are in the file
	levels []unfinished
	drawn  int64 // samples
}

// unfinished is the tile of a kept level that is being drawn.
type unfinished struct {
	number  int
	columns strip
	n       int // columns
	up      int // how many of them the next kept level has seen
}

func newBuilder(fsys durable.FS, src audio.Source, samples int64, path, key string) (_ *builder, err error) {
	dir := filepath.Dir(path)
	defer func() { err = durable.Explain(err, dir) }()
	folder, err := durable.MakeFolder(fsys, dir)
	if err != nil {
		return nil, err
	}
	b := &builder{brush: newBrush(src, samples), folder: folder, name: filepath.Base(path)}
	if err := folder.Remove(b.tmp()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("take away an unfinished picture: %w", err)
	}
	if b.file, err = folder.Create(b.tmp(), 0o600); err != nil {
		return nil, fmt.Errorf("create picture: %w", err)
	}
	b.sofar = Picture{plan: planFor(samples), header: header(key, samples), r: b.file}
	b.levels = make([]unfinished, b.sofar.plan.kept)
	for i := range b.levels {
		for k := range kinds {
			b.levels[i].columns[k] = make([]byte, 0, TileColumns*k.ColumnBytes())
		}
	}
	return b, nil
}

func (b *builder) tmp() string { return b.name + ".tmp" }

// draw draws everything, and then the file can be put in its place. After an error it must be abandoned.
func (b *builder) draw(ctx context.Context, progress func(done, of int64)) error {
	if err := b.write(b.sofar.header); err != nil {
		return err
	}
	samples := b.brush.samples
	columns := Columns(samples, FirstKept)
	if len(b.levels) == 0 {
		columns = 0
	}
	// A whole number of blocks is a tile, and a block gives the next kept level whole columns: both counts are powers of two.
	block := int(blockSamples / ColumnSamples(FirstKept))
	var s strip
	for k := range kinds {
		s[k] = make([]byte, block*k.ColumnBytes())
	}
	for at := int64(0); at < columns; at += int64(block) {
		n := int(min(columns-at, int64(block)))
		for k := range kinds {
			s[k] = s[k][:n*k.ColumnBytes()]
		}
		if err := b.brush.draw(ctx, FirstKept, at, n, s); err != nil {
			return err
		}
		if err := b.add(s, n, at+int64(n) == columns); err != nil {
			return err
		}
		if progress != nil {
			progress(b.drawn, samples)
		}
	}
	return b.explain(b.file.Sync())
}

// add takes the next n columns of FirstKept, hands them up and writes the tiles that are complete; with the last columns,
// all there are.
func (b *builder) add(s strip, n int, last bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range kinds {
		b.levels[0].columns[k] = append(b.levels[0].columns[k], s[k]...)
	}
	b.levels[0].n += n
	b.drawn = min(b.drawn+int64(n)*ColumnSamples(FirstKept), b.brush.samples)
	for i := range len(b.levels) - 1 {
		handUp(&b.levels[i+1], &b.levels[i], last)
	}
	for i := range b.levels {
		l := &b.levels[i]
		if l.n < TileColumns && !(last && l.n > 0) {
			continue
		}
		b.out = appendTile(b.out[:0], b.sofar.header, i, l.number, l.columns)
		if err := b.write(b.out); err != nil {
			return err
		}
		for k := range kinds {
			l.columns[k] = l.columns[k][:0]
		}
		l.number, l.n, l.up = l.number+1, 0, 0
	}
	return nil
}

// handUp gives the next kept level the columns that whole groups of this one make; with the last ones, also one of what
// is left.
func handUp(next, this *unfinished, last bool) {
	end := this.n - this.n%keptFactor
	if last {
		end = this.n
	}
	for k := range kinds {
		width := k.ColumnBytes()
		next.columns[k] = k.pool(next.columns[k], this.columns[k][this.up*width:end*width], keptFactor)
	}
	next.n += (end - this.up + keptFactor - 1) / keptFactor
	this.up = end
}

// kept implements canvas for what is drawn so far.
func (b *builder) kept(kind Kind, i, tile int) ([]byte, bool, error) {
	l := &b.levels[i]
	switch {
	case tile < l.number:
		return b.sofar.kept(kind, i, tile)
	case tile == l.number:
		return append([]byte(nil), l.columns[kind]...), false, nil
	default:
		return nil, false, nil
	}
}

// tile returns the columns of a tile that are drawn, whether they are all, and how many samples are drawn.
func (b *builder) tile(kind Kind, level, tile int) (columns []byte, whole bool, drawn int64, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	columns, whole, err = compose(b, kind, b.brush.samples, level, tile)
	return columns, whole, b.drawn, err
}

// place puts the file under its name. Nothing can be read from the builder any more.
func (b *builder) place() error {
	if err := b.file.Close(); err != nil {
		return b.explain(err)
	}
	return b.explain(b.folder.Place(b.tmp(), b.name))
}

// abandon takes the file away, after err. Nothing can be read from the builder any more.
func (b *builder) abandon(err error) error {
	return errors.Join(err, b.file.Close(), b.folder.Remove(b.tmp()))
}

func (b *builder) write(p []byte) error {
	if _, err := b.file.Write(p); err != nil {
		return b.explain(fmt.Errorf("write picture: %w", err))
	}
	return nil
}

func (b *builder) explain(err error) error {
	return durable.Explain(err, b.folder.Path("."))
}
