package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const ourName = "Earwitness"

// row is what one engine made of one set.
type row struct {
	engine string
	set    set
	result
}

// rates over all recordings with a truth.
func (r row) rates() rates {
	var e rates
	for i, it := range r.set.items {
		if it.truth != "" {
			e.add(it.lang, it.truth, r.heard[i].text)
		}
	}
	return e
}

// verdicts over the words of all recordings; none where the engine gives no words.
func (r row) verdicts() []verdict {
	var out []verdict
	for i, it := range r.set.items {
		if it.truth != "" {
			out = append(out, judge(it.lang, it.truth, r.heard[i].words)...)
		}
	}
	return out
}

func (r row) factor() float64 { return r.wall / r.set.seconds() }

// report is all rows of a run.
type report struct {
	out    io.Writer
	rows   []row
	missed []string // aims
}

func (r *report) find(engine, set string) (row, bool) {
	for _, x := range r.rows {
		if x.engine == engine && x.set.name == set {
			return x, true
		}
	}
	return row{}, false
}

func (r *report) say(format string, args ...any) { fmt.Fprintf(r.out, format, args...) }

func (r *report) aim(reached bool, format string, args ...any) {
	verdict := "reached"
	if !reached {
		verdict = "**missed**"
		r.missed = append(r.missed, fmt.Sprintf(format, args...))
	}
	r.say("| %s | %s |\n", fmt.Sprintf(format, args...), verdict)
}

// machine names what the run ran on.
func machine() string {
	name, flags := "unknown CPU", ""
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			k, v, _ := strings.Cut(line, ":")
			switch strings.TrimSpace(k) {
			case "model name":
				name = strings.TrimSpace(v)
			case "flags":
				flags = v
			}
		}
	}
	var has []string
	for _, f := range []string{"avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8"} {
		if strings.Contains(" "+strings.TrimSpace(flags)+" ", " "+f+" ") {
			has = append(has, f)
		}
	}
	load := ""
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(b), " ")
	}
	python := "no Python"
	if out, err := exec.Command("python3", "--version").Output(); err == nil {
		python = strings.TrimSpace(string(out))
	}
	return fmt.Sprintf("%s/%s, %d processors, %s (%s), %s, %s; load when it began: %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), name, strings.Join(has, " "), runtime.Version(), python, load)
}

// tables prints everything. sample says what of the corpus was heard.
func (r *report) tables() {
	r.say("\n### Word and character error rate, and speed\nRTF: seconds of work for a second of sound, by the clock and by processor time (all cores together).\n\n")
	r.say("| set | engine | words | WER | CER | RTF, clock | RTF, processor | loading, s | peak MB |\n|---|---|---|---|---|---|---|---|---|\n")
	last := ""
	for _, x := range r.rows {
		name := x.set.name
		if name == last {
			name = ""
		}
		last = x.set.name
		e := x.rates()
		w, c := "-", "-"
		if e.words.Reference > 0 {
			w, c = fmt.Sprintf("%.3f", e.words.Rate()), fmt.Sprintf("%.3f", e.chars.Rate())
		}
		load := "in RTF"
		if x.engine != ourName {
			load = fmt.Sprintf("%.1f", x.load)
		}
		r.say("| %s | %s | %d | %s | %s | %.3f | %.3f | %s | %d |\n", name, x.engine, e.words.Reference, w, c, x.factor(), x.cpu/x.set.seconds(), load, x.peakMB)
	}
	r.honesty()
	r.times()
	r.nobody()
}

