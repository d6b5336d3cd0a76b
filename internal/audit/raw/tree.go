package raw

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is the Merkle tree of a log, kept whole in memory. The zero Tree is empty.
type Tree struct {
	Size        int64
	Commitments [][sha256.Size]byte
	Hashes      []tlog.Hash // in the order of tlog.StoredHashIndex
}

// Append adds the commitment of the next entry.
func (t *Tree) Append(c [sha256.Size]byte) error {
	more, err := tlog.StoredHashesForRecordHash(t.Size, tlog.RecordHash(c[:]), t)
	if err != nil {
		return err
	}
	t.Hashes = append(t.Hashes, more...)
	t.Commitments = append(t.Commitments, c)
	t.Size++
	return nil
}

// ReadHashes is tlog.HashReader.
func (t *Tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(t.Hashes)) {
			return nil, fmt.Errorf("hash %d is beyond the tree of %d entries", x, t.Size)
		}
		out[i] = t.Hashes[x]
	}
	return out, nil
}

// Root returns the root hash of the tree's first size entries.
func (t *Tree) Root(size int64) (tlog.Hash, error) {
	if size < 1 || size > t.Size {
		return tlog.Hash{}, fmt.Errorf("the tree has %d entries, not %d", t.Size, size)
	}
	return tlog.TreeHash(size, t)
}

// TileHolds returns what a tile must hold, or false where the tree is too small for it.
func (t *Tree) TileHolds(p TilePath) ([]byte, bool) {
	if p.N*TileWidth+int64(p.Width) > p.Count(t.Size) {
		return nil, false
	}
	var b []byte
	for i := p.N * TileWidth; i < p.N*TileWidth+int64(p.Width); i++ {
		if p.Level == EntriesLevel {
			b = binary.BigEndian.AppendUint16(b, sha256.Size)
			b = append(b, t.Commitments[i][:]...)
		} else {
			h := t.Hashes[tlog.StoredHashIndex(8*p.Level, i)]
			b = append(b, h[:]...)
		}
	}
	return b, true
}
