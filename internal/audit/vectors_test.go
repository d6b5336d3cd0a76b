package audit_test

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/audit/raw"
	"github.com/earwitness/earwitness/internal/casetest"
)

// vector is a line of testdata/vectors/manifest.json; README.md there explains it.
type vector struct {
	File    string `json:"file"`
	Kind    string `json:"kind"`
	Verdict string `json:"verdict"` // good or bad
	Flaw    string `json:"flaw,omitempty"`
	Key     string `json:"key,omitempty"`     // verifier key to check with
	Finding string `json:"finding,omitempty"` // of a bad case or tile: the finding's code
	Where   string `json:"where,omitempty"`   // what the finding's place contains

	bytes []byte
}

// TestVectors runs every file of the manifest through evidence and audit, and sees that the folder holds
// nothing else.
func TestVectors(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(casetest.Root(t), "testdata", "vectors")
	if os.Getenv("EARWITNESS_WRITE_VECTORS") != "" {
		writeVectors(t, dir)
	}
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	must(t, err)
	var list []vector
	must(t, json.Unmarshal(b, &list))
	left := files(t, dir)
	for _, v := range list {
		left = slices.DeleteFunc(left, func(s string) bool { return s == v.File })
		if (v.Verdict == "bad") != (v.Flaw != "") {
			t.Errorf("%s: a bad vector names its flaw, a good one has none", v.File)
		}
		v.bytes, err = os.ReadFile(filepath.Join(dir, v.File))
		must(t, err)
		verdict, detail := judgeVector(t, v)
		if verdict != v.Verdict {
			t.Errorf("%s: expected %s (%s), found %s: %s", v.File, v.Verdict, v.Flaw, verdict, detail)
		}
	}
	if !slices.Equal(left, []string{"README.md", "manifest.json"}) {
		t.Errorf("files that the manifest does not name: %v", left)
	}
	// What can be written again byte for byte must be. Database files depend on SQLite's version.
	for _, v := range makeVectors(t) {
		if b, err := os.ReadFile(filepath.Join(dir, v.File)); v.Kind != "case" && (err != nil || !bytes.Equal(b, v.bytes)) {
			t.Errorf("%s is not what the format gives, %v: run with EARWITNESS_WRITE_VECTORS=1 and look at the difference", v.File, err)
		}
	}
}

func judgeVector(t *testing.T, v vector) (verdict, detail string) {
	t.Helper()
	var err error
	switch v.Kind {
	case "canonical":
		err = evidence.CheckCanonical(v.bytes)
	case "entry":
		// As a case would hold it, after what it needs to stand on.
		m := newMaker(t)
		if v.bytes[0] == '{' && bytes.Contains(v.bytes, []byte(`"case.opened"`)) {
			m.entries, m.salts = nil, nil
		}
		m.addBytes(v.bytes)
		m.sizes = []int64{int64(len(m.entries))}
		err = findingOf(verify(t, m.write(), audit.Options{}), v)
	case "commitment":
		var c commitmentVector
		must(t, json.Unmarshal(v.bytes, &c))
		salt, _ := hex.DecodeString(c.Salt)
		sum := raw.Commitment(salt, []byte(c.Entry))
		leaf := tlog.RecordHash(sum[:])
		if hex.EncodeToString(sum[:]) != c.Commitment || hex.EncodeToString(leaf[:]) != c.Leaf {
			err = fmt.Errorf("commitment %x, leaf %x", sum, leaf[:])
		}
	case "checkpoint":
		_, err = raw.VerifyCheckpoint(v.bytes, v.Key)
	case "proof":
		var p proofVector
		must(t, json.Unmarshal(v.bytes, &p))
		var proof tlog.RecordProof
		for _, s := range p.Proof {
			proof = append(proof, hash(t, s))
		}
		err = tlog.CheckRecord(proof, p.Size, hash(t, p.Root), p.Index, hash(t, p.Leaf))
	case "receipt":
		_, err = audit.VerifyReceipt(v.bytes, v.Key)
	case "tile-path":
		_, err = raw.ParseTilePath(strings.TrimSuffix(string(v.bytes), "\n"))
	case "tile":
		var x tileVector
		must(t, json.Unmarshal(v.bytes, &x))
		b, _ := hex.DecodeString(x.Tile)
		var salts, entries [][]byte
		for _, e := range x.Entries {
			salt, _ := hex.DecodeString(e.Salt)
			salts, entries = append(salts, salt), append(entries, []byte(e.Entry))
		}
		if err = audit.CheckTile(salts, entries, x.Path, b); err != nil && !strings.HasPrefix(err.Error(), v.Finding+": ") {
			t.Errorf("%s: expected %s, found %v", v.File, v.Finding, err)
		}
	case "case":
		dir := filepath.Join(t.TempDir(), "a.case")
		z, zipErr := zip.NewReader(bytes.NewReader(v.bytes), int64(len(v.bytes)))
		must(t, zipErr)
		for _, f := range z.File {
			r, err := f.Open()
			must(t, err)
			b, err := io.ReadAll(r)
			must(t, err)
			put(t, filepath.Join(dir, f.Name), b)
		}
		err = findingOf(verify(t, dir, audit.Options{Key: v.Key}), v)
	default:
		t.Fatalf("%s: unknown kind %q", v.File, v.Kind)
	}
	if err != nil {
		return "bad", err.Error()
	}
	return "good", ""
}

