//go:build cgo

package whisper

import (
	"context"
	"errors"
	"slices"
)

// row is one burst in a batch. Its hearing is written as one sequence (hear.go) that runs as a coroutine: wherever it
// needs the encoder or a step of the decoder it says so and pauses, and the worker that owns the batch resumes it with
// what it asked for. So bursts decode together without knowing of each other.
type row struct {
	*burst
	next  func() (want, bool)
	stop  func()
	want  want
	yield func(want) bool

	batch *batch // while it is in one
	slot  int

	// The cache: a place holds the keys and values of one token, whichever rival text it is part of.
	used, room int
	att        []float32 // the alignment heads' attention, a row of heads x width for each place
	in         []entry   // the tokens of the next step
	chained    int       // 1: they are one text, each sees those before it; 0: rivals
	logp       []float32 // log-probabilities of what follows each token of the last step; valid until the next
}

// want is what a burst waits for: the encoder over pcm in a window, or a step of that many tokens.
type want struct {
	pcm    []float32
	window window
	tokens int
}

// entry is a token that goes in, and the places of the tokens before it.
type entry struct {
	token int
	sees  []int
}

// burst is a call of Hear.
type burst struct {
	ctx   context.Context
	m     *Model
	pcm   []float32
	noisy bool // or to be translated: what is known of translations was measured in windows of noisy bursts
	opts  Options
	heard Heard
	err   error
	done  chan struct{}
}

// errStopped ends a coroutine whose caller has gone.
var errStopped = errors.New("stopped")

// encode has the encoder listen to pcm.
func (r *row) encode(pcm []float32, shown window) error {
	if !r.yield(want{pcm: pcm, window: shown}) {
		return errStopped
	}
	r.reset()
	return nil
}

// reset forgets all tokens.
func (r *row) reset() { r.used, r.room, r.att = 0, placesGrain, r.att[:0] }

// feed has the decoder read tokens at once: rivals, or where chained a text. It returns the place of the first of them.
// The places of the entries may be renumbered.
func (r *row) feed(chained int, in []entry) (int, error) {
	if m := len(in); r.used+m > r.room {
		if m > 1 {
			r.compact(in)
		}
		if r.used+m > r.room-placesGrain/4 || m == 1 {
			r.room += placesGrain
		}
	}
	r.in, r.chained = in, chained
	at := r.used
	if !r.yield(want{tokens: len(in)}) {
		return 0, errStopped
	}
	return at, nil
}

// compact forgets the tokens of rivals that have been given up.
func (r *row) compact(in []entry) {
	seen := make([]bool, r.used)
	for _, e := range in {
		for _, k := range e.sees {
			seen[k] = true
		}
	}
	var kept []int
	number := make([]int, r.used)
	for k, s := range seen {
		if s {
			number[k] = len(kept)
			kept = append(kept, k)
		}
	}
	r.batch.compact(r.slot, kept)
	wide := r.attWidth()
	for to, from := range kept {
		copy(r.att[to*wide:(to+1)*wide], r.att[from*wide:(from+1)*wide])
	}
	r.used, r.att = len(kept), r.att[:len(kept)*wide]
	for i := range in {
		for j, k := range in[i].sees {
			in[i].sees[j] = number[k]
		}
	}
}

func (r *row) attWidth() int { return r.m.size.Alignment * r.batch.width }

// attention returns the alignment heads' attention of the tokens at places, a row each.
func (r *row) attention(places []int) []float32 {
	wide := r.attWidth()
	out := make([]float32, 0, len(places)*wide)
	for _, k := range places {
		out = append(out, r.att[k*wide:(k+1)*wide]...)
	}
	return out
}

// read feeds a text, m tokens at a time, and returns the places of all that was read and the log-probabilities of what
// follows. A step of m tokens that is not full is filled up with tokens that nobody will see.
func (r *row) read(m int, places []int, text ...int) ([]int, []float32, error) {
	for len(text) > 0 {
		n := min(m, len(text))
		in := make([]entry, m)
		for i := range in {
			in[i] = entry{token: r.m.words.End, sees: places}
			if i < n {
				in[i].token = text[i]
			}
		}
		if m > 1 {
			for i := range in {
				in[i].sees = slices.Clone(places)
			}
		}
		at, err := r.feed(1, in)
		if err != nil {
			return nil, nil, err
		}
		places = slices.Clone(in[0].sees)
		for i := range n {
			places = append(places, at+i)
		}
		words := r.m.size.Words
		r.logp = r.logp[(n-1)*words : n*words]
		text = text[n:]
	}
	return places, r.logp, nil
}
