package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/internal/casetest"
)

// session is one case worked on with the real program.
type session struct {
	t   testing.TB
	dir string
	env []string
}

// newSession makes a case with the short recordings of the demo in it.
func newSession(t testing.TB, recordings ...string) *session {
	t.Helper()
	s := &session{t: t, dir: filepath.Join(t.TempDir(), "c.case")}
	s.env = append(os.Environ(), "EARWITNESS_AS=Test", "EARWITNESS_SEEN="+t.TempDir(), "XDG_CACHE_HOME="+filepath.Join(os.TempDir(), "earwitness-script-cache"), "EARWITNESS_MODELS="+shelf())
	s.ok("init", s.dir)
	for _, r := range recordings {
		s.ok("-C", s.dir, "add", filepath.Join(casetest.Root(t), "demo", "audio", r))
	}
	return s
}

func (s *session) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program(s.t, "earwitness"), args...)
	cmd.Env = s.env
	return cmd
}

func (s *session) ok(args ...string) []byte {
	s.t.Helper()
	cmd := s.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("earwitness %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

// answers returns what the case says, without the indices of entries: their order may differ from run to run.
func (s *session) answers() string {
	s.t.Helper()
	var b strings.Builder
	for sc := bufio.NewScanner(bytes.NewReader(s.ok("-C", s.dir, "export", "jsonl"))); sc.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			s.t.Fatal(err)
		}
		delete(line, "entries")
		out, err := json.Marshal(line)
		if err != nil {
			s.t.Fatal(err)
		}
		b.Write(append(out, '\n'))
	}
	return b.String()
}

var shortRecordings = []string{"ru_0793.flac", "jfk.wav", "net-en.opus"}

// The same sound gives the same text at any number of threads, and in any run.
func TestThreadsDoNotChangeResults(t *testing.T) {
	needEngine(t)
	want := ""
	for _, threads := range []int{1, 2, 5} {
		s := newSession(t, shortRecordings...)
		s.ok("-C", s.dir, "run", "--decoder", "wasm", "--threads", fmt.Sprint(threads))
		got := s.answers()
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d threads give other results:\n%s", threads, difference(want, got))
		}
	}
	if !strings.Contains(strings.ToLower(want), "ask not what your country") {
		t.Errorf("the words of jfk.wav are not in the results:\n%s", want)
	}
}

// A run that is killed at any moment goes on and ends with the same results as one that was left alone.
func TestKilledRunsGoOn(t *testing.T) {
	needEngine(t)
	whole := newSession(t, shortRecordings...)
	begun := time.Now()
	whole.ok("-C", whole.dir, "run", "--decoder", "wasm")
	took := time.Since(begun)
	want := whole.answers()

	kills := 10
	if os.Getenv("EARWITNESS_CAMPAIGN") != "" {
		kills = 50
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, an undisturbed run takes %v", seed, took)
	r := rand.New(rand.NewPCG(seed, 0))
	for killed := 0; killed < kills; {
		s := newSession(t, shortRecordings...)
		for done := false; !done; {
			cmd := s.command("-C", s.dir, "run", "--decoder", "wasm")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			timer := time.NewTimer(time.Duration(r.Int64N(int64(took) + 1)))
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("run after %d kills: %v", killed, err)
				}
				done = true
			case <-timer.C:
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				<-ended
				killed++
			}
			timer.Stop()
		}
		if got := s.answers(); got != want {
			t.Fatalf("after kills the results differ:\n%s", difference(want, got))
		}
		s.ok("-C", s.dir, "verify")
	}
}

// derived.db may go at any time; the same questions get the same answers.
func TestDerivedComesBack(t *testing.T) {
	needEngine(t)
	s := newSession(t, shortRecordings...)
	s.ok("-C", s.dir, "run", "--decoder", "wasm")
	ask := func() string {
		return string(s.ok("-C", s.dir, "search", "--json", "country OR камере")) + s.answers()
	}
	before := ask()
	if !strings.Contains(before, "country") {
		t.Fatalf("the search finds nothing: %s", before)
	}
	derived, err := filepath.Glob(filepath.Join(s.dir, "derived.db*"))
	if err != nil || len(derived) == 0 {
		t.Fatalf("no derived.db: %v", err)
	}
	for _, f := range derived {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if after := ask(); after != before {
		t.Errorf("other answers without derived.db:\n%s", difference(before, after))
	}
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(g), len(w))
}
