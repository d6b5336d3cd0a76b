package audit_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/audit/raw"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/casetest"
)

// houseCase is a case made by the house's own writer, closed, with the verifier key of its log.
func houseCase(t *testing.T) (dir, seen, key string) {
	t.Helper()
	base := t.TempDir()
	dir, seen = filepath.Join(base, "a.case"), filepath.Join(base, "seen")
	c, err := casefile.Create(t.Context(), dir, casefile.Options{Title: "Макарів", Author: person, Program: "a test", Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	must(t, err)
	fill(t, c)
	must(t, c.Publish(t.Context()))
	key = c.Info().Key
	must(t, c.Close())
	return dir, seen, key
}

func fill(t *testing.T, c *casefile.Case) {
	t.Helper()
	wav := store(t, c, "RIFF as it was handed in")
	name, _, _, err := c.Receive(t.Context(), person, evidence.RecordingReceived{Digest: wav, Name: "a.wav", Size: 24})
	must(t, err)
	pcm := store(t, c, "working sound")
	m := &maker{t: t}
	m.result(name, evidence.StageDecode, wav, nil, evidence.Decoded{Channels: 1, Codec: "opus", Container: "ogg", Copy: &pcm, Rate: 48000, Samples: 32000})
	m.result(name, evidence.StageDetect, pcm, nil, evidence.Detected{Listened: 32000, Transmissions: []evidence.Transmission{{Sound: evidence.SoundTone, Span: evidence.Span{From: 0, To: 32000}}}})
	for _, b := range m.entries {
		e, err := evidence.ParseEntry(b)
		must(t, err)
		r, err := evidence.DecodeBody[evidence.Result](e, evidence.EntryResult)
		must(t, err)
		_, err = c.Append(t.Context(), program, evidence.EntryResult, r)
		must(t, err)
	}
	_, err = c.Append(t.Context(), program, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: "b.pdf", Reason: "no sound in it"})
	must(t, err)
}

func store(t *testing.T, c *casefile.Case, s string) evidence.Digest {
	t.Helper()
	w, err := c.NewBlob(t.Context())
	must(t, err)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(errors.Join(err, w.Discard()))
	}
	d, err := w.Commit(t.Context())
	must(t, err)
	return d
}

func TestCaseOfTheHouse(t *testing.T) {
	dir, seen, key := houseCase(t)
	r := verify(t, dir, audit.Options{Key: key})
	wantClean(t, r)
	if len(r.Notices) != 0 || r.Entries != 5 || r.Recordings != 1 || r.Results != 2 || r.Blobs != 2 || r.Checkpoint == nil || r.Checkpoint.Size != 5 {
		t.Errorf("%s", show(r))
	}
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	must(t, err)
	for i := range int64(5) {
		b, err := c.Receipt(t.Context(), i)
		must(t, err)
		if _, err := audit.VerifyReceipt(b, key); err != nil {
			t.Errorf("receipt of entry %d: %v", i, err)
		}
	}
	// Open for writing, with entries that are not signed yet: pending, not damage.
	_, err = c.Append(t.Context(), program, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: "c.pdf", Reason: "no sound in it"})
	must(t, err)
	r = verify(t, dir, audit.Options{Key: key})
	wantClean(t, r)
	if !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == audit.NoticeEntriesUnsigned }) {
		t.Errorf("%s", show(r))
	}
	must(t, c.Close())
	wantClean(t, verify(t, dir, audit.Options{Key: key}))
}

func TestEveryByteFlippedInACaseOfTheHouse(t *testing.T) {
	t.Parallel()
	dir, _, _ := houseCase(t)
	flipAll(t, dir, 1)
}

// TestEpochOfTheHouse restores an old copy, as docs/format/case.md says.
func TestEpochOfTheHouse(t *testing.T) {
	t.Parallel()
	dir, seen, oldKey := houseCase(t)
	old := filepath.Join(t.TempDir(), "old.case")
	must(t, os.CopyFS(old, os.DirFS(dir)))
	must(t, os.Chmod(filepath.Join(old, "key"), 0o600))
	o := casefile.OpenOptions{Now: time.Now, Rand: rand.Reader, SeenDir: seen}
	c, err := casefile.Open(t.Context(), dir, o)
	must(t, err)
	_, err = c.Append(t.Context(), program, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: "lost.pdf", Reason: "no sound in it"})
	must(t, err)
	must(t, c.Publish(t.Context()))
	must(t, c.Close())
	ahead, err := os.ReadFile(filepath.Join(dir, "log/checkpoint"))
	must(t, err)
	wantFinding(t, verify(t, old, audit.Options{Seen: []string{string(ahead)}}), audit.CaseOld, "elsewhere")

	c, err = casefile.StartEpoch(t.Context(), old, casefile.EpochOptions{Author: person, AgreedBy: "Ігор", Reason: "restored from a backup", Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	must(t, err)
	_, err = c.Append(t.Context(), program, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: "d.pdf", Reason: "no sound in it"})
	must(t, err)
	must(t, c.Publish(t.Context()))
	must(t, c.Close())
	r := verify(t, old, audit.Options{Key: oldKey, Seen: []string{string(ahead)}})
	wantClean(t, r)
	if r.Checkpoint.Size != 7 {
		t.Errorf("%s", show(r))
	}
	for _, name := range files(t, old) {
		if name == "case.db" || name == "lock" || strings.HasPrefix(name, "derived.db") {
			continue
		}
		path := filepath.Join(old, name)
		b, err := os.ReadFile(path)
		must(t, err)
		for i := 0; i < len(b); i += 41 {
			b[i] ^= 1
			must(t, os.WriteFile(path, b, 0o600))
			if r := verify(t, old, audit.Options{}); !names(r, name) {
				t.Fatalf("%s, byte %d: %s", name, i, show(r))
			}
			b[i] ^= 1
		}
		must(t, os.WriteFile(path, b, 0o600))
	}
}

