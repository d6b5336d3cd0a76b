// Package voice runs a voice encoder over ONNX Runtime: what a stretch of speech sounds like, as a vector of length 1
// that is nearer to others of the same voice than to those of other voices, on average.
//
// It promises the vector that the Python package resemblyzer gives for the same samples, to rounding, and the same
// vector for the same samples every time: each call runs on one thread. It never decides whose voice it is, nor whether
// two are the same; and it never starts the runtime: the program has done that, once for all engines of its process.
package voice

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/evidence"
)

// width is how many numbers a vector has.
const width = 256

// batch is how many windows the encoder is shown at once. It is part of the order of sums: a change raises Version.
const batch = 16

// Encoder is a model that has been read. It is safe for concurrent use.
type Encoder struct {
	params  Params
	session *ort.DynamicAdvancedSession

	mu     sync.RWMutex // read by Voice, written by Close
	closed bool
}

// Load reads the graph that the package graph builds. The ONNX Runtime environment must have been initialised. A file
// that is no such graph is Invalid.
func Load(graph []byte, p Params) (*Encoder, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load voice encoder: %w", err)
	}
	// One thread: one order of sums. Other requests use the other cores.
	err = errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1), options.SetExecutionMode(ort.ExecutionModeSequential))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load voice encoder: %w", err), options.Destroy())
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(graph, []string{"mel"}, []string{"voice"}, options)
	if d := options.Destroy(); d != nil {
		return nil, fmt.Errorf("load voice encoder: %w", d)
	}
	if err != nil {
		return nil, evidence.Invalid("the model is no voice encoder that can be run").Because(err).WithHint("get it again by `earwitness model get`")
	}
	return &Encoder{params: p, session: session}, nil
}

// Close frees the model, after the calls under way.
func (e *Encoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	return e.session.Destroy()
}

// Voice returns the vector of pcm, 16 kHz mono: the mean of those of its windows of 1.6 s, brought to length 1. Sound
// that is too short, over Longest, silent or without any voice to the encoder is Invalid.
func (e *Encoder) Voice(ctx context.Context, pcm []int16) ([]float32, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, evidence.NotFound("the model has been unloaded")
	}
	if len(pcm)*1000 < e.params.Shortest*rate || len(pcm) > Longest {
		return nil, evidence.Invalid("a voice is made out in %d ms to %d s of speech, not in %d ms", e.params.Shortest, Longest/rate, len(pcm)*1000/rate)
	}
	x, err := e.params.level(pcm)
	if err != nil {
		return nil, err
	}
	windows := e.params.windows(len(x))
	spectra := newSpectrograph()
	mel := make([]float32, (windows[len(windows)-1]+e.params.Frames)*mels)
	for f := range len(mel) / mels {
		spectra.frame(mel[f*mels:(f+1)*mels], x, f)
	}
	sum := make([]float64, width)
	for len(windows) > 0 {
		if ctx.Err() != nil {
			return nil, evidence.Cancelled("making out a voice was stopped").Because(context.Cause(ctx))
		}
		n := min(batch, len(windows))
		if err := e.encode(mel, windows[:n], sum); err != nil {
			return nil, fmt.Errorf("make out a voice: %w", err)
		}
		windows = windows[n:]
	}
	return unit(sum)
}

// level brings quiet sound up to the level that the encoder is used to.
func (p Params) level(pcm []int16) ([]float32, error) {
	power := 0.0
	for _, s := range pcm {
		power += float64(s) * float64(s)
	}
	if power == 0 {
		return nil, evidence.Invalid("there is nothing but silence")
	}
	rms := math.Sqrt(power/float64(len(pcm))) / 32768
	gain := max(1, math.Pow(10, float64(p.LevelDB)/20)/rms)
	x := make([]float32, len(pcm))
	for i, s := range pcm {
		x[i] = float32(float64(s) / 32768 * gain)
	}
	return x, nil
}

// encode adds the vectors of some windows, each of length 1, to sum.
func (e *Encoder) encode(mel []float32, windows []int, sum []float64) (err error) {
	in, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(e.params.Frames), int64(len(windows)), mels))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Destroy()) }()
	out, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(len(windows)), width))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Destroy()) }()
	data := in.GetData()
	for f := range e.params.Frames {
		for w, first := range windows {
			at := (f*len(windows) + w) * mels
			copy(data[at:at+mels], mel[(first+f)*mels:])
		}
	}
	if err := e.session.Run([]ort.Value{in}, []ort.Value{out}); err != nil {
		return err
	}
	for w := range windows {
		v := out.GetData()[w*width : (w+1)*width]
		if l := length(v); l > 0 {
			for i, x := range v {
				sum[i] += float64(x) / l
			}
		}
	}
	return nil
}

func length(v []float32) float64 {
	l := 0.0
	for _, x := range v {
		l += float64(x) * float64(x)
	}
	return math.Sqrt(l)
}

// unit brings a vector to length 1.
func unit(sum []float64) ([]float32, error) {
	l := 0.0
	for _, x := range sum {
		l += x * x
	}
	if !(l > 0) || math.IsInf(l, 0) {
		return nil, evidence.Invalid("the model makes out no voice in it")
	}
	v := make([]float32, len(sum))
	for i, x := range sum {
		v[i] = float32(x / math.Sqrt(l))
	}
	return v, nil
}
