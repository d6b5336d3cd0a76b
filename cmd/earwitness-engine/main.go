//go:build cgo && linux

// Command earwitness-engine is the child process in which native speech code runs: voice detector and
// recognisers. People do not start it; earwitness does, and speaks with it over standard input and output
// (package child).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/earwitness/earwitness/internal/engines/child"
)

func main() {
	threads := flag.Int("threads", 1, "requests worked on, and bursts heard, at once")
	flag.Parse()
	if err := run(*threads); err != nil {
		fmt.Fprintf(os.Stderr, "earwitness-engine: error: %v\n", err)
		os.Exit(1)
	}
}

func run(threads int) (err error) {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	oneArena()
	debug.SetGCPercent(25)       // nearly all memory is the runtime's, beside which Go's heap should stay small
	debug.SetTraceback("single") // where native code aborts, the last words must not drown in traces
	out, err := ownOutput()
	if err != nil {
		return fmt.Errorf("set up the output: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the engine's own folder: %w", err)
	}
	b, err := newBackend(filepath.Join(filepath.Dir(self), "lib"), threads)
	if err != nil {
		return err
	}
	id, err := identity(b.libraries)
	if err != nil {
		return err
	}
	id.Threads = threads
	return errors.Join(child.Serve(os.Stdin, out, id, b), out.Close())
	// The models are not freed: the process ends, and a call may still be under way.
}

// ownOutput keeps standard output for the protocol alone: what native code prints there goes to standard error.
func ownOutput() (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if err := unix.Dup3(2, 1, 0); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "protocol"), nil
}
