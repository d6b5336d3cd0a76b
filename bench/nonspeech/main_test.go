package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

// A few minutes of every kind of sound, through the real program: no words.
func TestNoWordsWithoutSpeech(t *testing.T) {
	bin := os.Getenv("EARWITNESS_BIN")
	if bin == "" {
		casetest.Skip(t, "the programs are not built: `make build`, then EARWITNESS_BIN=bin")
	}
	shelf := os.Getenv("EARWITNESS_MODELS")
	if shelf == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			base = filepath.Join(os.Getenv("HOME"), ".local", "share")
		}
		shelf = filepath.Join(base, "earwitness", "models")
	}
	if _, err := os.Stat(filepath.Join(shelf, "whisper-base")); err != nil {
		casetest.Skip(t, "the model whisper-base is not on the shelf: `earwitness model get whisper-base`")
	}
	b := bench{bin: bin, model: "whisper-base", threads: 2, seed: 7, env: []string{"EARWITNESS_AS=Test", "EARWITNESS_SEEN=" + t.TempDir(), "EARWITNESS_MODELS=" + shelf}}
	got, err := b.run(t.TempDir(), 0.08)
	if err != nil {
		t.Fatal(err)
	}
	got.print(os.Stdout)
	if got.words > 0 {
		t.Errorf("%d words", got.words)
	}
	lines := 0
	for _, r := range got.kinds {
		lines += r.lines
	}
	if lines < 20 {
		t.Errorf("%d transmissions: the sounds did not arrive", lines)
	}
}

func TestSoundsAreReproducible(t *testing.T) {
	for _, k := range kinds() {
		a, b, c := k.sound(2, 1), k.sound(2, 1), k.sound(2, 2)
		if !slices.Equal(a, b) {
			t.Errorf("%s: the same seed gives another sound", k.name)
		}
		if k.name != "silence" && slices.Equal(a, c) {
			t.Errorf("%s: another seed gives the same sound", k.name)
		}
	}
}
