package picture

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

const hour = 3600 * audio.Rate

// silence is a long recording in which nearly nothing happens. It takes no memory.
type silence struct {
	samples int64
	sounds  map[int64][]int16 // by where they begin
}

func (s silence) Len() int64 { return s.samples }

func (s silence) ReadSamples(dst []int16, at int64) (int, error) {
	n := int(min(int64(len(dst)), max(s.samples-at, 0)))
	clear(dst[:n])
	for from, sound := range s.sounds {
		if end := from + int64(len(sound)); from < at+int64(n) && end > at {
			copy(dst[max(from-at, 0):n], sound[max(at-from, 0):])
		}
	}
	if n < len(dst) {
		return n, io.EOF
	}
	return n, nil
}

// sine is a tone of a level in dB of full scale.
func sine(hz, db float64, samples int) audio.Samples {
	x := make(audio.Samples, samples)
	for i := range x {
		x[i] = int16(math.Round(32767 * math.Pow(10, db/20) * math.Sin(2*math.Pi*hz*float64(i)/audio.Rate)))
	}
	return x
}

// noise is noise whose loudness wanders, with a pause.
func noise(samples int) audio.Samples {
	r := rand.New(rand.NewPCG(1, 2))
	x := make(audio.Samples, samples)
	for i := range x {
		x[i] = int16(r.NormFloat64() * 3000 * math.Abs(math.Sin(float64(i)/70000)))
	}
	clear(x[samples/3 : samples/3+min(samples/10, audio.Rate)])
	return x
}

