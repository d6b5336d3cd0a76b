package casefile

import (
	"fmt"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile/chains"
)

// prepared is an entry in its canonical bytes with what it means.
type prepared struct {
	entry evidence.Entry
	bytes []byte
	body  any // of the type that the kind names; of a result also its output
	out   any
}

// prepare writes an entry down and checks its form.
func prepare(e evidence.Entry) (*prepared, error) {
	b, err := e.Encode()
	if err != nil {
		return nil, err
	}
	body, err := decodeBody(e)
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", e.Kind, err)
	}
	p := &prepared{entry: e, bytes: b, body: body}
	if r, ok := body.(evidence.Result); ok {
		if p.out, err = checkResult(r); err != nil {
			return nil, fmt.Errorf("check %s: %w", e.Kind, err)
		}
	}
	return p, nil
}

// decodeBody reads the body of an entry of any kind that a case may hold.
func decodeBody(e evidence.Entry) (any, error) {
	switch e.Kind {
	case evidence.EntryCaseOpened:
		return evidence.DecodeBody[evidence.CaseOpened](e, e.Kind)
	case evidence.EntryEpochStarted:
		return evidence.DecodeBody[evidence.EpochStarted](e, e.Kind)
	case evidence.EntryRecordingReceived:
		return evidence.DecodeBody[evidence.RecordingReceived](e, e.Kind)
	case evidence.EntryRecordingDescribed:
		return evidence.DecodeBody[evidence.RecordingDescribed](e, e.Kind)
	case evidence.EntryIntakeRefused:
		return evidence.DecodeBody[evidence.IntakeRefused](e, e.Kind)
	case evidence.EntryResult:
		return evidence.DecodeBody[evidence.Result](e, e.Kind)
	case evidence.EntryFailure:
		return evidence.DecodeBody[evidence.Failure](e, e.Kind)
	case evidence.EntryHearingChosen:
		return evidence.DecodeBody[evidence.HearingChosen](e, e.Kind)
	case evidence.EntryOriginalExported:
		return evidence.DecodeBody[evidence.OriginalExported](e, e.Kind)
	case evidence.EntryUtteranceWritten:
		return validBody[evidence.UtteranceWritten](e)
	case evidence.EntryTranslationWritten:
		return validBody[evidence.TranslationWritten](e)
	case evidence.EntryTransmissionsCut:
		return validBody[evidence.TransmissionsCut](e)
	case evidence.EntryStationsStated:
		return validBody[evidence.StationsStated](e)
	case evidence.EntryMarkSet:
		return validBody[evidence.MarkSet](e)
	case evidence.EntryPersonAdmitted:
		return validBody[evidence.PersonAdmitted](e)
	case evidence.EntryTransmissionPlayed:
		return evidence.DecodeBody[evidence.TransmissionPlayed](e, e.Kind)
	default:
		return nil, evidence.Invalid("%q is no kind of entry", e.Kind)
	}
}

// validBody reads what a person has written, and checks it as far as it stands by itself.
func validBody[T interface{ Validate() error }](e evidence.Entry) (any, error) {
	v, err := evidence.DecodeBody[T](e, e.Kind)
	if err == nil {
		err = v.Validate()
	}
	return v, err
}

// checkResult checks what a result says by itself, and returns its output.
func checkResult(r evidence.Result) (any, error) {
	key, err := evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params)
	if err != nil {
		return nil, err
	}
	if key != r.Key {
		return nil, evidence.Invalid("the key %s of a result is not that of what went in: %s", r.Key.Short(), key.Short())
	}
	e := evidence.Entry{Kind: r.Stage, Body: r.Output}
	switch r.Stage {
	case evidence.StageDecode:
		return evidence.DecodeBody[evidence.Decoded](e, r.Stage)
	case evidence.StageDetect:
		return evidence.DecodeBody[evidence.Detected](e, r.Stage)
	case evidence.StageHear:
		return evidence.DecodeBody[evidence.Heard](e, r.Stage)
	case evidence.StageVoice:
		v, err := evidence.DecodeBody[evidence.Voice](e, r.Stage)
		if err == nil && (r.Model == nil || r.Span == nil) {
			err = evidence.Invalid("a voice names its model and its span")
		}
		if err == nil {
			err = v.Validate()
		}
		return v, err
	case evidence.StageTranslate:
		v, err := evidence.DecodeBody[evidence.Translated](e, r.Stage)
		if err == nil && (r.Model == nil || r.Span == nil) {
			err = evidence.Invalid("a translation names its model and its span")
		}
		if err == nil {
			err = v.Validate()
		}
		return v, err
	default:
		return nil, evidence.Invalid("%q is no stage", r.Stage)
	}
}

