// Package onnx writes ONNX graphs: nodes in the order they are added, constants whose bytes are made only while they
// are written, so that a graph of any size is built in little memory.
//
// It promises that the same calls give the same bytes: operator set 17, IR version 8
// (onnx.ai/onnx/repo-docs/IR.html). It never runs a graph, nor checks that one makes sense.
package onnx

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
	Float = 1
	Uint8 = 2
	Int8  = 3
	Int64 = 7
)

// own is the domain of the operators that ONNX Runtime has beyond the standard's.
const own = "com.microsoft"

// Attr is one attribute of a node. Nodes carry them sorted by name.
type Attr struct {
	name  string
	value any
}

// With is an attribute; its value is an int64, a float32 or an []int64.
func With(name string, value any) Attr { return Attr{name, value} }

// Attributes that many nodes have.
func Axis(v int64) Attr       { return Attr{"axis", v} }
func Perm(v ...int64) Attr    { return Attr{"perm", v} }
func ToFloat() Attr           { return Attr{"to", int64(Float)} }
func Strides(v ...int64) Attr { return Attr{"strides", v} }

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
	case Float:
		n = 4
	case Int64:
		n = 8
	}
	for _, d := range i.dims {
		n *= int(d)
	}
	return n
}

// Builder is a graph under construction: nodes already encoded, constants still to be read.
type Builder struct {
	nodes   [][]byte // NodeProto each
	weights []initializer
	known   map[string]bool
	count   int
	own     bool // a node is one of ONNX Runtime's own operators
}

// New begins a graph.
func New() *Builder { return &Builder{known: map[string]bool{}} }

func (g *Builder) name() string {
	g.count++
	return "x" + strconv.Itoa(g.count-1)
}

// Op adds a node with one output and returns the output's name.
func (g *Builder) Op(kind string, inputs []string, attrs ...Attr) string {
	out := g.name()
	g.node("", kind, inputs, []string{out}, attrs)
	return out
}

// Ops adds a node with n outputs.
func (g *Builder) Ops(kind string, n int, inputs []string, attrs ...Attr) []string {
	outs := make([]string, n)
	for i := range outs {
		outs[i] = g.name()
	}
	g.node("", kind, inputs, outs, attrs)
	return outs
}

// Result adds a node whose output is one of the graph's, and returns its name.
func (g *Builder) Result(out, kind string, inputs []string, attrs ...Attr) string {
	g.node("", kind, inputs, []string{out}, attrs)
	return out
}

// OwnOp adds a node of ONNX Runtime's own with one output and returns the output's name.
func (g *Builder) OwnOp(kind string, inputs []string, attrs ...Attr) string {
	out := g.name()
	g.own = true
	g.node(own, kind, inputs, []string{out}, attrs)
	return out
}

func (g *Builder) node(domain, kind string, inputs, outputs []string, attrs []Attr) {
	var b []byte
	for _, in := range inputs {
		b = appendText(b, 1, in)
	}
	for _, out := range outputs {
		b = appendText(b, 2, out)
	}
	b = appendText(b, 4, kind)
	slices.SortFunc(attrs, func(a, b Attr) int { return strings.Compare(a.name, b.name) })
	for _, a := range attrs {
		b = appendMessage(b, 5, encodeAttr(a))
	}
	if domain != "" {
		b = appendText(b, 7, domain)
	}
	g.nodes = append(g.nodes, b)
}

// encodeAttr encodes an AttributeProto.
func encodeAttr(a Attr) []byte {
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

// Constant registers a constant once and returns its name. bytes is called when the graph is written, and emits the
// constant's numbers, little-endian.
func (g *Builder) Constant(name string, dtype int, dims []int64, bytes func(emit func([]byte) error) error) string {
	if !g.known[name] {
		g.known[name] = true
		g.weights = append(g.weights, initializer{name, dtype, dims, bytes})
	}
	return name
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

// Indices is a named vector of whole numbers.
func (g *Builder) Indices(name string, v []int64) string {
	return g.Constant(name, Int64, []int64{int64(len(v))}, int64Bytes(v))
}

// Ints is a vector of whole numbers.
func (g *Builder) Ints(v ...int64) string {
	s := make([]string, len(v))
	for i, n := range v {
		s[i] = strconv.FormatInt(n, 10)
	}
	return g.Indices("i"+strings.Join(s, "_"), v)
}

// Scalar is one float, named by its digits as they are written in the reference.
func (g *Builder) Scalar(digits string, v float32) string {
	return g.Constant("f"+digits, Float, nil, func(emit func([]byte) error) error {
		return emit(protowire.AppendFixed32(nil, math.Float32bits(v)))
	})
}

// Value describes an input or output.
type Value struct {
	name  string
	dtype int
	dims  []any
}

// Named is an input or output; a dimension is an int, or a string that names an unknown.
func Named(name string, dtype int, dims ...any) Value { return Value{name, dtype, dims} }

func (v Value) encode() []byte {
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

// Write encodes the ModelProto with the graph's name, fields in the order of their numbers, constants one at a time.
func (g *Builder) Write(w io.Writer, name string, inputs, outputs []Value) error {
	heads := make([][]byte, len(g.weights)) // each TensorProto up to its raw bytes
	size := 0
	message := func(n int) int { return 1 + protowire.SizeBytes(n) } // all fields here have one-byte tags
	for _, n := range g.nodes {
		size += message(len(n))
	}
	graphName := appendText(nil, 2, name)
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
	tail = appendMessage(tail, 8, appendInt(appendText(nil, 1, ""), 2, 17))
	if g.own {
		tail = appendMessage(tail, 8, appendInt(appendText(nil, 1, own), 2, 1))
	}
	if err := put(tail); err != nil {
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
