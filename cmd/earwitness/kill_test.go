package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A process that takes recordings in is killed at random moments. Whatever it said it had added is there, with its
// bytes, and the case opens and verifies.
func TestKilledAddsLoseNothing(t *testing.T) {
	kills := 50
	if os.Getenv("EARWITNESS_CAMPAIGN") != "" {
		kills = 1000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := &session{t: t, dir: filepath.Join(t.TempDir(), "c.case"), env: append(os.Environ(), "EARWITNESS_SEEN="+t.TempDir())}
	s.ok("init", s.dir)
	promised := map[string]string{} // recording to digest
	for k := range kills {
		folder := t.TempDir()
		for i := range 20 {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.wav", i)), bytes.Repeat(fmt.Appendf(nil, "%d %d ", k, i), 1+r.IntN(20000)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		cmd := s.command("-C", s.dir, "--json", "add", folder)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(r.IntN(80_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for sc := bufio.NewScanner(out); sc.Scan(); {
			var o struct{ State, Recording, Digest string }
			if json.Unmarshal(sc.Bytes(), &o) == nil && o.State == "added" {
				promised[o.Recording] = o.Digest
			}
		}
		_ = cmd.Wait() // killed, mostly
		timer.Stop()
	}
	s.ok("-C", s.dir, "verify")
	var shown struct {
		Recordings []struct{ Recording, Digest string }
	}
	if err := json.Unmarshal(s.ok("-C", s.dir, "show", "--json"), &shown); err != nil {
		t.Fatal(err)
	}
	for _, rec := range shown.Recordings {
		if want, ok := promised[rec.Recording]; ok && want != rec.Digest {
			t.Errorf("%s was promised with the digest %s and has %s", rec.Recording, want, rec.Digest)
		}
		delete(promised, rec.Recording)
	}
	if len(promised) > 0 {
		t.Errorf("%d promised recordings are lost", len(promised))
	}
	t.Logf("%d kills, %d recordings in the case", kills, len(shown.Recordings))
	if len(shown.Recordings) == 0 || strings.Contains(string(s.ok("-C", s.dir, "log", "--kind", "failure")), "failure") {
		t.Error("nothing was taken in, or something failed")
	}
}
