package graph

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// What the reference, design/ear/build_graphs.py, makes of testdata/model.bin with these heads.
const (
	smallEncoder = "ecf8dd0a9dca3927aaa9fb04ad8703649bb4a1b0ad18a08088df0bf5c6d41af3"
	smallDecoder = "0fba957f5ca37de4c66be3f00335f28d77eaec5d2958bd1a4f8b3f6dc2a03f2d"
)

func smallHeads() []head { return []head{{0, 0}, {1, 0}} }

// containers are the files of testdata, made by make_checkpoints.py there.
func containers() []string {
	return []string{"model.bin", "openai.pt", "openai.safetensors", "transformers.safetensors"}
}

func unzipped(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	b, err = io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parse opens a checkpoint and, where its sizes are a model's, builds both graphs of it.
func parse(b []byte, encoder, decoder io.Writer) error {
	c, err := open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	d, err := c.dims()
	if err != nil {
		return err
	}
	return c.write(context.Background(), d, smallHeads(), encoder, decoder)
}

func TestContainersGiveTheSameGraphs(t *testing.T) {
	for _, name := range containers() {
		var e, d bytes.Buffer
		if err := parse(unzipped(t, name), &e, &d); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := digest(e.Bytes()); got != smallEncoder {
			t.Errorf("%s: encoder has SHA-256 %s, want %s", name, got, smallEncoder)
		}
		if got := digest(d.Bytes()); got != smallDecoder {
			t.Errorf("%s: decoder has SHA-256 %s, want %s", name, got, smallDecoder)
		}
	}
}

// Whatever lies in the folder of weights beside model.bin in another container gives the catalogue's graphs, too.
func TestBaseInOtherContainers(t *testing.T) {
	dir := filepath.Dir(weights(t))
	for _, name := range append(containers(), "base.pt") {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			continue
		}
		e, d := build(t, path, "base")
		if digest(e) != baseEncoder || digest(d) != baseDecoder {
			t.Errorf("%s: SHA-256 of encoder %s, of decoder %s", name, digest(e), digest(d))
		}
		t.Logf("%s: equal", name)
	}
}

// A file cut short anywhere, or whose table lies, is refused with a kind, never a panic.
func TestDamagedCheckpointsAreInvalid(t *testing.T) {
	for _, name := range containers() {
		whole := unzipped(t, name)
		for _, n := range []int{0, 1, 15, 16, 40, 100, 1000, len(whole) / 2, len(whole) - 40} {
			if err := parse(whole[:n], io.Discard, io.Discard); evidence.KindOf(err) != evidence.KindInvalid {
				t.Errorf("%s cut to %d bytes: %v, want an error of kind invalid", name, n, err)
			}
		}
	}
	for name, b := range map[string][]byte{
		"a PDF":                        []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3 some more bytes"),
		"zeros":                        make([]byte, 4096),
		"a safetensors of 2^63":        append(bytes.Repeat([]byte{0xff}, 7), []byte("\x7f{\"a\":1}          ")...),
		"a NaN":                        notFinite(t),
		"a CTranslate2 file in 8 bits": bytes.Replace(unzipped(t, "model.bin"), conv1(64, 8, 3, 4), conv1(64, 8, 3, 1), 1),
	} {
		err := parse(b, io.Discard, io.Discard)
		if evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v, want an error of kind invalid", name, err)
		}
	}
}

// conv1 is the tail of a variable's name, its number of dimensions, three of them and the element type.
func conv1(a, b, c uint32, kind byte) []byte {
	out := []byte("conv1/weight\x00\x03")
	for _, v := range []uint32{a, b, c} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return append(out, kind)
}

func notFinite(t testing.TB) []byte {
	b := unzipped(t, "openai.safetensors")
	copy(b[len(b)-64:], []byte{0, 0x7e})
	return b
}

func fuzzContainer(f *testing.F, names ...string) {
	for _, n := range names {
		b := unzipped(f, n)
		f.Add(b[:min(len(b), 8192)]) // the tables; the numbers that follow say nothing to a parser
		f.Add(b[max(0, len(b)-8192):])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := parse(b, io.Discard, io.Discard)
		if err != nil && evidence.KindOf(err) != evidence.KindInvalid && !errors.Is(err, io.EOF) {
			t.Errorf("%v, want an error of kind invalid", err)
		}
	})
}

func FuzzCTranslate2(f *testing.F) { fuzzContainer(f, "model.bin") }
func FuzzTorch(f *testing.F)       { fuzzContainer(f, "openai.pt") }
func FuzzSafetensors(f *testing.F) {
	fuzzContainer(f, "openai.safetensors", "transformers.safetensors")
}
