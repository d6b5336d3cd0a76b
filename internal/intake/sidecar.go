package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
)

const maxSidecar = 64 << 10

// readSidecar returns what the file states and its bytes; neither where there is no such file.
func readSidecar(path string) (evidence.Reception, []byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENAMETOOLONG) {
		return evidence.Reception{}, nil, nil // a name that leaves no room for ".json" has none beside it
	}
	if err != nil {
		return evidence.Reception{}, nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSidecar+1))
	if err != nil {
		return evidence.Reception{}, nil, err
	}
	r, err := ParseSidecar(b)
	return r, b, err
}

// ParseSidecar reads what a sidecar states (docs/format/case.md, "Sidecar"), strictly: a field that is not
// known may be a misspelt one, and would be lost.
func ParseSidecar(b []byte) (evidence.Reception, error) {
	fail := func(format string, args ...any) (evidence.Reception, error) {
		return evidence.Reception{}, evidence.Invalid("its sidecar cannot be used: "+format, args...).
			WithHint("correct or remove the .json file beside it; docs/format/case.md lists the fields")
	}
	var r evidence.Reception
	if len(b) > maxSidecar {
		return fail("it is larger than %d bytes", maxSidecar)
	}
	if !utf8.Valid(b) {
		return fail("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return fail("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return fail("something follows its object")
	}
	if err := CheckReception(r); err != nil {
		return fail("%s", err)
	}
	return r, nil
}

// CheckReception reports, as an Invalid error, what in r cannot be meant.
func CheckReception(r evidence.Reception) error {
	if r.FrequencyHz < 0 || r.FrequencyHz > 300e9 {
		return evidence.Invalid("frequency %d Hz is not a radio frequency", r.FrequencyHz)
	}
	if s := r.Start; s != nil {
		if _, err := time.Parse(time.RFC3339Nano, s.Time); err != nil {
			return evidence.Invalid("start time %q is not a date and time with an offset", s.Time).WithHint("write it like 2022-02-27T14:05:00+02:00")
		}
		if s.Basis == "" {
			return evidence.Invalid("start time %s does not say how it is known", s.Time).WithHint("for example: receiver clock, file name, stated by the source")
		}
		if s.UncertaintyMilli < 0 {
			return evidence.Invalid("the uncertainty of a time cannot be negative")
		}
	}
	if l := r.Raw; l != nil {
		if !slices.Contains(evidence.RawFormats(), l.Format) {
			return evidence.Invalid("raw format %q is not known", l.Format).WithHint("one of %s", strings.Join(evidence.RawFormats(), ", "))
		}
		if l.Rate < 1000 || l.Rate > 384000 || l.Channels < 1 || l.Channels > 64 {
			return evidence.Invalid("raw samples have 1,000-384,000 Hz and 1-64 channels, not %d Hz and %d", l.Rate, l.Channels)
		}
	}
	return nil
}

// merge lays the fields that are stated for all over those of one sidecar.
func merge(sidecar, all evidence.Reception) evidence.Reception {
	set := func(dst *string, v string) {
		if v != "" {
			*dst = v
		}
	}
	r := sidecar
	if all.FrequencyHz != 0 {
		r.FrequencyHz = all.FrequencyHz
	}
	set(&r.HandedInBy, all.HandedInBy)
	set(&r.Mode, all.Mode)
	set(&r.Note, all.Note)
	set(&r.Place, all.Place)
	set(&r.Receiver, all.Receiver)
	set(&r.Source, all.Source)
	if all.Raw != nil {
		r.Raw = all.Raw
	}
	if all.Start != nil {
		r.Start = all.Start
	}
	r.Synthetic = r.Synthetic || all.Synthetic
	return r
}
