#!/usr/bin/env python3
"""whisper.cpp, fp16, by pywhispercpp. Settings: beam (0: greedy, as its library's defaults have it; 5: its command's default)."""
import glob
import importlib.metadata
import os
import wave

import _pywhispercpp
import numpy as np
from pywhispercpp.model import Model

import common


def load(request):
    options = {"n_threads": request["threads"], "print_progress": False, "print_realtime": False, "print_timestamps": False}
    beam = request["settings"]["beam"]
    if beam:
        options["beam_search"] = {"beam_size": beam, "patience": -1.0}
    else:
        options["greedy"] = {"best_of": 5}  # candidates where it falls back to sampling
    return Model(os.path.join(request["models"], "ggml", "ggml-base.bin"), params_sampling_strategy=1 if beam else 0, redirect_whispercpp_logs_to=None, **options)


def hear(model, file, request):
    with wave.open(file["path"]) as w:
        pcm = np.frombuffer(w.readframes(w.getnframes()), np.int16).astype(np.float32) / 32768
    segments = model.transcribe(pcm, language=file["language"] or "auto")
    return " ".join(s.text.strip() for s in segments), file["language"], None


def version():
    """The version of whisper.cpp itself is in the name of its library."""
    names = [os.path.basename(n) for n in glob.glob(os.path.join(os.path.dirname(_pywhispercpp.__file__), "**", "libwhisper*.so.*.*"), recursive=True)]
    return f"{names[0].split('.so.')[1] if names else '?'} (pywhispercpp {importlib.metadata.version('pywhispercpp')})"


if __name__ == "__main__":
    common.run("whisper.cpp", version(), load, hear)
