package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
)

// maker writes a case as docs/format describes it, without the house's own writer: a second implementation,
// so that a mistake in one shows. What it writes is the same each time.
type maker struct {
	t       testing.TB
	entries [][]byte
	salts   [][]byte
	blobs   [][]byte
	origin  string
	skey    string
	vkey    string
	signed  map[int64]signedNote // what else the table checkpoint holds, by size
	sizes   []int64              // to be signed under origin
	publish int64                // size of log/checkpoint; 0 means the last of sizes
	schema  string
}

type signedNote struct {
	origin string
	note   []byte
}

const schema = `
CREATE TABLE entry (
  idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
  salt  BLOB NOT NULL CHECK (length(salt) = 32),
  bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 2 AND 16777216)
) STRICT;
CREATE TABLE hash (
  idx  INTEGER PRIMARY KEY CHECK (idx >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE checkpoint (
  origin TEXT NOT NULL,
  size   INTEGER NOT NULL CHECK (size > 0),
  note   BLOB NOT NULL,
  PRIMARY KEY (origin, size)
) STRICT;
`

const triggers = `
CREATE TRIGGER entry_next BEFORE INSERT ON entry WHEN NEW.idx <> (SELECT count(*) FROM entry) BEGIN SELECT RAISE(ABORT, 'not the next'); END;
CREATE TRIGGER entry_keep_1 BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER entry_keep_2 BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER hash_keep_1 BEFORE UPDATE ON hash BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER hash_keep_2 BEFORE DELETE ON hash BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER checkpoint_keep_1 BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER checkpoint_keep_2 BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'kept'); END;
`

var (
	person  = evidence.Author{Kind: "person", Name: "Оля"}
	program = evidence.Author{Kind: "program", Name: "earwitness 0.1"}
	clock   = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
)

// logKey makes a log's origin and keys from a seed.
func logKey(t testing.TB, seed string) (origin, skey, vkey string) {
	t.Helper()
	sum := sha256.Sum256([]byte(seed))
	return namedKey(t, seed, "earwitness/"+hex.EncodeToString(sum[:16]))
}

func namedKey(t testing.TB, seed, origin string) (_, skey, vkey string) {
	t.Helper()
	sum := sha256.Sum256([]byte(seed))
	// note.GenerateKey may draw other bytes each time; what is written here must stay the same.
	public := ed25519.NewKeyFromSeed(sum[:]).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		t.Fatal(err)
	}
	hash := vkey[len(origin)+1 : len(origin)+9]
	skey = fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", origin, hash, base64.StdEncoding.EncodeToString(append([]byte{1}, sum[:]...)))
	return origin, skey, vkey
}

func newMaker(t testing.TB) *maker {
	m := &maker{t: t, signed: map[int64]signedNote{}, schema: schema + triggers}
	m.origin, m.skey, m.vkey = logKey(t, "first")
	m.add(evidence.EntryCaseOpened, person, evidence.CaseOpened{Format: 1, Origin: m.origin, Key: m.vkey, Program: "a test", Title: "Макарів"})
	return m
}

