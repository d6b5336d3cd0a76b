"""Makes vectors.json: what the Python package resemblyzer 0.1.4 gives for spans of demo/audio/jfk.wav.

  python3 -m venv venv && venv/bin/pip install torch librosa webrtcvad-wheels scipy numpy
  venv/bin/pip install --no-deps resemblyzer==0.1.4
  venv/bin/python internal/engines/voice/testdata/make_vectors.py > internal/engines/voice/testdata/vectors.json

Made with torch 2.15.0, librosa 0.11.0, numpy 2.4.6. The package's cutting out of silence is left aside: Earwitness shows the
encoder what detection found. A span is made quieter by `divide`, with integer division, to see the level being raised.
"""
import json, sys, types, wave, pathlib
import scipy.ndimage
sys.modules["scipy.ndimage.morphology"] = types.SimpleNamespace(binary_dilation=scipy.ndimage.binary_dilation)  # its old place
import numpy as np
from resemblyzer import VoiceEncoder, audio, normalize_volume
from resemblyzer.hparams import audio_norm_target_dBFS

with wave.open(str(pathlib.Path(__file__).parents[4] / "demo" / "audio" / "jfk.wav")) as w:
    pcm = np.frombuffer(w.readframes(w.getnframes()), dtype="<i2")
encoder = VoiceEncoder("cpu", verbose=False)
cases = []
for first, last, divide in [(0, len(pcm), 1), (5000, 37000, 1), (50000, 50000 + 12800, 1), (60001, 60001 + 25600, 1), (100000, 139999, 40), (8000, 8000 + 40960, 400)]:
    x = (np.trunc(pcm[first:last] / divide)).astype(np.float32) / 32768
    x = normalize_volume(x, audio_norm_target_dBFS, increase_only=True).astype(np.float32)
    mel = audio.wav_to_mel_spectrogram(x)
    v = encoder.embed_utterance(x)
    cases.append({"from": first, "to": last, "divide": divide, "mel_frame_50": [float("%.6g" % f) for f in mel[50]], "voice": [float("%.7g" % f) for f in v]})
json.dump({"sound": "demo/audio/jfk.wav", "cases": cases}, sys.stdout)
print()
