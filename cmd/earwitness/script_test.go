package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
)

// programs returns the folder of the real programs: the one that EARWITNESS_BIN names, as `make test` does, else a
// fresh build of earwitness without its engine.
var programs = sync.OnceValues(func() (string, error) {
	if d := os.Getenv("EARWITNESS_BIN"); d != "" {
		return d, nil
	}
	dir, err := os.MkdirTemp("", "earwitness-bin")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "earwitness"), ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build earwitness: %w\n%s", err, out)
	}
	return dir, nil
})

func program(t testing.TB, name string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// shelf returns the user's shelf of models where it holds the model that the scripts hear with.
func shelf() string {
	d := os.Getenv("EARWITNESS_MODELS")
	if d == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			base = filepath.Join(os.Getenv("HOME"), ".local", "share")
		}
		d = filepath.Join(base, "earwitness", "models")
	}
	return d
}

// needEngine skips where the engine or the model is not there.
func needEngine(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(program(t, "earwitness-engine")); err != nil {
		casetest.Skip(t, "the engine is not built: `make build`, then EARWITNESS_BIN=bin")
	}
	if _, err := os.Stat(filepath.Join(shelf(), "whisper-base")); err != nil {
		casetest.Skip(t, "the model whisper-base is not on the shelf: `earwitness model get whisper-base`")
	}
}

// TestScripts runs what users type against the real program: the first word of a script's name is the verb.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			dir, err := programs()
			if err != nil {
				return err
			}
			for k, v := range map[string]string{
				"PATH":              dir + string(os.PathListSeparator) + e.Getenv("PATH"),
				"HOME":              e.WorkDir + "/home",
				"EARWITNESS_AS":     "Script",
				"EARWITNESS_SEEN":   e.WorkDir + "/seen",
				"EARWITNESS_MODELS": shelf(),
				"XDG_CACHE_HOME":    filepath.Join(os.TempDir(), "earwitness-script-cache"), // compiled once for all scripts
				"EMPTY_SHELF":       e.WorkDir + "/no-models",
				"SHELF":             shelf(),
				"DEMO":              filepath.Join(casetest.Root(t), "demo", "audio"),
			} {
				e.Setenv(k, v)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "engine":
				_, err1 := os.Stat(filepath.Join(must(programs()), "earwitness-engine"))
				_, err2 := os.Stat(filepath.Join(shelf(), "whisper-base"))
				if (err1 != nil || err2 != nil) && os.Getenv("EARWITNESS_NO_SKIP") != "" {
					return false, fmt.Errorf("the engine or the model is not there, and EARWITNESS_NO_SKIP forbids to skip: %v %v", err1, err2)
				}
				return err1 == nil && err2 == nil, nil
			case "voices":
				_, err := os.Stat(filepath.Join(shelf(), "voice-resemblyzer"))
				if err != nil && os.Getenv("EARWITNESS_NO_SKIP") != "" {
					return false, fmt.Errorf("the voice model is not there, and EARWITNESS_NO_SKIP forbids to skip: %w", err)
				}
				return err == nil, nil
			case "root":
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":    code,
			"tone":    tone,
			"flip":    flip,
			"badname": badName,
		},
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// code N PROGRAM ARGS... runs a program that must end with exit code N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := err.(*exec.ExitError); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// tone FILE SECONDS writes a 16 kHz mono WAV file with a 1 kHz tone between silences.
func tone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tone file seconds")
	}
	s, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	n := int(s * 16000)
	var b bytes.Buffer
	w, err := audio.NewWAVWriter(&b, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: audio.Rate}, int64(n))
	ts.Check(err)
	wave := [16]int16{0, 3827, 7071, 9239, 10000, 9239, 7071, 3827, 0, -3827, -7071, -9239, -10000, -9239, -7071, -3827}
	samples := make([]int16, n)
	for i := n/3 + 1; i < 2*n/3; i++ {
		samples[i] = wave[i%16]
	}
	ts.Check(w.WriteSamples(samples))
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o666))
}

// flip FILE-PATTERN OFFSET flips one bit of the one file that matches.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip pattern offset")
	}
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("%s matches %d files: %s", args[0], len(files), strings.Join(files, " "))
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	b, err := os.ReadFile(files[0])
	ts.Check(err)
	b[at] ^= 1
	ts.Check(os.Chmod(files[0], 0o644))
	ts.Check(os.WriteFile(files[0], b, 0o644))
}

// badName FOLDER makes recordings whose names no script can hold.
func badName(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: badname folder")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o777))
	for i, name := range []string{"bidi \u202egnp.wav", "bytes \xff\xfe.wav", strings.Repeat("long", 62) + ".wav", "line\nend.wav", "..\\..\\up.wav", "esc \x1b[31mred.wav"} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "not a recording, number %d", i), 0o666))
	}
}
