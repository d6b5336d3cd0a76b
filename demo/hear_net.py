#!/usr/bin/env python3
"""Have Whisper hear the demo's nets and compare with their truth: character and word error rate by signal-to-noise ratio.

    pip install faster-whisper
    python3 demo/hear_net.py MODELDIR        a CTranslate2 folder: model.bin, config.json, tokenizer.json, vocabulary.json

Each transmission is cut out at its key-down and key-up, as a perfect detector would, and decoded greedily. Texts are compared in lower
case, without punctuation, with e for yo; characters are compared without spaces.
"""
import json, pathlib, re, sys

AUDIO = pathlib.Path(__file__).resolve().parent / "audio"


def words(text):
    return re.sub(r"[^\w ]", " ", text.lower().replace("ё", "е")).split()


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def main():
    from faster_whisper import WhisperModel
    from faster_whisper.audio import decode_audio
    model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=2)
    for path in sorted(AUDIO.glob("net-*.truth.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        x, rate, sums = decode_audio(str(AUDIO / truth["file"]), sampling_rate=16000), 16000, {}
        for e in truth["transmissions"]:
            if "text" not in e:
                continue
            part = x[int((e["start"] - 0.2) * rate): int((e["end"] + 0.1) * rate)]
            segments, _ = model.transcribe(part, language=truth["language"], beam_size=1, condition_on_previous_text=False, without_timestamps=True)
            heard = " ".join(s.text.strip() for s in segments)
            a, b = words(e["text"]), words(heard)
            group = "overlap" if e["kind"] == "overlap" else "15 dB and more" if e["snr_db"] >= 15 else "under 15 dB"
            s = sums.setdefault(group, [0, 0, 0, 0, 0])
            for k, v in enumerate((1, distance("".join(a), "".join(b)), len("".join(a)), distance(a, b), len(a))):
                s[k] += v
            print(f'{e["start"]:7.2f} {e["snr_db"]:5.1f} dB  {e["text"]}  ->  {heard}')
        for group, (n, c, chars, w, count) in sums.items():
            print(f'{truth["file"]}, {group}: {n} transmissions, character error rate {c / chars:.2f}, word error rate {w / count:.2f}')


if __name__ == "__main__":
    main()