// findingOf turns a report into an error; a bad vector must give the finding that it names.
func findingOf(r audit.Report, v vector) error {
	for _, f := range r.Findings {
		if v.Verdict == "good" || f.What == v.Finding && strings.Contains(f.Where, v.Where) {
			return fmt.Errorf("%s at %s: %s", f.What, f.Where, f.Detail)
		}
	}
	return nil
}

func hash(t *testing.T, s string) tlog.Hash {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != tlog.HashSize {
		t.Fatalf("%q is not a hash", s)
	}
	return tlog.Hash(b)
}

type commitmentVector struct {
	Entry      string `json:"entry"`
	Salt       string `json:"salt"`
	Commitment string `json:"commitment"`
	Leaf       string `json:"leaf"`
}

type proofVector struct {
	Leaf  string   `json:"leaf"`
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Root  string   `json:"root"`
	Proof []string `json:"proof"`
}

type tileVector struct {
	Path    string        `json:"path"`
	Tile    string        `json:"tile"`
	Entries []saltedEntry `json:"entries"`
}

type saltedEntry struct {
	Entry string `json:"entry"`
	Salt  string `json:"salt"`
}

// vectorList gathers vectors.
type vectorList struct {
	t    *testing.T
	list []vector
}

func (l *vectorList) add(v vector, b []byte) {
	v.Verdict, v.bytes = "good", b
	if v.Flaw != "" {
		v.Verdict = "bad"
	}
	l.list = append(l.list, v)
}

func (l *vectorList) json(v vector, x any) {
	l.t.Helper()
	b, err := json.MarshalIndent(x, "", "  ")
	must(l.t, err)
	l.add(v, append(b, '\n'))
}

func makeVectors(t *testing.T) []vector {
	l := &vectorList{t: t}
	l.canonical()
	m := sample(t)
	l.entries(m)
	l.log(m)
	l.receipts(m)
	l.paths()
	l.cases()
	return l.list
}

