// Package graph turns the checkpoint of a voice encoder, one of Resemblyzer's form, into the ONNX graph that the voice
// engine runs.
//
// It promises that the same tensors give the same bytes, so that one digest in the catalogue stands for a model. It
// never runs anything that a checkpoint holds.
//
// The encoder is three LSTM layers of 256 over mel frames; the last layer's state after the last frame goes through a
// linear layer and a rectifier. With B windows of M frames:
//
//	mel [M,B,40] -> voice [B,256], not negative and not yet of length 1
package graph

import (
	"context"
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/checkpoint"
	"github.com/earwitness/earwitness/internal/engines/onnx"
)

// The encoder's sizes.
const (
	Mels   = 40
	Width  = 256 // of a layer, and of the voice
	layers = 3
)

// Build reads a checkpoint of size bytes and writes the graph. The checkpoint's digest must have been checked before:
// Build checks form, not origin. A file that is no such checkpoint gives an error of kind invalid, and what was
// written then is no graph.
func Build(ctx context.Context, file io.ReaderAt, size int64, out io.Writer) error {
	var head [4]byte
	if n, err := file.ReadAt(head[:], 0); n < len(head) {
		if err == io.EOF {
			return evidence.Invalid("the file has %d bytes: it is no checkpoint", n)
		}
		return fmt.Errorf("read first bytes: %w", err)
	}
	open := checkpoint.OpenTorch
	if checkpoint.IsLegacyTorch(head[:]) {
		open = checkpoint.OpenLegacyTorch
	}
	c, err := open(file, size)
	if err == nil {
		err = write(ctx, c, out)
	}
	if err != nil {
		return fmt.Errorf("build voice encoder: %w", err)
	}
	return nil
}

// write checks every tensor before the first byte.
func write(ctx context.Context, c *checkpoint.Checkpoint, out io.Writer) error {
	var missing error
	tensor := func(name string, dims ...int) checkpoint.Tensor {
		t, err := c.Get(name, dims...)
		if err != nil && missing == nil {
			missing = err
		}
		if err != nil {
			return checkpoint.Tensor{Dims: make([]int, len(dims))}
		}
		return t
	}
	g := onnx.New()
	// gates puts the four gates of a layer, which PyTorch keeps as input, forget, cell, output, into ONNX's order:
	// input, output, forget, cell (onnx.ai/onnx/operators/onnx__LSTM.html).
	gates := func(name string, dims ...int) []checkpoint.Part {
		t := tensor(name, append([]int{4 * Width}, dims...)...)
		var parts []checkpoint.Part
		for _, i := range []int{0, 3, 1, 2} {
			parts = append(parts, checkpoint.Plain(t.Rows(i*Width, (i+1)*Width)))
		}
		return parts
	}
	x, in := "mel", Mels
	for i := range layers {
		w := gates(fmt.Sprintf("lstm.weight_ih_l%d", i), in)
		r := gates(fmt.Sprintf("lstm.weight_hh_l%d", i), Width)
		b := append(gates(fmt.Sprintf("lstm.bias_ih_l%d", i)), gates(fmt.Sprintf("lstm.bias_hh_l%d", i))...)
		out := g.Ops("LSTM", 2, []string{
			x,
			g.Constant(fmt.Sprintf("w%d", i), onnx.Float, []int64{1, 4 * Width, int64(in)}, c.Floats(ctx, w...)),
			g.Constant(fmt.Sprintf("r%d", i), onnx.Float, []int64{1, 4 * Width, Width}, c.Floats(ctx, r...)),
			g.Constant(fmt.Sprintf("b%d", i), onnx.Float, []int64{1, 8 * Width}, c.Floats(ctx, b...)),
		}, onnx.With("hidden_size", int64(Width)))
		x, in = out[0], Width
		if i == layers-1 {
			x = g.Op("Squeeze", []string{out[1], g.Ints(0)})
		} else {
			x = g.Op("Squeeze", []string{x, g.Ints(1)})
		}
	}
	linear := g.Constant("linear.w", onnx.Float, []int64{Width, Width}, c.Floats(ctx, checkpoint.Plain(tensor("linear.weight", Width, Width))))
	bias := g.Constant("linear.b", onnx.Float, []int64{Width}, c.Floats(ctx, checkpoint.Plain(tensor("linear.bias", Width))))
	g.Result("voice", "Relu", []string{g.Op("Gemm", []string{x, linear, bias}, onnx.With("transB", int64(1)))})
	if missing != nil {
		return missing
	}
	return g.Write(out, "voice",
		[]onnx.Value{onnx.Named("mel", onnx.Float, "M", "B", Mels)},
		[]onnx.Value{onnx.Named("voice", onnx.Float, "B", Width)})
}
