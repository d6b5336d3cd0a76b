//go:build cgo

package whisper

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/timing"
)

// queue holds the bursts that no worker has taken yet, in the order of their coming.
type queue struct {
	mu     sync.Mutex
	come   sync.Cond // something came, or closed was set
	bursts []*burst
	passed int // times the first was passed over for one that fitted a batch better
	closed bool
}

// mostPassed is how often the first in the queue lets others go before.
const mostPassed = 16

func newQueue() *queue {
	q := &queue{}
	q.come.L = &q.mu
	return q
}

func (q *queue) put(b *burst) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bursts = append(q.bursts, b)
	q.come.Signal()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.come.Broadcast()
}

// take returns the first burst, or where fits is given the first that fits. It waits for one if wait is set, and
// returns nil where there is none.
func (q *queue) take(wait bool, fits func(*burst) bool) *burst {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.bursts) == 0 {
		if !wait || q.closed {
			return nil
		}
		q.come.Wait()
	}
	for i, b := range q.bursts {
		if fits == nil || fits(b) {
			if q.passed++; i == 0 {
				q.passed = 0
			}
			q.bursts = slices.Delete(q.bursts, i, i+1)
			return b
		}
		if q.passed >= mostPassed {
			return nil // its turn comes when the batch is empty
		}
	}
	return nil
}

// remove takes a burst out again, unless a worker has it.
func (q *queue) remove(b *burst) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.bursts, b)
	if i >= 0 {
		q.bursts = slices.Delete(q.bursts, i, i+1)
	}
	return i >= 0
}

// worker hears on one thread: it owns a batch, and the coroutines of the bursts in it.
type worker struct {
	m     *Model
	batch *batch
	m1    int    // tokens of a step that the batch is at
	later []*row // bursts that wait for a batch of another width
}

func (m *Model) work() {
	w := &worker{m: m, batch: newBatch(m), m1: 1}
	for w.admit() {
		w.advance()
	}
	w.batch.release()
}

// admit fills the batch while bursts are waiting. Without any it waits for one; it returns false when there is nothing
// left to do ever.
func (w *worker) admit() bool {
	b := w.batch
	for len(b.rows) == 0 || w.m1 == 1 && len(b.rows) < b.slots {
		r := w.nextRow(len(b.rows) == 0)
		if r == nil {
			return len(b.rows) > 0
		}
		if len(b.rows) == 0 {
			w.m1 = 1
			b.open(r.want.window)
		}
		b.take(r)
		w.serve(r)
	}
	return true
}

// nextRow returns a burst for the batch, one whose window is the batch's unless that is empty.
func (w *worker) nextRow(empty bool) *row {
	for i, r := range w.later {
		if empty || r.want.window == w.batch.shown {
			w.later = slices.Delete(w.later, i, i+1)
			return r
		}
	}
	fits := func(b *burst) bool { return w.m.params.shown(len(b.pcm), b.noisy) == w.batch.shown }
	if empty {
		fits = nil
	}
	for {
		b := w.m.queue.take(empty && len(w.later) == 0, fits)
		if b == nil {
			return nil
		}
		r := &row{burst: b}
		r.next, r.stop = iter.Pull(func(yield func(want) bool) {
			r.yield = yield
			b.heard, b.err = r.hear()
		})
		if w.resume(r) { // it says what it wants first: the encoder
			return r
		}
	}
}

// resume lets a burst's hearing go on until it wants something, and returns whether it does; else it is over.
func (w *worker) resume(r *row) bool {
	if err := r.ctx.Err(); err != nil {
		r.stop()
		w.over(r, err)
		return false
	}
	var more bool
	if r.want, more = r.next(); !more {
		w.over(r, nil)
	}
	return more
}

func (w *worker) over(r *row, err error) {
	if err != nil {
		r.err = err
	}
	if r.batch != nil {
		r.batch.drop(r)
	}
	close(r.done)
}

