package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// encoders say how a form is made out of a WAV: by the installed FFmpeg, as people post recordings.
var encoders = map[string][]string{
	"mp3":  {"-ar", "44100", "-b:a", "64k"},
	"m4a":  {"-ar", "44100", "-c:a", "aac", "-b:a", "64k"},
	"opus": {"-c:a", "libopus", "-b:a", "24k"},
}

// recording writes hours of sparse sound in a form. What is not WAV is an hour over and over: encoding takes longer than all that is
// measured.
func (b *bench) recording(form string, hours float64) (string, error) {
	wav := filepath.Join(b.dir, "sparse.wav")
	if form == "wav" {
		return wav, b.sparse(wav, hours)
	}
	args, ok := encoders[form]
	if !ok {
		return "", fmt.Errorf("no form %q", form)
	}
	if err := b.sparse(wav, min(hours, 1)); err != nil {
		return "", err
	}
	hour, name := filepath.Join(b.dir, "hour."+form), filepath.Join(b.dir, "sparse."+form)
	ffmpeg := func(args ...string) error {
		if out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the %s: %w: %s", form, err, out)
		}
		return nil
	}
	if err := ffmpeg(append(append([]string{"-i", wav}, args...), hour)...); err != nil {
		return "", err
	}
	if err := ffmpeg("-stream_loop", "-1", "-i", hour, "-t", fmt.Sprint(hours*3600), "-c", "copy", name); err != nil {
		return "", err
	}
	return name, errors.Join(os.Remove(wav), os.Remove(hour))
}

// each does f for a case with one recording of each length and form, with each decoder.
func (b *bench) each(f func(c, what, decoder string, hours float64) error) error {
	for h := range strings.SplitSeq(b.hours, ",") {
		hours, err := strconv.ParseFloat(h, 64)
		if err != nil {
			return err
		}
		for form := range strings.SplitSeq(b.forms, ",") {
			name, err := b.recording(form, hours)
			if err != nil {
				return err
			}
			decoders := []string{"wasm", "native"}
			if form == "wav" {
				decoders = decoders[:1] // which is not used
			}
			for _, d := range decoders {
				c := filepath.Join(b.dir, "scan.case")
				if _, err := b.program(0, nil, "init", c); err != nil {
					return err
				}
				if _, err := b.program(0, nil, "-C", c, "add", name); err != nil {
					return err
				}
				what := fmt.Sprintf("%g h of %s", hours, form)
				if form != "wav" {
					what += ", " + d
				}
				if err := errors.Join(f(c, what, d, hours), os.RemoveAll(c)); err != nil {
					return err
				}
			}
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// scan measures decode and detect alone: the shelf is empty, so the run ends where hearing would begin.
func (b *bench) scan() error {
	return b.each(func(c, what, decoder string, hours float64) error {
		u, err := b.program(7, []string{"EARWITNESS_MODELS=" + filepath.Join(b.dir, "none")}, "-C", c, "run", "--threads", "2", "--decoder", decoder)
		if err != nil {
			return err
		}
		aim := 400
		if strings.HasSuffix(what, "wav") {
			aim = 1000
		}
		fmt.Printf("| scan of %s, 5 %% speech | %.0f x real time, %.0f x per core (CPU time), main process %d MB, engine %d MB | at least %d x per core, 200 MB, 600 MB |\n",
			what, hours*3600/u.wall.Seconds(), hours*3600/u.cpu.Seconds(), u.main>>20, u.engine>>20, aim)
		return nil
	})
}

// first measures how long a person waits for the first text, and for the end of the run after Ctrl-C, with a model on the shelf.
func (b *bench) first() error {
	return b.each(func(c, what, decoder string, _ float64) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "earwitness"), "-C", c, "run", "--threads", "2", "--decoder", decoder)
		said, err := cmd.StderrPipe()
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		var first time.Duration
		var stopped time.Time
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if first == 0 && strings.HasPrefix(lines.Text(), "REC-0001@") {
				first, stopped = time.Since(begun), time.Now()
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					return err
				}
			}
		}
		err = cmd.Wait()
		if first == 0 {
			return fmt.Errorf("no text of %s: %w", what, err)
		}
		fmt.Printf("| first text of %s | %.1f s after the start; %.1f s from Ctrl-C to the end | within a minute |\n", what, first.Seconds(), time.Since(stopped).Seconds())
		return nil
	})
}
