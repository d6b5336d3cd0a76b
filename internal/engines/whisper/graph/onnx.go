package graph

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// ONNX element types, from onnx.proto3's TensorProto.DataType.
const (
	typeFloat = 1
	typeInt8  = 3
	typeInt64 = 7
)

// attr is one attribute of a node. Nodes carry them sorted by name.
type attr struct {
	name  string
	value any // int64, float32 or []int64
}

func axis(v int64) attr       { return attr{"axis", v} }
func perm(v ...int64) attr    { return attr{"perm", v} }
func toFloat() attr           { return attr{"to", int64(typeFloat)} }
func strides(v ...int64) attr { return attr{"strides", v} }

// initializer is one constant of a graph. Its bytes are made when they are written, so that a graph under
// construction is small.
type initializer struct {
	name  string
	dtype int
	dims  []int64
	bytes func(emit func([]byte) error) error
}

func (i initializer) rawSize() int {
	n := 1
	switch i.dtype {
	case typeFloat:
		n = 4
	case typeInt64:
		n = 8
	}
	for _, d := range i.dims {
		n *= int(d)
	}
	return n
}

// builder is a graph under construction: nodes already encoded, constants still to be read.
type builder struct {
	nodes   [][]byte // NodeProto each
	weights []initializer
	known   map[string]bool
	count   int
}

func newBuilder() *builder { return &builder{known: map[string]bool{}} }

func (g *builder) name() string {
	g.count++
	return "x" + strconv.Itoa(g.count-1)
}

// op adds a node with one output and returns the output's name.
func (g *builder) op(kind string, inputs []string, attrs ...attr) string {
	out := g.name()
	g.node(kind, inputs, []string{out}, attrs)
	return out
}

// ops adds a node with n outputs.
func (g *builder) ops(kind string, n int, inputs []string, attrs ...attr) []string {
	outs := make([]string, n)
	for i := range outs {
		outs[i] = g.name()
	}
	g.node(kind, inputs, outs, attrs)
	return outs
}

// result adds a node whose output is one of the graph's.
func (g *builder) result(out, kind string, inputs []string, attrs ...attr) {
	g.node(kind, inputs, []string{out}, attrs)
}

func (g *builder) node(kind string, inputs, outputs []string, attrs []attr) {
	var b []byte
	for _, in := range inputs {
		b = appendText(b, 1, in)
	}
	for _, out := range outputs {
		b = appendText(b, 2, out)
	}
	b = appendText(b, 4, kind)
	slices.SortFunc(attrs, func(a, b attr) int { return strings.Compare(a.name, b.name) })
	for _, a := range attrs {
		b = appendMessage(b, 5, encodeAttr(a))
	}
	g.nodes = append(g.nodes, b)
}

// encodeAttr encodes an AttributeProto.
func encodeAttr(a attr) []byte {
	b := appendText(nil, 1, a.name)
	switch v := a.value.(type) {
	case float32:
		b = protowire.AppendTag(b, 2, protowire.Fixed32Type)
		b = protowire.AppendFixed32(b, math.Float32bits(v))
		return appendInt(b, 20, 1)
	case int64:
		b = appendInt(b, 3, v)
		return appendInt(b, 20, 2)
	case []int64:
		for _, i := range v {
			b = appendInt(b, 8, i)
		}
		return appendInt(b, 20, 7)
	}
	panic(fmt.Sprintf("attribute %s has type %T", a.name, a.value))
}

// constant registers an initializer once and returns its name.
func (g *builder) constant(i initializer) string {
	if !g.known[i.name] {
		g.known[i.name] = true
		g.weights = append(g.weights, i)
	}
	return i.name
}

func int64Bytes(v []int64) func(func([]byte) error) error {
	return func(emit func([]byte) error) error {
		var b []byte
		for _, i := range v {
			b = protowire.AppendFixed64(b, uint64(i))
		}
		return emit(b)
	}
}

