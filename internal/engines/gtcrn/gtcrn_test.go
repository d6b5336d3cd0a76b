package gtcrn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	sherpa "github.com/k2-fsa/sherpa-onnx-go-linux"
	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
)

func TestMain(m *testing.M) {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/k2-fsa/sherpa-onnx-go-linux").Output()
	if err == nil {
		ort.SetSharedLibraryPath(filepath.Join(strings.TrimSpace(string(dir)), "lib", arch+"-unknown-linux-gnu", "libonnxruntime.so"))
		err = ort.InitializeEnvironment()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start ONNX Runtime:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func cleaner(t testing.TB) *Cleaner {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func voice(t testing.TB) []int16 {
	t.Helper()
	f, err := os.Open(casetest.Shared(t, "audio", "en-jfk", "jfk.wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	w, err := audio.OpenWAV(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int16, w.Source().Len())
	if _, err := w.Source().ReadSamples(x, 0); err != nil {
		t.Fatal(err)
	}
	return x
}

// noisy adds white noise, 5 dB below the voice.
func noisy(x []int16) []int16 {
	var power float64
	for _, v := range x {
		power += float64(v) * float64(v) / float64(len(x))
	}
	r := rand.New(rand.NewPCG(1, 2))
	y := make([]int16, len(x))
	for i, v := range x {
		y[i] = int16(max(-32768, min(32767, float64(v)+r.NormFloat64()*math.Sqrt(power)*0.56)))
	}
	return y
}

// closeness is the power of a over that of a-b, in dB, from sample on.
func closeness(a, b []int16, from int) float64 {
	var s, e float64
	for i := from; i < min(len(a), len(b)); i++ {
		d := float64(a[i]) - float64(b[i])
		s += float64(a[i]) * float64(a[i])
		e += d * d
	}
	return 10 * math.Log10(s/max(e, 1e-9))
}

func TestNoiseIsTakenOff(t *testing.T) {
	x := voice(t)
	y := noisy(x)
	z, err := cleaner(t).Clean(t.Context(), y)
	if err != nil || len(z) != len(x) {
		t.Fatal(len(z), err)
	}
	before, after := closeness(x, y, 8000), closeness(x, z, 8000)
	t.Logf("the voice over what is not the voice: %.1f dB, cleaned %.1f dB", before, after)
	if after < before+5 {
		t.Error("hardly any noise was taken off")
	}
}

// sherpa-onnx runs the same model by its own code: the same sound but for rounding.
func TestAgreesWithSherpa(t *testing.T) {
	y := noisy(voice(t))
	c := sherpa.OfflineSpeechDenoiserConfig{}
	c.Model.Gtcrn.Model = casetest.Shared(t, "models", "gtcrn", "gtcrn_simple.onnx")
	c.Model.NumThreads, c.Model.Provider = 1, "cpu"
	d := sherpa.NewOfflineSpeechDenoiser(&c)
	if d == nil {
		t.Fatal("sherpa-onnx does not take the model")
	}
	defer sherpa.DeleteOfflineSpeechDenoiser(d)
	f := make([]float32, len(y))
	for i, v := range y {
		f[i] = float32(v) / 32768
	}
	a := d.Run(f, 16000)
	theirs := make([]int16, len(a.Samples))
	for i, v := range a.Samples {
		theirs[i] = int16(math.RoundToEven(float64(v) * 32768))
	}
	ours, err := cleaner(t).Clean(t.Context(), y)
	if err != nil {
		t.Fatal(err)
	}
	best := closeness(ours, theirs, 8000)
	t.Logf("ours over the difference: %.1f dB, %d and %d samples", best, len(ours), len(theirs))
	if best < 40 {
		t.Error("another sound than sherpa-onnx's")
	}
}

func TestAnyLength(t *testing.T) {
	c := cleaner(t)
	for _, n := range []int{0, 1, 2, 255, 256, 257, 511, 512, 513, 1600} {
		x := make([]int16, n)
		for i := range x {
			x[i] = int16(i * 31 % 2000)
		}
		if y, err := c.Clean(t.Context(), x); err != nil || len(y) != n {
			t.Errorf("%d samples give %d, %v", n, len(y), err)
		}
	}
	y, err := c.Clean(t.Context(), make([]int16, 16000))
	if err != nil || slices.Max(y) > 1 || slices.Min(y) < -1 {
		t.Error("silence is not silent", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Clean(ctx, make([]int16, 16000)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestConcurrentCallsDoNotShareState(t *testing.T) {
	c := cleaner(t)
	x := noisy(voice(t)[:3*16000])
	want, err := c.Clean(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2 {
				if got, err := c.Clean(t.Context(), x); err != nil || !slices.Equal(got, want) {
					t.Error("another answer", err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkClean(b *testing.B) {
	x := voice(b)
	c := cleaner(b)
	for b.Loop() {
		if _, err := c.Clean(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(x))/16000*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}
