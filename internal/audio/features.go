package audio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
)

// Hop is the number of samples between frames of features: 10 ms.
const Hop = 160

const frameWindow = 256 // 16 ms: 62.5 Hz a bin

// Bands is the number of bands of a frame.
const Bands = 14

// bandEdges are the bins at which the bands begin, and the last one's end.
var bandEdges = [Bands + 1]int{3, 5, 7, 9, 12, 15, 19, 24, 30, 38, 48, 62, 80, 104, 126}

// BandHz returns the edges of a band in Hz.
func BandHz(band int) (low, high int) {
	const bin = Rate / float64(frameWindow)
	return int(float64(bandEdges[band]) * bin), int(float64(bandEdges[band+1]) * bin)
}

// Quietest is the level, in dB of full scale, that stands for everything at or below it: the rounding noise of
// 16-bit sound, in one band.
const Quietest = -84

// Frame is what detection knows of 10 ms of sound.
type Frame struct {
	Power [Bands]float32 // mean power of the bins of each band; 1 is a sine of full scale in every bin
}

// Decibels converts a power to dB, nothing below Quietest.
func Decibels(power float32) float32 {
	if power < 3.98e-9 {
		return Quietest
	}
	return float32(10 * math.Log10(float64(power)))
}

// Frames computes features from sound. It is not safe for concurrent use; several may share a source.
type Frames struct {
	src  Source
	spec *spectrum
	buf  []int16
}

// NewFrames returns a reader of the features of src.
func NewFrames(src Source) *Frames {
	return &Frames{src: src, spec: newSpectrum(frameWindow)}
}

// FrameCount returns how many frames a sound has: the last one may be short.
func FrameCount(samples int64) int64 { return (samples + Hop - 1) / Hop }

// Read computes the frames from number at on. A frame's spectrum is centred on its 160 samples; beyond the ends
// of the sound is silence.
func (f *Frames) Read(ctx context.Context, dst []Frame, at int64) error {
	const margin = (frameWindow - Hop) / 2
	const block = 200
	if f.buf == nil {
		f.buf = make([]int16, block*Hop+2*margin)
	}
	for len(dst) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(dst), block)
		buf := f.buf[:n*Hop+2*margin]
		from := at*Hop - margin
		if err := ReadPadded(f.src, buf, from); err != nil {
			return fmt.Errorf("read sound at sample %d: %w", from, err)
		}
		for i := range n {
			f.frame(&dst[i], buf[i*Hop:i*Hop+frameWindow])
		}
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}

func (f *Frames) frame(fr *Frame, x []int16) {
	p := f.spec.of(x)
	for b := range Bands {
		var s float32
		for _, v := range p[bandEdges[b]:bandEdges[b+1]] {
			s += v
		}
		fr.Power[b] = s / float32(bandEdges[b+1]-bandEdges[b])
	}
}

// ReadPadded fills dst with the samples from position at on, which may lie before the sound or reach beyond it:
// there it is silent.
func ReadPadded(src Source, dst []int16, at int64) error {
	if at < 0 {
		n := min(int64(len(dst)), -at)
		clear(dst[:n])
		dst, at = dst[n:], 0
	}
	if len(dst) == 0 {
		return nil
	}
	n, err := src.ReadSamples(dst, at)
	clear(dst[n:])
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// Spectra computes power spectra for a closer look at a stretch of sound. It is not safe for concurrent use.
type Spectra struct{ spec *spectrum }

// SpectraWindow is the number of samples of one of NewSpectra's blocks, and twice its number of bins (31.25 Hz each).
const SpectraWindow = 512

// NewSpectra returns a computer of spectra of SpectraWindow samples.
func NewSpectra() *Spectra { return NewSpectraOf(SpectraWindow) }

// NewSpectraOf returns a computer of spectra of size samples, a power of two, which have size/2 bins.
func NewSpectraOf(size int) *Spectra { return &Spectra{newSpectrum(size)} }

// Of returns the power of each bin of x, which has as many samples as a block; it is valid until the next call. A sine of
// full scale has a power of 1 in its bin.
func (s *Spectra) Of(x []int16) []float32 { return s.spec.of(x) }
