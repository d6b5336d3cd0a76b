package child

import (
	"context"
	"fmt"
	"math"

	"github.com/earwitness/earwitness/internal/engines/models"
)

// Limits of a voice's vector: known encoders give 192 to 512 numbers.
const (
	minVector = 8
	maxVector = 4096
)

// Voice makes the engine read the model, where it has not yet, and gives the vector of length 1 by which the model
// knows the voice in pcm. The error is Invalid where pcm is too short, or the model makes nothing out.
func (e *Engine) Voice(ctx context.Context, m models.Model, pcm []int16) ([]float32, error) {
	if err := checkLength(pcm); err != nil {
		return nil, err
	}
	_, b, err := e.call(ctx, request{Op: opVoice, Model: &m.Digest}, encodeSamples(pcm), &m)
	if err != nil {
		return nil, fmt.Errorf("make out a voice with %s: %w", m.Manifest.Name, err)
	}
	v, err := decodeFloats(b)
	if err == nil {
		err = checkVector(v)
	}
	if err != nil {
		return nil, fmt.Errorf("make out a voice with %s: the answer cannot be true: %w", m.Manifest.Name, err)
	}
	return v, nil
}

func checkVector(v []float32) error {
	if len(v) < minVector || len(v) > maxVector {
		return fmt.Errorf("a vector of %d numbers", len(v))
	}
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(math.Abs(sum-1) < 1e-3) {
		return fmt.Errorf("a vector of length %v", math.Sqrt(sum))
	}
	return nil
}
