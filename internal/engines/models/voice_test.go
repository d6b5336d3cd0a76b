package models

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
)

// The real thing, through whatever registry this machine's pip is set up for: 16 MB.
func TestGetVoiceByPip(t *testing.T) {
	pip, err := pipCommand(Sources{})
	if err != nil {
		casetest.Skip(t, "pip is not installed: voice-resemblyzer cannot be fetched")
	}
	o := resemblyzer()
	probe := append(pip[1:], "download", "--no-deps", "--only-binary", ":all:", "--quiet", "--dest", t.TempDir(), o.Wheels[0].Package+"=="+o.Wheels[0].Version)
	if out, err := exec.Command(pip[0], probe...).CombinedOutput(); err != nil {
		casetest.Skip(t, "no Python package registry is reachable: "+lastLines(out))
	}
	s := Open(t.TempDir())
	m, err := s.Get(t.Context(), o, Sources{Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Manifest.Files, o.Built) || m.Manifest.Kind != KindVoice {
		t.Errorf("%+v", m.Manifest)
	}
	if _, err := s.Find(o.Name); err != nil {
		t.Error(err)
	}
}

// A file that is no voice encoder's leaves the shelf as it was; so does asking for an address where none is known.
func TestVoiceFromElsewhere(t *testing.T) {
	s, o := Open(t.TempDir()), resemblyzer()
	path := filepath.Join(t.TempDir(), "pretrained.pt")
	if err := os.WriteFile(path, checkpoint(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), o, Sources{From: path}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("a Whisper's checkpoint: %v", err)
	}
	if _, err := s.Get(t.Context(), o, Sources{From: FromURL}); evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(evidence.HintOf(err), "Resemblyzer") {
		t.Errorf("from an address: %v", err)
	}
	onlyModelIsLeft(t, s, false)
}
