package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
)

// maxHeader bounds the JSON at the head of a safetensors file: large-v3's has 150 kB.
const maxHeader = 4 << 20

// OpenSafetensors reads the table of a safetensors file: the length of a JSON header (u64), the header, the
// data that its offsets count from.
func OpenSafetensors(file io.ReaderAt, size int64) (*Checkpoint, error) {
	var head [8]byte
	if _, err := file.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, evidence.Invalid("the safetensors file says its header has %d bytes", n).
			WithHint("get the file again and compare its SHA-256")
	}
	b := make([]byte, n)
	if k, err := file.ReadAt(b, 8); k < len(b) {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, evidence.Invalid("the safetensors file's header is no JSON").Because(err)
	}
	c := &Checkpoint{File: file, Tensors: map[string]Tensor{}}
	for name, raw := range entries {
		if name == "__metadata__" {
			continue
		}
		var e struct {
			Dtype   string  `json:"dtype"`
			Shape   []int   `json:"shape"`
			Offsets []int64 `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &e); err != nil || len(e.Offsets) != 2 {
			return nil, evidence.Invalid("the safetensors file describes tensor %.80q badly", name).Because(err)
		}
		kind, ok := map[string]Element{"F16": Half, "BF16": Brain, "F32": Single}[e.Dtype]
		if !ok {
			return nil, evidence.Invalid("tensor %.80q of the safetensors file has numbers of type %.20q", name, e.Dtype).
				WithHint("use the F16 or F32 version of the model")
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to < from || to > size {
			return nil, evidence.Invalid("tensor %.80q of the safetensors file has offsets %d to %d", name, from, to)
		}
		t, err := NewTensor(name, e.Shape, kind, 8+int64(n)+from, to-from, size)
		if err != nil {
			return nil, err
		}
		c.Tensors[name] = t
	}
	return c, nil
}
