package casefile_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/casefile"
)

// campaign returns the number of trials: few by default, many where EARWITNESS_CAMPAIGN is set.
func campaign(few, many int) int {
	if os.Getenv("EARWITNESS_CAMPAIGN") != "" {
		return many
	}
	return few
}

// ledger is what a program was told: what must be there whatever happens after.
type ledger struct {
	entries  int64            // promised, with case.opened
	recorded map[string]int64 // index of the entry by the text of its blob
	results  map[evidence.Digest]int64
}

func newLedger() *ledger {
	return &ledger{1, map[string]int64{}, map[evidence.Digest]int64{}}
}

// chaosRand gives randomness that a trial can repeat.
func chaosRand(seed uint64) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, seed)))
}

// work opens the case on a disk and adds recordings, results and refusals until something fails, and says in the ledger
// what it was promised.
func work(base string, disk casefile.Disk, l *ledger, rounds int, seed uint64) (err error) {
	ctx := context.Background()
	o := openOptions(filepath.Join(base, "seen"))
	o.Rand, o.Disk = chaosRand(seed), disk
	c, err := casefile.Open(ctx, filepath.Join(base, "a.case"), o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for n := range rounds {
		if err := l.add(c, fmt.Sprintf("recording %d of %d", n, seed)); err != nil {
			return err
		}
		if n%2 == 1 || rounds == 1 {
			if err := c.Publish(ctx); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
		}
	}
	return nil
}

// add takes in a recording with the given text as its sound, and a result for it.
func (l *ledger) add(c *casefile.Case, text string) error {
	ctx := context.Background()
	d, err := putBlob(c, []byte(text))
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	id, at, _, err := c.Receive(ctx, olia, evidence.RecordingReceived{Digest: d, Name: "x", Size: int64(len(text))})
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	l.recorded[text] = at
	l.entries = max(l.entries, at+1)
	r := evidence.Result{Engine: evidence.Engine{Build: "1", Name: "fake"}, Inputs: []evidence.Digest{d}, Machine: "m", Output: []byte(`{"listened":1,"transmissions":[]}`), Params: []byte(`{}`), Recording: id, Stage: "detect", Version: 1}
	if r.Key, err = evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params); err != nil {
		return err
	}
	if at, err = c.Append(ctx, program, evidence.EntryResult, r); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	l.results[r.Key] = at
	l.entries = max(l.entries, at+1)
	return nil
}

// keeps reports what the case in base lacks of the ledger, opened by the normal path on a disk.
func (l *ledger) keeps(base string, disk casefile.Disk) error {
	ctx := context.Background()
	o := openOptions(filepath.Join(base, "seen"))
	o.Disk = disk
	c, err := casefile.Open(ctx, filepath.Join(base, "a.case"), o)
	if err != nil {
		return fmt.Errorf("does not open: %w", err)
	}
	var errs []error
	if n, err := c.Len(ctx); err != nil || n < l.entries {
		errs = append(errs, fmt.Errorf("%d entries, and %d were promised: %w", n, l.entries, err))
	}
	for text, at := range l.recorded {
		d := evidence.DigestOf([]byte(text))
		if _, idx, ok := c.Received(d); !ok || idx != at {
			errs = append(errs, fmt.Errorf("%q is at %d (%v), and was promised at %d", text, idx, ok, at))
		}
		errs = append(errs, c.CheckBlob(ctx, d))
	}
	for key, at := range l.results {
		if idx, ok := c.Result(key); !ok || idx != at {
			errs = append(errs, fmt.Errorf("a result is at %d (%v), and was promised at %d", idx, ok, at))
		}
	}
	return errors.Join(append(errs, c.Publish(ctx), c.Close())...)
}

// quickDir gives a folder in memory where the system has one: a simulated disk needs no real one below it, and hundreds
// of small files a second keep a real one busy.
func quickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "earwitness-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// template makes the case that trials start from.
func template(t testing.TB) string {
	t.Helper()
	base := quickDir(t)
	mustClose(t, create(t, filepath.Join(base, "a.case"), filepath.Join(base, "seen")))
	return base
}

func copyOf(t testing.TB, base string) string {
	t.Helper()
	to := filepath.Join(quickDir(t), "disk")
	if err := os.CopyFS(to, os.DirFS(base)); err != nil {
		t.Fatal(err)
	}
	return to
}

// leftovers are what the verifier may notice after a crash.
func leftovers(t testing.TB, base string) {
	t.Helper()
	audited(t, filepath.Join(base, "a.case"), audit.NoticeBlobUnnamed, audit.NoticeLockAbsent, audit.NoticeKeyMode, audit.NoticeWALTail, audit.NoticeWALPending, audit.NoticeFileLeft)
}

