package decoder

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wav makes a WAV file of 16-bit samples.
func wav(rate, channels int, samples []int16) []byte {
	var b bytes.Buffer
	n := uint32(2 * len(samples))
	b.WriteString("RIFF")
	for _, v := range []any{n + 36, [8]byte([]byte("WAVEfmt ")), uint32(16), uint16(1), uint16(channels), uint32(rate),
		uint32(rate * channels * 2), uint16(channels * 2), uint16(16), [4]byte([]byte("data")), n, samples} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func noise(n int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(r.Uint32())
	}
	return out
}

func both(t *testing.T, f func(*testing.T, *Decoder)) {
	for _, d := range decoders(t) {
		t.Run(d.Engine().Name, func(t *testing.T) { f(t, d) })
	}
}

// What is already 16 kHz mono 16-bit comes out bit for bit; two channels come out as their mean.
func TestSamplesThatNeedNoChangeAreNotChanged(t *testing.T) {
	both(t, func(t *testing.T, d *Decoder) {
		in := noise(50_000, 1)
		for name, opts := range map[string]Options{"mono.wav": {}, "mono.raw": {Raw: &evidence.RawLayout{Rate: Rate, Channels: 1, Format: "s16le"}}} {
			content := wav(Rate, 1, in)
			if opts.Raw != nil {
				content = content[44:]
			}
			out, got := decode(t, d, write(t, name, content), opts)
			if len(got) != len(in) {
				t.Fatalf("%s: %d samples of %d; %q", name, len(got), len(in), out.Notes)
			}
			for i := range in {
				if in[i] != got[i] {
					t.Fatalf("%s: sample %d is %d, was %d", name, i, got[i], in[i])
				}
			}
		}
		_, got := decode(t, d, write(t, "stereo.wav", wav(Rate, 2, in)), Options{})
		for i := range got {
			if diff := (int(in[2*i])+int(in[2*i+1]))/2 - int(got[i]); diff < -1 || diff > 1 {
				t.Fatalf("sample %d is %d, the mean of %d and %d is not", i, got[i], in[2*i], in[2*i+1])
			}
		}
	})
}

