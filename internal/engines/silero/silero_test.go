package silero

import (
	"fmt"
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

func detector(t testing.TB) *Detector {
	t.Helper()
	d, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// realFiles reads the WAV files of the reference data as working sound.
func realFiles(t testing.TB) map[string][]int16 {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(casetest.Shared(t, "audio"), "*", "*.wav"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	files := map[string][]int16{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		w, err := audio.OpenWAV(f, st.Size())
		if err != nil {
			t.Fatal(err)
		}
		s := w.Source()
		sound := make([]int16, s.Len())
		if _, err := s.ReadSamples(sound, 0); err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = sound
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestSilenceIsNotSpeech(t *testing.T) {
	p, err := detector(t).Speech(t.Context(), make([]int16, 3*16000+1))
	if err != nil || len(p) != 94 {
		t.Fatalf("%d probabilities, %v", len(p), err)
	}
	if slices.Max(p) > 0.1 {
		t.Error(p)
	}
}

func TestConcurrentCallsDoNotShareState(t *testing.T) {
	d := detector(t)
	sound := realFiles(t)["jfk.wav"][:4*16000]
	want, err := d.Speech(t.Context(), sound)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2 {
				if got, err := d.Speech(t.Context(), sound); err != nil || !slices.Equal(got, want) {
					t.Error("another answer", err)
				}
			}
		})
	}
	wg.Wait()
	if slices.Max(want) < 0.9 {
		t.Error("no speech found")
	}
}

// sherpaDetector feeds sherpa-onnx's own detector on the same model, a window a call; it says per window only
// whether it is inside speech.
func sherpaDetector(t testing.TB) *sherpa.VoiceActivityDetector {
	t.Helper()
	c := sherpa.VadModelConfig{SampleRate: 16000, NumThreads: 1, Provider: "cpu"}
	c.SileroVad = sherpa.SileroVadModelConfig{Model: "model/silero_vad_16k_op15.onnx", Threshold: 0.5, MinSilenceDuration: 0.5, MinSpeechDuration: 0.25, WindowSize: Window, MaxSpeechDuration: 3600}
	v := sherpa.NewVoiceActivityDetector(&c, 60)
	if v == nil {
		t.Fatal("sherpa-onnx does not take the model")
	}
	t.Cleanup(func() { sherpa.DeleteVoiceActivityDetector(v) })
	return v
}

func floats(s []int16) []float32 {
	f := make([]float32, len(s))
	for i, x := range s {
		f[i] = float32(x) / 32768
	}
	return f
}

// sherpaSays returns, for each whole window, whether sherpa-onnx is inside speech after it.
func sherpaSays(v *sherpa.VoiceActivityDetector, sound []int16) []bool {
	v.Reset()
	v.Clear()
	var out []bool
	f := floats(sound)
	for ; len(f) >= Window; f = f[Window:] {
		v.AcceptWaveform(f[:Window])
		out = append(out, v.IsSpeech())
	}
	return out
}

// sherpaRule turns probabilities into speech or not as sherpa-onnx does, seen from outside: speech begins once the
// probability has been above the threshold for min-speech, and ends once it has been below threshold-0.15 for min-silence.
func sherpaRule(p []float32) []bool {
	const threshold, minSpeech, minSilence = 0.5, 4000, 8000
	var triggered bool
	var start, end int
	out := make([]bool, len(p))
	for i, x := range p {
		now := (i + 1) * Window
		switch {
		case x > threshold:
			end = 0
			if start == 0 {
				start = now
			}
			triggered = triggered || now-start >= minSpeech
		case !triggered:
			start, end = 0, 0
		case x <= threshold-0.15:
			if end == 0 {
				end = now
			}
			if now-end >= minSilence {
				triggered, start, end = false, 0, 0
			}
		}
		out[i] = triggered
	}
	return out
}

func TestAgreesWithSherpaOnRealFiles(t *testing.T) {
	d, v := detector(t), sherpaDetector(t)
	windows, differ := 0, 0
	for name, sound := range realFiles(t) {
		// sherpa-onnx takes the first 64 samples for the context of its first window, so its windows stand 64 samples
		// later than ours, and it has looked at one window less than it was fed.
		p, err := d.Speech(t.Context(), sound[lead:])
		if err != nil {
			t.Fatal(err)
		}
		theirs, ours := sherpaSays(v, sound)[1:], sherpaRule(p)
		n := 0
		for i := range theirs {
			if theirs[i] != ours[i] {
				n++
			}
		}
		windows += len(theirs)
		differ += n
		if n > 0 {
			t.Logf("%s: %d of %d windows differ", name, n, len(theirs))
		}
	}
	t.Logf("%d of %d windows differ", differ, windows)
	if differ*100 > windows {
		t.Error("more than 1 % of windows differ")
	}
}

func BenchmarkSpeech(b *testing.B) {
	sound := realFiles(b)["6_speakers.wav"]
	seconds := float64(len(sound)) / 16000
	b.Run("ours", func(b *testing.B) {
		d := detector(b)
		for b.Loop() {
			if _, err := d.Speech(b.Context(), sound); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
	})
	b.Run("sherpa-onnx", func(b *testing.B) {
		v := sherpaDetector(b)
		for b.Loop() {
			sherpaSays(v, sound)
		}
		b.ReportMetric(seconds*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
	})
}
