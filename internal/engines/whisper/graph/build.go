package graph

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/checkpoint"
	"github.com/earwitness/earwitness/internal/engines/onnx"
)

// dims are the sizes of one Whisper model, read off its tensors.
type dims struct {
	mels, state, heads      int
	audioLayers, textLayers int
	audioPositions          int
	textPositions, words    int
}

// Build reads a checkpoint of size bytes and writes the encoder's and the decoder's graph. name says which
// model it is ("base" or "whisper-base"; see Names), which the file itself does not. The checkpoint's digest
// must have been checked before: Build checks form, not origin. A file that is no Whisper checkpoint, is cut
// short or is not the named model gives an error of kind invalid, and what was written then is no graph.
func Build(ctx context.Context, file io.ReaderAt, size int64, name string, encoder, decoder io.Writer) error {
	c, err := open(file, size)
	if err != nil {
		return fmt.Errorf("read Whisper checkpoint: %w", err)
	}
	d, err := c.dims()
	if err != nil {
		return fmt.Errorf("read Whisper checkpoint: %w", err)
	}
	heads, err := headsFor(name, d)
	if err != nil {
		return err
	}
	if err := c.write(ctx, d, heads, encoder, decoder); err != nil {
		return fmt.Errorf("build graphs of %s: %w", name, err)
	}
	return nil
}

func (c *source) write(ctx context.Context, d dims, heads []head, encoder, decoder io.Writer) error {
	w := &whisper{Builder: onnx.New(), r: reader{ctx, c}, d: d}
	if err := w.encoder(encoder); err != nil {
		return err
	}
	w = &whisper{Builder: onnx.New(), r: reader{ctx, c}, d: d}
	return w.decoder(decoder, heads)
}

// dims reads the model's sizes off its tensors and refuses what no Whisper model has.
func (c *source) dims() (dims, error) {
	shape := func(name string, n int) ([]int, error) {
		t, ok := c.Tensors[name]
		if !ok || len(t.Dims) != n {
			_, err := c.get(name, make([]int, n)...)
			return nil, err
		}
		return t.Dims, nil
	}
	conv, err := shape("encoder.conv1.weight", 3)
	if err != nil {
		return dims{}, err
	}
	table, err := shape("decoder.token_embedding.weight", 2)
	if err != nil {
		return dims{}, err
	}
	audio, err := shape("encoder.positional_embedding", 2)
	if err != nil {
		return dims{}, err
	}
	text, err := shape("decoder.positional_embedding", 2)
	if err != nil {
		return dims{}, err
	}
	d := dims{mels: conv[1], state: table[1], heads: table[1] / 64, words: table[0], audioPositions: audio[0], textPositions: text[0]}
	for name := range c.Tensors {
		var i int
		if _, err := fmt.Sscanf(name, "encoder.blocks.%d.", &i); err == nil && i >= d.audioLayers {
			d.audioLayers = i + 1
		}
		if _, err := fmt.Sscanf(name, "decoder.blocks.%d.", &i); err == nil && i >= d.textLayers {
			d.textLayers = i + 1
		}
	}
	const layers = 256 // the largest model has 32
	if d.state < 64 || d.state%64 != 0 || d.mels < 1 || d.words < 1 || d.audioPositions < 1 || d.textPositions < 1 ||
		d.audioLayers < 1 || d.audioLayers > layers || d.textLayers < 1 || d.textLayers > layers {
		return dims{}, evidence.Invalid("the checkpoint has the sizes of no Whisper model: %d mel bands, %d wide, %d and %d layers", d.mels, d.state, d.audioLayers, d.textLayers)
	}
	return d, nil
}

// whisper builds one of the two graphs. The first missing or misshapen tensor is kept in err and what follows
// is built on empty ones: the graph is then never written.
type whisper struct {
	*onnx.Builder
	r   reader
	d   dims
	err error
}

func (w *whisper) tensor(name string, dims ...int) checkpoint.Tensor {
	t, err := w.r.c.get(name, dims...)
	if err != nil && w.err == nil {
		w.err = err
	}
	if err != nil {
		return checkpoint.Tensor{Dims: make([]int, len(dims))}
	}
	return t
}

// float adds a constant that is a tensor of the checkpoint as it is.
func (w *whisper) float(name, from string, dims ...int) string {
	shape := make([]int64, len(dims))
	for i, d := range dims {
		shape[i] = int64(d)
	}
	return w.Constant(name, onnx.Float, shape, w.r.floats(checkpoint.Plain(w.tensor(from, dims...))))
}

func in(names ...string) []string { return names }

