// Package fakeengine is an engine without native code, for tests: a program that speaks the whole protocol,
// gives results that can be foretold, and misbehaves when it is asked to.
//
// A test's own program becomes the engine:
//
//	func TestMain(m *testing.M) {
//		fakeengine.RunIfAsked(os.Getenv, os.Exit) // in the child: serves and exits
//		os.Exit(m.Run())
//	}
//
//	engine, err := child.Start(t.Context(), fakeengine.Config(t))
//	model := fakeengine.Model(t)
//
// Speech gives 0.95 for each 512 samples whose mean magnitude is over 1,000 and 0.02 for the others. Hear
// gives one word for each started half second, "w" and four digits made from those samples, at probability
// 0.9, and "no speech" for silence. Clean halves each sample, Voice gives loudnesses.
package fakeengine

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

const variable = "EARWITNESS_FAKE_ENGINE"

// Trap is what the engine does instead of its work.
type Trap int16

// The traps.
const (
	Crash     Trap = iota + 1 // is ended by SIGABRT, as native code does that finds something wrong
	Hang                      // never answers
	Eat                       // takes memory until it is stopped
	Flood                     // writes garbage without end
	LieLength                 // begins a frame of 4 GB
	Stranger                  // answers a request that nobody made
	Refuse                    // answers Invalid
	NotFinite                 // answers with figures that cannot be true
	Beside                    // waits half a second, then does its work: to be there when another crashes
)

// Samples returns an utterance of one second that springs t.
func (t Trap) Samples() []int16 {
	pcm := make([]int16, evidence.Rate)
	pcm[0], pcm[1], pcm[2] = math.MinInt16, math.MaxInt16, int16(t)
	return pcm
}

// Config returns how to run this test's program as the engine, with two requests at once. The variables in
// env, written as NAME=value, are seen by the engine.
func Config(t testing.TB, env ...string) child.Config {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return child.Config{Executable: exe, Env: append([]string{variable + "=work"}, env...), Threads: 2, Deadline: 20 * time.Second}
}

// Mute makes an engine that never says hello, Old one of another protocol, Flighty one that names another
// build each time.
func Mute(c child.Config) child.Config    { return mode(c, "mute") }
func Old(c child.Config) child.Config     { return mode(c, "old") }
func Flighty(c child.Config) child.Config { return mode(c, "flighty") }

func mode(c child.Config, m string) child.Config {
	c.Env = append([]string{variable + "=" + m}, c.Env[1:]...)
	return c
}

