package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// forget is advice: where the system does not take it, reading back shows less, and nothing is wrong.
func forget(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
