// Package corpus reads Debian's festvox-ru: one voice reading 620 Russian sentences, with text, phone labels, and the times of
// words that follow from both.
package corpus

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Dir is where Debian's festvox-ru puts its recordings (wav), phone labels (lab) and text (etc/txt.done.data).
const Dir = "/usr/share/festival/voices/russian/msu_ru_nsh_clunits"

// Utterance is one of the corpus.
type Utterance struct {
	Name, Text string
	Number     int
}

// Line is how festvox writes what is said: a name and a text.
var Line = regexp.MustCompile(`\(\s*(\S+)\s+"(.*)"\s*\)`)

// Utterances reads the corpus's list. Those of even number are for fitting; only those of odd number are
// evaluated, here and wherever the project states a figure of the corpus.
func Utterances(dir string) (odd, even []Utterance, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "etc", "txt.done.data"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("the Russian corpus is not installed: apt-get install festvox-ru")
	} else if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(b)) {
		m := Line.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		_, digits, _ := strings.Cut(m[1], "_")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, nil, fmt.Errorf("utterance %q has no number", m[1])
		}
		u := Utterance{m[1], m[2], n}
		if n%2 == 1 {
			odd = append(odd, u)
		} else {
			even = append(even, u)
		}
	}
	for _, us := range [][]Utterance{odd, even} {
		slices.SortFunc(us, func(a, b Utterance) int { return cmp.Compare(a.Number, b.Number) })
	}
	return odd, even, nil
}

// Bursts are the utterances as long as transmissions are: 2 to 10 s.
func Bursts(us []Utterance) ([]Utterance, error) {
	var out []Utterance
	for _, u := range us {
		st, err := os.Stat(filepath.Join(Dir, "wav", u.Name+".wav"))
		if err != nil {
			return nil, err
		}
		if s := float64(st.Size()) / (2 * 16000); s >= 2 && s <= 10 {
			out = append(out, u)
		}
	}
	return out, nil
}

// phone is one label.
type phone struct {
	name       string
	start, end float64
}

// labels reads a .lab file: an end time, a number of no meaning and a name a line, behind a "#".
func labels(b []byte) ([]phone, error) {
	var out []phone
	_, body, found := strings.Cut(string(b), "#")
	if !found {
		return nil, errors.New("no labels")
	}
	last := 0.0
	for line := range strings.Lines(body) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 3 {
			return nil, fmt.Errorf("label %q", line)
		}
		end, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			return nil, err
		}
		if f[2] != "pau" && f[2] != "ssil" {
			out = append(out, phone{f[2], last, end})
		}
		last = end
	}
	return out, nil
}

// spoken is a word with the phones that the corpus's own voice gives it.
type spoken struct {
	text   string
	phones []string
}

// The analysis of text that the voice was built with: its words and their phones, nothing is synthesised.
const analyse = `
(voice_msu_ru_nsh_clunits)
(define (show id text)
  (let ((utt (eval (list 'Utterance 'Text text))) w)
    (Initialize utt) (Text utt) (Token_POS utt) (Token utt) (POS utt) (Phrasify utt) (Word utt) (Pauses utt) (Intonation utt) (PostLex utt)
    (format t "utt %s\n" id)
    (set! w (utt.relation.first utt 'Word))
    (while w
      (format t "word %s" (item.name w))
      (mapcar (lambda (y) (mapcar (lambda (s) (format t " %s" (item.name s))) (item.relation.daughters y 'SylStructure)))
              (item.relation.daughters w 'SylStructure))
      (format t "\n")
      (set! w (item.next w)))))
`

