// Package intake is the street door: it takes files into a case. It hashes and keeps the bytes before
// anything looks inside them, says what was not taken and why, and never opens a recording to understand it.
package intake

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// States of one thing handed in.
const (
	Added   = "added"    // taken; it is durable and has a number
	Already = "already"  // the same bytes are in the case
	Refused = "refused"  // could not be taken; the case says so
	LeftOut = "left out" // found in a folder, not named like a recording; the case says so
)

// Outcome says what became of one thing handed in.
type Outcome struct {
	Digest    string `json:"digest,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Name      string `json:"name"`
	Path      string `json:"path,omitempty"` // where it was found
	Reason    string `json:"reason,omitempty"`
	Recording string `json:"recording,omitempty"`
	Sidecar   string `json:"sidecar,omitempty"` // path of the sidecar that was used
	Size      int64  `json:"size"`
	State     string `json:"state"`
}

// Options say how things are taken in.
type Options struct {
	Author    evidence.Author
	Reception evidence.Reception         // stated for all of them; a sidecar's fields come first, these fill or override
	Stdin     io.Reader                  // what the path "-" means
	StdinName string                     // the name under which it is taken
	Report    func(Outcome)              // called once for each thing, in order
	Progress  func(name string, n int64) // bytes read so far of the one under way
}

// endings are how files of recorded sound are named. A folder may hold anything; only these are taken from
// it. A file that is named on its own is always taken.
var endings = []string{
	".3ga", ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".alac", ".amr", ".ape", ".asf", ".au", ".avi", ".awb", ".caf", ".dss", ".flac", ".flv", ".gsm", ".m2ts",
	".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpc", ".mpeg", ".mpg", ".mts", ".oga", ".ogg", ".ogv", ".opus", ".pcm", ".qcp", ".ra", ".raw",
	".rf64", ".rm", ".sln", ".snd", ".spx", ".ts", ".tta", ".ulaw", ".vob", ".voc", ".vox", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wmv", ".wv",
}

func named(name string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
}

// Add takes each path in turn: a file, a folder with everything under it, or "-". What cannot be taken is
// reported and recorded, and the rest goes on; an error means that the case itself cannot go on.
func Add(ctx context.Context, c *casefile.Case, paths []string, o Options) error {
	in := taker{c: c, o: o, refused: map[evidence.IntakeRefused]bool{}}
	if _, err := c.Follow(ctx, 0, in.remember); err != nil {
		return err
	}
	for _, p := range paths {
		if err := in.path(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

type taker struct {
	c       *casefile.Case
	o       Options
	refused map[evidence.IntakeRefused]bool // what the case already says, so that handing a folder in again adds nothing
}

func (in *taker) remember(_ int64, e evidence.Entry) error {
	if e.Kind != evidence.EntryIntakeRefused {
		return nil
	}
	r, err := evidence.DecodeBody[evidence.IntakeRefused](e, e.Kind)
	if err != nil {
		return err
	}
	in.refused[r] = true
	return nil
}

func (in *taker) path(ctx context.Context, p string) error {
	if p == "-" {
		return in.take(ctx, "", in.o.StdinName, in.o.Stdin)
	}
	info, err := os.Stat(p)
	if err != nil {
		return in.refuse(ctx, p, Refused, err)
	}
	if !info.IsDir() {
		return in.file(ctx, p, info)
	}
	return filepath.WalkDir(p, func(p string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return in.refuse(ctx, p, Refused, err)
		case d.IsDir():
			if _, err := os.Stat(filepath.Join(p, "case.db")); err == nil {
				return fs.SkipDir // a case, perhaps this one: what it holds was taken in already
			}
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			return in.refuse(ctx, p, LeftOut, errors.New("a link; hand in the file it points to"))
		case strings.HasSuffix(p, ".json") && named(strings.TrimSuffix(p, ".json")):
			return nil // a sidecar: taken with its recording
		case !named(p):
			return in.refuse(ctx, p, LeftOut, errors.New("not named like a recording; hand it in by its own name if it is one"))
		}
		info, err := d.Info()
		if err != nil {
			return in.refuse(ctx, p, Refused, err)
		}
		return in.file(ctx, p, info)
	})
}

func (in *taker) file(ctx context.Context, p string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return in.refuse(ctx, p, Refused, errors.New("not a regular file"))
	}
	f, err := os.Open(p)
	if err != nil {
		return in.refuse(ctx, p, Refused, err)
	}
	defer f.Close()
	return in.take(ctx, p, filepath.Base(p), f)
}

// take keeps the bytes of r, then says in the case that they are there.
func (in *taker) take(ctx context.Context, p, name string, r io.Reader) error {
	out := Outcome{Path: p, State: Added}
	rr := evidence.RecordingReceived{Reception: in.o.Reception}
	rr.Name, rr.NameBytes = nameOf(name)
	out.Name = rr.Name

	if p != "" {
		stated, raw, err := readSidecar(p + ".json")
		if err != nil {
			return in.refuse(ctx, p, Refused, err)
		}
		if raw != nil {
			d, _, err := in.keep(ctx, "", strings.NewReader(string(raw)))
			if err != nil {
				return err
			}
			rr.Reception, rr.Sidecar, out.Sidecar = merge(stated, in.o.Reception), &d, p+".json"
		}
	}
	d, size, err := in.keep(ctx, out.Name, r)
	if re, ok := errors.AsType[*readError](err); ok {
		return in.refuse(ctx, name, Refused, re.err)
	}
	if err != nil {
		return err
	}
	rr.Digest, rr.Size = d, size
	id, _, already, err := in.c.Receive(ctx, in.o.Author, rr)
	if err != nil {
		return err
	}
	out.Recording, out.Digest, out.Size = id, d.String(), size
	if already {
		out.State = Already
	}
	if size == 0 {
		out.Reason = "the file is empty"
	}
	in.o.Report(out)
	return nil
}

// readError tells a fault of what is read from a fault of the case that is written.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (in *taker) keep(ctx context.Context, name string, r io.Reader) (evidence.Digest, int64, error) {
	w, err := in.c.NewBlob(ctx)
	if err != nil {
		return evidence.Digest{}, 0, err
	}
	defer w.Discard() // without effect after Commit
	buf := make([]byte, 1<<20)
	for size := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return evidence.Digest{}, 0, err
		}
		n, rerr := r.Read(buf)
		if _, err := w.Write(buf[:n]); err != nil {
			return evidence.Digest{}, 0, err
		}
		if size += int64(n); in.o.Progress != nil && name != "" {
			in.o.Progress(name, size)
		}
		if rerr == io.EOF {
			d, err := w.Commit(ctx)
			return d, size, err
		}
		if rerr != nil {
			return evidence.Digest{}, 0, &readError{rerr}
		}
	}
}

// refuse reports what was not taken and writes it down, once.
func (in *taker) refuse(ctx context.Context, p, state string, cause error) error {
	if pe, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = pe.Err // the path is said beside it; the case keeps the name only
	}
	r := evidence.IntakeRefused{Reason: strings.ToValidUTF8(cause.Error(), "\uFFFD")}
	r.Name, r.NameBytes = nameOf(filepath.Base(p))
	in.o.Report(Outcome{Name: r.Name, Path: p, State: state, Reason: r.Reason, Hint: evidence.HintOf(cause)})
	if in.refused[r] {
		return nil
	}
	in.refused[r] = true
	_, err := in.c.Append(ctx, in.o.Author, evidence.EntryIntakeRefused, r)
	return err
}

// nameOf returns a name as text and, where text cannot carry it, its bytes in hexadecimal.
func nameOf(name string) (text, raw string) {
	if utf8.ValidString(name) {
		return name, ""
	}
	return strings.ToValidUTF8(name, "\uFFFD"), hex.EncodeToString([]byte(name))
}

// Describe replaces the fields of r that are set in what is stated about a recording, and returns the index of
// the entry that says so. The earlier statement stays in the log.
func Describe(ctx context.Context, c *casefile.Case, author evidence.Author, recording string, r evidence.Reception) (int64, error) {
	replaces, now := int64(-1), evidence.Reception{}
	_, err := c.Follow(ctx, 0, func(i int64, e evidence.Entry) error {
		switch e.Kind {
		case evidence.EntryRecordingReceived:
			b, err := evidence.DecodeBody[evidence.RecordingReceived](e, e.Kind)
			if err == nil && b.Recording == recording {
				replaces, now = i, b.Reception
			}
			return err
		case evidence.EntryRecordingDescribed:
			b, err := evidence.DecodeBody[evidence.RecordingDescribed](e, e.Kind)
			if err == nil && b.Recording == recording {
				replaces, now = i, b.Reception
			}
			return err
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if replaces < 0 {
		return 0, evidence.NotFound("the case has no recording %s", recording).WithHint("`earwitness show` lists them")
	}
	return c.Append(ctx, author, evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Reception: merge(now, r), Recording: recording, Replaces: replaces})
}
