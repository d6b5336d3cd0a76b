package decoder

import "github.com/earwitness/earwitness/evidence"

// What parent and child say to each other. The recording is the child's standard input, a regular file; the request is
// its one argument, a JSON object; samples leave by standard output; events leave by standard error, one JSON object a
// line, the last of them done or fail. Lines that are not JSON are what a crash left behind.

const (
	engineWASI     = "wasi"
	engineNative   = "native"
	engineIdentify = "identify" // run the native ffmpeg's -version in its sandbox
)

type request struct {
	Engine     string              `json:"engine"`
	Native     string              `json:"native,omitempty"`
	CacheDir   string              `json:"cache_dir,omitempty"`
	Memory     int64               `json:"memory"`
	CPUSeconds uint64              `json:"cpu_seconds"`
	MaxSamples int64               `json:"max_samples"`
	Raw        *evidence.RawLayout `json:"raw,omitempty"`
	Token      string              `json:"token"` // marks the lines of FFmpeg's that we asked for, so that no tag in a file can pass for one
}

type event struct {
	Facts *Facts   `json:"facts,omitempty"`
	Done  *done    `json:"done,omitempty"`
	Fail  *failure `json:"fail,omitempty"`
}

type done struct {
	Samples   int64    `json:"samples"`
	Gaps      []Gap    `json:"gaps,omitempty"`
	Truncated bool     `json:"truncated,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	PeakBytes int64    `json:"peak_bytes,omitempty"`
	About     string   `json:"about,omitempty"` // the answer to engineIdentify
}

// Codes of a failure.
const (
	failUnknown  = "unknown"  // no container that we know
	failNoAudio  = "no audio" // a container without an audio stream
	failCodec    = "codec"    // an audio stream that this build cannot decode
	failIndex    = "index"    // cut off before the index that it needs
	failNothing  = "nothing"  // an audio stream out of which no sample came
	failMemory   = "memory"   // FFmpeg met its memory cap
	failLimit    = "limit"    // more samples than the input may become
	failSandbox  = "sandbox"  // this system cannot confine a native decoder
	failInternal = "internal" // anything else
)

type failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}
