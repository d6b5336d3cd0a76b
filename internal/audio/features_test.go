package audio

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

func TestSpectrumAgreesWithGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{256, 512} {
		s := newSpectrum(size)
		x, y := make([]int16, size), make([]float64, size)
		for i := range x {
			x[i] = int16(r.IntN(65536) - 32768)
			y[i] = float64(x[i]) * float64(s.window[i])
		}
		got := s.of(x)
		want := fourier.NewFFT(size).Coefficients(nil, y)
		for k := 1; k < size/2; k++ {
			if w := math.Pow(cmplx.Abs(want[k]), 2); math.Abs(float64(got[k])-w) > 1e-7 {
				t.Fatalf("size %d, bin %d: %g, want %g", size, k, got[k], w)
			}
		}
	}
}

func TestFullScaleSineHasPowerOne(t *testing.T) {
	x := make(Samples, Rate)
	for i := range x {
		x[i] = int16(32767 * math.Sin(2*math.Pi*1000*float64(i)/Rate))
	}
	f := make([]Frame, 100)
	if err := NewFrames(x).Read(t.Context(), f, 0); err != nil {
		t.Fatal(err)
	}
	m := f[50]
	power := float64(m.Power[5]) * float64(bandEdges[6]-bandEdges[5]) // 1000 Hz is in band 5; a Hann line is 1.5 bins wide
	if math.Abs(power-1.5) > 0.02 {
		t.Errorf("power %g", power)
	}
}

func TestFramesDoNotDependOnHowTheyAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := make(Samples, 3*Rate+77)
	for i := range x {
		x[i] = int16(r.IntN(2000) - 1000)
	}
	n := FrameCount(x.Len())
	want, got := make([]Frame, n), make([]Frame, n)
	if err := NewFrames(x).Read(t.Context(), want, 0); err != nil {
		t.Fatal(err)
	}
	f := NewFrames(x)
	for at := int64(0); at < n; at += 7 {
		if err := f.Read(t.Context(), got[at:min(at+7, n)], at); err != nil {
			t.Fatal(err)
		}
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("frame %d differs", i)
		}
	}
}

func BenchmarkFrames(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	x := make(Samples, 60*Rate)
	for i := range x {
		x[i] = int16(r.IntN(2000) - 1000)
	}
	dst := make([]Frame, FrameCount(x.Len()))
	f := NewFrames(x)
	for b.Loop() {
		if err := f.Read(b.Context(), dst, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(60*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
