// Package voices says how alike the voices of a case's transmissions are, as a model makes them out, and what such a
// likeness was measured to be worth.
//
// It is a projection of the log's entries, given to it one by one, and holds nothing that could not be computed again. It
// compares only vectors of one model, refuses where measuring has shown that comparing is useless, and never says whose
// a voice is: likeness is not identity.
package voices

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/earwitness/earwitness/evidence"
)

// State is the projection. The zero value is a case of which nothing is known yet. It is not safe for concurrent use.
type State struct {
	next       int64
	order      []string
	recordings map[string]*recording
	newest     string // how the newest voice was made
	model      evidence.Model
}

type recording struct {
	transmissions []evidence.Transmission
	made          map[string]made // by speech and way of making
}

// made is a result of the stage voice.
type made struct {
	entry   int64
	samples int64
	vector  []float64
}

// Voice is the voice of one transmission.
type Voice struct {
	Recording string
	Span      evidence.Span // of the transmission
	Entry     int64         // of the log
	Seconds   float64       // of speech that it was made out from
	SnrDB     float64       // as detection states it
	vector    []float64
}

// Citation names its seconds.
func (v Voice) Citation() string {
	return evidence.Citation{Recording: v.Recording, Span: v.Span}.String()
}

// params are what pipeline writes with a voice; the spans of speech tell which transmission it is of.
type params struct {
	Encoder json.RawMessage `json:"encoder"`
	Longest int             `json:"longest"`
	Speech  []evidence.Span `json:"speech"`
}

// Apply takes in the entry at index idx of the log. Entries come in the order of the log, without a gap.
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
		if s.recordings == nil {
			s.recordings = map[string]*recording{}
		}
		s.recordings[b.Recording] = &recording{made: map[string]made{}}
		s.order = append(s.order, b.Recording)
	case evidence.EntryResult:
		b, err := evidence.DecodeBody[evidence.Result](e, e.Kind)
		if err != nil {
			return err
		}
		r := s.recordings[b.Recording]
		if r == nil {
			return evidence.Damaged("recording %q was not received before", b.Recording)
		}
		switch b.Stage {
		case evidence.StageDetect:
			d, err := evidence.DecodeBody[evidence.Detected](evidence.Entry{Body: b.Output, Kind: b.Stage}, b.Stage)
			if err != nil {
				return err
			}
			r.transmissions = slices.Clip(d.Transmissions)
		case evidence.StageVoice:
			return s.voice(r, idx, b)
		}
	}
	return nil
}

func (s *State) voice(r *recording, idx int64, b evidence.Result) error {
	v, err := evidence.DecodeBody[evidence.Voice](evidence.Entry{Body: b.Output, Kind: b.Stage}, b.Stage)
	if err == nil {
		err = v.Validate()
	}
	if err != nil {
		return err
	}
	var p params
	if err := json.Unmarshal(b.Params, &p); err != nil || b.Model == nil {
		return nil // another program's: nothing is known that it could be compared with
	}
	// Vectors are of one kind where model, engine's code and settings are the same. The engine's build is not looked at:
	// other builds of the same libraries differ in the last bits.
	way := fmt.Sprintf("%s %d %d %s", b.Model.Digest, b.Version, p.Longest, p.Encoder)
	m := made{entry: idx, samples: v.Samples, vector: make([]float64, len(v.VectorE4))}
	for i, x := range v.VectorE4 {
		m.vector[i] = float64(x) / 1e4
	}
	r.made[way+spans(p.Speech)] = m
	s.newest, s.model = way, *b.Model
	return nil
}

func spans(all []evidence.Span) string { return fmt.Sprint(all) }

// Model returns the model that made the voices which Voices returns; ok is false where there are none.
func (s *State) Model() (m evidence.Model, ok bool) { return s.model, s.newest != "" }

// Without counts transmissions of speech of which no voice by that model is there.
type Without struct {
	Short int `json:"short"` // with less speech than voices are made out in
	Other int `json:"other"` // not run yet, failed, or made out by another model
}

// Voices returns the voices that the newest model has made out, in the order of intake and of their start, and what
// there is beside them. shortest is the speech, in samples, from which on voices are made out.
func (s *State) Voices(shortest int64) (all []Voice, without Without) {
	for _, id := range s.order {
		r := s.recordings[id]
		ts := slices.Clone(r.transmissions)
		slices.SortStableFunc(ts, func(a, b evidence.Transmission) int { return int(a.Span.From - b.Span.From) })
		for _, t := range ts {
			if len(t.Hear) == 0 {
				continue
			}
			m, ok := r.made[s.newest+spans(t.Hear)]
			speech := int64(0)
			for _, sp := range t.Hear {
				speech += sp.Len()
			}
			switch {
			case ok:
				all = append(all, Voice{id, t.Span, m.entry, float64(m.samples) / evidence.Rate, float64(t.SnrCB) / 100, m.vector})
			case speech < shortest:
				without.Short++
			default:
				without.Other++
			}
		}
	}
	return all, without
}

// Like is the likeness of two voices of one model: the cosine of the angle between their vectors, 1 for the same one.
func Like(a, b Voice) float64 {
	if len(a.vector) != len(b.vector) {
		return 0
	}
	sum := 0.0
	for i, x := range a.vector {
		sum += x * b.vector[i]
	}
	return min(1, max(-1, sum))
}
