package evidence

import (
	"encoding/json"
	"time"
)

// The kinds of entry. Each names the type of its body.
const (
	EntryCaseOpened         = "case.opened"         // CaseOpened
	EntryEpochStarted       = "epoch.started"       // EpochStarted
	EntryRecordingReceived  = "recording.received"  // RecordingReceived
	EntryRecordingDescribed = "recording.described" // RecordingDescribed
	EntryIntakeRefused      = "intake.refused"      // IntakeRefused
	EntryResult             = "result"              // Result
	EntryFailure            = "failure"             // Failure
	EntryHearingChosen      = "hearing.chosen"      // HearingChosen
	EntryOriginalExported   = "original.exported"   // OriginalExported
	EntryUtteranceWritten   = "utterance.written"   // UtteranceWritten
	EntryTranslationWritten = "translation.written" // TranslationWritten
	EntryTransmissionsCut   = "transmissions.cut"   // TransmissionsCut
	EntryStationsStated     = "stations.stated"     // StationsStated
	EntryMarkSet            = "mark.set"            // MarkSet
	EntryTransmissionPlayed = "transmission.played" // TransmissionPlayed
	EntryPersonAdmitted     = "person.admitted"     // PersonAdmitted
)

// Entry is one fact, by one author, at one time. Nothing in it is ever updated; a correction is a new
// entry that names what it replaces. docs/format/entries.md is normative.
type Entry struct {
	Author Author
	Body   json.RawMessage // canonical JSON of the body type that Kind names
	Kind   string
	Time   time.Time // UTC, to the millisecond
}

// Author says who states the entry.
type Author struct {
	Kind string `json:"kind"` // "person" or "program"
	Name string `json:"name"` // as the person gave it, or the program and its version
}

// entryJSON is the written form.
type entryJSON struct {
	Author  Author          `json:"author"`
	Body    json.RawMessage `json:"body"`
	Kind    string          `json:"kind"`
	Time    string          `json:"time"`
	Version int             `json:"version"`
}

// TimeFormat is how times stand in an entry: UTC, milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// NewEntry makes an entry whose body is the canonical form of body.
func NewEntry(kind string, author Author, at time.Time, body any) (Entry, error) {
	b, err := Canonical(body)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Author: author, Body: b, Kind: kind, Time: at.UTC().Truncate(time.Millisecond)}, nil
}

// Encode returns the canonical bytes of e. ParseEntry of them gives e again.
func (e Entry) Encode() ([]byte, error) {
	if e.Author.Kind != "person" && e.Author.Kind != "program" {
		return nil, Invalid("author kind %q is neither person nor program", e.Author.Kind)
	}
	if e.Author.Name == "" || e.Kind == "" {
		return nil, Invalid("an entry names its author and its kind")
	}
	b, err := Canonical(entryJSON{e.Author, e.Body, e.Kind, e.Time.UTC().Format(TimeFormat), 1})
	if err != nil {
		return nil, err
	}
	tree, err := parseCanonical(b)
	if err != nil {
		return nil, err
	}
	return b, plainKeys(tree)
}

// ParseEntry reads canonical bytes strictly: it refuses what Encode would not have written. It does not
// look inside the body; DecodeBody does.
func ParseEntry(b []byte) (Entry, error) {
	tree, err := parseCanonical(b)
	if err != nil {
		return Entry{}, err
	}
	if err := plainKeys(tree); err != nil {
		return Entry{}, err
	}
	var j entryJSON
	if err := decodeStrict(b, &j); err != nil {
		return Entry{}, err
	}
	if j.Version != 1 {
		return Entry{}, Invalid("entry version %d is not known here", j.Version).WithHint("use a newer earwitness")
	}
	at, err := time.Parse(TimeFormat, j.Time)
	if err != nil || at.Format(TimeFormat) != j.Time {
		return Entry{}, Invalid("entry time %q is not in the form %s", j.Time, TimeFormat)
	}
	if j.Author.Kind != "person" && j.Author.Kind != "program" {
		return Entry{}, Invalid("author kind %q is neither person nor program", j.Author.Kind)
	}
	if j.Author.Name == "" || j.Kind == "" {
		return Entry{}, Invalid("an entry names its author and its kind")
	}
	if len(j.Body) == 0 || j.Body[0] != '{' {
		return Entry{}, Invalid("an entry's body is an object")
	}
	return Entry{Author: j.Author, Body: j.Body, Kind: j.Kind, Time: at}, nil
}

// DecodeBody reads the body of e, which must be of the given kind, strictly.
func DecodeBody[T any](e Entry, kind string) (T, error) {
	var v T
	if e.Kind != kind {
		return v, Invalid("entry is a %s, not a %s", e.Kind, kind)
	}
	return v, decodeStrict(e.Body, &v)
}
