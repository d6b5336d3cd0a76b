package merklelog_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
	"github.com/earwitness/earwitness/internal/merklelog"
)

// memoryTree keeps a whole tree in memory.
type memoryTree struct {
	edge   merklelog.Edge
	hashes []tlog.Hash
	leaves []merklelog.Commitment
}

func (m *memoryTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x >= int64(len(m.hashes)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = m.hashes[x]
	}
	return out, nil
}

func (m *memoryTree) leaf(n int64) (merklelog.Commitment, error) { return m.leaves[n], nil }

func commitment(n int) merklelog.Commitment {
	return merklelog.Commit([merklelog.SaltSize]byte{byte(n), byte(n >> 8)}, fmt.Appendf(nil, "entry %d", n))
}

func (m *memoryTree) grow(t testing.TB, n int) {
	t.Helper()
	var add []merklelog.Commitment
	for range n {
		add = append(add, commitment(len(m.leaves)+len(add)))
	}
	edge, hashes, err := m.edge.Grow(add)
	if err != nil {
		t.Fatal(err)
	}
	m.edge, m.hashes, m.leaves = edge, append(m.hashes, hashes...), append(m.leaves, add...)
}

func (m *memoryTree) root(t testing.TB) tlog.Hash {
	t.Helper()
	root, err := m.edge.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The tree that grows from its right edge is the one that tlog makes leaf by leaf, however it is cut into batches.
func TestGrow(t *testing.T) {
	var tree memoryTree
	var plain memoryTree
	for _, n := range []int{1, 1, 2, 3, 1, 8, 16, 31, 200, 1, 300} {
		for range n {
			c := commitment(len(plain.leaves))
			hashes, err := tlog.StoredHashes(int64(len(plain.leaves)), c[:], &plain)
			if err != nil {
				t.Fatal(err)
			}
			plain.leaves, plain.hashes = append(plain.leaves, c), append(plain.hashes, hashes...)
		}
		tree.grow(t, n)
		size := int64(len(plain.leaves))
		want, err := tlog.TreeHash(size, &plain)
		if err != nil {
			t.Fatal(err)
		}
		if tree.edge.Size() != size || tree.root(t) != want || int64(len(tree.hashes)) != tlog.StoredHashCount(size) {
			t.Fatalf("at %d: size %d, root %v, not %v", size, tree.edge.Size(), tree.root(t), want)
		}
		loaded, err := merklelog.LoadEdge(size, &tree)
		if err != nil {
			t.Fatal(err)
		}
		if root, err := loaded.Root(); root != want || err != nil {
			t.Errorf("loaded at %d: root %v, %v", size, root, err)
		}
		for i := int64(0); i < size; i += 1 + size/20 {
			proof, err := tlog.ProveRecord(size, i, &tree)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(proof, size, want, i, tree.leaves[i].LeafHash()); err != nil {
				t.Errorf("entry %d of %d: %v", i, size, err)
			}
		}
	}
}

func TestCheckGrowth(t *testing.T) {
	var tree memoryTree
	tree.grow(t, 7)
	old := merklelog.Checkpoint{Size: 7, Root: tree.root(t)}
	if err := merklelog.CheckGrowth(old, 7, tree.root(t), &tree); err != nil {
		t.Error(err)
	}
	tree.grow(t, 20)
	if err := merklelog.CheckGrowth(old, 27, tree.root(t), &tree); err != nil {
		t.Error(err)
	}
	other := old
	other.Root[0] ^= 1
	for name, err := range map[string]error{
		"another root": merklelog.CheckGrowth(other, 27, tree.root(t), &tree), "fewer": merklelog.CheckGrowth(merklelog.Checkpoint{Size: 28}, 27, tree.root(t), &tree),
		"another root at one size": merklelog.CheckGrowth(other, 7, old.Root, &tree), "an altered copy": merklelog.CheckCopy(other, 27, &tree),
	} {
		if evidence.KindOf(err) != evidence.KindDamaged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := merklelog.CheckCopy(merklelog.Checkpoint{Size: 28}, 27, &tree); evidence.KindOf(err) != evidence.KindConflict || evidence.HintOf(err) == "" {
		t.Errorf("an old copy: %v", err)
	}
}

// key is a log with its keys.
type key struct {
	origin, signerKey, verifier string
	signer                      *merklelog.Signer
}

func newKey(t testing.TB) key {
	t.Helper()
	origin, err := merklelog.NewOrigin(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, v, err := merklelog.NewKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := merklelog.NewSigner(s, origin, v)
	if err != nil {
		t.Fatal(err)
	}
	return key{origin, s, v, signer}
}

func (k key) sign(t testing.TB, size int64, root byte) []byte {
	t.Helper()
	b, err := k.signer.Sign(merklelog.Checkpoint{Origin: k.origin, Size: size, Root: tlog.Hash{root}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckpoints(t *testing.T) {
	k, stranger := newKey(t), newKey(t)
	signed := k.sign(t, 12, 1)
	c, err := merklelog.OpenCheckpoint(signed, k.verifier)
	if err != nil || c.Size != 12 || c.Origin != k.origin || c.Root != (tlog.Hash{1}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := k.signer.Sign(merklelog.Checkpoint{Origin: stranger.origin, Size: 1}); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("sign for another log: %v", err)
	}
	if _, err := merklelog.OpenCheckpoint(signed, stranger.verifier); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("another's key: %v", err)
	}
	for at := range signed {
		b := append([]byte(nil), signed...)
		b[at] ^= 1 << (at % 8)
		if c, err := merklelog.OpenCheckpoint(b, k.verifier); err == nil {
			t.Errorf("byte %d flipped: %+v", at, c)
		}
	}
	n, err := note.Open(signed, note.VerifierList(mustVerifier(t, k.verifier)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := note.NewSigner(stranger.signerKey)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := note.Sign(n, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := merklelog.OpenCheckpoint(twice, k.verifier); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("with a stranger's signature beside it: %v", err)
	}
	for i, c := range []struct{ key, origin, verifier string }{
		{"x", k.origin, k.verifier}, {k.signerKey, stranger.origin, k.verifier}, {stranger.signerKey, k.origin, k.verifier}, {k.signerKey, k.origin, "x"}, {flipLast(k.signerKey), k.origin, k.verifier},
	} {
		if _, err := merklelog.NewSigner(c.key, c.origin, c.verifier); evidence.KindOf(err) != evidence.KindDamaged {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// flipLast changes the secret part of a signer key.
func flipLast(key string) string {
	b := []byte(key)
	b[len(b)-3] ^= 3
	return string(b)
}

func mustVerifier(t testing.TB, key string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMemory(t *testing.T) {
	k := newKey(t)
	root := t.TempDir()
	m := merklelog.NewMemory(durable.NewFolder(durable.OS{}, root))
	if _, _, ok, err := m.Newest(k.origin, k.verifier); ok || err != nil {
		t.Errorf("before the first: %v, %v", ok, err)
	}
	for _, size := range []int64{3, 9, 4} {
		if err := m.Remember(k.sign(t, size, byte(size)), k.verifier); err != nil {
			t.Fatal(err)
		}
	}
	if c, _, ok, err := m.Newest(k.origin, k.verifier); c.Size != 9 || !ok || err != nil {
		t.Errorf("newest %+v, %v, %v", c, ok, err)
	}
	if err := m.Remember(k.sign(t, 9, 8), k.verifier); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("another root for the size 9: %v", err)
	}
	digits, err := merklelog.OriginDigits(k.origin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/"+digits+".checkpoint", k.sign(t, 9, 9)[:100], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := m.Newest(k.origin, k.verifier); evidence.KindOf(err) != evidence.KindDamaged || evidence.HintOf(err) == "" {
		t.Errorf("a file cut short: %v", err)
	}
}

// Tiles published in steps are the ones that tlog reads proofs from; partial ones go when the full one is there.
func TestPublish(t *testing.T) {
	k := newKey(t)
	root := t.TempDir()
	p := merklelog.Publisher{Folder: durable.NewFolder(durable.OS{}, root)}
	var tree memoryTree
	from := int64(0)
	for _, n := range []int{1, 9, 245, 1, 300, 200} {
		tree.grow(t, n)
		size := tree.edge.Size()
		signed, err := k.signer.Sign(merklelog.Checkpoint{Origin: k.origin, Size: size, Root: tree.root(t)})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Publish(from, size, signed, &tree, tree.leaf); err != nil {
			t.Fatal(err)
		}
		if err := p.Publish(from, size, signed, &tree, tree.leaf); err != nil {
			t.Fatalf("the same again: %v", err)
		}
		from = size
		if b, ok, err := p.Published(); string(b) != string(signed) || !ok || err != nil {
			t.Errorf("published %q, %v, %v", b, ok, err)
		}
		r := tlog.TileHashReader(tlog.Tree{N: size, Hash: tree.root(t)}, tileReader{root})
		for i := int64(0); i < size; i += 37 {
			if _, err := tlog.ProveRecord(size, i, r); err != nil {
				t.Errorf("entry %d of %d from the tiles: %v", i, size, err)
			}
		}
	}
	for name, want := range map[string]bool{"tile/0/000": true, "tile/0/000.p": false, "tile/entries/001": true, "tile/entries/001.p": false, "tile/entries/002.p/244": true, "tile/1/000.p/2": true} {
		if _, err := os.Stat(root + "/" + name); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := os.ReadFile(root + "/tile/entries/002.p/244")
	want := commitment(512)
	if err != nil || len(b) != 244*34 || string(b[:34]) != "\x00\x20"+string(want[:]) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// tileReader reads published tiles as a client does.
type tileReader struct{ root string }

func (r tileReader) Height() int                     { return 8 }
func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		b, err := os.ReadFile(r.root + "/" + merklelog.Tile{Level: t.L, N: t.N, W: t.W}.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestTileNames(t *testing.T) {
	for name, tile := range map[string]merklelog.Tile{
		"tile/0/000": {W: 256}, "tile/0/000.p/1": {W: 1}, "tile/entries/999.p/255": {Level: merklelog.LevelEntry, N: 999, W: 255}, "tile/2/x001/234": {Level: 2, N: 1234, W: 256},
		"tile/0/x123/x456/789.p/17": {N: 123456789, W: 17}, "tile/0/x001/000": {N: 1000, W: 256},
	} {
		if tile.Name() != name {
			t.Errorf("%+v is named %s, not %s", tile, tile.Name(), name)
		}
		if got, err := merklelog.ParseTileName(name); got != tile || err != nil {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "tile/0", "tile/0/00", "tile/0/0000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/00/000", "tile/-1/000", "tile/8/000", "tile/0/x000/001",
		"tile/0/001/234", "tile/0/../000", "tile/0/+00", "/tile/0/000", "tile/data/000", "tile/0/000/", strings.Repeat("tile/0/x999", 9)} {
		if got, err := merklelog.ParseTileName(name); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%q is read as %+v, %v", name, got, err)
		}
	}
}

func FuzzParseTileName(f *testing.F) {
	for _, s := range []string{"tile/0/000", "tile/entries/x001/234.p/5", "tile/7/x999/x999/999.p/255"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tile, err := merklelog.ParseTileName(s); err == nil && tile.Name() != s {
			t.Errorf("%q is read as %+v", s, tile)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("earwitness/b0631cc0870d34a617b2ace7c8cf853b\n9\noE8xI0Nz3ocr+HGC/jfPZ/NNJzKx4HHd2FcbgTkDWU4=\n")
	f.Add("x\n0\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := merklelog.ParseCheckpoint(s)
		if err == nil && c.Text() != s {
			t.Errorf("%q is written again as %q", s, c.Text())
		}
		if err != nil && evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	const verifier = "earwitness/b0631cc0870d34a617b2ace7c8cf853b+6c2ea913+AY5rtBi14V/XEy/VNEiUcP7DefxuW7SiaoAIaKaSqT++"
	f.Add([]byte("earwitness/b0631cc0870d34a617b2ace7c8cf853b\n9\noE8xI0Nz3ocr+HGC/jfPZ/NNJzKx4HHd2FcbgTkDWU4=\n\n— earwitness/b0631cc0870d34a617b2ace7c8cf853b bC6pE1G3LdeMQxZNWnH1ggdFI2J5JQDVnWWuhQ3RyY13v+7aFsMdPK1dPs89JNcU9uKqRQZxpcnbVtQ/jry2+Xk9Cw4=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := merklelog.OpenCheckpoint(b, verifier)
		// Only one text was ever signed with this key.
		if err == nil && (c.Size != 9 || !strings.HasPrefix(string(b), c.Text())) {
			t.Errorf("%q is taken for %+v", b, c)
		}
	})
}
