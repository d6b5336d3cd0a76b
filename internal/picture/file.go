package picture

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"github.com/earwitness/earwitness/evidence"
)

// The file of the kept levels. All numbers are little-endian.
//
//	header   "EWPICT" and the version, two digits; the number of samples, 8 bytes; SHA-256 of the key
//	tiles    each as it becomes complete while the sound goes by: one of level 4, and after every eighth of a level
//	         the one of the next kept level that those eight make; at the end, from level 4 up, what is left over
//
// A tile is its peaks, their CRC-32C (4 bytes), its spectrogram, its CRC-32C. A CRC is that of the header, the kind (1
// byte), the level (1), the number of the tile (8) and the bytes themselves: bytes in another place or of another sound
// do not pass for those that belong there. Every position follows from the number of samples, and so does the size.
//
// The version rises with every change of a byte, whether of the format or of what is drawn.
const (
	magic      = "EWPICT01"
	headerSize = len(magic) + 8 + sha256.Size

	keptShift  = 3 // a kept level has 1<<keptShift times the samples a column of the kept one below
	keptFactor = 1 << keptShift

	crcSize  = 4
	fullTile = TileColumns*(2+Bins) + 2*crcSize // bytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// plan says where everything stands in the file of a recording. Kept levels are counted from 0.
type plan struct {
	samples int64
	kept    int   // kept levels
	full    int64 // tiles of FirstKept that have all columns
}

func planFor(samples int64) plan {
	levels := Levels(samples)
	p := plan{samples: samples}
	if levels > FirstKept {
		p.kept = (levels-FirstKept-1)/keptShift + 1
		p.full = Columns(samples, FirstKept) / TileColumns
	}
	return p
}

// keptLevel returns the level that kept level i is.
func keptLevel(i int) int { return FirstKept + keptShift*i }

// leftOver returns how many columns the last tile of a kept level has, if it is not one that became complete on the way.
func (p plan) leftOver(i int) int64 {
	return Columns(p.samples, keptLevel(i)) - p.full>>(keptShift*i)*TileColumns
}

// offset returns where a tile of a kept level begins.
func (p plan) offset(i, tile int) int64 {
	var whole, rest int64 // tiles with all columns that stand before it; bytes of those that are left over
	if seen := int64(tile+1) << (keptShift * i); seen <= p.full {
		// It follows its last tile of FirstKept. The levels below it come first.
		for j := range p.kept {
			n := seen
			if j > i {
				n = seen - 1
			}
			whole += n >> (keptShift * j)
		}
		whole-- // itself
	} else {
		for j := range p.kept {
			whole += p.full >> (keptShift * j)
			if j < i {
				rest += tileSize(p.leftOver(j))
			}
		}
	}
	return int64(headerSize) + whole*fullTile + rest
}

// size returns the size of the file.
func (p plan) size() int64 {
	n := int64(headerSize)
	for i := range p.kept {
		n += p.full>>(keptShift*i)*fullTile + tileSize(p.leftOver(i))
	}
	return n
}

// tileSize returns how many bytes a tile has in the file; none without columns.
func tileSize(columns int64) int64 {
	if columns == 0 {
		return 0
	}
	return columns*(2+Bins) + 2*crcSize
}

func header(key string, samples int64) []byte {
	digest := sha256.Sum256([]byte(key))
	return append(binary.LittleEndian.AppendUint64([]byte(magic), uint64(samples)), digest[:]...)
}

// appendTile appends the bytes that a tile of a kept level has in the file.
func appendTile(dst, header []byte, i, tile int, s strip) []byte {
	for k, b := range s {
		dst = append(dst, b...)
		dst = binary.LittleEndian.AppendUint32(dst, checksum(header, Kind(k), i, tile, b))
	}
	return dst
}

func checksum(header []byte, kind Kind, i, tile int, columns []byte) uint32 {
	place := binary.LittleEndian.AppendUint64([]byte{byte(kind), byte(keptLevel(i))}, uint64(tile))
	return crc32.Update(crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, place), castagnoli, columns)
}

// Picture is the kept levels of a recording, read from their file. It is safe for concurrent use.
type Picture struct {
	plan   plan
	header []byte
	r      io.ReaderAt
	file   io.Closer
}

