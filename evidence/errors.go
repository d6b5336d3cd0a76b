package evidence

import (
	"errors"
	"fmt"
)

// Kind says what a caller may do about an error.
type Kind int

// The kinds that callers may branch on. Everything else is Internal.
const (
	KindInternal  Kind = iota // a fault of ours or of the machine
	KindInvalid               // what was handed in cannot be used as it is
	KindNotFound              // what was asked for is not there
	KindConflict              // something else holds or has changed it
	KindDamaged               // stored bytes are not what they were when stored
	KindNeeds                 // something that can be fetched is missing, such as a model
	KindCancelled             // the person or the caller stopped it
)

// Error is an error of a kind, with a hint: what the person can do next.
type Error struct {
	Kind    Kind
	Message string // what happened, lower case, without a full stop
	Hint    string // what to do about it, may be empty
	Err     error  // the cause, may be nil
}

// Error returns the message and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithHint sets the hint and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Because sets the cause and returns e.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

func newError(k Kind, format string, args []any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes an error of that kind.
func Invalid(format string, args ...any) *Error { return newError(KindInvalid, format, args) }

// NotFound makes an error of that kind.
func NotFound(format string, args ...any) *Error { return newError(KindNotFound, format, args) }

// Conflict makes an error of that kind.
func Conflict(format string, args ...any) *Error { return newError(KindConflict, format, args) }

// Damaged makes an error of that kind.
func Damaged(format string, args ...any) *Error { return newError(KindDamaged, format, args) }

// Needs makes an error of that kind.
func Needs(format string, args ...any) *Error { return newError(KindNeeds, format, args) }

// Cancelled makes an error of that kind.
func Cancelled(format string, args ...any) *Error { return newError(KindCancelled, format, args) }

// KindOf returns the kind of the outermost Error in err's chain, else KindInternal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// HintOf returns the first hint in err's chain.
func HintOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// String names the kind as the job states and the JSON output do.
func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "invalid"
	case KindNotFound:
		return "not found"
	case KindConflict:
		return "conflict"
	case KindDamaged:
		return "damaged"
	case KindNeeds:
		return "needs"
	case KindCancelled:
		return "cancelled"
	default:
		return "internal"
	}
}