// The same bytes give the same samples, whatever the file is called.
func TestNamesDoNotMatter(t *testing.T) {
	both(t, func(t *testing.T, d *Decoder) {
		content := read(t, "opus.ogg")
		_, want := decode(t, d, "testdata/opus.ogg", Options{})
		for _, name := range []string{"-i", "a b'\".m3u8", "concat:x|y", "\u202egnp.\xff\x01", strings.Repeat("n", 255)} {
			_, got := decode(t, d, write(t, name, content), Options{})
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%q decodes differently", name)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	garbage := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(7, 7))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	m4a := read(t, "aac.m4a")
	both(t, func(t *testing.T, d *Decoder) {
		for i, c := range []struct {
			name    string
			content []byte
			opts    Options
			says    string
		}{
			{"empty.wav", nil, Options{}, "empty"},
			{"one-byte.mp3", []byte{0xff}, Options{}, "form that we know"},
			{"garbage.mp3", garbage, Options{}, "form that we know"},
			{"short-garbage.ogg", garbage[:3000], Options{}, "form that we know"},
			{"zeros.wav", make([]byte, 1<<20), Options{}, "form that we know"},
			{"report.wav", []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj << /Type /Page >>\n", 500)), Options{}, "a PDF document"},
			{"letter.ogg", []byte(strings.Repeat("Dear all, ", 2000)), Options{}, "a text file"},
			{"picture.wav", []byte("\x89PNG\r\n\x1a\n" + strings.Repeat("x", 3000)), Options{}, "a PNG picture"},
			{"head.wav", wav(Rate, 1, nil), Options{}, "no audio"},
			{"mute.mp4", read(t, "mute.mp4"), Options{}, "no audio stream"},
			{"cut.flac", read(t, "flac.flac")[:5000], Options{}, "ends within its header"},
			{"cut.m4a", m4a[:len(m4a)/2], Options{}, "cut off before its index"},
			{"list.m3u8", []byte("#EXTM3U\nhttp://example.org/a.ts\n"), Options{}, "an M3U playlist"},
			{"list.wav", []byte("\xef\xbb\xbfffconcat version 1.0\nfile /etc/passwd\n"), Options{}, "an FFmpeg concat list"},
			{"list.mpd", []byte("<?xml version=\"1.0\"?><MPD></MPD>"), Options{}, "a DASH playlist"},
			{"raw", garbage, Options{Raw: &evidence.RawLayout{Rate: 8000, Channels: 1, Format: "hls"}}, "no sample format"},
			{"raw", garbage, Options{Raw: &evidence.RawLayout{Rate: 0, Channels: 1, Format: "s16le"}}, "sample rate"},
			{"raw", garbage, Options{Raw: &evidence.RawLayout{Rate: 8000, Channels: 0, Format: "s16le"}}, "channels"},
		} {
			if d.native && i%3 == 1 {
				continue // most messages come from what both share
			}
			_, err := d.Decode(t.Context(), write(t, c.name, c.content), io.Discard, c.opts)
			if evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want an invalid input that says %q", c.name, err, c.says)
			}
		}
		if _, err := d.Decode(t.Context(), t.TempDir(), io.Discard, Options{}); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("a folder: %v", err)
		}
		if _, err := d.Decode(t.Context(), filepath.Join(t.TempDir(), "none"), io.Discard, Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("no file: %v", err)
		}
	})
}

// What is cut short keeps its samples and says so; what is whole does not (TestTimesAreTrue).
func TestTruncatedRecordings(t *testing.T) {
	both(t, func(t *testing.T, d *Decoder) {
		for _, c := range []struct {
			name       string
			says       bool    // the format lets us know
			from, upto float64 // seconds that must be there
			percent    int     // of the bytes that are left; 0: 55
		}{
			{"opus.ogg", true, 0.9, 2.2, 0}, {"vorbis.ogg", true, 0.5, 3, 92}, {"speex.ogg", true, 1, 2.2, 0}, {"vbr.mp3", true, 1, 2.4, 0},
			{"cbr.mp3", true, 1, 2.2, 0}, {"faststart.m4a", true, 0.5, 2.2, 0}, {"flac.flac", true, 0.2, 0.9, 90}, {"pcm16.wav", true, 0.4, 0.6, 0},
			{"mulaw.wav", true, 0.4, 0.6, 0}, {"opus.webm", true, 0.8, 2.2, 0}, {"video.mkv", true, 0.2, 2.5, 0}, {"pcm.aiff", true, 0.4, 0.6, 0},
			{"wma2.wma", false, 0.8, 2.2, 0}, {"mulaw.caf", false, 0.4, 0.6, 0}, {"rf64.wav", true, 0.4, 0.6, 0}, {"mulaw.w64", true, 0.4, 0.6, 0},
			{"noxing.mp3", false, 1, 2, 0}, {"adts.aac", false, 1, 2.4, 0}, {"amrnb.amr", false, 1, 2.2, 0},
		} {
			if d.native && c.percent == 0 && c.name[0] < 'v' {
				continue // the messages are the same; some are enough
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				content := read(t, c.name)
				if c.percent == 0 {
					c.percent = 55
				}
				out, _ := decode(t, d, write(t, c.name, content[:len(content)*c.percent/100]), Options{})
				got := float64(out.Samples) / Rate
				if out.Truncated != c.says || got < c.from || got > c.upto {
					t.Errorf("truncated %v, %.2f s, %q; header says %v", out.Truncated, got, out.Notes, out.Facts.Duration)
				}
				if out.Truncated && !strings.Contains(strings.Join(out.Notes, " "), "s") {
					t.Errorf("nothing is said about it: %q", out.Notes)
				}
			})
		}
	})
}

// A list that gets past the first look (or hides inside a container) still reaches nothing: neither engine has a demuxer
// that follows it, and neither can open another file.
func TestNothingElseIsOpened(t *testing.T) {
	secret := wav(Rate, 1, noise(Rate, 3))
	canary := write(t, "canary.wav", secret)
	data := "data:audio/wav;base64," + base64.StdEncoding.EncodeToString(wav(Rate, 1, noise(100, 4)))
	both(t, func(t *testing.T, d *Decoder) {
		for name, content := range map[string]string{
			"m3u8":      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + canary + "\n#EXT-X-ENDLIST\n",
			"m3u8-data": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + data + "\n#EXT-X-ENDLIST\n",
			"ffconcat":  "ffconcat version 1.0\nfile '" + canary + "'\n",
			"sdp":       "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
			"mpd":       `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><BaseURL>file://` + canary + `</BaseURL></MPD>`,
			"avi":       aviWithList("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + canary + "\n#EXT-X-ENDLIST\n"),
			"mov":       movWithReference(canary, 16000),
			"sbg":       "SBaGen\n-SE\nmix: file " + canary + "\n",
		} {
			f, err := os.Open(write(t, name, []byte(content)))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			req := d.request(engineWASI, 1<<20)
			if d.native {
				req.Engine = engineNative
			}
			var got bytes.Buffer
			res, err := d.child(t.Context(), f, req, &got, limits{deadline: time.Minute, stall: time.Minute, samples: 1 << 20}, nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			// The MP4's samples are taken from its own bytes instead; everything else is refused.
			if res.fail == nil && name != "mov" {
				t.Errorf("%s became %d bytes of samples", name, got.Len())
			}
			for i := 44; i+16 <= len(secret); i += 2 {
				if bytes.Contains(got.Bytes(), secret[i:i+16]) {
					t.Fatalf("%s: the canary was read", name)
				}
			}
		}
	})
}

func chunk(id, body string) string {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(body)))
	if len(body)%2 == 1 {
		body += "\x00"
	}
	return id + string(size) + body
}

// aviWithList is an AVI with a text stream that holds a playlist, which FFmpeg's AVI reader once followed.
func aviWithList(list string) string {
	u32 := func(v ...uint32) (s string) {
		for _, n := range v {
			s += string(binary.LittleEndian.AppendUint32(nil, n))
		}
		return s
	}
	strh := "txts" + "\x00\x00\x00\x00" + u32(0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0)
	strl := "LIST" + string(binary.LittleEndian.AppendUint32(nil, uint32(4+len(chunk("strh", strh))+len(chunk("strf", ""))))) + "strl" + chunk("strh", strh) + chunk("strf", "")
	hdrl := chunk("LIST", "hdrl"+chunk("avih", u32(40000, 0, 0, 16, 1, 0, 1, 0, 16, 16, 0, 0, 0, 0))+strl)
	gab2 := "GAB2\x00\x02\x00" + u32(4) + "x\x00\x00\x00" + "\x04\x00" + u32(uint32(len(list))) + list
	return chunk("RIFF", "AVI "+hdrl+chunk("LIST", "movi"+chunk("00tx", gab2)))
}

// movWithReference is an MP4 whose only audio track has so many samples, all in another file.
func movWithReference(path string, samples uint32) string {
	box := func(id string, parts ...string) string {
		body := strings.Join(parts, "")
		return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))) + id + body
	}
	u32 := func(v ...uint32) (s string) {
		for _, n := range v {
			s += string(binary.BigEndian.AppendUint32(nil, n))
		}
		return s
	}
	z := func(n int) string { return strings.Repeat("\x00", n) }
	size := uint32(2)
	if samples > 16000 {
		size = 0 // a size for each follows, so the reader makes room for all
	}
	sowt := box("sowt", z(6), "\x00\x01", z(8), "\x00\x01\x00\x10", z(4), u32(16000<<16))
	stbl := box("stbl", box("stsd", u32(0, 1), sowt), box("stts", u32(0, 1, 16000, 1)), box("stsc", u32(0, 1, 1, 16000, 1)),
		box("stsz", u32(0, size, samples)), box("stco", u32(0, 1, 44)))
	dref := box("dref", u32(0, 1), box("url ", u32(0), "file://"+path+"\x00"))
	minf := box("minf", box("smhd", z(8)), box("dinf", dref), stbl)
	mdia := box("mdia", box("mdhd", u32(0, 0, 0, 16000, 16000, 0)), box("hdlr", u32(0, 0), "soun", z(13)), minf)
	tkhd := box("tkhd", u32(7, 0, 0, 1, 0, 16000), z(60))
	mvhd := box("mvhd", u32(0, 0, 0, 16000, 16000, 0x10000, 0x1000000), z(76))
	return box("ftyp", "isom", u32(0), "isom") + box("moov", mvhd, box("trak", tkhd, mdia))
}

