#!/usr/bin/env python3
"""Make the synthetic radio nets of the demo: audio/net-ru.opus and audio/net-en.opus, each with its truth.

    apt-get install festival festvox-ru flite sox opus-tools && pip install numpy
    python3 demo/make_net.py            remake both nets in demo/audio
    python3 demo/make_net.py --check    make them again elsewhere and compare with what is committed
    python3 demo/make_net.py --wav DIR  leave the 16 kHz WAV files there, too

What is said, by whom and how well it is received stands in net-ru.plan.json and net-en.plan.json. Call signs, frequencies and words are
invented; one short line echoes what newspapers reported from a real net. The voices are speech synthesisers, one pitch a station.

Model of the channel, all levels in dB relative to full scale (RMS within 300-3000 Hz). Between transmissions the receiver hisses at
FLOOR. A key down clicks; the carrier rises within 40-140 ms and quiets the hiss by up to 4 dB, the stronger the station the more;
speech follows after 0.15-0.45 s; at key up the squelch stays open for 80-300 ms and the hiss bursts 6 dB above FLOOR (the tail).
Speech is compressed, overdriven a little, limited to the band and fades slowly, fast or not at all. Crashes, ignition crackle, a
heterodyne, a jammer and data come on top.

Same plan, same seed, same versions of the tools (they are written into the truth): the same WAV, byte for byte. The Opus bytes
depend besides on libopus and opusenc (their version is in the file's own header); the Ogg serial number is fixed. Another version of
numpy or of a voice may move samples, never the words.
"""
import argparse, hashlib, json, pathlib, subprocess, sys, tempfile, wave
import numpy as np

RATE = 16000                    # samples a second of the WAV
FLOOR = -34.0                   # hiss between transmissions
TAIL = 6.0                      # squelch tail above FLOOR
QUIETING = 4.0                  # most that a carrier quiets the hiss
HERE = pathlib.Path(__file__).resolve().parent
NETS = ("net-ru", "net-en")


def db(x):
    return 10.0 ** (np.asarray(x, float) / 20.0)


def rms_db(x):
    return 20 * np.log10(max(float(np.sqrt(np.mean(np.square(x)))), 1e-9))


def band(x, low=(200, 330), high=(3000, 3400), slope=0.0):
    """Limits x to the radio's band by one FFT over all of it, raised-cosine edges from..to Hz; slope in dB an octave, 0 at 1 kHz."""
    n = 1 << (len(x) + RATE - 1).bit_length()
    f = np.fft.rfftfreq(n, 1 / RATE)
    up = np.clip((f - low[0]) / (low[1] - low[0]), 0, 1)
    down = np.clip((high[1] - f) / (high[1] - high[0]), 0, 1)
    gain = (0.5 - 0.5 * np.cos(np.pi * up)) * (0.5 - 0.5 * np.cos(np.pi * down)) * db(slope * np.log2(np.maximum(f, 50) / 1000))
    return np.fft.irfft(np.fft.rfft(x, n) * gain, n)[: len(x)]


