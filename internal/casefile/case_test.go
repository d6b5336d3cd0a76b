package casefile_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

var (
	olia    = evidence.Author{Kind: "person", Name: "Olia"}
	program = evidence.Author{Kind: "program", Name: "earwitness test"}
)

func create(t testing.TB, dir, seen string) *casefile.Case {
	t.Helper()
	c, err := casefile.Create(context.Background(), dir, casefile.Options{Title: "Makariv", Author: olia, Program: "earwitness test",
		Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, c) })
	return c
}

func newCase(t testing.TB) (c *casefile.Case, dir, seen string) {
	t.Helper()
	base := t.TempDir()
	dir, seen = filepath.Join(base, "makariv.case"), filepath.Join(base, "state", "seen")
	return create(t, dir, seen), dir, seen
}

func openOptions(seen string) casefile.OpenOptions {
	return casefile.OpenOptions{Now: time.Now, Rand: rand.Reader, SeenDir: seen}
}

func reopen(t testing.TB, dir, seen string) *casefile.Case {
	t.Helper()
	c, err := casefile.Open(context.Background(), dir, openOptions(seen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, c) })
	return c
}

func mustClose(t testing.TB, c *casefile.Case) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func put(t testing.TB, c *casefile.Case, data []byte) evidence.Digest {
	t.Helper()
	d, err := putBlob(c, data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func putBlob(c *casefile.Case, data []byte) (evidence.Digest, error) {
	w, err := c.NewBlob(context.Background())
	if err != nil {
		return evidence.Digest{}, err
	}
	if _, err := w.Write(data); err != nil {
		return evidence.Digest{}, errors.Join(err, w.Discard())
	}
	return w.Commit(context.Background())
}

func receive(t testing.TB, c *casefile.Case, data []byte) string {
	t.Helper()
	id, _, _, err := c.Receive(context.Background(), olia, evidence.RecordingReceived{Digest: put(t, c, data), Name: "net.wav", Size: int64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func refused(n int) evidence.IntakeRefused {
	return evidence.IntakeRefused{Name: fmt.Sprintf("%d.txt", n), Reason: "no sound in it"}
}

func detect(t testing.TB, recording string, input evidence.Digest, n int) evidence.Result {
	t.Helper()
	r := evidence.Result{Engine: evidence.Engine{Build: "1", Name: "fake"}, Inputs: []evidence.Digest{input}, Machine: "test", Output: json.RawMessage(`{"listened":1,"transmissions":[]}`),
		Params: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)), Recording: recording, Stage: evidence.StageDetect, Version: 1}
	return withKey(t, r)
}

func withKey(t testing.TB, r evidence.Result) evidence.Result {
	t.Helper()
	key, err := evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params)
	if err != nil {
		t.Fatal(err)
	}
	r.Key = key
	return r
}

func wantKind(t testing.TB, what string, err error, kind evidence.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if evidence.KindOf(err) != kind {
		t.Errorf("%s: kind %v, not %v: %v", what, evidence.KindOf(err), kind, err)
	}
}

func TestLifeOfACase(t *testing.T) {
	ctx := t.Context()
	c, dir, seen := newCase(t)
	if id := receive(t, c, []byte("one")); id != "REC-0001" {
		t.Errorf("the first recording is %s", id)
	}
	if id := receive(t, c, []byte("two")); id != "REC-0002" {
		t.Errorf("the second recording is %s", id)
	}
	d := put(t, c, []byte("one"))
	id, at, already, err := c.Receive(ctx, olia, evidence.RecordingReceived{Digest: d, Name: "again.wav", Size: 3})
	if err != nil || id != "REC-0001" || at != 1 || !already {
		t.Errorf("the same bytes again: %s at %d, already %v, %v", id, at, already, err)
	}
	at, err = c.Append(ctx, program, evidence.EntryResult, detect(t, "REC-0001", d, 1))
	if err != nil || at != 3 {
		t.Fatalf("result at %d, %v", at, err)
	}
	_, err = c.Append(ctx, program, evidence.EntryResult, detect(t, "REC-0001", d, 1))
	wantKind(t, "the same result twice", err, evidence.KindConflict)
	at, err = c.AppendAll(ctx, []evidence.Entry{mustEntry(t, refused(1)), mustEntry(t, refused(2))})
	if err != nil || at != 4 {
		t.Fatalf("two at %d, %v", at, err)
	}
	if err := c.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := casefile.Open(ctx, dir, casefile.OpenOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, r)
	check := func(c *casefile.Case) {
		t.Helper()
		if n, err := c.Len(ctx); n != 6 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
		rr, at, ok := c.Received(d)
		if !ok || at != 1 || rr.Recording != "REC-0001" || rr.Name != "net.wav" {
			t.Errorf("received: %+v at %d, %v", rr, at, ok)
		}
		if at, ok := c.Result(detect(t, "REC-0001", d, 1).Key); at != 3 || !ok {
			t.Errorf("result at %d, %v", at, ok)
		}
		var kinds []string
		next, err := c.Follow(ctx, 0, func(idx int64, e evidence.Entry) error {
			kinds = append(kinds, e.Kind)
			return nil
		})
		if want := "case.opened recording.received recording.received result intake.refused intake.refused"; next != 6 || err != nil || strings.Join(kinds, " ") != want {
			t.Errorf("follow to %d: %v, %v", next, kinds, err)
		}
		if i := c.Info(); i.Title != "Makariv" || !strings.HasPrefix(i.Origin, "earwitness/") {
			t.Errorf("info: %+v", i)
		}
		e, err := c.Read(ctx, 4)
		if err != nil || e.Kind != evidence.EntryIntakeRefused {
			t.Errorf("entry 4: %+v, %v", e, err)
		}
		_, err = c.Read(ctx, 6)
		wantKind(t, "entry 6", err, evidence.KindNotFound)
		b, err := c.Receipt(ctx, 3)
		if err != nil || !bytes.Contains(b, []byte(casefile.ReceiptFormat)) {
			t.Errorf("receipt %s, %v", b, err)
		}
	}
	check(c)
	check(r)
	mustClose(t, c)
	check(reopen(t, dir, seen))
	if left, err := filepath.Glob(filepath.Join(dir, "blobs", "tmp", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
}

func mustEntry(t testing.TB, body evidence.IntakeRefused) evidence.Entry {
	t.Helper()
	e, err := evidence.NewEntry(evidence.EntryIntakeRefused, program, time.Time{}, body)
	if err != nil {
		t.Fatal(err)
	}
	e.Time = time.Time{}
	return e
}

func TestAppendFromMany(t *testing.T) {
	c, dir, seen := newCase(t)
	const workers, each = 8, 50
	var wg sync.WaitGroup
	at := make([][]int64, workers)
	for w := range workers {
		wg.Go(func() {
			for n := range each {
				idx, err := c.Append(t.Context(), program, evidence.EntryIntakeRefused, refused(w*each+n))
				if err != nil {
					t.Error(err)
				}
				at[w] = append(at[w], idx)
				if n%20 == 0 {
					if err := c.Publish(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	// The same bytes from several at once make one recording.
	data := []byte("the same")
	ids := make([]string, 4)
	for i := range ids {
		wg.Go(func() { ids[i] = receive(t, c, data) })
	}
	wg.Wait()
	for _, id := range ids {
		if id != "REC-0001" {
			t.Errorf("recordings: %v", ids)
		}
	}
	mustClose(t, c)
	c = reopen(t, dir, seen)
	names := map[int64]string{}
	if _, err := c.Follow(t.Context(), 0, func(idx int64, e evidence.Entry) error {
		if b, err := evidence.DecodeBody[evidence.IntakeRefused](e, evidence.EntryIntakeRefused); err == nil {
			names[idx] = b.Name
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(names) != workers*each {
		t.Errorf("%d entries, not %d", len(names), workers*each)
	}
	for w := range at {
		for n, idx := range at[w] {
			if want := refused(w*each + n).Name; names[idx] != want {
				t.Errorf("entry %d is %q, not %q", idx, names[idx], want)
			}
		}
	}
}

func TestPlainErrors(t *testing.T) {
	ctx := t.Context()
	c, dir, seen := newCase(t)
	_, err := casefile.Open(ctx, dir, openOptions(seen))
	wantKind(t, "a second writer", err, evidence.KindConflict)
	if !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || evidence.HintOf(err) == "" {
		t.Errorf("a second writer: %v, hint %q", err, evidence.HintOf(err))
	}
	_, err = casefile.Create(ctx, dir, casefile.Options{Title: "x", Author: olia, Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	wantKind(t, "create over an open case", err, evidence.KindConflict)
	mustClose(t, c)
	_, err = c.Append(ctx, program, evidence.EntryIntakeRefused, refused(1))
	wantKind(t, "append to a closed case", err, evidence.KindConflict)
	_, err = casefile.Create(ctx, dir, casefile.Options{Title: "x", Author: olia, Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	wantKind(t, "create over a case", err, evidence.KindConflict)

	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = casefile.Create(ctx, other, casefile.Options{Title: "x", Author: olia, Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	wantKind(t, "create in a folder in use", err, evidence.KindConflict)
	_, err = casefile.Open(ctx, other, openOptions(seen))
	wantKind(t, "open a folder that is no case", err, evidence.KindNotFound)
	_, err = casefile.Open(ctx, filepath.Join(other, "none"), casefile.OpenOptions{ReadOnly: true})
	wantKind(t, "open a folder that is not there", err, evidence.KindNotFound)

	ro, err := casefile.Open(ctx, dir, casefile.OpenOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, ro)
	_, err = ro.Append(ctx, program, evidence.EntryIntakeRefused, refused(1))
	wantKind(t, "append while reading", err, evidence.KindInvalid)

	if err := os.Rename(filepath.Join(dir, "key"), filepath.Join(other, "key")); err != nil {
		t.Fatal(err)
	}
	_, err = casefile.Open(ctx, dir, openOptions(seen))
	wantKind(t, "no key", err, evidence.KindNotFound)
	if evidence.HintOf(err) == "" {
		t.Error("no key: no hint")
	}
}
