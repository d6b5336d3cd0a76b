//go:build linux

package main_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/engines/onnx"
	"github.com/earwitness/earwitness/internal/engines/voice/graph"
)

// place puts a graph into a folder as a model of one file.
func place(t testing.TB, kind string, b []byte) models.Model {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "model.onnx"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return onShelf(t, models.Manifest{Kind: kind, Licence: "Apache-2.0", Name: "voice", Rate: 16000, Source: "a test"}, dir, map[string]string{"model": "model.onnx"})
}

func resemblyzer(t testing.TB) models.Model {
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
	return place(t, models.KindVoice, g.Bytes())
}

// tiny is a model in the form that sherpa-onnx reads speaker encoders in (the one of WeSpeaker): the mean of the 80
// filter banks over time, times a fixed matrix. It says nothing about voices.
func tiny(t testing.TB) models.Model {
	t.Helper()
	g := onnx.New()
	const in, out = 80, 16
	matrix := g.Constant("w", onnx.Float, []int64{in, out}, func(emit func([]byte) error) error {
		var b []byte
		for i := range in * out {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(math.Sin(float64(i*i%97)))))
		}
		return emit(b)
	})
	g.Result("embs", "MatMul", []string{g.Op("ReduceMean", []string{"feats"}, onnx.With("axes", []int64{1}), onnx.With("keepdims", int64(0))), matrix})
	var b bytes.Buffer
	if err := g.Write(&b, "tiny", []onnx.Value{onnx.Named("feats", onnx.Float, "B", "T", in)}, []onnx.Value{onnx.Named("embs", onnx.Float, "B", out)}); err != nil {
		t.Fatal(err)
	}
	model := b.Bytes()
	for _, p := range [][2]string{{"framework", "wespeaker"}, {"language", "none"}, {"url", "none"}, {"comment", "made for a test"}, {"output_dim", "16"}, {"sample_rate", "16000"}, {"normalize_samples", "1"}, {"feature_normalize_type", "global-mean"}} {
		entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), p[0])
		entry = protowire.AppendString(protowire.AppendTag(entry, 2, protowire.BytesType), p[1])
		model = protowire.AppendBytes(protowire.AppendTag(model, 14, protowire.BytesType), entry) // ModelProto.metadata_props
	}
	return place(t, models.KindSpeaker, model)
}

func likeness(a, b []float32) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func TestVoicesAreToldApart(t *testing.T) {
	m := resemblyzer(t)
	e := start(t, 2)
	voice := func(pcm []int16) []float32 {
		t.Helper()
		v, err := e.Voice(t.Context(), m, pcm)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	jfk, reader := recording(t, "en-jfk", "jfk.wav"), recording(t, "en-librivox-pocketsphinx", "sense_and_sensibility_01_austen_64kb-0870.wav")
	a, b, c := voice(jfk[:80000]), voice(jfk[80000:]), voice(reader[:80000])
	same, other := likeness(a, b), max(likeness(a, c), likeness(b, c))
	t.Logf("the same voice %.3f, another %.3f", same, other)
	if same < other+0.1 {
		t.Errorf("the same voice %.3f, another %.3f", same, other)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got := voice(jfk[:80000]); !slices.Equal(got, a) {
				t.Error("beside others the vector is another")
			}
		})
	}
	all.Wait()
}

func TestModelsAreAskedForWhatTheyDo(t *testing.T) {
	e := start(t, 1)
	for _, m := range []models.Model{tiny(t), resemblyzer(t)} {
		if _, err := e.Hear(t.Context(), m, make([]int16, 32000), child.HearOptions{}); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s heard words: %v", m.Manifest.Kind, err)
		}
	}
	if _, err := e.Voice(t.Context(), fixture(t), make([]int16, 32000)); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("a recogniser made out a voice: %v", err)
	}
}

// sherpa-onnx's own encoders go the same way. None can be had from a package, so this sees one that is made here.
func TestSherpaSpeaker(t *testing.T) {
	m := tiny(t)
	e := start(t, 2)
	pcm := recording(t, "en-jfk", "jfk.wav")[:64000]
	a, err := e.Voice(t.Context(), m, pcm)
	if err != nil || len(a) != 16 {
		t.Fatalf("%v, %v", a, err)
	}
	b, err := e.Voice(t.Context(), m, pcm)
	if err != nil || !slices.Equal(a, b) {
		t.Errorf("the second answer is another: %v, %v", b, err)
	}
	if _, err := e.Voice(t.Context(), m, pcm[:100]); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("6 ms: %v", err)
	}
}
