package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// What OpenWAV says about bytes that it does not read; test with errors.Is. Both are for a decoder to try.
var (
	ErrNotWAV = errors.New("not a WAV file")
	ErrNotPCM = errors.New("a WAV file whose sound is not plain PCM")
)

// The encodings of samples that are read directly.
const (
	EncodingPCM   = 1 // integers; 8 bits are unsigned, more are signed
	EncodingFloat = 3 // IEEE 754
	EncodingALaw  = 6
	EncodingMuLaw = 7
)

const encodingExtensible = 0xFFFE

// Layout says how frames are laid out: one sample of each channel, little-endian, interleaved.
type Layout struct {
	Encoding int // EncodingPCM, EncodingFloat, EncodingALaw or EncodingMuLaw
	Bits     int // of one sample as stored: 8, 16, 24, 32 or 64
	Channels int
	Rate     int // Hz
}

// FrameBytes returns the number of bytes of one frame.
func (l Layout) FrameBytes() int { return l.Bits / 8 * l.Channels }

// The limits of what is read directly. Outside them a header is taken for damage.
const (
	minRate     = 4000
	maxRate     = 384000
	maxChannels = 384
)

func (l Layout) check() error {
	ok := false
	switch l.Encoding {
	case EncodingPCM:
		ok = l.Bits == 8 || l.Bits == 16 || l.Bits == 24 || l.Bits == 32
	case EncodingFloat:
		ok = l.Bits == 32 || l.Bits == 64
	case EncodingALaw, EncodingMuLaw:
		ok = l.Bits == 8
	default:
		return fmt.Errorf("%w: format tag 0x%04x", ErrNotPCM, l.Encoding)
	}
	switch {
	case !ok:
		return fmt.Errorf("%w: %d bits a sample in format 0x%04x", ErrNotPCM, l.Bits, l.Encoding)
	case l.Channels < 1 || l.Channels > maxChannels:
		return fmt.Errorf("%w: %d channels", ErrNotPCM, l.Channels)
	case l.Rate < minRate || l.Rate > maxRate:
		return fmt.Errorf("%w: %d samples a second", ErrNotPCM, l.Rate)
	}
	return nil
}

// WAV is a WAV, RF64, BW64 or Wave64 file of plain PCM.
type WAV struct {
	Layout
	Container string // "WAV", "RF64", "BW64" or "W64"
	Truncated bool   // the file ends before the sound that its header promises, or the header was never completed

	r      io.ReaderAt
	start  int64 // byte at which the first frame stands
	frames int64
}

// OpenWAV reads the header of a file of size bytes. A recorder that was cut off leaves a data size of 0, of
// 0xFFFFFFFF or of more than is there: then what is there is taken, and Truncated is set.
func OpenWAV(r io.ReaderAt, size int64) (*WAV, error) {
	h := &wavHeader{r: r, size: size}
	w, err := h.parse()
	if err != nil {
		return nil, fmt.Errorf("read WAV header: %w", err)
	}
	return w, nil
}

// wavHeader walks the chunks. Layout of the three 32-bit forms: EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64).
type wavHeader struct {
	r    io.ReaderAt
	size int64
	fmt  []byte
	ds64 []byte
}

// maxChunks bounds the walk over chunks before data; real files have fewer than twenty.
const maxChunks = 4096

func (h *wavHeader) at(off int64, n int) ([]byte, error) {
	b := make([]byte, n)
	got, err := h.r.ReadAt(b, off)
	if got == n {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b[:got], err
}

func (h *wavHeader) parse() (*WAV, error) {
	head, err := h.at(0, 12)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%w: it has %d bytes", ErrNotWAV, len(head))
		}
		return nil, err
	}
	switch {
	case string(head[:4]) == "riff":
		return h.parseW64()
	case string(head[8:12]) != "WAVE":
		return nil, ErrNotWAV
	}
	w := &WAV{r: h.r}
	switch string(head[:4]) {
	case "RIFF":
		w.Container = "WAV"
	case "RF64", "BW64":
		w.Container = string(head[:4])
	default:
		return nil, ErrNotWAV
	}
	off := int64(12)
	for range maxChunks {
		ck, err := h.at(off, 8)
		if err != nil {
			return nil, h.noData(err)
		}
		length := int64(binary.LittleEndian.Uint32(ck[4:]))
		body := off + 8
		switch string(ck[:4]) {
		case "data":
			unfinished := length == 0 || length == math.MaxUint32
			if length == math.MaxUint32 && len(h.ds64) >= 16 {
				// A recorder that writes ds64 first and fills it in last leaves 0 there when cut off.
				length = int64(binary.LittleEndian.Uint64(h.ds64[8:]))
				unfinished = length <= 0
			}
			return w, h.finish(w, body, length, unfinished)
		case "fmt ":
			h.fmt, err = h.at(body, int(min(length, 40)))
		case "ds64":
			h.ds64, err = h.at(body, int(min(length, 28)))
		}
		if err != nil {
			return nil, h.noData(err)
		}
		off = body + length + length&1 // chunks are padded to an even length
	}
	return nil, fmt.Errorf("%w: no sound in its first %d chunks", ErrNotWAV, maxChunks)
}

