package casefile

import (
	"context"
	"encoding/hex"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/merklelog"
)

// ReceiptFormat is what a receipt calls itself.
const ReceiptFormat = "earwitness receipt 1"

// receipt is docs/format/case.md, "Receipt".
type receipt struct {
	Checkpoint string   `json:"checkpoint"`
	Entry      string   `json:"entry"`
	Format     string   `json:"format"`
	Index      int64    `json:"index"`
	Key        string   `json:"key"`
	Proof      []string `json:"proof"`
	Salt       string   `json:"salt"`
	Size       int64    `json:"size"`
}

// Receipt returns, as one JSON object, what a stranger needs to check that an entry is in the case's log: the entry, its
// salt, the proof, and the newest checkpoint. It discloses that entry whole. NotFound: there is no such entry, or it is
// in no signed checkpoint yet.
func (c *Case) Receipt(ctx context.Context, idx int64) ([]byte, error) {
	s, err := c.readStored(ctx, idx)
	if err != nil {
		return nil, err
	}
	info := c.Info()
	cp, ok, err := c.newestCheckpoint(ctx, info)
	if err != nil {
		return nil, err
	}
	if !ok || cp.Size <= idx {
		return nil, evidence.NotFound("entry %d is in no signed checkpoint yet", idx).
			WithHint("the next command that writes to the case signs one")
	}
	proof, err := tlog.ProveRecord(cp.Size, idx, c.hashes(ctx))
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", idx, err)
	}
	if err := tlog.CheckRecord(proof, cp.Size, cp.Root, idx, merklelog.Commit(s.salt, s.bytes).LeafHash()); err != nil {
		return nil, evidence.Damaged("case.db is damaged: entry %d is not the one that the checkpoint of %d entries commits to", idx, cp.Size).Because(err).
			WithHint("run `earwitness verify`, and bring the file back from a copy")
	}
	r := receipt{Checkpoint: string(cp.note), Entry: string(s.bytes), Format: ReceiptFormat, Index: idx, Key: info.Key,
		Proof: []string{}, Salt: hex.EncodeToString(s.salt[:]), Size: cp.Size}
	for _, h := range proof {
		r.Proof = append(r.Proof, hex.EncodeToString(h[:]))
	}
	b, err := evidence.Canonical(r)
	if err != nil {
		return nil, fmt.Errorf("write receipt of entry %d: %w", idx, err)
	}
	return append(b, '\n'), nil
}