// pronounce asks festival, which is installed with the corpus, for the words of texts and their phones.
func pronounce(us []Utterance) (map[string][]spoken, error) {
	var script bytes.Buffer
	script.WriteString(analyse)
	for _, u := range us {
		if strings.ContainsAny(u.Text, `"\`) {
			return nil, fmt.Errorf("utterance %s has a character that festival's script cannot hold", u.Name)
		}
		fmt.Fprintf(&script, "(show %q \"%s\")\n", u.Name, u.Text)
	}
	f, err := os.CreateTemp("", "earwitness-eval-*.scm")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(script.Bytes()); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	out, err := exec.Command("festival", "-b", f.Name()).Output()
	if err != nil {
		return nil, fmt.Errorf("festival, which divides phones into words: %w", err)
	}
	all := map[string][]spoken{}
	id := ""
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2 && f[0] == "utt":
			id = f[1]
		case len(f) >= 2 && f[0] == "word":
			all[id] = append(all[id], spoken{f[1], f[2:]})
		}
	}
	return all, nil
}

// wordTimes gives each word the times of its phones. The words' phones in a row are aligned with the labels by edit
// distance; a word whose first or last phone has no equal label has no time there (not a number).
func wordTimes(words []spoken, ps []phone) []Timed {
	var said, labelled []string
	for _, p := range ps {
		labelled = append(labelled, p.name)
	}
	var of []int
	for k, w := range words {
		for _, p := range w.phones {
			said = append(said, p)
			of = append(of, k)
		}
	}
	out := make([]Timed, len(words))
	for k, w := range words {
		out[k] = Timed{strings.ReplaceAll(w.text, "+", ""), math.NaN(), math.NaN()}
	}
	for i, at := range Align(labelled, said) {
		if at < 0 {
			continue
		}
		k := of[i]
		if i == 0 || of[i-1] != k {
			out[k].Start = ps[at].start
		}
		if i == len(of)-1 || of[i+1] != k {
			out[k].End = ps[at].end
		}
	}
	return out
}

// Timed is a word that was said, with the times of its first and last phone.
type Timed struct {
	Text       string
	Start, End float64
}

// Words gives the word times of utterances, from the corpus's labels.
func Words(us []Utterance) (map[string][]Timed, error) {
	words, err := pronounce(us)
	if err != nil {
		return nil, err
	}
	out := map[string][]Timed{}
	for _, u := range us {
		b, err := os.ReadFile(filepath.Join(Dir, "lab", u.Name+".lab"))
		if err != nil {
			return nil, err
		}
		ps, err := labels(b)
		if err != nil {
			return nil, fmt.Errorf("labels of %s: %w", u.Name, err)
		}
		out[u.Name] = wordTimes(words[u.Name], ps)
	}
	return out, nil
}

// Align pairs the words of two normalised texts along the shortest edit distance: for each heard word the place of the
// said word that it equals, or -1.
func Align(said, heard []string) []int {
	w := len(heard) + 1
	cost := make([]int, (len(said)+1)*w)
	for j := range w {
		cost[j] = j
	}
	for i, s := range said {
		cost[(i+1)*w] = i + 1
		for j, h := range heard {
			c := cost[i*w+j]
			if s != h {
				c++
			}
			cost[(i+1)*w+j+1] = min(c, cost[i*w+j+1]+1, cost[(i+1)*w+j]+1)
		}
	}
	out := make([]int, len(heard))
	for j := range out {
		out[j] = -1
	}
	for i, j := len(said), len(heard); i > 0 && j > 0; {
		same := said[i-1] == heard[j-1]
		switch here := cost[i*w+j]; {
		case same && here == cost[(i-1)*w+j-1]:
			out[j-1] = i - 1
			i, j = i-1, j-1
		case !same && here == cost[(i-1)*w+j-1]+1:
			i, j = i-1, j-1
		case here == cost[(i-1)*w+j]+1:
			i--
		default:
			j--
		}
	}
	return out
}

// Evenly takes n utterances spread over all.
func Evenly(us []Utterance, n int) []Utterance {
	n = min(n, len(us))
	out := make([]Utterance, n)
	for i := range out {
		out[i] = us[i*len(us)/n]
	}
	return out
}
