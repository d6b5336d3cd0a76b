package graph

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
)

// The graph of the published checkpoint, as the catalogue names it.
const published = "5b80ce47759cc6cbf64f7c25b8ad4c17f2c41e32181d099bfa3c3f84a3d40a3c"

func weights(t testing.TB) []byte {
	t.Helper()
	dir := os.Getenv("EARWITNESS_WEIGHTS")
	if dir == "" {
		casetest.Skip(t, "EARWITNESS_WEIGHTS names no folder with the voice encoder's checkpoint (resemblyzer.pt); tools/weights.sh fetches it")
	}
	b, err := os.ReadFile(filepath.Join(dir, "resemblyzer.pt"))
	if err != nil {
		casetest.Skip(t, "the voice encoder's checkpoint is not where EARWITNESS_WEIGHTS says: "+err.Error())
	}
	return b
}

func TestThePublishedCheckpointGivesTheCataloguesGraph(t *testing.T) {
	b := weights(t)
	var out bytes.Buffer
	if err := Build(t.Context(), bytes.NewReader(b), int64(len(b)), &out); err != nil {
		t.Fatal(err)
	}
	if got := evidence.DigestOf(out.Bytes()).String(); got != published {
		t.Errorf("%d bytes with SHA-256 %s, not %s", out.Len(), got, published)
	}
}

// A file cut short anywhere, or another model's, is refused with a kind, never a panic.
func TestDamagedCheckpointsAreInvalid(t *testing.T) {
	b := weights(t)
	build := func(b []byte) error { return Build(t.Context(), bytes.NewReader(b), int64(len(b)), io.Discard) }
	for _, n := range []int{0, 1, 4, 15, 21, 60, 137, 300, 5882, 6000, 6670, 8000, len(b) / 2, len(b) - 1} {
		if err := build(b[:n]); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("cut to %d bytes: %v, want an error of kind invalid", n, err)
		}
	}
	lstm := bytes.Index(b, []byte("\x00\xb8\x14\x00\x00\x00\x00\x00")) // the number of elements before those of the layers
	for name, change := range map[string][2]string{
		"a call":            {"_rebuild_tensor_v2", "_rebuild_tensor_v3"},
		"a big-endian file": {"q\x02\x88X", "q\x02\x89X"},
		"no such tensor":    {"lstm.weight_ih_l0", "lstm.weight_ih_l9"},
		"a NaN":             {"\x00\xb8\x14\x00\x00\x00\x00\x00" + string(b[lstm+8:lstm+12]), "\x00\xb8\x14\x00\x00\x00\x00\x00\xff\xff\xff\xff"},
	} {
		changed := bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, b) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if err := build(changed); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v, want an error of kind invalid", name, err)
		}
	}
}
