//go:build cgo && linux

// Package sherpa runs models that a user brought, described by their manifest, with sherpa-onnx: CTC and transducer
// recognisers, and encoders of voices.
//
// It promises that native code sees a file's bytes only after their digest has matched, that the same samples
// give the same result at any number of callers, and that a probability it states was given by the model: where
// the model gives none, the result is unrated and says so. Each call runs on one thread. A file that is no
// model, though its digest matches, may make sherpa-onnx end the process: run it in a child.
package sherpa

import (
	"context"
	"fmt"
	"os"
	"sync"

	sherpa "github.com/k2-fsa/sherpa-onnx-go-linux"
	"golang.org/x/sys/unix"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// Version counts the changes of this package's code that can change a result.
const Version = 1

// Recognizer is a model that has been read. Hear may be called from several goroutines at once.
type Recognizer struct {
	languages []string
	decode    func(samples []float32) transcript

	mu     sync.RWMutex // read by Hear, written by Close
	free   func()
	closed bool
}

// transcript is what sherpa-onnx gives for an utterance.
type transcript struct {
	text   string
	tokens []string
	start  []float32 // seconds; nil where the model gives none
	length []float32 // seconds; nil where the model gives none
	logP   []float32 // natural logarithms; nil where the model gives none
}

// Versions returns the versions of sherpa-onnx and of the ONNX Runtime beside it.
func Versions() (sherpaOnnx, onnxRuntime string) {
	return sherpa.GetVersion(), sherpa.GetOnnxruntimeVersion()
}

// Load reads a model of one of the kinds whose names begin with "sherpa-". A file that is not what the manifest
// says is Damaged; a model that sherpa-onnx does not take is Invalid, where it does not end the process.
func Load(m models.Model) (*Recognizer, error) {
	if m.Manifest.Kind == models.KindWhisper || models.IsVoice(m.Manifest.Kind) || models.Roles(m.Manifest.Kind) == nil {
		return nil, evidence.Invalid("%q is not a kind that sherpa-onnx hears with", m.Manifest.Kind)
	}
	paths, release, err := files(m)
	defer release()
	if err != nil {
		return nil, err
	}
	r := &Recognizer{languages: m.Manifest.Languages}
	if m.Manifest.Kind == models.KindToneCTC {
		r.online(m.Manifest.Rate, paths)
	} else {
		r.offline(m.Manifest, paths)
	}
	if r.decode == nil {
		return nil, refused(m)
	}
	return r, nil
}

func refused(m models.Model) error {
	return evidence.Invalid("sherpa-onnx does not take model %s as a %s", m.Manifest.Name, m.Manifest.Kind).
		WithHint("compare its kind and files with what its makers say, then add it again")
}

// files holds the files of a model, whose digests have matched, and returns by their roles the paths to read them at
// until release is called, which it must be.
func files(m models.Model) (paths map[string]string, release func(), err error) {
	var all []*os.File
	release = func() {
		for _, f := range all {
			f.Close() // it was only read
		}
	}
	paths = map[string]string{}
	for _, f := range m.Manifest.Files {
		b, err := m.ReadFile(f.Role)
		if err != nil {
			return nil, release, err
		}
		held, err := hold(f.Name, b)
		if err != nil {
			return nil, release, fmt.Errorf("hold file %s of model %s: %w", f.Name, m.Manifest.Name, err)
		}
		all = append(all, held)
		paths[f.Role] = fmt.Sprintf("/proc/self/fd/%d", held.Fd())
	}
	return paths, release, nil
}

// hold puts bytes into a file without a name that nothing can change any more: sherpa-onnx takes paths only,
// and the file that was checked could be another when it opens it.
func hold(name string, b []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err = f.Write(b); err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

const features = 80 // filter banks; models that want another number say so in themselves

func (r *Recognizer) offline(m models.Manifest, paths map[string]string) {
	c := sherpa.OfflineRecognizerConfig{DecodingMethod: "greedy_search"}
	c.FeatConfig = sherpa.FeatureConfig{SampleRate: m.Rate, FeatureDim: features}
	c.ModelConfig.Tokens, c.ModelConfig.NumThreads, c.ModelConfig.Provider = paths[models.RoleTokens], 1, "cpu"
	switch m.Kind {
	case models.KindZipformerCTC:
		c.ModelConfig.ZipformerCtc.Model = paths[models.RoleModel]
	case models.KindNemoCTC:
		c.ModelConfig.NemoCTC.Model = paths[models.RoleModel]
	case models.KindTransducer, models.KindNemoTransducer:
		c.ModelConfig.Transducer = sherpa.OfflineTransducerModelConfig{
			Encoder: paths[models.RoleEncoder], Decoder: paths[models.RoleDecoder], Joiner: paths[models.RoleJoiner],
		}
		if m.Kind == models.KindNemoTransducer {
			c.ModelConfig.ModelType = "nemo_transducer"
		}
	}
	native := sherpa.NewOfflineRecognizer(&c)
	if native == nil {
		return
	}
	r.free = func() { sherpa.DeleteOfflineRecognizer(native) }
	r.decode = func(samples []float32) transcript {
		s := sherpa.NewOfflineStream(native)
		defer sherpa.DeleteOfflineStream(s)
		s.AcceptWaveform(evidence.Rate, samples)
		native.Decode(s)
		t := s.GetResult()
		return transcript{t.Text, t.Tokens, t.Timestamps, t.Durations, t.YsLogProbs}
	}
}

// Silence around an utterance for T-one, which looks 0.3 s back and decides late.
const (
	silenceBefore = 3 * evidence.Rate / 10
	silenceAfter  = 6 * evidence.Rate / 10
)

func (r *Recognizer) online(rate int, paths map[string]string) {
	c := sherpa.OnlineRecognizerConfig{DecodingMethod: "greedy_search"}
	c.FeatConfig = sherpa.FeatureConfig{SampleRate: rate, FeatureDim: features}
	c.ModelConfig.ToneCtc.Model = paths[models.RoleModel]
	c.ModelConfig.Tokens, c.ModelConfig.NumThreads, c.ModelConfig.Provider = paths[models.RoleTokens], 1, "cpu"
	native := sherpa.NewOnlineRecognizer(&c)
	if native == nil || nativeIsNil(native) {
		return
	}
	r.free = func() { sherpa.DeleteOnlineRecognizer(native) }
	r.decode = func(samples []float32) transcript {
		s := sherpa.NewOnlineStream(native)
		defer sherpa.DeleteOnlineStream(s)
		padded := make([]float32, silenceBefore+len(samples)+silenceAfter)
		copy(padded[silenceBefore:], samples)
		s.AcceptWaveform(evidence.Rate, padded)
		s.InputFinished()
		for native.IsReady(s) {
			native.Decode(s)
		}
		t := native.GetResult(s)
		for i := range t.Timestamps {
			t.Timestamps[i] -= float32(silenceBefore) / evidence.Rate
		}
		return transcript{text: t.Text, tokens: t.Tokens, start: t.Timestamps}
	}
}

// nativeIsNil reports whether the library made nothing: unlike its sibling, NewOnlineRecognizer does not say.
func nativeIsNil(r *sherpa.OnlineRecognizer) bool { return *r == sherpa.OnlineRecognizer{} }

// Hear hears one utterance. The models know no hint of languages and no limit of tokens.
func (r *Recognizer) Hear(ctx context.Context, pcm []int16) (child.HearResult, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return child.HearResult{}, evidence.NotFound("the model has been unloaded")
	}
	if ctx.Err() != nil {
		return child.HearResult{}, evidence.Cancelled("stopped before the utterance was heard")
	}
	if len(pcm) == 0 {
		return child.HearResult{}, evidence.Invalid("an utterance without samples")
	}
	samples := make([]float32, len(pcm))
	for i, s := range pcm {
		samples[i] = float32(s) / 32768
	}
	return r.decode(samples).result(r.languages, len(pcm)), nil
}

// Close frees the model, after the calls under way.
func (r *Recognizer) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.free()
	}
}
