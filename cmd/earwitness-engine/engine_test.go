//go:build linux

package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// build makes the program and its libraries as `make build` does, in a folder of its own, once.
func build(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		casetest.Skip(t, "a C compiler is needed to build the engine")
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "earwitness-engine")
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "earwitness-engine-test-")
	if err != nil {
		return "", err
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s %v: %w: %s", name, args, err, out)
		}
		return strings.TrimSpace(string(out)), nil
	}
	program := filepath.Join(dir, "earwitness-engine")
	if _, err := run("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "."); err != nil {
		return "", err
	}
	if _, err := run("go", "run", "../../tools/runpath", program, "$ORIGIN/lib"); err != nil {
		return "", err
	}
	from, err := run("go", "list", "-m", "-f", "{{.Dir}}", "github.com/k2-fsa/sherpa-onnx-go-linux")
	if err != nil {
		return "", err
	}
	triple := map[string]string{"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}[runtime.GOARCH]
	if err := os.Mkdir(filepath.Join(dir, "lib"), 0o700); err != nil {
		return "", err
	}
	for _, lib := range []string{"libonnxruntime.so", "libsherpa-onnx-c-api.so"} {
		if err := copyFile(filepath.Join(dir, "lib", lib), filepath.Join(from, "lib", triple, lib)); err != nil {
			return "", err
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func copyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

func start(t testing.TB, threads int) *child.Engine {
	t.Helper()
	e, err := child.Start(context.Background(), child.Config{Executable: build(t), Threads: threads, MemoryBytes: 600 << 20})
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

func onShelf(t testing.TB, m models.Manifest, dir string, names map[string]string) models.Model {
	t.Helper()
	for _, role := range models.Roles(m.Kind) {
		b, err := os.ReadFile(filepath.Join(dir, names[role]))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, models.File{Digest: evidence.DigestOf(b), Name: names[role], Role: role, Size: int64(len(b))})
	}
	_, digest, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return models.Model{Manifest: m, Digest: digest, Dir: dir}
}

// baseGraphs builds whisper-base's graphs, once, from its checkpoint in the folder EARWITNESS_WEIGHTS.
var baseGraphs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = built(); err != nil {
		return "", err
	}
	from, err := os.Open(filepath.Join(os.Getenv("EARWITNESS_WEIGHTS"), "model.bin"))
	if err != nil {
		return "", err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return "", err
	}
	var encoder, decoder bytes.Buffer
	if err := graph.Build(context.Background(), from, info.Size(), "whisper-base", &encoder, &decoder); err != nil {
		return "", err
	}
	return dir, errors.Join(os.WriteFile(filepath.Join(dir, "encoder.onnx"), encoder.Bytes(), 0o600), os.WriteFile(filepath.Join(dir, "decoder.onnx"), decoder.Bytes(), 0o600))
})

func whisperBase(t testing.TB) models.Model {
	t.Helper()
	if os.Getenv("EARWITNESS_WEIGHTS") == "" {
		casetest.Skip(t, "EARWITNESS_WEIGHTS names no folder with the checkpoint of whisper-base (tools/weights.sh FOLDER fetches it)")
	}
	dir, err := baseGraphs()
	if err != nil {
		t.Fatal(err)
	}
	return onShelf(t, models.Manifest{Kind: models.KindWhisper, Licence: "MIT", Name: "whisper-base", Rate: 16000, Source: "OpenAI"},
		dir, map[string]string{"encoder": "encoder.onnx", "decoder": "decoder.onnx"})
}

func fixture(t testing.TB) models.Model {
	t.Helper()
	return onShelf(t, models.Manifest{Kind: models.KindZipformerCTC, Languages: []string{"ru"}, Licence: "Apache-2.0", Name: "ru-ctc-fixture", Rate: 16000, Source: "made for tests"},
		casetest.Shared(t, "models", "ru-ctc-fixture"), map[string]string{"model": "model.onnx", "tokens": "tokens.txt"})
}

func recording(t testing.TB, elem ...string) []int16 {
	t.Helper()
	f, err := os.Open(casetest.Shared(t, append([]string{"audio"}, elem...)...))
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
	src := w.Source()
	pcm := make([]int16, src.Len())
	if n, err := src.ReadSamples(pcm, 0); n != len(pcm) {
		t.Fatalf("%d of %d samples: %v", n, len(pcm), err)
	}
	return pcm
}

func TestSpeechIsFound(t *testing.T) {
	e := start(t, 2)
	pcm := append(make([]int16, 2*evidence.Rate), recording(t, "ru-gigaam-example", "example.wav")...)
	p, err := e.Speech(t.Context(), pcm)
	if err != nil {
		t.Fatal(err)
	}
	loud := func(p []float32) int {
		n := 0
		for _, v := range p {
			if v > 0.5 {
				n++
			}
		}
		return n
	}
	silence, speech := p[:2*evidence.Rate/child.SpeechFrame], p[2*evidence.Rate/child.SpeechFrame+1:]
	if loud(silence) != 0 || loud(speech) < len(speech)/2 {
		t.Errorf("speech in %d of %d windows of silence and %d of %d of speech", loud(silence), len(silence), loud(speech), len(speech))
	}
}

func TestNoiseIsTakenOff(t *testing.T) {
	e := start(t, 2)
	r := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, 3*16000+100)
	for i := range pcm {
		pcm[i] = int16(r.NormFloat64() * 1000)
	}
	out, err := e.Clean(t.Context(), pcm)
	if err != nil || len(out) != len(pcm) {
		t.Fatalf("%d samples, %v", len(out), err)
	}
	power := func(x []int16) (s float64) {
		for _, v := range x {
			s += float64(v) * float64(v)
		}
		return s
	}
	if p := power(out[16000:]) / power(pcm[16000:]); p > 0.05 {
		t.Errorf("%.3f of the noise is left", p)
	}
	again, err := e.Clean(t.Context(), pcm)
	if err != nil || !slices.Equal(out, again) {
		t.Errorf("the second answer is another, %v", err)
	}
}