func (l *vectorList) canonical() {
	for _, c := range []struct{ name, flaw, text string }{
		{"empty-object", "", `{}`},
		{"every-type", "", `{"a":[],"b":[1,"x",true,false,{}],"c":-9007199254740991,"d":9007199254740991}`},
		{"escapes", "", "{\"\\\"\\\\\\b\\t\\n\\f\\r\\u0000\\u001f\":\"\x7f<&>/\u2028\"}"},
		{"cyrillic-keys", "", `{"A":1,"a":2,"Ж":3,"є":4,"𝄞":5}`},
		{"depth-32", "", strings.Repeat(`{"a":`, 32) + `{}` + strings.Repeat(`}`, 32)},
		{"nothing", "no bytes", ``},
		{"array", "not an object", `[]`},
		{"null", "a null", `{"a":null}`},
		{"space", "white space", `{"a": 1}`},
		{"newline-behind", "a byte behind the object", "{}\n"},
		{"two-objects", "two objects", `{}{}`},
		{"byte-order-mark", "a byte-order mark", "\ufeff{}"},
		{"key-order", "keys not in the order of their bytes", `{"b":1,"a":2}`},
		{"key-twice", "a key twice", `{"a":1,"a":1}`},
		{"fraction", "a fraction", `{"a":1.5}`},
		{"exponent", "an exponent", `{"a":1e2}`},
		{"leading-zero", "a leading zero", `{"a":01}`},
		{"minus-zero", "minus zero", `{"a":-0}`},
		{"too-large", "an integer above 2^53-1", `{"a":9007199254740992}`},
		{"escaped-letter", "an escape where none is needed", `{"a":"\u0041"}`},
		{"escaped-slash", "an escape where none is needed", `{"a":"\/"}`},
		{"upper-case-escape", "an escape with upper-case digits", `{"a":"\u001F"}`},
		{"long-escape", "a long escape where a short one exists", `{"a":"\u000a"}`},
		{"raw-control", "a control character that is not escaped", "{\"a\":\"\x01\"}"},
		{"invalid-utf8", "bytes that are not UTF-8", "{\"a\":\"\xff\"}"},
		{"surrogate", "half a surrogate pair", `{"a":"\ud800"}`},
		{"unfinished", "the object does not end", `{"a":1`},
		{"depth-33", "nested too deep", strings.Repeat(`{"a":`, 33) + `{}` + strings.Repeat(`}`, 33)},
	} {
		l.add(vector{File: "canonical/" + c.name + ".json", Kind: "canonical", Flaw: c.flaw}, []byte(c.text))
	}
}

func (l *vectorList) entries(m *maker) {
	l.add(vector{File: "entries/case-opened.json", Kind: "entry"}, m.entries[0])
	good := string(m.entries[2])
	l.add(vector{File: "entries/intake-refused.json", Kind: "entry"}, []byte(good))
	for _, e := range []struct{ name, flaw, code, from, to string }{
		{"unknown-field", "a field that the format does not know", audit.EntryForm, `"version":1`, `"version":1,"zebra":1`},
		{"field-in-another-case", "a field's name in another case", audit.EntryForm, `"author"`, `"Author"`},
		{"robot-author", "an author who is neither person nor program", audit.EntryForm, `"kind":"program"`, `"kind":"robot"`},
		{"no-author-name", "an author without a name", audit.EntryForm, `"name":"earwitness 0.1"`, `"name":""`},
		{"version-2", "another version", audit.EntryForm, `"version":1`, `"version":2`},
		{"time-without-milliseconds", "a time without milliseconds", audit.EntryForm, `02.000Z`, `02Z`},
		{"time-with-offset", "a time that is not UTC", audit.EntryForm, `02.000Z`, `02.000+02:00`},
		{"no-such-day", "a day that does not exist", audit.EntryForm, `2026-11-23`, `2026-02-30`},
		{"unknown-kind", "a kind that the format does not know", audit.EntryRule, `"intake.refused"`, `"intake.lost"`},
		{"body-unknown-field", "a body's field that the format does not know", audit.EntryBody, `"size":3`, `"size":3,"zebra":1`},
		{"body-field-missing", "a body without a field that is always there", audit.EntryBody, `"reason":"not a recording",`, ``},
		{"body-empty-field", "an unknown quantity written as 0", audit.EntryBody, `"size":3`, `"size":0`},
		{"body-field-type", "a number as a string", audit.EntryBody, `"size":3`, `"size":"3"`},
	} {
		text := strings.Replace(good, e.from, e.to, 1)
		if text == good {
			l.t.Fatalf("%s changes nothing", e.name)
		}
		l.add(vector{File: "entries/" + e.name + ".json", Kind: "entry", Flaw: e.flaw, Finding: e.code, Where: "entry 1"}, []byte(text))
	}
	l.add(vector{File: "entries/recording-not-received.json", Kind: "entry", Flaw: "it names a recording that was not received before", Finding: audit.EntryRule, Where: "entry 1"}, m.entries[8])
}

