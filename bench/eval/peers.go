package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peer is another engine with one choice of settings.
type peer struct {
	name     string
	driver   string // file in bench/peers
	settings map[string]any
}

// The settings are the peers' own defaults but for what is named. Threads are ours.
var (
	fasterBeam    = peer{"faster-whisper, beam 5", "run_faster_whisper.py", map[string]any{"beam": 5}}
	fasterGreedy  = peer{"faster-whisper, greedy", "run_faster_whisper.py", map[string]any{"beam": 1}}
	fasterVAD     = peer{"faster-whisper, beam 5, its VAD", "run_faster_whisper.py", map[string]any{"beam": 5, "vad": true}}
	fasterVADFast = peer{"faster-whisper, greedy, its VAD", "run_faster_whisper.py", map[string]any{"beam": 1, "vad": true}}
	fasterWords   = peer{"faster-whisper, beam 5, word times", "run_faster_whisper.py", map[string]any{"beam": 5, "words": true}}
	fasterBatch   = peer{"faster-whisper, batches of 8, greedy", "run_faster_whisper.py", map[string]any{"beam": 1, "batch": 8}}
	fasterBatch5  = peer{"faster-whisper, batches of 8, beam 5", "run_faster_whisper.py", map[string]any{"beam": 5, "batch": 8}}
	cppGreedy     = peer{"whisper.cpp, greedy", "run_whisper_cpp.py", map[string]any{"beam": 0}}
	cppBeam       = peer{"whisper.cpp, beam 5", "run_whisper_cpp.py", map[string]any{"beam": 5}}
)

// peers runs the drivers of bench/peers in the environment that tools/peers.sh makes.
type peers struct {
	dir     string // that environment
	drivers string // bench/peers
	cache   string // what they said, by everything that it depends on
	cached  bool   // whether that is used
	threads int
}

// request and reply: bench/peers/common.py.
type request struct {
	Models   string         `json:"models"`
	Threads  int            `json:"threads"`
	Settings map[string]any `json:"settings"`
	Files    []requestFile  `json:"files"`
}

type requestFile struct {
	Path     string `json:"path"`
	Language string `json:"language"`
}

type reply struct {
	Text      string
	Words     []word
	Wall, CPU float64
	Engine    string
	Version   string
	LoadWall  float64 `json:"load_wall"`
	PeakMB    int64   `json:"peak_mb"`
}

// key is the digest of everything that an answer depends on.
func (p peers) key(w peer, req request) (string, error) {
	h := sha256.New()
	for _, name := range []string{"requirements.txt", "common.py", "convert.py", w.driver} {
		b, err := os.ReadFile(filepath.Join(p.drivers, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(b))
	}
	said, err := json.Marshal(struct {
		Threads  int
		Settings map[string]any
	}{req.Threads, req.Settings})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s\n", said)
	for _, f := range req.Files {
		b, err := os.ReadFile(f.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%x %s\n", sha256.Sum256(b), f.Language)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16]), nil
}

func (p peers) hear(w peer, s set) (result, error) {
	python, err := filepath.Abs(filepath.Join(p.dir, "venv", "bin", "python"))
	if err != nil {
		return result{}, err
	}
	models, err := filepath.Abs(filepath.Join(p.dir, "models"))
	if err != nil {
		return result{}, err
	}
	req := request{Models: models, Threads: p.threads, Settings: w.settings}
	for _, it := range s.items {
		req.Files = append(req.Files, requestFile{it.path, it.lang})
	}
	key, err := p.key(w, req)
	if err != nil {
		return result{}, err
	}
	kept := filepath.Join(p.cache, key+".jsonl")
	if p.cached {
		if b, err := os.ReadFile(kept); err == nil {
			return parse(b, len(req.Files))
		}
	}
	if _, err := os.Stat(python); err != nil {
		return result{}, errNoPeers
	}
	f, err := os.CreateTemp("", "earwitness-eval-*.json")
	if err != nil {
		return result{}, err
	}
	defer os.Remove(f.Name())
	if err := json.NewEncoder(f).Encode(req); err != nil {
		return result{}, err
	}
	if err := f.Close(); err != nil {
		return result{}, err
	}
	cmd := exec.Command(python, filepath.Join(p.drivers, w.driver), f.Name())
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", p.threads), "HF_HUB_OFFLINE=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", w.name, err, stderr.String())
	}
	r, err := parse(out, len(req.Files))
	if err != nil {
		return r, fmt.Errorf("%s: %w", w.name, err)
	}
	if err := os.MkdirAll(p.cache, 0o700); err != nil {
		return r, err
	}
	return r, os.WriteFile(kept, out, 0o600)
}

// parse reads a driver's lines: one for each file, and one of the whole.
func parse(b []byte, files int) (result, error) {
	var r result
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var a reply
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return r, fmt.Errorf("a line of a driver: %w", err)
		}
		if a.Engine != "" {
			r.version, r.load, r.peakMB = a.Engine+" "+a.Version, a.LoadWall, a.PeakMB
			continue
		}
		r.heard = append(r.heard, hearing{text: a.Text, words: a.Words})
		r.wall += a.Wall
		r.cpu += a.CPU
	}
	if err := lines.Err(); err != nil {
		return r, err
	}
	if r.version == "" || len(r.heard) != files {
		return r, fmt.Errorf("a driver answered for %d of %d recordings", len(r.heard), files)
	}
	return r, nil
}
