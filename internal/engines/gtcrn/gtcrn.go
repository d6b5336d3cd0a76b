// Package gtcrn takes noise off speech with the GTCRN network over ONNX Runtime. It carries the model's bytes and
// checks them before use. What comes out is for a machine's second look or hearing: it is never evidence, and people are
// never played it as the recording. The package never starts the runtime: the program has done that, once for all engines
// of its process.
package gtcrn

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
	"gonum.org/v1/gonum/dsp/fourier"
)

//go:embed model/gtcrn_simple.onnx
var model []byte

// What the model is; model/SOURCE says where it comes from, model/LICENSE what it may be used for.
const (
	ModelName   = "gtcrn-simple"
	ModelSHA256 = "b4718df6228e7bdf1a8a435cf98f838636eb2fd331acabf86ba87c5192ebcb87"
)

// Version changes when the same samples may give others.
const Version = 1

// The short-time spectra that the model was trained on: 32 ms under the root of a Hann window, every 16 ms.
const (
	window = 512
	hop    = window / 2
	bins   = window/2 + 1
)

// Cleaner takes noise off. It is safe for concurrent use: every call has its own state.
type Cleaner struct {
	session *ort.DynamicAdvancedSession

	mu     sync.Mutex
	lanes  []*lane // free ones
	closed bool
}

// lane is the memory of one call: tensors are costly to make and free.
type lane struct {
	in, out *ort.Tensor[float32]            // real and imaginary part of each bin
	state   [2][caches]*ort.Tensor[float32] // the ones read and the ones written change places at each frame
	fft     *fourier.FFT
	time    [window]float64
	freq    []complex128
}

const caches = 3

// cacheShapes are those of the model's memory: convolutions, attention over time, and the recurrence between frames.
func cacheShapes() [caches]ort.Shape {
	return [caches]ort.Shape{ort.NewShape(2, 1, 16, 16, 33), ort.NewShape(2, 3, 1, 1, 16), ort.NewShape(2, 1, 33, 16)}
}

// New makes a cleaner. The ONNX Runtime environment must have been initialised.
func New() (*Cleaner, error) {
	if got := sha256.Sum256(model); hex.EncodeToString(got[:]) != ModelSHA256 {
		return nil, fmt.Errorf("load noise reduction: the model's digest is %x, not %s", got, ModelSHA256)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load noise reduction: %w", err)
	}
	// One thread: a frame is less work than waking a second thread is worth; and one order of sums.
	err = errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1), options.SetExecutionMode(ort.ExecutionModeSequential))
	var session *ort.DynamicAdvancedSession
	if err == nil {
		session, err = ort.NewDynamicAdvancedSessionWithONNXData(model, []string{"mix", "conv_cache", "tra_cache", "inter_cache"},
			[]string{"enh", "conv_cache_out", "tra_cache_out", "inter_cache_out"}, options)
	}
	if err = errors.Join(err, options.Destroy()); err != nil {
		return nil, fmt.Errorf("load noise reduction: %w", err)
	}
	return &Cleaner{session: session}, nil
}

// Close frees what the cleaner holds outside Go. No call may be under way.
func (c *Cleaner) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	err := c.session.Destroy()
	for _, l := range c.lanes {
		err = errors.Join(err, l.destroy())
	}
	return err
}

