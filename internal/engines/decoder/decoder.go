// Package decoder turns any recording into 16 kHz mono samples whose index is the recording's own time.
//
// It promises: the same bytes and the same engine give the same samples; encoder delay and padding are cut, gaps in
// the recording's timestamps become silence, so that sample n is heard n/16000 s after the recording's start; memory
// stays constant whatever the length; and the recording can reach nothing but itself. Untrusted bytes are only ever
// parsed in a child process, by FFmpeg compiled to WebAssembly, or by a native FFmpeg under Landlock. It never seeks,
// never opens a second file or an address, and never guesses at what it could not decode.
package decoder

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// Rate is the number of samples per second of everything that Decode writes.
const Rate = evidence.Rate

// Verb is the hidden verb behind which the program's own main hands over to ChildMain.
const Verb = "decode-child"

// Parameters names what Decode does to a recording beside running the engine. It is part of a result's key: whoever
// changes samples for the same engine and input changes this text.
const Parameters = "first audio stream; mean of the channels; 16 kHz s16le; priming cut; gaps over 20 ms are silence; 1"

// Engine names what produced samples: enough to tell any two builds apart.
type Engine struct {
	Name    string          `json:"name"`    // "ffmpeg-wasi" or "ffmpeg-native"
	Version string          `json:"version"` // as FFmpeg states it
	Digest  evidence.Digest `json:"digest"`  // of the WebAssembly binary; or of the native binary's digest and its -version text
}

// Config says where a Decoder finds its machinery and how much it may use. Zero values mean the defaults named.
type Config struct {
	Executable string   // the program to start as the child, normally os.Executable(); required
	Args       []string // words that reach ChildMain in it; default {Verb}
	CacheDir   string   // folder that keeps the compiled WebAssembly (saves 1-2 s a call); "" keeps none. What lies there is run: only its owner may be able to write to it
	Native     string   // path of a native ffmpeg to prefer; "" uses WebAssembly only

	MemoryBytes int64                                  // what FFmpeg itself may allocate; default 512 MiB
	Deadline    func(inputBytes int64) time.Duration   // the decoder's own time, not the writer's; default DefaultDeadline
	Stall       time.Duration                          // longest time without a new sample; default 60 s
	MaxSamples  func(inputBytes int64) (samples int64) // most samples that so many bytes may become; default DefaultMaxSamples
}

// DefaultDeadline allows two minutes, and one more per MiB: the slowest decoder measured (WebAssembly, Opus at
// 12 kbit/s) takes about six seconds per MiB.
func DefaultDeadline(inputBytes int64) time.Duration {
	return 2*time.Minute + time.Duration(inputBytes>>20)*time.Minute
}

// DefaultMaxSamples allows an hour, and one second more per 8 bytes: sparser than any speech codec in use, dense
// enough that a small file cannot claim a year of silence.
func DefaultMaxSamples(inputBytes int64) int64 {
	return (3600 + inputBytes/8) * Rate
}

// Options are what a caller may say about one recording.
type Options struct {
	Raw      *evidence.RawLayout // the recording has no header and is this; nil: find out
	Progress func(Progress)      // called between writes, from Decode's goroutine; may be nil
}

// Progress is how far a decode has come.
type Progress struct {
	Samples  int64 // written so far
	Expected int64 // in all, by the recording's own header; 0 if it does not say
}

// Facts are what the recording says of itself. They are a stranger's claims: shown, never relied on.
type Facts struct {
	Container    string        `json:"container"`     // FFmpeg's name, such as "ogg" or "mov,mp4,m4a,3gp,3g2,mj2"
	Codec        string        `json:"codec"`         // of the audio stream taken, such as "opus"
	Rate         int           `json:"rate"`          // of that stream, in Hz; 0 if unknown
	Channels     int           `json:"channels"`      // of that stream; 0 if unknown
	AudioStreams int           `json:"audio_streams"` // of which the first was taken
	Duration     time.Duration `json:"duration_ns"`   // by the header, of the longest stream; 0 if unknown
	StartOffset  time.Duration `json:"start_ns"`      // the container's own time of sample 0
}

