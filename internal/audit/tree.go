package audit

import (
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/internal/audit/raw"
)

// tree is the log as it follows from the entries, and what case.db says was signed of it.
type tree struct {
	raw.Tree
	rows   []checkpointRow
	newest *raw.Checkpoint // signature and root hold
}

type checkpointRow struct {
	origin string
	size   int64
	note   []byte
}

// checkHash compares a stored hash with the tree. A hash whose children differ already is not named again:
// it could not be right.
func (a *audit) checkHash(idx int64, stored []byte, bad map[int64]bool) {
	want := a.tree.Hashes[idx]
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

// checkTile compares a tile's bytes with what follows from the entries.
func (t *tree) checkTile(p raw.TilePath, b []byte) (code, detail string) {
	want, ok := t.TileHolds(p)
	if !ok {
		return TileAhead, fmt.Sprintf("it commits to %d of level %d, case.db has %d entries", p.N*raw.TileWidth+int64(p.Width), max(p.Level, 0), t.Size)
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