func TestWordsAreHeard(t *testing.T) {
	m := whisperBase(t)
	pcm := recording(t, "ru-gigaam-example", "example.wav")
	e := start(t, 2)
	want, err := e.Hear(t.Context(), m, pcm, child.HearOptions{Languages: []string{"ru", "uk"}})
	if err != nil {
		t.Fatal(err)
	}
	if want.State != evidence.HeardWords || !strings.Contains(strings.ToLower(want.Text), "трепетом любви") || want.Languages[0].Code != "ru" || len(want.Words) < 15 {
		t.Errorf("%+v", want)
	}
	if _, err := evidence.Canonical(want.Heard(0)); err != nil {
		t.Error(err)
	}
	var all sync.WaitGroup
	for range 3 { // more than there are threads
		all.Go(func() {
			got, err := e.Hear(t.Context(), m, pcm, child.HearOptions{Languages: []string{"ru", "uk"}})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("beside others: %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	one := start(t, 1)
	got, err := one.Hear(t.Context(), m, pcm, child.HearOptions{Languages: []string{"ru", "uk"}})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with one thread: %+v, %v", got, err)
	}
	if one.Identity().Engine() != e.Identity().Engine() || len(one.Identity().CPU) == 0 {
		t.Errorf("%+v is another engine than %+v", one.Identity(), e.Identity())
	}

	ctc, err := e.Hear(t.Context(), fixture(t), pcm[:6*evidence.Rate], child.HearOptions{})
	if err != nil || ctc.State != evidence.HeardWords || !ctc.Unrated {
		t.Errorf("beside sherpa-onnx: %+v, %v", ctc, err)
	}
	if err := e.Unload(t.Context(), m); err != nil {
		t.Error(err)
	}
	if again, err := e.Hear(t.Context(), m, pcm, child.HearOptions{Languages: []string{"ru", "uk"}}); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("loaded again: %+v, %v", again, err)
	}
}

func TestDamagedModelStaysOutside(t *testing.T) {
	for _, m := range []models.Model{whisperBase(t), fixture(t)} {
		dir := t.TempDir()
		for _, f := range m.Manifest.Files {
			if err := copyFile(filepath.Join(dir, f.Name), filepath.Join(m.Dir, f.Name)); err != nil {
				t.Fatal(err)
			}
		}
		m.Dir = dir
		first := m.Path(m.Manifest.Files[0].Role)
		b, err := os.ReadFile(first)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 4
		if err := os.WriteFile(first, b, 0o600); err != nil {
			t.Fatal(err)
		}
		e := start(t, 1)
		if err := e.Load(t.Context(), m); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), filepath.Base(first)) {
			t.Errorf("%v", err)
		}
	}
}

