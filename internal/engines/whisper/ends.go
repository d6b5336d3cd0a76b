package whisper

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/earwitness/earwitness/evidence"
)

// size is what the loop must know of a model's graphs.
type size struct{ mels, layers, heads, words, alignment int }

// maxSize bounds each of them: far above large-v3's.
const maxSize = 1 << 20

// sizes reads the declared inputs of the encoder and outputs of both graphs (onnx.proto3: ModelProto.graph 7,
// GraphProto.input 11 and output 12, ValueInfoProto.type 2, TypeProto.tensor_type 1, shape 2, dim 1, dim_value 1).
func sizes(encoder, decoder []byte) (size, error) {
	mel := shape(encoder, 11, "mel")
	ck := shape(encoder, 12, "ck0")
	logp := shape(decoder, 12, "logp")
	att := shape(decoder, 12, "att")
	layers := 0
	for layers < 256 && shape(decoder, 11, fmt.Sprint("pk", layers)) != nil {
		layers++
	}
	if len(mel) != 3 || len(ck) != 4 || len(logp) != 3 || len(att) != 4 {
		return size{}, evidence.Invalid("the files are not the two graphs of a Whisper model").
			WithHint("build them again: `earwitness model remove`, then `earwitness model get`")
	}
	s := size{mels: mel[1], layers: layers, heads: ck[1], words: logp[2], alignment: att[1]}
	for _, n := range []int{s.mels, s.layers, s.heads, s.words, s.alignment} {
		if n < 1 || n > maxSize {
			return size{}, evidence.Invalid("the graphs have the sizes of no Whisper model: %+v", s)
		}
	}
	return s, nil
}

// shape returns the dimensions of a graph's input or output; an unnamed or unknown one is 0.
func shape(model []byte, field protowire.Number, name string) []int {
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
