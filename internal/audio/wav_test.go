package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

func chunk(id string, body []byte) []byte {
	b := append([]byte(id), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func fmtChunk(l Layout, extensible bool) []byte {
	le := binary.LittleEndian
	tag := l.Encoding
	if extensible {
		tag = encodingExtensible
	}
	var b []byte
	b = le.AppendUint16(b, uint16(tag))
	b = le.AppendUint16(b, uint16(l.Channels))
	b = le.AppendUint32(b, uint32(l.Rate))
	b = le.AppendUint32(b, uint32(l.Rate*l.FrameBytes()))
	b = le.AppendUint16(b, uint16(l.FrameBytes()))
	b = le.AppendUint16(b, uint16(l.Bits))
	if extensible {
		b = le.AppendUint16(b, 22)
		b = le.AppendUint16(b, uint16(l.Bits))
		b = le.AppendUint32(b, 0)
		b = le.AppendUint16(b, uint16(l.Encoding))
		b = append(b, subformatTail...)
	}
	return chunk("fmt ", b)
}

func riff(parts ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(parts, nil)...)
	return chunk("RIFF", body)
}

func openBytes(t *testing.T, b []byte) *WAV {
	t.Helper()
	w, err := OpenWAV(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func readAll(t *testing.T, s Source) []int16 {
	t.Helper()
	dst := make([]int16, s.Len())
	if n, err := s.ReadSamples(dst, 0); err != nil || n != len(dst) {
		t.Fatalf("read %d of %d samples: %v", n, len(dst), err)
	}
	return dst
}

var pcm16 = Layout{Encoding: EncodingPCM, Bits: 16, Channels: 1, Rate: Rate}

func TestSixteenBitMonoPassesThroughBitForBit(t *testing.T) {
	want := make([]int16, 5000)
	var data []byte
	for i := range want {
		want[i] = int16(rand.NewPCG(1, uint64(i)).Uint64())
		data = binary.LittleEndian.AppendUint16(data, uint16(want[i]))
	}
	list := chunk("LIST", []byte("INFOISFT\x05\x00\x00\x00abcde")) // odd: padded
	w := openBytes(t, riff(fmtChunk(pcm16, false), list, chunk("data", data), chunk("id3 ", []byte("x"))))
	if got := readAll(t, w.Source()); string(shorts(got)) != string(data) {
		t.Error("samples differ")
	}
	if w.Truncated || w.Frames() != 5000 || w.Container != "WAV" {
		t.Errorf("truncated %v, %d frames, %s", w.Truncated, w.Frames(), w.Container)
	}
}

func shorts(s []int16) []byte {
	var b []byte
	for _, x := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	return b
}

func TestEveryEncodingGivesTheSameSound(t *testing.T) {
	le := binary.LittleEndian
	values := []float64{0, 0.5, -0.5, 0.25, -1, 0.99}
	encoders := []struct {
		l   Layout
		put func(b []byte, x float64) []byte
		tol float64
	}{
		{Layout{EncodingPCM, 8, 1, Rate}, func(b []byte, x float64) []byte { return append(b, byte(x*127+128)) }, 500},
		{Layout{EncodingPCM, 16, 1, Rate}, func(b []byte, x float64) []byte { return le.AppendUint16(b, uint16(int16(x*32767))) }, 2},
		{Layout{EncodingPCM, 24, 1, Rate}, func(b []byte, x float64) []byte {
			v := uint32(int32(x * 8388607))
			return append(b, byte(v), byte(v>>8), byte(v>>16))
		}, 2},
		{Layout{EncodingPCM, 32, 1, Rate}, func(b []byte, x float64) []byte { return le.AppendUint32(b, uint32(int32(x*2147483647))) }, 2},
		{Layout{EncodingFloat, 32, 1, Rate}, func(b []byte, x float64) []byte { return le.AppendUint32(b, math.Float32bits(float32(x))) }, 2},
		{Layout{EncodingFloat, 64, 1, Rate}, func(b []byte, x float64) []byte { return le.AppendUint64(b, math.Float64bits(x)) }, 2},
	}
	for _, e := range encoders {
		for _, channels := range []int{1, 2, 5} {
			for _, ext := range []bool{false, true} {
				l := e.l
				l.Channels = channels
				var data []byte
				for _, x := range values {
					for range channels {
						data = e.put(data, x)
					}
				}
				got := readAll(t, openBytes(t, riff(fmtChunk(l, ext), chunk("data", data))).Source())
				if len(got) != len(values) {
					t.Fatalf("%+v: %d samples", l, len(got))
				}
				for i, x := range values {
					if math.Abs(float64(got[i])-x*32767) > e.tol {
						t.Errorf("%+v extensible %v: %g became %d", l, ext, x, got[i])
					}
				}
			}
		}
	}
}

// The corners of ITU-T G.711, tables 1a and 2a, left-justified in 16 bits.
func TestG711(t *testing.T) {
	for _, c := range []struct {
		name string
		got  int16
		want int16
	}{
		{"mu-law 0xFF", mulaw(0xFF), 0}, {"mu-law 0x80", mulaw(0x80), 32124}, {"mu-law 0x00", mulaw(0x00), -32124},
		{"mu-law 0xF0", mulaw(0xF0), 120}, {"A-law 0xD5", alaw(0xD5), 8}, {"A-law 0x55", alaw(0x55), -8},
		{"A-law 0xAA", alaw(0xAA), 32256}, {"A-law 0x2A", alaw(0x2A), -32256},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestCutOffRecorders(t *testing.T) {
	le := binary.LittleEndian
	data := make([]byte, 3001) // half a sample at the end
	head := riff(fmtChunk(pcm16, false))
	for _, size := range []uint32{0, math.MaxUint32, 100000} {
		b := append(append([]byte{}, head...), "data"...)
		b = le.AppendUint32(b, size)
		w := openBytes(t, append(b, data...))
		if !w.Truncated || w.Frames() != 1500 {
			t.Errorf("size %d: truncated %v, %d frames", size, w.Truncated, w.Frames())
		}
		readAll(t, w.Source())
	}
	empty := openBytes(t, riff(fmtChunk(pcm16, false), chunk("data", nil)))
	if empty.Truncated || empty.Frames() != 0 || empty.Source().Len() != 0 {
		t.Error("a file without sound is not one that was cut off")
	}
}

func TestRF64AndBW64(t *testing.T) {
	le := binary.LittleEndian
	for _, id := range []string{"RF64", "BW64"} {
		for _, size := range []uint64{200, 0} {
			b := append([]byte(id), "\xFF\xFF\xFF\xFFWAVE"...)
			ds := le.AppendUint64(nil, 0)
			ds = le.AppendUint64(ds, size)
			ds = le.AppendUint64(ds, 100)
			ds = le.AppendUint32(ds, 0)
			b = append(b, chunk("ds64", ds)...)
			b = append(b, fmtChunk(pcm16, false)...)
			b = append(b, "data\xFF\xFF\xFF\xFF"...)
			w := openBytes(t, append(b, make([]byte, 200)...))
			if w.Container != id || w.Frames() != 100 || w.Truncated != (size == 0) {
				t.Errorf("%s: %s, %d frames, truncated %v", id, w.Container, w.Frames(), w.Truncated)
			}
		}
	}
}

func TestWave64(t *testing.T) {
	le := binary.LittleEndian
	part := func(id string, tail, body []byte) []byte {
		b := append([]byte(id), tail...)
		b = le.AppendUint64(b, uint64(24+len(body)))
		b = append(b, body...)
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		return b
	}
	b := append([]byte("riff"), w64Riff...)
	b = le.AppendUint64(b, 0)
	b = append(append(b, "wave"...), w64Tail...)
	b = append(b, part("fmt ", w64Tail, fmtChunk(pcm16, false)[8:])...)
	b = append(b, part("data", w64Tail, make([]byte, 50))...)
	w := openBytes(t, b)
	if w.Container != "W64" || w.Frames() != 25 {
		t.Errorf("%s, %d frames", w.Container, w.Frames())
	}
}

func TestWhatIsNotRead(t *testing.T) {
	adpcm := fmtChunk(pcm16, false)
	adpcm[8] = 0x11
	mp3 := fmtChunk(pcm16, false)
	mp3[8] = 0x55
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":         {nil, ErrNotWAV},
		"pdf":           {[]byte("%PDF-1.4 and so on and on"), ErrNotWAV},
		"avi":           {[]byte("RIFF\x00\x00\x00\x00AVI LIST"), ErrNotWAV},
		"header only":   {riff(fmtChunk(pcm16, false)), ErrNotWAV},
		"data first":    {riff(chunk("data", make([]byte, 4)), fmtChunk(pcm16, false)), ErrNotWAV},
		"ADPCM":         {riff(adpcm, chunk("data", make([]byte, 4))), ErrNotPCM},
		"MP3":           {riff(mp3, chunk("data", make([]byte, 4))), ErrNotPCM},
		"no channels":   {riff(fmtChunk(Layout{EncodingPCM, 16, 0, Rate}, false), chunk("data", nil)), ErrNotPCM},
		"12 GHz":        {riff(fmtChunk(Layout{EncodingPCM, 16, 1, 4000000000}, false), chunk("data", nil)), ErrNotPCM},
		"1 sample/s":    {riff(fmtChunk(Layout{EncodingPCM, 16, 1, 1}, false), chunk("data", nil)), ErrNotPCM},
		"16-bit mu-law": {riff(fmtChunk(Layout{EncodingMuLaw, 16, 1, Rate}, false), chunk("data", nil)), ErrNotPCM},
	} {
		if _, err := OpenWAV(bytes.NewReader(c.b), int64(len(c.b))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotANumberSoundsAsZero(t *testing.T) {
	le := binary.LittleEndian
	var data []byte
	for _, x := range []float64{0.5, math.NaN(), math.Inf(1), math.Inf(-1), 4} {
		data = le.AppendUint32(data, math.Float32bits(float32(x)))
	}
	w := openBytes(t, riff(fmtChunk(Layout{EncodingFloat, 32, 1, Rate}, false), chunk("data", data)))
	if bad, err := w.CountBad(); bad != 3 || err != nil {
		t.Errorf("%d bad samples, %v", bad, err)
	}
	got := readAll(t, w.Source())
	if got[0] != 16384 || got[1] != 0 || got[2] != 0 || got[3] != 0 || got[4] != math.MaxInt16 {
		t.Error(got)
	}
}

func TestWriterAndReaderAgree(t *testing.T) {
	for _, l := range []Layout{pcm16, {EncodingPCM, 24, 1, 48000}, {EncodingPCM, 8, 3, 8000}, {EncodingFloat, 32, 2, 44100}, {EncodingMuLaw, 8, 1, 8000}} {
		var b bytes.Buffer
		raw := make([]byte, 7*l.FrameBytes())
		for i := range raw {
			raw[i] = byte(i * 7)
		}
		w, err := NewWAVWriter(&b, l, 7)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw); err == nil {
			t.Error("more than was announced was taken")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if b.Len()%2 != 0 || int(binary.LittleEndian.Uint32(b.Bytes()[4:])) != b.Len()-8 {
			t.Errorf("%+v: RIFF size %d of %d bytes", l, binary.LittleEndian.Uint32(b.Bytes()[4:]), b.Len())
		}
		r := openBytes(t, b.Bytes())
		got := make([]byte, len(raw))
		if n, err := r.ReadFrames(got, 0); n != 7 || err != nil || !bytes.Equal(got, raw) || r.Layout != l || r.Truncated {
			t.Errorf("%+v: %d frames, %v, %+v", l, n, err, r.Layout)
		}
		if n, err := r.ReadFrames(got, 5); n != 2 || err != io.EOF {
			t.Errorf("at the end: %d frames, %v", n, err)
		}
	}
}

// sparse is a file of which only the head is real.
type sparse struct {
	head []byte
	size int64
}

func (s sparse) ReadAt(b []byte, at int64) (int, error) {
	clear(b)
	if at < int64(len(s.head)) {
		copy(b, s.head[at:])
	}
	if at+int64(len(b)) > s.size {
		return int(max(s.size-at, 0)), io.EOF
	}
	return len(b), nil
}

func TestSoundOfMoreThan4GiBIsRF64(t *testing.T) {
	const frames = 3 << 30
	var b bytes.Buffer
	if _, err := NewWAVWriter(&b, pcm16, frames); err != nil {
		t.Fatal(err)
	}
	size := int64(b.Len()) + 2*frames
	w, err := OpenWAV(sparse{b.Bytes(), size}, size)
	if err != nil || w.Container != "RF64" || w.Frames() != frames || w.Truncated {
		t.Fatalf("%+v, %v", w, err)
	}
	if n, err := w.Source().ReadSamples(make([]int16, 10), frames-10); n != 10 || err != nil {
		t.Errorf("%d samples, %v", n, err)
	}
}

func TestRealFiles(t *testing.T) {
	dir := casetest.Shared(t, "audio")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.wav"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		w, err := OpenWAV(f, st.Size())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := w.Source()
		if got, want := s.Len(), w.Frames()*Rate/int64(w.Rate); got != want || got < Rate {
			t.Errorf("%s: %d samples, want %d", name, got, want)
		}
		readAll(t, s)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzOpenWAV(f *testing.F) {
	f.Add(riff(fmtChunk(pcm16, false), chunk("LIST", []byte("odd")), chunk("data", make([]byte, 64))))
	f.Add(riff(fmtChunk(Layout{EncodingFloat, 32, 2, 44100}, true), chunk("data", make([]byte, 64))))
	f.Add([]byte("RF64\xFF\xFF\xFF\xFFWAVEds64\x1c\x00\x00\x00"))
	f.Add(append([]byte("riff"), w64Riff...))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := OpenWAV(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrNotWAV) && !errors.Is(err, ErrNotPCM) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			return
		}
		if w.Frames() < 0 || w.Frames()*int64(w.FrameBytes()) > int64(len(b)) {
			t.Fatalf("%d frames of %d bytes in a file of %d", w.Frames(), w.FrameBytes(), len(b))
		}
		s := w.Source()
		if s.Len() > 1<<20 {
			return
		}
		dst := make([]int16, s.Len())
		if n, err := s.ReadSamples(dst, 0); n != len(dst) || err != nil {
			t.Fatalf("%d of %d samples: %v", n, len(dst), err)
		}
		if _, err := w.CountBad(); err != nil {
			t.Fatal(err)
		}
	})
}
