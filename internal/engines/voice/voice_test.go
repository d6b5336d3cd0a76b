package voice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/voice/graph"
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

func encoder(t testing.TB) *Encoder {
	t.Helper()
	dir := os.Getenv("EARWITNESS_WEIGHTS")
	if dir == "" {
		casetest.Skip(t, "EARWITNESS_WEIGHTS names no folder with the voice encoder's checkpoint (resemblyzer.pt); tools/weights.sh fetches it")
	}
	b, err := os.ReadFile(filepath.Join(dir, "resemblyzer.pt"))
	if err != nil {
		casetest.Skip(t, "the voice encoder's checkpoint is not where EARWITNESS_WEIGHTS says: "+err.Error())
	}
	var g bytes.Buffer
	if err := graph.Build(t.Context(), bytes.NewReader(b), int64(len(b)), &g); err != nil {
		t.Fatal(err)
	}
	e, err := Load(g.Bytes(), Defaults())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// vectors are what the Python package gives: testdata/make_vectors.py.
type vectors struct {
	Sound string `json:"sound"`
	Cases []struct {
		From   int       `json:"from"`
		To     int       `json:"to"`
		Divide int16     `json:"divide"`
		Mel    []float64 `json:"mel_frame_50"`
		Voice  []float64 `json:"voice"`
	} `json:"cases"`
}

func reference(t testing.TB) (v vectors, pcm []int16) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(casetest.Root(t), filepath.FromSlash(v.Sound)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	w, err := audio.OpenWAV(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	pcm = make([]int16, w.Source().Len())
	if n, err := w.Source().ReadSamples(pcm, 0); n < len(pcm) {
		t.Fatal(err)
	}
	return v, pcm
}

func TestMelEqualsReference(t *testing.T) {
	v, pcm := reference(t)
	s := newSpectrograph()
	for _, c := range v.Cases {
		x := slices.Clone(pcm[c.From:c.To])
		for i := range x {
			x[i] /= c.Divide
		}
		y, err := Defaults().level(x)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, mels)
		s.frame(got, y, 50)
		most := slices.Max(c.Mel)
		for i, want := range c.Mel {
			if math.Abs(float64(got[i])-want) > 1e-4*want+1e-6*most {
				t.Errorf("%d-%d, band %d: %v, the reference has %v", c.From, c.To, i, got[i], want)
			}
		}
	}
}

func TestVoiceEqualsReference(t *testing.T) {
	e := encoder(t)
	v, pcm := reference(t)
	for _, c := range v.Cases {
		x := slices.Clone(pcm[c.From:c.To])
		for i := range x {
			x[i] /= c.Divide
		}
		got, err := e.Voice(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		worst, dot := 0.0, 0.0
		for i, want := range c.Voice {
			worst, dot = max(worst, math.Abs(float64(got[i])-want)), dot+float64(got[i])*want
		}
		t.Logf("%d-%d: greatest difference %.1e, likeness %.7f", c.From, c.To, worst, dot)
		if worst > 2e-5 {
			t.Errorf("%d-%d: differs from the reference by up to %v", c.From, c.To, worst)
		}
	}
}

// The windows are those that the reference's compute_partial_slices gives.
func TestWindows(t *testing.T) {
	for _, c := range []struct {
		samples int
		want    []int
	}{
		{4000, []int{0}},
		{12800, []int{0}},
		{25600, []int{0}},
		{25760, []int{0}},
		{31519, []int{0}},
		{31520, []int{0, 77}},
		{31839, []int{0, 77}},
		{43839, []int{0, 77}},
		{43840, []int{0, 77, 154}},
		{80000, []int{0, 77, 154, 231, 308}},
	} {
		if got := Defaults().windows(c.samples); !slices.Equal(got, c.want) {
			t.Errorf("%d samples: windows at %v, want %v", c.samples, got, c.want)
		}
	}
}

func TestTheSameSoundGivesTheSameBits(t *testing.T) {
	e := encoder(t)
	_, pcm := reference(t)
	long := slices.Concat(pcm, pcm, pcm) // more windows than one batch has
	want, err := e.Voice(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := e.Voice(t.Context(), long)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("beside others it differs: %v", err)
			}
		})
	}
	all.Wait()
	length := 0.0
	for _, x := range want {
		length += float64(x) * float64(x)
	}
	if math.Abs(length-1) > 1e-5 {
		t.Errorf("length %v", math.Sqrt(length))
	}
}

func TestBadSound(t *testing.T) {
	e := encoder(t)
	for name, pcm := range map[string][]int16{
		"none": nil, "0.1 s": make([]int16, rate/10), "silence": make([]int16, 3*rate), "over a minute": make([]int16, Longest+1),
	} {
		if v, err := e.Voice(t.Context(), pcm); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v, %v; want an error of kind invalid", name, len(v), err)
		}
	}
	// What has sound in it gives a vector without a word about whether it is a voice: numbers, and no crash.
	tone, clipped, constant := make([]int16, 2*rate), make([]int16, 2*rate), make([]int16, 2*rate)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/rate))
		clipped[i] = int16(32767 - 65535*(i/37%2))
		constant[i] = -32768
	}
	for name, pcm := range map[string][]int16{"tone": tone, "clipped": clipped, "constant": constant, "one click": append(make([]int16, rate), 1)} {
		v, err := e.Voice(t.Context(), pcm)
		if err != nil && evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
		for _, x := range v {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				t.Errorf("%s: %v", name, x)
				break
			}
		}
	}
	if _, err := Load([]byte("no graph"), Defaults()); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("a file that is no graph: %v", err)
	}
}

func BenchmarkVoice(b *testing.B) {
	e := encoder(b)
	_, pcm := reference(b)
	b.SetBytes(int64(2 * len(pcm)))
	for b.Loop() {
		if _, err := e.Voice(b.Context(), pcm); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(pcm))/rate/(b.Elapsed().Seconds()/float64(b.N)), "x_real_time")
}
