package mel

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
)

// The log-mel spectrum equals openai-whisper's within 1e-4; testdata/SOURCE.txt says how that was made.
func TestLogMelEqualsReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/jfk.s16")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := os.ReadFile("testdata/jfk.mel")
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]float32, len(raw)/2)
	for i := range pcm {
		pcm[i] = float32(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
	}
	for _, bands := range []int{80, 128} {
		got := New(bands).LogMel(nil, pcm, Rate)
		if len(got) != bands*300 {
			t.Fatalf("%d bands: %d values, want %d", bands, len(got), bands*300)
		}
		worst := 0.0
		for i, v := range got {
			want := float64(binary.LittleEndian.Uint16(reference[2*i:]))/16384 - 2
			worst = max(worst, math.Abs(float64(v)-want))
		}
		reference = reference[2*len(got):]
		t.Logf("%d bands: greatest difference %.6f", bands, worst)
		if worst > 1e-4 {
			t.Errorf("%d bands: greatest difference %.6f, at most 0.0001 is wanted", bands, worst)
		}
	}
}

func TestLogMelOfLittle(t *testing.T) {
	s := New(80)
	for _, n := range []int{0, 1, 2, 159, 161, 399, 480, 481} {
		got := s.LogMel(nil, make([]float32, n), 0)
		if want := n / 320 * 2 * 80; len(got) != want {
			t.Errorf("%d samples: %d values, want %d", n, len(got), want)
		}
	}
}

func BenchmarkLogMel(b *testing.B) {
	s := New(80)
	pcm := make([]float32, 10*Rate)
	for i := range pcm {
		pcm[i] = float32(i*7919%1000)/1000 - 0.5
	}
	var dst []float32
	b.ReportAllocs()
	for b.Loop() {
		dst = s.LogMel(dst, pcm, Rate)
	}
}
