package decoder

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// TestMain makes the test binary its own child, in the ways that a real child may behave.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Verb:
			os.Exit(ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "hang":
			time.Sleep(time.Hour)
		}
	}
	dir, err := os.MkdirTemp("", "earwitness-decoder-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compiled = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// cacheDir keeps the compiled decoder between the tests of one run: compiling it takes longer than most of them.
func cacheDir(testing.TB) string { return compiled }

var compiled string
