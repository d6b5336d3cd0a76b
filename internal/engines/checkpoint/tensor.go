// Package checkpoint reads the tensors of a model's checkpoint: a file of torch.save, in its format of today or of
// before PyTorch 1.6, or safetensors.
//
// It promises to run nothing that a checkpoint holds, to allocate no more than the file's own size warrants, and to
// read a tensor's numbers only when they are asked for. It checks form, not origin: digests are others' work.
package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/earwitness/earwitness/evidence"
)

// Element is how a checkpoint stores one number.
type Element int

const (
	Half   Element = iota // IEEE 754 binary16
	Brain                 // bfloat16
	Single                // IEEE 754 binary32
)

// Size returns the bytes of one number.
func (e Element) Size() int64 {
	if e == Single {
		return 4
	}
	return 2
}

// Tensor is one array of a checkpoint, still in its file: row-major, little-endian, without gaps.
type Tensor struct {
	Dims []int
	Kind Element
	at   int64 // offset in the file
}

// Checkpoint is a file's tensors by name.
type Checkpoint struct {
	File    io.ReaderAt
	Tensors map[string]Tensor
}

// maxElements bounds one tensor: the largest real one, large-v3's token embedding, has 66 million.
const maxElements = 1 << 28

// count returns the number of elements, or an error where the dimensions are absurd.
func count(dims []int) (int64, error) {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || d > maxElements {
			return 0, evidence.Invalid("a tensor of the checkpoint has a dimension of %d", d)
		}
		if n *= int64(d); n > maxElements {
			return 0, evidence.Invalid("a tensor of the checkpoint has more than %d elements", maxElements)
		}
	}
	return n, nil
}

// NewTensor checks that an array of these dimensions lies inside a file of size bytes, in exactly length bytes.
func NewTensor(name string, dims []int, kind Element, at, length, size int64) (Tensor, error) {
	n, err := count(dims)
	if err != nil {
		return Tensor{}, fmt.Errorf("read tensor %.80q: %w", name, err)
	}
	if n*kind.Size() != length {
		return Tensor{}, evidence.Invalid("tensor %.80q of the checkpoint has %d bytes where its shape needs %d", name, length, n*kind.Size())
	}
	if at < 0 || at > size || length > size-at {
		return Tensor{}, evidence.Invalid("tensor %.80q lies outside the checkpoint: the file is cut short", name).
			WithHint("get the file again and compare its SHA-256")
	}
	return Tensor{Dims: dims, Kind: kind, at: at}, nil
}

// Rows returns rows from to to of a tensor as a tensor.
func (t Tensor) Rows(from, to int) Tensor {
	row := int64(1)
	for _, d := range t.Dims[1:] {
		row *= int64(d)
	}
	dims := append([]int{to - from}, t.Dims[1:]...)
	return Tensor{Dims: dims, Kind: t.Kind, at: t.at + int64(from)*row*t.Kind.Size()}
}

// Elements returns how many numbers t holds. Its dimensions were checked when it was made.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// Read fills dst with elements from first on, using raw as scratch space, which it returns grown.
func (t Tensor) Read(file io.ReaderAt, first int, dst []float32, raw []byte) ([]byte, error) {
	es := int(t.Kind.Size())
	if need := len(dst) * es; cap(raw) < need {
		raw = make([]byte, need)
	}
	raw = raw[:len(dst)*es]
	if n, err := file.ReadAt(raw, t.at+int64(first)*int64(es)); n < len(raw) {
		return raw, fmt.Errorf("read checkpoint at byte %d: %w", t.at+int64(first*es), err)
	}
	for i := range dst {
		var v float32
		switch t.Kind {
		case Half:
			v = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		case Brain:
			v = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		case Single:
			v = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		if v-v != 0 {
			return raw, evidence.Invalid("the checkpoint holds a number that is not finite, at byte %d", t.at+int64((first+i)*es)).
				WithHint("get the file again and compare its SHA-256")
		}
		dst[i] = v
	}
	return raw, nil
}

// fromHalf converts IEEE 754 binary16; every value is exact in binary32.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case 0: // zero and subnormals: frac * 2^-24
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(f))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Get returns a tensor that must be there with these dimensions.
func (c *Checkpoint) Get(name string, dims ...int) (Tensor, error) {
	t, ok := c.Tensors[name]
	if !ok {
		return Tensor{}, evidence.Invalid("the checkpoint has no tensor %q", name)
	}
	if len(t.Dims) != len(dims) {
		return Tensor{}, evidence.Invalid("tensor %q of the checkpoint has shape %v where %v was expected", name, t.Dims, dims)
	}
	for i, d := range dims {
		if d != t.Dims[i] {
			return Tensor{}, evidence.Invalid("tensor %q of the checkpoint has shape %v where %v was expected", name, t.Dims, dims)
		}
	}
	return t, nil
}