// projection is a matrix with its bias, and the name it gets in the graph.
type projection struct {
	name    string
	weights []checkpoint.Part // [out,in], stacked by rows
	bias    []checkpoint.Part
	in, out int
}

func (w *whisper) projection(name string, in, out int) projection {
	return projection{name, []checkpoint.Part{checkpoint.Plain(w.tensor(name+".weight", out, in))}, []checkpoint.Part{checkpoint.Plain(w.tensor(name+".bias", out))}, in, out}
}

// quantized is a tensor in eight bits, each row by itself: its integers, and the greatest magnitude of each row.
type quantized struct{ integers, most string }

func (w *whisper) quantized(x string) quantized {
	m := w.Op("ReduceMax", in(w.Op("Abs", in(x))), onnx.With("axes", []int64{-1}), onnx.With("keepdims", int64(1)))
	m = w.Op("Max", in(m, w.Scalar("1e-06", 1e-6)))
	x = w.Op("Div", in(x, m))
	step := w.Constant("row.s", onnx.Float, nil, func(emit func([]byte) error) error {
		return emit(binary.LittleEndian.AppendUint32(nil, math.Float32bits(1.0/127)))
	})
	return quantized{w.Op("QuantizeLinear", in(x, step, w.nought())), m}
}

// nought is the integer that stands for 0 in a row.
func (w *whisper) nought() string {
	return w.Constant("row.z", onnx.Uint8, nil, func(emit func([]byte) error) error { return emit([]byte{128}) })
}

func (w *whisper) product(x quantized, matrix, scales string) string {
	y := w.Op("Cast", in(w.Op("MatMulInteger", in(x.integers, matrix, w.nought()))), onnx.ToFloat())
	return w.Op("Mul", in(w.Op("Mul", in(y, scales)), x.most))
}

func (w *whisper) linear(x quantized, p projection) string {
	m := &matrix{r: w.r, parts: p.weights, in: p.in, out: p.out}
	q := w.Constant(p.name+".q", onnx.Int8, []int64{int64(p.in), int64(p.out)}, m.integers)
	s := w.Constant(p.name+".s", onnx.Float, []int64{int64(p.out)}, m.scaleBytes)
	return w.Op("Add", in(w.product(x, q, s), w.Constant(p.name+".b", onnx.Float, []int64{int64(p.out)}, w.r.floats(p.bias...))))
}

func (w *whisper) norm(name, x string) string {
	return w.Op("LayerNormalization", in(x, w.float(name+".w", name+".weight", w.d.state), w.float(name+".b", name+".bias", w.d.state)),
		onnx.Axis(-1), onnx.With("epsilon", float32(1e-5)))
}

func (w *whisper) gelu(x string) string {
	e := w.Op("Add", in(w.Op("Erf", in(w.Op("Div", in(x, w.Scalar("1.4142135623730951", 1.4142135623730951))))), w.Scalar("1.0", 1)))
	return w.Op("Mul", in(w.Op("Mul", in(x, e)), w.Scalar("0.5", 0.5)))
}

func (w *whisper) mlp(p, x string) string {
	d := w.d.state
	y := w.linear(w.quantized(w.norm(p+".mlp_ln", x)), w.projection(p+".mlp.0", d, 4*d))
	return w.Op("Add", in(x, w.linear(w.quantized(w.gelu(y)), w.projection(p+".mlp.2", 4*d, d))))
}

func (w *whisper) heads(x string) string {
	return w.Op("Reshape", in(x, w.Ints(0, 0, int64(w.d.heads), 64)))
}

func (w *whisper) mergeHeads(x string) string {
	return w.Op("Reshape", in(w.Op("Transpose", in(x), onnx.Perm(0, 2, 1, 3)), w.Ints(0, 0, int64(w.d.state))))
}

// rootScale is 64^-1/2: attention's scale, moved into the query.
const rootScale = 0.125

func (w *whisper) qkv(p, x string) []string {
	d := w.d.state
	weight := func(name string) checkpoint.Tensor { return w.tensor(p+name+".weight", d, d) }
	bias := func(name string) checkpoint.Tensor { return w.tensor(p+name+".bias", d) }
	all := projection{
		name:    p + ".qkv",
		weights: []checkpoint.Part{{Tensor: weight(".query"), Factor: rootScale}, checkpoint.Plain(weight(".key")), checkpoint.Plain(weight(".value"))},
		bias:    []checkpoint.Part{{Tensor: bias(".query"), Factor: rootScale}, {Zero: d}, checkpoint.Plain(bias(".value"))}, // keys have none
		in:      d, out: 3 * d,
	}
	return w.Ops("Split", 3, in(w.linear(w.quantized(x), all), w.Ints(int64(d), int64(d), int64(d))), onnx.Axis(-1))
}

