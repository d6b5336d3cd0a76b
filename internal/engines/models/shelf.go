package models

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
)

// Shelf is the folder of models. Each has a folder of its own name with its manifest and its files; work in
// progress is in the folder .work. Readers need no lock; Get, Add and Remove exclude each other, in other
// processes, too, on systems with flock.
type Shelf struct{ dir string }

// Open returns the shelf in dir, which is made when something is put there.
func Open(dir string) *Shelf { return &Shelf{dir} }

// Dir returns where the shelf is.
func (s *Shelf) Dir() string { return s.dir }

// Standing is a model on the shelf, or what is wrong with it.
type Standing struct {
	Name  string
	Model Model
	Err   error
}

// List returns what stands on the shelf, in the order of the names. Manifests are read, files are not: see
// Model.Check.
func (s *Shelf) List() ([]Standing, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	var all []Standing
	for _, e := range entries {
		if CheckName(e.Name()) != nil {
			continue // .work, and what others may have left here
		}
		m, err := s.Find(e.Name())
		all = append(all, Standing{e.Name(), m, err})
	}
	return all, nil
}

// Find returns a model. One that is missing is a Needs error whose hint is the command that fetches it; one
// whose manifest cannot be read, or is not the catalogue's, is Damaged.
func (s *Shelf) Find(name string) (Model, error) {
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	dir := filepath.Join(s.dir, name)
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	offer, offered := Offered(name)
	if errors.Is(err, fs.ErrNotExist) {
		missing := evidence.Needs("the model %s is not on the shelf", name)
		if offered {
			return Model{}, missing.WithHint("`earwitness model get %s` fetches it (about %d MB)", name, offer.Megabytes)
		}
		return Model{}, missing.WithHint("`earwitness model list` shows what there is; a model of your own is put there by `earwitness model add %s`", name)
	}
	if err != nil {
		return Model{}, fmt.Errorf("read manifest of model %s: %w", name, err)
	}
	m, err := ParseManifest(b)
	again := fmt.Sprintf("`earwitness model remove %s`, then add it again from its source", name)
	if offered {
		again = fmt.Sprintf("`earwitness model get %s` puts it there afresh", name)
	}
	if err != nil || m.Name != name {
		return Model{}, evidence.Damaged("the manifest of model %s is not what was put on the shelf", name).Because(err).WithHint("%s", again)
	}
	digest := evidence.DigestOf(b)
	if offered && offer.Built != nil {
		if _, want, err := offer.manifest(offer.Built).Encode(); err != nil || digest != want {
			return Model{}, evidence.Damaged("the manifest of model %s is not the catalogue's", name).Because(err).WithHint("%s", again)
		}
	}
	return Model{Manifest: m, Digest: digest, Dir: dir}, nil
}

// Remove takes a model off the shelf. Results that were made with it stay as they are.
func (s *Shelf) Remove(name string) (err error) {
	if err := CheckName(name); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.dir, name)); errors.Is(err, fs.ErrNotExist) {
		return evidence.NotFound("the model %s is not on the shelf", name).WithHint("`earwitness model list` shows what there is")
	}
	w, err := s.begin()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	if err := w.setAside(name); err != nil {
		return fmt.Errorf("remove model %s: %w", name, err)
	}
	return nil
}

// Added says what to put on the shelf.
type Added struct {
	Manifest Manifest                   // without Files
	Files    map[string]string          // role to path
	Want     map[string]evidence.Digest // role to the digest it must have, where that is known
}

var extensionForm = regexp.MustCompile(`^\.[a-z0-9]{1,8}$`)

// Add copies a user's files to the shelf. The digests it finds are in the model it returns, to be shown; a file
// that has not the digest it should have is Invalid, and a name that is taken is a Conflict.
func (s *Shelf) Add(ctx context.Context, a Added) (m Model, err error) {
	name := a.Manifest.Name
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	if _, ok := Offered(name); ok {
		return Model{}, evidence.Conflict("%s is the name of a model of the catalogue", name).WithHint("choose another name, or use `earwitness model get %s --from FILE`", name)
	}
	roles := Roles(a.Manifest.Kind)
	if roles == nil {
		return Model{}, a.Manifest.Validate()
	}
	for role := range a.Files {
		if !slices.Contains(roles, role) {
			return Model{}, evidence.Invalid("a model of kind %s has no file %q", a.Manifest.Kind, role).WithHint("its files are %s", strings.Join(roles, ", "))
		}
	}
	w, err := s.begin()
	if err != nil {
		return Model{}, err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
		return Model{}, evidence.Conflict("there is a model %s on the shelf already", name).WithHint("choose another name, or `earwitness model remove %s` first", name)
	}
	a.Manifest.Files = nil
	for _, role := range roles {
		path, ok := a.Files[role]
		if !ok {
			return Model{}, evidence.Invalid("the file %q of model %s is not named", role, name).WithHint("a model of kind %s has the files %s", a.Manifest.Kind, strings.Join(roles, ", "))
		}
		f, err := w.copy(ctx, role, path)
		if err != nil {
			return Model{}, fmt.Errorf("add %s of model %s: %w", role, name, err)
		}
		if want, ok := a.Want[role]; ok && want != f.Digest {
			return Model{}, evidence.Invalid("%s is not the file that was asked for: its SHA-256 is %s, not %s", path, f.Digest, want)
		}
		a.Manifest.Files = append(a.Manifest.Files, f)
	}
	return w.place(a.Manifest)
}