func (l *vectorList) log(m *maker) {
	h := m.hashes()
	for i, name := range map[int]string{0: "case-opened", 1: "recording-received"} {
		sum := commit(m.salts[i], m.entries[i])
		leaf := tlog.RecordHash(sum)
		c := commitmentVector{string(m.entries[i]), hex.EncodeToString(m.salts[i]), hex.EncodeToString(sum), hex.EncodeToString(leaf[:])}
		l.json(vector{File: "commitments/" + name + ".json", Kind: "commitment"}, c)
		if i == 0 {
			continue
		}
		bad := c
		bad.Salt = strings.Repeat("00", 32)
		l.json(vector{File: "commitments/another-salt.json", Kind: "commitment", Flaw: "made with another salt"}, bad)
		bad = c
		bad.Entry = strings.Replace(c.Entry, "stated", "proven", 1)
		l.json(vector{File: "commitments/another-word.json", Kind: "commitment", Flaw: "one word of the entry is another"}, bad)
		bad = c
		bad.Leaf = c.Commitment
		l.json(vector{File: "commitments/leaf-not-hashed.json", Kind: "commitment", Flaw: "the leaf is the commitment itself, not its hash"}, bad)
	}
	good := string(m.sign(9, m.origin, m.skey))
	other, otherKey, otherVerifier := logKey(l.t, "other")
	_, stranger, _ := namedKey(l.t, "other", m.origin)
	text, sig, _ := strings.Cut(good, "\n\n")
	key := m.vkey
	for _, c := range []struct{ name, flaw, key, note string }{
		{"size-9", "", key, good},
		{"size-1", "", key, string(m.sign(1, m.origin, m.skey))},
		{"another-log", "", otherVerifier, string(m.sign(4, other, otherKey))},
		{"size-changed", "the size was changed after signing", key, strings.Replace(good, "\n9\n", "\n8\n", 1)},
		{"root-changed", "the root was changed after signing", key, strings.Replace(good, text[len(text)-44:], "A"+text[len(text)-43:], 1)},
		{"signature-changed", "the signature was changed", key, strings.Replace(good, sig[len(sig)-20:], "AAAA"+sig[len(sig)-16:], 1)},
		{"signed-by-another", "signed by another key under the same name", key, string(m.sign(9, m.origin, stranger))},
		{"another-origin", "of another log", key, string(m.sign(9, other, otherKey))},
		{"no-signature", "no signature", key, text + "\n"},
		{"signed-twice", "the same signature twice", key, good + sig},
		{"extension-line", "a line behind the root", key, string(signText(l.t, text+"\nextra\n", m.skey))},
		{"size-0", "size 0", key, string(signText(l.t, strings.Replace(text, "\n9\n", "\n0\n", 1)+"\n", m.skey))},
		{"size-leading-zero", "a size with a leading zero", key, string(signText(l.t, strings.Replace(text, "\n9\n", "\n09\n", 1)+"\n", m.skey))},
		{"root-short", "a root of 31 bytes", key, string(signText(l.t, text[:len(text)-44]+"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", m.skey))},
		{"carriage-returns", "lines that end in CR LF", key, strings.ReplaceAll(good, "\n", "\r\n")},
		{"no-newline", "the last line does not end", key, strings.TrimSuffix(good, "\n")},
	} {
		if c.flaw != "" && c.note == good {
			l.t.Fatalf("%s changes nothing", c.name)
		}
		l.add(vector{File: "checkpoints/" + c.name + ".txt", Kind: "checkpoint", Flaw: c.flaw, Key: c.key}, []byte(c.note))
	}

	proof := func(index, size int64) proofVector {
		p, err := tlog.ProveRecord(size, index, h)
		must(l.t, err)
		root, err := tlog.TreeHash(size, h)
		must(l.t, err)
		leaf := h[tlog.StoredHashIndex(0, index)]
		v := proofVector{hex.EncodeToString(leaf[:]), index, size, hex.EncodeToString(root[:]), []string{}}
		for _, x := range p {
			v.Proof = append(v.Proof, hex.EncodeToString(x[:]))
		}
		return v
	}
	for _, at := range [][2]int64{{0, 1}, {0, 9}, {3, 7}, {8, 9}} {
		l.json(vector{File: fmt.Sprintf("proofs/%d-of-%d.json", at[0], at[1]), Kind: "proof"}, proof(at[0], at[1]))
	}
	for _, p := range []struct {
		name, flaw string
		change     func(p *proofVector)
	}{
		{"another-index", "for another index", func(p *proofVector) { p.Index = 2 }},
		{"another-size", "for another size", func(p *proofVector) { p.Size = 4 }},
		{"another-leaf", "for another leaf", func(p *proofVector) { p.Leaf = p.Proof[0] }},
		{"another-root", "for another root", func(p *proofVector) { p.Root = p.Proof[0] }},
		{"order", "two hashes in another order", func(p *proofVector) { p.Proof[0], p.Proof[1] = p.Proof[1], p.Proof[0] }},
		{"short", "a hash too few", func(p *proofVector) { p.Proof = p.Proof[1:] }},
		{"long", "a hash too many", func(p *proofVector) { p.Proof = append(p.Proof, p.Proof[0]) }},
	} {
		v := proof(3, 7)
		p.change(&v)
		l.json(vector{File: "proofs/" + p.name + ".json", Kind: "proof", Flaw: p.flaw}, v)
	}

	var salted []saltedEntry
	for i := range m.entries {
		salted = append(salted, saltedEntry{string(m.entries[i]), hex.EncodeToString(m.salts[i])})
	}
	tile := func(name, flaw, code, path string, b []byte) {
		l.json(vector{File: "tiles/" + name + ".json", Kind: "tile", Flaw: flaw, Finding: code}, tileVector{path, hex.EncodeToString(b), salted})
	}
	hashes, records := m.tile(0, 0, 9), m.tile(-1, 0, 9)
	changed := func(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 1; return b }
	tile("hashes", "", "", "0/000.p/9", hashes)
	tile("hashes-partial", "", "", "0/000.p/4", hashes[:4*32])
	tile("records", "", "", "entries/000.p/9", records)
	tile("hash-changed", "one bit of a hash", audit.TileHash, "0/000.p/9", changed(hashes, 100))
	tile("record-changed", "one bit of a record", audit.TileEntry, "entries/000.p/9", changed(records, 100))
	tile("record-length", "one bit of a record's length", audit.TileEntry, "entries/000.p/9", changed(records, 35))
	tile("short", "a hash too few", audit.TileLength, "0/000.p/9", hashes[:8*32])
	tile("long", "a byte too many", audit.TileLength, "0/000.p/9", append(bytes.Clone(hashes), 0))
	tile("ahead", "more hashes than there are entries", audit.TileAhead, "0/000.p/10", append(bytes.Clone(hashes), hashes[:32]...))
	tile("level", "hashes in place of records", audit.TileLength, "entries/000.p/9", hashes)
}

