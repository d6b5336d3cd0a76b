// Package madeup serves tests only: checkpoints of every size of Whisper, with the shapes of OpenAI's own and made-up
// weights, for sizes whose real weights a machine cannot have.
//
// A number depends on nothing but its tensor's place in the list and its own place in the tensor, so that a checkpoint
// of 3 GB is read from any place without a byte of it being kept, and another program, such as testdata/made_up.py of
// package graph, makes the same one.
package madeup

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sort"
)

// Size is one of OpenAI's multilingual models: the figures that its shapes follow from.
type Size struct {
	Name        string
	Mels        int // bands of the log-mel spectrum
	State       int // width of both sides; a head has 64 of it
	AudioLayers int
	TextLayers  int
	Words       int
}

// Sizes returns them, smallest first. The figures are those of the checkpoints' "dims".
func Sizes() []Size {
	return []Size{
		{"tiny", 80, 384, 4, 4, 51865},
		{"base", 80, 512, 6, 6, 51865},
		{"small", 80, 768, 12, 12, 51865},
		{"medium", 80, 1024, 24, 24, 51865},
		{"turbo", 128, 1280, 32, 4, 51866},
		{"large-v3", 128, 1280, 32, 32, 51866},
	}
}

// Places of every model: frames of 20 ms in 30 s, and tokens of text.
const (
	AudioPlaces = 1500
	TextPlaces  = 448
)

// Tensor is one array of a checkpoint.
type Tensor struct {
	Name string
	Dims []int
}

// Elements is how many numbers it has.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Dims {
		n *= int64(d)
	}
	return n
}

// Tensors lists the tensors, in the order that their numbers are made by.
func (s Size) Tensors() []Tensor {
	var all []Tensor
	d := s.State
	add := func(name string, dims ...int) { all = append(all, Tensor{name, dims}) }
	both := func(name string, dims ...int) {
		add(name+".weight", dims...)
		add(name+".bias", dims[0])
	}
	block := func(p string, attentions ...string) {
		for _, a := range attentions {
			both(p+a+".query", d, d)
			add(p+a+".key.weight", d, d) // a key has no bias
			both(p+a+".value", d, d)
			both(p+a+".out", d, d)
			both(p+a+"_ln", d)
		}
		both(p+"mlp.0", 4*d, d)
		both(p+"mlp.2", d, 4*d)
		both(p+"mlp_ln", d)
	}
	both("encoder.conv1", d, s.Mels, 3)
	both("encoder.conv2", d, d, 3)
	add("encoder.positional_embedding", AudioPlaces, d)
	for i := range s.AudioLayers {
		block(fmt.Sprintf("encoder.blocks.%d.", i), "attn")
	}
	both("encoder.ln_post", d)
	add("decoder.token_embedding.weight", s.Words, d)
	add("decoder.positional_embedding", TextPlaces, d)
	for i := range s.TextLayers {
		block(fmt.Sprintf("decoder.blocks.%d.", i), "attn", "cross_attn")
	}
	both("decoder.ln", d)
	return all
}

// Half is the number at a place of a tensor, in the bits of IEEE 754 binary16: of either sign, its magnitude from 1/128
// to 1/8.
func Half(tensor int, place uint32) uint16 {
	x := place*0x9e3779b1 + uint32(tensor)*0x85ebca6b + 0x27d4eb2f
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	x ^= x >> 16
	return uint16(x>>31<<15 | (8+x>>29&3)<<10 | x&1023)
}

// Checkpoint is a safetensors file that is made while it is read.
type Checkpoint struct {
	head []byte
	ends []int64 // of the tensors' bytes, from the first of them
}

var _ io.ReaderAt = (*Checkpoint)(nil)

// Checkpoint returns the size's checkpoint, in half precision as OpenAI's are.
func (s Size) Checkpoint() (*Checkpoint, error) {
	c := &Checkpoint{}
	entries := map[string]any{}
	at := int64(0)
	for _, t := range s.Tensors() {
		end := at + 2*t.Elements()
		entries[t.Name] = map[string]any{"dtype": "F16", "shape": t.Dims, "data_offsets": []int64{at, end}}
		c.ends, at = append(c.ends, end), end
	}
	h, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	c.head = append(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h...)
	return c, nil
}

// Size is the file's length.
func (c *Checkpoint) Size() int64 { return int64(len(c.head)) + c.ends[len(c.ends)-1] }

// ReadAt makes the bytes from off on.
func (c *Checkpoint) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d", off)
	}
	n := 0
	if off < int64(len(c.head)) {
		n = copy(b, c.head[off:])
	}
	at := off + int64(n) - int64(len(c.head)) // in the tensors' bytes
	tensor := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > at })
	for ; n < len(b) && tensor < len(c.ends); tensor++ {
		first := int64(0)
		if tensor > 0 {
			first = c.ends[tensor-1]
		}
		for n < len(b) && at < c.ends[tensor] {
			place := (at - first) / 2
			h := Half(tensor, uint32(place))
			if at%2 == 0 && len(b)-n >= 2 {
				binary.LittleEndian.PutUint16(b[n:], h)
				n, at = n+2, at+2
				continue
			}
			b[n] = byte(h >> (8 * (at % 2))) // a lone byte at either end
			n, at = n+1, at+1
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
