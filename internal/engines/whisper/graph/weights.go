package graph

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/earwitness/earwitness/internal/engines/checkpoint"
)

// reader makes the bytes of constants from the tensors of one checkpoint.
type reader struct {
	ctx context.Context
	c   *source
}

func (r reader) floats(parts ...checkpoint.Part) func(func([]byte) error) error {
	return r.c.Floats(r.ctx, parts...)
}

// matrix is a weight [out,in], in parts stacked by rows, that becomes int8 [in,out] with one scale per column.
// The integers are made when they are written and forgotten at once; the scales, which follow, are kept.
type matrix struct {
	r       reader
	parts   []checkpoint.Part
	in, out int
	scales  []float32
}

// quantize computes the integers and the scales: the greatest magnitude of a column is 63, halves are rounded
// to even, as numpy's rint does.
func (m *matrix) quantize() ([]byte, error) {
	q := make([]byte, m.in*m.out)
	m.scales = make([]float32, 0, m.out)
	const block = 64 // rows at a time: their integers share cache lines in the transposed matrix
	buf := make([]float32, block*m.in)
	var raw []byte
	for _, p := range m.parts {
		for row, rows := 0, p.Tensor.Dims[0]; row < rows; row += block {
			if err := m.r.ctx.Err(); err != nil {
				return nil, err
			}
			n := min(block, rows-row)
			b := buf[:n*m.in]
			var err error
			if raw, err = p.Tensor.Read(m.r.c.File, row*m.in, b, raw); err != nil {
				return nil, err
			}
			first := len(m.scales)
			for k := range n {
				most := float32(0)
				for i, v := range b[k*m.in : (k+1)*m.in] {
					v *= p.Factor
					b[k*m.in+i] = v
					most = max(most, max(v, -v))
				}
				s := most / 63
				if s == 0 {
					s = 1
				}
				m.scales = append(m.scales, s)
			}
			for i := range m.in {
				column := q[i*m.out+first : i*m.out+first+n]
				for k := range column {
					v := math.RoundToEven(float64(b[k*m.in+i] / m.scales[first+k]))
					column[k] = byte(int8(max(-63, min(63, v))))
				}
			}
		}
	}
	return q, nil
}

func (m *matrix) integers(emit func([]byte) error) error {
	q, err := m.quantize()
	if err != nil {
		return err
	}
	return emit(q)
}

// scaleBytes gives what a product of integers is multiplied by: 127 in a row stand for its greatest magnitude.
func (m *matrix) scaleBytes(emit func([]byte) error) error {
	b := make([]byte, 0, 4*len(m.scales))
	for _, s := range m.scales {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(s/127))
	}
	return emit(b)
}
