package graph

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/earwitness/earwitness/evidence"
)

// Size is what whoever runs the graphs must know of a model's graphs.
type Size struct{ Mels, Layers, Heads, Words, Alignment int }

// Translates says whether the model was trained to translate: turbo, a decoder of four layers beside large-v3's encoder, was
// tuned on transcription alone and writes the language that it hears.
func (s Size) Translates() bool { return s.Layers != 4 || s.Heads != 20 }

// maxSize bounds each of them: far above large-v3's.
const maxSize = 1 << 20

// SizeOf reads the declared inputs of the encoder and outputs of both graphs (onnx.proto3: ModelProto.graph 7,
// GraphProto.input 11 and output 12, ValueInfoProto.type 2, TypeProto.tensor_type 1, shape 2, dim 1, dim_value 1).
func SizeOf(encoder, decoder []byte) (Size, error) {
	mel := dimensions(encoder, 11, "mel")
	ck := dimensions(encoder, 12, "ck0")
	logp := dimensions(decoder, 12, "logp")
	att := dimensions(decoder, 12, "att")
	layers := 0
	for layers < 256 && dimensions(decoder, 11, fmt.Sprint("pk", layers)) != nil {
		layers++
	}
	if len(mel) != 3 || dimensions(encoder, 11, "weight") == nil || len(ck) != 4 || len(logp) != 3 || len(att) != 4 {
		return Size{}, evidence.Invalid("the files are not the two graphs of a Whisper model").
			WithHint("build them again: `earwitness model remove`, then `earwitness model get`")
	}
	s := Size{Mels: mel[1], Layers: layers, Heads: ck[1], Words: logp[2], Alignment: att[1]}
	for _, n := range []int{s.Mels, s.Layers, s.Heads, s.Words, s.Alignment} {
		if n < 1 || n > maxSize {
			return Size{}, evidence.Invalid("the graphs have the sizes of no Whisper model: %+v", s)
		}
	}
	return s, nil
}

// dimensions returns the dimensions of a graph's input or output; an unnamed or unknown one is 0.
func dimensions(model []byte, field protowire.Number, name string) []int {
	var dims []int
	messages(model, 7, func(graph []byte) {
		messages(graph, field, func(value []byte) {
			found := false
			messages(value, 1, func(b []byte) { found = found || string(b) == name })
			if !found || dims != nil {
				return
			}
			messages(value, 2, func(b []byte) {
				messages(b, 1, func(b []byte) {
					messages(b, 2, func(b []byte) {
						messages(b, 1, func(dim []byte) {
							n := 0
							if num, typ, k := protowire.ConsumeTag(dim); k > 0 && num == 1 && typ == protowire.VarintType {
								if v, k := protowire.ConsumeVarint(dim[k:]); k > 0 && v <= maxSize {
									n = int(v)
								}
							}
							if len(dims) < 8 {
								dims = append(dims, n)
							}
						})
					})
				})
			})
		})
	})
	return dims
}

// messages visits the length-delimited fields of one number, and stops where the bytes are malformed.
func messages(b []byte, field protowire.Number, visit func([]byte)) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return
		}
		if num == field && typ == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(b)
			visit(inner)
		}
		b = b[n:]
	}
}
