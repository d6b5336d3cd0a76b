package casefile_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// readAll returns what a reader sees of a case.
func readAll(t testing.TB, dir string) ([]byte, error) {
	t.Helper()
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	_, err = c.Follow(t.Context(), 0, func(idx int64, e evidence.Entry) error {
		b, err := e.Encode()
		fmt.Fprintf(&all, "%d %s\n", idx, b)
		return err
	})
	if err == nil {
		_, err = c.Receipt(t.Context(), 1)
	}
	mustClose(t, c)
	return all.Bytes(), err
}

// A flipped byte of case.db is reported as damage, or is not in what is read: never are other words read.
func TestFlippedByteInCaseDB(t *testing.T) {
	t.Parallel()
	base := template(t)
	dir, seen := filepath.Join(base, "a.case"), filepath.Join(base, "seen")
	c := reopen(t, dir, seen)
	receive(t, c, []byte("sound"))
	grow(t, c, 40)
	mustClose(t, c)
	name := filepath.Join(dir, "case.db")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	flips, noticed := 0, 0
	step := campaign(311, 7)
	for at := 0; at < len(whole); at += step {
		b := bytes.Clone(whole)
		b[at] ^= 1 << (at % 8)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		flips++
		got, err := readAll(t, dir)
		switch {
		case err != nil && (evidence.KindOf(err) != evidence.KindDamaged || evidence.HintOf(err) == ""):
			t.Errorf("byte %d: kind %v, hint %q: %v", at, evidence.KindOf(err), evidence.HintOf(err), err)
		case err != nil:
			noticed++
		case !bytes.Equal(got, want):
			t.Errorf("byte %d: other entries are read, and no error", at)
		}
	}
	t.Logf("%d flips, %d reported; the rest in pages that reading does not touch", flips, noticed)
	if noticed < flips/3 {
		t.Error("too few")
	}
}

// Someone who changes an entry with SQL, checksums and all, gets no signature for it.
func TestChangedEntryIsNotSigned(t *testing.T) {
	c, dir, seen := newCase(t)
	append1(t, c, program, evidence.EntryIntakeRefused, refused(1))
	append1(t, c, program, evidence.EntryIntakeRefused, refused(2))
	mustClose(t, c)
	change(t, dir, "DROP TRIGGER entry_update", "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '2.txt', '3.txt') AS BLOB) WHERE idx = 2")
	c = reopen(t, dir, seen)
	wantKind(t, "sign for a changed entry", c.Publish(t.Context()), evidence.KindDamaged)
	mustClose(t, c)

	c, dir, seen = newCase(t)
	grow(t, c, 2)
	mustClose(t, c)
	change(t, dir, "DROP TRIGGER hash_update", "UPDATE hash SET hash = zeroblob(32) WHERE idx = 2")
	_, err := casefile.Open(t.Context(), dir, openOptions(seen))
	wantKind(t, "open with a changed tree", err, evidence.KindDamaged)
}

func change(t *testing.T, dir string, queries ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "case.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaRefusesWhatMustNotBe(t *testing.T) {
	c, dir, _ := newCase(t)
	grow(t, c, 3)
	mustClose(t, c)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "case.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"UPDATE entry SET salt = zeroblob(32)", "DELETE FROM entry WHERE idx = 3", "INSERT INTO entry VALUES (5, zeroblob(32), '{}')", "INSERT INTO entry VALUES (3, zeroblob(32), x'7b7d')",
		"INSERT OR REPLACE INTO entry VALUES (3, zeroblob(32), x'7b7d')", "INSERT INTO entry VALUES (4, zeroblob(31), x'7b7d')", "UPDATE hash SET hash = zeroblob(32)", "DELETE FROM hash",
		"UPDATE checkpoint SET size = 9", "DELETE FROM checkpoint", "INSERT INTO checkpoint VALUES ('x', 0, x'00')",
	} {
		if _, err := db.Exec(q); err == nil {
			t.Errorf("%s is taken", q)
		}
	}
	if _, err := db.Exec("PRAGMA user_version = 2"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = casefile.Open(t.Context(), dir, casefile.OpenOptions{ReadOnly: true})
	wantKind(t, "a newer case", err, evidence.KindInvalid)
	if !strings.Contains(evidence.HintOf(err), "newer") {
		t.Errorf("a newer case: hint %q", evidence.HintOf(err))
	}
}

