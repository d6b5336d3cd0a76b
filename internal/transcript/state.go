// Package transcript is what a case says at this moment: its recordings, their transmissions, and the
// current machine text of each, as lines that a person reads or a program takes away.
//
// It is a projection of the log's entries, given to it one by one, and holds nothing that could not be
// computed again. It never reads a file, a database or a clock.
package transcript

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// State is the projection. The zero value is a case of which nothing is known yet. It is not safe for
// concurrent use.
type State struct {
	next       int64
	recordings []*recording // in the order of intake
	byID       map[string]*recording
}

// recording is all that is current about one recording.
type recording struct {
	Recording
	transmissions []evidence.Transmission
	detectIdx     int64                    // of the entry they come from
	heard         map[hearing]*heard       // by the span that was given to the recogniser, and by the model
	newest        map[evidence.Span]*heard // of each span, whichever model heard it
	chosen        string                   // digest of the model whose hearing counts; "" for the newest
	failures      map[work]Failure
	english       map[evidence.Digest]*translated // the newest translation by a machine, by the key of the hearing that it belongs to
	passages      map[evidence.Span]*passage      // what people have stated
	marks         []Mark                          // that are set
	marksOff      map[Mark]int64                  // the entries that took marks off, by mark and span
	markEntries   []Mark                          // every setting and taking off, with nothing but span and entry
}

// hearing is what one model made of one span; a later engine's hearing with the same model takes its place.
type hearing struct {
	span  evidence.Span
	model string // digest
}

// work is a piece of work that can fail: a stage over a span, or over a whole recording.
type work struct {
	stage string
	span  evidence.Span // zero: the whole recording
}

// Recording is what is known of a recording.
type Recording struct {
	ID         string               `json:"recording"` // REC-0001
	Digest     evidence.Digest      `json:"digest"`
	Name       string               `json:"file"`                 // the file's name, as received
	Size       int64                `json:"size"`                 // bytes
	Entry      int64                `json:"entry"`                // index of the entry that received it
	Reception  evidence.Reception   `json:"reception"`            // as last described
	Decoded    *evidence.Decoded    `json:"decoded,omitempty"`    // of the newest decode; absent before it
	Detected   bool                 `json:"detected"`             // a detect result is there, perhaps with no transmissions
	Background *evidence.Background `json:"background,omitempty"` // what it sounds like while nobody transmits
	Failures   []Failure            `json:"failures,omitempty"`   // of stages over the whole recording that no result has overtaken
	States     map[string]int       `json:"states,omitempty"`     // how many transmissions are in which state
	Count      int                  `json:"transmissions"`        // how many there are
	Start      *time.Time           `json:"start,omitempty"`      // of the first sample, in its own offset, where stated
	Listened   int64                `json:"listened,omitempty"`   // samples the voice detector was shown
	Synthetic  bool                 `json:"synthetic,omitempty"`  // made, not received
}

