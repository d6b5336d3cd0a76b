#!/usr/bin/env python3
"""Writes the same small Whisper-shaped tensors in each container that package graph reads (gzipped: the numbers
repeat every 251, so that the files stay small). Needs numpy and PyTorch; the .pt is written by torch.save itself.

Usage: make_checkpoints.py OUT
       make_checkpoints.py OUT model.bin   the tensors of a real CTranslate2 file instead, not gzipped
"""
import collections, gzip, json, os, struct, sys

import numpy as np
import torch

D, MELS, LAYERS, WORDS, AUDIO, TEXT = 64, 8, 2, 96, 16, 12
count = 0


def numbers(*dims):
    global count
    count += 1
    n = int(np.prod(dims))
    return ((np.arange(n) * 89 + count * 37) % 251 / 64 - 2).astype(np.float16).reshape(dims)


def invented():
    sd = collections.OrderedDict()
    sd["encoder.conv1.weight"], sd["encoder.conv1.bias"] = numbers(D, MELS, 3), numbers(D)
    sd["encoder.conv2.weight"], sd["encoder.conv2.bias"] = numbers(D, D, 3), numbers(D)
    sd["encoder.positional_embedding"], sd["decoder.positional_embedding"] = numbers(AUDIO, D), numbers(TEXT, D)
    sd["decoder.token_embedding.weight"] = numbers(WORDS, D)
    sd["decoder.token_embedding.weight"][5] = 0                 # a column whose scale must not become zero
    for n in ("encoder.ln_post", "decoder.ln"):
        sd[n + ".weight"], sd[n + ".bias"] = numbers(D), numbers(D)
    for side in ("encoder", "decoder"):
        for i in range(LAYERS):
            p = f"{side}.blocks.{i}"
            norms, attentions = ["attn_ln", "mlp_ln"], ["attn"]
            if side == "decoder":
                norms.append("cross_attn_ln"), attentions.append("cross_attn")
            for n in norms:
                sd[f"{p}.{n}.weight"], sd[f"{p}.{n}.bias"] = numbers(D), numbers(D)
            for a in attentions:
                for q in ("query", "key", "value", "out"):
                    sd[f"{p}.{a}.{q}.weight"] = numbers(D, D)
                    if q != "key":
                        sd[f"{p}.{a}.{q}.bias"] = numbers(D)
            sd[f"{p}.mlp.0.weight"], sd[f"{p}.mlp.0.bias"] = numbers(4 * D, D), numbers(4 * D)
            sd[f"{p}.mlp.2.weight"], sd[f"{p}.mlp.2.bias"] = numbers(D, 4 * D), numbers(D)
    return sd


def real(path):
    sys.path.insert(0, os.environ["REFERENCE"])                 # the folder of build_graphs.py
    import build_graphs
    sd = build_graphs.whisper_tensors(path)[1]
    return collections.OrderedDict((k, v.astype(np.float16)) for k, v in sd.items() if not k.endswith(".key.bias"))


def ct2_variables(sd):
    out = {}

    def linear(to, *names):
        out[to + "/weight"] = np.concatenate([sd[n + ".weight"] for n in names])
        out[to + "/bias"] = np.concatenate([sd.get(n + ".bias", np.zeros(sd[n + ".weight"].shape[0], np.float16)) for n in names])

    def norm(to, name):
        out[to + "/gamma"], out[to + "/beta"] = sd[name + ".weight"], sd[name + ".bias"]

    for c in ("conv1", "conv2"):
        out[f"encoder/{c}/weight"], out[f"encoder/{c}/bias"] = sd[f"encoder.{c}.weight"], sd[f"encoder.{c}.bias"]
    for side in ("encoder", "decoder"):
        out[f"{side}/position_encodings/encodings"] = sd[side + ".positional_embedding"]
        norm(f"{side}/layer_norm", {"encoder": "encoder.ln_post", "decoder": "decoder.ln"}[side])
        i = 0
        while f"{side}.blocks.{i}.attn_ln.weight" in sd:
            p, q = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            norm(p + "/self_attention/layer_norm", q + ".attn_ln")
            linear(p + "/self_attention/linear_0", q + ".attn.query", q + ".attn.key", q + ".attn.value")
            linear(p + "/self_attention/linear_1", q + ".attn.out")
            if side == "decoder":
                norm(p + "/attention/layer_norm", q + ".cross_attn_ln")
                linear(p + "/attention/linear_0", q + ".cross_attn.query")
                linear(p + "/attention/linear_1", q + ".cross_attn.key", q + ".cross_attn.value")
                linear(p + "/attention/linear_2", q + ".cross_attn.out")
            norm(p + "/ffn/layer_norm", q + ".mlp_ln")
            linear(p + "/ffn/linear_0", q + ".mlp.0")
            linear(p + "/ffn/linear_1", q + ".mlp.2")
            i += 1
    out["decoder/embeddings/weight"] = sd["decoder.token_embedding.weight"]
    return out


