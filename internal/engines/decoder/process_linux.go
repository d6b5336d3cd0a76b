package decoder

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// ownGroup makes cmd the head of a process group that dies with the thread that starts it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup ends cmd and whatever it started. A group that has already gone is what was wanted.
func killGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// resident returns the bytes of memory that a process holds; 0 if it has gone.
func resident(pid int) uint64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, rss uint64
	if _, err := fmt.Sscan(string(b), &size, &rss); err != nil {
		return 0
	}
	return rss * uint64(os.Getpagesize())
}

// peakBytes returns the most memory that this process, or any that it started and waited for, has held. A process's own
// rusage would do, did it not count what its parent held when it was forked. Under Landlock the first is unknown, and
// the second, FFmpeg's, the larger.
func peakBytes() int64 {
	var peak int64
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err == nil {
		peak = int64(u.Maxrss) << 10
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return peak
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = max(peak, kib<<10)
		}
	}
	return peak
}
