//go:build !linux

package decoder

import (
	"fmt"
	"os"
)

const stdinPath = "/dev/stdin"

// openNative refuses: only Linux can confine a native decoder in the way this package asks for.
func openNative(request, *os.File) (program, error) {
	return nil, fmt.Errorf("%w: that needs Landlock, which is part of Linux", errSandbox)
}

// limitSelf leaves the limits to the WebAssembly sandbox and to the parent.
func limitSelf(request, int64) error { return nil }
