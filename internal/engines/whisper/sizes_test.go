//go:build cgo && linux

package whisper

import (
	"bytes"
	"context"
	"os"
	"reflect"
	"runtime/debug"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest/madeup"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// ofSize builds and loads a model with the shapes of a real one and made-up weights.
func ofSize(t testing.TB, s madeup.Size) *Model {
	t.Helper()
	c, err := s.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	var e, d bytes.Buffer
	if err := graph.Build(context.Background(), c, c.Size(), s.Name, &e, &d); err != nil {
		t.Fatal(err)
	}
	m, err := Load(Config{Library: library(t), Encoder: e.Bytes(), Decoder: d.Bytes(), Params: Defaults(), Threads: 2})
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

// Every size is loaded and hears: what made-up weights write is nothing that anybody said, but it is written by the same
// code, to the end, twice the same, and whatever is not understood says why. The large ones need up to 6 GB and minutes.
func TestEverySizeHears(t *testing.T) {
	for _, s := range madeup.Sizes() {
		t.Run(s.Name, func(t *testing.T) {
			if s.State > 384 && os.Getenv("EARWITNESS_CAMPAIGN") == "" {
				t.Skip("large: set EARWITNESS_CAMPAIGN=1")
			}
			m := ofSize(t, s)
			debug.FreeOSMemory()
			loaded := resident(t, "VmRSS")
			pcm := sound(t, "en-jfk/jfk.wav")[:3*rate]
			var first Heard
			all := []Options{{MaxTokens: 12}, {MaxTokens: 12}, {MaxTokens: 3, Languages: []string{"ru", "uk"}}}
			if s.State > 768 {
				all = []Options{{MaxTokens: 3}} // what is in doubt is heard many times over: minutes, with the largest
			}
			for i, o := range all {
				h, err := m.Hear(context.Background(), pcm, o)
				if err != nil {
					t.Fatal(err)
				}
				if len(h.Languages) == 0 || h.State != StateHeard && h.Reason == "" || h.State == StateHeard && h.Text == "" {
					t.Errorf("%+v", h)
				}
				switch i {
				case 0:
					first = h
				case 1:
					if !reflect.DeepEqual(h, first) {
						t.Errorf("the same sound gave\n%+v\nand then\n%+v", first, h)
					}
				}
			}
			t.Logf("loaded %d MB, now %d MB; state %s: %q %q (%s), %d tokens", loaded, resident(t, "VmRSS"), first.State, first.Text, first.Refused, first.Reason, first.Tokens)
		})
	}
}
