package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// hearing is what an engine made of one recording.
type hearing struct {
	text  string
	words []word // nil where the engine gives none
	// Of ours: transmissions of speech, and those of them that it says it did not understand.
	speech, notUnderstood int
}

// result is what an engine made of a set, and what that took.
type result struct {
	version   string
	heard     []hearing // in the order of the set's items
	wall, cpu float64   // seconds; of ours with the start of its engine, of peers without loading
	load      float64   // seconds; 0 for ours
	peakMB    int64
}

// ours runs the real program.
type ours struct {
	bin, dir, model string
	threads         int
}

// line is what is read of a line of `export jsonl`: docs/format/export.md.
type line struct {
	File  string
	Text  string
	State string
	Sound string
	Words []word
}

func (o ours) version() (string, error) {
	out, err := exec.Command(filepath.Join(o.bin, "earwitness"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("earwitness --version: %w", err)
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first, nil
}

// hear puts a set's recordings into a new case, runs the program over it and reads its export. What is timed is `run`
// from its start to its end: decoding, detection, the start of the engine and loading the model included.
func (o ours) hear(s set) (result, error) {
	c, err := os.MkdirTemp(o.dir, "case")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(c)
	c = filepath.Join(c, "eval.case")
	if _, err := o.program(nil, "init", c); err != nil {
		return result{}, err
	}
	args := []string{"-C", c, "add"}
	for _, it := range s.items {
		args = append(args, it.path)
	}
	if _, err := o.program(nil, args...); err != nil {
		return result{}, err
	}
	var r result
	if _, err := o.program(&r, "-C", c, "run", "--model", o.model, "--threads", strconv.Itoa(o.threads)); err != nil {
		return result{}, err
	}
	out, err := o.program(nil, "-C", c, "export", "jsonl")
	if err != nil {
		return result{}, err
	}
	place := map[string]int{}
	for i, it := range s.items {
		name := filepath.Base(it.path)
		if _, twice := place[name]; twice {
			return result{}, fmt.Errorf("two recordings of %s are called %s", s.name, name)
		}
		place[name] = i
	}
	r.heard = make([]hearing, len(s.items))
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return result{}, fmt.Errorf("a line of the export: %w", err)
		}
		i, ok := place[l.File]
		if !ok {
			return result{}, fmt.Errorf("the export has %q, which was not added", l.File)
		}
		if l.State == "failed" || l.State == "waiting" {
			return result{}, fmt.Errorf("%s is %s after a whole run", l.File, l.State)
		}
		h := &r.heard[i]
		h.text = strings.TrimSpace(h.text + " " + l.Text)
		h.words = append(h.words, l.Words...)
		if l.Sound == "speech" {
			h.speech++
			if l.State == "not understood" {
				h.notUnderstood++
			}
		}
	}
	return r, lines.Err()
}

// program runs earwitness once. With r it notes what that took: the clock, the processor time of it and its
// children, and the greatest resident memory of its engine.
func (o ours) program(r *result, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(o.bin, "earwitness"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watch(cmd.Process.Pid, stop) }()
	err := cmd.Wait()
	took := time.Since(begun)
	close(stop)
	most := <-peak
	if err != nil {
		return nil, fmt.Errorf("earwitness %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	if r != nil {
		r.wall, r.cpu = took.Seconds(), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
		r.peakMB = most >> 20
	}
	return stdout.Bytes(), nil
}

// watch returns the greatest resident memory of any child of a process, in bytes, looking every 20 ms.
func watch(pid int, stop <-chan struct{}) int64 {
	most := int64(0)
	for t := time.NewTicker(20 * time.Millisecond); ; {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // gone when the process is
		for _, task := range tasks {
			b, err := os.ReadFile(task)
			if err != nil {
				continue
			}
			for _, child := range strings.Fields(string(b)) {
				most = max(most, resident(child))
			}
		}
		select {
		case <-stop:
			t.Stop()
			return most
		case <-t.C:
		}
	}
}

func resident(pid string) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "statm"))
	f := strings.Fields(string(b))
	if err != nil || len(f) < 2 {
		return 0 // it has ended
	}
	n, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return n * int64(os.Getpagesize())
}

var errNoPeers = errors.New("the peers are not installed: tools/peers.sh .cache/peers")
