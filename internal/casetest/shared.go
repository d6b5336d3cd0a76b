// Package casetest serves tests only: it finds the reference data that lies beside a checkout of the
// project, and says why a test is skipped where that data or a tool is absent.
package casetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Root returns the module's root, the nearest folder at or above the test's own that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod at or above the test's folder")
		}
		dir = up
	}
}

// Shared returns the folder of reference data (real recordings, models) joined with elem: the one that
// EARWITNESS_SHARED names, else ../shared/data beside the checkout. The test is skipped where it is absent.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	base := os.Getenv("EARWITNESS_SHARED")
	if base == "" {
		base = filepath.Join(filepath.Dir(Root(t)), "shared", "data")
	}
	path := filepath.Join(append([]string{base}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		Skip(t, "reference data is absent: ../shared/data/"+filepath.ToSlash(filepath.Join(elem...)))
	}
	return path
}

// Skip skips the test with a reason, or fails it where EARWITNESS_NO_SKIP is set, as continuous
// integration does with everything at hand.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("EARWITNESS_NO_SKIP") != "" {
		t.Fatalf("would be skipped, which EARWITNESS_NO_SKIP forbids: %s", reason)
	}
	t.Skip(reason)
}
