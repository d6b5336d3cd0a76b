package pipeline

import (
	"container/heap"
	"context"
	"sync"
)

// budget shares the threads of a run between the recordings that are scanned (decoded and searched) and the bursts that
// are heard. A scan takes one thread; the rest, and never less than one, is for hearing. While bursts wait, one thread is
// kept from scans, so that hearing goes on beside them; and while very many wait, no further recording is begun, so that
// neither they nor open files grow with the case.
type budget struct {
	threads int
	ahead   int // bursts handed to the recogniser for each of its threads

	mu      sync.Mutex
	change  *sync.Cond
	scans   int
	hearing int // bursts handed to the recogniser
	waiting bursts
	closed  bool
}

const mostWaiting = 256 // bursts, above which no recording is begun

func newBudget(threads, ahead int) *budget {
	b := &budget{threads: max(1, threads), ahead: max(1, ahead)}
	b.change = sync.NewCond(&b.mu)
	return b
}

// wait returns true once ready does, false when ctx has ended. mu is held.
func (b *budget) wait(ctx context.Context, ready func() bool) bool {
	stop := context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.change.Broadcast()
	})
	defer stop()
	for ctx.Err() == nil && !ready() {
		b.change.Wait()
	}
	return ctx.Err() == nil
}

// scan waits until one more recording may be scanned; scanned gives its thread back.
func (b *budget) scan(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.wait(ctx, func() bool {
		most := b.threads
		if len(b.waiting)+b.hearing > 0 {
			most = max(1, most-1)
		}
		return b.scans < most && len(b.waiting) < mostWaiting
	}) {
		return ctx.Err()
	}
	b.scans++
	return nil
}

func (b *budget) scanned() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scans--
	b.change.Broadcast()
}

// put lets a burst wait to be heard. It reports false where nobody will hear it any more.
func (b *budget) put(x *burst) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	heap.Push(&b.waiting, x)
	b.change.Broadcast()
	return true
}

// take returns the next burst to be handed to the recogniser, nil once the budget is closed or ctx has ended. heard gives
// its place back.
func (b *budget) take(ctx context.Context) *burst {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.wait(ctx, func() bool {
		return b.closed || len(b.waiting) > 0 && b.hearing < b.ahead*max(1, b.threads-b.scans)
	}) || b.closed {
		return nil
	}
	b.hearing++
	x, _ := heap.Pop(&b.waiting).(*burst)
	b.change.Broadcast()
	return x
}

func (b *budget) heard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hearing--
	b.change.Broadcast()
}

// close ends take and put. The bursts that still wait are not heard.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, x := range b.waiting {
		x.t.bursts.Done()
	}
	b.waiting, b.closed = nil, true
	b.change.Broadcast()
}

// bursts is a heap: the first few of every recording in their order, since somebody waits for its first text, then long
// ones before short ones, since a recogniser that hears several at once takes as long as the longest of them.
type bursts []*burst

func (h bursts) Len() int { return len(h) }

func (h bursts) Less(i, j int) bool {
	a, b := h[i], h[j]
	switch {
	case a.early != b.early:
		return a.early
	case !a.early && a.span.Len() != b.span.Len():
		return a.span.Len() > b.span.Len()
	case a.t.place != b.t.place:
		return a.t.place < b.t.place
	}
	return a.span.From < b.span.From
}

func (h bursts) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *bursts) Push(x any) {
	if b, ok := x.(*burst); ok {
		*h = append(*h, b)
	}
}

func (h *bursts) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return x
}