func (w *whisper) residual(x, name, y string) string {
	return w.Op("Add", in(x, w.linear(w.quantized(y), w.projection(name, w.d.state, w.d.state))))
}

func (w *whisper) conv(n, x string, channels int, attrs ...onnx.Attr) string {
	d := w.d.state
	weight := w.float(n+"w", "encoder."+n+".weight", d, channels, 3)
	bias := w.float(n+"b", "encoder."+n+".bias", d)
	attrs = append(attrs, onnx.With("kernel_shape", []int64{3}), onnx.With("pads", []int64{1, 1}))
	return w.gelu(w.Op("Conv", in(x, weight, bias), attrs...))
}

func (w *whisper) encoder(out io.Writer) error {
	d := w.d
	x := w.conv("conv1", "mel", d.mels)
	x = w.Op("Transpose", in(w.conv("conv2", x, d.state, onnx.Strides(2))), onnx.Perm(0, 2, 1))
	positions := w.float("positions", "encoder.positional_embedding", d.audioPositions, d.state)
	x = w.Op("Add", in(x, w.Op("Gather", in(positions, "at"))))
	frames := w.Op("Shape", in("at"))
	weight := w.Op("Expand", in("weight", w.Op("Concat", in(w.Ints(1), w.Ints(1), frames, frames), onnx.Axis(0))))
	for i := range d.audioLayers {
		p := layerName("encoder", i)
		qkv := w.qkv(p+".attn", w.norm(p+".attn_ln", x))
		// ONNX Runtime's own operator; query, key, value, no bias, no mask, what is added to the scores.
		a := w.OwnOp("MultiHeadAttention", append(qkv, "", "", weight), onnx.With("num_heads", int64(d.heads)), onnx.With("scale", float32(1)))
		x = w.mlp(p, w.residual(x, p+".attn.out", a))
	}
	xq := w.quantized(w.norm("encoder.ln_post", x))
	var outputs []onnx.Value
	for i := range d.textLayers { // the decoder's cross-attention keys and values, once per utterance
		p := layerName("decoder", i) + ".cross_attn"
		kv := projection{
			name:    p + ".kv",
			weights: []checkpoint.Part{checkpoint.Plain(w.tensor(p+".key.weight", d.state, d.state)), checkpoint.Plain(w.tensor(p+".value.weight", d.state, d.state))},
			bias:    []checkpoint.Part{{Zero: d.state}, checkpoint.Plain(w.tensor(p+".value.bias", d.state))},
			in:      d.state, out: 2 * d.state,
		}
		halves := w.Ops("Split", 2, in(w.linear(xq, kv), w.Ints(int64(d.state), int64(d.state))), onnx.Axis(-1))
		w.Result(layered("ck", i), "Transpose", in(w.heads(halves[0])), asKeys())
		w.Result(layered("cv", i), "Transpose", in(w.heads(halves[1])), asValues())
		outputs = append(outputs, d.keys("ck", i, "T"), d.values("cv", i, "T"))
	}
	if w.err != nil {
		return w.err
	}
	inputs := []onnx.Value{onnx.Named("mel", onnx.Float, "B", d.mels, "M"), onnx.Named("at", onnx.Int64, "T"), onnx.Named("weight", onnx.Float, "T")}
	return w.Write(out, "whisper", inputs, outputs)
}

// layered names an input or output of one of the decoder's layers: "pk3".
func layered(name string, i int) string { return name + strconv.Itoa(i) }

// asKeys and asValues bring [B,T,heads,64] into the order in which attention reads it.
func asKeys() onnx.Attr   { return onnx.Perm(0, 2, 3, 1) }
func asValues() onnx.Attr { return onnx.Perm(0, 2, 1, 3) }

func (d dims) keys(name string, i int, n string) onnx.Value {
	return onnx.Named(layered(name, i), onnx.Float, "B", d.heads, 64, n)
}

func (d dims) values(name string, i int, n string) onnx.Value {
	return onnx.Named(layered(name, i), onnx.Float, "B", d.heads, n, 64)
}

