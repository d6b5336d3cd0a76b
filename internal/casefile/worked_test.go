package casefile_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/merklelog"

	_ "github.com/ncruces/go-sqlite3/driver"
)

var update = flag.Bool("update", false, "write docs/format/worked anew")

// stream is the worked example's randomness: SHA-256 of a text and a counter, block after block.
type stream struct {
	n    uint64
	left []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.left) == 0 {
			block := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("earwitness worked example "), s.n))
			s.left, s.n = block[:], s.n+1
		}
		p[i], s.left = s.left[0], s.left[1:]
	}
	return len(p), nil
}

// ticking is a clock that goes on by a second and a half whenever it is looked at.
func ticking() func() time.Time {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(1500 * time.Millisecond)
		return at
	}
}

// wav makes a WAV file of 16 kHz, one channel, 16 bits.
func wav(samples int) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	for _, v := range []any{uint32(36 + 2*samples), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(16000), uint32(32000), uint16(2), uint16(16),
		[]byte("data"), uint32(2 * samples), make([]int16, samples)} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err) // a buffer takes everything
		}
	}
	return b.Bytes()
}

func canonical(t testing.TB, v any) json.RawMessage {
	t.Helper()
	b, err := evidence.Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func append1(t testing.TB, c *casefile.Case, author evidence.Author, kind string, body any) int64 {
	t.Helper()
	idx, err := c.Append(context.Background(), author, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	return idx
}

// workedCase makes the case of the worked example.
func workedCase(t *testing.T, dir, seen string) {
	t.Helper()
	c, err := casefile.Create(t.Context(), dir, casefile.Options{Title: "Worked example / Приклад", Author: olia, Program: "earwitness worked example",
		Policy: evidence.Policy{EmbargoSeconds: 86400, IntakeDelaySeconds: 3600, Languages: []string{"ru", "uk"}},
		Now:    ticking(), Rand: &stream{}, SeenDir: seen})
	if err != nil {
		t.Fatal(err)
	}
	prog := evidence.Author{Kind: "program", Name: "earwitness worked example"}
	sound := put(t, c, wav(1600))
	sidecar := put(t, c, []byte(`{"frequency_hz":4625000,"mode":"USB","start":{"basis":"receiver clock","time":"2026-11-22T23:10:00+02:00","uncertainty_milli":500}}`))
	id, received, _, err := c.Receive(t.Context(), olia, evidence.RecordingReceived{Digest: sound, Name: "net \"одиннадцать\".wav", Size: 3244, Sidecar: &sidecar,
		Reception: evidence.Reception{FrequencyHz: 4625000, Mode: "USB", Start: &evidence.StartTime{Basis: "receiver clock", Time: "2026-11-22T23:10:00+02:00", UncertaintyMilli: 500}}})
	if err != nil {
		t.Fatal(err)
	}
	append1(t, c, prog, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: "notes\t\uFFFD.pdf", NameBytes: "6e6f74657309ff2e706466", Reason: "no sound in it", Size: 12345})
	append1(t, c, olia, evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Recording: id, Replaces: received,
		Reception: evidence.Reception{FrequencyHz: 4625000, Mode: "USB", Place: "Makariv", HandedInBy: "a listener"}})
	result := func(r evidence.Result) {
		r.Recording, r.Machine, r.Version, r.Inputs = id, "amd64 avx2", 1, []evidence.Digest{sound}
		append1(t, c, prog, evidence.EntryResult, withKey(t, r))
	}
	result(evidence.Result{Stage: evidence.StageDecode, Engine: evidence.Engine{Name: "wav", Build: "1"}, Params: canonical(t, struct{}{}),
		Output: canonical(t, evidence.Decoded{Channels: 1, Codec: "pcm_s16le", Container: "wav", Rate: 16000, Samples: 1600})})
	span := evidence.Span{From: 160, To: 1440}
	result(evidence.Result{Stage: evidence.StageDetect, Engine: evidence.Engine{Name: "example", Build: "1"}, Params: canonical(t, map[string]int{"threshold_e4": 5000}),
		Output: canonical(t, evidence.Detected{Listened: 1600, Transmissions: []evidence.Transmission{{BandHighHz: 2700, BandLowHz: 300, Hear: []evidence.Span{{To: 1600}}, LevelCB: -2150, PeakCB: -310, SnrCB: 1420, Sound: evidence.SoundSpeech, Span: span, SpeechP: 9876}}})})
	result(evidence.Result{Stage: evidence.StageHear, Engine: evidence.Engine{Name: "example", Build: "1"}, Params: canonical(t, map[string]string{"task": "transcribe"}), Span: &evidence.Span{To: 1600},
		Model: &evidence.Model{Name: "example", Digest: evidence.DigestOf([]byte("the manifest of an example model"))},
		Output: canonical(t, evidence.Heard{CompressionE2: 92, Languages: []evidence.Language{{Code: "ru", P: 9911}}, LogProbE4: -2718, NoSpeechE4: 12, State: evidence.HeardWords,
			Text: "приём", Words: []evidence.Word{{P: 9500, Span: span, Text: "приём"}}})})
	append1(t, c, prog, evidence.EntryFailure, evidence.Failure{Engine: evidence.Engine{Name: "example", Build: "1"}, Hint: "add a model", Key: evidence.DigestOf([]byte("work that could not be done")),
		Kind: "needs", Message: "no model for this language", Recording: id, Stage: evidence.StageHear, Span: &span})
	append1(t, c, olia, evidence.EntryOriginalExported, evidence.OriginalExported{Digest: sound, Recording: id, To: "net.wav"})
	if err := c.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
}

// The worked example of docs/format is what this package writes.
func TestWorkedExample(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "worked.case")
	workedCase(t, dir, filepath.Join(base, "seen"))
	audited(t, dir)
	files := map[string][]byte{"entries.txt": entriesText(t, filepath.Join(dir, "case.db"))}
	for _, below := range []string{"log", "blobs"} {
		err := filepath.WalkDir(filepath.Join(dir, below), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(dir, p)
			if err != nil {
				return err
			}
			files[filepath.ToSlash(rel)], err = os.ReadFile(p)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, c)
	if files["receipt.json"], err = c.Receipt(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.VerifyReceipt(files["receipt.json"], c.Info().Key); err != nil {
		t.Error(err)
	}
	files["key.txt"] = []byte(c.Info().Key + "\n")

	worked := filepath.Join(casetest.Root(t), "docs", "format", "worked")
	if *update {
		for name, b := range files {
			p := filepath.Join(worked, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := map[string]bool{"README.md": true}
	for name, b := range files {
		seen[name] = true
		want, err := os.ReadFile(filepath.Join(worked, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(want, b) {
			t.Errorf("docs/format/worked/%s is not what is written now:\n%s\n%s", name, want, b)
		}
	}
	if err := filepath.WalkDir(worked, func(p string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(worked, p); err == nil && !d.IsDir() && !seen[filepath.ToSlash(rel)] {
			t.Errorf("docs/format/worked/%s is not part of the example", rel)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func entriesText(t *testing.T, name string) []byte {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+name+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query("SELECT idx, salt, bytes FROM entry ORDER BY idx")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for rows.Next() {
		var idx int64
		var salt, entry []byte
		if err := rows.Scan(&idx, &salt, &entry); err != nil {
			t.Fatal(err)
		}
		commitment := merklelog.Commit([merklelog.SaltSize]byte(salt), entry)
		leaf := commitment.LeafHash()
		fmt.Fprintf(&out, "index %d\nsalt %x\ncommitment %x\nleaf %x\nentry %s\n\n", idx, salt, commitment, leaf[:], entry)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
