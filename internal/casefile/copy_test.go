package casefile_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/casefile"
)

func epochOptions(seen string) casefile.EpochOptions {
	return casefile.EpochOptions{Author: olia, AgreedBy: "Ihor", Reason: "the disk was lost, and this is the newest copy", Now: time.Now, Rand: rand.Reader, SeenDir: seen}
}

// grow adds n entries and publishes.
func grow(t testing.TB, c *casefile.Case, n int) {
	t.Helper()
	var entries []evidence.Entry
	for i := range n {
		entries = append(entries, mustEntry(t, refused(i)))
	}
	if _, err := c.AppendAll(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// An old case.db that is put back is not signed again under the old log, wherever the newer checkpoint is remembered.
func TestOldCopyIsRefused(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"memory", "log", "both"} {
		c, dir, seen := newCase(t)
		grow(t, c, 3)
		mustClose(t, c)
		old := filepath.Join(t.TempDir(), "case.db")
		copyFile(t, filepath.Join(dir, "case.db"), old)
		c = reopen(t, dir, seen)
		grow(t, c, 300)
		receipt, err := c.Receipt(t.Context(), 200)
		if err != nil {
			t.Fatal(err)
		}
		early, err := c.Receipt(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		key := c.Info().Key
		mustClose(t, c)

		copyFile(t, old, filepath.Join(dir, "case.db"))
		switch place {
		case "memory":
			if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
				t.Fatal(err)
			}
		case "log":
			seen = filepath.Join(t.TempDir(), "another machine")
		}
		_, err = casefile.Open(t.Context(), dir, openOptions(seen))
		wantKind(t, place+": an old copy", err, evidence.KindConflict)
		if err == nil || !strings.Contains(err.Error(), "old copy") || !strings.Contains(evidence.HintOf(err), "epoch") {
			t.Errorf("%s: %v, hint %q", place, err, evidence.HintOf(err))
		}
		ro, err := casefile.Open(t.Context(), dir, casefile.OpenOptions{ReadOnly: true})
		if err != nil {
			t.Errorf("%s: an old copy is still for reading: %v", place, err)
		} else {
			mustClose(t, ro)
		}

		alone := epochOptions(seen)
		alone.AgreedBy = "olia "
		_, err = casefile.StartEpoch(t.Context(), dir, alone)
		wantKind(t, "an epoch that one person starts alone", err, evidence.KindInvalid)

		c, err = casefile.StartEpoch(t.Context(), dir, epochOptions(seen))
		if err != nil {
			t.Fatalf("%s: %v", place, err)
		}
		info := c.Info()
		if len(info.Epochs) != 1 || info.Key == key || info.Epochs[0].OldOrigin == info.Origin || !strings.Contains(info.Epochs[0].LastCheckpoint, "\n304\n") {
			t.Errorf("%s: %+v", place, info)
		}
		grow(t, c, 2)
		again, err := c.Receipt(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, c)
		c = reopen(t, dir, seen)
		if c.Info().Origin != info.Origin {
			t.Errorf("%s: the epoch does not last", place)
		}
		grow(t, c, 1)
		mustClose(t, c)
		audited(t, dir, audit.NoticeEpochDiffers, audit.NoticeFileUnexpected)
		for _, b := range [][]byte{receipt, early} {
			if _, err := audit.VerifyReceipt(b, key); err != nil {
				t.Errorf("%s: a receipt of the old log: %v", place, err)
			}
		}
		if _, err := audit.VerifyReceipt(again, info.Key); err != nil {
			t.Errorf("%s: a receipt of the new log: %v", place, err)
		}
		// The old copy once more: its log has gone on in the meantime.
		copyFile(t, old, filepath.Join(dir, "case.db"))
		_, err = casefile.Open(t.Context(), dir, openOptions(seen))
		if err == nil {
			t.Errorf("%s: the old copy opens after the epoch has begun", place)
		}
	}
}

// Two copies of one case on one machine cannot both be written to and signed.
func TestSecondCopyIsRefused(t *testing.T) {
	c, dir, seen := newCase(t)
	grow(t, c, 2)
	mustClose(t, c)
	twin := filepath.Join(t.TempDir(), "twin.case")
	if err := os.CopyFS(twin, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	c = reopen(t, dir, seen)
	_, err := casefile.Open(t.Context(), twin, openOptions(seen))
	wantKind(t, "a copy while the case is open", err, evidence.KindConflict)
	grow(t, c, 1)
	mustClose(t, c)
	_, err = casefile.Open(t.Context(), twin, openOptions(seen))
	wantKind(t, "a copy that is behind", err, evidence.KindConflict)
	// A copy that has gone its own way, beyond the case's size.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	c = reopen(t, twin, elsewhere)
	for i := range 5 {
		append1(t, c, program, evidence.EntryIntakeRefused, refused(100+i))
	}
	mustClose(t, c)
	_, err = casefile.Open(t.Context(), twin, openOptions(seen))
	wantKind(t, "a copy that has gone its own way", err, evidence.KindDamaged)
}

// A crash at each step of starting an epoch leaves a case under the old log or under the new one.
func TestEpochCrash(t *testing.T) {
	t.Parallel()
	base := template(t)
	o := epochOptions(filepath.Join(base, "seen"))
	start := func(d *simDisk) (*casefile.Case, error) {
		o.SeenDir, o.Disk = filepath.Join(d.root, "seen"), d.disk()
		return casefile.StartEpoch(t.Context(), filepath.Join(d.root, "a.case"), o)
	}
	whole := newSimDisk(t, copyOf(t, base))
	c, err := start(whole)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	old, begun := 0, 0
	for step := 1; step <= len(whole.log); step++ {
		for name, f := range map[string]fate{"lost": lost, "kept": kept} {
			d := newSimDisk(t, copyOf(t, base))
			d.cutAt = step
			c, err := start(d)
			if err == nil {
				_ = c.Close() // the power went after all was done
			}
			after := newSimDisk(t, d.after(t, f, nil))
			what := fmt.Sprintf("cut before step %d (%s), %s", step, whole.log[step-1], name)
			ro := openOptions(filepath.Join(after.root, "seen"))
			ro.Disk = after.disk()
			again, err := casefile.Open(t.Context(), filepath.Join(after.root, "a.case"), ro)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if len(again.Info().Epochs) == 1 {
				begun++
			} else {
				old++
			}
			grow(t, again, 1)
			mustClose(t, again)
			audited(t, filepath.Join(after.root, "a.case"), audit.NoticeFileUnexpected, audit.NoticeLockAbsent, audit.NoticeKeyMode)
		}
	}
	if old == 0 || begun == 0 {
		t.Errorf("%d under the old log, %d under the new one", old, begun)
	}
}

// An interrupted Create leaves no case, and does not stand in the way of the next.
func TestCreateCrash(t *testing.T) {
	t.Parallel()
	fails := func(step int) (d *simDisk, err error) {
		base := quickDir(t)
		d = newSimDisk(t, base)
		d.cutAt = step
		c, err := casefile.Create(t.Context(), filepath.Join(base, "a.case"), casefile.Options{Title: "x", Author: olia, Now: time.Now, Rand: rand.Reader,
			SeenDir: filepath.Join(base, "seen"), Disk: casefile.Disk{FS: simFS{d}}})
		if err == nil {
			err = c.Close()
		}
		return d, err
	}
	whole, err := fails(0)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for step := 1; step <= len(whole.log); step++ {
		d, err := fails(step)
		if err == nil {
			t.Fatalf("step %d: no error", step)
		}
		dir, seen := filepath.Join(d.root, "a.case"), filepath.Join(d.root, "seen")
		if c, err := casefile.Open(t.Context(), dir, openOptions(seen)); err == nil {
			made++
			grow(t, c, 1)
			mustClose(t, c)
		} else {
			mustClose(t, create(t, dir, seen))
		}
		audited(t, dir)
	}
	if made == 0 || made == len(whole.log) {
		t.Errorf("%d of %d steps left a case", made, len(whole.log))
	}
}