// work is a change of the shelf, with everything else kept off.
type work struct {
	shelf  *Shelf
	folder *durable.Folder
	lock   *os.File
}

const (
	workDir  = ".work"
	freshDir = workDir + "/new" // the model that is being made
	oldDir   = workDir + "/old" // one that was on the shelf
)

func (s *Shelf) begin() (*work, error) {
	folder, err := durable.MakeFolder(durable.OS{}, s.dir)
	if err == nil {
		err = folder.Mkdir(workDir)
	}
	if err != nil {
		return nil, s.explain(fmt.Errorf("open the shelf of models: %w", err))
	}
	lock, err := os.OpenFile(folder.Path(workDir+"/lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, s.explain(fmt.Errorf("open the shelf of models: %w", err))
	}
	if err := tryLock(lock); err != nil {
		return nil, errors.Join(evidence.Conflict("another earwitness is changing the shelf of models %s", s.dir).Because(err).WithHint("let it finish"), lock.Close())
	}
	w := &work{s, folder, lock}
	if err := w.clear(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return w, nil
}

// clear removes what a change that was cut short left behind. A half fetched file stays: it is gone on with.
func (w *work) clear() error {
	for _, name := range []string{freshDir, oldDir} {
		if err := os.RemoveAll(w.folder.Path(name)); err != nil {
			return fmt.Errorf("clear the shelf's work: %w", err)
		}
	}
	return nil
}

func (w *work) end() error { return errors.Join(w.clear(), w.lock.Close()) }

// setAside takes what stands under a name off the shelf.
func (w *work) setAside(name string) error {
	if _, err := os.Lstat(w.folder.Path(name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := w.folder.Place(name, oldDir); err != nil {
		return w.shelf.explain(err)
	}
	return w.clearOld()
}

func (w *work) clearOld() error { return os.RemoveAll(w.folder.Path(oldDir)) }

// write makes a file of the new model and returns what it is, once it is on the disk.
func (w *work) write(role, name string, fill func(io.Writer) error) (f File, err error) {
	file, err := w.folder.Create(freshDir+"/"+name, 0o644)
	if err != nil {
		return File{}, w.shelf.explain(err)
	}
	h := sha256.New()
	n := &counter{}
	if err = fill(io.MultiWriter(file, h, n)); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return File{}, w.shelf.explain(err)
	}
	return File{Digest: evidence.Digest(h.Sum(nil)), Name: name, Role: role, Size: n.n}, nil
}

func (w *work) copy(ctx context.Context, role, path string) (File, error) {
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, evidence.NotFound("there is no file %s", path)
	}
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() || info.Size() < 1 || info.Size() > maxFileBytes {
		return File{}, evidence.Invalid("%s is no file of a model: it is empty, over %d GB, or no regular file", path, maxFileBytes>>30)
	}
	name := role
	if ext := strings.ToLower(filepath.Ext(path)); extensionForm.MatchString(ext) {
		name += ext
	}
	return w.write(role, name, func(out io.Writer) error {
		_, err := io.Copy(out, readerContext{ctx, in})
		return err
	})
}

// place writes the manifest and puts the new model on the shelf, in place of one with its name.
func (w *work) place(m Manifest) (Model, error) {
	b, digest, err := m.Encode()
	if err != nil {
		return Model{}, err
	}
	if err := w.folder.WriteFile(freshDir+"/"+manifestFile, b, 0o644); err != nil {
		return Model{}, w.shelf.explain(err)
	}
	if err := w.folder.SyncDir(freshDir); err != nil {
		return Model{}, w.shelf.explain(err)
	}
	if err := w.setAside(m.Name); err != nil {
		return Model{}, err
	}
	if err := w.folder.Place(freshDir, m.Name); err != nil {
		return Model{}, w.shelf.explain(err)
	}
	return Model{Manifest: m, Digest: digest, Dir: filepath.Join(w.shelf.dir, m.Name)}, nil
}

func (s *Shelf) explain(err error) error {
	switch {
	case err == nil || evidence.KindOf(err) != evidence.KindInternal:
		return err
	case durable.Full(err):
		return (&evidence.Error{Message: "the disk that holds the models, " + s.dir + ", is full", Err: err}).
			WithHint("free some space and run the command again; what was fetched is kept")
	case durable.ReadOnly(err):
		return evidence.Invalid("the folder of the models, %s, cannot be written to", s.dir).Because(err).WithHint("choose another with --models DIR")
	}
	return err
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// readerContext reads until ctx ends.
type readerContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerContext) Read(b []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, evidence.Cancelled("stopped").Because(context.Cause(r.ctx))
	}
	return r.r.Read(b)
}
