package decoder

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

// fixture is one entry of testdata/fixtures.json, which testdata/make.py writes.
type fixture struct {
	File     string    `json:"file"`
	Codec    string    `json:"codec"`
	Seconds  float64   `json:"seconds"`
	Chirps   []float64 `json:"chirps"`   // middles, in seconds
	Rate     int       `json:"rate"`     // of the stream
	Channels int       `json:"channels"` // of the stream
	Late     []float64 `json:"late"`     // ms, least and most, by which the codec itself shifts chirps
	Limit    string    `json:"limit"`    // why it does
	Gaps     int       `json:"gaps"`
	Streams  int       `json:"streams"`
	Gain     float64   `json:"gain"`
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	b, err := os.ReadFile("testdata/fixtures.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func testConfig(t testing.TB) Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Executable: self, CacheDir: cacheDir(t)}
}

func wasmDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := New(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decoders returns WebAssembly and, where it can be used, the native one.
func decoders(t testing.TB) []*Decoder {
	t.Helper()
	all := []*Decoder{wasmDecoder(t)}
	if d, _ := findNative(t); d != nil {
		all = append(all, d)
	}
	return all
}

// nativeDecoder is for tests that make no sense without it.
func nativeDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, why := findNative(t)
	if d == nil {
		casetest.Skip(t, why)
	}
	return d
}

func findNative(t testing.TB) (d *Decoder, why string) {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, "no native ffmpeg on this machine: apt-get install ffmpeg"
	}
	cfg := testConfig(t)
	cfg.Native = path
	d, err = New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if why := d.NativeRefused(); why != "" {
		return nil, "the native ffmpeg cannot be confined here: " + why
	}
	return d, ""
}

func decode(t testing.TB, d *Decoder, path string, opts Options) (Output, []int16) {
	t.Helper()
	var b bytes.Buffer
	out, err := d.Decode(t.Context(), path, &b, opts)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	pcm := make([]int16, b.Len()/2)
	if err := binary.Read(&b, binary.LittleEndian, pcm); err != nil {
		t.Fatal(err)
	}
	if int64(len(pcm)) != out.Samples {
		t.Fatalf("%d samples written, %d reported", len(pcm), out.Samples)
	}
	return out, pcm
}

// chirp is the signal of testdata/make.py at 16 kHz, its middle at index half.
func chirp() (template []float64, half int) {
	const length, low, high = 0.030, 300.0, 3000.0
	half = 480
	for i := -half; i <= half; i++ {
		x := float64(i) / Rate
		u := x + length
		phase := 2 * math.Pi * (low*u + (high-low)*u*u/(4*length))
		template = append(template, math.Sin(phase)*0.5*(1+math.Cos(math.Pi*x/length)))
	}
	return template, half
}

// lateness finds the chirp nearest to at seconds and returns by how many ms it comes late, and how strong it is.
func lateness(pcm []int16, at float64) (ms, gain float64) {
	template, half := chirp()
	var energy float64
	for _, v := range template {
		energy += v * v
	}
	best, where := 0.0, 0
	middle := int(math.Round(at * Rate))
	for lag := -1600; lag <= 1600; lag++ {
		var sum float64
		for i, v := range template {
			if j := middle + lag + i - half; j >= 0 && j < len(pcm) {
				sum += v * float64(pcm[j])
			}
		}
		if sum > best {
			best, where = sum, lag
		}
	}
	return float64(where) / Rate * 1000, best / energy / 32767
}

