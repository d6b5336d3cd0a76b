// Package whisper hears: it turns a burst of speech of up to thirty seconds into words with times, probabilities
// and a language, by running Whisper's two graphs (package graph) over ONNX Runtime in a loop of its own.
//
// It promises that the same samples, model and parameters give the same result at any number of callers, and
// that text which a guard refused is never handed out as words: such a burst is "not understood" or "no
// speech", with the reason. It never reads files and keeps no state between bursts.
package whisper
