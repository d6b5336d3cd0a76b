package decoder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// stdinPath is how the native FFmpeg opens the recording: seekable, unlike its standard input as a pipe, and without
// the recording's own name, which may be anything.
const stdinPath = "/proc/self/fd/0"

// openNative confines this process and so all that it starts: they may read the recording, run the decoder and read
// system libraries; no other file, no TCP, no writing anywhere. That needs Landlock of Linux 6.7 (its version 4).
func openNative(req request, stdin *os.File) (program, error) {
	if err := limitSelf(req, req.Memory); err != nil {
		return nil, err
	}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: uint64(req.Memory) + 4<<30, Max: uint64(req.Memory) + 4<<30}); err != nil {
		return nil, fmt.Errorf("%w: limit its address space: %w", errSandbox, err)
	}
	readable := []landlock.Rule{
		landlock.RODirs("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib").IgnoreIfMissing(),
		landlock.ROFiles("/etc/ld.so.cache", os.DevNull).IgnoreIfMissing(),
		landlock.ROFiles(req.Native),
	}
	info, err := stdin.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the recording: %w", err)
	}
	if info.Mode().IsRegular() {
		readable = append(readable, landlock.ROFiles(stdinPath))
	}
	// The newer one also keeps signals and abstract sockets inside. Neither restricts UDP, which -protocol_whitelist does.
	if landlock.V7.Restrict(readable...) != nil {
		if err := landlock.V4.Restrict(readable...); err != nil {
			return nil, fmt.Errorf("%w: Landlock of Linux 6.7 or later is needed: %w", errSandbox, err)
		}
	}
	return func(args []string, stdout, stderr io.Writer) (int, error) {
		// The parent's death must end FFmpeg, too; the kernel ties that to the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		cmd := exec.Command(req.Native, args...)
		cmd.Env = []string{}
		cmd.Dir = "/"
		cmd.Stdin = stdin
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return runPiped(cmd, stdout, stderr)
	}, nil
}

// runPiped copies both pipes until they end. A reader of reports that can be closed is closed when they end, which is
// before the samples are all copied if FFmpeg sent samples that it did not announce.
func runPiped(cmd *exec.Cmd, stdout, stderr io.Writer) (int, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	reports, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(stderr, reports)
		if c, ok := stderr.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		ended <- err
	}()
	_, outErr := io.Copy(stdout, out)
	if outErr != nil {
		// Its next write fails, and it ends.
		out.Close()
	}
	reportErr := <-ended
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if !exit.Exited() {
			return 0, fmt.Errorf("it was stopped: %s", exit)
		}
		return exit.ExitCode(), reportErr
	}
	return 0, errors.Join(err, reportErr)
}

// limitSelf sets limits that a child cannot raise: data memory, processor time, no file may grow, no core dump.
func limitSelf(req request, data int64) error {
	for _, l := range []struct {
		what  int
		value uint64
		name  string
	}{
		{unix.RLIMIT_DATA, uint64(data), "memory"},
		{unix.RLIMIT_CPU, req.CPUSeconds, "processor time"},
		{unix.RLIMIT_CORE, 0, "core dumps"},
		{unix.RLIMIT_NOFILE, 64, "open files"},
	} {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("limit the decoder's %s: %w", l.name, err)
		}
	}
	if req.Engine == engineWASI {
		return nil // it writes the cache of compiled code
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("keep the decoder from writing files: %w", err)
	}
	return nil
}