// Clean returns pcm, 16 kHz mono, with the noise taken off: as many samples, in the same places. The model starts fresh
// and looks back only, so the first half second or so is cleaned less. Sound beyond both ends is taken to be that inside,
// mirrored. The error is ctx's own when it was cancelled.
func (c *Cleaner) Clean(ctx context.Context, pcm []int16) ([]int16, error) {
	if len(pcm) == 0 {
		return []int16{}, nil
	}
	l, err := c.take()
	if err != nil {
		return nil, fmt.Errorf("take noise off: %w", err)
	}
	defer c.put(l)
	for _, t := range l.state[0] {
		t.ZeroContents()
	}
	out := make([]int16, len(pcm))
	weights := rootHann()
	var sum [window]float64 // overlapping ends of the frames so far; out's next samples stand at hop
	for k := 0; k*hop < len(pcm)+hop; k++ {
		if k%64 == 0 && ctx.Err() != nil { // every second of sound
			return nil, ctx.Err()
		}
		// Frame k is centred on sample k*hop.
		from := (k - 1) * hop
		for i := range window {
			l.time[i] = float64(mirrored(pcm, from+i)) / 32768 * weights[i]
		}
		if err := c.frame(l, k); err != nil {
			return nil, fmt.Errorf("take noise off: %w", err)
		}
		copy(sum[:hop], sum[hop:])
		clear(sum[hop:])
		for i := range window {
			sum[i] += l.time[i] * weights[i]
		}
		for i := range hop {
			if at := from + i; at >= 0 && at < len(pcm) {
				// The squares of two windows that overlap by half add up to one.
				out[at] = int16(max(math.MinInt16, min(math.MaxInt16, math.RoundToEven(sum[i]*32768))))
			}
		}
	}
	return out, nil
}

// frame puts the cleaned frame in place of l.time, which is what it held under the window.
func (c *Cleaner) frame(l *lane, k int) error {
	l.freq = l.fft.Coefficients(l.freq, l.time[:])
	in := l.in.GetData()
	for b, v := range l.freq {
		in[2*b], in[2*b+1] = float32(real(v)), float32(imag(v))
	}
	old, fresh := l.state[k&1], l.state[1-k&1]
	err := c.session.Run([]ort.Value{l.in, old[0], old[1], old[2]}, []ort.Value{l.out, fresh[0], fresh[1], fresh[2]})
	if err != nil {
		return err
	}
	for b := range l.freq {
		v := l.out.GetData()[2*b : 2*b+2]
		l.freq[b] = complex(float64(v[0]), float64(v[1]))
	}
	l.fft.Sequence(l.time[:], l.freq)
	for i := range l.time {
		l.time[i] /= window
	}
	return nil
}

func rootHann() [window]float64 {
	var w [window]float64
	for i := range w {
		w[i] = math.Sin(math.Pi * float64(i) / window)
	}
	return w
}

// mirrored returns sample i of pcm, which may lie before or behind it by up to a window.
func mirrored(pcm []int16, i int) int16 {
	last := len(pcm) - 1
	if last == 0 {
		return pcm[0]
	}
	for i < 0 || i > last { // more than once where pcm is shorter than a window
		if i < 0 {
			i = -i
		}
		if i > last {
			i = 2*last - i
		}
	}
	return pcm[i]
}

func (c *Cleaner) take() (*lane, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.New("noise reduction is closed")
	}
	if n := len(c.lanes); n > 0 {
		l := c.lanes[n-1]
		c.lanes = c.lanes[:n-1]
		return l, nil
	}
	return newLane()
}

func (c *Cleaner) put(l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lanes = append(c.lanes, l)
}

func newLane() (*lane, error) {
	l := &lane{fft: fourier.NewFFT(window), freq: make([]complex128, bins)}
	var errs [2 + 2*caches]error
	l.in, errs[0] = ort.NewEmptyTensor[float32](ort.NewShape(1, bins, 1, 2))
	l.out, errs[1] = ort.NewEmptyTensor[float32](ort.NewShape(1, bins, 1, 2))
	for i, shape := range cacheShapes() {
		l.state[0][i], errs[2+2*i] = ort.NewEmptyTensor[float32](shape)
		l.state[1][i], errs[3+2*i] = ort.NewEmptyTensor[float32](shape)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, l.destroy())
	}
	return l, nil
}

func (l *lane) destroy() error {
	var err error
	for _, t := range append(append([]*ort.Tensor[float32]{l.in, l.out}, l.state[0][:]...), l.state[1][:]...) {
		if t != nil {
			err = errors.Join(err, t.Destroy())
		}
	}
	return err
}