// drawn returns a Drawer whose coarse levels are ready.
func drawn(t testing.TB, src audio.Source) *Drawer {
	t.Helper()
	d := NewDrawer(src)
	if err := d.Prepare(t.Context(), filepath.Join(t.TempDir(), "picture"), "key", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// level returns all columns of a level, and checks the size of its tiles.
func level(t testing.TB, d *Drawer, kind Kind, n int) []byte {
	t.Helper()
	var all []byte
	tiles := Tiles(d.samples, n)
	for i := range tiles {
		b, err := d.Tile(t.Context(), kind, n, i)
		if err != nil {
			t.Fatalf("%s, level %d, tile %d: %v", kind, n, i, err)
		}
		if i < tiles-1 && len(b) != TileColumns*kind.ColumnBytes() {
			t.Fatalf("%s, level %d, tile %d of %d has %d bytes", kind, n, i, tiles, len(b))
		}
		all = append(all, b...)
	}
	if want := Columns(d.samples, n) * int64(kind.ColumnBytes()); int64(len(all)) != want {
		t.Fatalf("%s, level %d has %d bytes, not %d", kind, n, len(all), want)
	}
	return all
}

func binOf(hz float64) int {
	for b := range Bins {
		if low, high := BinHz(b); low <= hz && hz < high {
			return b
		}
	}
	return -1
}

func TestLevels(t *testing.T) {
	for _, c := range []struct {
		samples int64
		levels  int
		top     int64 // columns of the last level
	}{
		{-1, 0, 0}, {0, 0, 0}, {1, 1, 1}, {128, 1, 1}, {129, 1, 2}, {65536, 1, 512}, {65537, 2, 257}, {131072, 2, 512}, {131073, 3, 257},
		{24 * hour, 16, 330}, {math.MaxInt64, 48, 512},
	} {
		n := Levels(c.samples)
		if n != c.levels || n > 0 && Columns(c.samples, n-1) != c.top {
			t.Errorf("%d samples: %d levels, the last of %d columns", c.samples, n, Columns(c.samples, n-1))
		}
		for l := range n {
			if got := Tiles(c.samples, l); l == n-1 && got != 1 || l < n-1 && got < 2 {
				t.Errorf("%d samples: level %d of %d has %d tiles", c.samples, l, n, got)
			}
		}
	}
}

func TestBinsFollowEachOther(t *testing.T) {
	var end float64
	for b := range Bins {
		low, high := BinHz(b)
		if low != end || high <= low {
			t.Errorf("bin %d is %g-%g Hz, after one that ends at %g", b, low, high, end)
		}
		end = high
	}
	if end != 7984.375 {
		t.Errorf("the last ends at %g Hz", end)
	}
}

// Every sample that is not zero is visible, and the extremes lie outside of the sound, by less than a step.
func TestPeaksRoundOutward(t *testing.T) {
	for v := math.MinInt16; v <= math.MaxInt16; v++ {
		var b [2]byte
		drawPeaks(b[:], []int16{int16(v)}, 128)
		low, high := int(int8(b[0])), int(int8(b[1]))
		if low*256 > v || low*256 <= v-256 || high*256 < v && high != 127 || high*256 >= v+256 || v != 0 && low == 0 && high == 0 {
			t.Fatalf("a sample of %d is drawn from %d to %d", v, low, high)
		}
	}
}

func TestLoudnessIsWithinHalfAStep(t *testing.T) {
	last := byte(0)
	for db := -130.0; db < 10; db += 0.003 {
		b := loudnessOf(float32(math.Pow(10, db/10)))
		if want := min(max(db, -110), -10); math.Abs(Decibels(b)-want) > step/2+0.04 {
			t.Fatalf("%g dB is byte %d, which stands for %g dB", db, b, Decibels(b))
		}
		if b < last {
			t.Fatalf("%g dB is byte %d, after %d", db, b, last)
		}
		last = b
	}
	if a, b, c := loudnessOf(0), loudnessOf(1e-38), loudnessOf(4); a != 0 || b != 0 || c != 255 {
		t.Error(a, b, c)
	}
}

// Tiles of level 0 and 3 are what the definition says, computed here in another way.
func TestAgainstTheDefinition(t *testing.T) {
	x := noise(300_000)
	d := NewDrawer(x)
	at := func(i int) float64 {
		if i < 0 || i >= len(x) {
			return 0
		}
		return float64(x[i]) / 32768
	}
	spectrum := func(middle int) (power [256]float64) {
		for k := range power {
			var sum complex128
			for i := range 512 {
				hann := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/512)
				sum += complex(at(middle-256+i)*hann*4/512, 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(k*i)/512))
			}
			power[k] = real(sum)*real(sum) + imag(sum)*imag(sum)
		}
		return power
	}
	for _, n := range []int{0, 3} {
		width := 128 << n
		peaks, spectra := level(t, d, Peaks, n), level(t, d, Spectrogram, n)
		for _, c := range []int{0, 1, 17, len(x)/width - 1, len(x) / width} {
			var low, high float64
			var power [256]float64
			for i := c * width; i < min((c+1)*width, len(x)); i++ {
				low, high = min(low, at(i)), max(high, at(i))
				if i%128 != 64 || n > 0 && i%256 != 64 {
					continue
				}
				for k, p := range spectrum(i) {
					power[k] = max(power[k], p)
				}
			}
			if l, h := int8(peaks[2*c]), int8(peaks[2*c+1]); float64(l) != math.Floor(low*128) || float64(h) != min(math.Ceil(high*128), 127) {
				t.Errorf("level %d, column %d: peaks %d to %d, the sound %g to %g", n, c, l, h, low*128, high*128)
			}
			for b := 1; b < Bins; b++ { // bin 0 is a constant, not a tone
				low, high := BinHz(b)
				var p float64
				for k, v := range power {
					if hz := float64(k) * 31.25; hz > low && hz < high {
						p = max(p, v)
					}
				}
				want := min(max(10*math.Log10(p+1e-30), -110), -10)
				if got := Decibels(spectra[c*Bins+b]); math.Abs(got-want) > 0.25 {
					t.Errorf("level %d, column %d, bin %d: %.2f dB, not %.2f", n, c, b, got, want)
				}
			}
		}
	}
}

func TestSineIsInItsBinAtEveryLevel(t *testing.T) {
	for hz, seconds := range map[float64]int{62.5: 20, 443: 700, 1000: 20, 2950: 80, 3500: 80, 7777: 20} {
		d := drawn(t, sine(hz, -30, seconds*audio.Rate+77))
		for n := range Levels(d.samples) {
			all := level(t, d, Spectrogram, n)
			columns := len(all) / Bins
			for c := 2; c < columns-3; c++ { // the windows at the ends see silence, too
				column := all[c*Bins : (c+1)*Bins]
				best := bytes.IndexByte(column, maxOf(column))
				if db := Decibels(column[best]); best != binOf(hz) || db < -31.7 || db > -29.7 {
					t.Fatalf("%g Hz, level %d, column %d of %d: bin %d has %g dB", hz, n, c, columns, best, db)
				}
			}
			want := 127 * math.Pow(10, -1.5)
			peaks := level(t, d, Peaks, n)
			for c := 0; c < len(peaks)/2-1 && float64(ColumnSamples(n)) > audio.Rate/hz; c++ {
				if low, high := float64(int8(peaks[2*c])), float64(int8(peaks[2*c+1])); math.Abs(high-want) > 2 || math.Abs(low+want) > 2 {
					t.Fatalf("%g Hz, level %d, column %d: peaks %g to %g", hz, n, c, low, high)
				}
			}
		}
	}
}

