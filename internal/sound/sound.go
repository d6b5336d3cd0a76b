// Package sound gives the sound of a recording in a case: the working sound that every stage counts its
// spans in, and exact clips of it. It never changes anything.
package sound

import (
	"io"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casefile"
)

// Sound is the sound of one recording. It may be used by several goroutines at once.
type Sound struct {
	audio.Source // the working sound: 16 kHz, mono
	decoded      evidence.Decoded
	wav          *audio.WAV // the original, where it is PCM and read directly
	blob         io.Closer
}

// Copy returns the digest of the decoded copy, where there is one.
func (s *Sound) Copy() (evidence.Digest, bool) {
	if s.decoded.Copy == nil {
		return evidence.Digest{}, false
	}
	return *s.decoded.Copy, true
}

// Open opens the sound of the recording with the given original, as a decode result describes it.
func Open(c *casefile.Case, original evidence.Digest, d evidence.Decoded) (*Sound, error) {
	if d.Copy != nil {
		b, err := c.OpenBlob(*d.Copy)
		if err != nil {
			return nil, err
		}
		if b.Size() < 2*d.Samples {
			return nil, closed(b, evidence.Damaged("decoded copy %s has %d bytes, its %d samples need %d", d.Copy, b.Size(), d.Samples, 2*d.Samples).
				WithHint("run `earwitness verify` to see what else is damaged"))
		}
		return &Sound{Source: audio.OpenPCM(b, d.Samples), decoded: d, blob: b}, nil
	}
	b, err := c.OpenBlob(original)
	if err != nil {
		return nil, err
	}
	w, err := audio.OpenWAV(b, b.Size())
	if err != nil {
		return nil, closed(b, err)
	}
	return &Sound{Source: w.Source(), decoded: d, wav: w, blob: b}, nil
}

func closed(c io.Closer, err error) error {
	c.Close() // read only: the error that matters is the one at hand
	return err
}

// Close lets the bytes go.
func (s *Sound) Close() error { return s.blob.Close() }

// Clip writes the seconds of span as a WAV file, from their exact samples: those of the original where it is
// PCM, in its own rate, depth and channels, else those of the decoded copy.
func (s *Sound) Clip(w io.Writer, span evidence.Span) error {
	if err := span.Validate(s.Len()); err != nil {
		return err
	}
	if s.wav == nil {
		return s.clipCopy(w, span)
	}
	rate := int64(s.wav.Rate)
	at, end := span.From*rate/evidence.Rate, min((span.To*rate+evidence.Rate-1)/evidence.Rate, s.wav.Frames())
	out, err := audio.NewWAVWriter(w, s.wav.Layout, end-at)
	if err != nil {
		return err
	}
	buf := make([]byte, clipFrames*s.wav.FrameBytes())
	for at < end {
		part := buf[:min(clipFrames, end-at)*int64(s.wav.FrameBytes())]
		n, err := s.wav.ReadFrames(part, at)
		if err != nil {
			return err
		}
		if _, err := out.Write(part); err != nil {
			return err
		}
		at += int64(n)
	}
	return out.Close()
}

// clipFrames is how many frames a clip holds in memory at once.
const clipFrames = 1 << 14

func (s *Sound) clipCopy(w io.Writer, span evidence.Span) error {
	out, err := audio.NewWAVWriter(w, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: evidence.Rate}, span.Len())
	if err != nil {
		return err
	}
	for at := span.From; at < span.To; at += clipFrames {
		part, err := s.Samples(evidence.Span{From: at, To: min(at+clipFrames, span.To)})
		if err != nil {
			return err
		}
		if err := out.WriteSamples(part); err != nil {
			return err
		}
	}
	return out.Close()
}

// Samples reads all samples of span into memory; for spans of seconds.
func (s *Sound) Samples(span evidence.Span) ([]int16, error) { return samples(s, span) }

func samples(src audio.Source, span evidence.Span) ([]int16, error) {
	if err := span.Validate(src.Len()); err != nil {
		return nil, err
	}
	buf := make([]int16, span.Len())
	n, err := src.ReadSamples(buf, span.From)
	if n < len(buf) && err == nil {
		err = io.ErrUnexpectedEOF
	}
	if n == len(buf) {
		err = nil // a reader may say that this was the end
	}
	return buf, err
}
