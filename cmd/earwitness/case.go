package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/merklelog"
)

// caseDir returns the case's folder: -C, or the nearest one at or above the working directory.
func (w *world) caseDir() (string, error) {
	if w.dir != "" {
		return w.dir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "case.db")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", evidence.NotFound("there is no case here or in any folder above").
				WithHint("name one with -C DIR, or make one with `earwitness init DIR`")
		}
		dir = up
	}
}

// openCase opens the case for reading, or for writing.
func (w *world) openCase(ctx context.Context, write bool) (*casefile.Case, error) {
	dir, err := w.caseDir()
	if err != nil {
		return nil, err
	}
	return casefile.Open(ctx, dir, casefile.OpenOptions{ReadOnly: !write, Now: w.now, Rand: w.rand, SeenDir: w.seenDir()})
}

// withCase opens the case, calls f, and closes it. After writing, what was appended is published.
func (w *world) withCase(ctx context.Context, write bool, f func(*casefile.Case) error) (err error) {
	c, err := w.openCase(ctx, write)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := f(c); err != nil || !write {
		return err
	}
	return c.Publish(ctx)
}

// remembered returns the newest checkpoint that this machine has signed for a log; "" where there is none.
func (w *world) remembered(origin string) string {
	name, err := merklelog.MemoryName(origin)
	if err != nil {
		return "" // the audit says what is wrong with the origin
	}
	b, err := os.ReadFile(filepath.Join(w.seenDir(), name))
	if err != nil {
		return ""
	}
	return string(b)
}
