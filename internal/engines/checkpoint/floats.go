package checkpoint

import (
	"context"
	"encoding/binary"
	"math"
)

// Part is a tensor of a checkpoint times a factor; where Zero is set it stands for that many zeros instead.
type Part struct {
	Tensor Tensor
	Factor float32
	Zero   int
}

// Plain is a tensor as it is.
func Plain(t Tensor) Part { return Part{Tensor: t, Factor: 1} }

// chunk is how many numbers are converted at a time.
const chunk = 1 << 16

// Floats returns what emits the numbers of the parts, one after another, as 32-bit floats, little-endian. They are
// read then, not now.
func (c *Checkpoint) Floats(ctx context.Context, parts ...Part) func(emit func([]byte) error) error {
	return func(emit func([]byte) error) error {
		var raw, out []byte
		buf := make([]float32, chunk)
		for _, p := range parts {
			if p.Zero > 0 {
				if err := emit(make([]byte, 4*p.Zero)); err != nil {
					return err
				}
				continue
			}
			for first, n := 0, p.Tensor.Elements(); first < n; first += chunk {
				if err := ctx.Err(); err != nil {
					return err
				}
				b := buf[:min(chunk, n-first)]
				var err error
				if raw, err = p.Tensor.Read(c.File, first, b, raw); err != nil {
					return err
				}
				out = out[:0]
				for _, v := range b {
					out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v*p.Factor))
				}
				if err := emit(out); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
