// Package whisper hears: it turns a burst of speech of up to thirty seconds into words with times, probabilities
// and a language, by running Whisper's two graphs (package graph) over ONNX Runtime in a loop of its own.
//
// It promises that the same samples, model and parameters give the same result at any number of callers, and
// that text which a guard refused is never handed out as words: such a burst is "not understood" or "no
// speech", with the reason. It never reads files, never pads a burst to thirty seconds, and keeps no state
// between bursts.
//
// multilingual.tiktoken, the vocabulary, is part of openai-whisper, Copyright (c) 2022 OpenAI, MIT licence; its
// text is in LICENSE-whisper beside it.
package whisper
