// Command nonspeech hands hours of sound without speech to the real program, as a user would, and prints what it made of each
// kind: words are inventions, and the aim is none. The sounds are made by arithmetic from a seed. Run it from the module's root:
//
//	make build && go run ./bench/nonspeech -hours 10
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/earwitness/earwitness/internal/audio"
)

func main() {
	log.SetFlags(0)
	b := bench{}
	flag.StringVar(&b.bin, "bin", "bin", "folder of the two programs")
	flag.StringVar(&b.model, "model", "whisper-base", "model on the shelf")
	flag.IntVar(&b.threads, "threads", 2, "threads")
	flag.Uint64Var(&b.seed, "seed", 1, "of the sounds")
	hours := flag.Float64("hours", 0.1, "of sound, all kinds together")
	flag.Parse()
	dir, err := os.MkdirTemp("", "earwitness-nonspeech")
	if err != nil {
		log.Fatal("nonspeech: ", err)
	}
	t, err := b.run(dir, *hours)
	if e := os.RemoveAll(dir); err == nil {
		err = e
	}
	if err != nil {
		log.Fatal("nonspeech: ", err)
	}
	t.print(os.Stdout)
	if t.words > 0 {
		os.Exit(1)
	}
}

type bench struct {
	bin, model string
	threads    int
	seed       uint64
	env        []string // beside the process's own
}

// table is what the program made of the sounds.
type table struct {
	kinds []row
	words int
	hours float64
	took  time.Duration
}

type row struct {
	name               string
	seconds, words     int
	lines, speech, own int            // transmissions, those called speech, and those of them whose text is given
	sounds             map[string]int // by label
	said               []string
}

// run makes the sounds in dir, works on them with the program and counts.
func (b bench) run(dir string, hours float64) (table, error) {
	all := kinds()
	const longest = 600 // seconds of a file
	each := max(12, int(hours*3600)/len(all))
	in := filepath.Join(dir, "sounds")
	if err := os.Mkdir(in, 0o700); err != nil {
		return table{}, err
	}
	t := table{}
	byFile := map[string]*row{}
	t.kinds = make([]row, len(all))
	for i, k := range all {
		t.kinds[i] = row{name: k.name, sounds: map[string]int{}}
		for n, left := 0, each; left > 0; n++ {
			seconds := min(left, longest)
			left -= seconds
			if err := write(filepath.Join(in, k.file(n)), k.sound(seconds, b.seed*1000+uint64(n))); err != nil {
				return t, err
			}
			byFile[k.file(n)] = &t.kinds[i]
			t.kinds[i].seconds += seconds
			t.hours += float64(seconds) / 3600
		}
	}
	c := filepath.Join(dir, "nonspeech.case")
	program := func(args ...string) ([]byte, error) {
		cmd := exec.Command(filepath.Join(b.bin, "earwitness"), append([]string{"-C", c}, args...)...)
		cmd.Env = append(os.Environ(), b.env...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("earwitness %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return out, nil
	}
	if _, err := program("init", c); err != nil {
		return t, err
	}
	if _, err := program("add", in); err != nil {
		return t, err
	}
	begun := time.Now()
	if _, err := program("run", "--model", b.model, "--threads", fmt.Sprint(b.threads)); err != nil {
		return t, err
	}
	t.took = time.Since(begun)
	out, err := program("export", "jsonl")
	if err != nil {
		return t, err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var l struct {
			Citation, File, Sound, Text string
			Words                       []struct{ Word string }
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return t, err
		}
		r := byFile[l.File]
		if r == nil {
			return t, fmt.Errorf("a line of a file that was not handed in: %s", l.File)
		}
		r.lines++
		r.sounds[l.Sound]++
		if l.Sound == "speech" {
			r.speech++
		}
		if l.Text != "" {
			n := max(len(l.Words), len(strings.Fields(l.Text)))
			r.own++
			r.words += n
			t.words += n
			r.said = append(r.said, l.Citation+" "+l.Text)
		}
	}
	return t, lines.Err()
}

func write(name string, x []int16) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	out := bufio.NewWriter(f)
	w, err := audio.NewWAVWriter(out, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: rate}, int64(len(x)))
	if err != nil {
		return err
	}
	if err := w.WriteSamples(x); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Flush()
}

func (t table) print(w *os.File) {
	fmt.Fprintf(w, "%.2f hours of sound without speech, worked on in %.0f s\n\n| kind | seconds | transmissions | labels | called speech | words |\n|---|---|---|---|---|---|\n", t.hours, t.took.Seconds())
	speech := 0
	for _, r := range t.kinds {
		var labels []string
		for s, n := range r.sounds {
			labels = append(labels, fmt.Sprintf("%s %d", s, n))
		}
		sort.Strings(labels)
		fmt.Fprintf(w, "| %s | %d | %d | %s | %d | %d |\n", r.name, r.seconds, r.lines, strings.Join(labels, ", "), r.speech, r.words)
		speech += r.speech
	}
	fmt.Fprintf(w, "| **all** | %.0f | | | %d | **%d** |\n", t.hours*3600, speech, t.words)
	for _, r := range t.kinds {
		for _, s := range r.said {
			fmt.Fprintf(w, "\n%s: %s", r.name, s)
		}
	}
	fmt.Fprintln(w)
}
