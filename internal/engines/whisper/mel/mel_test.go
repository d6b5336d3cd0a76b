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

// The frames cover 30 s, those of the sound one by one, and together they stand for all 1,500.
func TestPositions(t *testing.T) {
	for _, samples := range []int{0, 4 * Rate, 12 * Rate, 29*Rate + Rate/2, 30 * Rate} {
		for _, step := range []int{0, 1, 16, 2000} {
			at, weight := Positions(nil, nil, samples, step)
			sum, n := 0.0, samples/Frame
			for i, p := range at {
				if i < n && (p != int64(i) || weight[i] != 0) || i > 0 && p <= at[i-1] || p < 0 || p >= 1500 {
					t.Errorf("%d samples, one in %d: frame %d is at %d with %v", samples, step, i, p, weight[i])
				}
				sum += math.Exp(float64(weight[i]))
			}
			want := 1500.0
			if step == 0 || step == 2000 {
				want = float64(n) // none is asked for, or fits
			}
			if math.Abs(sum-want) > 1e-3 || step == 1 && len(at) != 1500 {
				t.Errorf("%d samples, one in %d: %d frames stand for %v", samples, step, len(at), sum)
			}
		}
	}
}