// Every container and codec puts every chirp where it was, to a millisecond; where a codec delays by an amount that it
// does not write down, that amount is known, and equal for all chirps of a file. Which decoder is used changes at most
// the last bits of a sample, never how many there are. (Without a native one TestNativeSandboxHolds says what is missing.)
func TestTimesAreTrue(t *testing.T) {
	all := decoders(t)
	for _, fx := range fixtures(t) {
		t.Run(fx.File, func(t *testing.T) {
			t.Parallel()
			out, a := decode(t, all[0], filepath.Join("testdata", fx.File), Options{})
			fx.check(t, out, a)
			if len(all) == 1 {
				return
			}
			native := all[1]
			other, b := decode(t, native, filepath.Join("testdata", fx.File), Options{})
			fx.check(t, other, b)
			if len(a) != len(b) {
				t.Fatalf("%d samples in WebAssembly, %d natively", len(a), len(b))
			}
			most, n := 0, 0
			for i := range a {
				if diff := int(a[i]) - int(b[i]); diff != 0 {
					n++
					most = max(most, max(diff, -diff))
				}
			}
			t.Logf("greatest difference %d, in %d of %d samples", most, n, len(a))
			if most > 2 {
				t.Errorf("the decoders' samples differ by up to %d, in %d of %d", most, n, len(a))
			}
		})
	}
}

func (fx fixture) check(t *testing.T, out Output, pcm []int16) {
	var late []float64
	for _, at := range fx.Chirps {
		ms, gain := lateness(pcm, at)
		want := fx.Gain
		if want == 0 {
			want = 0.5
		}
		if gain < want*0.7 || gain > want*1.2 {
			t.Errorf("chirp at %.2f s: gain %.3f, want about %.3f", at, gain, want)
		}
		late = append(late, ms)
	}
	low, high := -1.0, 1.0
	if len(fx.Late) == 2 {
		low, high = fx.Late[0], fx.Late[1]
	}
	t.Logf("%s: late by %.2f ms; %d samples for %.2f s; %+v; gaps %v; %q", out.Engine.Name, late, out.Samples, fx.Seconds, out.Facts, out.Gaps, out.Notes)
	if slices.Min(late) < low || slices.Max(late) > high || slices.Max(late)-slices.Min(late) > 1 {
		t.Errorf("chirps are late by %.2f ms, want %.0f to %.0f, within 1 of each other", late, low, high)
	}
	if f := out.Facts; f.Codec != fx.Codec || f.Rate != fx.Rate || f.Channels != fx.Channels || f.AudioStreams != max(1, fx.Streams) {
		t.Errorf("facts %+v, want %s, %d Hz, %d channels", f, fx.Codec, fx.Rate, fx.Channels)
	}
	if fx.Gaps > 0 && len(out.Gaps) != fx.Gaps {
		t.Errorf("gaps %v, want %d", out.Gaps, fx.Gaps)
	}
	if got := float64(out.Samples) / Rate; math.Abs(got-fx.Seconds) > 0.15 {
		t.Errorf("%.3f s long, want %.3f", got, fx.Seconds)
	}
	if out.Truncated {
		t.Errorf("a whole file is called cut short: %q", out.Notes)
	}
	if out.PeakBytes > 150<<20 {
		t.Errorf("%d MiB of memory for %.1f s", out.PeakBytes>>20, fx.Seconds)
	}
}

// Real recordings come out the same from both decoders.
func TestDecodersAgreeOnRealRecordings(t *testing.T) {
	root := casetest.Shared(t, "audio")
	wasm, native := wasmDecoder(t), nativeDecoder(t)
	var total int64
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".wav", ".mp3", ".ogg", ".flac", ".m4a"}, filepath.Ext(path)) || total > 120*Rate {
			return err
		}
		a, x := decode(t, wasm, path, Options{})
		b, y := decode(t, native, path, Options{})
		total += a.Samples
		if a.Truncated || len(x) != len(y) {
			t.Errorf("%s: %d samples and %d; %q; %q", path, len(x), len(y), a.Notes, b.Notes)
			return nil
		}
		for i := range x {
			if d := int(x[i]) - int(y[i]); d < -2 || d > 2 {
				t.Errorf("%s: sample %d is %d in WebAssembly, %d natively", path, i, x[i], y[i])
				break
			}
		}
		t.Logf("%s: %.2f s %+v %q", filepath.Base(path), float64(a.Samples)/Rate, a.Facts, a.Notes)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
