#!/usr/bin/env python3
"""Prints what the reference makes of the made-up checkpoints of package casetest/madeup: for each size its name and the
SHA-256 of its encoder and its decoder. Needs numpy and onnx; 4 GB of memory for large-v3.

Usage: made_up.py FOLDER [SIZE...] > made_up.txt   FOLDER holds the reference, build_graphs.py (here: .)
"""
import hashlib, sys

import numpy as np

# name: mel bands, width, layers of encoder and decoder, words, alignment heads (OpenAI's table, as in heads.go)
SIZES = {
    "tiny": (80, 384, 4, 4, 51865, [(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)]),
    "base": (80, 512, 6, 6, 51865, [(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)]),
    "small": (80, 768, 12, 12, 51865, [(5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5)]),
    "medium": (80, 1024, 24, 24, 51865, [(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)]),
    "turbo": (128, 1280, 32, 4, 51866, [(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)]),
    "large-v3": (128, 1280, 32, 32, 51866, [(7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6)]),
}


def tensors(mels, d, audio_layers, text_layers, words):
    """Names and shapes, in the order that the numbers are made by."""
    def both(name, *dims):
        yield name + ".weight", dims
        yield name + ".bias", dims[:1]

    def block(p, *attentions):
        for a in attentions:
            yield from both(p + a + ".query", d, d)
            yield p + a + ".key.weight", (d, d)
            yield from both(p + a + ".value", d, d)
            yield from both(p + a + ".out", d, d)
            yield from both(p + a + "_ln", d)
        yield from both(p + "mlp.0", 4 * d, d)
        yield from both(p + "mlp.2", d, 4 * d)
        yield from both(p + "mlp_ln", d)

    yield from both("encoder.conv1", d, mels, 3)
    yield from both("encoder.conv2", d, d, 3)
    yield "encoder.positional_embedding", (1500, d)
    for i in range(audio_layers):
        yield from block(f"encoder.blocks.{i}.", "attn")
    yield from both("encoder.ln_post", d)
    yield "decoder.token_embedding.weight", (words, d)
    yield "decoder.positional_embedding", (448, d)
    for i in range(text_layers):
        yield from block(f"decoder.blocks.{i}.", "attn", "cross_attn")
    yield from both("decoder.ln", d)


def numbers(tensor, dims):
    """The numbers of one tensor: half precision made from a hash of their places, as 32-bit floats."""
    x = np.arange(int(np.prod(dims)), dtype=np.uint32)
    x *= np.uint32(0x9E3779B1)
    x += np.uint32((tensor * 0x85EBCA6B + 0x27D4EB2F) % 2**32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    half = (x >> np.uint32(31) << np.uint32(15)) | ((8 + (x >> np.uint32(29) & np.uint32(3))) << np.uint32(10)) | (x & np.uint32(1023))
    return half.astype(np.uint16).view(np.float16).astype(np.float32).reshape(dims)


class MadeUp(dict):
    """A state dict whose tensors are made when they are asked for, and not kept."""

    def __init__(self, *dims):
        super().__init__((name, (i, shape)) for i, (name, shape) in enumerate(tensors(*dims)))

    def __getitem__(self, name):
        return numbers(*super().__getitem__(name))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import build_graphs as reference
    for size in sys.argv[2:] or SIZES:
        mels, d, audio_layers, text_layers, words, heads = SIZES[size]
        sd = MadeUp(mels, d, audio_layers, text_layers, words)
        dims = dict(n_mels=mels, n_audio_state=d, n_audio_head=d // 64, n_audio_layer=audio_layers,
                    n_vocab=words, n_text_state=d, n_text_head=d // 64, n_text_layer=text_layers)
        digests = [hashlib.sha256(g.SerializeToString()).hexdigest() for g in (reference.encoder(sd, dims),)]
        digests += [hashlib.sha256(g.SerializeToString()).hexdigest() for g in (reference.decoder(sd, dims, heads),)]
        print(size, *digests, flush=True)
