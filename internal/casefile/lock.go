package casefile

import (
	"errors"
	"fmt"
	"os"

	"github.com/earwitness/earwitness/evidence"
)

// lock is an exclusive lock that a file stands for.
type lock struct {
	file *os.File
}

// Close gives the lock back. It says so before it closes the file: a child process that is just being started shares
// the file for a moment, and would keep the lock.
func (l *lock) Close() error { return errors.Join(unlock(l.file), l.file.Close()) }

// lockFile takes the lock that a file stands for, until the result is closed or the process ends, however it ends.
// what names the thing for the Conflict that says who has it.
func lockFile(name, what string) (*lock, error) {
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
	return &lock{f}, nil
}
