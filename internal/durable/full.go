package durable

import (
	"errors"
	"syscall"

	"github.com/earwitness/earwitness/evidence"
)

// Full reports whether err says that the disk, or the share of it that the user may fill, is full.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// ReadOnly reports whether err says that the place cannot be written to.
func ReadOnly(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}

// Explain puts a plain sentence and a hint before the errors of writing that a person can mend, and returns the others as they are.
func Explain(err error, dir string) error {
	switch {
	case err == nil || evidence.KindOf(err) != evidence.KindInternal:
		return err
	case Full(err):
		return (&evidence.Error{Message: "the disk that holds " + dir + " is full", Err: err}).
			WithHint("nothing that was reported as kept is lost; free some space and run the command again")
	case ReadOnly(err):
		return evidence.Invalid("%s cannot be written to", dir).Because(err).
			WithHint("reading needs no right to write; to add to the case, copy it to a place where you may write")
	default:
		return err
	}
}