// Open opens the file that Build has written to path for the same key and number of samples. Errors of these kinds say
// that it has to be drawn anew: not found, conflict (it is of another sound, or another version of this room drew it)
// and damaged. The tiles are looked at as they are read.
func Open(path, key string, samples int64) (*Picture, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.NotFound("there is no picture at %s", path).Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("open picture: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open picture: %w", err), f.Close())
	}
	p, err := openPicture(f, info.Size(), key, samples)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open picture %s: %w", path, err), f.Close())
	}
	p.file = f
	return p, nil
}

func openPicture(r io.ReaderAt, size int64, key string, samples int64) (*Picture, error) {
	p := &Picture{plan: planFor(samples), header: header(key, samples), r: r}
	if size < int64(headerSize) {
		return nil, evidence.Damaged("it has %d bytes, which is too short for any", size)
	}
	got := make([]byte, headerSize)
	if err := p.read(got, 0); err != nil {
		return nil, err
	}
	if string(got) != string(p.header) {
		return nil, evidence.Conflict("it is of another sound, or of another version")
	}
	if want := p.plan.size(); size != want {
		return nil, evidence.Damaged("it has %d bytes, not %d", size, want)
	}
	return p, nil
}

// Close lets the file go.
func (p *Picture) Close() error { return p.file.Close() }

// Peaks returns a tile of peaks of a level from FirstKept on. The error is of kind not found where there is none, and
// damaged where the file does not hold what was written to it.
func (p *Picture) Peaks(level, tile int) ([]byte, error) { return p.tile(Peaks, level, tile) }

// Spectrogram is Peaks for a tile of the spectrogram.
func (p *Picture) Spectrogram(level, tile int) ([]byte, error) {
	return p.tile(Spectrogram, level, tile)
}

func (p *Picture) tile(kind Kind, level, tile int) ([]byte, error) {
	if err := check(p.plan.samples, kind, level, tile); err != nil {
		return nil, err
	}
	if level < FirstKept {
		return nil, evidence.NotFound("level %d is not kept: it is drawn from the sound", level)
	}
	b, _, err := compose(p, kind, p.plan.samples, level, tile)
	return b, err
}

// canvas is where the tiles of kept levels are: a Picture, or one that is being drawn. kept returns the columns of a tile
// that exists so far, and whether they are all; they are the caller's to change.
type canvas interface {
	kept(kind Kind, i, tile int) (columns []byte, whole bool, err error)
}

// compose makes a tile of a level from FirstKept on out of those that are kept. Where these are not whole, it returns the
// columns that are certain.
func compose(c canvas, kind Kind, samples int64, level, tile int) (columns []byte, whole bool, err error) {
	i := (level - FirstKept) / keptShift
	n := 1 << (level - keptLevel(i)) // kept columns, and kept tiles, for one
	if n == 1 {
		return c.kept(kind, i, tile)
	}
	columns = make([]byte, 0, tileColumns(samples, level, tile)*kind.ColumnBytes())
	for t := tile * n; t < min((tile+1)*n, Tiles(samples, keptLevel(i))); t++ {
		b, whole, err := c.kept(kind, i, t)
		if err != nil {
			return nil, false, err
		}
		if !whole {
			b = b[:len(b)-len(b)%(n*kind.ColumnBytes())]
		}
		columns = kind.pool(columns, b, n)
		if !whole {
			return columns, false, nil
		}
	}
	return columns, true, nil
}

// kept implements canvas.
func (p *Picture) kept(kind Kind, i, tile int) ([]byte, bool, error) {
	at, n := p.plan.offset(i, tile), tileColumns(p.plan.samples, keptLevel(i), tile)
	if kind == Spectrogram {
		at += int64(n*Peaks.ColumnBytes() + crcSize)
	}
	n *= kind.ColumnBytes()
	b := make([]byte, n+crcSize)
	if err := p.read(b, at); err != nil {
		return nil, false, err
	}
	if binary.LittleEndian.Uint32(b[n:]) != checksum(p.header, kind, i, tile, b[:n]) {
		return nil, false, evidence.Damaged("tile %d of level %d of the kept picture (%s) is not what was drawn", tile, keptLevel(i), kind)
	}
	return b[:n:n], true, nil
}

// read fills b. A file that ends before is damaged: its size was looked at when it was opened.
func (p *Picture) read(b []byte, at int64) error {
	n, err := p.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return evidence.Damaged("the kept picture ends at byte %d", at+int64(n))
	}
	return fmt.Errorf("read picture at byte %d: %w", at, err)
}
