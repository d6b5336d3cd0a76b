//go:build !linux

package child

import "syscall"

func apart() *syscall.SysProcAttr { return nil }

// residentBytes is known on Linux only, where the engine is made for.
func residentBytes(int) (int64, bool) { return 0, false }