// sample makes a case with every kind of entry.
func sample(t testing.TB) *maker {
	m := newMaker(t)
	wav, sidecar, pcm := m.blob("RIFF the first recording"), m.blob(`{"place":"Макарів"}`), m.blob("working sound of it")
	m.add(evidence.EntryRecordingReceived, person, evidence.RecordingReceived{Digest: wav, Name: "a.wav", Recording: "REC-0001", Sidecar: &sidecar, Size: int64(len("RIFF the first recording")),
		Reception: evidence.Reception{FrequencyHz: 4625000, Start: &evidence.StartTime{Basis: "stated", Time: "2022-03-01T10:00:00+02:00"}}})
	m.add(evidence.EntryIntakeRefused, program, evidence.IntakeRefused{Name: "b.pdf", Reason: "not a recording", Size: 3})
	m.add(evidence.EntryRecordingDescribed, person, evidence.RecordingDescribed{Recording: "REC-0001", Replaces: 1, Reception: evidence.Reception{Mode: "USB"}})
	m.result("REC-0001", evidence.StageDecode, wav, nil, evidence.Decoded{Channels: 1, Codec: "pcm_s16le", Container: "wav", Copy: &pcm, Rate: 8000, Samples: 64000})
	m.result("REC-0001", evidence.StageDetect, pcm, nil, evidence.Detected{Listened: 64000, Transmissions: []evidence.Transmission{
		{BandHighHz: 3000, BandLowHz: 300, Hear: []evidence.Span{{From: 0, To: 40000}}, LevelCB: -2000, PeakCB: -600, SnrCB: 1500, Sound: evidence.SoundSpeech, Span: evidence.Span{From: 1600, To: 32000}, SpeechP: 9800}}})
	m.result("REC-0001", evidence.StageHear, pcm, &evidence.Span{From: 0, To: 40000}, evidence.Heard{CompressionE2: 120, Languages: []evidence.Language{{Code: "ru", P: 9900}}, LogProbE4: -2000, State: evidence.HeardWords,
		Text: "приём", Words: []evidence.Word{{P: 9000, Span: evidence.Span{From: 2000, To: 9000}, Text: "приём"}}})
	m.add(evidence.EntryFailure, program, evidence.Failure{Engine: engine, Key: evidence.DigestOf([]byte("x")), Kind: "internal", Message: "the recogniser stopped", Recording: "REC-0001", Stage: evidence.StageHear, Span: &evidence.Span{From: 0, To: 64000}})
	m.add(evidence.EntryOriginalExported, person, evidence.OriginalExported{Digest: wav, Recording: "REC-0001", To: "out.wav"})
	m.sizes = []int64{1, 4, int64(len(m.entries))}
	return m
}

var engine = evidence.Engine{Build: "1", Name: "test"}

func (m *maker) blob(s string) evidence.Digest {
	m.blobs = append(m.blobs, []byte(s))
	return evidence.DigestOf([]byte(s))
}

func (m *maker) add(kind string, by evidence.Author, body any) int {
	m.t.Helper()
	e, err := evidence.NewEntry(kind, by, clock.Add(time.Duration(len(m.entries))*time.Second), body)
	if err != nil {
		m.t.Fatal(err)
	}
	b, err := e.Encode()
	if err != nil {
		m.t.Fatal(err)
	}
	return m.addBytes(b)
}

func (m *maker) addBytes(b []byte) int {
	m.entries = append(m.entries, b)
	salt := sha256.Sum256(fmt.Append(nil, "salt ", len(m.salts)))
	m.salts = append(m.salts, salt[:])
	return len(m.entries) - 1
}

func (m *maker) result(rec, stage string, in evidence.Digest, span *evidence.Span, out any) {
	m.t.Helper()
	output, err := evidence.Canonical(out)
	if err != nil {
		m.t.Fatal(err)
	}
	r := evidence.Result{Engine: engine, Inputs: []evidence.Digest{in}, Machine: "amd64", Output: output, Params: json.RawMessage(`{}`), Recording: rec, Span: span, Stage: stage, Version: 1}
	if r.Key, err = evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params); err != nil {
		m.t.Fatal(err)
	}
	m.add(evidence.EntryResult, program, r)
}

// commit is the commitment of docs/format/log.md.
func commit(salt, entry []byte) []byte {
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte("earwitness entry 1\x00"), salt, entry}, nil))
	return sum[:]
}

type memory []tlog.Hash

func (h memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, h[i])
	}
	return out, nil
}

func (m *maker) hashes() memory {
	var h memory
	for i := range m.entries {
		more, err := tlog.StoredHashes(int64(i), commit(m.salts[i], m.entries[i]), h)
		if err != nil {
			m.t.Fatal(err)
		}
		h = append(h, more...)
	}
	return h
}

// sign makes the signed checkpoint of a size.
func (m *maker) sign(size int64, origin, skey string) []byte {
	m.t.Helper()
	root, err := tlog.TreeHash(size, m.hashes())
	if err != nil {
		m.t.Fatal(err)
	}
	return signText(m.t, fmt.Sprintf("%s\n%d\n%s\n", origin, size, root), skey)
}