// Failure says which stage could not be done and why.
type Failure struct {
	Entry   int64  `json:"entry"`
	Hint    string `json:"hint,omitempty"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Stage   string `json:"stage"`
}

// heard is one result of the stage hear, packed: a case holds hundreds of thousands of words.
type heard struct {
	entry     int64
	key       evidence.Digest
	span      evidence.Span
	engine    *origin
	state     string
	reason    string
	text      string
	languages []evidence.Language
	logProb   int32
	words     []packedWord
	letters   string // the words' texts, one after the other
}

// packedWord is a word; its text ends at byte end of letters and starts where the one before it ends.
type packedWord struct {
	from, to int64
	end      int32
	p        int32 // with boostedBit where the word was heard only with its odds raised
}

const boostedBit = 1 << 20

// origin is what made a result. Results of one engine share it.
type origin struct {
	engine, build, model, modelDigest string
}

// Next returns the index of the entry that Apply expects.
func (s *State) Next() int64 { return s.next }

// Apply takes in the entry at index idx of the log. Entries come in the order of the log, without a gap.
// A body that does not fit its kind, or that names a recording never received, is a Damaged error: the
// writer of a case does not write it.
func (s *State) Apply(idx int64, e evidence.Entry) error {
	if idx != s.next {
		return fmt.Errorf("apply entry %d where entry %d is next", idx, s.next)
	}
	if err := s.apply(idx, e); err != nil {
		return evidence.Damaged("entry %d (%s) cannot be read", idx, e.Kind).Because(err).WithHint("run `earwitness verify`")
	}
	s.next++
	return nil
}

func (s *State) apply(idx int64, e evidence.Entry) error {
	switch e.Kind {
	case evidence.EntryRecordingReceived:
		b, err := evidence.DecodeBody[evidence.RecordingReceived](e, e.Kind)
		if err != nil {
			return err
		}
		return s.received(idx, b)
	case evidence.EntryRecordingDescribed:
		b, err := evidence.DecodeBody[evidence.RecordingDescribed](e, e.Kind)
		if err != nil {
			return err
		}
		r, err := s.find(b.Recording)
		if err != nil {
			return err
		}
		r.describe(b.Reception)
	case evidence.EntryResult:
		b, err := evidence.DecodeBody[evidence.Result](e, e.Kind)
		if err != nil {
			return err
		}
		r, err := s.find(b.Recording)
		if err != nil {
			return err
		}
		return s.result(r, idx, b)
	case evidence.EntryHearingChosen:
		b, err := evidence.DecodeBody[evidence.HearingChosen](e, e.Kind)
		if err != nil {
			return err
		}
		r, err := s.find(b.Recording)
		if err != nil {
			return err
		}
		r.chosen = b.Model.Digest.String()
	case evidence.EntryFailure:
		b, err := evidence.DecodeBody[evidence.Failure](e, e.Kind)
		if err != nil {
			return err
		}
		r, err := s.find(b.Recording)
		if err != nil {
			return err
		}
		w := work{stage: b.Stage}
		if b.Span != nil {
			w.span = *b.Span
		}
		r.failures[w] = Failure{Entry: idx, Hint: b.Hint, Kind: b.Kind, Message: b.Message, Stage: b.Stage}
	default:
		return s.written(idx, e)
	}
	return nil
}

func (s *State) find(id string) (*recording, error) {
	r := s.byID[id]
	if r == nil {
		return nil, evidence.Damaged("recording %q was not received before", id)
	}
	return r, nil
}

func (s *State) received(idx int64, b evidence.RecordingReceived) error {
	if s.byID[b.Recording] != nil {
		return evidence.Damaged("recording %s was received before", b.Recording)
	}
	r := &recording{
		Recording: Recording{ID: b.Recording, Digest: b.Digest, Name: b.Name, Size: b.Size, Entry: idx},
		detectIdx: -1,
		heard:     map[hearing]*heard{},
		newest:    map[evidence.Span]*heard{},
		failures:  map[work]Failure{},
		english:   map[evidence.Digest]*translated{},
		passages:  map[evidence.Span]*passage{},
	}
	r.describe(b.Reception)
	if s.byID == nil {
		s.byID = map[string]*recording{}
	}
	s.byID[b.Recording] = r
	s.recordings = append(s.recordings, r)
	return nil
}

func (r *recording) describe(rec evidence.Reception) {
	r.Reception, r.Start, r.Synthetic = rec, nil, rec.Synthetic
	if rec.Start == nil {
		return
	}
	t, err := time.Parse(time.RFC3339, rec.Start.Time)
	if err != nil {
		return // a time nobody can read is an unknown time; the statement itself stays in Reception
	}
	// Parse prefers the machine's own zone where the offset agrees, and that may have summer time: the
	// stated offset holds for the whole recording.
	_, off := t.Zone()
	t = t.In(time.FixedZone("", off))
	r.Start = &t
}

func (s *State) result(r *recording, idx int64, b evidence.Result) error {
	var span evidence.Span
	if b.Span != nil {
		span = *b.Span
	}
	switch b.Stage {
	case evidence.StageDecode:
		d, err := output[evidence.Decoded](b)
		if err != nil {
			return err
		}
		r.Decoded = &d
	case evidence.StageDetect:
		d, err := output[evidence.Detected](b)
		if err != nil {
			return err
		}
		r.transmissions, r.detectIdx, r.Detected, r.Listened = slices.Clip(d.Transmissions), idx, true, d.Listened
		r.Background = d.Background
	case evidence.StageHear:
		h, err := output[evidence.Heard](b)
		if err != nil {
			return err
		}
		p := s.pack(r, idx, b, h)
		p.span = span
		r.heard[hearing{span, p.engine.modelDigest}], r.newest[span] = p, p
	case evidence.StageTranslate:
		t, err := output[evidence.Translated](b)
		if err != nil {
			return err
		}
		r.english[t.From] = &translated{idx, madeBy(b), t.State, t.Reason, strings.TrimSpace(t.Text)}
	}
	delete(r.failures, work{b.Stage, span})
	return nil
}

// output reads a result's output with the strictness of an entry's body.
func output[T any](b evidence.Result) (T, error) {
	return evidence.DecodeBody[T](evidence.Entry{Body: b.Output, Kind: b.Stage}, b.Stage)
}

// written returns the language that a text is written in, or the two that were not told apart; where the recogniser
// does not say, those of the sound.
func written(h evidence.Heard) []evidence.Language {
	if h.Language == "" {
		return slices.Clip(h.Languages)
	}
	var out []evidence.Language
	for code := range strings.SplitSeq(h.Language, "|") {
		l := evidence.Language{Code: code, P: 1}
		for _, k := range h.Languages {
			if k.Code == code {
				l.P = max(k.P, 1)
			}
		}
		out = append(out, l)
	}
	return out
}

// current is the hearing of a span that counts: the chosen model's, else the newest; nil where there is none.
func (r *recording) current(span evidence.Span) *heard {
	if h := r.heard[hearing{span, r.chosen}]; h != nil {
		return h
	}
	return r.newest[span]
}

func madeBy(b evidence.Result) *origin {
	o := &origin{engine: b.Engine.Name, build: b.Engine.Build}
	if b.Model != nil {
		o.model, o.modelDigest = b.Model.Name, b.Model.Digest.String()
	}
	return o
}

func (s *State) pack(r *recording, idx int64, b evidence.Result, h evidence.Heard) *heard {
	o := madeBy(b)
	for _, other := range r.heard {
		if *other.engine == *o {
			o = other.engine
		}
		break // nearly always one engine heard them all; any one of them will tell
	}
	p := &heard{
		entry: idx, key: b.Key, engine: o, state: h.State, reason: h.Reason, text: strings.TrimSpace(h.Text),
		languages: written(h), logProb: int32(h.LogProbE4),
	}
	var letters strings.Builder
	p.words = make([]packedWord, len(h.Words))
	for i, w := range h.Words {
		letters.WriteString(strings.TrimSpace(w.Text))
		p.words[i] = packedWord{w.Span.From, w.Span.To, int32(letters.Len()), int32(w.P)}
		if w.Boosted {
			p.words[i].p |= boostedBit
		}
	}
	p.letters = letters.String()
	return p
}

// Recordings returns what is known of each recording, in the order of intake.
func (s *State) Recordings() []Recording {
	out := make([]Recording, len(s.recordings))
	for i, r := range s.recordings {
		out[i] = r.snapshot()
	}
	return out
}

// Sound is where the sound of a recording is.
type Sound struct {
	ID      string
	Digest  evidence.Digest
	Decoded *evidence.Decoded // of the newest decode; nil before it
}

// Sounds returns where the sound of each recording is, in the order of intake, without looking at its transmissions.
func (s *State) Sounds() []Sound {
	out := make([]Sound, len(s.recordings))
	for i, r := range s.recordings {
		out[i] = Sound{r.ID, r.Digest, r.Decoded}
	}
	return out
}

// Sound returns where the sound of one recording is; NotFound if there is none with that number.
func (s *State) Sound(id string) (Sound, error) {
	r := s.byID[id]
	if r == nil {
		return Sound{}, evidence.NotFound("there is no recording %s in this case", id).WithHint("see `earwitness show`")
	}
	return Sound{r.ID, r.Digest, r.Decoded}, nil
}

// Recording returns what is known of one recording; NotFound if there is none with that number.
func (s *State) Recording(id string) (Recording, error) {
	r := s.byID[id]
	if r == nil {
		return Recording{}, evidence.NotFound("there is no recording %s in this case", id).WithHint("see `earwitness show`")
	}
	return r.snapshot(), nil
}

func (r *recording) snapshot() Recording {
	v := r.Recording
	transmissions := r.shown()
	v.Count = len(transmissions)
	v.States = map[string]int{}
	for _, t := range transmissions {
		state := ""
		if t.people != nil {
			state, _, _, _ = t.people.judge()
		}
		if state == "" {
			state, _, _ = r.stateOf(t)
		}
		v.States[state]++
	}
	for w, f := range r.failures {
		if w.span == (evidence.Span{}) {
			v.Failures = append(v.Failures, f)
		}
	}
	slices.SortFunc(v.Failures, func(a, b Failure) int { return int(a.Entry - b.Entry) })
	return v
}