// Model returns a model whose files are a few bytes.
func Model(t testing.TB) models.Model {
	t.Helper()
	dir := t.TempDir()
	m := models.Manifest{Kind: models.KindWhisper, Licence: "none", Name: "fake", Rate: evidence.Rate, Source: "a test"}
	for _, role := range models.Roles(m.Kind) {
		b := []byte("the " + role)
		if err := os.WriteFile(filepath.Join(dir, role+".onnx"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, models.File{Digest: evidence.DigestOf(b), Name: role + ".onnx", Role: role, Size: int64(len(b))})
	}
	_, digest, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return models.Model{Manifest: m, Digest: digest, Dir: dir}
}

// RunIfAsked serves and ends the process where it is a child that Config started; else it does nothing. It is
// handed os.Getenv and os.Exit.
func RunIfAsked(getenv func(string) string, exit func(int)) {
	m := getenv(variable)
	if m == "" {
		return
	}
	switch m {
	case "mute":
		time.Sleep(time.Hour)
	case "old":
		fmt.Print("\x00\x00\x00\x20\x00\x00\x00\x00" + `{"id":0,"hello":{"protocol":99}}`)
		exit(0)
	}
	build := "fake"
	if m == "flighty" {
		build = fmt.Sprint("fake ", os.Getpid())
	}
	id := child.Identity{Build: build, CPU: []string{"none"}, Machine: "any", Name: "fakeengine", Runtime: "none", Settings: json.RawMessage(`{"fake":1}`), Threads: 2}
	if err := child.Serve(os.Stdin, os.Stdout, id, &Backend{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		exit(1)
	}
	exit(0)
}

// Backend is the fake itself, for tests that need no process.
type Backend struct {
	mu     sync.Mutex
	loaded map[evidence.Digest]bool
}

var _ child.Backend = (*Backend)(nil)

// Speech looks at the loudness alone.
func (b *Backend) Speech(ctx context.Context, pcm []int16) ([]float32, error) {
	if err := spring(ctx, pcm); err != nil {
		return nil, err
	}
	var p []float32
	for from := 0; from < len(pcm); from += child.SpeechFrame {
		sum := 0.0
		for _, s := range pcm[from:min(from+child.SpeechFrame, len(pcm))] {
			sum += math.Abs(float64(s))
		}
		v := float32(0.02)
		if sum > 1000*child.SpeechFrame {
			v = 0.95
		}
		if trapOf(pcm) == NotFinite {
			v = float32(math.NaN())
		}
		p = append(p, v)
	}
	return p, nil
}

// Clean halves what it is given.
func (b *Backend) Clean(ctx context.Context, pcm []int16) ([]int16, error) {
	if err := spring(ctx, pcm); err != nil {
		return nil, err
	}
	out := make([]int16, len(pcm))
	for i, s := range pcm {
		out[i] = s / 2
	}
	if trapOf(pcm) == NotFinite {
		out = out[:1]
	}
	return out, nil
}

// Load checks the files, as every engine must.
func (b *Backend) Load(ctx context.Context, m models.Model) error {
	if err := m.Check(ctx, nil); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.loaded == nil {
		b.loaded = map[evidence.Digest]bool{}
	}
	b.loaded[m.Digest] = true
	return nil
}

// Unload forgets the model.
func (b *Backend) Unload(_ context.Context, model evidence.Digest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.loaded, model)
	return nil
}

// Hear makes up words that depend on the samples and nothing else.
func (b *Backend) Hear(ctx context.Context, model evidence.Digest, pcm []int16, _ child.HearOptions) (child.HearResult, error) {
	b.mu.Lock()
	known := b.loaded[model]
	b.mu.Unlock()
	if !known {
		return child.HearResult{}, evidence.NotFound("model %s is not loaded", model.Short())
	}
	if err := spring(ctx, pcm); err != nil {
		return child.HearResult{}, err
	}
	r := child.HearResult{Language: "ru", Languages: []child.Language{{Code: "ru", P: 0.75}, {Code: "uk", P: 0.25}}, LogProb: -0.25, NoSpeech: 0.01, State: evidence.HeardWords}
	var text []string
	loud := false
	const half = evidence.Rate / 2
	for from := 0; from < len(pcm); from += half {
		part := pcm[from:min(from+half, len(pcm))]
		sum := 0
		for i, s := range part {
			sum += int(s) * (i%7 + 1)
			loud = loud || s > 300 || s < -300
		}
		w := fmt.Sprintf("w%04d", max(sum, -sum)%10000)
		text = append(text, w)
		r.Words = append(r.Words, child.Word{From: int64(from), P: 0.9, Text: w, To: int64(from + len(part))})
	}
	if !loud {
		return child.HearResult{Languages: r.Languages, NoSpeech: 0.99, Reason: "silence", State: evidence.HeardNoSpeech}, nil
	}
	r.Text = strings.Join(text, " ")
	if trapOf(pcm) == NotFinite {
		r.NoSpeech = 17
	}
	return r, nil
}

// Voice gives four loudnesses twice over: of the quarters of the sound.
func (b *Backend) Voice(ctx context.Context, model evidence.Digest, pcm []int16) ([]float32, error) {
	b.mu.Lock()
	known := b.loaded[model]
	b.mu.Unlock()
	if !known {
		return nil, evidence.NotFound("model %s is not loaded", model.Short())
	}
	if err := spring(ctx, pcm); err != nil {
		return nil, err
	}
	if trapOf(pcm) == NotFinite {
		return []float32{float32(math.NaN()), 0, 0, 0, 0, 0, 0, 0}, nil
	}
	v, sum := make([]float64, 8), 0.0
	for i, s := range pcm {
		v[4*i/len(pcm)] += math.Abs(float64(s))
	}
	for i := range 4 {
		v[i]++
		v[i+4] = v[i]
		sum += 2 * v[i] * v[i]
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / math.Sqrt(sum))
	}
	return out, nil
}

func trapOf(pcm []int16) Trap {
	if len(pcm) > 2 && pcm[0] == math.MinInt16 && pcm[1] == math.MaxInt16 {
		return Trap(pcm[2])
	}
	return 0
}

func spring(ctx context.Context, pcm []int16) error {
	switch trapOf(pcm) {
	case Crash:
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'Fake'")
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Signal(syscall.SIGABRT); err != nil {
			return err
		}
		select {}
	case Hang:
		select {}
	case Eat:
		var all [][]byte
		for {
			b := make([]byte, 8<<20)
			for i := range b {
				b[i] = byte(i)
			}
			all = append(all, b)
			if len(all) > 256 {
				select {} // 2 GB is enough: the watcher is at fault
			}
			time.Sleep(5 * time.Millisecond)
		}
	case Flood:
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<16)); err != nil {
				return err
			}
		}
	case LieLength:
		if _, err := os.Stdout.WriteString("\xff\xff\xff\xff\xff\xff\xff\xff"); err != nil {
			return err
		}
		select {}
	case Stranger:
		const header = `{"id":4242}`
		if _, err := os.Stdout.WriteString("\x00\x00\x00" + string(rune(len(header))) + "\x00\x00\x00\x00" + header); err != nil {
			return err
		}
		select {}
	case Refuse:
		return evidence.Invalid("the utterance cannot be heard").WithHint("bring another")
	case Beside:
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return evidence.Cancelled("stopped")
		}
	}
	return nil
}
