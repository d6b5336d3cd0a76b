package casefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/merklelog"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

// Reading happens in portions, so that a slow reader does not keep the write-ahead log from being folded in.
const (
	portionEntries = 512
	portionBytes   = 4 << 20
)

// stored is an entry as it stands in case.db.
type stored struct {
	idx   int64
	salt  [merklelog.SaltSize]byte
	bytes []byte
}

// Len returns the number of entries.
func (c *Case) Len(ctx context.Context) (int64, error) {
	var n int64
	if err := c.db.Read.QueryRowContext(ctx, "SELECT coalesce(max(idx) + 1, 0) FROM entry").Scan(&n); err != nil {
		return 0, c.explain(fmt.Errorf("count entries: %w", err))
	}
	return n, nil
}

func (c *Case) explain(err error) error { return sqlitedb.Explain(err, "case.db") }

// Read returns one entry. NotFound: there are not so many.
func (c *Case) Read(ctx context.Context, idx int64) (evidence.Entry, error) {
	s, err := c.readStored(ctx, idx)
	if err != nil {
		return evidence.Entry{}, err
	}
	e, err := evidence.ParseEntry(s.bytes)
	if err != nil {
		return evidence.Entry{}, damagedEntry(idx, err)
	}
	return e, nil
}

func (c *Case) readStored(ctx context.Context, idx int64) (stored, error) {
	var salt []byte
	s := stored{idx: idx}
	err := c.db.Read.QueryRowContext(ctx, "SELECT salt, bytes FROM entry WHERE idx = ?", idx).Scan(&salt, &s.bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return s, evidence.NotFound("there is no entry %d", idx).WithHint("see which there are with: earwitness log")
	}
	if err != nil {
		return s, c.explain(fmt.Errorf("read entry %d: %w", idx, err))
	}
	copy(s.salt[:], salt)
	return s, nil
}

// Follow calls fn for each entry from an index on, in order, as far as there are entries when it gets there, and
// returns the index to go on from another time. It stops at the first error of fn and returns it as it is.
func (c *Case) Follow(ctx context.Context, from int64, fn func(idx int64, e evidence.Entry) error) (next int64, err error) {
	return c.follow(ctx, from, func(s stored) error {
		e, err := evidence.ParseEntry(s.bytes)
		if err != nil {
			return damagedEntry(s.idx, err)
		}
		return fn(s.idx, e)
	})
}

func (c *Case) follow(ctx context.Context, from int64, fn func(stored) error) (next int64, err error) {
	next = max(from, 0)
	for {
		portion, err := c.portion(ctx, next)
		if err != nil {
			return next, err
		}
		if len(portion) == 0 {
			return next, nil
		}
		for _, s := range portion {
			if s.idx != next {
				return next, evidence.Damaged("case.db is damaged: entry %d is missing before entry %d", next, s.idx).
					WithHint("bring the file back from a copy")
			}
			if err := fn(s); err != nil {
				return next, err
			}
			next++
		}
	}
}

// portion reads some entries from an index on.
func (c *Case) portion(ctx context.Context, from int64) (out []stored, err error) {
	rows, err := c.db.Read.QueryContext(ctx, "SELECT idx, salt, bytes FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?", from, portionEntries)
	if err != nil {
		return nil, c.explain(fmt.Errorf("read entries from %d: %w", from, err))
	}
	defer func() { err = errors.Join(err, c.explain(rows.Close())) }()
	for size := 0; size < portionBytes && rows.Next(); {
		var s stored
		var salt sql.RawBytes
		if err := rows.Scan(&s.idx, &salt, &s.bytes); err != nil {
			return nil, c.explain(fmt.Errorf("read entries from %d: %w", from, err))
		}
		copy(s.salt[:], salt)
		size += len(s.bytes)
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, c.explain(fmt.Errorf("read entries from %d: %w", from, err))
	}
	return out, nil
}

// refresh takes the entries into the index that it does not have.
func (c *Case) refresh(ctx context.Context) error {
	next, err := c.follow(ctx, c.index.next, func(s stored) error { return c.index.addStored(s.idx, s.bytes) })
	c.index.mu.Lock()
	c.index.next = next
	c.index.mu.Unlock()
	return err
}

// hashes reads the Merkle tree that stands in case.db.
func (c *Case) hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := []byte{'['}
		at := make(map[int64][]int, len(indexes))
		for i, x := range indexes {
			if i > 0 {
				list = append(list, ',')
			}
			list = fmt.Append(list, x)
			at[x] = append(at[x], i)
		}
		list = append(list, ']')
		rows, err := c.db.Read.QueryContext(ctx, "SELECT idx, hash FROM hash WHERE idx IN (SELECT value FROM json_each(?))", string(list))
		if err != nil {
			return nil, c.explain(fmt.Errorf("read hashes: %w", err))
		}
		out := make([]tlog.Hash, len(indexes))
		for rows.Next() {
			var x int64
			var h sql.RawBytes
			if err := rows.Scan(&x, &h); err != nil {
				return nil, errors.Join(c.explain(fmt.Errorf("read hashes: %w", err)), rows.Close())
			}
			for _, i := range at[x] {
				copy(out[i][:], h)
			}
			delete(at, x)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, c.explain(fmt.Errorf("read hashes: %w", err))
		}
		for x := range at {
			return nil, evidence.Damaged("case.db is damaged: the hash %d of its log is missing", x).WithHint("bring the file back from a copy")
		}
		return out, nil
	})
}
