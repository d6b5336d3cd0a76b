package main

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

// corpus is where Debian's festvox-ru puts its recordings (wav), phone labels (lab) and text (etc/txt.done.data).
const corpus = "/usr/share/festival/voices/russian/msu_ru_nsh_clunits"

// utterance is one of the corpus.
type utterance struct {
	name, text string
	number     int
}

var festvoxLine = regexp.MustCompile(`\(\s*(\S+)\s+"(.*)"\s*\)`)

// utterances reads the corpus's list. Those of even number are for fitting (probabilities, thresholds); only those of odd
// number are evaluated, here and wherever the project states a figure of the corpus.
func utterances(dir string) (odd []utterance, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "etc", "txt.done.data"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the Russian corpus is not installed: apt-get install festvox-ru")
	} else if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		m := festvoxLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		_, digits, _ := strings.Cut(m[1], "_")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, fmt.Errorf("utterance %q has no number", m[1])
		}
		if n%2 == 1 {
			odd = append(odd, utterance{m[1], m[2], n})
		}
	}
	slices.SortFunc(odd, func(a, b utterance) int { return cmp.Compare(a.number, b.number) })
	return odd, nil
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
func pronounce(us []utterance) (map[string][]spoken, error) {
	var script bytes.Buffer
	script.WriteString(analyse)
	for _, u := range us {
		if strings.ContainsAny(u.text, `"\`) {
			return nil, fmt.Errorf("utterance %s has a character that festival's script cannot hold", u.name)
		}
		fmt.Fprintf(&script, "(show %q \"%s\")\n", u.name, u.text)
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
func wordTimes(words []spoken, ps []phone) []timed {
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
	out := make([]timed, len(words))
	for k, w := range words {
		out[k] = timed{strings.ReplaceAll(w.text, "+", ""), math.NaN(), math.NaN()}
	}
	for i, at := range align(labelled, said) {
		if at < 0 {
			continue
		}
		k := of[i]
		if i == 0 || of[i-1] != k {
			out[k].start = ps[at].start
		}
		if i == len(of)-1 || of[i+1] != k {
			out[k].end = ps[at].end
		}
	}
	return out
}