// A child that misbehaves is ended, with everything that it started, and the reason is plain.
func TestChildrenThatMisbehave(t *testing.T) {
	path := write(t, "x.wav", wav(Rate, 1, noise(100, 2)))
	for _, c := range []struct {
		mode  string
		kind  evidence.Kind
		says  string
		tweak func(*Config)
	}{
		{"hang", evidence.KindInvalid, "had not finished after 300ms", func(c *Config) { c.Deadline = func(int64) time.Duration { return 300 * time.Millisecond } }},
		{"hang", evidence.KindInvalid, "gave no more samples for 300ms", func(c *Config) { c.Stall = 300 * time.Millisecond }},
		{"eat", evidence.KindInvalid, "more memory than the 16 MiB", func(c *Config) { c.MemoryBytes = 16 << 20 }},
		{"flood", evidence.KindInvalid, "more audio than", func(c *Config) {}},
		{"babble", evidence.KindInvalid, "had not finished", func(c *Config) { c.Deadline = func(int64) time.Duration { return 500 * time.Millisecond } }},
		{"crash", evidence.KindInternal, "goroutine", func(c *Config) {}},
		{"silent", evidence.KindInternal, "broke off", func(c *Config) {}},
		{Verb, evidence.KindInvalid, "more audio than", func(c *Config) { c.MaxSamples = func(int64) int64 { return 50 } }},
	} {
		t.Run(c.mode, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Args = []string{c.mode}
			c.tweak(&cfg)
			d, err := New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = d.Decode(t.Context(), path, io.Discard, Options{})
			if evidence.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v (%v), want %v that says %q", err, evidence.KindOf(err), c.kind, c.says)
			}
		})
	}
}

