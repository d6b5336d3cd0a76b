package sound

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// Part returns a stretch of sound, counted from its own first sample.
func Part(src audio.Source, span evidence.Span) audio.Source { return part{src, span} }

type part struct {
	audio.Source
	span evidence.Span
}

func (p part) Len() int64 { return p.span.Len() }

func (p part) ReadSamples(dst []int16, at int64) (int, error) {
	if left := p.span.Len() - at; int64(len(dst)) > left {
		if left <= 0 {
			return 0, io.EOF
		}
		dst = dst[:left]
		n, err := p.Source.ReadSamples(dst, p.span.From+at)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return p.Source.ReadSamples(dst, p.span.From+at)
}

// File is working sound as the bytes of a WAV file that nobody wrote: a header, and 16-bit samples read when they are
// asked for.
type File struct {
	src    audio.Source
	header []byte
	at     int64
}

// NewFile returns src as a WAV file.
func NewFile(src audio.Source) (*File, error) {
	var b bytes.Buffer
	if _, err := audio.NewWAVWriter(&b, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: evidence.Rate}, src.Len()); err != nil {
		return nil, err
	}
	return &File{src: src, header: b.Bytes()}, nil
}

func (f *File) size() int64 { return int64(len(f.header)) + 2*f.src.Len() }

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.size()
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	f.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if f.at >= f.size() {
		return 0, io.EOF
	}
	if f.at < int64(len(f.header)) {
		n := copy(p, f.header[f.at:])
		f.at += int64(n)
		return n, nil
	}
	at := f.at - int64(len(f.header))
	first := at / 2
	samples := make([]int16, min(int64(len(p))/2+1, f.src.Len()-first, 1<<15))
	n, err := f.src.ReadSamples(samples, first)
	if n < len(samples) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, fmt.Errorf("read sound: %w", err)
	}
	buf := make([]byte, 0, 2*n)
	for _, v := range samples {
		buf = append(buf, byte(v), byte(v>>8))
	}
	copied := copy(p, buf[at%2:])
	f.at += int64(copied)
	return copied, nil
}
