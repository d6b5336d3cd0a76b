//go:build cgo && linux

package main

/*
#include <malloc.h>
#include <stddef.h>

static void one_arena(void) {
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
#endif
}

static void give_back(size_t more_than) {
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
	if (mallinfo2().fordblks > more_than) malloc_trim(0);
#else
	malloc_trim(0);
#endif
#endif
}
*/
import "C"

// oneArena makes the C library keep one heap for all threads instead of up to eight for each core: each keeps
// the largest it has held, and so the engine would grow with the number of threads that ever ran.
func oneArena() { C.one_arena() }

// giveBack returns to the system what native code has freed and the C library has kept, where that is much:
// the work on a long burst leaves its heap full of holes, and the next one would begin behind them.
func giveBack() { C.give_back(64 << 20) }
