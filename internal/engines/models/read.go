package models

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/earwitness/earwitness/evidence"
)

// ReadFile returns the bytes of the file with the given role, after their digest has matched: what it returns
// is what the manifest names, whatever happens to the file meanwhile. Other bytes are Damaged.
func (m Model) ReadFile(role string) ([]byte, error) {
	for _, f := range m.Manifest.Files {
		if f.Role != role {
			continue
		}
		file, err := m.open(f)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		b := make([]byte, f.Size)
		if _, err := io.ReadFull(file, b); err != nil {
			return nil, m.damaged(f).Because(err)
		}
		if evidence.DigestOf(b) != f.Digest {
			return nil, m.damaged(f)
		}
		return b, nil
	}
	return nil, evidence.Invalid("model %s has no file for %s", m.Manifest.Name, role)
}

// Check reads every file and compares size and digest. progress, where given, is told the bytes read.
func (m Model) Check(ctx context.Context, progress func(n int64)) error {
	for _, f := range m.Manifest.Files {
		if err := m.check(ctx, f, progress); err != nil {
			return err
		}
	}
	return nil
}

func (m Model) check(ctx context.Context, f File, progress func(n int64)) error {
	file, err := m.open(f)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return evidence.Cancelled("checking model %s was stopped", m.Manifest.Name)
		}
		n, err := file.Read(buf)
		h.Write(buf[:n])
		if progress != nil {
			progress(int64(n))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m.damaged(f).Because(err)
		}
	}
	if evidence.Digest(h.Sum(nil)) != f.Digest {
		return m.damaged(f)
	}
	return nil
}

func (m Model) open(f File) (*os.File, error) {
	file, err := os.Open(filepath.Join(m.Dir, f.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, m.damaged(f).Because(err)
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != f.Size) {
		err = m.damaged(f)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (m Model) damaged(f File) *evidence.Error {
	err := evidence.Damaged("the file %s of model %s is not what was put on the shelf: its SHA-256 was %s", f.Name, m.Manifest.Name, f.Digest)
	if _, offered := Offered(m.Manifest.Name); offered {
		return err.WithHint("`earwitness model get %s` puts it there afresh", m.Manifest.Name)
	}
	return err.WithHint("`earwitness model remove %s`, then add it again from its source", m.Manifest.Name)
}
