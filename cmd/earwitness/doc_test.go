package main_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

var update = flag.Bool("update", false, "write docs/cli.md anew")

// The reference of the verbs in docs/cli.md is the program's own help, so that the two cannot disagree.
func TestCLIReferenceIsTheProgramsOwnHelp(t *testing.T) {
	name := filepath.Join(casetest.Root(t), "docs", "cli.md")
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "<!-- From here on made by `go test ./cmd/earwitness -run CLIReference -update`. -->\n"
	head, _, ok := bytes.Cut(have, []byte(mark))
	if !ok {
		t.Fatalf("docs/cli.md lacks its mark %q", mark)
	}
	var want bytes.Buffer
	want.Write(head)
	want.WriteString(mark)
	for _, verb := range verbs(t) {
		want.WriteString("\n## " + strings.TrimPrefix(verb, "earwitness ") + "\n```\n" + help(t, verb) + "```\n")
	}
	if *update {
		if err := os.WriteFile(name, want.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(have, want.Bytes()) {
		t.Error("docs/cli.md is not the program's help: run `go test ./cmd/earwitness -run CLIReference -update`")
	}
}

func help(t *testing.T, verb string) string {
	cmd := exec.Command(program(t, "earwitness"), append(strings.Fields(verb)[1:], "--help")...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s --help: %v", verb, err)
	}
	// The number of processors differs from machine to machine.
	s := regexp.MustCompile(`(results do not depend on it) \(default \d+\)`).ReplaceAllString(string(out), "$1 (default: one for each processor)")
	if i := strings.Index(s, "\nGlobal Flags:"); i >= 0 {
		s = s[:i+1]
	}
	return strings.TrimRight(s, "\n") + "\n"
}

// verbs lists every verb, with those below it, in the order of the help.
func verbs(t *testing.T) []string {
	row := regexp.MustCompile(`(?m)^  ([a-z]+) +\S`)
	var out []string
	var walk func(verb string)
	walk = func(verb string) {
		text := help(t, verb)
		_, list, _ := strings.Cut(text, "Commands:")
		if verb == "earwitness" {
			_, list, _ = strings.Cut(text, "The case:")
		}
		list, _, _ = strings.Cut(list, "Flags:")
		for _, m := range row.FindAllStringSubmatch(list, -1) {
			if m[1] == "help" || m[1] == "completion" {
				continue
			}
			out = append(out, verb+" "+m[1])
			walk(verb + " " + m[1])
		}
	}
	walk("earwitness")
	if len(out) < 10 {
		t.Fatalf("found the verbs %v", out)
	}
	return out
}

// What a person first meets must not keep them waiting; the figure itself is measured in bench/speed.
func TestHelpNamesEveryGroup(t *testing.T) {
	text := help(t, "earwitness")
	for _, want := range []string{"The case:", "The work:", "Find and use:", "earwitness demo"} {
		if !strings.Contains(text, want) {
			t.Errorf("the help does not say %q", want)
		}
	}
}
