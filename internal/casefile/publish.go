package casefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
	"github.com/earwitness/earwitness/internal/lockfile"
	"github.com/earwitness/earwitness/internal/merklelog"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

// publisher is what Publish needs; its lock comes before all others.
type publisher struct {
	publishing sync.Mutex
	signer     *merklelog.Signer
	memory     *merklelog.Memory
	newest     merklelog.Checkpoint // signed under the present origin; Size 0: none
	published  int64                // size of the checkpoint in log/
	leaves     []merklelog.Commitment
	firstLeaf  int64 // of leaves
}

// startWriting makes sure that this is the case that was signed last, and brings the folder to where the entries are.
func (c *Case) startWriting(ctx context.Context, epoch *EpochOptions) error {
	w := c.writer
	w.db = c.db
	folder, err := durable.MakeFolder(c.world.disk.fs(), c.world.seenDir)
	if err != nil {
		return fmt.Errorf("open the folder of what was signed on this machine: %w", err)
	}
	w.memory = merklelog.NewMemory(folder)
	if err := c.lockOrigin(); err != nil {
		return err
	}
	size, err := c.Len(ctx)
	if err != nil {
		return err
	}
	if w.edge, err = merklelog.LoadEdge(size, c.hashes(ctx)); err != nil {
		return err
	}
	if err := c.blobs.Sweep(); err != nil {
		return err
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	if epoch != nil {
		if err := c.beginEpoch(ctx, *epoch); err != nil {
			return err
		}
	}
	if err := c.finishEpoch(); err != nil {
		return err
	}
	if w.signer, err = c.readKey("key"); err != nil {
		return err
	}
	return c.checkCopy(ctx)
}

// lockOrigin keeps another copy of this case on this machine from being written to at the same time.
func (c *Case) lockOrigin() error {
	w := c.writer
	digits, err := merklelog.OriginDigits(c.Info().Origin)
	if err != nil {
		return err
	}
	if w.origin != nil {
		if err := w.origin.Close(); err != nil {
			return fmt.Errorf("unlock origin: %w", err)
		}
		w.origin = nil
	}
	w.origin, err = lockfile.Take(filepath.Join(c.world.seenDir, digits+".lock"), "another copy of the case "+c.dir)
	return err
}

func (c *Case) readKey(name string) (*merklelog.Signer, error) {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, evidence.NotFound("the case %s has no key: without it nothing can be signed", c.dir).Because(err).
			WithHint("bring the file `key` back from a copy; if it is lost, the case can go on in a new epoch")
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	info := c.Info()
	return merklelog.NewSigner(strings.TrimSuffix(string(b), "\n"), info.Origin, info.Key)
}

// checkCopy refuses to write to a case that holds less or something else than was signed for it.
func (c *Case) checkCopy(ctx context.Context) error {
	w, info := c.writer, c.Info()
	signed, err := c.lastSigned(ctx, info)
	if err != nil {
		return err
	}
	for _, s := range signed {
		if err := merklelog.CheckCopy(s.Checkpoint, w.edge.Size(), c.hashes(ctx)); err != nil {
			return err
		}
		if s.Size > w.newest.Size {
			w.newest = s.Checkpoint
		}
		if s.from == fromLog {
			w.published = s.Size
		}
	}
	return nil
}

// Where a checkpoint was found.
const (
	fromMemory = "memory"
	fromLog    = "log"
	fromTable  = "table"
)

// found is a signed checkpoint and where it was found.
type found struct {
	merklelog.Checkpoint
	note []byte
	from string
}

// lastSigned returns the newest checkpoint of the present log that each place knows.
func (c *Case) lastSigned(ctx context.Context, info Info) ([]found, error) {
	var out []found
	cp, signed, ok, err := c.writer.memory.Newest(info.Origin, info.Key)
	if err != nil {
		return nil, err
	}
	if ok {
		out = append(out, found{cp, signed, fromMemory})
	}
	signed, ok, err = c.log.Published()
	if err != nil {
		return nil, err
	}
	if ok {
		if cp, err = merklelog.OpenCheckpoint(signed, info.Key); err != nil {
			return nil, evidence.Damaged("log/checkpoint of %s is not one that this case has signed", c.dir).Because(err).
				WithHint("if `earwitness verify` finds nothing else, move log/checkpoint away: the next command that writes makes it anew")
		}
		out = append(out, found{cp, signed, fromLog})
	}
	if f, ok, err := c.newestCheckpoint(ctx, info); err != nil {
		return nil, err
	} else if ok {
		out = append(out, f)
	}
	return out, nil
}

// newestCheckpoint returns the newest one that case.db holds for the present log.
func (c *Case) newestCheckpoint(ctx context.Context, info Info) (found, bool, error) {
	var signed []byte
	err := c.db.Read.QueryRowContext(ctx, "SELECT note FROM checkpoint WHERE origin = ? ORDER BY size DESC LIMIT 1", info.Origin).Scan(&signed)
	if errors.Is(err, sql.ErrNoRows) {
		return found{}, false, nil
	}
	if err != nil {
		return found{}, false, c.explain(fmt.Errorf("read newest checkpoint: %w", err))
	}
	cp, err := merklelog.OpenCheckpoint(signed, info.Key)
	if err != nil {
		return found{}, false, evidence.Damaged("the newest checkpoint in case.db is not one that this case has signed").Because(err).
			WithHint("bring case.db back from a copy")
	}
	return found{cp, signed, fromTable}, true, nil
}

// Publish signs a checkpoint of all entries so far and writes it to log/ with its tiles. Where nothing is new it costs
// next to nothing. Before it signs it reads back what it signs for.
//
// Damaged: what was read back is not what was committed to; Conflict: another root was signed for this size on this machine.
// Nothing is signed or published then.
func (c *Case) Publish(ctx context.Context) (err error) {
	w := c.writer
	if w == nil {
		return errReadOnly(c.dir)
	}
	w.publishing.Lock()
	defer w.publishing.Unlock()
	defer func() {
		if err != nil && (c.folder.Err() != nil || w.memory.Err() != nil || sqlitedb.SyncFailed(err)) {
			w.stopFor(err)
		}
		err = durable.Explain(err, c.dir)
	}()
	w.mu.Lock()
	edge, broken := w.edge, w.broken
	w.mu.Unlock()
	if broken != nil {
		return broken
	}
	if edge.Size() == w.published {
		return nil
	}
	if err := c.readBack(ctx, edge.Size()); err != nil {
		return err
	}
	cp, signed, err := c.sign(ctx, edge)
	if err != nil {
		return err
	}
	w.newest = cp
	if err := w.memory.Remember(signed, c.Info().Key); err != nil {
		return err
	}
	leaf := func(n int64) (merklelog.Commitment, error) { return w.leaves[n-w.firstLeaf], nil }
	if err := c.log.Publish(w.published, cp.Size, signed, c.hashes(ctx), leaf); err != nil {
		return fmt.Errorf("publish checkpoint of size %d: %w", cp.Size, err)
	}
	w.published = cp.Size
	start := cp.Size / merklelog.TileWidth * merklelog.TileWidth
	w.leaves = append([]merklelog.Commitment(nil), w.leaves[start-w.firstLeaf:]...)
	w.firstLeaf = start
	return nil
}

// readBack reads the entries up to size that have not been published, from the start of their first tile on, and makes
// sure that the tree commits to them.
func (c *Case) readBack(ctx context.Context, size int64) error {
	w := c.writer
	if len(w.leaves) == 0 {
		w.firstLeaf = w.published / merklelog.TileWidth * merklelog.TileWidth
	}
	for next := w.firstLeaf + int64(len(w.leaves)); next < size; {
		portion, err := c.portion(ctx, next)
		if err != nil {
			return err
		}
		var indexes []int64
		for i := range portion {
			indexes = append(indexes, tlog.StoredHashIndex(0, next+int64(i)))
		}
		hashes, err := c.hashes(ctx).ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, s := range portion {
			commitment := merklelog.Commit(s.salt, s.bytes)
			if s.idx != next || commitment.LeafHash() != hashes[i] {
				return evidence.Damaged("case.db is damaged: entry %d is not the one the log commits to", next).
					WithHint("run `earwitness verify`, and bring the file back from a copy")
			}
			w.leaves = append(w.leaves, commitment)
			next++
		}
		if len(portion) == 0 {
			return evidence.Damaged("case.db is damaged: entry %d is missing", next).WithHint("bring the file back from a copy")
		}
	}
	return nil
}

// sign signs the present size once: where a checkpoint of it stands in case.db, that is the one.
func (c *Case) sign(ctx context.Context, edge merklelog.Edge) (merklelog.Checkpoint, []byte, error) {
	w, info := c.writer, c.Info()
	root, err := edge.Root()
	if err != nil {
		return merklelog.Checkpoint{}, nil, err
	}
	cp := merklelog.Checkpoint{Origin: info.Origin, Size: edge.Size(), Root: root}
	known, _, ok, err := w.memory.Newest(info.Origin, info.Key)
	if err != nil {
		return cp, nil, err
	}
	for _, older := range []merklelog.Checkpoint{w.newest, known} {
		if older.Size == 0 {
			continue
		}
		if ok && older.Size > cp.Size {
			return cp, nil, evidence.Conflict("a checkpoint was signed for %d entries on this machine, and this copy of the case holds %d", older.Size, cp.Size).
				WithHint("go on with the newest copy of the case")
		}
		if err := merklelog.CheckGrowth(older, cp.Size, cp.Root, c.hashes(ctx)); err != nil {
			return cp, nil, err
		}
	}
	signed, err := w.signer.Sign(cp)
	if err != nil {
		return cp, nil, err
	}
	err = w.transaction(ctx, func() error {
		_, err := w.sql.ExecContext(ctx, "INSERT INTO checkpoint (origin, size, note) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", cp.Origin, cp.Size, signed)
		return err
	})
	if err != nil {
		return cp, nil, c.explain(fmt.Errorf("keep checkpoint of size %d: %w", cp.Size, err))
	}
	var kept []byte
	if err := c.db.Read.QueryRowContext(ctx, "SELECT note FROM checkpoint WHERE origin = ? AND size = ?", cp.Origin, cp.Size).Scan(&kept); err != nil {
		return cp, nil, c.explain(fmt.Errorf("read back checkpoint of size %d: %w", cp.Size, err))
	}
	back, err := merklelog.OpenCheckpoint(kept, info.Key)
	if err != nil {
		return cp, nil, err
	}
	if back != cp {
		return cp, nil, evidence.Conflict("another checkpoint was signed for %d entries: root %v, and now %v", cp.Size, back.Root, cp.Root)
	}
	return cp, kept, nil
}