// honesty is what words shown as sure are worth.
func (r *report) honesty() {
	r.say("\n### Words shown as sure (probability at least 0.8)\n*not understood*: of the transmissions of speech, those for which it says so instead of text.\n\n")
	r.say("| set | engine | words written | sure | of them right | words said | not understood |\n|---|---|---|---|---|---|---|\n")
	for _, x := range r.rows {
		vs := x.verdicts()
		if len(vs) == 0 {
			continue
		}
		n, right := sure(vs)
		not := "-"
		if x.engine == ourName {
			all, lost := 0, 0
			for _, h := range x.heard {
				all += h.speech
				lost += h.notUnderstood
			}
			not = fmt.Sprintf("%d of %d", lost, all)
		}
		r.say("| %s | %s | %d | %d | %s | %d | %s |\n", x.set.name, x.engine, len(vs), n, share(right, n), x.rates().words.Reference, not)
	}
	r.say("\n### Calibration\nExpected calibration error in ten bins, over all levels of noise together (clean, 20, 10, 5, 0 dB).\n\n| engine | words | right | calibration error |\n|---|---|---|---|\n")
	for _, name := range []string{ourName, fasterWords.name} {
		if vs := r.pooled(name); len(vs) > 0 {
			right := 0
			for _, v := range vs {
				if v.right {
					right++
				}
			}
			r.say("| %s | %d | %s | %.3f |\n", name, len(vs), share(right, len(vs)), calibrationError(bins(vs)))
		}
	}
}

func share(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// pooled are the verdicts on an engine's words at all levels of noise.
func (r *report) pooled(engine string) []verdict {
	var vs []verdict
	for _, x := range r.rows {
		if x.engine == engine && x.set.noise != "" {
			vs = append(vs, x.verdicts()...)
		}
	}
	return vs
}

func (x row) timeErrors() (start, end []float64) {
	for i, it := range x.set.items {
		s, e := timeErrors(it.lang, it.said, x.heard[i].words)
		start, end = append(start, s...), append(end, e...)
	}
	return start, end
}

func (r *report) times() {
	r.say("\n### Word times against the phone labels, ms\n| set | engine | words compared | start: median | 95th percentile | end: median | 95th percentile |\n|---|---|---|---|---|---|---|\n")
	for _, x := range r.rows {
		if s, e := x.timeErrors(); len(s) > 0 {
			r.say("| %s | %s | %d | %.0f | %.0f | %.0f | %.0f |\n", x.set.name, x.engine, len(s), 1000*quantile(s, 0.5), 1000*quantile(s, 0.95), 1000*quantile(e, 0.5), 1000*quantile(e, 0.95))
		}
	}
}

// written counts the words of each recording.
func (x row) written() int {
	n := 0
	for _, h := range x.heard {
		n += len(strings.Fields(h.text))
	}
	return n
}

func (r *report) nobody() {
	r.say("\n### Words where nobody speaks\n| set | engine | seconds | words | invented in |\n|---|---|---|---|---|\n")
	for _, x := range r.rows {
		if !strings.HasPrefix(x.set.name, "nobody speaks") {
			continue
		}
		var in []string
		for i, h := range x.heard {
			if h.text != "" {
				in = append(in, strings.TrimSuffix(filepath.Base(x.set.items[i].path), ".wav"))
			}
		}
		r.say("| %s | %s | %.0f | %d | %s |\n", x.set.name, x.engine, x.set.seconds(), x.written(), strings.Join(in, ", "))
	}
}

// pictures writes the two of them.
func (r *report) pictures(dir, note string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var places []string
	for _, l := range levels {
		places = append(places, l.name)
	}
	var curves []curve
	for _, name := range []string{ourName, fasterBeam.name, fasterGreedy.name, cppGreedy.name} {
		c := curve{name: name}
		seen := false
		for _, l := range levels {
			v := math.NaN()
			for _, x := range r.rows {
				if x.engine == name && x.set.noise == l.name {
					e := x.rates()
					v, seen = e.words.Rate(), true
				}
			}
			c.values = append(c.values, v)
		}
		if seen {
			curves = append(curves, c)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "wer-noise.svg"), []byte(errorPicture(places, curves, note)), 0o644); err != nil {
		return err
	}
	var names []string
	var all [][10]bin
	for _, name := range []string{ourName, fasterWords.name} {
		if vs := r.pooled(name); len(vs) > 0 {
			bs := bins(vs)
			names = append(names, fmt.Sprintf("%s: %d words, calibration error %.3f", name, len(vs), calibrationError(bs)))
			all = append(all, bs)
		}
	}
	return os.WriteFile(filepath.Join(dir, "calibration.svg"), []byte(calibrationPicture(names, all, note)), 0o644)
}
