// Command eval hears every reference recording with the real program, as a user would, and prints word and
// character error rates against the given transcripts, with the words it wrote where there are none.
//
// It ends with 1 where an aim is missed.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/earwitness/earwitness/internal/wer"
)

// The aims of the product for whisper-base: docs/cli.md, "What to expect".
const (
	aimRussian = 0.25
	aimEnglish = 0.05
)

// recording is one file of the set.
type recording struct {
	path  string
	lang  string // of the truth
	truth string // "" where none is given
	quiet bool   // nobody speaks in it: any word is an invention
}

func main() {
	log.SetFlags(0)
	bin := flag.String("bin", "bin", "folder of the two programs")
	shared := flag.String("shared", "../shared/data", "folder of the reference data")
	model := flag.String("model", "whisper-base", "model on the shelf")
	threads := flag.Int("threads", 2, "threads")
	flag.Parse()
	ok, err := eval(*bin, filepath.Join(*shared, "audio"), *model, *threads)
	if err != nil {
		log.Fatal("eval: ", err)
	}
	if !ok {
		os.Exit(1)
	}
}

// heard is what eval reads of a line of `export jsonl`.
type heard struct {
	File  string
	Text  string
	State string
	Sound string
	Words []struct{ Word string }
}

func eval(bin, audio, model string, threads int) (bool, error) {
	set, err := collect(audio)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "earwitness-eval")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	c := filepath.Join(dir, "eval.case")
	program := func(args ...string) ([]byte, error) {
		cmd := exec.Command(filepath.Join(bin, "earwitness"), append([]string{"-C", c}, args...)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("earwitness %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return out, nil
	}
	if _, err := program("init", c); err != nil {
		return false, err
	}
	if _, err := program("add", audio); err != nil {
		return false, err
	}
	begun := time.Now()
	if _, err := program("run", "--model", model, "--threads", fmt.Sprint(threads)); err != nil {
		return false, err
	}
	took := time.Since(begun)
	out, err := program("export", "jsonl")
	if err != nil {
		return false, err
	}
	lines := map[string][]heard{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var h heard
		if err := json.Unmarshal(s.Bytes(), &h); err != nil {
			return false, err
		}
		lines[h.File] = append(lines[h.File], h)
	}
	fmt.Printf("%s, %d threads, %.1f s for the whole set\n\n", model, threads, took.Seconds())
	return report(set, lines), nil
}

func report(set []recording, lines map[string][]heard) bool {
	fmt.Println("| file | language | words | WER | CER | transmissions |")
	fmt.Println("|---|---|---|---|---|---|")
	sums := map[string]*[2]wer.Errors{"ru": {}, "en": {}}
	inventions := 0
	for _, r := range set {
		name := filepath.Base(r.path)
		var text []string
		words := 0
		for _, h := range lines[name] {
			text = append(text, h.Text)
			words += len(h.Words)
		}
		switch {
		case r.quiet:
			inventions += words
			fmt.Printf("| %s | nobody speaks | %d written | - | - | %d |\n", name, words, len(lines[name]))
		case r.truth == "":
			fmt.Printf("| %s | %s, no transcript | %d written | - | - | %d |\n", name, r.lang, words, len(lines[name]))
		default:
			truth, got := wer.Normalise(r.lang, r.truth), wer.Normalise(r.lang, strings.Join(text, " "))
			w, c := wer.WordErrors(truth, got), wer.CharErrors(truth, got)
			if s := sums[r.lang]; s != nil {
				s[0].Add(w)
				s[1].Add(c)
			}
			fmt.Printf("| %s | %s | %d | %.3f | %.3f | %d |\n", name, r.lang, w.Reference, w.Rate(), c.Rate(), len(lines[name]))
		}
	}
	ok := inventions == 0
	fmt.Println()
	for _, aim := range []struct {
		lang, name string
		rate       float64
	}{{"ru", "Russian short files", aimRussian}, {"en", "English", aimEnglish}} {
		s := sums[aim.lang]
		verdict := "reached"
		if s[0].Rate() > aim.rate {
			verdict, ok = "MISSED", false
		}
		fmt.Printf("%s: WER %.3f, CER %.3f over %d words (aim: at most %.2f, %s)\n", aim.name, s[0].Rate(), s[1].Rate(), s[0].Reference, aim.rate, verdict)
	}
	fmt.Printf("where nobody speaks: %d words (aim: none)\n", inventions)
	return ok
}

// collect lists the recordings with their truth, where SOURCE.txt's neighbours give one.
func collect(audio string) ([]recording, error) {
	var set []recording
	err := filepath.WalkDir(audio, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !slices.Contains([]string{".wav", ".flac", ".mp3"}, filepath.Ext(p)) {
			return nil
		}
		folder := filepath.Base(filepath.Dir(p))
		r := recording{path: p, lang: folder[:2], quiet: strings.Contains(folder, "negative")}
		r.truth, err = truth(p)
		set = append(set, r)
		return err
	})
	return set, err
}

var (
	festvox = regexp.MustCompile(`\(\s*(\S+)\s+"(.*)"\s*\)`)
	sphinx  = regexp.MustCompile(`<s>(.*)</s>\s*\((\S+)\)`)
)

// truth finds what is said in a recording in the two forms that the set has: one transcript for a folder's
// only file, or a list of them by file name.
func truth(p string) (string, error) {
	dir, name := filepath.Dir(p), strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
	b, err := os.ReadFile(filepath.Join(dir, "transcript.txt"))
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if b, err = os.ReadFile(filepath.Join(dir, "transcripts.txt")); err != nil {
		return "", nil // none is given
	}
	for line := range strings.Lines(string(b)) {
		if m := festvox.FindStringSubmatch(line); m != nil && m[1] == name {
			return strings.ReplaceAll(m[2], "+", ""), nil // the plus marks stress
		}
		if m := sphinx.FindStringSubmatch(line); m != nil && m[2] == name {
			return strings.TrimSpace(m[1]), nil
		}
	}
	return "", nil
}
