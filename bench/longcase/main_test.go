package main

import (
	"crypto/rand"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/sound"
)

// The case opens, says that it is made up, and has sound where it says that somebody speaks.
func TestMakesACase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "long.case")
	o := options{hours: 0.1, transmissions: 12, rate: 8000, seed: 1}
	if _, err := makeCase(t.Context(), dir, o); err != nil {
		t.Fatal(err)
	}
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{ReadOnly: true, Now: time.Now, Rand: rand.Reader, SeenDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var decoded evidence.Decoded
	var found evidence.Detected
	heard := 0
	received, _, _ := c.Recording("REC-0001")
	_, err = c.Follow(t.Context(), 0, func(_ int64, e evidence.Entry) error {
		if e.Kind != evidence.EntryResult {
			return nil
		}
		r, err := evidence.DecodeBody[evidence.Result](e, evidence.EntryResult)
		if err != nil {
			return err
		}
		if r.Engine.Name != madeUp {
			t.Errorf("a result says that %q made it", r.Engine.Name)
		}
		switch r.Stage {
		case evidence.StageDecode:
			err = json.Unmarshal(r.Output, &decoded)
		case evidence.StageDetect:
			err = json.Unmarshal(r.Output, &found)
		default:
			heard++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !received.Reception.Synthetic || len(found.Transmissions) != o.transmissions || heard == 0 || heard > o.transmissions {
		t.Errorf("%+v: %d transmissions, %d heard", received, len(found.Transmissions), heard)
	}
	s, err := sound.Open(c, received.Digest, decoded)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Len() != decoded.Samples {
		t.Errorf("%d samples, %d stated", s.Len(), decoded.Samples)
	}
	before := int64(0)
	for _, x := range found.Transmissions {
		if x.Span.From < before {
			t.Errorf("%v begins before the last one ended", x.Span)
		}
		if level(t, s, x.Span) < 5*level(t, s, evidence.Span{From: x.Span.To + 2000, To: x.Span.To + 4000}) {
			t.Errorf("%v is no louder than the noise after it", x.Span)
		}
		before = x.Span.To
	}
}

func level(t *testing.T, s *sound.Sound, span evidence.Span) float64 {
	t.Helper()
	pcm, err := s.Samples(span)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return sum / float64(len(pcm))
}
