#!/usr/bin/env python3
"""Makes the fixtures beside it: one known signal in every container and codec that Debian can write.

The signal is silence with short chirps (300 to 3000 Hz, 60 ms, Hann window) whose middles lie at known times, so
that a test can measure where a decoder puts them. Needs Debian's ffmpeg, libopencore-amrnb0 and libvo-amrwbenc0.
Encoders may change between versions: the files are committed, this script says how they came about.
"""
import ctypes
import json
import math
import os
import struct
import subprocess
import tempfile
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = (3.2, [0.25, 0.80, 1.45, 2.20, 2.95])
SHORT = (1.0, [0.25, 0.80])
fixtures = []


def chirp(rate, offset):
    """Value of the chirp whose middle is at 0, offset seconds from it."""
    half, low, high = 0.030, 300.0, 3000.0
    if abs(offset) >= half:
        return 0.0
    u = offset + half
    phase = 2 * math.pi * (low * u + (high - low) * u * u / (4 * half))
    return math.sin(phase) * 0.5 * (1 + math.cos(math.pi * offset / half))


def signal(rate, seconds, middles, gain=0.5):
    out = [0.0] * round(seconds * rate)
    for m in middles:
        for i in range(max(0, int((m - 0.031) * rate)), min(len(out), int((m + 0.031) * rate) + 1)):
            out[i] += gain * chirp(rate, i / rate - m)
    return out


def write_wav(path, rate, channels):
    frames = zip(*channels)
    with wave.open(path, "wb") as w:
        w.setnchannels(len(channels))
        w.setsampwidth(2)
        w.setframerate(rate)
        w.writeframes(b"".join(struct.pack("<%dh" % len(channels), *(round(32767 * v) for v in f)) for f in frames))


def ffmpeg(*args):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *args], check=True)


def add(name, codec, seconds, chirps, rate, channels, limit="", **more):
    size = os.path.getsize(os.path.join(HERE, name))
    assert size < 20 * 1024, (name, size)
    fixtures.append(dict(file=name, codec=codec, seconds=seconds, chirps=chirps, rate=rate, channels=channels, limit=limit, **more))


def encode(name, codec, args, what=LONG, rate=48000, channels=1, source=None, **more):
    seconds, middles = what
    src = source or os.path.join(TMP, "%s-%d.wav" % ("long" if what is LONG else "short", rate))
    if not os.path.exists(src):
        write_wav(src, rate, [signal(rate, seconds, middles)])
    ffmpeg("-bitexact", "-i", src, *args, "-fflags", "+bitexact", "-flags:a", "+bitexact", os.path.join(HERE, name))
    add(name, codec, seconds, middles, more.pop("out_rate", rate), channels, **more)
    return os.path.join(HERE, name)


def amr(name, rate, lib, init, enc, mode, magic, frame):
    """AMR has no encoder in Debian's ffmpeg: call the library."""
    l = ctypes.CDLL(lib)
    getattr(l, init).restype = ctypes.c_void_p
    state = ctypes.c_void_p(getattr(l, init)(0) if rate == 8000 else getattr(l, init)())
    pcm = [round(32767 * v) for v in signal(rate, *LONG)]
    pcm += [0] * (-len(pcm) % frame)
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(magic)
        out = ctypes.create_string_buffer(256)
        for i in range(0, len(pcm), frame):
            block = (ctypes.c_short * frame)(*pcm[i : i + frame])
            size = getattr(l, enc)(state, mode, block, out, 0)
            f.write(out.raw[:size])


VIDEO = ["-f", "lavfi", "-i", "color=c=gray:s=32x32:r=2:d=3.2"]