func signText(t testing.TB, text, skey string) []byte {
	t.Helper()
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tile is one file of the log.
func (m *maker) tile(level, n, width int) []byte {
	h := m.hashes()
	var b []byte
	for i := n * 256; i < n*256+width; i++ {
		if level < 0 {
			b = binary.BigEndian.AppendUint16(b, 32)
			b = append(b, commit(m.salts[i], m.entries[i])...)
		} else {
			b = append(b, h[tlog.StoredHashIndex(8*level, int64(i))][:]...)
		}
	}
	return b
}

// write writes the case into a new folder.
func (m *maker) write() string {
	m.t.Helper()
	dir := filepath.Join(m.t.TempDir(), "a.case")
	m.writeTo(dir)
	return dir
}

func (m *maker) writeTo(dir string) {
	m.t.Helper()
	put(m.t, filepath.Join(dir, "key"), []byte(m.skey+"\n"))
	put(m.t, filepath.Join(dir, "lock"), nil)
	for _, b := range m.blobs {
		d := evidence.DigestOf(b).String()
		put(m.t, filepath.Join(dir, "blobs", d[:2], d), b)
	}
	m.writeDB(filepath.Join(dir, "case.db"))
	m.writeLog(dir)
}

func (m *maker) writeLog(dir string) {
	size := m.publish
	if size == 0 && len(m.sizes) > 0 {
		size = m.sizes[len(m.sizes)-1]
	}
	if size == 0 {
		return
	}
	put(m.t, filepath.Join(dir, "log/checkpoint"), m.sign(size, m.origin, m.skey))
	for level, n := range map[string]int{"entries": int(size), "0": int(size), "1": int(size) >> 8} {
		l := map[string]int{"entries": -1, "0": 0, "1": 1}[level]
		for i := 0; i*256 < n; i++ {
			name, width := fmt.Sprintf("%03d", i), 256
			if n-i*256 < 256 {
				width = n - i*256
				name += fmt.Sprintf(".p/%d", width)
			}
			put(m.t, filepath.Join(dir, "log/tile", level, name), m.tile(l, i, width))
		}
	}
}

func (m *maker) writeDB(path string) {
	m.t.Helper()
	c := openDB(m.t, path)
	defer c.Close()
	if err := c.EnableChecksums("main"); err != nil {
		m.t.Fatal(err)
	}
	must(m.t, c.Exec(`PRAGMA page_size = 4096; PRAGMA application_id = 0x45415257; PRAGMA user_version = 1; VACUUM; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;`+m.schema))
	must(m.t, c.Exec("BEGIN"))
	for i := range m.entries {
		exec(m.t, c, "INSERT INTO entry VALUES (?, ?, ?)", i, m.salts[i], m.entries[i])
	}
	for i, h := range m.hashes() {
		exec(m.t, c, "INSERT INTO hash VALUES (?, ?)", i, h[:])
	}
	for size, s := range m.signed {
		exec(m.t, c, "INSERT INTO checkpoint VALUES (?, ?, ?)", s.origin, int(size), s.note)
	}
	for _, size := range m.sizes {
		exec(m.t, c, "INSERT INTO checkpoint VALUES (?, ?, ?)", m.origin, int(size), m.sign(size, m.origin, m.skey))
	}
	must(m.t, c.Exec("COMMIT"))
}

func openDB(t testing.TB, path string) *sqlite3.Conn {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	c, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func exec(t testing.TB, c *sqlite3.Conn, sql string, args ...any) {
	t.Helper()
	s, _, err := c.Prepare(sql)
	if err != nil {
		t.Fatal(sql, err)
	}
	defer s.Close()
	for i, arg := range args {
		switch v := arg.(type) {
		case int:
			err = s.BindInt(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		default:
			t.Fatalf("bind %T", arg)
		}
		must(t, err)
	}
	if err := s.Exec(); err != nil {
		t.Fatal(sql, err)
	}
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, b, 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	var list []string
	must(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			list = append(list, filepath.ToSlash(rel))
		}
		return err
	}))
	return list
}

// entryKey is the key of the result at index i.
func (m *maker) entryKey(i int) evidence.Digest {
	m.t.Helper()
	e, err := evidence.ParseEntry(m.entries[i])
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := evidence.DecodeBody[evidence.Result](e, evidence.EntryResult)
	if err != nil {
		m.t.Fatal(err)
	}
	return r.Key
}
