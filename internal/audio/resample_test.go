package audio

import (
	"fmt"
	"math"
	"sync"
	"testing"
)

// tone makes a mono 16-bit WAV of a sine at 0.5 of full scale.
func tone(t testing.TB, rate int, hz float64, frames int) *WAV {
	t.Helper()
	b := make([]int16, frames)
	for i := range b {
		b[i] = int16(math.Round(16384 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
	}
	l := Layout{Encoding: EncodingPCM, Bits: 16, Channels: 1, Rate: rate}
	raw := riff(fmtChunk(l, false), chunk("data", shorts(b)))
	w, err := OpenWAV(sparse{raw, int64(len(raw))}, int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var rates = []int{4000, 8000, 11025, 12000, 12001, 22050, 32000, 44100, 48000, 96000, 192000, 383999, 384000}

func TestResamplingKeepsTimeAndLevel(t *testing.T) {
	for _, rate := range rates {
		hz := 0.4 * math.Min(float64(rate), Rate) // inside the flat part
		got := readAll(t, tone(t, rate, hz, rate/2).Source())
		if len(got) != Rate/2 && len(got) != Rate/2+1 {
			t.Errorf("%d Hz: %d samples", rate, len(got))
		}
		worst := 0.0
		for n := 1000; n < len(got)-1000; n++ { // the ends have silence beside them
			want := 16384 * math.Sin(2*math.Pi*hz*float64(n)/Rate)
			worst = max(worst, math.Abs(float64(got[n])-want))
		}
		if worst > 16384*0.002 {
			t.Errorf("%d Hz: off by %.1f of 16384", rate, worst)
		}
	}
}

func TestStopBandIs60dBDown(t *testing.T) {
	for _, rate := range []int{22050, 32000, 44100, 48000, 96000, 383999} {
		for _, hz := range []float64{8010, 8500, 10000} {
			got := readAll(t, tone(t, rate, hz, rate/2).Source())
			var power float64
			for _, x := range got[1000 : len(got)-1000] {
				power += float64(x) * float64(x)
			}
			rms := math.Sqrt(power / float64(len(got)-2000))
			if db := 20 * math.Log10((rms+1e-9)/(16384/math.Sqrt2)); db > -60 {
				t.Errorf("%d Hz: %g Hz comes through at %.1f dB", rate, hz, db)
			}
		}
	}
}

func TestSamplesDoNotDependOnHowTheyAreRead(t *testing.T) {
	for _, rate := range []int{8000, 12001, 44100, 48000} {
		s := tone(t, rate, 777, rate).Source()
		want := readAll(t, s)
		var wg sync.WaitGroup
		for _, block := range []int{1, 7, 512, 5000} {
			wg.Go(func() {
				dst := make([]int16, block)
				for at := 0; at < len(want); at += block * 3 {
					n, _ := s.ReadSamples(dst, int64(at))
					for i := range n {
						if dst[i] != want[at+i] {
							t.Errorf("%d Hz, block %d: sample %d differs", rate, block, at+i)
							return
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

func BenchmarkSource(b *testing.B) {
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			s := tone(b, rate, 440, 10*rate).Source()
			dst := make([]int16, s.Len())
			for b.Loop() {
				if _, err := s.ReadSamples(dst, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
