package web

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/transcript"
)

// desk is what the case says now, kept up with its log.
type desk struct {
	c *casefile.Case

	mu      sync.RWMutex
	state   transcript.State
	people  map[string]admitted
	written []int64 // entries that people wrote, oldest first
}

// change is what entries are about: a recording, or a stretch of it.
type change struct {
	recording string
	span      *evidence.Span // nil: all of it
}

// follow takes in what was added to the log, and returns what it is about.
func (d *desk) follow(ctx context.Context) ([]change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var changed []change
	_, err := d.c.Follow(ctx, d.state.Next(), func(idx int64, e evidence.Entry) error {
		if err := d.state.Apply(idx, e); err != nil {
			return err
		}
		if e.Kind == evidence.EntryPersonAdmitted {
			if err := d.members(idx, e); err != nil {
				return err
			}
		}
		if e.Author.Kind == "person" && e.Kind != evidence.EntryTransmissionPlayed && e.Kind != evidence.EntryCaseOpened {
			d.written = append(d.written, idx)
		}
		changed = merge(changed, e)
		return nil
	})
	return changed, err
}

// merge adds what an entry is about.
func merge(changed []change, e evidence.Entry) []change {
	var about struct {
		Recording string          `json:"recording"`
		Span      *evidence.Span  `json:"span"`
		Was       []evidence.Span `json:"was"`
		Now       []evidence.Span `json:"now"`
	}
	if err := json.Unmarshal(e.Body, &about); err != nil || about.Recording == "" {
		return changed
	}
	if e.Kind == evidence.EntryTransmissionsCut {
		h := hull(slices.Concat(about.Was, about.Now))
		about.Span = &h
	}
	for i, c := range changed {
		if c.recording != about.Recording {
			continue
		}
		if c.span == nil || about.Span == nil {
			changed[i].span = nil
		} else {
			h := hull([]evidence.Span{*c.span, *about.Span})
			changed[i].span = &h
		}
		return changed
	}
	return append(changed, change{about.Recording, about.Span})
}

func (d *desk) entries() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Next()
}

func (d *desk) recordings() []transcript.Recording {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Recordings()
}

func (d *desk) recording(id string) (transcript.Recording, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Recording(id)
}

// lines returns the lines of a recording, and how many entries they follow from.
func (d *desk) lines(id string) ([]transcript.Line, int64, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	l, err := d.state.Lines(id)
	return l, d.state.Next(), err
}

// around returns the lines of a recording that overlap a span.
func (d *desk) around(id string, sp evidence.Span) ([]transcript.Line, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.LinesIn(id, sp)
}

// line returns the line with a span; nil where there is none.
func (d *desk) line(id string, sp evidence.Span) (*transcript.Line, error) {
	lines, err := d.around(id, sp)
	for i := range lines {
		if lines[i].Samples == sp {
			return &lines[i], err
		}
	}
	return nil, err
}

// sound returns where the sound of a recording is.
func (d *desk) sound(id string) (transcript.Sound, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Sound(id)
}

func (d *desk) sounds() []transcript.Sound {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Sounds()
}

func (d *desk) all() []transcript.Line {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.AllLines()
}

func (d *desk) carried() []transcript.Carried {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Carried()
}

func (d *desk) history(id string, sp evidence.Span) ([]int64, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.History(id, sp)
}

// newest returns the last entries that people wrote, newest first.
func (d *desk) newest(n int) []int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := slices.Clone(d.written[max(0, len(d.written)-n):])
	slices.Reverse(out)
	return out
}