func (w *whisper) decoder(out io.Writer, heads []head) error {
	d := w.d
	// One int8 table [state,words] serves both ends of the decoder.
	words := &matrix{r: w.r, parts: []checkpoint.Part{checkpoint.Plain(w.tensor("decoder.token_embedding.weight", d.words, d.state))}, in: d.state, out: d.words}
	table := w.Constant("tokens.q", onnx.Int8, []int64{int64(d.state), int64(d.words)}, words.integers)
	scale := w.Constant("tokens.s", onnx.Float, []int64{int64(d.words)}, words.scaleBytes)
	x := w.Op("Transpose", in(w.Op("Cast", in(w.Op("Gather", in(table, "tokens"), onnx.Axis(1))), onnx.ToFloat())), onnx.Perm(1, 2, 0))
	x = w.Op("Mul", in(w.Op("Mul", in(x, w.Op("Unsqueeze", in(w.Op("Gather", in(scale, "tokens")), w.Ints(-1))))), w.Scalar("127.0", 127)))
	x = w.Op("Add", in(x, w.Op("Gather", in(w.float("positions", "decoder.positional_embedding", d.textPositions, d.state), "pos"))))
	places := w.Op("Slice", in(w.Op("Shape", in("pk0")), w.Ints(3), w.Ints(4)))
	fresh := w.Op("Slice", in(w.Op("Shape", in("tokens")), w.Ints(1), w.Ints(2)))
	parts := w.Op("Concat", in(places, fresh), onnx.Axis(0))
	inputs := []onnx.Value{onnx.Named("tokens", onnx.Int64, "B", "N"), onnx.Named("pos", onnx.Int64, "B", "N"), onnx.Named("mask", onnx.Float, "B", 1, "N", "C"), onnx.Named("weight", onnx.Float, "T")}
	outputs := []onnx.Value{onnx.Named("logp", onnx.Float, "B", "N", d.words), onnx.Named("att", onnx.Float, "B", len(heads), "N", "T")}
	var attention []string
	for i := range d.textLayers {
		p := layerName("decoder", i)
		qkv := w.qkv(p+".attn", w.norm(p+".attn_ln", x))
		q := w.Op("Transpose", in(w.heads(qkv[0])), asValues())
		k := w.Result(layered("nk", i), "Transpose", in(w.heads(qkv[1])), asKeys())
		v := w.Result(layered("nv", i), "Transpose", in(w.heads(qkv[2])), asValues())
		// The cache is read where it lies; only the scores of old and new are joined.
		a := w.Op("Concat", in(w.Op("MatMul", in(q, layered("pk", i))), w.Op("MatMul", in(q, k))), onnx.Axis(3))
		both := w.Ops("Split", 2, in(w.Op("Softmax", in(w.Op("Add", in(a, "mask"))), onnx.Axis(-1)), parts), onnx.Axis(3))
		y := w.Op("Add", in(w.Op("MatMul", in(both[0], layered("pv", i))), w.Op("MatMul", in(both[1], v))))
		x = w.residual(x, p+".attn.out", w.mergeHeads(y))
		query := p + ".cross_attn.query"
		xq := w.quantized(w.norm(p+".cross_attn_ln", x))
		pq := w.projection(query, d.state, d.state)
		pq.weights[0].Factor, pq.bias[0].Factor = rootScale, rootScale
		q = w.Op("Transpose", in(w.heads(w.linear(xq, pq))), asValues())
		a = w.Op("Softmax", in(w.Op("Add", in(w.Op("MatMul", in(q, layered("ck", i))), "weight"))), onnx.Axis(-1))
		var own []int64
		for _, h := range heads {
			if h.layer == i {
				own = append(own, int64(h.head))
			}
		}
		if len(own) > 0 {
			attention = append(attention, w.Op("Gather", in(a, w.Indices(fmt.Sprintf("heads%d", i), own)), onnx.Axis(1)))
		}
		x = w.residual(x, p+".cross_attn.out", w.mergeHeads(w.Op("MatMul", in(a, layered("cv", i)))))
		x = w.mlp(p, x)
		inputs = append(inputs, d.keys("pk", i, "S"), d.values("pv", i, "S"), d.keys("ck", i, "T"), d.values("cv", i, "T"))
		outputs = append(outputs, d.keys("nk", i, "N"), d.values("nv", i, "N"))
	}
	w.Result("logp", "LogSoftmax", in(w.product(w.quantized(w.norm("decoder.ln", x)), table, scale)), onnx.Axis(-1))
	w.Result("att", "Concat", attention, onnx.Axis(1))
	if w.err != nil {
		return w.err
	}
	return w.Write(out, "whisper", inputs, outputs)
}

// layerName names one block of a side: "encoder.blocks.3".
func layerName(side string, i int) string { return fmt.Sprintf("%s.blocks.%d", side, i) }
