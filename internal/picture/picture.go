// Package picture keeps what a recording looks like: peaks and a spectrogram, as tiles at any zoom, for a browser to
// colour and put side by side. It promises that nothing loud is lost by looking from further away: a column shows the
// extremes of all sound in it. It never writes evidence; its files may be deleted at any time and are drawn anew.
//
// Level 0 is the finest, with 8 ms of sound a column; every level above has twice that, up to the one at which a single
// tile shows the whole recording. A tile has TileColumns columns, the last of a level only those that exist: a column
// exists where its first sample does. Its bytes are its columns in order of time, without a header:
//
//	Peaks        2 bytes a column, both int8: the lowest and the highest sample / 256, rounded away from what is
//	             between them (lowest down, highest up, at most 127): a sample that is not zero never becomes zero.
//	Spectrogram  Bins bytes a column, low frequencies first (BinHz): the highest power in the bin, in steps of
//	             100/255 dB from -110 dB (Decibels), where a sine of full scale has 0 dB. Below is 0, from -10 dB on 255.
//
// The spectrum is that of 32 ms under a Hann window (internal/audio), 31.25 Hz a line. Voice radio passes up to 3 kHz:
// there every line has its own bin, above five lines share one. At level 0 a window stands on the middle of each column;
// the levels above take every second one, half overlapping. Every level is exactly the extremes of pairs of columns of
// the one below, but for the spectrogram of level 1, which the pairs of level 0 can exceed.
//
// Up to 64 ms a column (level 3) a tile is drawn from the sound when it is asked for. Levels 4, 7, 10 and so on are kept
// in a file, which costs 4.2 MB an hour; the others are made of them. file.go has its format.
package picture

import (
	"math"

	"github.com/earwitness/earwitness/evidence"
)

const (
	// TileColumns is the number of columns of a tile.
	TileColumns = 512
	// Bins is the number of bytes of a column of a spectrogram.
	Bins = 128
	// FirstKept is the first level that is kept in a file. Tiles of the levels below, and of this one, can be drawn at once.
	FirstKept = 4
)

// Kind is what a tile shows.
type Kind int

// The kinds of tiles.
const (
	Peaks Kind = iota
	Spectrogram
	kinds
)

// String names the kind as an address does.
func (k Kind) String() string {
	switch k {
	case Peaks:
		return "peaks"
	case Spectrogram:
		return "spectrogram"
	default:
		return "unknown"
	}
}

// ColumnBytes returns how many bytes a column has.
func (k Kind) ColumnBytes() int {
	if k == Peaks {
		return 2
	}
	return Bins
}

// ColumnSamples returns how many samples a column of a level shows.
func ColumnSamples(level int) int64 { return 128 << level }

// Levels returns how many levels a recording has. One without sound has none.
func Levels(samples int64) int {
	n := 0
	for samples > 0 && (n == 0 || Tiles(samples, n-1) > 1) {
		n++
	}
	return n
}

// Columns returns how many columns one of a recording's levels has.
func Columns(samples int64, level int) int64 {
	if samples <= 0 {
		return 0
	}
	return (samples-1)/ColumnSamples(level) + 1
}

// Tiles returns how many tiles one of a recording's levels has.
func Tiles(samples int64, level int) int {
	return int((Columns(samples, level) + TileColumns - 1) / TileColumns)
}

// tileColumns returns how many columns a tile has.
func tileColumns(samples int64, level, tile int) int {
	return int(min(Columns(samples, level)-int64(tile)*TileColumns, TileColumns))
}

// check returns an error where a recording has no such tile: invalid for an unknown kind, else not found.
func check(samples int64, kind Kind, level, tile int) error {
	if kind < 0 || kind >= kinds {
		return evidence.Invalid("a picture has no tiles of kind %d", kind)
	}
	if n := Levels(samples); level < 0 || level >= n {
		return evidence.NotFound("the picture has no level %d, there are %d", level, n)
	}
	if n := Tiles(samples, level); tile < 0 || tile >= n {
		return evidence.NotFound("level %d of the picture has no tile %d, there are %d", level, tile, n)
	}
	return nil
}

const (
	window    = 512        // samples of a spectrum
	lineHz    = 31.25      // between the lines of a spectrum: audio.Rate / window
	fineBins  = 96         // the bins that hold one line each
	wideLines = 5          // the lines of each of the others
	quietest  = -110       // the dB of byte 0
	step      = 100. / 255 // the dB between bytes
)

// BinHz returns the edges of a bin of a spectrogram in Hz.
func BinHz(bin int) (low, high float64) {
	if bin < fineBins {
		return max(0, (float64(bin)-0.5)*lineHz), (float64(bin) + 0.5) * lineHz
	}
	first := float64(fineBins + (bin-fineBins)*wideLines)
	return (first - 0.5) * lineHz, (first + wideLines - 0.5) * lineHz
}

// Decibels returns the power that a byte of a spectrogram stands for, in dB below a sine of full scale.
func Decibels(b byte) float64 { return quietest + step*float64(b) }

// loudness holds the byte for every power from -110 to -10 dB, by the leading bits of the power as a float32: 64 entries
// an octave, which is finer than the bytes are.
var loudness = func() []byte {
	t := make([]byte, loudnessIndex(0.1)-loudnessIndex(1e-11))
	for i := range t {
		middle := math.Float32frombits((uint32(i+loudnessIndex(1e-11))<<1 + 1) << (loudnessShift - 1))
		t[i] = byte(min(max(math.Round((10*math.Log10(float64(middle))-quietest)/step), 0), 255))
	}
	return t
}()

const loudnessShift = 17

func loudnessIndex(power float32) int { return int(math.Float32bits(power) >> loudnessShift) }

// loudnessOf returns the byte of a power. It never falls where the power rises.
func loudnessOf(power float32) byte {
	i := loudnessIndex(power) - loudnessIndex(1e-11)
	if i < 0 {
		return 0
	}
	if i >= len(loudness) {
		return 255
	}
	return loudness[i]
}

// pool appends to dst one column for every n columns of src, the last for those that are left.
func (k Kind) pool(dst, src []byte, n int) []byte {
	width := k.ColumnBytes()
	for len(src) > 0 {
		at := len(dst)
		dst = append(dst, src[:width]...)
		end := min(n*width, len(src))
		if k == Peaks {
			dst[at], dst[at+1] = extremes(src[:end])
		} else {
			for from := width; from < end; from += width {
				louder((*[Bins]byte)(dst[at:]), (*[Bins]byte)(src[from:]))
			}
		}
		src = src[end:]
	}
	return dst
}

// extremes returns the lowest and the highest of columns of peaks.
func extremes(columns []byte) (low, high byte) {
	l, h := int8(columns[0]), int8(columns[1])
	for i := 2; i < len(columns); i += 2 {
		l, h = min(l, int8(columns[i])), max(h, int8(columns[i+1]))
	}
	return byte(l), byte(h)
}

func louder(dst, src *[Bins]byte) {
	for i, b := range src {
		dst[i] = byte(max(int(dst[i]), int(b)))
	}
}
