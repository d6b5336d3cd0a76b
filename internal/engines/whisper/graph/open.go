package graph

import (
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
)

// open tells the container by its first bytes and reads its table of tensors.
func open(file io.ReaderAt, size int64) (*checkpoint, error) {
	var head [16]byte
	if n, err := file.ReadAt(head[:], 0); n < len(head) {
		if err == io.EOF {
			return nil, evidence.Invalid("the file has %d bytes: it is no checkpoint", n)
		}
		return nil, fmt.Errorf("read first bytes: %w", err)
	}
	switch {
	case string(head[:4]) == "PK\x03\x04":
		return openTorch(file, size)
	case head[8] == '{':
		return openSafetensors(file, size)
	case string(head[1:4]) == "\x00\x00\x00":
		return openCT2(file, size)
	}
	return nil, evidence.Invalid("the file is no checkpoint that is known here").
		WithHint("an OpenAI .pt, a CTranslate2 model.bin or a safetensors file can be read")
}