// Gap is silence that was not recorded but put where the recording's timestamps leave time out.
type Gap struct {
	At     int64 `json:"at"`     // first sample
	Length int64 `json:"length"` // in samples
}

// Output is what Decode learned while it wrote.
type Output struct {
	Samples   int64         // written
	Facts     Facts         // the recording's claims
	Engine    Engine        // what produced the samples
	Gaps      []Gap         // the first 1,000
	Truncated bool          // the recording ends before it says it does; the samples up to there are good
	Notes     []string      // plain sentences for people
	CPU       time.Duration // processor time that the child, and FFmpeg under it, took
	PeakBytes int64         // most memory that the child, or FFmpeg under it, held; 0 where the system does not say
}

// Decoder decodes recordings, each in a process of its own. It is safe for concurrent use.
type Decoder struct {
	cfg     Config
	engine  Engine
	native  bool
	refused string
}

// New returns a Decoder that uses the native ffmpeg of cfg where this system can confine it, else WebAssembly.
func New(ctx context.Context, cfg Config) (*Decoder, error) {
	if cfg.Executable == "" {
		return nil, fmt.Errorf("make a decoder: no executable to start as its child")
	}
	if cfg.Args == nil {
		cfg.Args = []string{Verb}
	}
	if cfg.MemoryBytes == 0 {
		cfg.MemoryBytes = 512 << 20
	}
	if cfg.Deadline == nil {
		cfg.Deadline = DefaultDeadline
	}
	if cfg.Stall == 0 {
		cfg.Stall = time.Minute
	}
	if cfg.MaxSamples == nil {
		cfg.MaxSamples = DefaultMaxSamples
	}
	wasm, err := evidence.ParseDigest(wasmDigest)
	if err != nil {
		return nil, fmt.Errorf("read the decoder's digest: %w", err)
	}
	d := &Decoder{cfg: cfg, engine: Engine{Name: "ffmpeg-wasi", Version: wasmVersion, Digest: wasm}}
	if cfg.Native == "" {
		return d, nil
	}
	engine, err := d.identify(ctx)
	if ctx.Err() != nil {
		return nil, evidence.Cancelled("looking at the native decoder was stopped").Because(ctx.Err())
	}
	if err != nil {
		d.refused = err.Error()
		return d, nil
	}
	d.engine, d.native = engine, true
	return d, nil
}

// Engine returns what will produce the samples.
func (d *Decoder) Engine() Engine { return d.engine }

// NativeRefused says why the native ffmpeg that Config names is not used; "" if it is, or none was named.
func (d *Decoder) NativeRefused() string { return d.refused }

// identify asks the native ffmpeg, inside its sandbox, what it is.
func (d *Decoder) identify(ctx context.Context) (Engine, error) {
	none, err := os.Open(os.DevNull)
	if err != nil {
		return Engine{}, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer none.Close()
	res, err := d.child(ctx, none, d.request(engineIdentify, 0), io.Discard, limits{deadline: time.Minute, stall: time.Minute}, nil)
	if err != nil {
		return Engine{}, err
	}
	if res.fail != nil {
		return Engine{}, fmt.Errorf("%s", res.fail.Detail)
	}
	f, err := os.Open(d.cfg.Native)
	if err != nil {
		return Engine{}, fmt.Errorf("open the native decoder: %w", err)
	}
	defer f.Close()
	binary := sha256.New()
	if _, err := io.Copy(binary, f); err != nil {
		return Engine{}, fmt.Errorf("hash the native decoder: %w", err)
	}
	all := fmt.Appendf(nil, "%x\n%s", binary.Sum(nil), res.done.About)
	return Engine{Name: "ffmpeg-native", Version: nativeVersion(res.done.About), Digest: evidence.DigestOf(all)}, nil
}
