#!/usr/bin/env python3
"""Puts the weights of whisper-base, from one CTranslate2 checkpoint, into the format of each peer.

Usage: convert.py MODEL.BIN MULTILINGUAL.TIKTOKEN OUT

OUT/ct2   faster-whisper: the checkpoint itself, with the configuration, vocabulary and tokenizer that its package would
          fetch from a hub.
OUT/ggml  whisper.cpp: ggml-base.bin, fp16, as its own converter writes it.
"""
import base64
import json
import os
import struct
import sys

import numpy as np

LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu "
    "is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
).split()
ALIGNMENT_HEADS = [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]  # OpenAI's, for base


def read_tokens(path):
    """The text tokens of a .tiktoken file, in order."""
    ranks = {}
    with open(path) as f:
        for line in f:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    tokens = sorted(ranks, key=ranks.get)
    assert [ranks[t] for t in tokens] == list(range(len(tokens))), "ranks with holes"
    return tokens


def special_tokens(first):
    """Whisper's other tokens, whose numbers follow the text tokens'."""
    out = ["<|endoftext|>", "<|startoftranscript|>"] + [f"<|{lang}|>" for lang in LANGUAGES]
    out += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    return {t: first + i for i, t in enumerate(out)}


def byte_letters():
    """The letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}


def merges(tokens):
    """The pair from which each longer token was made: what is left of it when all earlier merges are done."""
    ranks = {t: i for i, t in enumerate(tokens)}
    for token in tokens:
        if len(token) < 2:
            continue
        parts = [bytes([b]) for b in token]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], len(ranks)))
            assert ranks.get(parts[best] + parts[best + 1], len(ranks)) < ranks[token], "a token that no merges make"
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        yield tuple(parts)


def write_ct2(out, checkpoint, tokens):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = byte_letters()
    name = lambda t: "".join(letters[b] for b in t)
    special = special_tokens(len(tokens))
    vocabulary = [name(t) for t in tokens] + list(special) + [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    tk = Tokenizer(models.BPE({name(t): i for i, t in enumerate(tokens)}, [(name(a), name(b)) for a, b in merges(tokens)]))
    tk.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tk.decoder = decoders.ByteLevel()
    tk.add_special_tokens([AddedToken(t, special=True) for t in special])
    assert all(tk.token_to_id(t) == i for t, i in special.items())
    os.makedirs(out, exist_ok=True)
    tk.save(os.path.join(out, "tokenizer.json"))

    # The tokens that may not be written are those that faster-whisper itself passes at every call.
    from faster_whisper.tokenizer import Tokenizer as Wrapped
    from faster_whisper.transcribe import get_suppressed_tokens

    config = {
        "alignment_heads": ALIGNMENT_HEADS,
        "lang_ids": [special[f"<|{lang}|>"] for lang in LANGUAGES],
        "suppress_ids": list(get_suppressed_tokens(Wrapped(tk, True, "transcribe", "en"), [-1])),
        "suppress_ids_begin": [tk.token_to_id(name(b" ")), special["<|endoftext|>"]],
    }
    for file, value in (("config.json", config), ("vocabulary.json", vocabulary)):
        with open(os.path.join(out, file), "w") as f:
            json.dump(value, f, ensure_ascii=False)
    model = os.path.join(out, "model.bin")
    if os.path.lexists(model):
        os.remove(model)
    os.symlink(os.path.abspath(checkpoint), model)


def read_ct2(path):
    """A CTranslate2 model.bin of format 6: {variable: array}, aliases included."""
    types = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
    with open(path, "rb") as f:
        b = f.read()
    at = 0

    def number(kind):
        nonlocal at
        value = struct.unpack_from("<" + kind, b, at)[0]
        at += struct.calcsize("<" + kind)
        return value

    def text():
        nonlocal at
        n = number("H")
        at += n
        return b[at - n : at - 1].decode()

    assert number("I") == 6, "not a model.bin of format 6"
    text(), number("I")  # name and revision of the specification
    out = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = types[number("B")], number("I")
        out[name] = np.frombuffer(b, kind, size // np.dtype(kind).itemsize, at).reshape(shape)
        at += size
    for _ in range(number("I")):
        alias, name = text(), text()
        out[alias] = out[name]
    return out


def openai_tensors(v):
    """The checkpoint's tensors under the names of OpenAI's own."""
    out = {}

    def put(dst, src, weight="weight", bias="bias"):
        out[dst + ".weight"], out[dst + ".bias"] = v[f"{src}/{weight}"], v[f"{src}/{bias}"]

    def split(dsts, src):
        for dst, w, b in zip(dsts, np.split(v[src + "/weight"], len(dsts)), np.split(v[src + "/bias"], len(dsts))):
            out[dst + ".weight"] = w
            if dst.endswith(".key"):
                assert not b.any(), "Whisper's keys have no bias"
            else:
                out[dst + ".bias"] = b

    for side in ("encoder", "decoder"):
        out[side + ".positional_embedding"] = v[side + "/position_encodings/encodings"]
        i = 0
        while f"{side}/layer_{i}/ffn/linear_0/weight" in v:
            src, dst = f"{side}/layer_{i}", f"{side}.blocks.{i}"
            put(dst + ".attn_ln", src + "/self_attention/layer_norm", "gamma", "beta")
            split([f"{dst}.attn.{p}" for p in ("query", "key", "value")], src + "/self_attention/linear_0")
            put(dst + ".attn.out", src + "/self_attention/linear_1")
            if side == "decoder":
                put(dst + ".cross_attn_ln", src + "/attention/layer_norm", "gamma", "beta")
                put(dst + ".cross_attn.query", src + "/attention/linear_0")
                split([f"{dst}.cross_attn.{p}" for p in ("key", "value")], src + "/attention/linear_1")
                put(dst + ".cross_attn.out", src + "/attention/linear_2")
            put(dst + ".mlp_ln", src + "/ffn/layer_norm", "gamma", "beta")
            put(dst + ".mlp.0", src + "/ffn/linear_0")
            put(dst + ".mlp.2", src + "/ffn/linear_1")
            i += 1
    put("encoder.conv1", "encoder/conv1")
    put("encoder.conv2", "encoder/conv2")
    put("encoder.ln_post", "encoder/layer_norm", "gamma", "beta")
    put("decoder.ln", "decoder/layer_norm", "gamma", "beta")
    out["decoder.token_embedding.weight"] = v["decoder/embeddings/weight"]
    return out


def write_ggml(path, tensors, tokens):
    """The format of whisper.cpp: header, mel filters, tokens, tensors; matrices in fp16, all else in fp32."""
    from faster_whisper.feature_extractor import FeatureExtractor

    filters = np.asarray(FeatureExtractor.get_mel_filters(16000, 400, n_mels=80), np.float32)
    audio, text = tensors["encoder.positional_embedding"].shape, tensors["decoder.positional_embedding"].shape
    layers = lambda side: 1 + max(int(k.split(".")[2]) for k in tensors if k.startswith(side + ".blocks."))
    vocabulary = len(tensors["decoder.token_embedding.weight"])
    with open(path, "wb") as f:
        f.write(struct.pack("<12i", 0x67676D6C, vocabulary, audio[0], audio[1], audio[1] // 64, layers("encoder"), text[0], text[1], text[1] // 64, layers("decoder"), 80, 1))
        f.write(struct.pack("<2i", *filters.shape))
        f.write(filters.tobytes())
        f.write(struct.pack("<i", len(tokens)))
        for t in tokens:
            f.write(struct.pack("<i", len(t)) + t)
        for name, t in tensors.items():
            if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
                t = t.reshape(-1, 1)
            half = t.ndim > 1 and not name.endswith(("conv1.bias", "conv2.bias", "positional_embedding"))
            raw = name.encode()
            f.write(struct.pack("<3i", t.ndim, len(raw), int(half)))
            f.write(struct.pack(f"<{t.ndim}i", *reversed(t.shape)))
            f.write(raw)
            f.write(np.ascontiguousarray(t, np.float16 if half else np.float32).tobytes())


def main():
    checkpoint, tiktoken, out = sys.argv[1:]
    tokens = read_tokens(tiktoken)
    write_ct2(os.path.join(out, "ct2"), checkpoint, tokens)
    os.makedirs(os.path.join(out, "ggml"), exist_ok=True)
    write_ggml(os.path.join(out, "ggml", "ggml-base.bin"), openai_tensors(read_ct2(checkpoint)), tokens)


if __name__ == "__main__":
    main()
