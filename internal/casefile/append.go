package casefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
	"github.com/earwitness/earwitness/internal/lockfile"
	"github.com/earwitness/earwitness/internal/merklelog"
	"github.com/earwitness/earwitness/internal/sqlitedb"
)

// batchRequests is how many requests share a transaction at most when many are waiting.
const batchRequests = 1024

// writer is what a case has that is open for writing.
type writer struct {
	world  world
	db     *sqlitedb.DB
	lock   *lockfile.Lock // of the case
	origin *lockfile.Lock // of its log's origin on this machine

	mu      sync.Mutex
	queue   []*request
	leading bool  // a request's goroutine is committing
	broken  error // why nothing is written any more
	edge    merklelog.Edge

	conn sync.Mutex // held while the one connection is in use; comes after mu
	sql  *sql.Conn
	put  struct{ entry, hash *sql.Stmt }

	publisher
}

// request is a group of entries that are added together or not at all.
type request struct {
	build func(x *index, first int64) ([]*prepared, error) // called in the order of commit
	wake  chan bool                                        // true: lead; false: done
	first int64
	err   error
}

// Append adds an entry and returns its index. It is durable then. NotFound: it names a recording or a blob that is not
// there. Conflict: there is a result with this key. Invalid: it is not what entries of its kind are.
//
// After any error the entry was not kept, unless the case takes no more entries from then on: that leaves it open, and
// the case has to be opened again.
func (c *Case) Append(ctx context.Context, author evidence.Author, kind string, body any) (int64, error) {
	if c.writer == nil {
		return 0, errReadOnly(c.dir)
	}
	e, err := evidence.NewEntry(kind, author, c.world.now(), body)
	if err != nil {
		return 0, err
	}
	return c.AppendAll(ctx, []evidence.Entry{e})
}

// AppendAll adds entries together or not at all, and returns the index of the first. An entry without a time gets the
// present one.
func (c *Case) AppendAll(ctx context.Context, entries []evidence.Entry) (int64, error) {
	if c.writer == nil {
		return 0, errReadOnly(c.dir)
	}
	if len(entries) == 0 {
		return 0, evidence.Invalid("there are no entries to add")
	}
	var ps []*prepared
	for _, e := range entries {
		switch e.Kind {
		case evidence.EntryCaseOpened, evidence.EntryEpochStarted, evidence.EntryRecordingReceived:
			return 0, evidence.Invalid("an entry of kind %s is not added by itself", e.Kind)
		}
		if e.Time.IsZero() {
			e.Time = c.world.now()
		}
		p, err := prepare(e)
		if err != nil {
			return 0, err
		}
		ps = append(ps, p)
	}
	return c.submit(ctx, func(*index, int64) ([]*prepared, error) { return ps, nil })
}

// Receive adds the entry of a recording whose blob is durable, under the next free name, and returns that name. Bytes
// that were received before are left as they are: already is true then, with the earlier name and index. rr.Recording
// is to be empty.
func (c *Case) Receive(ctx context.Context, author evidence.Author, rr evidence.RecordingReceived) (name string, idx int64, already bool, err error) {
	if c.writer == nil {
		return "", 0, false, errReadOnly(c.dir)
	}
	if rr.Recording != "" {
		return "", 0, false, evidence.Invalid("the case gives a recording its name: it cannot be %s", rr.Recording)
	}
	at := c.world.now()
	idx, err = c.submit(ctx, func(x *index, _ int64) ([]*prepared, error) {
		if known, first, ok := x.received(rr.Digest); ok {
			name, idx, already = known.Recording, first, true
			return nil, nil
		}
		name = fmt.Sprintf("REC-%04d", x.count()+1)
		rr.Recording = name
		e, err := evidence.NewEntry(evidence.EntryRecordingReceived, author, at, rr)
		if err != nil {
			return nil, err
		}
		p, err := prepare(e)
		return []*prepared{p}, err
	})
	if err != nil {
		return "", 0, false, err
	}
	if already {
		_, idx, _ = c.index.received(rr.Digest)
	}
	return name, idx, already, nil
}

// submit waits until a group is durable. Groups that wait at the same time share a transaction: the first to come leads
// and commits for all, then hands over to one that has come since.
func (c *Case) submit(ctx context.Context, build func(x *index, first int64) ([]*prepared, error)) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, evidence.Cancelled("nothing was added to the case").Because(err)
	}
	w := c.writer
	r := &request{build: build, wake: make(chan bool, 1)}
	w.mu.Lock()
	if w.broken != nil {
		defer w.mu.Unlock()
		return 0, w.broken
	}
	w.queue = append(w.queue, r)
	lead := !w.leading
	w.leading = true
	w.mu.Unlock()
	if lead || <-r.wake {
		c.lead()
	}
	return r.first, r.err
}

