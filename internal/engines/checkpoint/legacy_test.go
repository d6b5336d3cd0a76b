package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

func openLegacy(b []byte) (*Checkpoint, error) {
	return OpenLegacyTorch(bytes.NewReader(b), int64(len(b)))
}

func TestTensorsOfAnOldFile(t *testing.T) {
	c, err := openLegacy(unzipped(t, "testdata", "legacy.pt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tensors) != 3 {
		t.Errorf("%d tensors, want those of the weights and no others", len(c.Tensors))
	}
	for _, want := range []struct {
		name    string
		dims    []int
		numbers []float32
	}{
		{"a", []int{2, 3}, []float32{0, 0.25, 0.5, 0.75, 1, 1.25}}, {"b", []int{4}, []float32{1.5, 1.75, 2, 2.25}}, {"half", []int{2}, []float32{1.5, -2}},
	} {
		x, err := c.Get(want.name, want.dims...)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []float32
		err = c.Floats(t.Context(), Plain(x), Part{Zero: 1})(func(b []byte) error {
			for ; len(b) > 0; b = b[4:] {
				got = append(got, math.Float32frombits(binary.LittleEndian.Uint32(b)))
			}
			return nil
		})
		if err != nil || !slices.Equal(got, append(want.numbers, 0)) {
			t.Errorf("%s: %v, %v; want %v", want.name, got, err, want.numbers)
		}
	}
}

// A file cut short anywhere is refused with a kind, never a panic; so is one whose storages are not those described.
func TestDamagedOldFilesAreInvalid(t *testing.T) {
	whole := unzipped(t, "testdata", "legacy.pt.gz")
	for n := range whole {
		if _, err := openLegacy(whole[:n]); evidence.KindOf(err) != evidence.KindInvalid {
			t.Fatalf("cut to %d bytes: %v, want an error of kind invalid", n, err)
		}
	}
	for name, change := range map[string][2]string{
		"big-endian":         {"little_endianq\x02\x88", "little_endianq\x02\x89"},
		"more numbers":       {"\x0a\x00\x00\x00\x00\x00\x00\x00", "\x0b\x00\x00\x00\x00\x00\x00\x00"},
		"numbers past them":  {"K\x06K\x04\x85", "K\x07K\x04\x85"},
		"doubles":            {"FloatStorage", "FlooxStorage"},
		"a call of anything": {"OrderedDict", "OrderedDicx"},
	} {
		changed := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, whole) {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := openLegacy(changed); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v, want an error of kind invalid", name, err)
		}
	}
}

func FuzzLegacyTorch(f *testing.F) {
	f.Add(unzipped(f, "testdata", "legacy.pt.gz"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := openLegacy(b); err != nil && evidence.KindOf(err) != evidence.KindInvalid && !errors.Is(err, io.EOF) {
			t.Errorf("%v, want an error of kind invalid", err)
		}
	})
}
