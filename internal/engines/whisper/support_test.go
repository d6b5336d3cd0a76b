//go:build cgo

package whisper

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// library finds libonnxruntime.so in the module that carries it.
func library(t testing.TB) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/k2-fsa/sherpa-onnx-go-linux")
	cmd.Dir = casetest.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("find ONNX Runtime: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "lib", "x86_64-unknown-linux-gnu", "libonnxruntime.so")
}

// graphs builds whisper-base's from its checkpoint in the folder EARWITNESS_WEIGHTS, once.
var graphs = sync.OnceValues(func() ([2][]byte, error) {
	path := filepath.Join(os.Getenv("EARWITNESS_WEIGHTS"), "model.bin")
	f, err := os.Open(path)
	if err != nil {
		return [2][]byte{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return [2][]byte{}, err
	}
	var encoder, decoder bytes.Buffer
	err = graph.Build(context.Background(), f, info.Size(), "whisper-base", &encoder, &decoder)
	return [2][]byte{encoder.Bytes(), decoder.Bytes()}, err
})

func model(t testing.TB) *Model { return modelWith(t, 2, Defaults()) }

func modelWith(t testing.TB, threads int, p Params) *Model {
	t.Helper()
	if os.Getenv("EARWITNESS_WEIGHTS") == "" {
		casetest.Skip(t, "EARWITNESS_WEIGHTS names no folder with the checkpoint of whisper-base (tools/weights.sh FOLDER fetches it)")
	}
	g, err := graphs()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(Config{Library: library(t), Encoder: g[0], Decoder: g[1], Params: p, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// sound reads a recording of ../shared/data/audio: 16 kHz mono, WAV of 16 bits or FLAC.
func sound(t testing.TB, name string) []float32 {
	t.Helper()
	b, err := os.ReadFile(casetest.Shared(t, "audio", name))
	if err != nil {
		t.Fatal(err)
	}
	var pcm []int16
	if strings.HasSuffix(name, ".flac") {
		pcm = decodeFLAC(t, b)
	} else {
		i := bytes.Index(b, []byte("data"))
		if i < 0 || string(b[:4]) != "RIFF" {
			t.Fatalf("%s is no WAV file", name)
		}
		r := binary.LittleEndian.Uint32(b[24:])
		if r != rate && r != rate/2 {
			t.Fatalf("%s has %d samples a second", name, r)
		}
		n := min(int(binary.LittleEndian.Uint32(b[i+4:])), len(b)-i-8)
		for k := 0; k+1 < n; k += 2 {
			s := int16(binary.LittleEndian.Uint16(b[i+8+k:]))
			if r == rate/2 && len(pcm) > 0 { // between two samples their mean: good enough for what is no speech
				pcm = append(pcm, int16((int(s)+int(pcm[len(pcm)-1]))/2))
			}
			pcm = append(pcm, s)
		}
	}
	out := make([]float32, len(pcm))
	for i, s := range pcm {
		out[i] = float32(s) / 32768
	}
	return out
}

func tone(hz, level, seconds float64) []float32 {
	out := make([]float32, int(seconds*rate))
	for i := range out {
		out[i] = float32(level * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return out
}

func noise(level, seconds float64, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, int(seconds*rate))
	for i := range out {
		out[i] = float32(level * r.NormFloat64())
	}
	return out
}