def active(x):
    """Samples of the 20 ms frames that lie within 25 dB of the loudest: where somebody is speaking, not pausing."""
    n = RATE // 50
    frames = x[: len(x) // n * n].reshape(-1, n)
    level = np.sqrt(np.mean(frames ** 2, axis=1))
    return np.repeat(level > level.max() * db(-25), n)


# Voices ---------------------------------------------------------------------------------------------------------------------

def speak(text, voice, cents, tempo, folder):
    """Has a synthesiser say text, moves its pitch by cents and its pace by tempo, trims the silence around it; peak 1."""
    raw, out = folder / "raw.wav", folder / "out.wav"
    if voice.startswith("festival:"):
        (folder / "text.txt").write_text(text + "\n", encoding="utf-8")
        run("text2wave", "-eval", f"({voice[9:]})", folder / "text.txt", "-o", raw)
    else:
        run("flite", "-voice", voice[6:], "-t", text, raw)
    run("sox", "-R", "-D", raw, "-r", str(RATE), "-c", "1", "-b", "16", out, "pitch", str(cents), "tempo", "-s", str(tempo))
    with wave.open(str(out)) as w:
        assert (w.getframerate(), w.getnchannels(), w.getsampwidth()) == (RATE, 1, 2)
        x = np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(float)
    loud = np.flatnonzero(np.abs(x) > 0.01 * np.abs(x).max())
    x = x[max(loud[0] - 160, 0): loud[-1] + 160]
    return x / np.abs(x).max()


def microphone(x):
    """The sender's audio: raised towards the treble as radio microphones do, levelled, overdriven a little, limited to the band."""
    x, n = band(x, (150, 300), (3000, 3600), 4.0), RATE // 20
    power = np.convolve(x ** 2, np.ones(n) / n, "same")
    x = x / np.maximum(np.sqrt(power), 0.05) ** 0.25
    x = x / np.abs(x).max()
    return band(np.tanh(1.1 * x))


# Channel --------------------------------------------------------------------------------------------------------------------

def fading(kind, n, rng):
    """Gain over n samples: slow (periods of 3-9 s, 4 dB), fast (flutter at 3-9 Hz, down to -10 dB) or none."""
    t = np.arange(n) / RATE
    slow = sum(np.sin(2 * np.pi * (f * t + p)) for f, p in zip(rng.uniform(0.11, 0.33, 2), rng.uniform(0, 1, 2)))
    if kind == "slow":
        return db(4.0 * slow)
    if kind == "fast":
        f, p, q = rng.uniform(-6, 6, 8), rng.uniform(0, 1, 8), rng.uniform(0, 1, 8)
        i = sum(np.sin(2 * np.pi * (a * t + b)) for a, b in zip(f, p))
        j = sum(np.sin(2 * np.pi * (a * t + b)) for a, b in zip(f, q))
        return np.maximum(np.hypot(i, j) / np.sqrt(8), db(-10)) * db(slow)
    return db(0.5 * slow)


def hiss(n, rng):
    x = band(rng.standard_normal(n), slope=-2.0)
    return x / np.sqrt(np.mean(x ** 2))


def click(rng):
    """A press-to-talk contact: 8 ms of a damped thump with a little bounce."""
    t = np.arange(int(0.02 * RATE)) / RATE
    x = np.exp(-t / 0.0025) * np.sin(2 * np.pi * rng.uniform(700, 1300) * t)
    x[int(0.008 * RATE):] += 0.5 * x[: len(x) - int(0.008 * RATE)]
    return x


def melody(n, rng):
    """A jammer's whistled tune: own notes, with vibrato and a second voice a fifth below, under its own noise."""
    notes = [659, 784, 880, 784, 659, 587, 659, 523, 587, 659, 698, 659, 587, 523, 494, 523, 784, 880, 988, 880, 784, 659, 698, 587]
    pitch = np.empty(n)
    at, i = 0, 0
    loud = np.empty(n)
    while at < n:
        length = int(RATE * (0.24, 0.24, 0.48, 0.36, 0.12)[i % 5])
        end = min(at + length, n)
        pitch[at:end] = 1.5 * notes[i % len(notes)]
        loud[at:end] = np.minimum(1, np.minimum(np.arange(end - at), np.arange(end - at)[::-1]) / (0.02 * RATE))
        at, i = end, i + 1
    t = np.arange(n) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.012 * np.sin(2 * np.pi * 5.5 * t))) / RATE
    x = loud * (np.sin(phase) + 0.25 * np.sin(2 * phase) + 0.5 * np.sin(2 * phase / 3))
    return x + 0.25 * band(rng.standard_normal(n), high=(1800, 2600))


def fsk(n, rng, baud=300, mark=1200, space=2200):
    """A data burst: random bits, phase-continuous frequency shift keying after a short leader of marks."""
    step = RATE / baud
    bits = rng.integers(0, 2, int(n / step) + 2)
    bits[: int(0.15 * baud)] = 1
    f = np.where(bits[(np.arange(n) / step).astype(int)] == 1, mark, space)
    return np.sin(2 * np.pi * np.cumsum(f) / RATE)


def tone(n, hz, drift, rng):
    t = np.arange(n) / RATE
    return np.sin(2 * np.pi * np.cumsum(hz + drift * np.sin(2 * np.pi * (0.07 * t + rng.uniform()))) / RATE)


def crackle(n, rng):
    """Ignition: pulses at an engine's changing speed, each a burst of half a millisecond."""
    x, at = np.zeros(n), 0.0
    while at < n - 40:
        k = int(at)
        x[k: k + 10] += rng.uniform(0.4, 1.0) * rng.standard_normal(10)
        at += RATE / (34 + 9 * np.sin(2 * np.pi * at / RATE / 7.0)) * rng.uniform(0.93, 1.07)
    return band(x)


def crash(rng):
    """A static crash: noise that dies away within 0.1-0.5 s."""
    n = int(RATE * rng.uniform(0.1, 0.5))
    return rng.standard_normal(n) * np.exp(-np.arange(n) / n * 4)


# A net ----------------------------------------------------------------------------------------------------------------------