func (g *builder) indices(name string, v []int64) string {
	return g.constant(initializer{name, typeInt64, []int64{int64(len(v))}, int64Bytes(v)})
}

// ints is a vector of whole numbers.
func (g *builder) ints(v ...int64) string {
	s := make([]string, len(v))
	for i, n := range v {
		s[i] = strconv.FormatInt(n, 10)
	}
	return g.indices("i"+strings.Join(s, "_"), v)
}

// index is one whole number, without a dimension.
func (g *builder) index(v int64) string {
	return g.constant(initializer{"k" + strconv.FormatInt(v, 10), typeInt64, nil, int64Bytes([]int64{v})})
}

// scalar is one float, named by its digits as they are written in the reference.
func (g *builder) scalar(digits string, v float32) string {
	return g.constant(initializer{"f" + digits, typeFloat, nil, func(emit func([]byte) error) error {
		return emit(protowire.AppendFixed32(nil, math.Float32bits(v)))
	}})
}

// value describes an input or output; a dimension is a number or the name of an unknown.
type value struct {
	name  string
	dtype int
	dims  []any // int or string
}

func (v value) encode() []byte {
	var shape []byte
	for _, d := range v.dims {
		var dim []byte
		switch d := d.(type) {
		case int:
			dim = appendInt(nil, 1, int64(d))
		case string:
			dim = appendText(nil, 2, d)
		}
		shape = appendMessage(shape, 1, dim)
	}
	typ := appendMessage(appendInt(nil, 1, int64(v.dtype)), 2, shape)
	return appendMessage(appendText(nil, 1, v.name), 2, appendMessage(nil, 1, typ))
}

// write encodes the ModelProto, fields in the order of their numbers, constants one at a time.
func (g *builder) write(w io.Writer, inputs, outputs []value) error {
	heads := make([][]byte, len(g.weights)) // each TensorProto up to its raw bytes
	size := 0
	message := func(n int) int { return 1 + protowire.SizeBytes(n) } // all fields here have one-byte tags
	for _, n := range g.nodes {
		size += message(len(n))
	}
	graphName := appendText(nil, 2, "whisper")
	size += len(graphName)
	for i, t := range g.weights {
		var b []byte
		for _, d := range t.dims {
			b = appendInt(b, 1, d)
		}
		b = appendInt(b, 2, int64(t.dtype))
		b = appendText(b, 8, t.name)
		b = protowire.AppendTag(b, 9, protowire.BytesType)
		heads[i] = protowire.AppendVarint(b, uint64(t.rawSize()))
		size += message(len(heads[i]) + t.rawSize())
	}
	var tail []byte
	for _, v := range inputs {
		tail = appendMessage(tail, 11, v.encode())
	}
	for _, v := range outputs {
		tail = appendMessage(tail, 12, v.encode())
	}
	size += len(tail)

	out := bufio.NewWriterSize(w, 1<<16)
	put := func(b []byte) error { _, err := out.Write(b); return err }
	b := appendInt(nil, 1, 8)
	b = protowire.AppendTag(b, 7, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	for _, n := range g.nodes {
		b = appendMessage(b, 1, n)
	}
	if err := put(append(b, graphName...)); err != nil {
		return err
	}
	for i, t := range g.weights {
		b := protowire.AppendTag(nil, 5, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(len(heads[i])+t.rawSize()))
		if err := put(append(b, heads[i]...)); err != nil {
			return err
		}
		written := 0
		err := t.bytes(func(p []byte) error { written += len(p); return put(p) })
		if err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
		if written != t.rawSize() {
			return fmt.Errorf("write %s: %d bytes where its shape needs %d", t.name, written, t.rawSize())
		}
	}
	opset := appendInt(appendText(nil, 1, ""), 2, 17)
	if err := put(appendMessage(tail, 8, opset)); err != nil {
		return err
	}
	return out.Flush()
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}
