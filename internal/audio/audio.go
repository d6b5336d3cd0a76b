// Package audio keeps the arithmetic of sound: PCM and WAV in and out, resampling to the working rate,
// and the short-time spectrum that detection looks at. It promises the same samples whatever the read
// position, block size or machine, in constant memory. It never opens a file, never decodes a codec.
package audio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
)

// Rate is the sampling rate of the working sound, in samples per second.
const Rate = evidence.Rate

// Source is working sound (16 kHz, mono, signed 16 bits) that can be read anywhere.
//
// ReadSamples fills dst with the samples from position at and returns how many it filled. It returns
// fewer than len(dst) only together with an error, which is io.EOF where the sound ends. It is safe for
// concurrent use, and a sample has the same value in every read.
type Source interface {
	Len() int64 // samples
	ReadSamples(dst []int16, at int64) (int, error)
}

// errPosition is for positions before the first sample: a fault of the caller.
var errPosition = errors.New("read sound at a negative position")

// PCM is raw signed 16-bit little-endian mono sound at the working rate.
type PCM struct {
	r       io.ReaderAt
	start   int64 // byte at which the first sample stands
	samples int64
}

// OpenPCM reads raw working sound of the given number of samples, such as a decoded copy.
func OpenPCM(r io.ReaderAt, samples int64) *PCM { return &PCM{r: r, samples: max(samples, 0)} }

// Len returns the number of samples.
func (p *PCM) Len() int64 { return p.samples }

// ReadSamples implements Source. A blob that is shorter than it was said to be gives io.ErrUnexpectedEOF.
func (p *PCM) ReadSamples(dst []int16, at int64) (int, error) {
	if at < 0 {
		return 0, errPosition
	}
	want := int(min(int64(len(dst)), max(p.samples-at, 0)))
	buf := make([]byte, min(want, blockSamples)*2)
	for n := 0; n < want; {
		b := buf[:min(len(buf), (want-n)*2)]
		got, err := p.r.ReadAt(b, p.start+(at+int64(n))*2)
		for i := range got / 2 {
			dst[n+i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		n += got / 2
		if got < len(b) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, fmt.Errorf("read sound at sample %d: %w", at+int64(n), err)
		}
	}
	if want < len(dst) {
		return want, io.EOF
	}
	return want, nil
}

// blockSamples is how much is read at a time: it bounds memory and shapes no sample.
const blockSamples = 16384

// Samples is working sound that is in memory.
type Samples []int16

// Len returns the number of samples.
func (s Samples) Len() int64 { return int64(len(s)) }

// ReadSamples implements Source.
func (s Samples) ReadSamples(dst []int16, at int64) (int, error) {
	if at < 0 {
		return 0, errPosition
	}
	if at >= int64(len(s)) {
		if len(dst) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(dst, s[at:])
	if n < len(dst) {
		return n, io.EOF
	}
	return n, nil
}
