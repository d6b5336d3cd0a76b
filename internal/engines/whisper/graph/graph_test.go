package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/engines/onnx"
)

// The graphs of whisper-base, as the catalogue names them.
const (
	baseEncoder = "c846613ddef644e0e00491353371dfd1fb6bd7ce20246ce1b18b8ab6ce246971"
	baseDecoder = "c3ff3766fc3a3fb71aeb39229da57eda329d4f84c7b1f09208f3d21d7b5865b8"
)

func build(t testing.TB, path, name string) (encoder, decoder []byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var e, d bytes.Buffer
	if err := Build(context.Background(), f, info.Size(), name, &e, &d); err != nil {
		t.Fatal(err)
	}
	return e.Bytes(), d.Bytes()
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// weights finds the checkpoint of whisper-base, model.bin, in the folder EARWITNESS_WEIGHTS.
func weights(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EARWITNESS_WEIGHTS")
	if dir == "" {
		casetest.Skip(t, "EARWITNESS_WEIGHTS names no folder with the checkpoint of whisper-base (model.bin), from which graphs are built")
	}
	path := filepath.Join(dir, "model.bin")
	if _, err := os.Stat(path); err != nil {
		casetest.Skip(t, "the checkpoint of whisper-base is not where EARWITNESS_WEIGHTS says: "+err.Error())
	}
	return path
}

// The real checkpoint gives the bytes that testdata/build_graphs.py gave, and the integers of the graphs that the design
// was measured with.
func TestBaseEqualsReference(t *testing.T) {
	encoder, decoder := build(t, weights(t), "whisper-base")
	for _, g := range []struct {
		name, want string
		got        []byte
	}{{"encoder", baseEncoder, encoder}, {"decoder", baseDecoder, decoder}} {
		reference, err := os.ReadFile(casetest.Shared(t, "models", "whisper-base", g.name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		got, integers := initializers(t, g.got), 0
		for name, w := range initializers(t, reference) {
			if w.dtype != onnx.Int8 {
				continue
			}
			integers++
			if got := got[name]; got == nil || got.dtype != w.dtype || fmt.Sprint(got.dims) != fmt.Sprint(w.dims) || !bytes.Equal(got.raw, w.raw) {
				t.Errorf("%s: the integers of %s differ from the first reference", g.name, name)
			}
		}
		if integers == 0 {
			t.Errorf("%s: the first reference has no quantised tensor", g.name)
		}
		if digest(g.got) != g.want {
			t.Errorf("%s: SHA-256 %s, the reference gave %s", g.name, digest(g.got), g.want)
		}
	}
}

type constant struct {
	dtype int
	dims  []int64
	raw   []byte
}

// initializers reads the constants of a ModelProto.
func initializers(t testing.TB, model []byte) map[string]*constant {
	t.Helper()
	out := map[string]*constant{}
	each(t, model, func(field protowire.Number, _ uint64, graph []byte) {
		if field != 7 {
			return
		}
		each(t, graph, func(field protowire.Number, _ uint64, tensor []byte) {
			if field != 5 {
				return
			}
			c, name := &constant{}, ""
			each(t, tensor, func(field protowire.Number, v uint64, b []byte) {
				switch field {
				case 1:
					c.dims = append(c.dims, int64(v))
				case 2:
					c.dtype = int(v)
				case 8:
					name = string(b)
				case 9:
					c.raw = b
				}
			})
			out[name] = c
		})
	})
	return out
}

func each(t testing.TB, b []byte, visit func(field protowire.Number, v uint64, b []byte)) {
	t.Helper()
	for len(b) > 0 {
		field, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v uint64
		var inner []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			inner, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, typ, b)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		visit(field, v, inner)
	}
}

func TestWrongModelNameIsInvalid(t *testing.T) {
	for name, d := range map[string]dims{"base": {textLayers: 4, heads: 6}, "tiny.en": {textLayers: 4, heads: 6}, "": {}} {
		if _, err := headsFor(name, d); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("headsFor(%q, %+v) = %v, want an error of kind invalid", name, d, err)
		}
	}
}

func FuzzSizes(f *testing.F) {
	f.Add([]byte{0x3a, 0x06, 0x5a, 0x04, 0x0a, 0x02, 'c', 'k'})
	f.Add([]byte("\x3a\x1dZ\x1b\n\x03mel\x12\x14\n\x12\x08\x01\x12\x0e\n\x03\x12\x01B\n\x02\x08P\n\x03\x12\x01M"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := SizeOf(b, b); err != nil && evidence.KindOf(err) != evidence.KindInvalid {
			t.Error(err)
		}
	})
}
