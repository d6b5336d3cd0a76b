package audit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

func FuzzReceipt(f *testing.F) {
	m := sample(f)
	f.Add(m.receipt(1, 9).bytes(f))
	f.Add(m.receipt(0, 1).bytes(f))
	f.Add([]byte(`{"entry":"","salt":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := audit.VerifyReceipt(b, m.vkey)
		if err != nil {
			if k := evidence.KindOf(err); k != evidence.KindInvalid && k != evidence.KindDamaged {
				t.Errorf("%v is of kind %s", err, k)
			}
			return
		}
		// Only what the log holds can be proven.
		if p.Index < 0 || p.Index >= int64(len(m.entries)) || p.Text != string(m.entries[p.Index]) {
			t.Errorf("proves that entry %d is %s", p.Index, p.Text)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	m := sample(f)
	good := m.sign(9, m.origin, m.skey)
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("9"), []byte("09"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := with(t, m)
		c, err := raw.VerifyCheckpoint(b, m.vkey)
		if err == nil && !bytes.Equal(b, m.sign(c.Size, m.origin, m.skey)) {
			t.Errorf("%q passes as size %d", b, c.Size)
		}
	})
}

func FuzzVerifierKey(f *testing.F) {
	_, _, vkey := logKey(f, "first")
	f.Add(vkey)
	f.Fuzz(func(t *testing.T, s string) {
		if name, public, err := raw.ParseVerifierKey(s); err == nil && (name == "" || len(public) != 32) {
			t.Errorf("%q: %q, %x", s, name, public)
		}
	})
}

func FuzzSignerKey(f *testing.F) {
	_, skey, _ := logKey(f, "first")
	f.Add(skey)
	f.Fuzz(func(t *testing.T, s string) {
		spelled, verifier, err := raw.SignerKey(s)
		if err != nil {
			return
		}
		if again, v, err := raw.SignerKey(spelled); err != nil || again != spelled || v != verifier {
			t.Errorf("%q is spelled %q, then %q: %v", s, spelled, again, err)
		}
	})
}

func FuzzTilePath(f *testing.F) {
	for _, s := range []string{"0/000", "entries/x001/234.p/5", "1/000.p/255", "7/x001/x000/000", "0/x000/001", "+1/000", "0/000.p/256"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := raw.ParseTilePath(s); err == nil && p.String() != s {
			t.Errorf("%q is %+v, written %q", s, p, p)
		}
	})
}

func FuzzTile(f *testing.F) {
	m := sample(f)
	f.Add("0/000.p/9", m.tile(0, 0, 9))
	f.Add("entries/000.p/9", m.tile(-1, 0, 9))
	f.Add("entries/000.p/4", m.tile(-1, 0, 4))
	f.Add("1/000.p/1", []byte{})
	f.Fuzz(func(t *testing.T, path string, b []byte) {
		m := with(t, m)
		if err := audit.CheckTile(m.salts, m.entries, path, b); err != nil {
			return
		}
		p, err := raw.ParseTilePath(path)
		if err != nil || !bytes.Equal(b, m.tile(p.Level, int(p.N), p.Width)) {
			t.Errorf("%s passes with %x", path, b)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, problems := raw.ParseHeader(b); len(problems) == 0 && (len(b) < 100 || string(b[:15]) != "SQLite format 3") {
			t.Errorf("%x passes", b)
		}
	})
}

func FuzzWAL(f *testing.F) {
	f.Add([]byte{}, uint32(1))
	f.Add(make([]byte, 32), uint32(1))
	f.Add(walOf(f), uint32(2))
	f.Fuzz(func(t *testing.T, b []byte, page uint32) {
		w, err := raw.ParseWAL(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("%v", err)
		}
		if w.Committed > w.Frames || int64(len(w.At)) > w.Committed || w.Committed > 0 && w.Pages == 0 {
			t.Fatalf("%+v", w)
		}
		p := raw.Pages{Main: bytes.NewReader(nil), WAL: w, Log: bytes.NewReader(b), Count: int64(w.Pages)}
		got := make([]byte, 3*raw.PageSize/2)
		n, err := p.ReadAt(got, int64(page)*raw.PageSize/2)
		if err == nil && n != len(got) {
			t.Errorf("read %d bytes of %d without an error", n, len(got))
		}
	})
}

// with is m for use inside a fuzz target.
func with(t *testing.T, m *maker) *maker {
	c := *m
	c.t = t
	return &c
}

// FuzzDatabase patches case.db, three bytes a patch, and makes the page checksums right again.
func FuzzDatabase(f *testing.F) {
	dir := sample(f).write()
	path := filepath.Join(dir, "case.db")
	sound, err := os.ReadFile(path)
	must(f, err)
	f.Add([]byte{0, 100, 5, 16, 3, 200})
	f.Add([]byte{32, 0, 2, 32, 5, 255, 48, 1, 1})
	f.Fuzz(func(t *testing.T, patches []byte) {
		b := bytes.Clone(sound)
		for ; len(patches) >= 3; patches = patches[3:] {
			b[(int(patches[0])<<8|int(patches[1]))%len(b)] = patches[2]
		}
		for page := b; len(page) > 0; page = page[raw.PageSize:] {
			sum := raw.PageChecksum(page[:raw.PageSize])
			copy(page[raw.PageSize-raw.PageReserved:], sum[:])
		}
		must(t, os.WriteFile(path, b, 0o600))
		begun := time.Now()
		r, err := audit.Verify(t.Context(), dir, audit.Options{Workers: 1})
		if err != nil && evidence.KindOf(err) != evidence.KindInvalid {
			t.Fatal(err)
		}
		if slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.What == audit.AuditPanic || f.What == audit.DBPage }) {
			t.Fatal(show(r))
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
