package audit

import (
	"cmp"
	"fmt"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/chains"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// semantics is what the entries say so far, as far as the rules of docs/format/entries.md need it.
type semantics struct {
	epochs     []epoch
	recordings map[string]*recording
	digests    map[evidence.Digest]string // of recordings -> number
	keys       map[evidence.Digest]int64  // of results -> entry
	statements map[int64]string           // entries that state something about a recording -> its number
	needed     map[evidence.Digest]need   // blobs
	written    chains.Rules
}

// epoch is one log of the case.
type epoch struct {
	origin, key string
	first       int64 // index of the entry that begins it
	end         int64 // index of the entry that begins the next one, -1 where there is none
}

type recording struct {
	digest  evidence.Digest
	samples int64 // of the longest decoding so far, -1 before the first
}

// need is a blob that an entry names.
type need struct {
	entry int64
	field string
	size  int64 // stated, -1 where it is not
}

func newSemantics() semantics {
	return semantics{
		recordings: map[string]*recording{}, digests: map[evidence.Digest]string{}, keys: map[evidence.Digest]int64{},
		statements: map[int64]string{}, needed: map[evidence.Digest]need{},
	}
}

func (s *semantics) origin() string {
	if len(s.epochs) == 0 {
		return ""
	}
	return s.epochs[len(s.epochs)-1].origin
}

func (s *semantics) key() string {
	if len(s.epochs) == 0 {
		return ""
	}
	return s.epochs[len(s.epochs)-1].key
}

func (s *semantics) hasKey(key string) bool {
	for _, e := range s.epochs {
		if e.key == key {
			return true
		}
	}
	return false
}

func (s *semantics) epoch(origin string) (epoch, bool) {
	for _, e := range s.epochs {
		if e.origin == origin {
			return e, true
		}
	}
	return epoch{}, false
}

func (s *semantics) begin(origin, key string, idx int64) error {
	name, _, err := raw.ParseVerifierKey(key)
	if err != nil {
		return err
	}
	if name != origin {
		return evidence.Invalid("origin %q, but the key's name is %q", origin, name)
	}
	if _, ok := s.epoch(origin); ok {
		return evidence.Invalid("origin %s was used before", origin)
	}
	if n := len(s.epochs); n > 0 {
		s.epochs[n-1].end = idx
	}
	s.epochs = append(s.epochs, epoch{origin, key, idx, -1})
	return nil
}

// checkEntry checks an entry's form, its body's form, and the rules between entries.
func (a *audit) checkEntry(idx int64, b []byte) {
	where := fmt.Sprintf("case.db, entry %d", idx)
	e, err := evidence.ParseEntry(b)
	if err == nil {
		// What reads well must also be what the writer would have written: field names in another case are not.
		var again []byte
		if again, err = e.Encode(); err == nil && string(again) != string(b) {
			err = evidence.Invalid("read and written again, it differs")
		}
	}
	if err != nil {
		a.find(EntryForm, where, "%v", err)
		return
	}
	if (idx == 0) != (e.Kind == evidence.EntryCaseOpened) {
		a.find(EntryRule, where, "expected case.opened at index 0 and nowhere else, found %s", e.Kind)
	}
	if err := a.semantics.apply(a, idx, e); err != nil {
		code := EntryRule
		if _, ok := err.(bodyError); ok {
			code = EntryBody
		}
		a.find(code, where, "%s: %v", e.Kind, err)
	}
}

// bodyError is an error of a body's form.
type bodyError struct{ error }

// body reads a body so strictly that it must come out the same when written again: no field unknown, in
// another case, of another type, left out although it is always written, or written although it is empty.
func body[T any](e evidence.Entry) (T, error) {
	v, err := evidence.DecodeBody[T](e, e.Kind)
	if err = cmp.Or(err, same(v, e.Body)); err != nil {
		return v, bodyError{err}
	}
	return v, nil
}

func same(v any, b []byte) error {
	again, err := evidence.Canonical(v)
	if err != nil {
		return err
	}
	if string(again) != string(b) {
		return evidence.Invalid("the body is not in its one form: expected %.300s, found %.300s", again, b)
	}
	return nil
}

func (s *semantics) apply(a *audit, idx int64, e evidence.Entry) error {
	switch e.Kind {
	case evidence.EntryCaseOpened:
		v, err := body[evidence.CaseOpened](e)
		if err != nil {
			return err
		}
		if v.Format != 1 {
			return evidence.Invalid("format %d, expected 1", v.Format)
		}
		if idx > 0 {
			return nil // named by the caller
		}
		return s.begin(v.Origin, v.Key, idx)
	case evidence.EntryEpochStarted:
		return s.startEpoch(a, idx, e)
	case evidence.EntryRecordingReceived:
		a.report.Recordings++
		return s.receive(idx, e)
	case evidence.EntryRecordingDescribed:
		v, err := body[evidence.RecordingDescribed](e)
		if err != nil {
			return err
		}
		if _, err := s.recording(v.Recording); err != nil {
			return err
		}
		if s.statements[v.Replaces] != v.Recording {
			return evidence.Invalid("replaces entry %d, which states nothing about %s", v.Replaces, v.Recording)
		}
		s.statements[idx] = v.Recording
		return nil
	case evidence.EntryIntakeRefused:
		_, err := body[evidence.IntakeRefused](e)
		return err
	case evidence.EntryResult:
		a.report.Results++
		return s.result(idx, e)
	case evidence.EntryFailure:
		v, err := body[evidence.Failure](e)
		if err != nil {
			return err
		}
		r, err := s.recording(v.Recording)
		if err != nil || v.Span == nil {
			return err
		}
		return r.holds(*v.Span)
	case evidence.EntryHearingChosen:
		v, err := body[evidence.HearingChosen](e)
		if err != nil {
			return err
		}
		_, err = s.recording(v.Recording)
		return err
	case evidence.EntryOriginalExported:
		v, err := body[evidence.OriginalExported](e)
		if err != nil {
			return err
		}
		r, err := s.recording(v.Recording)
		if err == nil && r.digest != v.Digest {
			return evidence.Invalid("%s has the digest %s, not %s", v.Recording, r.digest, v.Digest)
		}
		return err
	default:
		return s.wrote(idx, e)
	}
}

// wrote checks what a person has written: its form, where it points, and that it follows what others wrote.
func (s *semantics) wrote(idx int64, e evidence.Entry) error {
	v, recording, spans, err := chains.Read(e)
	if v == nil {
		return err
	}
	if err = cmp.Or(err, same(v, e.Body)); err != nil {
		return bodyError{err}
	}
	if recording != "" {
		r, err := s.recording(recording)
		if err == nil && r.samples < 0 {
			err = evidence.Invalid("%s was not decoded before", recording)
		}
		for i := 0; err == nil && i < len(spans); i++ {
			err = spans[i].Validate(r.samples)
		}
		if err != nil {
			return err
		}
	}
	return s.written.Check(idx, e.Author, v)
}

func (s *semantics) startEpoch(a *audit, idx int64, e evidence.Entry) error {
	v, err := body[evidence.EpochStarted](e)
	if err != nil {
		return err
	}
	if v.OldOrigin != s.origin() {
		return evidence.Invalid("the old origin is %q, the entry says %q", s.origin(), v.OldOrigin)
	}
	if v.AgreedBy == "" || v.Reason == "" {
		return evidence.Invalid("it names no reason, or nobody who agreed")
	}
	if v.LastCheckpoint == "" {
		a.notice(NoticeEpochDiffers, fmt.Sprintf("case.db, entry %d", idx), "no checkpoint of the old log %s was known when the case went on under %s: %s", v.OldOrigin, v.Origin, v.Reason)
	} else if len(s.epochs) > 0 {
		c, err := lastKnown(v.LastCheckpoint, s.epochs[len(s.epochs)-1])
		if err != nil {
			return err
		}
		if root, err := a.tree.Root(c.Size); c.Size > idx || err != nil || root != c.Hash {
			a.notice(NoticeEpochDiffers, fmt.Sprintf("case.db, entry %d", idx), "the log %s had %d entries and root %s; this case went on from %d entries under %s: %s", c.Origin, c.Size, c.Root, idx, v.Origin, v.Reason)
		}
	}
	return s.begin(v.Origin, v.Key, idx)
}

func (s *semantics) receive(idx int64, e evidence.Entry) error {
	v, err := body[evidence.RecordingReceived](e)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("REC-%04d", len(s.recordings)+1)
	s.want(v.Digest, need{idx, "digest", v.Size})
	if v.Sidecar != nil {
		s.want(*v.Sidecar, need{idx, "sidecar", -1})
	}
	if _, ok := s.recordings[v.Recording]; !ok {
		s.recordings[v.Recording] = &recording{v.Digest, -1}
	}
	s.statements[idx] = v.Recording
	if v.Recording != want {
		return evidence.Invalid("expected the recording %s, found %s", want, v.Recording)
	}
	if v.Size < 0 {
		return evidence.Invalid("a recording of %d bytes", v.Size)
	}
	if other, ok := s.digests[v.Digest]; ok {
		return evidence.Invalid("the digest %s was received before, as %s", v.Digest, other)
	}
	s.digests[v.Digest] = v.Recording
	return nil
}

// want notes a blob. A stated size stands before an entry that states none.
func (s *semantics) want(d evidence.Digest, n need) {
	if old, ok := s.needed[d]; !ok || old.size < 0 {
		s.needed[d] = n
	}
}

func (s *semantics) recording(name string) (*recording, error) {
	r, ok := s.recordings[name]
	if !ok {
		return nil, evidence.Invalid("names the recording %q, which was not received before", name)
	}
	return r, nil
}

func (r *recording) holds(sp evidence.Span) error {
	if r.samples < 0 {
		return nil // not decoded before: there is no end that it could lie behind
	}
	return sp.Validate(r.samples)
}

func (s *semantics) result(idx int64, e evidence.Entry) error {
	v, err := body[evidence.Result](e)
	if err != nil {
		return err
	}
	key, err := evidence.ResultKey(v.Stage, v.Version, v.Inputs, v.Span, v.Engine, v.Model, v.Params)
	if err != nil {
		return bodyError{err}
	}
	if key != v.Key {
		return evidence.Invalid("key: expected %s by the fields it is made of, found %s", key, v.Key)
	}
	if other, ok := s.keys[v.Key]; ok {
		return evidence.Invalid("entry %d is a result with the same key %s", other, v.Key)
	}
	s.keys[v.Key] = idx
	r, err := s.recording(v.Recording)
	if err != nil {
		return err
	}
	switch v.Stage {
	case evidence.StageDecode:
		out, err := output[evidence.Decoded](v)
		if err != nil {
			return err
		}
		if out.Samples < 0 {
			return evidence.Invalid("a decoding of %d samples", out.Samples)
		}
		r.samples = max(r.samples, out.Samples)
		if out.Copy != nil {
			s.want(*out.Copy, need{idx, "output.copy", -1})
		}
	case evidence.StageDetect:
		out, err := output[evidence.Detected](v)
		if err != nil {
			return err
		}
		for i, t := range out.Transmissions {
			spans := append([]evidence.Span{t.Span}, t.Hear...)
			if w := t.Within; w != nil {
				if spans = append(spans, *w); len(t.Hear) != 1 || t.Hear[0].From < w.From || t.Hear[0].To > w.To {
					return evidence.Invalid("transmission %d: what is heard of it does not lie within what the recogniser is given", i)
				}
			}
			for _, sp := range spans {
				if err := r.holds(sp); err != nil {
					return evidence.Invalid("transmission %d", i).Because(err)
				}
			}
			for _, c := range t.Calls {
				if c.Span.From < t.Span.From || c.Span.To > t.Span.To || c.Span.Len() <= 0 {
					return evidence.Invalid("transmission %d: the call %s %s lies outside it", i, c.System, c.Code)
				}
				if c.System == "" || c.Code == "" {
					return evidence.Invalid("transmission %d: a call without a system or a code", i)
				}
			}
		}
	case evidence.StageHear:
		out, err := output[evidence.Heard](v)
		if err != nil {
			return err
		}
		for i, w := range out.Words {
			// A word may be so short that it has no sample of its own.
			if err := r.holds(evidence.Span{From: w.Span.From, To: max(w.Span.To, w.Span.From+1)}); err != nil && !(w.Span.From == w.Span.To && w.Span.To == r.samples) {
				return evidence.Invalid("word %d", i).Because(err)
			}
			if w.Span.To < w.Span.From {
				return evidence.Invalid("word %d ends before it starts", i)
			}
		}
	case evidence.StageVoice:
		out, bad := output[evidence.Voice](v)
		err = cmp.Or(bad, out.Validate())
	case evidence.StageTranslate:
		out, bad := output[evidence.Translated](v)
		err = cmp.Or(bad, out.Validate())
		if _, ok := s.keys[out.From]; err == nil && !ok {
			err = evidence.Invalid("from: no result before it has the key %s", out.From)
		}
	default:
		return bodyError{evidence.Invalid("format 1 knows no stage %q", v.Stage)}
	}
	if err == nil && v.Span != nil {
		err = r.holds(*v.Span)
	}
	return err
}

func output[T any](v evidence.Result) (T, error) {
	out, err := evidence.DecodeBody[T](evidence.Entry{Kind: v.Stage, Body: v.Output}, v.Stage)
	if err = cmp.Or(err, same(out, v.Output)); err != nil {
		return out, bodyError{evidence.Invalid("output").Because(err)}
	}
	return out, nil
}
