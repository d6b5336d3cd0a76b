package child

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// apart keeps an interrupt from the terminal away from the engine: its owner ends it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// residentBytes returns the resident memory of a process: proc_pid_statm(5), second field, in pages.
func residentBytes(pid int) (int64, bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(fields[1], 10, 64)
	return n * int64(os.Getpagesize()), err == nil
}
