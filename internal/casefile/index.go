package casefile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile/chains"
)

// index is what lookups and the rules for new entries need to know of the entries so far. It is never stored: it
// follows from the entries.
//
// An index with a parent holds what a group of entries adds before it is committed; merge moves it down.
type index struct {
	parent *index

	mu         sync.RWMutex
	opened     *evidence.CaseOpened
	openedAt   time.Time
	epochs     []evidence.EpochStarted
	recordings int // how many, with the parent's
	byName     map[string]*recording
	byDigest   map[evidence.Digest]*recording
	results    map[evidence.Digest]int64
	statements map[int64]string // index of an entry that describes a recording
	samples    map[string]int64 // of the longest decoded sound of a recording
	written    *chains.Chains   // what people have written
	next       int64            // entries taken in; only of an index without a parent
}

type recording struct {
	body evidence.RecordingReceived
	idx  int64
}

func newIndex(parent *index) *index {
	x := &index{parent: parent, byName: map[string]*recording{}, byDigest: map[evidence.Digest]*recording{},
		results: map[evidence.Digest]int64{}, statements: map[int64]string{}, samples: map[string]int64{}}
	if parent == nil {
		x.written = chains.New(nil)
	} else {
		x.recordings, x.written = parent.count(), chains.New(parent.written)
	}
	return x
}

func (x *index) count() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.recordings
}

func (x *index) info() Info {
	x.mu.RLock()
	defer x.mu.RUnlock()
	i := Info{Title: x.opened.Title, Policy: x.opened.Policy, Program: x.opened.Program, Opened: x.openedAt,
		Origin: x.opened.Origin, Key: x.opened.Key, Epochs: append([]evidence.EpochStarted(nil), x.epochs...)}
	if n := len(x.epochs); n > 0 {
		i.Origin, i.Key = x.epochs[n-1].Origin, x.epochs[n-1].Key
	}
	return i
}

// lookup finds a value in x or its parents.
func lookup[K comparable, V any](x *index, of func(*index) map[K]V, key K) (V, bool) {
	for ; x != nil; x = x.parent {
		x.mu.RLock()
		v, ok := of(x)[key]
		x.mu.RUnlock()
		if ok {
			return v, true
		}
	}
	var none V
	return none, false
}

func (x *index) received(d evidence.Digest) (evidence.RecordingReceived, int64, bool) {
	r, ok := lookup(x, func(x *index) map[evidence.Digest]*recording { return x.byDigest }, d)
	if !ok {
		return evidence.RecordingReceived{}, 0, false
	}
	return r.body, r.idx, true
}

func (x *index) recording(name string) (evidence.RecordingReceived, int64, bool) {
	r, ok := lookup(x, func(x *index) map[string]*recording { return x.byName }, name)
	if !ok {
		return evidence.RecordingReceived{}, 0, false
	}
	return r.body, r.idx, true
}

func (x *index) result(key evidence.Digest) (int64, bool) {
	return lookup(x, func(x *index) map[evidence.Digest]int64 { return x.results }, key)
}

func (x *index) statement(idx int64) (string, bool) {
	return lookup(x, func(x *index) map[int64]string { return x.statements }, idx)
}

func (x *index) decoded(recording string) (int64, bool) {
	return lookup(x, func(x *index) map[string]int64 { return x.samples }, recording)
}

// add takes in what an entry at idx means.
func (x *index) add(idx int64, body any, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch b := body.(type) {
	case evidence.CaseOpened:
		x.opened, x.openedAt = &b, at
	case evidence.EpochStarted:
		x.epochs = append(x.epochs, b)
	case evidence.RecordingReceived:
		r := &recording{b, idx}
		x.byName[b.Recording], x.byDigest[b.Digest], x.statements[idx] = r, r, b.Recording
		x.recordings++
	case evidence.RecordingDescribed:
		x.statements[idx] = b.Recording
	case resultFacts:
		x.results[b.key] = idx
		if b.samples > 0 {
			earlier, _ := x.parent.decoded(b.recording)
			x.samples[b.recording] = max(b.samples, earlier, x.samples[b.recording])
		}
	}
}

// merge moves what a child has added into x.
func (x *index) merge(child *index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if child.opened != nil {
		x.opened, x.openedAt = child.opened, child.openedAt
	}
	x.epochs = append(x.epochs, child.epochs...)
	x.recordings = child.recordings
	maps.Copy(x.byName, child.byName)
	maps.Copy(x.byDigest, child.byDigest)
	maps.Copy(x.results, child.results)
	maps.Copy(x.statements, child.statements)
	x.written.Merge(child.written)
	for name, n := range child.samples {
		x.samples[name] = max(x.samples[name], n)
	}
}

// resultFacts is what the index keeps of a result.
type resultFacts struct {
	key       evidence.Digest
	recording string
	samples   int64 // of a decoding
}

// addStored takes in an entry as it is stored. Its bytes were checked when they were written; only what the index needs
// is looked at.
func (x *index) addStored(idx int64, stored []byte) error {
	switch kind := storedKind(stored); kind {
	case evidence.EntryIntakeRefused, evidence.EntryFailure, evidence.EntryHearingChosen, evidence.EntryOriginalExported:
		return nil
	case evidence.EntryResult:
		var r struct {
			Body struct {
				Key       evidence.Digest `json:"key"`
				Recording string          `json:"recording"`
				Stage     string          `json:"stage"`
				Output    json.RawMessage `json:"output"`
			} `json:"body"`
		}
		err := json.Unmarshal(stored, &r)
		f := resultFacts{key: r.Body.Key, recording: r.Body.Recording}
		if err == nil && r.Body.Stage == evidence.StageDecode {
			var d evidence.Decoded
			err = json.Unmarshal(r.Body.Output, &d)
			f.samples = d.Samples
		}
		if err != nil {
			return damagedEntry(idx, err)
		}
		x.add(idx, f, time.Time{})
		return nil
	case evidence.EntryRecordingReceived:
		var r struct {
			Body evidence.RecordingReceived `json:"body"`
		}
		if err := json.Unmarshal(stored, &r); err != nil {
			return damagedEntry(idx, err)
		}
		x.add(idx, r.Body, time.Time{})
		return nil
	}
	e, err := evidence.ParseEntry(stored)
	if err != nil {
		return damagedEntry(idx, err)
	}
	body, err := decodeBody(e)
	if err != nil {
		return damagedEntry(idx, err)
	}
	if _, opened := body.(evidence.CaseOpened); opened != (idx == 0) {
		return damagedEntry(idx, fmt.Errorf("it is a %s", e.Kind))
	}
	if w, ok := chains.Of(e.Author, body); ok {
		x.written.Take(idx, w)
		return nil
	}
	x.add(idx, body, e.Time)
	return nil
}

func damagedEntry(idx int64, err error) error {
	return evidence.Damaged("entry %d is not what a case holds there", idx).Because(err).
		WithHint("run `earwitness verify` to see what is damaged, and bring case.db back from a copy")
}

// storedKind reads the kind off the end of canonical bytes, where it has a fixed place:
// ..."kind":"KIND","time":"2026-11-23T15:04:05.678Z","version":1}
func storedKind(b []byte) string {
	const tail = len(`","time":"` + evidence.TimeFormat + `","version":1}`)
	if len(b) < tail {
		return ""
	}
	head := b[:len(b)-tail]
	return string(head[bytes.LastIndexByte(head, '"')+1:])
}
