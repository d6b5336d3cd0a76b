// Package merklelog commits to entries so that an outsider who holds a checkpoint can hold the case to it: commitments,
// the Merkle tree over them, proofs, tiles and signed checkpoints, as docs/format/log.md says.
//
// It keeps no entries and no tree: whoever has them hands in a tlog.HashReader. It never decides to sign twice for one
// size; Memory is what makes that hold on a machine even where an old copy of a case comes back.
package merklelog

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
)

// SaltSize is the number of random bytes that keep a short entry from being guessed.
const SaltSize = 32

// Commitment is what the log holds of an entry: its record.
type Commitment [sha256.Size]byte

const commitmentPrefix = "earwitness entry 1\x00"

// Commit returns the commitment to an entry's canonical bytes under its salt. docs/format/log.md, "Commitment".
func Commit(salt [SaltSize]byte, entry []byte) Commitment {
	h := sha256.New()
	h.Write([]byte(commitmentPrefix))
	h.Write(salt[:])
	h.Write(entry)
	return Commitment(h.Sum(nil))
}

// LeafHash returns the tree's hash of a commitment.
func (c Commitment) LeafHash() tlog.Hash { return tlog.RecordHash(c[:]) }

// Edge is the right edge of a tree: the few hashes from which it grows and from which its root follows. A value of it
// belongs to one goroutine; Grow leaves it as it was.
type Edge struct {
	size   int64
	hashes map[int64]tlog.Hash // by stored index; one for each bit set in size
}

// edgeIndexes returns the stored indexes of the complete subtrees that a tree of the given size is made of.
func edgeIndexes(size int64) []int64 {
	var out []int64
	for level := 0; size>>level > 0; level++ {
		if n := size >> level; n&1 == 1 {
			out = append(out, tlog.StoredHashIndex(level, n-1))
		}
	}
	return out
}

// LoadEdge reads the right edge of a tree of the given size.
func LoadEdge(size int64, r tlog.HashReader) (Edge, error) {
	e := Edge{size, map[int64]tlog.Hash{}}
	indexes := edgeIndexes(size)
	if len(indexes) == 0 {
		return e, nil
	}
	hashes, err := r.ReadHashes(indexes)
	if err != nil {
		return Edge{}, fmt.Errorf("read right edge of the tree of %d: %w", size, err)
	}
	for i, x := range indexes {
		e.hashes[x] = hashes[i]
	}
	return e, nil
}

// Size returns the number of entries in the tree.
func (e Edge) Size() int64 { return e.size }

// Grow returns the edge after the commitments were added, and the hashes to store, the first one at
// tlog.StoredHashIndex(0, e.Size()).
func (e Edge) Grow(add []Commitment) (Edge, []tlog.Hash, error) {
	known := map[int64]tlog.Hash{}
	for x, h := range e.hashes {
		known[x] = h
	}
	var out []tlog.Hash
	next := tlog.StoredHashIndex(0, e.size)
	for i, c := range add {
		hashes, err := tlog.StoredHashesForRecordHash(e.size+int64(i), c.LeafHash(), reader(known))
		if err != nil {
			return Edge{}, nil, fmt.Errorf("add entry %d to the tree: %w", e.size+int64(i), err)
		}
		for _, h := range hashes {
			known[next] = h
			next++
		}
		out = append(out, hashes...)
	}
	grown := Edge{e.size + int64(len(add)), map[int64]tlog.Hash{}}
	for _, x := range edgeIndexes(grown.size) {
		grown.hashes[x] = known[x]
	}
	return grown, out, nil
}

// Root returns the root of the tree.
func (e Edge) Root() (tlog.Hash, error) { return tlog.TreeHash(e.size, reader(e.hashes)) }

func reader(known map[int64]tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, ok := known[x]
			if !ok {
				return nil, fmt.Errorf("hash %d is not on the right edge", x)
			}
			out[i] = h
		}
		return out, nil
	})
}

// CheckGrowth reports, as a Damaged error, that the tree which r holds does not continue the one that older commits to.
func CheckGrowth(older Checkpoint, size int64, root tlog.Hash, r tlog.HashReader) error {
	if size < older.Size {
		return evidence.Damaged("the log holds %d entries, and a checkpoint was signed for %d", size, older.Size)
	}
	if size == older.Size {
		if root != older.Root {
			return evidence.Damaged("the log's root at %d entries is %v, and a checkpoint was signed for %v", size, root, older.Root)
		}
		return nil
	}
	proof, err := tlog.ProveTree(size, older.Size, r)
	if err != nil {
		return fmt.Errorf("prove that the log of %d entries continues the one of %d: %w", size, older.Size, err)
	}
	if err := tlog.CheckTree(proof, size, root, older.Size, older.Root); err != nil {
		return evidence.Damaged("the log of %d entries does not continue the one of %d entries that a checkpoint was signed for", size, older.Size).Because(err)
	}
	return nil
}