// serve runs the encoder for a burst as long as that is what it wants, and puts it off where it wants a window that
// the batch does not have.
func (w *worker) serve(r *row) {
	for r.want.tokens == 0 {
		b := w.batch
		if r.want.window != b.shown {
			b.drop(r)
			w.later = append(w.later, r)
			return
		}
		err := w.m.enter(r.ctx, r.want.window.samples)
		if err == nil {
			err = b.encode(r.slot, r.want.pcm)
			w.m.leave(r.want.window.samples)
		}
		if err != nil {
			r.stop()
			w.over(r, err)
			return
		}
		if !w.resume(r) {
			return
		}
	}
}

// advance makes one step of the decoder for the bursts that want steps of the same size, the greedy ones first, and
// lets them go on.
func (w *worker) advance() {
	b := w.batch
	n := w.gather()
	if n == 0 { // those that are left want another size
		if len(b.rows) == 0 {
			return
		}
		w.m1 = b.rows[0].want.tokens
		n = w.gather()
	}
	err := b.step(n, w.m1)
	rows := slices.Clone(b.rows[:n])
	for _, r := range rows {
		if err != nil {
			r.stop()
			w.over(r, err)
		} else if w.resume(r) {
			w.serve(r)
		}
	}
}

// gather brings the bursts that want steps of the batch's size to the front, and counts them.
func (w *worker) gather() int {
	n := 0
	for i := range w.batch.rows {
		if w.batch.rows[i].want.tokens == w.m1 {
			w.batch.swap(i, n)
			n++
		}
	}
	return n
}

// enter waits until a window of that many samples may be encoded: the longest take much memory, and are encoded one
// after another.
func (m *Model) enter(ctx context.Context, samples int) error {
	if samples < longWindow {
		return nil
	}
	if err := m.long.Acquire(ctx, 1); err != nil {
		return err
	}
	spare(true)
	return nil
}

func (m *Model) leave(samples int) {
	if samples >= longWindow {
		spare(false)
		m.long.Release(1)
	}
}

// longWindow is the length from which windows are encoded one at a time.
const longWindow = 20 * rate

// Hear turns a burst, mono at 16 kHz in -1..1, into words. A burst longer than Params.LongestMs or with samples
// that are no numbers is an error of kind invalid: the caller cuts at pauses. Silence, noise and whatever else
// there is to hear are no errors. It waits for a worker; the more callers there are, the better their bursts are
// decoded together.
func (m *Model) Hear(ctx context.Context, pcm []float32, opts Options) (Heard, error) {
	if len(pcm) > m.params.LongestMs*rate/1000 {
		return Heard{}, evidence.Invalid("a burst of %.1f s is too long: at most %.1f s are heard at once", float64(len(pcm))/rate, float64(m.params.LongestMs)/1000).
			WithHint("cut it at a pause")
	}
	if opts.MaxTokens < 0 {
		return Heard{}, evidence.Invalid("max_tokens is %d", opts.MaxTokens)
	}
	if opts.Translate && !m.size.Translates() {
		return Heard{}, evidence.Invalid("turbo was not trained to translate").WithHint("whisper-base, -small, -medium and -large-v3 were")
	}
	loud, err := loudness(pcm)
	if err != nil {
		return Heard{}, err
	}
	if loud < float64(m.params.SilenceE6)/1e6 {
		return Heard{State: StateNoSpeech, Reason: "silence"}, nil
	}
	b := &burst{ctx: ctx, m: m, pcm: pcm, noisy: opts.Translate || timing.Range(pcm)*100 < float64(m.params.NoisyE2), opts: opts, done: make(chan struct{})}
	if ctx.Err() == nil {
		m.queue.put(b)
		select {
		case <-b.done:
		case <-ctx.Done():
			if !m.queue.remove(b) {
				<-b.done // its worker lets go of it soon
			}
		}
	}
	if ctx.Err() != nil {
		return Heard{}, evidence.Cancelled("hearing was stopped").Because(ctx.Err())
	}
	if b.err != nil {
		return Heard{}, fmt.Errorf("hear %.1f s: %w", float64(len(pcm))/rate, b.err)
	}
	return b.heard, nil
}