// admit checks an entry against those before it and takes it in at idx. docs/format/entries.md, "Rules".
func (c *Case) admit(x *index, idx int64, p *prepared) error {
	switch b := p.body.(type) {
	case evidence.RecordingReceived:
		blobs := []evidence.Digest{b.Digest}
		if b.Sidecar != nil {
			blobs = append(blobs, *b.Sidecar)
		}
		if err := c.haveBlobs(blobs...); err != nil {
			return err
		}
	case evidence.RecordingDescribed:
		if err := known(x, b.Recording); err != nil {
			return err
		}
		if of, ok := x.statement(b.Replaces); !ok || of != b.Recording {
			return evidence.Invalid("entry %d states nothing about %s that could be replaced", b.Replaces, b.Recording)
		}
	case evidence.Result:
		if err := c.admitResult(x, b, p.out); err != nil {
			return err
		}
		f := resultFacts{key: b.Key, recording: b.Recording}
		if d, ok := p.out.(evidence.Decoded); ok {
			f.samples = d.Samples
		}
		x.add(idx, f, p.entry.Time)
		return nil
	case evidence.Failure:
		if err := known(x, b.Recording); err != nil {
			return err
		}
	case evidence.HearingChosen:
		if err := known(x, b.Recording); err != nil {
			return err
		}
	case evidence.OriginalExported:
		r, _, ok := x.recording(b.Recording)
		if !ok {
			return known(x, b.Recording)
		}
		if r.Digest != b.Digest {
			return evidence.Invalid("the original of %s has the digest %s, not %s", b.Recording, r.Digest, b.Digest)
		}
	}
	if w, ok := chains.Of(p.entry.Author, p.body); ok {
		return c.admitWritten(x, idx, p, w)
	}
	x.add(idx, p.body, p.entry.Time)
	return nil
}

// admitWritten checks what a person has written against what others have.
func (c *Case) admitWritten(x *index, idx int64, p *prepared, w chains.Written) error {
	recording, spans := w.Spans()
	if recording == "" {
		return x.written.Admit(idx, p.entry.Author, w)
	}
	if err := known(x, recording); err != nil {
		return err
	}
	samples, decoded := x.decoded(recording)
	if !decoded {
		return evidence.Invalid("%s has not been decoded: there is nothing in it yet to write about", recording)
	}
	for _, s := range spans {
		if err := s.Validate(samples); err != nil {
			return fmt.Errorf("check %s of %s: %w", p.entry.Kind, recording, err)
		}
	}
	if t, ok := p.body.(evidence.TranslationWritten); ok && t.Of >= idx {
		return evidence.Invalid("a translation is of words that were there before: entry %d is not", t.Of)
	}
	return x.written.Admit(idx, p.entry.Author, w)
}

func (c *Case) admitResult(x *index, r evidence.Result, out any) error {
	if err := known(x, r.Recording); err != nil {
		return err
	}
	if at, ok := x.result(r.Key); ok {
		return evidence.Conflict("entry %d is the result for the key %s already", at, r.Key.Short())
	}
	samples, decoded := x.decoded(r.Recording)
	var spans []evidence.Span
	switch o := out.(type) {
	case evidence.Decoded:
		if o.Samples < 0 {
			return evidence.Invalid("%d is no number of samples", o.Samples)
		}
		if o.Copy != nil {
			return c.haveBlobs(*o.Copy)
		}
		return nil
	case evidence.Detected:
		for _, t := range o.Transmissions {
			spans = append(append(spans, t.Span), t.Hear...)
			if t.Within != nil {
				spans = append(spans, *t.Within)
			}
		}
	case evidence.Heard:
		for _, w := range o.Words {
			spans = append(spans, w.Span)
		}
	case evidence.Translated:
		if _, ok := x.result(o.From); !ok {
			return evidence.Invalid("a translation belongs to the hearing %s, and no result has that key", o.From.Short())
		}
	}
	if r.Span != nil {
		spans = append(spans, *r.Span)
	}
	if !decoded {
		return nil
	}
	for _, s := range spans {
		if err := s.Validate(samples); err != nil {
			return fmt.Errorf("check %s of %s: %w", r.Stage, r.Recording, err)
		}
	}
	return nil
}

func known(x *index, recording string) error {
	if _, _, ok := x.recording(recording); !ok {
		return evidence.NotFound("there is no recording %q in the case", recording).WithHint("see which there are with: earwitness show")
	}
	return nil
}

// haveBlobs makes sure that what an entry names is there.
func (c *Case) haveBlobs(digests ...evidence.Digest) error {
	for _, d := range digests {
		ok, err := c.blobs.Has(d)
		if err != nil {
			return err
		}
		if !ok {
			return evidence.NotFound("the entry names the blob %s, which is not in the case", d)
		}
	}
	return nil
}
