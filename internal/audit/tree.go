package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/internal/audit/raw"
)

// tree is the log as it follows from the entries, and what case.db says was signed of it.
type tree struct {
	size        int64
	commitments [][sha256.Size]byte
	hashes      []tlog.Hash // in the order of tlog.StoredHashIndex
	rows        []checkpointRow
	newest      *raw.Checkpoint // signature and root hold
}

type checkpointRow struct {
	origin string
	size   int64
	note   []byte
}

func (t *tree) append(c [sha256.Size]byte) error {
	more, err := tlog.StoredHashesForRecordHash(t.size, tlog.RecordHash(c[:]), t)
	if err != nil {
		return err
	}
	t.hashes = append(t.hashes, more...)
	t.commitments = append(t.commitments, c)
	t.size++
	return nil
}

// ReadHashes is tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("hash %d is beyond the tree of %d entries", x, t.size)
		}
		out[i] = t.hashes[x]
	}
	return out, nil
}

func (t *tree) root(size int64) (tlog.Hash, error) {
	if size < 1 || size > t.size {
		return tlog.Hash{}, fmt.Errorf("the tree has %d entries, not %d", t.size, size)
	}
	return tlog.TreeHash(size, t)
}

// checkHash compares a stored hash with the tree. A hash whose children differ already is not named again:
// it could not be right.
func (a *audit) checkHash(idx int64, stored []byte, bad map[int64]bool) {
	want := a.tree.hashes[idx]
	if string(stored) == string(want[:]) {
		return
	}
	bad[idx] = true
	level, n := tlog.SplitStoredHashIndex(idx)
	if level == 0 {
		a.find(EntryCommitment, fmt.Sprintf("case.db, entry %d", n), "leaf hash: entry and salt give %x, table hash has %x", want[:], stored)
		return
	}
	if !bad[tlog.StoredHashIndex(level-1, 2*n)] && !bad[tlog.StoredHashIndex(level-1, 2*n+1)] {
		a.find(HashTree, fmt.Sprintf("case.db, hash %d", idx), "level %d, number %d: expected %x, found %x", level, n, want[:], stored)
	}
}

// tileWants returns what a tile must hold, or false where the tree is too small for it.
func (t *tree) tileWants(p raw.TilePath) ([]byte, bool) {
	if p.N*raw.TileWidth+int64(p.Width) > p.Count(t.size) {
		return nil, false
	}
	var b []byte
	for i := p.N * raw.TileWidth; i < p.N*raw.TileWidth+int64(p.Width); i++ {
		if p.Level == raw.EntriesLevel {
			b = binary.BigEndian.AppendUint16(b, sha256.Size)
			b = append(b, t.commitments[i][:]...)
		} else {
			h := t.hashes[tlog.StoredHashIndex(8*p.Level, i)]
			b = append(b, h[:]...)
		}
	}
	return b, true
}

// checkTile compares a tile's bytes with what follows from the entries.
func (t *tree) checkTile(p raw.TilePath, b []byte) (code, detail string) {
	want, ok := t.tileWants(p)
	if !ok {
		return TileAhead, fmt.Sprintf("it commits to %d of level %d, case.db has %d entries", p.N*raw.TileWidth+int64(p.Width), max(p.Level, 0), t.size)
	}
	unit, code := tlog.HashSize, TileHash
	if p.Level == raw.EntriesLevel {
		unit, code = raw.RecordSize, TileEntry
	}
	if len(b) != len(want) {
		return TileLength, fmt.Sprintf("expected %d bytes, found %d", len(want), len(b))
	}
	for i := 0; i < len(want); i += unit {
		if got := b[i : i+unit]; string(got) != string(want[i:i+unit]) {
			return code, fmt.Sprintf("number %d: expected %s, found %s", p.N*raw.TileWidth+int64(i/unit), hex.EncodeToString(want[i:i+unit]), hex.EncodeToString(got))
		}
	}
	return "", ""
}