func maxOf(b []byte) (m byte) {
	for _, v := range b {
		m = max(m, v)
	}
	return m
}

// A level is the extremes of pairs of columns of the one below, also where one is drawn from the sound and the other kept.
func TestLevelsAreTheExtremesOfTheOnesBelow(t *testing.T) {
	for _, samples := range []int{1, 127, 65536, 65537, 524_288, 524_289, 1_048_576, 1_048_577, 3_000_000, 8*1_048_576 + 1} {
		d := drawn(t, noise(samples))
		for _, kind := range []Kind{Peaks, Spectrogram} {
			below := level(t, d, kind, 0)
			for n := 1; n < Levels(d.samples); n++ {
				this := level(t, d, kind, n)
				pooled := kind.pool(nil, below, 2)
				if len(pooled) != len(this) {
					t.Fatalf("%d samples, %s, level %d: %d bytes, from those below %d", samples, kind, n, len(this), len(pooled))
				}
				for i := range this {
					if this[i] != pooled[i] && !(kind == Spectrogram && n == 1 && this[i] < pooled[i]) {
						t.Fatalf("%d samples, %s, level %d: byte %d is %d, from those below %d", samples, kind, n, i, this[i], pooled[i])
					}
				}
				below = this
			}
		}
		for _, kind := range []Kind{Peaks, Spectrogram} {
			for i := range Tiles(d.samples, FirstKept) {
				if planFor(d.samples).kept == 0 {
					break
				}
				kept, err := d.Tile(t.Context(), kind, FirstKept, i)
				if err != nil {
					t.Fatal(err)
				}
				now, err := d.fine(t.Context(), kind, FirstKept, i)
				if err != nil || !bytes.Equal(kept, now) {
					t.Errorf("%d samples, %s, level %d, tile %d: kept and drawn now are different, %v", samples, kind, FirstKept, i, err)
				}
			}
		}
	}
}

func TestNoSuchTile(t *testing.T) {
	for _, samples := range []int{0, 1, 70_000, 3_000_000} {
		d := drawn(t, make(audio.Samples, samples))
		levels := Levels(d.samples)
		type place struct{ level, tile int }
		outside := []place{{-1, 0}, {levels, 0}, {0, -1}, {math.MaxInt, 0}, {0, math.MaxInt}, {math.MinInt, math.MinInt}}
		for n := range levels {
			outside = append(outside, place{n, Tiles(d.samples, n)})
		}
		for _, o := range outside {
			for _, kind := range []Kind{Peaks, Spectrogram} {
				if b, err := d.Tile(t.Context(), kind, o.level, o.tile); b != nil || evidence.KindOf(err) != evidence.KindNotFound {
					t.Errorf("%d samples, %s %v: %d bytes, %v", samples, kind, o, len(b), err)
				}
			}
		}
		for _, kind := range []Kind{-1, kinds} {
			if _, err := d.Tile(t.Context(), kind, 0, 0); evidence.KindOf(err) != evidence.KindInvalid {
				t.Errorf("kind %d: %v", kind, err)
			}
		}
	}
}

func TestOneSample(t *testing.T) {
	d := drawn(t, audio.Samples{-1})
	if b := level(t, d, Peaks, 0); !bytes.Equal(b, []byte{0xff, 0}) {
		t.Errorf("% x", b)
	}
	if b := level(t, d, Spectrogram, 0); len(b) != Bins {
		t.Errorf("%d bytes", len(b))
	}
}

func ExampleBinHz() {
	for _, bin := range []int{32, 95, 96, 127} {
		low, high := BinHz(bin)
		fmt.Printf("%d: %.1f to %.1f Hz\n", bin, low, high)
	}
	// Output:
	// 32: 984.4 to 1015.6 Hz
	// 95: 2953.1 to 2984.4 Hz
	// 96: 2984.4 to 3140.6 Hz
	// 127: 7828.1 to 7984.4 Hz
}
