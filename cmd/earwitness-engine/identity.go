//go:build cgo && linux

package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"github.com/klauspost/cpuid/v2"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/gtcrn"
	"github.com/earwitness/earwitness/internal/engines/sherpa"
	"github.com/earwitness/earwitness/internal/engines/silero"
	"github.com/earwitness/earwitness/internal/engines/voice"
	"github.com/earwitness/earwitness/internal/engines/whisper"
)

// identity says what this engine is: the digest over the digests of the program and of the libraries it
// loaded, so that it is the same for the same bytes and for no others.
func identity(libraries []string) (child.Identity, error) {
	all := sha256.New()
	for _, path := range append([]string{"/proc/self/exe"}, libraries...) {
		d, err := digest(path)
		if err != nil {
			return child.Identity{}, fmt.Errorf("say which build this is: %w", err)
		}
		all.Write(d)
	}
	cleaner := map[string]any{"model": gtcrn.ModelName, "model_digest": gtcrn.ModelSHA256, "version": gtcrn.Version}
	settings, err := evidence.Canonical(map[string]any{
		"gtcrn":   cleaner,
		"sherpa":  map[string]any{"version": sherpa.Version},
		"silero":  map[string]any{"model": silero.ModelName, "model_digest": silero.ModelSHA256},
		"voice":   map[string]any{"params": voice.Defaults(), "version": voice.Version},
		"whisper": map[string]any{"cleaner": cleaner, "params": whisper.Defaults(), "version": whisper.Version},
	})
	if err != nil {
		return child.Identity{}, fmt.Errorf("say which settings it has: %w", err)
	}
	own, onnx := sherpa.Versions()
	return child.Identity{
		Build: fmt.Sprintf("sha256:%x onnxruntime %s sherpa-onnx %s", all.Sum(nil), onnx, own),
		CPU:   features(), Machine: runtime.GOARCH, Name: "earwitness-engine", Runtime: onnx, Settings: settings,
	}, nil
}

func digest(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// features returns the CPU's features by which ONNX Runtime's arithmetic chooses its kernels, sorted.
func features() []string {
	matter := []string{
		"AMXBF16", "AMXFP16", "AMXINT8", "AVX", "AVX2", "AVX512BF16", "AVX512BW", "AVX512DQ", "AVX512F", "AVX512FP16", "AVX512VL", "AVX512VNNI",
		"AVXVNNI", "AVXVNNIINT8", "F16C", "FMA3", "SSE4", "SSE42",
		"ASIMD", "ASIMDDP", "ASIMDHP", "BF16", "FPHP", "I8MM", "SME", "SME2", "SVE", "SVE2",
	}
	var have []string
	for _, f := range cpuid.CPU.FeatureSet() {
		if slices.Contains(matter, f) {
			have = append(have, f)
		}
	}
	slices.Sort(have)
	return have
}
