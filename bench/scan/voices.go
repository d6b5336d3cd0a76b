package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/earwitness/earwitness/internal/audio"
)

// shared is where the reference data lies.
func shared() string {
	if dir := os.Getenv("EARWITNESS_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared", "data")
}

// file reads a sound file as working sound: PCM WAV and raw 8 kHz PCM ourselves, the rest by the ffmpeg that is
// installed. Without it such a file is left out, which the table says.
func file(name string) ([]int16, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var src audio.Source
	switch filepath.Ext(name) {
	case ".wav":
		w, err := audio.OpenWAV(f, st.Size())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		src = w.Source()
	default:
		args := []string{"-v", "error"}
		if filepath.Ext(name) == ".raw" {
			args = append(args, "-f", "s16le", "-ar", "8000", "-ac", "1")
		}
		b, err := exec.Command("ffmpeg", append(args, "-i", name, "-f", "s16le", "-ar", "16000", "-ac", "1", "-")...).Output()
		if err != nil {
			return nil, fmt.Errorf("decode %s: %w", name, err)
		}
		x := make(audio.Samples, len(b)/2)
		for i := range x {
			x[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		src = x
	}
	x := make([]int16, src.Len())
	_, err = src.ReadSamples(x, 0)
	return x, err
}

// voice is a clean utterance, with its level at 1 and its ends at the speech's own.
type voice struct {
	name  string
	sound []float64
}

// voices cuts the clean real recordings into utterances of 1.5 to 9 seconds at their pauses.
func voices(ffmpeg bool) ([]voice, error) {
	patterns := []string{"ru-gigaam-example/*.wav", "ru-deepspeech-sample/*.wav", "ru-numbers/*.wav", "uk-egorsmkv/*.wav",
		"en-librivox-pocketsphinx/*.wav", "en-vosk-test/*.wav", "en-jfk/*.wav", "en-6speakers/*.wav"}
	if ffmpeg {
		patterns = append(patterns, "ru-festvox-nsh/*.flac")
	}
	var out []voice
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join(shared(), "audio", p))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			x, err := file(name)
			if err != nil {
				return nil, err
			}
			for _, u := range utterances(x) {
				out = append(out, voice{filepath.Base(name), u})
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no voices in %s", shared())
	}
	return out, nil
}

func sounds(vs []voice) [][]float64 {
	out := make([][]float64, len(vs))
	for i, v := range vs {
		out[i] = v.sound
	}
	return out
}

// utterances finds stretches within 35 dB of the loudest 10 ms, joined over pauses below 0.35 s (what is longer is
// silence of the recording, not to be known as speech), of 1.2 to 9 s.
func utterances(x []int16) [][]float64 {
	n := len(x) / 160
	level := make([]float64, n)
	top := 0.0
	for i := range level {
		for _, v := range x[i*160 : (i+1)*160] {
			level[i] += float64(v) * float64(v)
		}
		top = max(top, level[i])
	}
	var out [][]float64
	from, last := -1, 0
	flush := func() {
		if from >= 0 && last-from >= 120 {
			out = append(out, normal(x[from*160:min(last-from, 900)*160+from*160]))
		}
		from = -1
	}
	for i, l := range level {
		if l > top*math.Pow(10, -3.5) {
			if from < 0 {
				from = i
			}
			last = i + 1
		} else if from >= 0 && i-last > 35 {
			flush()
		}
	}
	flush()
	return out
}

func normal(x []int16) []float64 {
	y := make([]float64, len(x))
	var s float64
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	for i, v := range x {
		y[i] = float64(v) / math.Sqrt(s/float64(len(x)))
	}
	return y
}

// phones returns when the speech of a festvox recording begins and ends, in seconds, from its phone labels.
func phones(name string) (from, to float64, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	prev, first := 0.0, true
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		end, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			return 0, 0, err
		}
		if f[2] != "pau" && f[2] != "ssil" {
			if first {
				from, first = prev, false
			}
			to = end
		}
		prev = end
	}
	return from, to, nil
}
