//go:build unix

package models

import (
	"os"
	"syscall"
)

// tryLock takes the lock, which the file's closing frees, or reports that another has it.
func tryLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
