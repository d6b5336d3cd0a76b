// Package lockfile keeps two programs from writing to the same thing: an exclusive lock that a file stands for, and that
// ends with the process that holds it.
package lockfile

import (
	"errors"
	"fmt"
	"os"

	"github.com/earwitness/earwitness/evidence"
)

// Lock is a lock that is held.
type Lock struct {
	file *os.File
}

// Close gives the lock back. It says so before it closes the file: a child process that is just being started shares
// the file for a moment, and would keep the lock.
func (l *Lock) Close() error { return errors.Join(unlock(l.file), l.file.Close()) }

// Take takes the lock that a file stands for, until the result is closed or the process ends, however it ends.
// what names the thing for the Conflict that says who has it.
func Take(name, what string) (*Lock, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		err = evidence.Conflict("%s is being written to by %s", what, holder(f)).
			WithHint("wait until that has finished, or stop it; reading works meanwhile")
	}
	if err != nil {
		if e := f.Close(); e != nil {
			return nil, fmt.Errorf("lock %s: %w", what, e)
		}
		return nil, err
	}
	return &Lock{f}, nil
}