// FFmpeg itself meets its cap: this MP4 claims 67 million samples, for whose sizes the reader asks 268 MB twice.
func TestMemoryCapHolds(t *testing.T) {
	path := write(t, "x.mp4", []byte(movWithReference("/", 67_000_000)))
	both(t, func(t *testing.T, d *Decoder) {
		d.cfg.MemoryBytes = 200 << 20
		_, err := d.Decode(t.Context(), path, io.Discard, Options{})
		if evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(err.Error(), "more memory than the 200 MiB") {
			t.Error(err)
		}
	})
}

func TestCancelEndsTheWholeGroup(t *testing.T) {
	cfg := testConfig(t)
	cfg.Args = []string{"breed"}
	d, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said bytes.Buffer
	_, err = d.Decode(ctx, "testdata/opus.ogg", writerFunc(func(p []byte) (int, error) {
		cancel() // the grandchild's number has arrived
		return said.Write(p)
	}), Options{})
	if evidence.KindOf(err) != evidence.KindCancelled {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(said.String(), &pid); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if resident(pid) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("what the child started still runs")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestWritersErrorComesBack(t *testing.T) {
	full := errors.New("disk full")
	both(t, func(t *testing.T, d *Decoder) {
		_, err := d.Decode(t.Context(), "testdata/opus.ogg", writerFunc(func([]byte) (int, error) { return 0, full }), Options{})
		if !errors.Is(err, full) {
			t.Error(err)
		}
	})
}

func TestProgressKnowsTheWhole(t *testing.T) {
	var last Progress
	out, err := wasmDecoder(t).Decode(t.Context(), "testdata/vbr.mp3", io.Discard, Options{Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	if last.Samples != out.Samples || last.Expected < out.Samples || last.Expected > out.Samples+Rate/5 {
		t.Errorf("%+v for %d samples", last, out.Samples)
	}
}

func TestNativeIsRefusedWithoutConfinement(t *testing.T) {
	cfg := testConfig(t)
	cfg.Native = filepath.Join(t.TempDir(), "none")
	d, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if d.NativeRefused() == "" || d.Engine().Name != "ffmpeg-wasi" {
		t.Errorf("%q, %+v", d.NativeRefused(), d.Engine())
	}
}
