package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
)

// long writes a recording of the given hours: single sideband at 15 dB, 5 % speech in bursts, one of 3 s a minute.
func long(name string, hours int, sampleRate int) (err error) {
	vs, err := voices(false)
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	l := audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: sampleRate}
	w, err := audio.NewWAVWriter(out, l, int64(hours)*3600*int64(sampleRate))
	if err != nil {
		return err
	}
	// Ten different minutes, in turn: 3 s of speech in each.
	var minute [10][]int16
	for m := range minute {
		minute[m] = quiet(uint64(m), vs[m*3%len(vs)], sampleRate)
	}
	for m := range hours * 60 {
		if err := w.WriteSamples(minute[m%10]); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Flush()
}

// quiet makes a minute of noise with one burst of 3 s of speech at 15 dB in it.
func quiet(seed uint64, v voice, sampleRate int) []int16 {
	r := rand.New(rand.NewPCG(seed, 9))
	noise := make([]float64, 60*rate)
	for i := range noise {
		noise[i] = r.NormFloat64()
	}
	channel.Band(noise)
	x := append([]float64{}, v.sound[:min(len(v.sound), 3*rate)]...)
	channel.Band(x)
	out := make([]int16, 60*sampleRate)
	for i := range out {
		k := int(int64(i) * rate / int64(sampleRate))
		s := noise[k] * 0.18
		if n := k - 20*rate; n >= 0 && n < 3*rate {
			s += x[n%len(x)]
		}
		out[i] = int16(s * 2500)
	}
	return out
}

// usage returns the processor time of this process.
func usage() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// resident returns the peak of resident memory in MB since the last call with reset.
func resident(reset bool) int {
	if reset {
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			return -1
		}
		return 0
	}
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return -1
	}
	for _, line := range strings.Split(string(b), "\n") {
		var kb int
		if n, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 && err == nil {
			return kb / 1024
		}
	}
	return -1
}

func speed(ctx context.Context, d analysis.SpeechDetector, dir string) error {
	fmt.Printf("\nScan of a recording with 5 %% speech (times real time: by processor time of one core, and by the clock)\n%-26s %9s %9s %10s %6s %8s\n", "recording", "per core", "clock", "listened%", "found", "peak MB")
	for _, r := range []int{16000, 48000} {
		if err := scan(ctx, d, dir, 6, r); err != nil {
			return err
		}
	}
	return nil
}

func memory(ctx context.Context, d analysis.SpeechDetector, dir string) error {
	fmt.Printf("\nMemory by length\n%-26s %9s %9s %10s %6s %8s\n", "recording", "per core", "clock", "listened%", "found", "peak MB")
	for _, hours := range []int{1, 6, 24} {
		if err := scan(ctx, d, dir, hours, 16000); err != nil {
			return err
		}
	}
	return nil
}

func scan(ctx context.Context, d analysis.SpeechDetector, dir string, hours, sampleRate int) error {
	name := filepath.Join(dir, fmt.Sprintf("earwitness-scan-%d.wav", os.Getpid()))
	defer os.Remove(name)
	if err := long(name, hours, sampleRate); err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	w, err := audio.OpenWAV(f, st.Size())
	if err != nil {
		return err
	}
	resident(true)
	cpu, clock := usage(), time.Now()
	out, err := analysis.Detect(ctx, w.Source(), d, analysis.DefaultDetectParams(), nil)
	if err != nil {
		return err
	}
	length := float64(hours) * 3600
	fmt.Printf("%-26s %9.0f %9.0f %10.1f %6d %8d\n", fmt.Sprintf("%d h, %d Hz, %d MB", hours, sampleRate, st.Size()>>20), length/(usage()-cpu).Seconds(), length/time.Since(clock).Seconds(),
		100*float64(out.Listened)/(length*rate), len(out.Transmissions), resident(false))
	return nil
}
