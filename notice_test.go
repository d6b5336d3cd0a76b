package earwitness_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// programModules lists the modules that the programs are built from, on every system they are built for,
// as path to version and folder.
func programModules(t *testing.T) map[string][2]string {
	t.Helper()
	out := map[string][2]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-e", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}|{{.Version}}|{{.Dir}}{{end}}{{end}}", "./cmd/...")
		cmd.Env = append(os.Environ(), "GOOS="+system)
		if system == "linux" {
			cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		b, err := cmd.Output()
		if err != nil {
			t.Fatalf("list the modules of ./cmd/... for %s: %v\n%s", system, err, stderr.String())
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Split(strings.TrimSpace(line), "|"); len(f) == 3 {
				out[f[0]] = [2]string{f[1], f[2]}
			}
		}
	}
	return out
}

// Every module in the programs is named in NOTICE with its version, and its licence lies in licenses
// as the module has it.
func TestNoticeNamesEveryModule(t *testing.T) {
	b, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	notice := "\n" + string(b)
	legal := regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)(\.|$)`)
	for path, m := range programModules(t) {
		version, dir := m[0], m[1]
		if !strings.Contains(notice, "\n"+path+" "+version+"\n") {
			t.Errorf("NOTICE does not name %s %s", path, version)
			continue
		}
		if dir == "" {
			continue // not in the module cache, so not built here either
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range files {
			if f.IsDir() || !legal.MatchString(f.Name()) {
				continue
			}
			found = true
			theirs, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			ours, err := os.ReadFile(filepath.Join("licenses", filepath.FromSlash(path), f.Name()))
			if err != nil || !bytes.Equal(ours, theirs) {
				t.Errorf("licenses/%s/%s is not the file of %s %s", path, f.Name(), path, version)
			}
		}
		if !found {
			t.Errorf("%s %s has no licence file", path, version)
		}
	}
}

// A text that NOTICE points to is there.
func TestNoticePointsToTexts(t *testing.T) {
	b, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile(`\b(?:licenses|demo/audio|internal)/[\w./+-]*[\w/]`).FindAllString(string(b), -1)
	if len(paths) < 20 {
		t.Fatalf("NOTICE points to %d texts: it is not in the form this test reads", len(paths))
	}
	for _, p := range paths {
		if strings.HasPrefix(p, "internal/") {
			continue
		}
		if _, err := os.Stat(filepath.FromSlash(p)); err != nil {
			t.Errorf("NOTICE points to %s, which is not there", p)
		}
	}
}

// The WebAssembly decoder is the one version of FFmpeg that NOTICE names.
func TestNoticeNamesTheDecoder(t *testing.T) {
	script := filepath.Join("internal", "engines", "decoder", "ffmpeg", "build.sh")
	b, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^version=(\S+)$`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("%s names no version", script)
	}
	notice, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(notice, append([]byte("ffmpeg 7:"), m[1]...)) {
		t.Errorf("NOTICE does not name FFmpeg %s, from which %s builds", m[1], script)
	}
}
