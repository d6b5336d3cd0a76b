//go:build cgo && linux

package sherpa

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

func fixture(t *testing.T) models.Model {
	t.Helper()
	dir := casetest.Shared(t, "models", "ru-ctc-fixture")
	m := models.Manifest{Kind: models.KindZipformerCTC, Languages: []string{"ru"}, Licence: "Apache-2.0", Name: "ru-ctc-fixture", Rate: 16000, Source: "made for tests"}
	for _, f := range []struct{ role, name string }{{"model", "model.onnx"}, {"tokens", "tokens.txt"}} {
		b, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, models.File{Digest: evidence.DigestOf(b), Name: f.name, Role: f.role, Size: int64(len(b))})
	}
	_, digest, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return models.Model{Manifest: m, Digest: digest, Dir: dir}
}

func speech(t *testing.T) []int16 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(casetest.Shared(t, "audio"), "ru-*", "*.wav"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no Russian recordings: %v", err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		// Plain WAV of 16 kHz, mono, 16 bits, as its header says.
		if len(b) < 44+64000 || binary.LittleEndian.Uint32(b[24:]) != 16000 || binary.LittleEndian.Uint16(b[22:]) != 1 || binary.LittleEndian.Uint16(b[34:]) != 16 {
			continue
		}
		b = b[44:min(len(b), 44+32000*6)]
		pcm := make([]int16, len(b)/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		return pcm
	}
	casetest.Skip(t, "no Russian recording of 16 kHz, mono, in ../shared/data/audio")
	return nil
}

func TestHearWithCTC(t *testing.T) {
	r, err := Load(fixture(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pcm := speech(t)
	want, err := r.Hear(t.Context(), pcm)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", want)
	if want.State != evidence.HeardWords || len(want.Words) == 0 || want.Languages[0].Code != "ru" {
		t.Errorf("%+v", want)
	}
	last := int64(0)
	for _, w := range want.Words {
		if w.From < last || w.To <= w.From || w.To > int64(len(pcm)) {
			t.Errorf("word %+v after %d of %d", w, last, len(pcm))
		}
		last = w.From
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := r.Hear(t.Context(), pcm)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("at the same time as others: %+v, %v", got, err)
			}
		})
	}
	all.Wait()
	silence, err := r.Hear(t.Context(), make([]int16, 16000))
	if err != nil || silence.State == evidence.HeardWords && silence.Text == "" {
		t.Errorf("%+v, %v", silence, err)
	}
	r.Close()
	if _, err := r.Hear(t.Context(), pcm); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("after Close: %v", err)
	}
}

func TestDamagedModelIsNotRead(t *testing.T) {
	m := fixture(t)
	dir := t.TempDir()
	for _, f := range m.Manifest.Files {
		b, err := os.ReadFile(filepath.Join(m.Dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(filepath.Join(dir, f.Name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.Dir = dir
	if _, err := Load(m); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), "model.onnx") {
		t.Errorf("%v", err)
	}
	m.Manifest.Kind = models.KindWhisper
	if _, err := Load(m); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("%v", err)
	}
}

func TestWordsOfTokens(t *testing.T) {
	half := float32(math.Log(0.5))
	for name, c := range map[string]struct {
		in   transcript
		want []child.Word
	}{
		"letters": {
			transcript{"да нет", []string{"д", "а", " ", "н", "е", "т"}, []float32{0.1, 0.2, 0.3, 1, 1.1, 1.2}, nil, nil},
			[]child.Word{{From: 1600, To: 4800, Text: "да"}, {From: 16000, To: 22400, Text: "нет"}},
		},
		"pieces, rated, with lengths": {
			transcript{" да нет", []string{"▁да", " не", "т"}, []float32{0.1, 1, 1.1}, []float32{0.05, 0.1, 0.1}, []float32{half, half, half}},
			[]child.Word{{From: 1600, To: 2400, P: 0.5, Text: "да"}, {From: 16000, To: 19200, P: 0.25, Text: "нет"}},
		},
		"past the end":  {transcript{"а", []string{"а"}, []float32{1.95}, nil, nil}, []child.Word{{From: 31200, To: 32000, Text: "а"}}},
		"no times":      {transcript{"а", []string{"а"}, nil, nil, nil}, nil},
		"other text":    {transcript{"б", []string{"а"}, []float32{1}, nil, nil}, nil},
		"split letters": {transcript{"д", []string{"\xd0", "\xb4"}, []float32{0, 0.1}, nil, nil}, []child.Word{{From: 0, To: 4800, Text: "д"}}},
	} {
		got := c.in.result([]string{"ru"}, 32000)
		for i := range got.Words {
			got.Words[i].P = math.Round(got.Words[i].P*1e6) / 1e6
		}
		if !reflect.DeepEqual(got.Words, c.want) || got.Unrated != (c.in.logP == nil) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	empty := transcript{}.result(nil, 32000)
	if empty.State != evidence.HeardNotUnderstood || empty.Reason == "" {
		t.Errorf("%+v", empty)
	}
}
