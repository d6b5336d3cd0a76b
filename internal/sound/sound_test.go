package sound_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/sound"
)

func newCase(t *testing.T) *casefile.Case {
	t.Helper()
	c, err := casefile.Create(t.Context(), filepath.Join(t.TempDir(), "c.case"), casefile.Options{
		Title: "Test", Author: evidence.Author{Kind: "person", Name: "Test"}, Program: "test", Now: time.Now, Rand: rand.Reader, SeenDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func keep(t *testing.T, c *casefile.Case, b []byte) evidence.Digest {
	t.Helper()
	w, err := c.NewBlob(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	d, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// frames is n frames of a layout, each byte of which tells where it stood.
func frames(l audio.Layout, n int) []byte {
	b := make([]byte, n*l.FrameBytes())
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

func TestClipOfPCMIsTheOriginalsFrames(t *testing.T) {
	c := newCase(t)
	l := audio.Layout{Encoding: audio.EncodingPCM, Bits: 24, Channels: 2, Rate: 44100}
	body := frames(l, 3*44100)
	var file bytes.Buffer
	w, err := audio.NewWAVWriter(&file, l, 3*44100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sound.Open(c, keep(t, c, file.Bytes()), evidence.Decoded{Samples: 3 * evidence.Rate})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, ok := s.Copy(); ok || s.Len() != 3*evidence.Rate {
		t.Errorf("length %d", s.Len())
	}
	var clip bytes.Buffer
	if err := s.Clip(&clip, evidence.Span{From: evidence.Rate, To: 2 * evidence.Rate}); err != nil {
		t.Fatal(err)
	}
	got, err := audio.OpenWAV(bytes.NewReader(clip.Bytes()), int64(clip.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Layout != l || got.Frames() != 44100 {
		t.Fatalf("%+v with %d frames", got.Layout, got.Frames())
	}
	if !bytes.HasSuffix(clip.Bytes(), body[44100*6:2*44100*6]) {
		t.Error("the clip's frames are not the original's")
	}
	for _, bad := range []evidence.Span{{From: -1, To: 5}, {From: 5, To: 5}, {From: 0, To: 3*evidence.Rate + 1}} {
		if err := s.Clip(io.Discard, bad); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestClipOfACopyIsItsSamples(t *testing.T) {
	c := newCase(t)
	const n = 40000
	var pcm []byte
	for i := range n {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(i))
	}
	d := keep(t, c, pcm)
	s, err := sound.Open(c, evidence.Digest{}, evidence.Decoded{Copy: &d, Samples: n})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var clip bytes.Buffer
	if err := s.Clip(&clip, evidence.Span{From: 1000, To: 39999}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(clip.Bytes()[44:], pcm[2000:2*39999]) {
		t.Error("the clip's samples are not the copy's")
	}
	part, err := s.Samples(evidence.Span{From: 39990, To: n})
	if err != nil || len(part) != 10 || uint16(part[9]) != n-1 {
		t.Errorf("%v, %v", part, err)
	}
	if _, err := sound.Open(c, evidence.Digest{}, evidence.Decoded{Copy: &d, Samples: n + 1}); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("a copy that is too short: %v", err)
	}
}
