package durable

import (
	"io/fs"
	"os"
)

// OS is the operating system's file system.
type OS struct{}

// Create makes a new file.
func (OS) Create(name string, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Mkdir makes one folder, for its owner alone: cases hold what can endanger people.
func (OS) Mkdir(name string) error { return os.Mkdir(name, 0o700) }

// Rename moves a file or folder.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove deletes a file or an empty folder.
func (OS) Remove(name string) error { return os.Remove(name) }

type osFile struct{ *os.File }

// Sync also asks the system to forget its copy of the bytes, so that a reader who checks them gets what the disk holds.
func (f osFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		return err
	}
	forget(f.File)
	return nil
}
