package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/durable"
)

// built draws src and returns the bytes of its file.
func built(t testing.TB, src audio.Source) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picture")
	if err := Build(context.Background(), src, path, "key", nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every tile has its own place, in the order in which they become complete, and no byte is left.
func TestPlacesInTheFile(t *testing.T) {
	tile := int64(TileColumns) * ColumnSamples(FirstKept)
	var all []int64
	for _, tiles := range []int64{0, 1, 2, 7, 8, 9, 15, 16, 63, 64, 65, 511, 512, 513, 1318, 4097} {
		for _, more := range []int64{0, 1, 128, 8 * 2048, 8*2048 + 1, tile / 2, tile - 1} {
			all = append(all, tiles*tile+more)
		}
	}
	for _, samples := range all {
		p := planFor(samples)
		at := int64(headerSize)
		next := make([]int, p.kept)
		place := func(i int) {
			if got := p.offset(i, next[i]); got != at {
				t.Fatalf("%d samples: tile %d of kept level %d is at %d, not %d", samples, next[i], i, got, at)
			}
			at += tileSize(int64(tileColumns(samples, keptLevel(i), next[i])))
			next[i]++
		}
		for n := int64(1); n <= p.full; n++ {
			for i := range next {
				if n%(1<<(keptShift*i)) == 0 {
					place(i)
				}
			}
		}
		for i := range next {
			if next[i] < Tiles(samples, keptLevel(i)) {
				place(i)
			}
			if next[i] != Tiles(samples, keptLevel(i)) {
				t.Fatalf("%d samples: kept level %d has %d tiles of %d", samples, i, next[i], Tiles(samples, keptLevel(i)))
			}
		}
		if p.size() != at {
			t.Fatalf("%d samples: the file has %d bytes, not %d", samples, p.size(), at)
		}
	}
}

// A day on which two short sounds are made: both are seen from any distance, and nothing else is. Drawing it takes no more
// memory than an hour, and the file is no larger than was promised.
func TestADay(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 24 hours")
	}
	click, burst := int64(7*hour+12345), int64(23*hour+59*60*audio.Rate+777)
	day := silence{24 * hour, map[int64][]int16{click: sine(1500, -40, audio.Rate/50), burst: sine(800, -50, audio.Rate*3/10)}}
	path := filepath.Join(t.TempDir(), "picture")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Build(t.Context(), day, path, "key", nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("drawing has allocated %d bytes", n)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 101e6 {
		t.Errorf("%v, %v", info, err)
	} else {
		t.Logf("the file has %d bytes", info.Size())
	}
	d := NewDrawer(day)
	if err := d.Prepare(t.Context(), path, "key", nil); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for n := range Levels(day.samples) {
		width := ColumnSamples(n)
		loud := map[int64]byte{} // columns in which something can be seen, and the loudest byte
		tiles := map[int]bool{}
		if n >= FirstKept {
			for i := range Tiles(day.samples, n) {
				tiles[i] = true
			}
		}
		for from, sound := range day.sounds { // below, most of the day would be drawn for nothing
			tiles[int(from/width/TileColumns)] = true
			tiles[int((from+int64(len(sound)))/width/TileColumns)] = true
		}
		for i := range tiles {
			peaks, err := d.Tile(t.Context(), Peaks, n, i)
			if err != nil {
				t.Fatal(err)
			}
			spectra, err := d.Tile(t.Context(), Spectrogram, n, i)
			if err != nil {
				t.Fatal(err)
			}
			for c := range len(peaks) / 2 {
				column := int64(i)*TileColumns + int64(c)
				from, to := column*width, (column+1)*width
				heard, near := false, false
				for at, sound := range day.sounds {
					end := at + int64(len(sound))
					heard = heard || at < to && end > from+2 // a sine begins with 0
					near = near || at < to+window && end > from-window
				}
				if seen := peaks[2*c] != 0 || peaks[2*c+1] != 0; seen != heard && (seen || !near) {
					t.Errorf("level %d, column %d: peaks seen: %v, there: %v", n, column, seen, heard)
				}
				m := maxOf(spectra[c*Bins : (c+1)*Bins])
				if m > 0 && !near {
					t.Errorf("level %d, column %d: something of %g dB is seen, but there is nothing", n, column, Decibels(m))
				}
				loud[column] = m
			}
		}
		for at, want := range map[int64]struct {
			db float64
			hz float64
		}{click: {-40, 1500}, burst: {-50, 800}} {
			best := 0
			for c := at / width; c*width < at+int64(len(day.sounds[at])); c++ {
				best = max(best, int(loud[c]))
			}
			if db := Decibels(byte(best)); db < want.db-6 || db > want.db+0.5 {
				t.Errorf("level %d: the sound of %g Hz and %g dB at %d is seen with %g dB", n, want.hz, want.db, at, db)
			}
		}
	}
}

// A file that was cut, changed in any byte, or is of another sound gives no wrong tile: it is refused, or the tile is.
func TestDamagedFile(t *testing.T) {
	src := noise(2_500_000)
	good := built(t, src)
	samples := src.Len()
	tiles := func(file []byte, key string, samples int64) (wrong, refused int, err error) {
		p, err := openPicture(bytes.NewReader(file), int64(len(file)), key, samples)
		if err != nil {
			return 0, 0, err
		}
		want, err := openPicture(bytes.NewReader(good), int64(len(good)), "key", src.Len())
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{Peaks, Spectrogram} {
			for i := range p.plan.kept {
				for k := range Tiles(samples, keptLevel(i)) {
					a, _, err := p.kept(kind, i, k)
					b, _, wantErr := want.kept(kind, i, k)
					switch {
					case wantErr != nil:
						t.Fatal(wantErr)
					case evidence.KindOf(err) == evidence.KindDamaged:
						refused++
					case err != nil || !bytes.Equal(a, b):
						wrong++
					}
				}
			}
		}
		return wrong, refused, nil
	}
	if wrong, refused, err := tiles(good, "key", samples); wrong+refused > 0 || err != nil {
		t.Fatal(wrong, refused, err)
	}
	for at := 0; at < len(good); at += 1 + max(at-headerSize, 0)/97 {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		wrong, refused, err := tiles(bad, "key", samples)
		if at < headerSize && evidence.KindOf(err) != evidence.KindConflict || at >= headerSize && (wrong != 0 || refused != 1 || err != nil) {
			t.Errorf("byte %d is changed: %d wrong tiles, %d refused, %v", at, wrong, refused, err)
		}
	}
	for _, n := range []int{0, 1, headerSize - 1, headerSize, headerSize + 1, len(good) / 2, len(good) - 1} {
		if _, _, err := tiles(good[:n], "key", samples); evidence.KindOf(err) != evidence.KindDamaged {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	if _, _, err := tiles(append(bytes.Clone(good), 0), "key", samples); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("one byte longer: %v", err)
	}
	for _, other := range []struct {
		key     string
		samples int64
	}{{"kez", samples}, {"", samples}, {"key", samples + 1}, {"key", 0}, {"key", -1}, {"key", math.MaxInt64}} {
		if _, _, err := tiles(good, other.key, other.samples); evidence.KindOf(err) != evidence.KindConflict {
			t.Errorf("opened as %v: %v", other, err)
		}
	}

	// Two tiles of the same size in each other's place; zeros, such as a disk leaves behind; the end of another sound.
	p := planFor(samples)
	first, second := p.offset(0, 0), p.offset(0, 1)
	swapped := bytes.Clone(good)
	copy(swapped[first:], good[second:second+fullTile])
	copy(swapped[second:], good[first:first+fullTile])
	if wrong, refused, err := tiles(swapped, "key", samples); p.full < 2 || wrong != 0 || refused != 4 || err != nil {
		t.Errorf("swapped: %d wrong, %d refused, %v", wrong, refused, err)
	}
	zeros := bytes.Clone(good)
	clear(zeros[second:])
	if wrong, refused, err := tiles(zeros, "key", samples); wrong != 0 || refused < 2 || err != nil {
		t.Errorf("zeros: %d wrong, %d refused, %v", wrong, refused, err)
	}
	path := filepath.Join(t.TempDir(), "picture")
	if err := Build(t.Context(), src, path, "other", nil); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mixed := append(bytes.Clone(good[:second]), other[second:]...)
	if wrong, refused, err := tiles(mixed, "key", samples); wrong != 0 || refused < 2 || err != nil {
		t.Errorf("mixed: %d wrong, %d refused, %v", wrong, refused, err)
	}
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "picture")
	if _, err := Open(path, "key", 0); evidence.KindOf(err) != evidence.KindNotFound || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(t.TempDir(), "key", 5_000_000); err == nil {
		t.Error("a folder is opened")
	}
	for _, samples := range []int64{0, 1, 1_048_576, 5_000_000} {
		src := noise(max(int(samples), 100))[:samples]
		if err := Build(t.Context(), src, path, "key", nil); err != nil {
			t.Fatal(err)
		}
		p, err := Open(path, "key", samples)
		if err != nil {
			t.Fatal(err)
		}
		for n := range Levels(samples) {
			b, err := p.Peaks(n, 0)
			s, err2 := p.Spectrogram(n, 0)
			if n < FirstKept {
				if evidence.KindOf(err) != evidence.KindNotFound || evidence.KindOf(err2) != evidence.KindNotFound {
					t.Errorf("%d samples, level %d: %v, %v", samples, n, err, err2)
				}
			} else if columns := tileColumns(samples, n, 0); err != nil || err2 != nil || len(b) != 2*columns || len(s) != Bins*columns {
				t.Errorf("%d samples, level %d: %d and %d bytes, %v, %v", samples, n, len(b), len(s), err, err2)
			}
		}
		if err := os.Truncate(path, int64(headerSize)); err != nil { // behind its back
			t.Fatal(err)
		}
		if n := Levels(samples) - 1; n >= FirstKept {
			if _, err := p.Peaks(n, 0); evidence.KindOf(err) != evidence.KindDamaged {
				t.Errorf("%d samples, and then the file is cut: %v", samples, err)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What stops drawing leaves the file that was there, and nothing beside it.
func TestStoppedBuild(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "picture")
	src := noise(2_000_000)
	if err := Build(t.Context(), src, path, "old", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".tmp", []byte("of a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var calls int
	err := Build(ctx, src, path, "new", func(done, of int64) {
		calls++
		if of != src.Len() || done <= 0 || done > of {
			t.Errorf("%d of %d", done, of)
		}
		if done > of/2 {
			stop()
		}
	})
	if evidence.KindOf(err) != evidence.KindCancelled || !errors.Is(err, context.Canceled) || calls < 10 {
		t.Errorf("stopped after %d calls: %v", calls, err)
	}
	if err := Build(t.Context(), failing{src, 1_000_000, syscall.EACCES}, path, "new", nil); !errors.Is(err, syscall.EACCES) || evidence.KindOf(err) != evidence.KindInternal {
		t.Errorf("the sound cannot be read: %v", err) // which says nothing of the folder of the picture
	}
	for _, room := range []int{0, 1, headerSize, headerSize + fullTile + 1} {
		b, err := newBuilder(&fullDisk{room: room}, src, src.Len(), path, "new")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.abandon(b.draw(t.Context(), nil)); !durable.Full(err) || evidence.HintOf(err) == "" {
			t.Errorf("the disk has room for %d bytes: %v", room, err)
		}
	}
	p, err := Open(path, "old", src.Len())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); len(left) != 1 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := Build(t.Context(), src, filepath.Join(path, "below a file"), "new", nil); err == nil {
		t.Error("a file is a folder")
	}
}

// fullDisk has room for so many bytes.
type fullDisk struct {
	durable.OS
	room int
}

func (d *fullDisk) Create(name string, perm fs.FileMode) (durable.File, error) {
	f, err := d.OS.Create(name, perm)
	return &fullFile{f, d}, err
}

type fullFile struct {
	durable.File
	disk *fullDisk
}

func (f *fullFile) Write(p []byte) (int, error) {
	n := min(len(p), f.disk.room)
	f.disk.room -= n
	if n < len(p) {
		_, err := f.File.Write(p[:n])
		return n, errors.Join(syscall.ENOSPC, err)
	}
	return f.File.Write(p)
}

// failing is sound that cannot be read from a position on.
type failing struct {
	audio.Source
	from int64
	err  error
}

func (f failing) ReadSamples(dst []int16, at int64) (int, error) {
	if at+int64(len(dst)) > f.from {
		return 0, f.err
	}
	return f.Source.ReadSamples(dst, at)
}

// Opening arbitrary bytes, with or without the right beginning, ends in an error or in tiles of the right size.
func FuzzOpen(f *testing.F) {
	good := built(f, noise(1_100_000))
	f.Add(good, int64(1_100_000), false)
	f.Add(good[:headerSize], int64(0), true)
	f.Add([]byte{}, int64(math.MaxInt64), true)
	f.Add(bytes.Repeat([]byte{0}, 600_000), int64(2_000_000), true)
	f.Fuzz(func(t *testing.T, file []byte, samples int64, ours bool) {
		if ours {
			file = append(header("key", samples), file...)
		}
		p, err := openPicture(bytes.NewReader(file), int64(len(file)), "key", samples)
		if err != nil {
			if k := evidence.KindOf(err); k != evidence.KindDamaged && k != evidence.KindConflict {
				t.Fatalf("%v is of kind %s", err, k)
			}
			return
		}
		if n := int64(binary.LittleEndian.Uint64(file[len(magic):])); n != samples {
			t.Fatalf("a picture of %d samples is opened as one of %d", n, samples)
		}
		for n := FirstKept; n < Levels(samples); n++ {
			for i := range Tiles(samples, n) {
				for _, kind := range []Kind{Peaks, Spectrogram} {
					b, err := p.tile(kind, n, i)
					if err != nil && evidence.KindOf(err) != evidence.KindDamaged || err == nil && len(b) != tileColumns(samples, n, i)*kind.ColumnBytes() {
						t.Fatalf("%s, level %d, tile %d: %d bytes, %v", kind, n, i, len(b), err)
					}
				}
			}
		}
	})
}