with tempfile.TemporaryDirectory() as TMP:
    SHIFTED = "the muxer moved all streams by the encoder's delay, so that no timestamp is negative: the file's own time"
    UNSIGNALLED = "the encoder's delay is not written anywhere in this format: chirps lie that much late"
    encode("opus.ogg", "opus", ["-c:a", "libopus", "-b:a", "16k"])
    encode("vorbis.ogg", "vorbis", ["-c:a", "libvorbis", "-b:a", "40k"], rate=44100)
    encode("speex.ogg", "speex", ["-c:a", "libspeex", "-ar", "16000"], rate=16000, late=[13, 15], limit="Speex looks ahead, here 14 ms, and says so nowhere")
    encode("flac.ogg", "flac", ["-c:a", "flac"], what=SHORT, rate=16000)
    encode("cbr.mp3", "mp3", ["-c:a", "libmp3lame", "-b:a", "32k"], rate=44100)
    encode("vbr.mp3", "mp3", ["-c:a", "libmp3lame", "-q:a", "7"], rate=44100)
    encode("mpeg2.mp3", "mp3", ["-c:a", "libmp3lame", "-q:a", "7"], rate=16000)
    encode("noxing.mp3", "mp3", ["-c:a", "libmp3lame", "-b:a", "32k", "-write_xing", "0", "-id3v2_version", "0"], rate=44100, late=[24, 26], limit=UNSIGNALLED)
    encode("aac.m4a", "aac", ["-c:a", "aac", "-b:a", "32k"])
    encode("alac.m4a", "alac", ["-c:a", "alac"], what=SHORT, rate=16000)
    encode("adts.aac", "aac", ["-c:a", "aac", "-b:a", "32k"], late=[20, 24], limit=UNSIGNALLED)
    encode("ac3.ac3", "ac3", ["-c:a", "ac3", "-b:a", "32k"], late=[4, 8], limit=UNSIGNALLED)
    encode("mp2.mp2", "mp2", ["-c:a", "mp2", "-b:a", "32k"], late=[9, 11], limit=UNSIGNALLED)
    encode("wma2.wma", "wmav2", ["-c:a", "wmav2", "-b:a", "32k"], rate=44100, late=[44, 48], limit=UNSIGNALLED)
    encode("flac.flac", "flac", ["-c:a", "flac"], rate=22050, what=SHORT)
    encode("pcm16.wav", "pcm_s16le", ["-c:a", "pcm_s16le"], what=SHORT, rate=8000)
    encode("mulaw.wav", "pcm_mulaw", ["-c:a", "pcm_mulaw"], what=SHORT, rate=8000)
    encode("adpcm.wav", "adpcm_ima_wav", ["-c:a", "adpcm_ima_wav"], what=SHORT, rate=16000)
    encode("rf64.wav", "pcm_mulaw", ["-c:a", "pcm_mulaw", "-rf64", "always"], what=SHORT, rate=8000)
    encode("mulaw.w64", "pcm_mulaw", ["-c:a", "pcm_mulaw"], what=SHORT, rate=8000)
    encode("pcm.aiff", "pcm_s16be", ["-c:a", "pcm_s16be"], what=SHORT, rate=8000)
    encode("mulaw.caf", "pcm_mulaw", ["-c:a", "pcm_mulaw"], what=SHORT, rate=8000)
    encode("mulaw.au", "pcm_mulaw", ["-c:a", "pcm_mulaw"], what=SHORT, rate=8000)
    encode("wavpack.wv", "wavpack", ["-c:a", "wavpack"], what=SHORT, rate=16000)
    encode("tta.tta", "tta", ["-c:a", "tta"], what=SHORT, rate=16000)
    encode("opus.webm", "opus", ["-c:a", "libopus", "-b:a", "16k"])
    encode("vorbis.mka", "vorbis", ["-c:a", "libvorbis", "-b:a", "40k"], rate=44100, late=[5, 7], limit=SHIFTED)
    encode("mp3.flv", "mp3", ["-c:a", "libmp3lame", "-b:a", "32k"], rate=44100, late=[24, 26], limit=UNSIGNALLED)
    encode("mp3.avi", "mp3", ["-c:a", "libmp3lame", "-b:a", "32k"], what=SHORT, rate=16000, late=[68, 70], limit=UNSIGNALLED)

    amr("amrnb.amr", 8000, "libopencore-amrnb.so.0", "Encoder_Interface_init", "Encoder_Interface_Encode", 7, b"#!AMR\n", 160)
    add("amrnb.amr", "amr_nb", *LONG, 8000, 1, late=[4, 7], limit="AMR looks ahead 5 ms and says so nowhere")
    amr("amrwb.awb", 16000, "libvo-amrwbenc.so.0", "E_IF_init", "E_IF_encode", 8, b"#!AMR-WB\n", 320)
    add("amrwb.awb", "amr_wb", *LONG, 16000, 1, late=[4, 7], limit="AMR-WB looks ahead 5 ms and says so nowhere; its encoder halves this signal", gain=0.24)
    ffmpeg("-i", os.path.join(HERE, "amrnb.amr"), "-c", "copy", "-fflags", "+bitexact", os.path.join(HERE, "amrnb.3gp"))
    add("amrnb.3gp", "amr_nb", *LONG, 8000, 1, late=[4, 7], limit="AMR looks ahead 5 ms and says so nowhere")

    # Video beside the audio; the index at the end; audio that starts half a second after the video.
    src = os.path.join(TMP, "long-48000.wav")
    x264 = ["-c:v", "libx264", "-threads", "1", "-c:a", "aac", "-b:a", "32k", "-fflags", "+bitexact", "-flags", "+bitexact"]
    later = [c + 0.5 for c in LONG[1]]
    for name, args in [("video.mp4", x264), ("frag.mp4", x264 + ["-bf", "0", "-movflags", "frag_keyframe+empty_moov+delay_moov"]), ("video.mkv", x264)]:
        ffmpeg(*VIDEO, "-i", src, *args, os.path.join(HERE, name))
        add(name, "aac", *LONG, 48000, 1, **(dict(late=[20, 23], limit=SHIFTED) if name == "video.mkv" else {}))
    ffmpeg(*VIDEO, "-i", src, "-c:v", "libvpx", "-c:a", "libvorbis", "-b:a", "40k", "-fflags", "+bitexact", os.path.join(HERE, "video.webm"))
    add("video.webm", "vorbis", *LONG, 48000, 1, late=[4, 7], limit=SHIFTED)
    for name, args in [("late.mp4", x264), ("late.mkv", x264)]:
        ffmpeg(*VIDEO, "-itsoffset", "0.5", "-i", src, *args, os.path.join(HERE, name))
        add(name, "aac", 3.7, later, 48000, 1)
    ffmpeg("-itsoffset", "0.5", "-i", src, "-c:a", "libopus", "-b:a", "16k", "-fflags", "+bitexact", os.path.join(HERE, "late-alone.webm"))
    add("late-alone.webm", "opus", 3.7, later, 48000, 1, late=[-7, -5], limit="the muxer wrote a first timestamp of 494 ms")
    ffmpeg(*VIDEO, "-itsoffset", "0.5", "-i", src, "-c:v", "mpeg2video", "-c:a", "aac", "-b:a", "12k", "-pat_period", "4", "-pcr_period", "400", os.path.join(HERE, "late.ts"))
    add("late.ts", "aac", 3.7, later, 48000, 1, limit=UNSIGNALLED, late=[-22, 24])

    # For tests of refusals, not in the list: a video without sound, and an MP4 with its index in front, to be cut.
    ffmpeg(*VIDEO, "-c:v", "libx264", "-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", os.path.join(HERE, "mute.mp4"))
    ffmpeg("-i", src, "-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart", "-fflags", "+bitexact", os.path.join(HERE, "faststart.m4a"))

    # A gap in the timestamps: what lies between 1.0 and 2.0 s is not in the file.
    ffmpeg("-i", src, "-af", "aresample=8000,aselect='not(between(t,1.0,1.9999))'", "-c:a", "pcm_mulaw", "-fflags", "+bitexact", os.path.join(HERE, "gap.mka"))
    add("gap.mka", "pcm_mulaw", 3.2, [0.25, 0.80, 2.20, 2.95], 8000, 1, gaps=1)

    # Four channels, each with another chirp, and a second audio stream with none: the mean has all at a quarter.
    quad = os.path.join(TMP, "quad.wav")
    write_wav(quad, 16000, [signal(16000, 1.0, [m]) for m in (0.1, 0.3, 0.5, 0.8)])
    ffmpeg("-i", quad, "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono:d=1", "-map", "0", "-map", "1", "-c:a", "flac", "-fflags", "+bitexact", os.path.join(HERE, "two-quad.mka"))
    add("two-quad.mka", "flac", 1.0, [0.1, 0.3, 0.5, 0.8], 16000, 4, streams=2, gain=0.125)

    # The stream changes on the way: 16 kHz mono, then 44.1 kHz stereo.
    a, b = os.path.join(TMP, "a.aac"), os.path.join(TMP, "b.aac")
    stereo = os.path.join(TMP, "stereo.wav")
    write_wav(stereo, 44100, [signal(44100, *SHORT)] * 2)
    ffmpeg("-i", os.path.join(TMP, "short-16000.wav"), "-c:a", "aac", "-b:a", "32k", a)
    ffmpeg("-i", stereo, "-c:a", "aac", "-b:a", "32k", b)
    with open(os.path.join(HERE, "change.aac"), "wb") as f:
        for part in (a, b):
            with open(part, "rb") as g:
                f.write(g.read())
    add("change.aac", "aac", 2.2, [0.25 + 0.064, 0.80 + 0.064], 16000, 1, limit="two encodings, one after the other; only the first is measured", late=[-1, 1])

with open(os.path.join(HERE, "fixtures.json"), "w") as f:
    json.dump(fixtures, f, indent=1)
    f.write("\n")
