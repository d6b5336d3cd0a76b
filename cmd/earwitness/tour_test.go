package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

// What differs from run to run and is not compared; also what the recogniser wrote: another processor rounds otherwise,
// and a word that was in doubt may come out as another one.
var volatile = []struct{ form, as string }{
	{`[0-9a-f]{32,64}`, "HEX"}, {`\+[0-9a-f]{8}\+\S+`, "+KEY"}, {`root \S+`, "root ROOT"}, {`in \d[\d.a-z ]*$`, "in TIME"}, {`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "DATE"},
	{`\d+(\.\d+)? [kMG]?B in`, "SIZE in"}, {`^REC-\d+@\S+ +\d+ dB .*$`, "LINE"}, {`\d+ with text.*$`, "COUNTS"}, {`^state +\d+ transmissions.*$`, "STATE"}, {`found \d+ transmissions, heard \d+`, "found N, heard N"},
	{`(play|clip) REC-\S+ +`, "$1 CITATION "},
}

func stable(s string) string {
	for _, v := range volatile {
		s = regexp.MustCompile(`(?m)`+v.form).ReplaceAllString(s, v.as)
	}
	return strings.TrimSpace(s)
}

// The tour in the README is followed word for word, and what it shows is what comes out.
func TestREADMETour(t *testing.T) {
	needEngine(t)
	root := casetest.Root(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Dir(program(t, "earwitness")), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "demo"), filepath.Join(dir, "demo")); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "EARWITNESS_AS=olena", "EARWITNESS_SEEN="+t.TempDir(), "EARWITNESS_MODELS="+shelf())
	steps := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, step := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			if strings.HasPrefix(command, "make demo") {
				// Everything else is built; what make would do now is this.
				command = "bin/earwitness demo --no-serve demo.case"
			}
			cmd := exec.Command("sh", "-c", command)
			cmd.Dir, cmd.Env = dir, env
			out, _ := cmd.CombinedOutput() // some steps show an error; what they print is compared
			steps++
			got, want := stable(string(out)), stable(want)
			if head, _, cut := strings.Cut(want, "\n..."); cut {
				want = head
				got = got[:min(len(got), len(head))]
			}
			if got != want {
				t.Errorf("$ %s\n--- the README shows\n%s\n--- what comes out is\n%s", command, want, got)
			}
		}
	}
	if steps < 8 {
		t.Errorf("the README's tour has %d steps", steps)
	}
}
