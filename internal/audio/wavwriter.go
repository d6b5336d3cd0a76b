package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WAVWriter writes frames behind a WAV header. It needs no seeking: the number of frames is known when it starts.
type WAVWriter struct {
	w      io.Writer
	layout Layout
	left   int64 // bytes still to come
	pad    bool
}

// NewWAVWriter writes the header for the given number of frames to w. Sound that a WAV file cannot hold (4 GiB
// and more) becomes an RF64 file (EBU Tech 3306).
func NewWAVWriter(w io.Writer, l Layout, frames int64) (*WAVWriter, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("write WAV header: %w", err)
	}
	if frames < 0 || frames > math.MaxInt64/2/int64(l.FrameBytes()) {
		return nil, fmt.Errorf("write WAV header: %d frames", frames)
	}
	size := frames * int64(l.FrameBytes())
	pad := size & 1
	fmtSize := 16
	if l.Encoding != EncodingPCM {
		fmtSize = 18 // the extension's length must be there, and fact
	}
	le := binary.LittleEndian
	var body []byte
	body = append(body, "fmt "...)
	body = le.AppendUint32(body, uint32(fmtSize))
	body = le.AppendUint16(body, uint16(l.Encoding))
	body = le.AppendUint16(body, uint16(l.Channels))
	body = le.AppendUint32(body, uint32(l.Rate))
	body = le.AppendUint32(body, uint32(l.Rate*l.FrameBytes()))
	body = le.AppendUint16(body, uint16(l.FrameBytes()))
	body = le.AppendUint16(body, uint16(l.Bits))
	if fmtSize == 18 {
		body = le.AppendUint16(body, 0)
		body = append(body, "fact"...)
		body = le.AppendUint32(body, 4)
		body = le.AppendUint32(body, uint32(min(frames, math.MaxUint32)))
	}
	riff := 4 + int64(len(body)) + 8 + size + pad
	var head []byte
	if riff > math.MaxUint32-1 {
		head = append(head, "RF64\xFF\xFF\xFF\xFFWAVEds64"...)
		head = le.AppendUint32(head, 28)
		head = le.AppendUint64(head, uint64(riff+36))
		head = le.AppendUint64(head, uint64(size))
		head = le.AppendUint64(head, uint64(frames))
		head = le.AppendUint32(head, 0)
		head = append(head, body...)
		head = append(head, "data\xFF\xFF\xFF\xFF"...)
	} else {
		head = append(head, "RIFF"...)
		head = le.AppendUint32(head, uint32(riff))
		head = append(head, "WAVE"...)
		head = append(head, body...)
		head = append(head, "data"...)
		head = le.AppendUint32(head, uint32(size))
	}
	if _, err := w.Write(head); err != nil {
		return nil, fmt.Errorf("write WAV header: %w", err)
	}
	return &WAVWriter{w: w, layout: l, left: size, pad: pad == 1}, nil
}

// Write writes bytes of frames as they are. More than was announced is refused.
func (w *WAVWriter) Write(b []byte) (int, error) {
	if int64(len(b)) > w.left {
		return 0, fmt.Errorf("write WAV: %d bytes more than announced", int64(len(b))-w.left)
	}
	n, err := w.w.Write(b)
	w.left -= int64(n)
	return n, err
}

// WriteSamples writes 16-bit samples, for a layout of 16-bit PCM.
func (w *WAVWriter) WriteSamples(s []int16) error {
	if w.layout.Encoding != EncodingPCM || w.layout.Bits != 16 {
		return fmt.Errorf("write WAV: 16-bit samples into %d bits of encoding %d", w.layout.Bits, w.layout.Encoding)
	}
	b := make([]byte, 0, 2*len(s))
	for _, x := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	_, err := w.Write(b)
	return err
}

// Close completes the file. It is an error if fewer frames came than were announced. It does not close the
// writer below.
func (w *WAVWriter) Close() error {
	if w.left != 0 {
		return fmt.Errorf("complete WAV: %d bytes are missing", w.left)
	}
	if w.pad {
		w.pad = false
		if _, err := w.w.Write([]byte{0}); err != nil {
			return fmt.Errorf("complete WAV: %w", err)
		}
	}
	return nil
}
