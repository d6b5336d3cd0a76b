package graph

import (
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/checkpoint"
)

// source is a checkpoint's tensors under the names of OpenAI's own checkpoints.
type source struct{ *checkpoint.Checkpoint }

// get returns a tensor that must be there with these dimensions.
func (c *source) get(name string, dims ...int) (checkpoint.Tensor, error) {
	t, err := c.Get(name, dims...)
	if err != nil && evidence.HintOf(err) == "" {
		err = evidence.Invalid("%v", err).WithHint("it must be a multilingual Whisper checkpoint: OpenAI .pt, CTranslate2 model.bin or safetensors")
	}
	return t, err
}

// open tells the container by its first bytes and reads its table of tensors.
func open(file io.ReaderAt, size int64) (*source, error) {
	var head [16]byte
	if n, err := file.ReadAt(head[:], 0); n < len(head) {
		if err == io.EOF {
			return nil, evidence.Invalid("the file has %d bytes: it is no checkpoint", n)
		}
		return nil, fmt.Errorf("read first bytes: %w", err)
	}
	var c *checkpoint.Checkpoint
	var err error
	switch {
	case string(head[:4]) == "PK\x03\x04":
		c, err = checkpoint.OpenTorch(file, size)
	case head[8] == '{':
		if c, err = checkpoint.OpenSafetensors(file, size); err == nil {
			c.Tensors = renamed(c.Tensors)
		}
	case string(head[1:4]) == "\x00\x00\x00":
		c, err = openCT2(file, size)
	default:
		err = evidence.Invalid("the file is no checkpoint that is known here").
			WithHint("an OpenAI .pt, a CTranslate2 model.bin or a safetensors file can be read")
	}
	return &source{c}, err
}