func (l *vectorList) receipts(m *maker) {
	l.add(vector{File: "receipts/entry-1.json", Kind: "receipt", Key: m.vkey}, append(m.receipt(1, 9).bytes(l.t), '\n'))
	l.add(vector{File: "receipts/entry-0-of-1.json", Kind: "receipt", Key: m.vkey}, append(m.receipt(0, 1).bytes(l.t), '\n'))
	other, otherKey, otherVerifier := logKey(l.t, "other")
	for _, r := range []struct {
		name, flaw string
		change     func(r *receiptFile)
	}{
		{"word-changed", "one word of the entry is another", func(r *receiptFile) { r.Entry = strings.Replace(r.Entry, "stated", "proven", 1) }},
		{"another-entry", "another entry of the same case", func(r *receiptFile) { r.Entry = string(m.entries[2]) }},
		{"another-salt", "another salt", func(r *receiptFile) { r.Salt = strings.Repeat("00", 32) }},
		{"another-index", "another index", func(r *receiptFile) { r.Index = 2 }},
		{"another-size", "another size than the checkpoint's", func(r *receiptFile) { r.Size = 8 }},
		{"proof-short", "a hash too few", func(r *receiptFile) { r.Proof = r.Proof[1:] }},
		{"proof-upper-case", "a hash in upper case", func(r *receiptFile) { r.Proof[0] = strings.ToUpper(r.Proof[0]) }},
		{"checkpoint-changed", "the checkpoint was changed after signing", func(r *receiptFile) { r.Checkpoint = strings.Replace(r.Checkpoint, "\n9\n", "\n8\n", 1); r.Size = 8 }},
		{"self-signed", "signed by a key of the forger's, which the receipt states", func(r *receiptFile) { r.Checkpoint, r.Key = string(m.sign(9, other, otherKey)), otherVerifier }},
		{"format-2", "another format", func(r *receiptFile) { r.Format = "earwitness receipt 2" }},
	} {
		v := m.receipt(1, 9)
		r.change(&v)
		l.add(vector{File: "receipts/" + r.name + ".json", Kind: "receipt", Flaw: r.flaw, Key: m.vkey}, append(v.bytes(l.t), '\n'))
	}
	good := string(m.receipt(1, 9).bytes(l.t)) + "\n"
	for _, r := range []struct{ name, flaw, from, to string }{
		{"unknown-field", "a field that the format does not know", `"index"`, `"zebra":1,"index"`},
		{"field-twice", "a field twice", `"index":1`, `"index":1,"index":1`},
		{"field-missing", "a field is missing", `"index":1,`, ``},
		{"text-behind", "something behind the object", "}\n", "}\nx\n"},
	} {
		l.add(vector{File: "receipts/" + r.name + ".json", Kind: "receipt", Flaw: r.flaw, Key: m.vkey}, []byte(strings.Replace(good, r.from, r.to, 1)))
	}
}

