package picture

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// While the picture is drawn, every tile is either whole, or the beginning of what it will be, or says how far it is.
func TestTilesWhileDrawing(t *testing.T) {
	src := noise(12_345_678)
	want := drawn(t, src)
	d := NewDrawer(src)
	defer d.Close()
	whole, begun, none := 0, 0, 0
	look := func(done int64) {
		for n := FirstKept; n < Levels(d.samples); n++ {
			for i := range Tiles(d.samples, n) {
				if n == FirstKept && i%7 != 0 { // they are drawn from the sound meanwhile, which takes its time
					continue
				}
				for _, kind := range []Kind{Peaks, Spectrogram} {
					end, err := want.Tile(t.Context(), kind, n, i)
					if err != nil {
						t.Fatal(err)
					}
					b, err := d.Tile(t.Context(), kind, n, i)
					var notYet *NotDrawn
					switch {
					case err == nil && bytes.Equal(b, end):
						whole++
					case n == FirstKept || !errors.As(err, &notYet) || evidence.KindOf(err) != evidence.KindConflict || notYet.Of != d.samples || notYet.Drawn != done:
						t.Fatalf("after %d samples, %s, level %d, tile %d: %d bytes, %v", done, kind, n, i, len(b), err)
					case len(b) == 0:
						none++
					default:
						begun++
					}
					// Of what is drawn, less than one column of the tile's parts is missing.
					columns := int64(len(b) / kind.ColumnBytes())
					first := int64(i) * TileColumns
					if need := min(done/ColumnSamples(n), first+int64(tileColumns(d.samples, n, i))) - 1 - first; !bytes.HasPrefix(end, b) || columns < need {
						t.Fatalf("after %d samples, %s, level %d, tile %d: %d columns, not %d, or they are not those of the end", done, kind, n, i, columns, need)
					}
				}
			}
		}
	}
	look(0)
	if whole == 0 || begun > 0 || none == 0 {
		t.Errorf("before: %d whole, %d begun, %d not", whole, begun, none)
	}
	whole, begun, none = 0, 0, 0
	path := filepath.Join(t.TempDir(), "picture")
	calls := 0
	if err := d.Prepare(t.Context(), path, "key", func(done, of int64) {
		if calls++; calls%29 == 3 {
			look(done)
			if err := d.Prepare(t.Context(), path, "key", nil); evidence.KindOf(err) != evidence.KindConflict {
				t.Errorf("a second time: %v", err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if whole == 0 || begun == 0 || none == 0 {
		t.Errorf("meanwhile: %d whole, %d begun, %d not", whole, begun, none)
	}
	whole, begun, none = 0, 0, 0
	look(d.samples)
	if whole == 0 || begun > 0 || none > 0 {
		t.Errorf("after: %d whole, %d begun, %d not", whole, begun, none)
	}
	if err := d.Prepare(t.Context(), path, "key", func(int64, int64) { t.Error("it is drawn again") }); err != nil {
		t.Error(err)
	}
}

// Several look while one draws; for the race detector.
func TestLookingWhileDrawing(t *testing.T) {
	src := noise(6_000_000)
	d := NewDrawer(src)
	defer d.Close()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for last := false; !last; {
				last = ctx.Err() != nil
				for n := FirstKept + 1; n < Levels(d.samples); n++ {
					var notYet *NotDrawn
					if _, err := d.Tile(t.Context(), Spectrogram, n, 0); err != nil && (last || !errors.As(err, &notYet)) {
						t.Errorf("level %d: %v", n, err)
					}
				}
			}
		})
	}
	path := filepath.Join(t.TempDir(), "picture")
	half, cut := context.WithCancel(t.Context())
	if err := d.Prepare(half, path, "key", func(done, of int64) {
		if done > of/2 {
			cut()
		}
	}); evidence.KindOf(err) != evidence.KindCancelled {
		t.Error(err)
	}
	if err := d.Prepare(t.Context(), path, "key", nil); err != nil {
		t.Error(err)
	}
	stop()
	all.Wait()
}

// A file that turns out damaged is let go, and drawn anew.
func TestDamageIsDrawnAnew(t *testing.T) {
	src := noise(3_000_000)
	path := filepath.Join(t.TempDir(), "picture")
	again := func(d *Drawer) (drawn bool) {
		t.Helper()
		if err := d.Prepare(t.Context(), path, "key", func(int64, int64) { drawn = true }); err != nil {
			t.Fatal(err)
		}
		return drawn
	}
	d := NewDrawer(src)
	if !again(d) {
		t.Error("nothing was there, and nothing is drawn")
	}
	want := level(t, d, Spectrogram, 5)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	bad := bytes.Clone(good)
	bad[planFor(src.Len()).offset(0, 1)+2000] ^= 4
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	d = NewDrawer(src)
	defer d.Close()
	if again(d) {
		t.Error("the change is seen at once")
	}
	if _, err := d.Tile(t.Context(), Spectrogram, 5, 1); err != nil {
		t.Error(err)
	}
	var notYet *NotDrawn
	if _, err := d.Tile(t.Context(), Spectrogram, 5, 0); evidence.KindOf(err) != evidence.KindDamaged {
		t.Error(err)
	}
	if _, err := d.Tile(t.Context(), Spectrogram, 5, 1); !errors.As(err, &notYet) || notYet.Drawn != 0 {
		t.Error(err)
	}
	if _, err := d.Tile(t.Context(), Spectrogram, 4, 0); err != nil {
		t.Error(err)
	}
	if !again(d) {
		t.Error("it is not drawn anew")
	}
	if !bytes.Equal(level(t, d, Spectrogram, 5), want) {
		t.Error("it is different now")
	}

	for name, file := range map[string][]byte{"cut": good[:len(good)-1], "empty": {}, "other": bytes.Repeat([]byte("other"), 1000)} {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		d := NewDrawer(src)
		if !again(d) {
			t.Errorf("%s is not drawn anew", name)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, good) {
			t.Errorf("%s: the file is not as before, %v", name, err)
		}
	}
}

func TestStoppedPrepare(t *testing.T) {
	src := noise(3_000_000)
	d := NewDrawer(src)
	defer d.Close()
	path := filepath.Join(t.TempDir(), "picture")
	ctx, stop := context.WithCancel(t.Context())
	if err := d.Prepare(ctx, path, "key", func(int64, int64) { stop() }); evidence.KindOf(err) != evidence.KindCancelled {
		t.Error(err)
	}
	var notYet *NotDrawn
	if b, err := d.Tile(t.Context(), Peaks, 5, 0); len(b) > 0 || !errors.As(err, &notYet) {
		t.Error(err)
	}
	if _, err := d.Tile(ctx, Peaks, 0, 0); evidence.KindOf(err) != evidence.KindCancelled {
		t.Error(err)
	}
	if err := d.Prepare(t.Context(), path, "key", nil); err != nil {
		t.Error(err)
	}
	if _, err := d.Tile(t.Context(), Peaks, 5, 0); err != nil {
		t.Error(err)
	}
}

// A short recording needs no file.
func TestShortRecordingLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	d := NewDrawer(noise(524_288))
	defer d.Close()
	if err := d.Prepare(t.Context(), filepath.Join(dir, "picture"), "key", nil); err != nil {
		t.Fatal(err)
	}
	for n := range Levels(d.samples) {
		level(t, d, Spectrogram, n)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}

func BenchmarkFineTile(b *testing.B) {
	sound := noise(TileColumns * 128 << FirstKept)
	pcm := make([]byte, 2*len(sound))
	for i, v := range sound {
		pcm[2*i], pcm[2*i+1] = byte(v), byte(v>>8)
	}
	d := NewDrawer(audio.OpenPCM(bytes.NewReader(pcm), sound.Len()))
	for _, kind := range []Kind{Peaks, Spectrogram} {
		for _, n := range []int{0, 1, 2, 3, FirstKept} {
			b.Run(kind.String()+"-"+string(rune('0'+n)), func(b *testing.B) {
				for b.Loop() {
					if _, err := d.Tile(b.Context(), kind, n, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkBuildHour(b *testing.B) {
	src := noise(hour)
	path := filepath.Join(b.TempDir(), "picture")
	for b.Loop() {
		if err := Build(b.Context(), src, path, "key", nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(3600*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
}

func BenchmarkStoredTile(b *testing.B) {
	d := drawn(b, noise(hour))
	for _, kind := range []Kind{Peaks, Spectrogram} {
		for _, n := range []int{4, 5, 6, 7} {
			b.Run(kind.String()+"-"+string(rune('0'+n)), func(b *testing.B) {
				for b.Loop() {
					if _, err := d.Tile(b.Context(), kind, n, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