class Net:
    """Lays events on a time line: the hiss's level, the stations' signals, what disturbs them, the truth."""

    def __init__(self, plan, folder):
        self.plan, self.folder, self.truth, self.now = plan, folder, [], 0.0
        n = int(plan["seconds"] * RATE)
        self.floor = np.full(n, FLOOR)              # hiss, dB, over time
        self.signal, self.other = np.zeros(n), np.zeros(n)
        self.stems = []                             # (truth entry, first sample, faded speech)

    def rng(self, *what):
        return np.random.default_rng([self.plan["seed"], *what])

    def add(self, to, at, x):
        to[at: at + len(x)] += x[: max(len(to) - at, 0)]

    def keying(self, start, end, quiet, tail, rise, rng):
        """Clicks, the carrier's rise and the squelch tail of one transmission; times in seconds."""
        a, b, c = (int(t * RATE) for t in (start, end, end + tail))
        r = int(rise * RATE)
        self.floor[a: a + r] = np.minimum(self.floor[a: a + r], np.linspace(FLOOR, FLOOR - quiet, r))
        self.floor[a + r: b] = np.minimum(self.floor[a + r: b], FLOOR - quiet)
        self.floor[b:c] = FLOOR + TAIL
        self.add(self.other, a, db(FLOOR + 16) * click(rng))
        self.add(self.other, b, db(FLOOR + 12) * click(rng))

    def note(self, **entry):
        self.truth.append(entry)
        return entry

    def talk(self, i, event, start, kind):
        """One transmission with words, keyed at start; returns when its tail ends."""
        rng = self.rng(1, i)
        station = self.plan["stations"][event["from"]]
        x = microphone(speak(event["text"], station["voice"], station["cents"], station["tempo"], self.folder))
        x = x * fading(event.get("fade", "none"), len(x), rng)
        snr, lead, rest = event["snr"], rng.uniform(0.15, 0.45), rng.uniform(0.1, 0.35)
        rise, tail = rng.uniform(0.04, 0.14), event.get("tail", round(rng.uniform(0.08, 0.3), 2))
        quiet = float(np.clip((snr - 5) / 5, 0, QUIETING))
        x = x / np.sqrt(np.mean(x[: len(active(x))][active(x)] ** 2)) * db(FLOOR - quiet + snr)
        said, end = start + lead, start + lead + len(x) / RATE + rest
        self.keying(start, end, quiet, tail, rise, rng)
        self.add(self.signal, int(said * RATE), x)
        entry = self.note(kind=kind, start=start, end=end, tail_end=end + tail, speech_start=said, speech_end=said + len(x) / RATE,
                          language=event.get("language", self.plan["language"]), text=event["text"], snr_db=None,
                          fading=event.get("fade", "none"), **{"from": event["from"], "to": event.get("to", "")})
        self.stems.append((entry, int(said * RATE), x))
        return end + tail

    def sound(self, i, event, start):
        """One event without words: data, tone, music, noise."""
        rng, kind, seconds = self.rng(2, i), event["kind"], event["seconds"]
        n, snr = int(seconds * RATE), event.get("snr")
        at = int(start * RATE)
        entry = dict(kind=kind, start=start, end=start + seconds, what=event["what"])
        if event["what"] == "ignition crackle":
            x = crackle(n, rng)
            self.add(self.other, at, x / np.abs(x).max() * db(FLOOR + 13))
        elif kind != "noise":
            x = {"data": lambda: fsk(n, rng), "tone": lambda: tone(n, event.get("hz", 1750), event.get("drift", 0), rng),
                 "music": lambda: melody(n, rng)}[kind]()
            ramp = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.03 * RATE))
            x = band(x * ramp * fading(event.get("fade", "none"), n, rng))
            self.add(self.other, at, x / np.sqrt(np.mean(x ** 2)) * db(FLOOR + snr))
            entry["snr_db"] = snr
            if event.get("keyed", not event.get("over")):
                tail = round(rng.uniform(0.08, 0.3), 2)
                self.keying(start, start + seconds, 0.0, tail, 0.05, rng)
                entry["tail_end"] = start + seconds + tail
        self.note(**entry)
        return entry.get("tail_end", start + seconds)

    def build(self):
        self.now = self.plan["lead"]
        for i, event in enumerate(self.plan["events"]):
            start = round(self.now + event["gap"], 3)
            if event["kind"] == "overlap":
                ends = [self.talk(100 * i + k, e, round(start + e.get("delay", 0), 3), "overlap") for k, e in enumerate(event["talk"])]
                self.now = max(ends)
            elif event["kind"] == "speech":
                self.now = self.talk(100 * i, event, start, "speech")
            else:
                end = self.sound(i, event, start)
                self.now = self.now if event.get("over") else end       # over: what follows is heard through it
        end = self.now + self.plan["lead"]
        if end > self.plan["seconds"]:
            sys.exit(f"{self.plan['name']}: the events need {end:.1f} s, the plan gives {self.plan['seconds']} s")
        return self.mix()

    def mix(self):
        n, rng = len(self.signal), self.rng(3)
        t = np.arange(n) / RATE
        width = int(0.003 * RATE)
        drift = 0.8 * np.sin(2 * np.pi * t / 41) + 0.5 * np.sin(2 * np.pi * t / 17.3)
        level = np.convolve(np.pad(self.floor, width, "edge"), np.ones(width) / width, "same")[width:-width] + drift
        noise = hiss(n, rng) * db(level)
        crashes = []
        for k in range(int(self.plan["seconds"] * self.plan["crashes_a_minute"] / 60)):
            at = round(float(rng.uniform(1, self.plan["seconds"] - 1)), 3)
            self.add(self.other, int(at * RATE), crash(rng) * db(FLOOR + rng.uniform(4, 12)))
            crashes.append(at)
        for entry, at, x in self.stems:             # what was reached, against the hiss alone
            loud = active(x)
            entry["snr_db"] = round(rms_db(x[: len(loud)][loud]) - rms_db(noise[at: at + len(x)]), 1)
        mix = band(noise + self.signal + self.other, (180, 320), (2950, 3400))
        mix = 0.9 * np.tanh(mix / 0.9)
        self.truth.sort(key=lambda e: (e["start"], e["end"]))
        for k, e in enumerate(self.truth):
            for f in ("start", "end", "tail_end", "speech_start", "speech_end"):
                if f in e:
                    e[f] = round(e[f], 3)
            self.truth[k] = {"id": k + 1, **e}
        return np.round(np.clip(mix, -1, 1) * 32767).astype("<i2"), sorted(crashes)