// TestWorkedExample follows docs/format/worked with the auditor's code alone.
func TestWorkedExample(t *testing.T) {
	worked := filepath.Join(casetest.Root(t), "docs", "format", "worked")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(worked, name))
		must(t, err)
		return b
	}
	key := strings.TrimSpace(string(read("key.txt")))
	if _, err := audit.VerifyReceipt(read("receipt.json"), key); err != nil {
		t.Error(err)
	}
	c, err := raw.VerifyCheckpoint(read("log/checkpoint"), key)
	must(t, err)
	var salts, entries [][]byte
	f, err := os.Open(filepath.Join(worked, "entries.txt"))
	must(t, err)
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "salt":
			b, err := hex.DecodeString(value)
			must(t, err)
			salts = append(salts, b)
		case "entry":
			entries = append(entries, []byte(value))
		}
	}
	if int64(len(entries)) != c.Size || len(salts) != len(entries) {
		t.Fatalf("%d entries, %d salts, a checkpoint of size %d", len(entries), len(salts), c.Size)
	}
	for _, name := range files(t, filepath.Join(worked, "log/tile")) {
		if err := audit.CheckTile(salts, entries, name, read("log/tile/"+name)); err != nil {
			t.Error(err)
		}
	}
	// The same entries in a case by the test's own writer give the same root, and verify.
	m := &maker{t: t, entries: entries, salts: salts, signed: map[int64]signedNote{}, schema: schema + triggers}
	for _, name := range files(t, filepath.Join(worked, "blobs")) {
		m.blob(string(read("blobs/" + name)))
	}
	dir := m.write()
	must(t, os.Remove(filepath.Join(dir, "key")))
	must(t, os.CopyFS(filepath.Join(dir, "log"), os.DirFS(filepath.Join(worked, "log"))))
	edit(t, dir, func(db *sqlite3.Conn) {
		exec(t, db, "INSERT INTO checkpoint VALUES (?, ?, ?)", c.Origin, int(c.Size), read("log/checkpoint"))
	})
	wantClean(t, verify(t, dir, audit.Options{Key: key}))
}

// TestManyEntries crosses the width of a tile, once with a partial tile left behind.
func TestManyEntries(t *testing.T) {
	t.Parallel()
	dir, seen, key := houseCase(t)
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	must(t, err)
	for _, n := range []int{300, 250, 3} {
		var list []evidence.Entry
		for i := range n {
			e, err := evidence.NewEntry(evidence.EntryIntakeRefused, program, clock, evidence.IntakeRefused{Name: fmt.Sprint(i), Reason: "no sound in it"})
			must(t, err)
			list = append(list, e)
		}
		_, err = c.AppendAll(t.Context(), list)
		must(t, err)
		must(t, c.Publish(t.Context()))
	}
	must(t, c.Close())
	wantClean(t, verify(t, dir, audit.Options{Key: key}))
	for _, name := range files(t, dir) {
		if !strings.HasPrefix(name, "log/tile") {
			continue
		}
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		must(t, err)
		i := len(b) / 2
		b[i] ^= 1
		must(t, os.WriteFile(path, b, 0o600))
		if r := verify(t, dir, audit.Options{}); !names(r, name) || len(r.Findings) != 1 {
			t.Errorf("%s, byte %d: %s", name, i, show(r))
		}
		b[i] ^= 1
		must(t, os.WriteFile(path, b, 0o600))
	}
	if _, err := json.Marshal(verify(t, dir, audit.Options{})); err != nil {
		t.Error(err)
	}
	if _, err := audit.Verify(context.Background(), dir, audit.Options{Workers: 3}); err != nil {
		t.Error(err)
	}
}

// TestWhileTheHouseWrites verifies a case while entries are added and published: no false alarm.
func TestWhileTheHouseWrites(t *testing.T) {
	dir, seen, key := houseCase(t)
	c, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	must(t, err)
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			_, err := c.Append(context.Background(), program, evidence.EntryIntakeRefused, evidence.IntakeRefused{Name: fmt.Sprint(i), Reason: "no sound in it"})
			if err == nil && i%3 == 0 {
				err = c.Publish(context.Background())
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	sound, busy := 0, 0
	for range 25 {
		r, err := audit.Verify(t.Context(), dir, audit.Options{Key: key})
		switch {
		case evidence.KindOf(err) == evidence.KindConflict:
			busy++
		case err != nil || !r.OK():
			t.Errorf("%v %s", err, show(r))
		default:
			sound++
		}
	}
	close(stop)
	must(t, <-ended)
	must(t, c.Close())
	wantClean(t, verify(t, dir, audit.Options{Key: key}))
	t.Logf("%d sound, %d too busy", sound, busy)
}
