package decoder

import (
	"bytes"
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// FFmpeg's reports repeat what a stranger's file says: no text may do more than be wrong.
func FuzzReports(f *testing.F) {
	for _, seed := range []string{
		"[info] Input #0, mp3, from 'a.mp3':\n[info]   Duration: 00:00:02.04, start: 0.023021, bitrate: 64 kb/s\n[info]   Stream #0:0: Audio: mp3, 48000 Hz, mono, fltp, 64 kb/s\n",
		"[info]   Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1(side), fltp, 67 kb/s (default)\n",
		"[ashowinfo@tok @ 0x560640a84640] [info] n:1 pts:208 pts_time:0.013 pos:828 fmt:s16 channels:1 chlayout:mono rate:16000 nb_samples:320 checksum:01F54226\n",
		"[ashowinfo@tok @ 0x1] [info] n:0 pts:NOPTS nb_samples:99999999999999999999\r\n[mov @ 0x1] [error] moov atom not found\n",
		"[info]   Duration: N/A, start: nan, bitrate: N/A\n[info]   Stream #0:0: Audio: , Hz, channels\n",
	} {
		f.Add([]byte(seed), uint8(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, cut uint8) {
		var p probe
		samples := int64(0)
		l := &lineWriter{take: func(line string) {
			if len(line) > maxLine {
				t.Fatalf("a line of %d bytes", len(line))
			}
			if fr, ok := readFrame(line, "tok"); ok {
				if fr.samples <= 0 || fr.samples >= 1<<24 {
					t.Fatalf("%+v", fr)
				}
				samples += fr.samples
			}
			p.line(line)
		}}
		for len(text) > 0 {
			n := min(len(text), int(cut)+1)
			if m, err := l.Write(text[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			text = text[n:]
		}
		l.close()
		if p.duration < 0 || len(p.streams) > maxGaps || len(p.trouble.first) > 3 {
			t.Fatalf("%+v", p)
		}
		for _, s := range append(p.trouble.first, printable(p.container)) {
			if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q is not printable", s)
			}
		}
		if first, n := p.audio(); n > 0 && (first.rate < 0 || first.channels < 0) {
			t.Fatalf("%+v", first)
		}
	})
}

// Whatever times are announced, no announced sample is lost once time zero is reached, the cap holds, and silence is
// only ever added.
func FuzzAligner(f *testing.F) {
	f.Add([]byte{0, 0, 10, 1, 200, 10, 2, 0, 10}, false)
	f.Add([]byte{255, 0, 10, 0, 0, 10, 9, 0, 1}, true)
	f.Fuzz(func(t *testing.T, moves []byte, soft bool) {
		const most = 1 << 16
		a := newAligner(io.Discard, most, false)
		a.soft = soft
		var sent int64
		for ; len(moves) >= 3; moves = moves[3:] {
			fr := frame{pts: int64(int8(moves[0]))<<8 | int64(moves[1]), known: moves[2]&1 == 0, samples: int64(moves[2]>>1) + 1, first: moves[2]&2 == 0}
			a.announce(fr)
			n, err := a.Write(make([]byte, 2*fr.samples))
			if err != nil && err != errLimit || err == nil && n != int(2*fr.samples) {
				t.Fatal(n, err)
			}
			if a.bytes > 2*most {
				t.Fatalf("%d bytes, cap %d", a.bytes, 2*most)
			}
			if err != nil {
				return
			}
			if a.begun {
				sent += fr.samples
			}
			if a.bytes/2 > sent+a.gapSum {
				t.Fatalf("%d samples out of %d and %d of silence", a.bytes/2, sent, a.gapSum)
			}
		}
		if _, err := a.Write([]byte{0, 0}); err != errOutStep {
			t.Fatalf("a sample that nobody announced: %v", err)
		}
	})
}

// Events come from a process that a hostile file may have taken over.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"facts":{"container":"ogg","duration_ns":1}}` + "\n" + `{"done":{"samples":1}}` + "\n"))
	f.Add([]byte("panic: x\n{\"fail\":{\"code\":\"memory\"}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var expected atomic.Int64
		r := <-listen(bytes.NewReader(text), &expected)
		if r.other.Len() > 2*maxLine+64 {
			t.Fatalf("kept %d bytes of a crash", r.other.Len())
		}
	})
}

func FuzzOggEnds(f *testing.F) {
	f.Add([]byte("OggS\x00\x04"+strings.Repeat("\x00", 20)+"\x01\x05hello"), []byte("x"))
	f.Fuzz(func(t *testing.T, b, head []byte) {
		if _, err := oggEnds(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
		oggChained(bytes.NewReader(b), int64(len(b)))
		if riffPromises(head) < 0 {
			t.Fatal("a size below zero")
		}
		pointsElsewhere(head)
		lookslike(head)
	})
}
