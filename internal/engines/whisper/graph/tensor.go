package graph

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/earwitness/earwitness/evidence"
)

// element is how a checkpoint stores one number.
type element int

const (
	half   element = iota // IEEE 754 binary16
	brain                 // bfloat16
	single                // IEEE 754 binary32
)

func (e element) size() int64 {
	if e == single {
		return 4
	}
	return 2
}

// tensor is one array of a checkpoint, still in its file: row-major, little-endian, without gaps.
type tensor struct {
	dims []int
	kind element
	at   int64 // offset in the file
}

// checkpoint is a file's tensors under the names of OpenAI's own checkpoints.
type checkpoint struct {
	file    io.ReaderAt
	tensors map[string]tensor
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

// newTensor checks that an array of these dimensions lies inside a file of size bytes, in exactly length bytes.
func newTensor(name string, dims []int, kind element, at, length, size int64) (tensor, error) {
	n, err := count(dims)
	if err != nil {
		return tensor{}, fmt.Errorf("read tensor %.80q: %w", name, err)
	}
	if n*kind.size() != length {
		return tensor{}, evidence.Invalid("tensor %.80q of the checkpoint has %d bytes where its shape needs %d", name, length, n*kind.size())
	}
	if at < 0 || at > size || length > size-at {
		return tensor{}, evidence.Invalid("tensor %.80q lies outside the checkpoint: the file is cut short", name).
			WithHint("get the file again and compare its SHA-256")
	}
	return tensor{dims: dims, kind: kind, at: at}, nil
}

// rows returns rows from to to of a tensor as a tensor.
func (t tensor) rows(from, to int) tensor {
	row := int64(1)
	for _, d := range t.dims[1:] {
		row *= int64(d)
	}
	dims := append([]int{to - from}, t.dims[1:]...)
	return tensor{dims: dims, kind: t.kind, at: t.at + int64(from)*row*t.kind.size()}
}

// elements returns how many numbers t holds. Its dimensions were checked when it was made.
func (t tensor) elements() int {
	n := 1
	for _, d := range t.dims {
		n *= d
	}
	return n
}

// read fills dst with elements from first on, using raw as scratch space, which it returns grown.
func (t tensor) read(file io.ReaderAt, first int, dst []float32, raw []byte) ([]byte, error) {
	es := int(t.kind.size())
	if need := len(dst) * es; cap(raw) < need {
		raw = make([]byte, need)
	}
	raw = raw[:len(dst)*es]
	if n, err := file.ReadAt(raw, t.at+int64(first)*int64(es)); n < len(raw) {
		return raw, fmt.Errorf("read checkpoint at byte %d: %w", t.at+int64(first*es), err)
	}
	for i := range dst {
		var v float32
		switch t.kind {
		case half:
			v = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		case brain:
			v = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		case single:
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

// get returns a tensor that must be there with these dimensions.
func (c *checkpoint) get(name string, dims ...int) (tensor, error) {
	t, ok := c.tensors[name]
	if !ok {
		return tensor{}, evidence.Invalid("the checkpoint has no tensor %q", name).
			WithHint("it must be a multilingual Whisper checkpoint: OpenAI .pt, CTranslate2 model.bin or safetensors")
	}
	if len(t.dims) != len(dims) {
		return tensor{}, evidence.Invalid("tensor %q of the checkpoint has shape %v where %v was expected", name, t.dims, dims)
	}
	for i, d := range dims {
		if d != t.dims[i] {
			return tensor{}, evidence.Invalid("tensor %q of the checkpoint has shape %v where %v was expected", name, t.dims, dims)
		}
	}
	return t, nil
}
