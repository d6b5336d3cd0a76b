package graph

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// maxHeader bounds the JSON at the head of a safetensors file: large-v3's has 150 kB.
const maxHeader = 4 << 20

// openSafetensors reads the table of a safetensors file: the length of a JSON header (u64), the header, the
// data that its offsets count from. Tensors may have OpenAI's names or those of Hugging Face's transformers.
func openSafetensors(file io.ReaderAt, size int64) (*checkpoint, error) {
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
	c := &checkpoint{file: file, tensors: map[string]tensor{}}
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
		kind, ok := map[string]element{"F16": half, "BF16": brain, "F32": single}[e.Dtype]
		if !ok {
			return nil, evidence.Invalid("tensor %.80q of the safetensors file has numbers of type %.20q", name, e.Dtype).
				WithHint("use the F16 or F32 version of the model")
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to < from || to > size {
			return nil, evidence.Invalid("tensor %.80q of the safetensors file has offsets %d to %d", name, from, to)
		}
		t, err := newTensor(name, e.Shape, kind, 8+int64(n)+from, to-from, size)
		if err != nil {
			return nil, err
		}
		c.tensors[openaiName(name)] = t
	}
	return c, nil
}

// openaiName turns a name of Hugging Face's transformers into OpenAI's; others stay as they are.
func openaiName(name string) string {
	rest := strings.TrimPrefix(name, "model.")
	side, inner, ok := strings.Cut(rest, ".")
	if !ok || side != "encoder" && side != "decoder" {
		return name
	}
	switch inner {
	case "embed_positions.weight":
		return side + ".positional_embedding"
	case "embed_tokens.weight":
		return side + ".token_embedding.weight"
	case "layer_norm.weight", "layer_norm.bias":
		kind := strings.TrimPrefix(inner, "layer_norm")
		if side == "encoder" {
			return "encoder.ln_post" + kind
		}
		return "decoder.ln" + kind
	}
	layer, ok := strings.CutPrefix(inner, "layers.")
	if !ok {
		return rest
	}
	i, inner, _ := strings.Cut(layer, ".")
	inner = strings.NewReplacer(
		"self_attn_layer_norm", "attn_ln", "encoder_attn_layer_norm", "cross_attn_ln", "final_layer_norm", "mlp_ln",
		"self_attn.", "attn.", "encoder_attn.", "cross_attn.",
		"q_proj", "query", "k_proj", "key", "v_proj", "value", "out_proj", "out", "fc1", "mlp.0", "fc2", "mlp.2",
	).Replace(inner)
	return side + ".blocks." + i + "." + inner
}
