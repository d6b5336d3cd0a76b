package checkpoint

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

func unzipped(t testing.TB, elem ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHalfNumbers(t *testing.T) {
	for bits, want := range map[uint16]float32{0: 0, 0x3c00: 1, 0xbc00: -1, 1: 1.0 / (1 << 24), 0x03ff: 1023.0 / (1 << 24), 0x0400: 1.0 / (1 << 14), 0x7bff: 65504} {
		if got := fromHalf(bits); got != want {
			t.Errorf("fromHalf(%#x) = %v, want %v", bits, got, want)
		}
	}
}

// Nothing in a pickle is executed: a call of anything but the two known descriptions is refused.
func TestPickleCallsAreRefused(t *testing.T) {
	for name, p := range map[string]string{
		"os.system":       "\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.",
		"builtins.eval":   "\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
		"an instance":     "\x80\x02(cos\nsystem\no.",
		"a new object":    "\x80\x02cos\nsystem\n)\x81.",
		"BUILD of a call": "\x80\x02cos\nsystem\n}b.",
		"protocol 4":      "\x80\x04}.",
		"a huge text":     "\x80\x02X\xff\xff\xff\xff",
		"an empty stack":  "\x80\x02R.",
		"no tensors":      "\x80\x02}.",
		"a list of self":  "\x80\x02]q\x00h\x00a.",
	} {
		_, err := unpickle([]byte(p))
		if evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(err.Error(), "pickle") {
			t.Errorf("%s: %v, want an error of kind invalid about the pickle", name, err)
		}
	}
}

func FuzzPickle(f *testing.F) {
	b := unzipped(f, "..", "whisper", "graph", "testdata", "openai.pt.gz")
	from := bytes.Index(b, []byte("\x80\x02}"))
	f.Add(b[from : from+8192])
	f.Add([]byte("\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := unpickle(b); err != nil && evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%v, want an error of kind invalid", err)
		}
	})
}