func TestRefusesWhatVerifyWouldFind(t *testing.T) {
	c, _, _ := newCase(t)
	ctx := t.Context()
	sound := put(t, c, []byte("sound"))
	_, err := c.Append(ctx, program, evidence.EntryResult, detect(t, "REC-0001", sound, 1))
	wantKind(t, "a result for a recording that is not there", err, evidence.KindNotFound)
	receive(t, c, []byte("sound"))
	_, _, _, err = c.Receive(ctx, olia, evidence.RecordingReceived{Digest: evidence.DigestOf([]byte("other")), Name: "x"})
	wantKind(t, "a recording without its blob", err, evidence.KindNotFound)

	r := detect(t, "REC-0001", sound, 1)
	r.Key[0] ^= 1
	_, err = c.Append(ctx, program, evidence.EntryResult, r)
	wantKind(t, "a key of other work", err, evidence.KindInvalid)

	copyBlob := evidence.DigestOf([]byte("not there"))
	decode := evidence.Result{Engine: evidence.Engine{Build: "1", Name: "fake"}, Inputs: []evidence.Digest{sound}, Machine: "test", Params: []byte(`{}`), Recording: "REC-0001", Stage: evidence.StageDecode, Version: 1,
		Output: canonical(t, evidence.Decoded{Channels: 1, Codec: "x", Container: "y", Copy: &copyBlob, Rate: 8000, Samples: 1000})}
	_, err = c.Append(ctx, program, evidence.EntryResult, withKey(t, decode))
	wantKind(t, "a decoding without its blob", err, evidence.KindNotFound)
	decode.Output = canonical(t, evidence.Decoded{Channels: 1, Codec: "x", Container: "y", Rate: 8000, Samples: 1000})
	append1(t, c, program, evidence.EntryResult, withKey(t, decode))

	long := detect(t, "REC-0001", sound, 2)
	long.Output = canonical(t, evidence.Detected{Listened: 1, Transmissions: []evidence.Transmission{{Sound: "tone", Span: evidence.Span{From: 10, To: 1001}}}})
	_, err = c.Append(ctx, program, evidence.EntryResult, long)
	wantKind(t, "a span beyond the sound", err, evidence.KindInvalid)

	english := evidence.Result{Engine: decode.Engine, Inputs: decode.Inputs, Machine: "test", Model: &evidence.Model{Name: "fake"}, Params: decode.Params, Recording: "REC-0001", Span: &evidence.Span{From: 0, To: 10},
		Stage: evidence.StageTranslate, Version: 1, Output: canonical(t, evidence.Translated{From: evidence.DigestOf([]byte("no result")), Language: "en", State: evidence.TranslatedWords, Text: "over"})}
	_, err = c.Append(ctx, program, evidence.EntryResult, withKey(t, english))
	wantKind(t, "a translation of no hearing", err, evidence.KindInvalid)
	english.Output = canonical(t, evidence.Translated{From: withKey(t, decode).Key, Language: "uk", State: evidence.TranslatedWords, Text: "прийом"})
	_, err = c.Append(ctx, program, evidence.EntryResult, withKey(t, english))
	wantKind(t, "a translation into another language", err, evidence.KindInvalid)

	_, err = c.Append(ctx, olia, evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Recording: "REC-0001", Replaces: 2})
	wantKind(t, "a description that replaces a result", err, evidence.KindInvalid)
	append1(t, c, olia, evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Recording: "REC-0001", Replaces: 1})
	_, err = c.Append(ctx, olia, evidence.EntryOriginalExported, evidence.OriginalExported{Recording: "REC-0001", Digest: copyBlob, To: "x"})
	wantKind(t, "an export of another original", err, evidence.KindInvalid)
	for _, kind := range []string{evidence.EntryCaseOpened, evidence.EntryEpochStarted, evidence.EntryRecordingReceived, "gossip"} {
		_, err = c.Append(ctx, olia, kind, struct{}{})
		wantKind(t, kind, err, evidence.KindInvalid)
	}
	_, err = c.AppendAll(ctx, []evidence.Entry{mustEntry(t, refused(1)), mustEntry(t, refused(1)), {Author: olia, Kind: evidence.EntryFailure, Time: time.Now(), Body: canonical(t, evidence.Failure{Recording: "REC-0009", Kind: "x"})}})
	wantKind(t, "three of which one is wrong", err, evidence.KindNotFound)
	if n, err := c.Len(ctx); n != 4 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	_, err = c.Receipt(ctx, 3)
	wantKind(t, "a receipt for what is not signed yet", err, evidence.KindNotFound)
}
