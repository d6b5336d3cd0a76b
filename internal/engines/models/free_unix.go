//go:build linux || darwin

package models

import "golang.org/x/sys/unix"

// Free returns the bytes that a user may still write to the disk that dir is on; false where that is not known.
func Free(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(uint64(s.Bavail) * uint64(s.Bsize)), true // their types differ between systems
}