def ct2(sd):
    text = lambda s: struct.pack("<H", len(s) + 1) + s.encode() + b"\0"
    v = ct2_variables(sd)
    b = [struct.pack("<I", 6), text("WhisperSpec"), struct.pack("<I", 3), struct.pack("<I", len(v))]
    for name, a in sorted(v.items()):
        b += [text(name), struct.pack("<B", a.ndim), struct.pack(f"<{a.ndim}I", *a.shape), struct.pack("<BI", 4, a.nbytes), a.tobytes()]
    return b"".join(b + [struct.pack("<I", 1), text("decoder/projection/weight"), text("decoder/embeddings/weight")])


def safetensors(sd):
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, a in sd.items():
        head[name] = {"dtype": "F16", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    h = json.dumps(head).encode()
    h += b" " * (-len(h) % 8)
    return struct.pack("<Q", len(h)) + h + b"".join(a.tobytes() for a in sd.values())


def transformers_name(n):
    side, _, rest = n.partition(".")
    for a, b in (("positional_embedding", "embed_positions.weight"), ("token_embedding", "embed_tokens"), ("blocks.", "layers."),
                 ("cross_attn_ln", "encoder_attn_layer_norm"), ("mlp_ln", "final_layer_norm"), ("mlp.0", "fc1"), ("mlp.2", "fc2"),
                 ("cross_attn.", "encoder_attn."), (".attn_ln", ".self_attn_layer_norm"), (".attn.", ".self_attn."),
                 (".query", ".q_proj"), (".key", ".k_proj"), (".value", ".v_proj"), ("attn.out", "attn.out_proj"), ("ln_post", "layer_norm")):
        rest = rest.replace(a, b)
    if rest.startswith("ln."):
        rest = "layer_norm." + rest[3:]
    return f"model.{side}.{rest}"


if __name__ == "__main__":
    out = sys.argv[1]
    sd = real(sys.argv[2]) if len(sys.argv) > 2 else invented()
    save = (lambda n, b: open(os.path.join(out, n), "wb").write(b)) if len(sys.argv) > 2 else \
        (lambda n, b: open(os.path.join(out, n + ".gz"), "wb").write(gzip.compress(b, 9, mtime=0)))
    save("model.bin", ct2(sd))
    save("openai.safetensors", safetensors(sd))
    save("transformers.safetensors", safetensors({transformers_name(n): a for n, a in sd.items()}))
    dims = dict(n_mels=sd["encoder.conv1.weight"].shape[1], n_audio_ctx=sd["encoder.positional_embedding"].shape[0], n_audio_state=sd["decoder.token_embedding.weight"].shape[1])
    state = collections.OrderedDict((k, torch.from_numpy(v)) for k, v in sd.items())
    state._metadata = collections.OrderedDict([("", dict(version=1))])
    path = os.path.join(out, "openai.pt")
    torch.save({"dims": dims, "model_state_dict": state}, path)
    b = open(path, "rb").read()
    os.remove(path)
    save("openai.pt", b)
