"""What the drivers of the peers share: the protocol between `bench/eval` and a peer.

A driver is called with one file, JSON: {"models": FOLDER, "threads": N, "settings": {...}, "files": [{"path": WAV, "language": CODE}]}.
It prints one JSON line for each file, in order:
    {"path", "language", "text", "words": [{"word", "start", "end", "probability"}], "wall", "cpu"}
and a last one: {"engine", "version", "load_wall", "load_cpu", "peak_mb"}. Times are in seconds. "words" is absent where the
peer gives none with these settings. "cpu" counts all threads of the process. Loading is not part of any file's time.
"""
import json
import resource
import sys
import time


def run(engine, version, load, hear):
    """load(request) gives what hear(loaded, file, request) needs to give (text, language, words or None)."""
    with open(sys.argv[1]) as f:
        request = json.load(f)
    wall, cpu = time.perf_counter(), time.process_time()
    loaded = load(request)
    load_wall, load_cpu = time.perf_counter() - wall, time.process_time() - cpu
    for file in request["files"]:
        wall, cpu = time.perf_counter(), time.process_time()
        text, language, words = hear(loaded, file, request)
        line = {"path": file["path"], "language": language, "text": text, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        if words is not None:
            line["words"] = words
        print(json.dumps(line, ensure_ascii=False), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"engine": engine, "version": version, "load_wall": load_wall, "load_cpu": load_cpu, "peak_mb": peak}))
