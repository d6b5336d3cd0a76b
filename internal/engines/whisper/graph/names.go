package graph

import (
	"strings"

	"github.com/earwitness/earwitness/internal/engines/checkpoint"
)

// renamed gives tensors that have the names of Hugging Face's transformers those of OpenAI's own checkpoints.
func renamed(tensors map[string]checkpoint.Tensor) map[string]checkpoint.Tensor {
	out := make(map[string]checkpoint.Tensor, len(tensors))
	for name, t := range tensors {
		out[openaiName(name)] = t
	}
	return out
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
