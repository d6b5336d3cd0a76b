// Package silero runs the Silero voice detector over ONNX Runtime: how likely every 32 ms of sound are to be
// speech. It carries the model's bytes and checks them before use. It never decides what is speech, and it
// never starts the runtime: the program has done that, once for all engines of its process.
package silero

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

//go:embed model/silero_vad_16k_op15.onnx
var model []byte

// What the model is; model/SOURCE says where it comes from, model/LICENSE what it may be used for.
const (
	ModelName   = "silero-vad-v6.2"
	ModelSHA256 = "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49"
)

// Window is the number of samples that one probability stands for. The model was trained on exactly that many.
const Window = 512

const (
	lead  = 64  // samples of the window before that the model sees again
	state = 128 // numbers in each of the two state vectors
)

// Detector gives probabilities of speech. It is safe for concurrent use: every call has its own state.
type Detector struct {
	session *ort.DynamicAdvancedSession

	mu     sync.Mutex
	lanes  []*lane // free ones
	closed bool
}

// lane is the memory of one call: tensors are costly to make and free.
type lane struct {
	input *ort.Tensor[float32]
	rate  *ort.Scalar[int64]
	prob  *ort.Tensor[float32]
	state [2]*ort.Tensor[float32] // the one read and the one written change places at each window
}

// New makes a detector. The ONNX Runtime environment must have been initialised.
func New() (*Detector, error) {
	if got := sha256.Sum256(model); hex.EncodeToString(got[:]) != ModelSHA256 {
		return nil, fmt.Errorf("load voice detector: the model's digest is %x, not %s", got, ModelSHA256)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("load voice detector: %w", err)
	}
	// One thread: a window is 0.1 ms of work, less than waking a second thread costs; and one order of sums.
	err = errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1), options.SetExecutionMode(ort.ExecutionModeSequential))
	var session *ort.DynamicAdvancedSession
	if err == nil {
		session, err = ort.NewDynamicAdvancedSessionWithONNXData(model, []string{"input", "state", "sr"}, []string{"output", "stateN"}, options)
	}
	if err = errors.Join(err, options.Destroy()); err != nil {
		return nil, fmt.Errorf("load voice detector: %w", err)
	}
	return &Detector{session: session}, nil
}

// Close frees what the detector holds outside Go. No call may be under way.
func (d *Detector) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	err := d.session.Destroy()
	for _, l := range d.lanes {
		err = errors.Join(err, l.destroy())
	}
	return err
}

// Speech returns the probability of speech of each Window samples of region, 16 kHz mono. A last window that is
// not whole is filled up with silence. The model starts fresh, as at the beginning of a recording: its first few
// windows know nothing of what came before region.
func (d *Detector) Speech(ctx context.Context, region []int16) ([]float32, error) {
	l, err := d.take()
	if err != nil {
		return nil, fmt.Errorf("detect voice: %w", err)
	}
	defer d.put(l)
	in := l.input.GetData()
	clear(in)
	l.state[0].ZeroContents()
	out := make([]float32, 0, (len(region)+Window-1)/Window)
	for k := 0; len(region) > 0; k++ {
		if k%64 == 0 && ctx.Err() != nil { // every two seconds of sound
			return nil, ctx.Err()
		}
		n := min(Window, len(region))
		copy(in[:lead], in[Window:])
		for i, x := range region[:n] {
			in[lead+i] = float32(x) / 32768
		}
		clear(in[lead+n:])
		region = region[n:]
		err := d.session.Run([]ort.Value{l.input, l.state[k&1], l.rate}, []ort.Value{l.prob, l.state[1-k&1]})
		if err != nil {
			return nil, fmt.Errorf("detect voice: %w", err)
		}
		out = append(out, l.prob.GetData()[0])
	}
	return out, nil
}

func (d *Detector) take() (*lane, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("the detector is closed")
	}
	if n := len(d.lanes); n > 0 {
		l := d.lanes[n-1]
		d.lanes = d.lanes[:n-1]
		return l, nil
	}
	return newLane()
}

func (d *Detector) put(l *lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lanes = append(d.lanes, l)
}

func newLane() (*lane, error) {
	l := &lane{}
	var errs [5]error
	l.input, errs[0] = ort.NewEmptyTensor[float32](ort.NewShape(1, lead+Window))
	l.prob, errs[1] = ort.NewEmptyTensor[float32](ort.NewShape(1, 1))
	l.state[0], errs[2] = ort.NewEmptyTensor[float32](ort.NewShape(2, 1, state))
	l.state[1], errs[3] = ort.NewEmptyTensor[float32](ort.NewShape(2, 1, state))
	l.rate, errs[4] = ort.NewScalar[int64](16000)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, l.destroy())
	}
	return l, nil
}

func (l *lane) destroy() error {
	var err error
	for _, t := range []*ort.Tensor[float32]{l.input, l.prob, l.state[0], l.state[1]} {
		if t != nil {
			err = errors.Join(err, t.Destroy())
		}
	}
	if l.rate != nil {
		err = errors.Join(err, l.rate.Destroy())
	}
	return err
}