func (l *vectorList) paths() {
	for _, p := range []struct{ name, flaw, path string }{
		{"first", "", "0/000"}, {"partial", "", "0/000.p/255"}, {"thousands", "", "2/x001/234"}, {"millions", "", "entries/x001/x234/067.p/1"},
		{"no-level", "no level", "000"}, {"level-leading-zero", "a level with a leading zero", "00/000"}, {"level-8", "a level that no log reaches", "8/000"},
		{"two-digits", "a number of two digits", "0/00"}, {"x-missing", "no x before all groups but the last", "0/001/234"}, {"x-on-last", "an x before the last group", "0/x001/x234"},
		{"leading-group", "a first group of zeros", "0/x000/001"}, {"width-0", "no hash at all", "0/000.p/0"}, {"width-256", "a full tile as a partial one", "0/000.p/256"},
		{"width-leading-zero", "a width with a leading zero", "0/000.p/01"}, {"climbing", "a way out of the folder", "0/../000"}, {"upper", "another case", "Entries/000"},
	} {
		l.add(vector{File: "tile-paths/" + p.name + ".txt", Kind: "tile-path", Flaw: p.flaw}, []byte(p.path+"\n"))
	}
}

func (l *vectorList) cases() {
	t := l.t
	flip := func(name string, at int) func(dir string) {
		return func(dir string) {
			path := filepath.Join(dir, name)
			b, err := os.ReadFile(path)
			must(t, err)
			b[(at+len(b))%len(b)] ^= 1
			must(t, os.WriteFile(path, b, 0o600))
		}
	}
	sql := func(text string) func(dir string) {
		return func(dir string) {
			edit(t, dir, func(c *sqlite3.Conn) { must(t, c.Exec(text)); rebuild(t, c) })
		}
	}
	m := sample(t)
	wav := "blobs/" + evidence.DigestOf(m.blobs[0]).String()[:2] + "/" + evidence.DigestOf(m.blobs[0]).String()
	for _, c := range []struct {
		name, flaw, code, where string
		change                  func(dir string)
	}{
		{"sound", "", "", "", func(string) {}},
		{"blob-bit", "one bit of a recording", audit.BlobDigest, wav, flip(wav, 3)},
		{"blob-gone", "a recording is gone", audit.BlobMissing, wav, func(dir string) { must(t, os.Remove(filepath.Join(dir, wav))) }},
		{"page-bit", "one bit of a page of case.db", audit.DBPage, "page 2", flip("case.db", 4096+4000)},
		{"db-cut", "case.db ends early", audit.DBLength, "case.db", func(dir string) {
			fi, err := os.Stat(filepath.Join(dir, "case.db"))
			must(t, err)
			must(t, os.Truncate(filepath.Join(dir, "case.db"), fi.Size()-4096))
		}},
		{"db-gone", "case.db is gone", audit.DBMissing, "case.db", func(dir string) { must(t, os.Remove(filepath.Join(dir, "case.db"))) }},
		{"entry-changed", "a word of an entry was changed by SQL, and the hashes after it", audit.CheckpointRoot, "at size 4", sql("UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'stated', 'proven') AS BLOB) WHERE idx = 1")},
		{"entry-removed", "an entry was removed by SQL and the rest moved up", audit.CheckpointRoot, "at size 4", sql("DELETE FROM entry WHERE idx = 2; UPDATE entry SET idx = idx - 1 WHERE idx > 2")},
		{"old-copy", "case.db is older than the published checkpoint", audit.CaseOld, "log/checkpoint", sql("DELETE FROM entry WHERE idx >= 4; DELETE FROM checkpoint WHERE size > 4")},
		{"trigger-gone", "a trigger is missing", audit.DBSchema, "triggers", func(dir string) {
			c := openDB(t, filepath.Join(dir, "case.db"))
			must(t, c.Exec("DROP TRIGGER entry_keep_1"))
			must(t, c.Close())
		}},
		{"tile-bit", "one bit of a tile", audit.TileHash, "log/tile/0/000.p/9", flip("log/tile/0/000.p/9", 40)},
		{"record-bit", "one bit of a tile of records", audit.TileEntry, "log/tile/entries/000.p/9", flip("log/tile/entries/000.p/9", 40)},
		{"tile-gone", "a tile is gone", audit.TileMissing, "log/tile/0/000.p/9", func(dir string) { must(t, os.Remove(filepath.Join(dir, "log/tile/0/000.p/9"))) }},
		{"checkpoint-bit", "one bit of the published checkpoint's signature", audit.CheckpointSignature, "log/checkpoint", flip("log/checkpoint", -10)},
		{"checkpoint-gone", "the published checkpoint is gone", audit.CheckpointMissing, "log/checkpoint", func(dir string) { must(t, os.Remove(filepath.Join(dir, "log/checkpoint"))) }},
		{"another-key", "the key file is of another log", audit.KeyDiffers, "key", func(dir string) {
			_, skey, _ := logKey(t, "other")
			put(t, filepath.Join(dir, "key"), []byte(skey+"\n"))
		}},
		{"lock-written", "the lock file is not empty", audit.LockContent, "lock", func(dir string) { put(t, filepath.Join(dir, "lock"), []byte("x")) }},
	} {
		dir := m.write()
		c.change(dir)
		l.add(vector{File: "cases/" + c.name + ".zip", Kind: "case", Flaw: c.flaw, Finding: c.code, Where: c.where, Key: m.vkey}, zipped(t, dir))
	}
	forged := sample(t)
	forged.origin, forged.skey, forged.vkey = logKey(t, "other")
	forged.entries[0] = []byte(strings.ReplaceAll(strings.ReplaceAll(string(forged.entries[0]), m.vkey, forged.vkey), m.origin, forged.origin))
	l.add(vector{File: "cases/replaced.zip", Kind: "case", Flaw: "another case with a key of its own in its place", Finding: audit.CaseKey, Where: "entry 0", Key: m.vkey}, zipped(t, forged.write()))
	gap := sample(t)
	gap.add(evidence.EntryRecordingReceived, person, evidence.RecordingReceived{Digest: gap.blob("x"), Name: "c.wav", Recording: "REC-0003", Size: 1})
	gap.sizes = append(gap.sizes, 10)
	l.add(vector{File: "cases/number-left-out.zip", Kind: "case", Flaw: "recordings are numbered 1, 3", Finding: audit.EntryRule, Where: "entry 9", Key: m.vkey}, zipped(t, gap.write()))
}

func zipped(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range files(t, dir) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		must(t, err)
		data, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		_, err = w.Write(data)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func writeVectors(t *testing.T, dir string) {
	t.Helper()
	list := makeVectors(t)
	slices.SortFunc(list, func(x, y vector) int { return strings.Compare(x.File, y.File) })
	for _, v := range list {
		put(t, filepath.Join(dir, v.File), v.bytes)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(t, enc.Encode(list))
	put(t, filepath.Join(dir, "manifest.json"), b.Bytes())
}
