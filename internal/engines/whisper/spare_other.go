//go:build cgo && !linux

package whisper

// spare does nothing: only glibc keeps so much.
func spare(bool) {}
