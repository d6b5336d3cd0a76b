package casefile

import (
	"fmt"
	"os"

	"github.com/earwitness/earwitness/evidence"
)

// lockFile takes the exclusive lock that a file stands for, until the result is closed or the process ends, however it
// ends. what names the thing for the Conflict that says who has it.
func lockFile(name, what string) (*os.File, error) {
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
	return f, nil
}
