package merklelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
)

// Tiles are 256 wide. C2SP tlog-tiles.
const (
	tileHeight  = 8
	TileWidth   = 1 << tileHeight
	LevelEntry  = -1 // the level of tiles that hold records
	maxTileName = 40
)

// Tile names one tile: W hashes (or records) from N*TileWidth on, at a level of the tree's tiles.
type Tile struct {
	Level int
	N     int64
	W     int // 1 to TileWidth
}

// Name returns the tile's name below log/.
func (t Tile) Name() string {
	level := "entries"
	if t.Level != LevelEntry {
		level = strconv.Itoa(t.Level)
	}
	n := fmt.Sprintf("%03d", t.N%1000)
	for rest := t.N / 1000; rest > 0; rest /= 1000 {
		n = fmt.Sprintf("x%03d/%s", rest%1000, n)
	}
	if t.W < TileWidth {
		n += ".p/" + strconv.Itoa(t.W)
	}
	return "tile/" + level + "/" + n
}

// ParseTileName reads a tile's name, and refuses what Name would not have written.
func ParseTileName(name string) (Tile, error) {
	bad := evidence.Invalid("%q is no name of a tile", name)
	rest, ok := strings.CutPrefix(name, "tile/")
	level, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || len(name) > maxTileName {
		return Tile{}, bad
	}
	t := Tile{Level: LevelEntry, W: TileWidth}
	var err error
	if level != "entries" {
		if t.Level, err = strconv.Atoi(level); err != nil || t.Level < 0 || t.Level > 7 {
			return Tile{}, bad
		}
	}
	if n, w, partial := strings.Cut(rest, ".p/"); partial {
		if t.W, err = strconv.Atoi(w); err != nil || t.W < 1 || t.W >= TileWidth {
			return Tile{}, bad
		}
		rest = n
	}
	digits := strings.ReplaceAll(strings.ReplaceAll(rest, "x", ""), "/", "")
	if t.N, err = strconv.ParseInt(digits, 10, 64); err != nil || t.N < 0 || t.Name() != name {
		return Tile{}, bad
	}
	return t, nil
}

// tilesToPublish returns the tiles that are new when a log grows from one size to another.
func tilesToPublish(from, to int64) []Tile {
	var out []Tile
	for _, t := range tlog.NewTiles(tileHeight, from, to) {
		out = append(out, Tile{t.L, t.N, t.W})
		if t.L == 0 {
			out = append(out, Tile{LevelEntry, t.N, t.W})
		}
	}
	return out
}

// Publisher writes tiles and checkpoints for outsiders to read.
type Publisher struct {
	Folder *durable.Folder // the case's folder log/
}

// Published returns the checkpoint that outsiders see; ok is false where there is none. It is not checked.
func (p Publisher) Published() (signed []byte, ok bool, err error) {
	signed, err = os.ReadFile(p.Folder.Path("checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read published checkpoint: %w", err)
	}
	return signed, true, nil
}

// Publish writes the tiles by which a log of the size to has more than one of the size from, each durably, and then the signed
// checkpoint of the size to. leaf gives the commitment of an entry. Doing it again does no harm.
func (p Publisher) Publish(from, to int64, signed []byte, r tlog.HashReader, leaf func(n int64) (Commitment, error)) error {
	for _, t := range tilesToPublish(from, to) {
		data, err := t.data(r, leaf)
		if err != nil {
			return fmt.Errorf("make %s: %w", t.Name(), err)
		}
		if err := p.Folder.WriteVia("publish.tmp", t.Name(), data, 0o666); err != nil {
			return err
		}
	}
	if err := p.Folder.WriteVia("publish.tmp", "checkpoint", signed, 0o666); err != nil {
		return err
	}
	return p.removePartials(from, to)
}

func (t Tile) data(r tlog.HashReader, leaf func(n int64) (Commitment, error)) ([]byte, error) {
	if t.Level != LevelEntry {
		return tlog.ReadTileData(tlog.Tile{H: tileHeight, L: t.Level, N: t.N, W: t.W}, r)
	}
	out := make([]byte, 0, t.W*(2+len(Commitment{})))
	for i := range int64(t.W) {
		c, err := leaf(t.N*TileWidth + i)
		if err != nil {
			return nil, err
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(c)))
		out = append(out, c[:]...)
	}
	return out, nil
}

// removePartials removes the partial tiles that a full one has taken the place of.
func (p Publisher) removePartials(from, to int64) error {
	for _, t := range tilesToPublish(from, to) {
		if t.W != TileWidth {
			continue
		}
		dir := t.Name() + ".p"
		names, err := os.ReadDir(p.Folder.Path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list partial tiles: %w", err)
		}
		for _, n := range names {
			if err := p.Folder.Remove(dir + "/" + n.Name()); err != nil {
				return fmt.Errorf("remove partial tile: %w", err)
			}
		}
		if err := p.Folder.Remove(dir); err != nil {
			return fmt.Errorf("remove partial tiles: %w", err)
		}
	}
	return nil
}
