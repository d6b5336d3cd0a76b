package graph

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/checkpoint"
)

// A CTranslate2 model.bin, all little-endian: format u32, name of the architecture, revision u32, number of
// variables u32; each variable as its name, number of dimensions u8, dimensions u32, element type u8, bytes
// u32, data; then aliases: number u32, pairs of names. A name is a length u16 that counts a final zero byte.

const (
	ct2Variables = 1 << 16 // large-v3 has about 1,600
	ct2Float32   = 0
	ct2Float16   = 4
	ct2Bfloat16  = 5
)

type ct2Reader struct {
	file io.ReaderAt
	size int64
	at   int64
	buf  *bufio.Reader
	err  error
}

// seek moves to a place in the file. The variables' data are stepped over, not read.
func (r *ct2Reader) seek(at int64) {
	if at-r.at >= 0 && at-r.at <= int64(r.buf.Buffered()) {
		r.buf.Discard(int(at - r.at))
	} else {
		r.buf.Reset(io.NewSectionReader(r.file, at, max(0, r.size-at)))
	}
	r.at = at
}

func (r *ct2Reader) bytes(n int) []byte {
	b := make([]byte, n)
	if r.err != nil {
		return b
	}
	if _, err := io.ReadFull(r.buf, b); err != nil {
		r.err = evidence.Invalid("the CTranslate2 file is cut short at byte %d", r.at).
			Because(err).WithHint("get the file again and compare its SHA-256")
	}
	r.at += int64(n)
	return b
}

func (r *ct2Reader) u8() int    { return int(r.bytes(1)[0]) }
func (r *ct2Reader) u32() int64 { return int64(binary.LittleEndian.Uint32(r.bytes(4))) }
func (r *ct2Reader) text() string {
	n := int(binary.LittleEndian.Uint16(r.bytes(2)))
	b := r.bytes(n)
	if n == 0 || b[n-1] != 0 {
		if r.err == nil {
			r.err = evidence.Invalid("the CTranslate2 file has a malformed name before byte %d", r.at)
		}
		return ""
	}
	return string(b[:n-1])
}

// openCT2 reads the table of variables and gives them OpenAI's names.
func openCT2(file io.ReaderAt, size int64) (*checkpoint.Checkpoint, error) {
	r := &ct2Reader{file: file, size: size, buf: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 4096)}
	version, spec := r.u32(), r.text()
	revision := r.u32()
	if r.err == nil && (version != 6 || spec != "WhisperSpec") {
		return nil, evidence.Invalid("the CTranslate2 file has format %d and holds a %.40q (revision %d); format 6 with a WhisperSpec is read", version, spec, revision)
	}
	n := r.u32()
	if r.err == nil && n > ct2Variables {
		return nil, evidence.Invalid("the CTranslate2 file says it has %d variables", n)
	}
	vars := map[string]checkpoint.Tensor{}
	for i := int64(0); i < n && r.err == nil; i++ {
		name := r.text()
		d := make([]int, r.u8())
		for j := range d {
			d[j] = int(r.u32())
		}
		dtype, length := r.u8(), r.u32()
		if r.err != nil {
			break
		}
		at := r.at
		kind, known := map[int]checkpoint.Element{ct2Float32: checkpoint.Single, ct2Float16: checkpoint.Half, ct2Bfloat16: checkpoint.Brain}[dtype]
		if known {
			t, err := checkpoint.NewTensor(name, d, kind, at, length, size)
			if err != nil {
				return nil, err
			}
			vars[name] = t
		} else if strings.HasSuffix(name, "weight") && len(d) > 0 {
			return nil, evidence.Invalid("variable %.80q of the CTranslate2 file is already quantised", name).
				WithHint("use the float16 version of the model")
		}
		r.seek(at + length)
	}
	for i, aliases := int64(0), r.u32(); i < aliases && r.err == nil; i++ {
		if aliases > ct2Variables {
			return nil, evidence.Invalid("the CTranslate2 file says it has %d aliases", aliases)
		}
		alias, of := r.text(), r.text()
		if t, ok := vars[of]; ok {
			vars[alias] = t
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return fromCT2(file, vars)
}

// fromCT2 renames CTranslate2's variables. Query, key and value lie stacked in one; keys have no bias in
// Whisper, so the zeros that stand for it are left out.
func fromCT2(file io.ReaderAt, vars map[string]checkpoint.Tensor) (*checkpoint.Checkpoint, error) {
	c := &checkpoint.Checkpoint{File: file, Tensors: map[string]checkpoint.Tensor{}}
	put := func(to, from string) {
		if t, ok := vars[from]; ok {
			c.Tensors[to] = t
		}
	}
	for _, n := range []string{"conv1", "conv2"} {
		put("encoder."+n+".weight", "encoder/"+n+"/weight")
		put("encoder."+n+".bias", "encoder/"+n+"/bias")
	}
	put("encoder.positional_embedding", "encoder/position_encodings/encodings")
	put("decoder.positional_embedding", "decoder/position_encodings/encodings")
	put("decoder.token_embedding.weight", "decoder/embeddings/weight")
	norm := func(to, from string) {
		put(to+".weight", from+"/gamma")
		put(to+".bias", from+"/beta")
	}
	linear := func(to, from string) {
		put(to+".weight", from+"/weight")
		put(to+".bias", from+"/bias")
	}
	var bad error
	stacked := func(to, from string, names ...string) {
		for _, kind := range []string{"weight", "bias"} {
			t, ok := vars[from+"/"+kind]
			if !ok {
				continue
			}
			if len(t.Dims) == 0 || t.Dims[0]%len(names) != 0 {
				bad = evidence.Invalid("variable %.80q of the CTranslate2 file has shape %v, which does not split in %d", from+"/"+kind, t.Dims, len(names))
				return
			}
			n := t.Dims[0] / len(names)
			for i, name := range names {
				if name != "key" || kind != "bias" {
					c.Tensors[to+"."+name+"."+kind] = t.Rows(i*n, (i+1)*n)
				}
			}
		}
	}
	norm("encoder.ln_post", "encoder/layer_norm")
	norm("decoder.ln", "decoder/layer_norm")
	for _, side := range []string{"encoder", "decoder"} {
		layers := map[int]bool{}
		for name := range vars {
			rest, ok := strings.CutPrefix(name, side+"/layer_")
			digits, _, slash := strings.Cut(rest, "/")
			if i, err := strconv.ParseUint(digits, 10, 16); ok && slash && err == nil {
				layers[int(i)] = true
			}
		}
		for i := range layers {
			p, q := fmt.Sprintf("%s/layer_%d", side, i), layerName(side, i)
			norm(q+".attn_ln", p+"/self_attention/layer_norm")
			stacked(q+".attn", p+"/self_attention/linear_0", "query", "key", "value")
			linear(q+".attn.out", p+"/self_attention/linear_1")
			if side == "decoder" {
				norm(q+".cross_attn_ln", p+"/attention/layer_norm")
				linear(q+".cross_attn.query", p+"/attention/linear_0")
				stacked(q+".cross_attn", p+"/attention/linear_1", "key", "value")
				linear(q+".cross_attn.out", p+"/attention/linear_2")
			}
			norm(q+".mlp_ln", p+"/ffn/layer_norm")
			linear(q+".mlp.0", p+"/ffn/linear_0")
			linear(q+".mlp.2", p+"/ffn/linear_1")
		}
	}
	return c, bad
}
