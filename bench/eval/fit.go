//go:build cgo && linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
	"gonum.org/v1/gonum/mat"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/bench/corpus"
	"github.com/earwitness/earwitness/internal/engines/gtcrn"
	"github.com/earwitness/earwitness/internal/engines/whisper"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// seen is a word that was written, with the signs of its doubt, and whether it was said.
type seen struct {
	signs []float64
	right bool
	level string
}

// fit hears utterances through the channel, and sounds in which nobody speaks, in the program's own recogniser, and fits
// the weights of Params.DoubtE3 to what was right: logistic regression, by Newton's method, with a weak pull to nought.
func fit(o options, us []corpus.Utterance) error {
	m, err := load(o.threads)
	if err != nil {
		return err
	}
	defer m.Close()
	us, err = corpus.Bursts(us)
	if err != nil {
		return err
	}
	var all []seen
	paths := append(levels[:len(levels):len(levels)], struct {
		name string
		snr  float64
	}{"-5", -5})
	for _, l := range paths {
		words, err := hearThrough(m, corpus.Evenly(us, 5*o.sample), l.name, channel.Path{SNR: l.snr})
		if err != nil {
			return err
		}
		log.Printf("%s: %d words", l.name, len(words))
		all = append(all, words...)
	}
	for _, c := range conditions {
		words, err := hearThrough(m, corpus.Evenly(us, o.sample), c.name, c.path)
		if err != nil {
			return err
		}
		all = append(all, words...)
	}
	weights, err := regress(all)
	if err != nil {
		return err
	}
	var e3 []string
	for _, w := range weights {
		e3 = append(e3, fmt.Sprint(int(math.Round(1000*w))))
	}
	fmt.Printf("DoubtE3: {%s}\n", strings.Join(e3, ", "))
	by, names := map[string][]verdict{}, []string{}
	for _, s := range all {
		if by[s.level] == nil {
			names = append(names, s.level)
		}
		by[s.level] = append(by[s.level], verdict{probability(s.signs, weights), s.right})
	}
	for _, n := range names {
		shown, right := sure(by[n])
		fmt.Printf("%-20s %5d words, calibration error %.3f, %s of %d sure words right\n", n, len(by[n]), calibrationError(bins(by[n])), share(right, shown), shown)
	}
	return nil
}

// load makes the recogniser from the checkpoint in EARWITNESS_WEIGHTS, with noise reduction as the engine has it.
func load(threads int) (*whisper.Model, error) {
	weights := os.Getenv("EARWITNESS_WEIGHTS")
	if weights == "" {
		return nil, fmt.Errorf("EARWITNESS_WEIGHTS names no folder with the checkpoint of whisper-base: tools/weights.sh FOLDER fetches it")
	}
	f, err := os.Open(filepath.Join(weights, "model.bin"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var encoder, decoder bytes.Buffer
	if err := graph.Build(context.Background(), f, st.Size(), "base", &encoder, &decoder); err != nil {
		return nil, err
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/k2-fsa/sherpa-onnx-go-linux").Output()
	if err != nil {
		return nil, fmt.Errorf("find ONNX Runtime: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(dir)), "lib", "x86_64-unknown-linux-gnu", "libonnxruntime.so")
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, err
	}
	cleaner, err := gtcrn.New()
	if err != nil {
		return nil, err
	}
	clean := func(ctx context.Context, pcm []float32) ([]float32, error) {
		x := make([]int16, len(pcm))
		for i, v := range pcm {
			x[i] = int16(max(-32768, min(32767, math.Round(float64(v)*32768))))
		}
		y, err := cleaner.Clean(ctx, x)
		return floats(y), err
	}
	return whisper.Load(whisper.Config{Library: library, Encoder: encoder.Bytes(), Decoder: decoder.Bytes(), Params: whisper.Defaults(), Threads: threads, Clean: clean})
}

func floats(pcm []int16) []float32 {
	out := make([]float32, len(pcm))
	for i, v := range pcm {
		out[i] = float32(v) / 32768
	}
	return out
}

// hearThrough hears utterances through a path.
func hearThrough(m *whisper.Model, us []corpus.Utterance, level string, path channel.Path) ([]seen, error) {
	out, errs := make([][]seen, len(us)), make([]error, len(us))
	room := make(chan struct{}, 32)
	var wg sync.WaitGroup
	for i, u := range us {
		pcm, err := read(filepath.Join(corpus.Dir, "wav", u.Name+".wav"))
		if err != nil {
			return nil, err
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			h, err := m.Hear(context.Background(), floats(path.Burst(pcm, uint64(u.Number))), whisper.Options{Languages: []string{"ru", "uk", "en"}})
			errs[i] = err
			out[i] = seenIn(h, level, strings.ReplaceAll(u.Text, "+", ""))
		})
	}
	wg.Wait()
	var all []seen
	for i := range out {
		if errs[i] != nil {
			return nil, errs[i]
		}
		all = append(all, out[i]...)
	}
	return all, nil
}

// seenIn pairs the signs of the words that were heard with whether they were said.
func seenIn(h whisper.Heard, level, truth string) []seen {
	words := make([]word, len(h.Words))
	for i, w := range h.Words {
		words[i] = word{Word: w.Text}
	}
	right, judged := rights("ru", truth, words)
	var out []seen
	for i := range words {
		if judged[i] {
			out = append(out, seen{h.Signs[i][:], right[i], level})
		}
	}
	return out
}

func probability(signs, weights []float64) float64 {
	sum := 0.0
	for k, x := range signs {
		sum += x * weights[k]
	}
	return 1 / (1 + math.Exp(-sum))
}

// regress finds the weights under which what was seen is most probable.
func regress(all []seen) ([]float64, error) {
	if len(all) == 0 {
		return nil, fmt.Errorf("no words were heard")
	}
	n := len(all[0].signs)
	weights := make([]float64, n)
	for range 30 {
		slope, curve := mat.NewVecDense(n, nil), mat.NewSymDense(n, nil)
		for k := range n {
			if k > 0 {
				slope.SetVec(k, -weights[k])
			}
			curve.SetSym(k, k, 1)
		}
		for _, s := range all {
			p := probability(s.signs, weights)
			miss := -p
			if s.right {
				miss = 1 - p
			}
			for k, x := range s.signs {
				slope.SetVec(k, slope.AtVec(k)+miss*x)
				for l := k; l < n; l++ {
					curve.SetSym(k, l, curve.At(k, l)+p*(1-p)*x*s.signs[l])
				}
			}
		}
		var step mat.VecDense
		if err := step.SolveVec(curve, slope); err != nil {
			return nil, fmt.Errorf("fit: %w", err)
		}
		for k := range weights {
			weights[k] += step.AtVec(k)
		}
	}
	return weights, nil
}