// GUIDs of Sony's Wave64: the four characters, then these twelve bytes; "riff" has its own.
var (
	w64Tail = []byte{0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A}
	w64Riff = []byte{0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00}
)

func (h *wavHeader) parseW64() (*WAV, error) {
	head, err := h.at(0, 40)
	if err != nil || !bytes.Equal(head[4:16], w64Riff) || string(head[24:28]) != "wave" || !bytes.Equal(head[28:40], w64Tail) {
		return nil, ErrNotWAV
	}
	w := &WAV{r: h.r, Container: "W64"}
	off := int64(40)
	for range maxChunks {
		ck, err := h.at(off, 24)
		if err != nil {
			return nil, h.noData(err)
		}
		length := int64(binary.LittleEndian.Uint64(ck[16:])) - 24 // the size counts its own header
		known := bytes.Equal(ck[4:16], w64Tail)
		if known && string(ck[:4]) == "data" {
			return w, h.finish(w, off+24, length, length <= 0)
		}
		if length < 0 || length > h.size {
			return nil, fmt.Errorf("%w: a chunk of %d bytes", ErrNotWAV, length)
		}
		if known && string(ck[:4]) == "fmt " {
			if h.fmt, err = h.at(off+24, int(min(length, 40))); err != nil {
				return nil, h.noData(err)
			}
		}
		off += (24 + length + 7) &^ 7
	}
	return nil, fmt.Errorf("%w: no sound in its first %d chunks", ErrNotWAV, maxChunks)
}

func (h *wavHeader) noData(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before any sound", ErrNotWAV)
	}
	return err
}

// subformatTail is what follows the format tag in the GUID of WAVE_FORMAT_EXTENSIBLE.
var subformatTail = []byte{0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71}

func (h *wavHeader) finish(w *WAV, start, length int64, unfinished bool) error {
	f := h.fmt
	if len(f) < 16 {
		return fmt.Errorf("%w: its sound comes before its format", ErrNotWAV)
	}
	le := binary.LittleEndian
	w.Layout = Layout{Encoding: int(le.Uint16(f)), Channels: int(le.Uint16(f[2:])), Rate: int(le.Uint32(f[4:])), Bits: int(le.Uint16(f[14:]))}
	if w.Encoding == encodingExtensible {
		if len(f) < 40 || !bytes.Equal(f[26:40], subformatTail) {
			return fmt.Errorf("%w: its extensible format is unknown", ErrNotPCM)
		}
		w.Encoding = int(le.Uint16(f[24:]))
	}
	// Some writers put the meaningful bits (20, 12) here; the container's size is then in the block size.
	if block := int(le.Uint16(f[12:])); w.Encoding == EncodingPCM && w.Channels > 0 && w.Bits > 8 && block == w.Channels*((w.Bits+7)/8) {
		w.Bits = (w.Bits + 7) / 8 * 8
	}
	if err := w.check(); err != nil {
		return err
	}
	there := max(h.size-start, 0)
	if unfinished {
		w.Truncated = there > 0
		length = there
	}
	if length > there || length < 0 {
		w.Truncated, length = true, there
	}
	w.start, w.frames = start, length/int64(w.FrameBytes())
	return nil
}

// Frames returns the number of frames, in the file's own rate.
func (w *WAV) Frames() int64 { return w.frames }

// ReadFrames fills dst with whole frames as they stand in the file, from frame at on, and returns how many. It
// returns fewer than fit in dst only together with an error, io.EOF at the end. Safe for concurrent use.
func (w *WAV) ReadFrames(dst []byte, at int64) (int, error) {
	if at < 0 {
		return 0, errPosition
	}
	fb := w.FrameBytes()
	fit := len(dst) / fb
	want := int(min(int64(fit), max(w.frames-at, 0)))
	got, err := w.r.ReadAt(dst[:want*fb], w.start+at*int64(fb))
	if got < want*fb {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return got / fb, fmt.Errorf("read frame %d: %w", at+int64(got/fb), err)
	}
	if want < fit {
		return want, io.EOF
	}
	return want, nil
}

// CountBad reads all of a file of floating-point samples and returns how many of them are not numbers or
// infinite. They sound as zero. It returns 0 at once for other encodings.
func (w *WAV) CountBad() (int64, error) {
	if w.Encoding != EncodingFloat {
		return 0, nil
	}
	var bad int64
	fb := w.FrameBytes()
	buf := make([]byte, max(1, 65536/fb)*fb)
	for at := int64(0); at < w.frames; {
		n, err := w.ReadFrames(buf, at)
		for b := buf[:n*fb]; len(b) > 0; b = b[w.Bits/8:] {
			if x := floatSample(b, w.Bits); math.IsNaN(x) || math.IsInf(x, 0) {
				bad++
			}
		}
		at += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return bad, err
		}
	}
	return bad, nil
}

func floatSample(b []byte, bits int) float64 {
	if bits == 32 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}