// lead commits what is waiting, the leader's own request among it, and hands over.
func (c *Case) lead() {
	w := c.writer
	w.mu.Lock()
	batch := w.queue[:min(len(w.queue), batchRequests)]
	w.queue = w.queue[len(batch):]
	broken := w.broken
	w.mu.Unlock()
	if err := c.folder.Err(); broken == nil && err != nil {
		broken = w.stopFor(err)
	}
	if broken == nil {
		c.commit(batch)
	} else {
		for _, r := range batch {
			r.err = broken
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range batch[1:] {
		r.wake <- false
	}
	if len(w.queue) > 0 {
		w.queue[0].wake <- true
	} else {
		w.leading = false
	}
}

// commit writes a batch in one transaction and gives each request its outcome.
func (c *Case) commit(batch []*request) {
	w := c.writer
	w.mu.Lock()
	edge := w.edge
	w.mu.Unlock()
	all := newIndex(c.index)
	var add []*prepared
	for _, r := range batch {
		r.first = edge.Size() + int64(len(add))
		own := newIndex(all)
		ps, err := r.build(own, r.first)
		for i, p := range ps {
			if err == nil {
				err = c.admit(own, r.first+int64(i), p)
			}
		}
		if err != nil {
			r.err = durable.Explain(err, c.dir)
			continue
		}
		all.merge(own)
		add = append(add, ps...)
	}
	if len(add) == 0 {
		return
	}
	// Whoever waits in this batch has a context of its own; one that is cancelled does not undo the work of the others.
	grown, err := w.insert(context.Background(), edge, add)
	if err != nil {
		err = durable.Explain(sqlitedb.Explain(fmt.Errorf("add %d entries: %w", len(add), err), "case.db"), c.dir)
		if sqlitedb.SyncFailed(err) || !w.unchanged(edge.Size()) {
			err = w.stopFor(err)
		}
		for _, r := range batch {
			if r.err == nil {
				r.err = err
			}
		}
		return
	}
	c.index.merge(all)
	c.index.mu.Lock()
	c.index.next = grown.Size()
	c.index.mu.Unlock()
	w.mu.Lock()
	w.edge = grown
	w.mu.Unlock()
}

// unchanged makes sure that a failed transaction has left nothing.
func (w *writer) unchanged(size int64) bool {
	var n int64
	err := w.db.Read.QueryRow("SELECT coalesce(max(idx) + 1, 0) FROM entry").Scan(&n)
	return err == nil && n == size
}

// connect takes the writing connection and prepares what is said on it often.
func (w *writer) connect(ctx context.Context) (err error) {
	if w.sql, err = w.db.Write.Conn(ctx); err != nil {
		return fmt.Errorf("connect to case.db: %w", err)
	}
	if w.put.entry, err = w.sql.PrepareContext(ctx, "INSERT INTO entry (idx, salt, bytes) VALUES (?, ?, ?)"); err != nil {
		return fmt.Errorf("prepare to add entries: %w", err)
	}
	if w.put.hash, err = w.sql.PrepareContext(ctx, "INSERT INTO hash (idx, hash) VALUES (?, ?)"); err != nil {
		return fmt.Errorf("prepare to add hashes: %w", err)
	}
	return nil
}

func (w *writer) disconnect() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.put.entry, w.put.hash} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if w.sql != nil {
		errs = append(errs, w.sql.Close())
	}
	w.put.entry, w.put.hash, w.sql = nil, nil, nil
	return errors.Join(errs...)
}

// insert writes entries and their hashes in one transaction, which is on the disk when it returns.
func (w *writer) insert(ctx context.Context, edge merklelog.Edge, add []*prepared) (merklelog.Edge, error) {
	salts := make([][merklelog.SaltSize]byte, len(add))
	commitments := make([]merklelog.Commitment, len(add))
	for i, p := range add {
		if _, err := io.ReadFull(w.world.rand, salts[i][:]); err != nil {
			return edge, fmt.Errorf("make salt: %w", err)
		}
		commitments[i] = merklelog.Commit(salts[i], p.bytes)
	}
	grown, hashes, err := edge.Grow(commitments)
	if err != nil {
		return edge, err
	}
	err = w.transaction(ctx, func() error {
		for i, p := range add {
			if _, err := w.put.entry.ExecContext(ctx, edge.Size()+int64(i), salts[i][:], p.bytes); err != nil {
				return err
			}
		}
		first := tlog.StoredHashIndex(0, edge.Size())
		for i, h := range hashes {
			if _, err := w.put.hash.ExecContext(ctx, first+int64(i), h[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return edge, err
	}
	return grown, nil
}

func (w *writer) transaction(ctx context.Context, do func() error) error {
	w.conn.Lock()
	defer w.conn.Unlock()
	if w.sql == nil {
		return errors.New("the case is closed")
	}
	return sqlitedb.Transaction(ctx, w.sql, do)
}

// stopFor makes a failed write the last one, and returns what every later one is told.
func (w *writer) stopFor(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.broken = (&evidence.Error{Message: "the case takes no more entries after a write that went wrong", Err: err}).
			WithHint("run the command again: what was reported as kept is kept, and the rest is done then")
	}
	return w.broken
}

// stop ends writing: no request is taken any more, and those under way have ended when it returns.
func (w *writer) stop() error {
	w.mu.Lock()
	if w.broken == nil {
		w.broken = evidence.Conflict("the case is closed")
	}
	w.mu.Unlock()
	w.conn.Lock()
	defer w.conn.Unlock()
	return w.disconnect()
}

// unlock lets others write.
func (w *writer) unlock() error {
	var errs []error
	for _, l := range []*lockfile.Lock{w.origin, w.lock} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}
