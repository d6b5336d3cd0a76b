// Package audit re-checks a whole case from its raw files, trusting nobody in the house.
//
// It keeps nothing and never writes into the case, not even a lock or a shared-memory file. It shares with
// the writer the format documents (docs/format), the package evidence and the proofs of golang.org/x/mod,
// and no code path: pages, write-ahead log, tiles, checkpoints and receipts are read by code of its own.
// Whatever the bytes, it answers with findings; docs/trust.md says what they prove and what they cannot.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// Options say how to verify. The zero value is usable.
type Options struct {
	Workers int // blobs hashed at the same time; 0 means one for each processor

	// Progress, where set, is told how many bytes of blobs are hashed and how many there are. Calls do not
	// overlap.
	Progress func(done, total int64)

	// Seen are signed checkpoints kept outside the case, such as the newest one that the signer remembers or
	// one that an outsider was given. The case must still hold what they commit to.
	Seen []string

	// Remembered, where set, is asked for one more: the newest checkpoint of the log being written that this machine has
	// signed; "" where it has none.
	Remembered func(origin string) string

	// Key is the verifier key of the case's log as known from elsewhere. Without it, the key that the case
	// itself states is used: a case replaced as a whole, key included, is then not noticed.
	Key string
}

// Report is what was checked and what was found.
type Report struct {
	Entries    int64           `json:"entries"`
	Recordings int64           `json:"recordings"`
	Results    int64           `json:"results"`
	Blobs      int64           `json:"blobs"`
	Bytes      int64           `json:"bytes"`                // of blobs
	Checkpoint *raw.Checkpoint `json:"checkpoint,omitempty"` // the newest one whose signature and root hold
	Findings   []Finding       `json:"findings"`
	Notices    []Notice        `json:"notices"`
	More       int64           `json:"more,omitempty"` // findings beyond those listed
}

// OK reports whether nothing is damaged. Notices do not count.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Finding is damage: something that is not what it was when it was stored, or that contradicts what was
// signed.
type Finding struct {
	What   string `json:"what"`   // one of the codes in codes.go
	Where  string `json:"where"`  // file, and page or index
	Detail string `json:"detail"` // the proof: what was expected, what was found
}

// Notice is something a person should know that is not damage.
type Notice struct {
	What   string `json:"what"`
	Where  string `json:"where"`
	Detail string `json:"detail"`
}

// maxFindings bounds the report of a case that is damaged throughout.
const maxFindings = 1000

// attempts is how often the database is read again because a writer changed it meanwhile.
const attempts = 5

// Verify re-checks the case in dir. Damage is in the report, never in the error. The error is NotFound
// where dir is not a case, Invalid where its format is newer than this program, Conflict where a writer
// changed case.db each time it was read, Cancelled where ctx ended.
func Verify(ctx context.Context, dir string, o Options) (rep Report, err error) {
	a := &audit{opts: o}
	defer func() {
		// The last resort: a case that makes the auditor panic is reported, with the place to mend it.
		if p := recover(); p != nil {
			a.find(AuditPanic, dir, "the check broke off: %v\n%s", p, debug.Stack())
			rep, err = a.finish(), nil
		}
	}()
	if a.root, err = os.OpenRoot(dir); err != nil {
		return Report{}, evidence.NotFound("open case %s", dir).Because(err).WithHint("name the folder that holds case.db")
	}
	defer a.root.Close()
	if !a.exists("case.db") && !a.exists("blobs") && !a.exists("log") {
		return Report{}, evidence.NotFound("%s is not a case: it has no case.db", dir).WithHint("name the folder that holds case.db")
	}
	stable := false
	for range attempts {
		a.reset()
		before := a.state()
		if err = a.truth(ctx); ctx.Err() != nil {
			return Report{}, cancelled(ctx, err)
		}
		if stable = before == a.state(); stable {
			break // only now is err, too, about one state of the case
		}
	}
	switch {
	case !stable:
		return Report{}, evidence.Conflict("verify %s: another process kept writing to case.db", dir).WithHint("wait until it has ended, then verify again")
	case err != nil:
		return Report{}, err
	}
	// Blobs come after the entries that name them: a writer stores them before, so none can be missing.
	if err := a.checkBlobs(ctx); err != nil {
		return Report{}, cancelled(ctx, err)
	}
	a.checkFolder()
	return a.finish(), nil
}

func cancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return evidence.Cancelled("verification was stopped").Because(ctx.Err())
	}
	return err
}

// audit is one run.
type audit struct {
	opts Options
	root *os.Root
	run
}

// run is what one reading of the case gives; reset drops it.
type run struct {
	report    Report
	tree      tree
	semantics semantics
	log       logFolder            // read before case.db
	oldLogs   map[string]logFolder // of ended epochs, by the digits of their origin
}

func (a *audit) reset() {
	a.run = run{semantics: newSemantics()}
	a.report.Findings, a.report.Notices = []Finding{}, []Notice{}
}

// truth checks case.db, the log and the key. The log is read first: what it shows was in case.db before.
func (a *audit) truth(ctx context.Context) error {
	a.readLog()
	if err := a.checkDatabase(ctx); err != nil {
		return err
	}
	if a.report.Entries > 0 {
		a.checkLog()
	} else if _, err := raw.ParseCheckpoint(a.log.checkpoint); err != nil && a.log.checkpoint != nil {
		// Nothing to compare the log with, as a finding says already; its form can be judged all the same.
		a.find(CheckpointForm, "log/checkpoint", "%v", err)
	}
	a.checkOldLogs()
	a.checkKey()
	a.checkSeen()
	return nil
}

// state tells whether case.db, its write-ahead log or the published checkpoint change while they are read.
// Frames appended to the log do no harm: the reading has fixed which ones it sees.
func (a *audit) state() string {
	var b strings.Builder
	if fi, err := a.root.Lstat("case.db"); err == nil {
		fmt.Fprintln(&b, fi.Size(), fi.ModTime().UnixNano())
	}
	head, _ := a.readFile("case.db-wal", raw.WALHeaderSize)
	note, _ := a.readFile("log/checkpoint", raw.MaxNote)
	fmt.Fprintf(&b, "%x\n%x", head, note)
	return b.String()
}

func (a *audit) find(what, where, format string, args ...any) {
	if len(a.report.Findings) >= maxFindings {
		a.report.More++
		return
	}
	a.report.Findings = append(a.report.Findings, Finding{what, where, fmt.Sprintf(format, args...)})
}

func (a *audit) notice(what, where, format string, args ...any) {
	if len(a.report.Notices) < maxFindings {
		a.report.Notices = append(a.report.Notices, Notice{what, where, fmt.Sprintf(format, args...)})
	}
}

func (a *audit) finish() Report {
	slices.SortStableFunc(a.report.Notices, func(x, y Notice) int { return cmp.Compare(x.What, y.What) })
	return a.report
}

func (a *audit) exists(name string) bool {
	_, err := a.root.Lstat(name)
	return err == nil
}

// readFile returns at most limit bytes of a regular file; a longer file is cut there.
func (a *audit) readFile(name string, limit int64) ([]byte, error) {
	f, size, err := a.openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(size, limit))
	n, err := f.ReadAt(b, 0)
	if n == len(b) {
		err = nil
	}
	return b[:n], err
}

// openRegular opens a regular file and nothing else: no symbolic link out of the case, no pipe that waits.
func (a *audit) openRegular(name string) (*os.File, int64, error) {
	fi, err := a.root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !fi.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file but %s", name, fi.Mode().Type())
	}
	f, err := a.root.Open(name)
	if err != nil {
		return nil, 0, err
	}
	if fi, err = f.Stat(); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, fi.Size(), nil
}

func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
