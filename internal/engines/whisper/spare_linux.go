//go:build cgo && linux

package whisper

/*
#include <malloc.h>

static void spare(int on) {
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, on ? 1 << 18 : 32 << 20);
	if (!on)
		malloc_trim(0);
#endif
}
*/
import "C"

// spare makes ONNX Runtime's memory go back to the system as soon as it is freed, while long bursts are encoded:
// glibc otherwise keeps blocks of up to 32 MB in a heap of its own for every thread, and pieces of it for good.
// It is not always on because fresh pages cost short bursts more than half as much time again.
func spare(on bool) {
	if on {
		C.spare(1)
	} else {
		C.spare(0)
	}
}