// Each operation of adding a recording and publishing it, as the last one that happens, with what was not synced lost or kept.
func TestCrashTable(t *testing.T) {
	t.Parallel()
	base := template(t)
	whole := newSimDisk(t, copyOf(t, base))
	if err := work(whole.root, whole.disk(), newLedger(), 1, 1); err != nil {
		t.Fatal(err)
	}
	steps := len(whole.log)
	t.Logf("%d steps", steps)
	if testing.Verbose() {
		t.Log(strings.Join(whole.log, "\n"))
	}
	acked := map[int64]int{}
	for step := 1; step <= steps+1; step++ {
		for name, f := range map[string]fate{"lost": lost, "kept": kept} {
			d := newSimDisk(t, copyOf(t, base))
			d.cutAt = step
			l := newLedger()
			if err := work(d.root, d.disk(), l, 1, 1); err != nil && !d.off {
				t.Errorf("step %d, %s: %v", step, name, err)
			}
			acked[l.entries]++
			after := newSimDisk(t, d.after(t, f, nil))
			err := l.keeps(after.root, after.disk())
			if err != nil {
				t.Errorf("cut before step %d (%s), what was not synced %s: %v", step, append(whole.log, "end")[step-1], name, err)
				continue
			}
			leftovers(t, after.root)
		}
	}
	if acked[1] == 0 || acked[3] == 0 {
		t.Errorf("the cuts did not fall before and after the promises: %v", acked)
	}
}

// The power goes at random moments, again and again on the same case, and un-synced sectors are lost at random.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	const each = 4 // cuts a case lives through
	base := template(t)
	cuts, promised := 0, 0
	for trial := range campaign(50, 2500) {
		r := rand.New(rand.NewPCG(7, uint64(trial)))
		root, l := copyOf(t, base), newLedger()
		for round := range each {
			d := newSimDisk(t, root)
			d.cutAt = 1 + r.IntN(160)
			seed := uint64(trial*each + round)
			if err := work(d.root, d.disk(), l, 3, seed); d.off {
				cuts++
			} else if err != nil {
				t.Fatalf("trial %d, cut %d: %v", trial, round, err)
			}
			root = d.after(t, either, r)
		}
		promised += int(l.entries)
		d := newSimDisk(t, root)
		if err := l.keeps(d.root, d.disk()); err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		leftovers(t, root)
	}
	t.Logf("%d cuts, %d promised entries, none lost", cuts, promised)
}

// The test above is worth something only if it fails where a sync is left out: each kind of sync in turn.
func TestPowerCutsNoticeMissingSyncs(t *testing.T) {
	base := template(t)
	for _, op := range []string{"syncdb", "sync", "syncdir"} {
		t.Run(op, func(t *testing.T) {
			for trial := range 200 {
				r := rand.New(rand.NewPCG(11, uint64(trial)))
				d, l := newSimDisk(t, copyOf(t, base)), newLedger()
				d.lie = func(o string) bool { return o == op }
				d.cutAt = 40 + r.IntN(120)
				if err := work(d.root, d.disk(), l, 3, uint64(trial)); err != nil && !d.off {
					t.Fatal(err)
				}
				after := newSimDisk(t, d.after(t, either, r))
				if err := l.keeps(after.root, after.disk()); err != nil {
					t.Logf("noticed at trial %d: %.200v", trial, err)
					return
				}
			}
			t.Errorf("without %s nothing that was promised is lost: the test cannot fail", op)
		})
	}
}

// Each operation fails once. What was promised is kept. After a full disk the case goes on, after a failed sync it takes
// nothing more until it is opened again.
func TestFaults(t *testing.T) {
	t.Parallel()
	base := template(t)
	whole := newSimDisk(t, copyOf(t, base))
	if err := work(whole.root, whole.disk(), newLedger(), 2, 1); err != nil {
		t.Fatal(err)
	}
	for i, fault := range []error{syscall.ENOSPC, syscall.EIO} {
		for step := 1; step <= len(whole.log); step++ {
			if campaign(0, 1) == 0 && step%2 == i {
				continue // half of them, unless there is time
			}
			op, _, _ := strings.Cut(whole.log[step-1], " ")
			what := fmt.Sprintf("%v at step %d (%s)", fault, step, whole.log[step-1])
			d, l := newSimDisk(t, copyOf(t, base)), newLedger()
			d.failAt, d.err = step, fault
			said := workOn(t, d, l, what, fault == syscall.ENOSPC && !strings.HasPrefix(op, "sync"), strings.HasPrefix(op, "sync"))
			if fault == syscall.ENOSPC && said != nil && evidence.HintOf(said) == "" {
				t.Errorf("%s: an error without a hint: %v", what, said)
			}
			if err := l.keeps(d.root, d.disk()); err != nil {
				t.Errorf("%s: %v (had said: %v)", what, err, said)
				continue
			}
			leftovers(t, d.root)
		}
	}
}

// workOn adds until the fault shows, then once more without a fault: it must work where goesOn, and must not where stops.
func workOn(t *testing.T, d *simDisk, l *ledger, what string, goesOn, stops bool) (said error) {
	t.Helper()
	o := openOptions(filepath.Join(d.root, "seen"))
	o.Rand, o.Disk = chaosRand(1), d.disk()
	c, err := casefile.Open(t.Context(), filepath.Join(d.root, "a.case"), o)
	if err != nil {
		return err
	}
	for n := range 2 {
		if said == nil {
			said = l.add(c, fmt.Sprintf("recording %d of %d", n, 1))
		}
		if said == nil && n == 1 {
			said = c.Publish(t.Context())
		}
	}
	if said != nil {
		err := l.add(c, "recording after it")
		if err == nil && stops {
			t.Errorf("%s: the case took another entry after a failed sync", what)
		}
		if err == nil {
			err = c.Publish(t.Context())
		}
		if err != nil && goesOn {
			t.Errorf("%s: the case does not go on: %v", what, err)
		}
	}
	// What closing says is a consequence of the fault.
	if err := c.Close(); said == nil {
		said = err
	}
	return said
}