// A translation is English, without words that have times and probabilities; a model that cannot translate says so.
func TestSpeechIsTranslated(t *testing.T) {
	e := start(t, 2)
	pcm := recording(t, "ru-deepspeech-sample", "ru.wav")
	h, err := e.Hear(t.Context(), whisperBase(t), pcm, child.HearOptions{Translate: true})
	if err != nil {
		t.Fatal(err)
	}
	if h.State != evidence.HeardWords || h.Language != "en" || len(h.Words) > 0 || h.Text == "" || strings.ContainsFunc(h.Text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		t.Errorf("%+v", h)
	}
	if _, err := e.Hear(t.Context(), fixture(t), pcm, child.HearOptions{Translate: true}); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
		t.Errorf("a model that cannot translate: %v", err)
	}
}

// A file whose digest matches and which is no model at all: sherpa-onnx ends the process, and that is an error.
func TestNonsenseModelIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"model.onnx", "tokens.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("nonsense 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := start(t, 1)
	for _, kind := range []string{models.KindZipformerCTC, models.KindNemoCTC, models.KindToneCTC} {
		m := onShelf(t, models.Manifest{Kind: kind, Licence: "none", Name: "nonsense", Rate: 16000, Source: "a test"}, dir,
			map[string]string{"model": "model.onnx", "tokens": "tokens.txt"})
		if err := e.Load(t.Context(), m); err == nil {
			t.Errorf("%s: nonsense was loaded", kind)
		} else {
			t.Log(err)
		}
		if _, err := e.Speech(t.Context(), make([]int16, 1600)); err != nil {
			t.Errorf("after it: %v", err)
		}
	}
}

// The libraries come from beside the program, one copy of each, and no path of the building machine is in it.
func TestLibrariesLieBesideTheProgram(t *testing.T) {
	program := build(t)
	cmd := exec.Command(program)
	cmd.Env = []string{}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).Peek(8); err != nil { // it says hello once everything is loaded
		t.Error(err)
	}
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the end of its input: %v", err)
	}
	var libraries []string
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if path := fields[len(fields)-1]; strings.Contains(path, "onnx") && !slices.Contains(libraries, path) {
			libraries = append(libraries, path)
		}
	}
	slices.Sort(libraries)
	dir := filepath.Dir(program)
	want := []string{filepath.Join(dir, "lib", "libonnxruntime.so"), filepath.Join(dir, "lib", "libsherpa-onnx-c-api.so")}
	if !slices.Equal(libraries, want) {
		t.Errorf("it has loaded %v", libraries)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), strings.TrimSpace(string(cache))) {
		t.Error("the path of the module cache is in the program")
	}
}

// BenchmarkHear reports the real-time factor of bursts through the whole path, and the engine's peak memory
// after them: bursts of 2 to 10 s, and the longest there may be.
func BenchmarkHear(b *testing.B) {
	m := whisperBase(b)
	pcm := recording(b, "ru-gigaam-example", "example.wav")
	pcm = slices.Concat(pcm, pcm, pcm)
	for name, seconds := range map[string][]int{"bursts": {2, 3, 5, 8, 10}, "longest": {28}} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", name, threads), func(b *testing.B) {
				e := start(b, threads)
				if err := e.Load(b.Context(), m); err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				heard := 0
				var all sync.WaitGroup
				for i := range b.N {
					heard += seconds[i%len(seconds)]
				}
				for i := range threads {
					all.Go(func() {
						for j := i; j < b.N; j += threads {
							if _, err := e.Hear(context.Background(), m, pcm[:seconds[j%len(seconds)]*evidence.Rate], child.HearOptions{}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				all.Wait()
				b.ReportMetric(b.Elapsed().Seconds()/float64(heard), "rtf")
				b.ReportMetric(float64(peak(b))/(1<<20), "peakMB")
			})
		}
	}
}

// BenchmarkRequest reports what the protocol adds: the shortest speech request.
func BenchmarkRequest(b *testing.B) {
	e := start(b, 1)
	pcm := make([]int16, child.SpeechFrame)
	for b.Loop() {
		if _, err := e.Speech(context.Background(), pcm); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart reports the time from nothing to the engine's hello.
func BenchmarkStart(b *testing.B) {
	program := build(b)
	for b.Loop() {
		e, err := child.Start(b.Context(), child.Config{Executable: program, Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// peak returns the largest resident memory of this process's children.
func peak(b *testing.B) int64 {
	b.Helper()
	most := int64(0)
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		pids, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, pid := range strings.Fields(string(pids)) {
			status, err := os.ReadFile("/proc/" + pid + "/status")
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(status)) {
				if f := strings.Fields(line); f[0] == "VmHWM:" {
					kb, err := strconv.ParseInt(f[1], 10, 64)
					if err != nil {
						b.Fatal(err)
					}
					most = max(most, kb<<10)
				}
			}
		}
	}
	return most
}
