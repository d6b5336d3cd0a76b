package decoder

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReportsAreRead(t *testing.T) {
	var p probe
	l := &lineWriter{take: p.line}
	for part := range strings.SplitSeq(`[warning] Estimating duration from bitrate, this may be inaccurate
[mp3 @ 0x5615] [warning] Format mp3 detected only with low score of 1, misdetection possible!
[info] Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/in/recording':
[info]   Metadata:
[info]     title           : x
                    :   Stream #0:0: Audio: fake, 1 Hz
[info]   Duration: 01:02:03.45, start: -0.021333, bitrate: 73 kb/s
[info]   Stream #0:0[0x1](und): Video: png, rgb24(pc), 16x16, 90k tbr, 90k tbn (attached pic)
[info]   Stream #0:1[0x2](rus): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1(side), fltp, 67 kb/s (default)
[info]   Stream #0:2: Audio: pcm_s16le, 8000 Hz, 3 channels (FL+FR+LFE), s16, 1 kb/s
[info]   Stream #0:2: Audio: forged by a tag whose name holds a line break, 1 Hz, mono`, "") {
		if _, err := l.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	l.close()
	want := probe{container: "mov,mp4,m4a,3gp,3g2,mj2", duration: time.Hour + 2*time.Minute + 3450*time.Millisecond,
		start: -21333 * time.Microsecond, estimated: true, unsure: true, forged: true,
		indices: map[string]bool{"0": true, "1": true, "2": true},
		streams: []stream{{kind: "Video", codec: "png", still: true}, {kind: "Audio", codec: "aac", rate: 48000, channels: 6}, {kind: "Audio", codec: "pcm_s16le", rate: 8000, channels: 3}}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// Where a container does not say how long it is FFmpeg guesses from the bit rate; that the recording is shorter than the
// guess means nothing.
func TestGuessedDurationsAreNoPromises(t *testing.T) {
	d := wasmDecoder(t)
	for _, c := range []struct {
		name  string
		magic int // bytes of the file's own head
	}{{"amrnb.amr", 6}, {"amrwb.awb", 9}, {"adts.aac", 0}, {"noxing.mp3", 0}, {"ac3.ac3", 0}, {"mp2.mp2", 0}} {
		content := read(t, c.name)
		long := append(bytes.Clone(content[:c.magic]), bytes.Repeat(content[c.magic:], 8)...)
		out, _ := decode(t, d, write(t, c.name, long), Options{})
		if out.Truncated || out.Samples < 8*51000 {
			t.Errorf("%s: %.2f s, header %v, %q", c.name, float64(out.Samples)/Rate, out.Facts.Duration, out.Notes)
		}
	}
}

// Silence fills what timestamps leave out, but a leap that no file of that size can mean costs no sample.
func TestGapsAndLeaps(t *testing.T) {
	var got bytes.Buffer
	a := newAligner(&got, 10*Rate, false)
	sound := bytes.Repeat([]byte{1, 1}, 100)
	for _, pts := range []int64{0, 100, 1200, 1300, 1000, 1 << 50, 5} {
		a.announce(frame{pts: pts, known: true, samples: 100})
		if _, err := a.Write(sound); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.Concat(sound, sound, make([]byte, 2000), sound, sound, sound, sound, sound)
	if !bytes.Equal(got.Bytes(), want) || !slices.Equal(a.gaps, []Gap{{200, 1000}}) || a.behind != 400 || a.jump != 1<<50-1500 {
		t.Errorf("%d bytes, want %d; gaps %v, behind %d, jump %d", got.Len(), len(want), a.gaps, a.behind, a.jump)
	}
}

// Two Ogg recordings in one file are as long as both, and no time is invented between them. What the second delays by
// its encoder (6.5 ms) is not cut.
func TestChainedOgg(t *testing.T) {
	path := write(t, "two.ogg", slices.Concat(read(t, "opus.ogg"), read(t, "opus.ogg")))
	for _, d := range decoders(t) {
		out, pcm := decode(t, d, path, Options{})
		for _, at := range []float64{0.25, 2.95, 3.2 + 0.25, 3.2 + 2.95} {
			if ms, gain := lateness(pcm, at); ms < -1 || ms > 8 || gain < 0.4 {
				t.Errorf("chirp at %.2f s is late by %.2f ms, gain %.2f", at, ms, gain)
			}
		}
		if len(out.Gaps) > 0 || out.Truncated || !strings.Contains(strings.Join(out.Notes, ";"), "several Ogg recordings") {
			t.Errorf("gaps %v, truncated %v, %q", out.Gaps, out.Truncated, out.Notes)
		}
	}
}

func TestOneDigestForOneBinary(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("ffmpeg", "ffmpeg.wasm.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(b)) != wasmDigest {
		t.Errorf("ffmpeg.wasm.sha256 says %s, wasm.go %s", b, wasmDigest)
	}
}
