package picture

import (
	"context"
	"fmt"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// blockSamples is how much sound is looked at at a time: it bounds memory and shapes no byte.
const blockSamples = 1 << 16

// A window that stands on the middle of a column of level 0 reaches this many samples out of it on either side.
const reach = (window - 128) / 2

// brush draws columns from the sound. It is not safe for concurrent use; several may share a source.
type brush struct {
	src     audio.Source
	samples int64
	spectra *audio.Spectra
	buf     []int16
}

func newBrush(src audio.Source, samples int64) *brush {
	return &brush{src: src, samples: samples, spectra: audio.NewSpectraOf(window)}
}

// strip is columns next to each other, of every kind that is wanted.
type strip [kinds][]byte

// draw fills out with n columns of a level, from the given one on; a kind that is nil is not drawn. All must exist.
// Errors are those of the source, or of kind cancelled.
func (b *brush) draw(ctx context.Context, level int, from int64, n int, out strip) error {
	width := ColumnSamples(level)
	block := int(max(blockSamples/width, 1))
	if need := min(block, n)*int(width) + 2*reach; len(b.buf) < need {
		b.buf = make([]int16, need)
	}
	for done := 0; done < n; done += block {
		if err := ctx.Err(); err != nil {
			return evidence.Cancelled("drawing the picture was stopped").Because(err)
		}
		part := min(block, n-done)
		at := (from + int64(done)) * width
		buf := b.buf[:part*int(width)+2*reach]
		if err := audio.ReadPadded(b.src, buf, at-reach); err != nil {
			return fmt.Errorf("draw the picture at %s: %w", evidence.Clock(at), err)
		}
		there := int(min(int64(part)*width, b.samples-at)) // samples, without what is beyond the end
		if p := out[Peaks]; p != nil {
			drawPeaks(p[done*2:], buf[reach:reach+there], int(width))
		}
		if s := out[Spectrogram]; s != nil {
			b.drawSpectrogram(s[done*Bins:], buf, there, level)
		}
	}
	return nil
}

// drawPeaks draws a column of every width samples, the last of what is left.
func drawPeaks(dst []byte, sound []int16, width int) {
	for i := 0; len(sound) > 0; i += 2 {
		n := min(width, len(sound))
		low, high := int(sound[0]), int(sound[0])
		for _, v := range sound[1:n] {
			low, high = min(low, int(v)), max(high, int(v))
		}
		dst[i] = byte(low >> 8)                  // rounds down
		dst[i+1] = byte(min((high+255)>>8, 127)) // rounds up
		sound = sound[n:]
	}
}

// drawSpectrogram draws the columns of the sound that begins reach samples into buf and has the given number of samples.
func (b *brush) drawSpectrogram(dst []byte, buf []int16, samples, level int) {
	hop, width := 256, int(ColumnSamples(level))
	if level == 0 {
		hop = width
	}
	for at := 0; at < samples; at += width {
		var power [Bins]float32
		for t := at; t < min(at+width, samples); t += hop {
			if x := buf[t : t+window]; !silent(x) {
				raise(&power, (*[window / 2]float32)(b.spectra.Of(x)))
			}
		}
		for i, p := range power {
			dst[i] = loudnessOf(p)
		}
		dst = dst[Bins:]
	}
}

func silent(x []int16) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// raise lifts each bin to the highest of its lines.
func raise(bins *[Bins]float32, lines *[window / 2]float32) {
	for i := range fineBins {
		bins[i] = max(bins[i], lines[i])
	}
	for i := fineBins; i < Bins; i++ {
		first := fineBins + (i-fineBins)*wideLines
		for _, p := range lines[first : first+wideLines] {
			bins[i] = max(bins[i], p)
		}
	}
}
