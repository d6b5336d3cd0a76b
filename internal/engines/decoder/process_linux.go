package decoder

import (
	"fmt"
	"os"
	"os/exec"
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

// peakBytes returns the most memory that this process, or any that it started and waited for, has held.
func peakBytes() int64 {
	var peak int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			peak = max(peak, int64(u.Maxrss)<<10)
		}
	}
	return peak
}