# Files ----------------------------------------------------------------------------------------------------------------------

def run(*command, fine=(0,)):
    done = subprocess.run([str(c) for c in command], capture_output=True)
    if done.returncode not in fine:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def versions():
    """What made the samples: versions as the tools give them."""
    lines = lambda *c: [l.strip() for l in run(*c, fine=(0, 1)).splitlines() if l.strip()]     # flite --version exits with 1
    return {"python": sys.version.split()[0], "numpy": np.__version__, "festival": lines("festival", "-v")[0],
            "flite": next(l for l in lines("flite", "--version") if "version" in l), "sox": lines("sox", "--version")[0].split(":")[-1].strip(),
            "opusenc": lines("opusenc", "--version")[0]}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(name, out, wavs):
    plan = json.loads((HERE / f"{name}.plan.json").read_text(encoding="utf-8"))
    wav, opus = wavs / f"{name}.wav", out / f"{name}.opus"
    with tempfile.TemporaryDirectory() as folder:
        net = Net(plan, pathlib.Path(folder))
        samples, crashes = net.build()
    with wave.open(str(wav), "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(samples.tobytes())
    run("opusenc", "--quiet", "--bitrate", "20", "--vbr", "--comp", "10", "--framesize", "20", "--speech", "--serial", plan["seed"],
        "--title", f"SYNTHETIC radio net ({plan['language']})", "--artist", "speech synthesisers",
        "--comment", "SYNTHETIC=yes: invented words, invented stations, synthetic voices, simulated radio channel",
        "--comment", "DESCRIPTION=SYNTHETIC. Made by demo/make_net.py of Earwitness. Not a recording of any real radio traffic.", wav, opus)
    truth = {"format": "earwitness demo truth 1", "synthetic": True, "file": f"{name}.opus", "file_sha256": sha256(opus),
             "wav_sha256": sha256(wav), "sample_rate": RATE, "seconds": len(samples) / RATE, "seed": plan["seed"], "language": plan["language"],
             "made_with": versions(), "floor_dbfs": FLOOR, "transmissions": net.truth, "crashes": crashes}
    (out / f"{name}.truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    spoken = [e for e in net.truth if "text" in e]
    print(f"{name}: {len(samples) / RATE:.0f} s, {len(spoken)} transmissions with words, {opus.stat().st_size} bytes, WAV {sha256(wav)[:12]}")


def main():
    args = argparse.ArgumentParser(description="Make the demo's synthetic radio nets.")
    args.add_argument("--check", action="store_true", help="make them elsewhere and compare with what is committed")
    args.add_argument("--wav", metavar="DIR", type=pathlib.Path, help="leave the WAV files in DIR")
    args.add_argument("--only", choices=NETS, help="this net alone")
    a = args.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        audio = HERE / "audio"
        differ = False
        for name in [a.only] if a.only else NETS:
            make(name, scratch if a.check else audio, a.wav or scratch)
            if a.check:
                old, new = (json.loads((d / f"{name}.truth.json").read_text(encoding="utf-8")) for d in (audio, scratch))
                for field in ("wav_sha256", "file_sha256", "transmissions"):
                    same = old[field] == new[field]
                    differ |= not same
                    print(f"  {field}: {'same' if same else 'DIFFERS'}")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
