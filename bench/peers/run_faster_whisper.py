#!/usr/bin/env python3
"""faster-whisper, int8 on the CPU. Settings: beam (5 is its default), vad, words, batch (over 0: BatchedInferencePipeline)."""
import os

import ctranslate2
import faster_whisper

import common


def load(request):
    model = faster_whisper.WhisperModel(os.path.join(request["models"], "ct2"), device="cpu", compute_type="int8", cpu_threads=request["threads"], num_workers=1)
    return faster_whisper.BatchedInferencePipeline(model) if request["settings"].get("batch") else model


def hear(model, file, request):
    s = request["settings"]
    options = {"beam_size": s["beam"], "language": file["language"] or None, "vad_filter": s.get("vad", False), "word_timestamps": s.get("words", False)}
    if s.get("batch"):
        options |= {"batch_size": s["batch"], "vad_filter": True}  # it cuts the sound by its voice detector
    segments, info = model.transcribe(file["path"], **options)
    text, words = [], []
    for segment in segments:
        text.append(segment.text)
        words += [{"word": w.word.strip(), "start": w.start, "end": w.end, "probability": w.probability} for w in segment.words or []]
    return "".join(text).strip(), info.language, words if s.get("words") else None


if __name__ == "__main__":
    common.run("faster-whisper", f"{faster_whisper.__version__} (CTranslate2 {ctranslate2.__version__})", load, hear)
