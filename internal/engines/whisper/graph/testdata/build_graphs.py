#!/usr/bin/env python3
"""Reference: lean int8 ONNX graphs for Whisper, built straight from a checkpoint's tensors (numpy and onnx only).

Usage: build_graphs.py DIR OUT   DIR holds model.bin and config.json (CTranslate2); OUT gets encoder.onnx, decoder.onnx.
Package graph builds the same bytes in Go; its doc comment says what the inputs and outputs are. Made and checked with
onnx 1.23.2 and numpy 2.4.6. Shapes: B utterances, M mel frames, T = M/2 encoder frames, N tokens that go in at once,
S places of the cache, C = S + N, H heads of 64, V vocabulary, A alignment heads; i counts the decoder's layers.

encoder  mel [B,mels,M]  at, weight [T]                       -> ck{i} [B,H,64,T]  cv{i} [B,H,T,64]
decoder  tokens, pos [B,N]  mask [B,1,N,C]  weight [T]
         pk{i} [B,H,64,S]  pv{i} [B,H,S,64]  ck{i}  cv{i}     -> logp [B,N,V]  att [B,A,N,T]  nk{i} [B,H,64,N]  nv{i} [B,H,N,64]
"""
import json, os, struct, sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh


DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ct2(path):
    """A CTranslate2 model.bin (format 6): {variable name: array}, and the aliases."""
    b, o = open(path, "rb").read(), 0

    def u(fmt):
        nonlocal o
        v = struct.unpack_from("<" + fmt, b, o)[0]
        o += struct.calcsize("<" + fmt)
        return v

    def text():
        nonlocal o
        n = u("H")
        v = b[o:o + n - 1].decode()
        o += n
        return v

    u("I"), text(), u("I")                      # format, spec name, revision
    out = {}
    for _ in range(u("I")):
        name, dims = text(), [u("I") for _ in range(u("B"))]
        dt, size = DTYPES[u("B")], u("I")
        out[name] = np.frombuffer(b, dt, size // np.dtype(dt).itemsize, o).reshape(dims)
        o += size
    return out, {text(): text() for _ in range(u("I"))}


def whisper_tensors(path):
    """Those variables under the names of OpenAI's own checkpoint, as float32, and the dimensions."""
    V, A = read_ct2(path)
    g = lambda k: np.asarray(V[k] if k in V else V[A[k]], dtype=np.float32)
    layers = lambda side: 1 + max(int(k.split("/")[1][6:]) for k in V if k.startswith(side + "/layer_") and k.split("/")[1][6:].isdigit())
    sd, n = {}, {"encoder": layers("encoder"), "decoder": layers("decoder")}
    for c in ("conv1", "conv2"):
        sd[f"encoder.{c}.weight"], sd[f"encoder.{c}.bias"] = g(f"encoder/{c}/weight"), g(f"encoder/{c}/bias")
    for side in n:
        sd[side + ".positional_embedding"] = g(side + "/position_encodings/encodings")
    sd["decoder.token_embedding.weight"] = g("decoder/embeddings/weight")

    def norm(dst, src):
        sd[dst + ".weight"], sd[dst + ".bias"] = g(src + "/gamma"), g(src + "/beta")

    def linear(dst, src):
        sd[dst + ".weight"], sd[dst + ".bias"] = g(src + "/weight"), g(src + "/bias")

    norm("encoder.ln_post", "encoder/layer_norm")
    norm("decoder.ln", "decoder/layer_norm")
    for side, count in n.items():
        for i in range(count):
            p, q = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            norm(q + ".attn_ln", p + "/self_attention/layer_norm")
            w, b = g(p + "/self_attention/linear_0/weight"), g(p + "/self_attention/linear_0/bias")
            for part, ww, bb in zip(("query", "key", "value"), np.split(w, 3), np.split(b, 3)):
                sd[f"{q}.attn.{part}.weight"], sd[f"{q}.attn.{part}.bias"] = ww, bb      # key's bias is zero
            linear(q + ".attn.out", p + "/self_attention/linear_1")
            if side == "decoder":
                norm(q + ".cross_attn_ln", p + "/attention/layer_norm")
                linear(q + ".cross_attn.query", p + "/attention/linear_0")
                w, b = g(p + "/attention/linear_1/weight"), g(p + "/attention/linear_1/bias")
                for part, ww, bb in zip(("key", "value"), np.split(w, 2), np.split(b, 2)):
                    sd[f"{q}.cross_attn.{part}.weight"], sd[f"{q}.cross_attn.{part}.bias"] = ww, bb
                linear(q + ".cross_attn.out", p + "/attention/linear_2")
            norm(q + ".mlp_ln", p + "/ffn/layer_norm")
            linear(q + ".mlp.0", p + "/ffn/linear_0")
            linear(q + ".mlp.2", p + "/ffn/linear_1")
    d = sd["decoder.token_embedding.weight"].shape[1]
    dims = dict(n_mels=sd["encoder.conv1.weight"].shape[1], n_audio_state=d, n_audio_head=d // 64, n_audio_layer=n["encoder"],
                n_vocab=sd["decoder.token_embedding.weight"].shape[0], n_text_state=d, n_text_head=d // 64, n_text_layer=n["decoder"])
    return dims, sd


class Graph:
    """Nodes and initializers under construction."""

    def __init__(self):
        self.nodes, self.weights, self.count, self.known = [], [], 0, set()

    def op(self, kind, *inputs, outputs=1, names=None, **attrs):
        if names is None:
            names = [f"x{self.count + i}" for i in range(outputs)]
            self.count += outputs
        self.nodes.append(h.make_node(kind, list(inputs), names, **attrs))
        return names[0] if len(names) == 1 else names

    def weight(self, name, a):
        if name not in self.known:
            self.known.add(name)
            self.weights.append(nh.from_array(np.array(a, order="C"), name))
        return name

    def ints(self, *v):
        return self.weight("i" + "_".join(map(str, v)), np.array(v, np.int64))

    def scalar(self, v):
        return self.weight(f"f{v}", np.array(v, np.float32))

    def index(self, v):
        return self.weight(f"k{v}", np.array(v, np.int64))

    def model(self, inputs, outputs):
        sets = [h.make_opsetid("", 17)] + [h.make_opsetid(d, 1) for d in sorted({n.domain for n in self.nodes if n.domain})]
        return h.make_model(h.make_graph(self.nodes, "whisper", inputs, outputs, self.weights), opset_imports=sets, ir_version=8)


def per_column(W):
    """W [in, out] as int8 in -63..63 with one scale a column. Seven bits: 2 * 255 * 63 fits 16 bits, so CPUs without VNNI
    do not saturate and give the same integers; word error rates equal those of eight bits."""
    s = np.abs(W).max(0) / 63
    s[s == 0] = 1
    return np.clip(np.rint(W / s), -63, 63).astype(np.int8), s.astype(np.float32)


def quantized(g, x):
    """Each row by itself in eight bits: nothing of a row's result depends on what else is in the batch, and the error of the
    encoder's output is 0.09 of its size where one scale for the whole tensor leaves 0.16."""
    m = g.op("Max", g.op("ReduceMax", g.op("Abs", x), axes=[-1], keepdims=1), g.scalar(1e-6))
    q = g.op("QuantizeLinear", g.op("Div", x, m), g.weight("row.s", np.array(1 / 127, np.float32)), g.weight("row.z", np.array(128, np.uint8)))
    return q, m


def product(g, xq, matrix, scales):
    q, m = xq
    y = g.op("Cast", g.op("MatMulInteger", q, matrix, g.weight("row.z", np.array(128, np.uint8))), to=T.FLOAT)
    return g.op("Mul", g.op("Mul", y, scales), m)


def linear(g, name, xq, W, b):
    Wq, s = per_column(W.T)
    y = product(g, xq, g.weight(name + ".q", Wq), g.weight(name + ".s", s / np.float32(127)))
    return g.op("Add", y, g.weight(name + ".b", b))


def norm(g, name, x, sd):
    return g.op("LayerNormalization", x, g.weight(name + ".w", sd[name + ".weight"]), g.weight(name + ".b", sd[name + ".bias"]), axis=-1, epsilon=1e-5)


def gelu(g, x):
    e = g.op("Add", g.op("Erf", g.op("Div", x, g.scalar(2 ** 0.5))), g.scalar(1.0))
    return g.op("Mul", g.op("Mul", x, e), g.scalar(0.5))


def mlp(g, p, x, sd):
    y = linear(g, p + ".mlp.0", quantized(g, norm(g, p + ".mlp_ln", x, sd)), sd[p + ".mlp.0.weight"], sd[p + ".mlp.0.bias"])
    return g.op("Add", x, linear(g, p + ".mlp.2", quantized(g, gelu(g, y)), sd[p + ".mlp.2.weight"], sd[p + ".mlp.2.bias"]))


def split_heads(g, x, H, perm=(0, 2, 1, 3), name=None):
    return g.op("Transpose", g.op("Reshape", x, g.ints(0, 0, H, 64)), perm=list(perm), names=name and [name])


def merge_heads(g, x, D):
    return g.op("Reshape", g.op("Transpose", x, perm=[0, 2, 1, 3]), g.ints(0, 0, D))


def qkv(g, p, x, sd, D):
    k = 64 ** -0.5
    W = np.concatenate([sd[p + ".query.weight"] * k, sd[p + ".key.weight"], sd[p + ".value.weight"]])
    b = np.concatenate([sd[p + ".query.bias"] * k, np.zeros(D, np.float32), sd[p + ".value.bias"]])
    return g.op("Split", linear(g, p + ".qkv", quantized(g, x), W, b), g.ints(D, D, D), outputs=3, axis=-1)


def residual(g, x, name, y, sd):
    return g.op("Add", x, linear(g, name, quantized(g, y), sd[name + ".weight"], sd[name + ".bias"]))


def encoder(sd, d):
    g, H, D, L = Graph(), d["n_audio_head"], d["n_audio_state"], d["n_text_layer"]
    conv = lambda x, n, **k: gelu(g, g.op("Conv", x, g.weight(n + "w", sd[f"encoder.{n}.weight"]), g.weight(n + "b", sd[f"encoder.{n}.bias"]), kernel_shape=[3], pads=[1, 1], **k))
    x = g.op("Transpose", conv(conv("mel", "conv1"), "conv2", strides=[2]), perm=[0, 2, 1])
    x = g.op("Add", x, g.op("Gather", g.weight("positions", sd["encoder.positional_embedding"]), "at"))
    frames = g.op("Shape", "at")
    weight = g.op("Expand", "weight", g.op("Concat", g.ints(1), g.ints(1), frames, frames, axis=0))
    for i in range(d["n_audio_layer"]):
        p = f"encoder.blocks.{i}"
        q, k, v = qkv(g, p + ".attn", norm(g, p + ".attn_ln", x, sd), sd, D)
        # ONNX Runtime's own operator; query, key, value, no bias, no mask, what is added to the scores
        a = g.op("MultiHeadAttention", q, k, v, "", "", weight, domain="com.microsoft", num_heads=H, scale=1.0)
        x = residual(g, x, p + ".attn.out", a, sd)
        x = mlp(g, p, x, sd)
    xq = quantized(g, norm(g, "encoder.ln_post", x, sd))
    for i in range(L):                                  # the decoder's cross-attention keys and values, once per utterance
        p = f"decoder.blocks.{i}.cross_attn"
        W = np.concatenate([sd[p + ".key.weight"], sd[p + ".value.weight"]])
        b = np.concatenate([np.zeros(D, np.float32), sd[p + ".value.bias"]])
        k, v = g.op("Split", linear(g, p + ".kv", xq, W, b), g.ints(D, D), outputs=2, axis=-1)
        split_heads(g, k, H, (0, 2, 3, 1), f"ck{i}")
        split_heads(g, v, H, name=f"cv{i}")
    io = h.make_tensor_value_info
    outs = [[io(f"ck{i}", T.FLOAT, ["B", H, 64, "T"]), io(f"cv{i}", T.FLOAT, ["B", H, "T", 64])] for i in range(L)]
    return g.model([io("mel", T.FLOAT, ["B", d["n_mels"], "M"]), io("at", T.INT64, ["T"]), io("weight", T.FLOAT, ["T"])], sum(outs, []))


def decoder(sd, d, alignment_heads):
    g, H, D, L, V = Graph(), d["n_text_head"], d["n_text_state"], d["n_text_layer"], d["n_vocab"]
    Eq, Es = per_column(sd["decoder.token_embedding.weight"].T)     # [D,V] and [V]: one int8 table for both ends of the decoder
    table, scale = g.weight("tokens.q", Eq), g.weight("tokens.s", Es / np.float32(127))
    x = g.op("Transpose", g.op("Cast", g.op("Gather", table, "tokens", axis=1), to=T.FLOAT), perm=[1, 2, 0])
    x = g.op("Mul", g.op("Mul", x, g.op("Unsqueeze", g.op("Gather", scale, "tokens"), g.ints(-1))), g.scalar(127.0))
    x = g.op("Add", x, g.op("Gather", g.weight("positions", sd["decoder.positional_embedding"]), "pos"))
    places = g.op("Slice", g.op("Shape", "pk0"), g.ints(3), g.ints(4))
    fresh = g.op("Slice", g.op("Shape", "tokens"), g.ints(1), g.ints(2))
    parts, A = g.op("Concat", places, fresh, axis=0), []
    for i in range(L):
        p = f"decoder.blocks.{i}"
        q, k, v = qkv(g, p + ".attn", norm(g, p + ".attn_ln", x, sd), sd, D)
        q = split_heads(g, q, H)
        k = split_heads(g, k, H, (0, 2, 3, 1), f"nk{i}")
        v = split_heads(g, v, H, name=f"nv{i}")
        # The cache is read where it lies; only the scores of old and new are joined.
        a = g.op("Concat", g.op("MatMul", q, f"pk{i}"), g.op("MatMul", q, k), axis=3)
        a, own = g.op("Split", g.op("Softmax", g.op("Add", a, "mask"), axis=-1), parts, outputs=2, axis=3)
        y = g.op("Add", g.op("MatMul", a, f"pv{i}"), g.op("MatMul", own, v))
        x = residual(g, x, p + ".attn.out", merge_heads(g, y, D), sd)
        n = p + ".cross_attn.query"
        q = linear(g, n, quantized(g, norm(g, p + ".cross_attn_ln", x, sd)), sd[n + ".weight"] * 64 ** -0.5, sd[n + ".bias"] * 64 ** -0.5)
        a = g.op("Softmax", g.op("Add", g.op("MatMul", split_heads(g, q, H), f"ck{i}"), "weight"), axis=-1)
        heads = [hd for l, hd in alignment_heads if l == i]
        if heads:
            A.append(g.op("Gather", a, g.weight(f"heads{i}", np.array(heads, np.int64)), axis=1))
        x = residual(g, x, p + ".cross_attn.out", merge_heads(g, g.op("MatMul", a, f"cv{i}"), D), sd)
        x = mlp(g, p, x, sd)
    g.op("LogSoftmax", product(g, quantized(g, norm(g, "decoder.ln", x, sd)), table, scale), names=["logp"], axis=-1)
    g.op("Concat", *A, names=["att"], axis=1)
    f, i64, io = T.FLOAT, T.INT64, h.make_tensor_value_info
    ins = [io("tokens", i64, ["B", "N"]), io("pos", i64, ["B", "N"]), io("mask", f, ["B", 1, "N", "C"]), io("weight", f, ["T"])]
    outs = [io("logp", f, ["B", "N", V]), io("att", f, ["B", len(alignment_heads), "N", "T"])]
    for i in range(L):
        ins += [io(f"pk{i}", f, ["B", H, 64, "S"]), io(f"pv{i}", f, ["B", H, "S", 64]), io(f"ck{i}", f, ["B", H, 64, "T"]), io(f"cv{i}", f, ["B", H, "T", 64])]
        outs += [io(f"nk{i}", f, ["B", H, 64, "N"]), io(f"nv{i}", f, ["B", H, "N", 64])]
    return g.model(ins, outs)


if __name__ == "__main__":
    src, out = sys.argv[1:3]
    dims, sd = whisper_tensors(os.path.join(src, "model.bin"))
    ah = [tuple(x) for x in json.load(open(os.path.join(src, "config.json")))["alignment_heads"]]
    onnx.save(encoder(sd, dims), os.path.join(out, "encoder.onnx"))
    onnx.save(decoder(sd, dims, ah), os.path.join(out, "decoder.onnx"))
