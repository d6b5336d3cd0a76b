package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/decoder"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/pipeline"
)

const defaultModel = "whisper-base"

// engineMemory is the resident memory at which the engine is ended: far above what it needs with the model, so that only
// a leak meets it.
func engineMemory(shelf *models.Shelf, model string, threads int) int64 {
	const least = 1500 << 20
	if o, ok := models.Offered(model); ok && o.Shape != (models.Shape{}) {
		return max(least, 2*o.Shape.Memory(threads))
	}
	files := int64(0)
	if m, err := shelf.Find(model); err == nil { // else nothing is going to be loaded
		for _, f := range m.Manifest.Files {
			files += f.Size
		}
	}
	return least + 4*files
}

// engines are the machines behind the stages, wired for one run.
type engines struct {
	decoder    pipeline.Decoder
	detector   pipeline.Detector
	recogniser pipeline.Recogniser
	voices     pipeline.VoiceEncoder // nil where nobody asked for them
	translator pipeline.Translator   // nil where nobody asked
	detect     analysis.DetectParams
	close      func()
}

// engines starts what a run needs. What is missing, such as a model, is said when it is first asked for: the
// stages before it can be done without.
func (w *world) engines(ctx context.Context, c *casefile.Case, rf runFlags) (*engines, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cfg := decoder.Config{Executable: self, CacheDir: w.cacheDir()}
	switch rf.decoder {
	case "wasm":
	case "auto", "native":
		cfg.Native, err = exec.LookPath("ffmpeg")
		if err != nil && rf.decoder == "native" {
			return nil, evidence.Needs("there is no ffmpeg on this machine").WithHint("install it, or use --decoder wasm, which comes with earwitness")
		}
	default:
		return nil, &usageError{evidence.Invalid("--decoder is auto, wasm or native, not %q", rf.decoder)}
	}
	dec, err := decoder.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if why := dec.NativeRefused(); why != "" && rf.decoder == "native" {
		return nil, evidence.Invalid("the installed ffmpeg cannot be confined on this machine: %s", why).WithHint("use --decoder wasm")
	}
	languages := rf.languages
	if len(languages) == 0 {
		languages = c.Info().Policy.Languages
	}
	raised, err := vocabulary(rf.words)
	if err != nil {
		return nil, err
	}
	n := &native{w: w, self: self, threads: rf.threads, memory: engineMemory(models.Open(w.modelsDir()), rf.model, rf.threads)}
	var voices pipeline.VoiceEncoder
	if rf.voices != "" {
		voices = &voiceEncoder{native: n, name: rf.voices}
	}
	var translator pipeline.Translator
	if rf.translate {
		m, err := models.Open(w.modelsDir()).Find(rf.model)
		if err == nil && !m.Manifest.Translates() && !models.IsVoice(m.Manifest.Kind) { // what is missing or hears nothing is said when it is to hear
			return nil, evidence.Invalid("the model %s does not translate", rf.model).WithHint("leave out --translate, or name a model that does: whisper-tiny, -base, -small, -medium or -large-v3")
		}
		translator = &translating{recogniser{native: n, name: rf.model, options: child.HearOptions{Languages: languages, Translate: true}}}
	}
	return &engines{
		decoder:    mediaDecoder{dec},
		detector:   &detector{n},
		recogniser: &recogniser{native: n, name: rf.model, options: child.HearOptions{Languages: languages, Vocabulary: raised}},
		voices:     voices,
		translator: translator,
		detect:     analysis.DefaultDetectParams(),
		close:      n.close,
	}, nil
}

// native is the one engine process of a run, started when it is first needed.
type native struct {
	w       *world
	self    string
	threads int
	memory  int64 // engineMemory

	mu     sync.Mutex
	engine *child.Engine
}

func (n *native) start(ctx context.Context) (*child.Engine, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.engine != nil {
		return n.engine, nil
	}
	path := n.w.env("EARWITNESS_ENGINE")
	if path == "" {
		path = filepath.Join(filepath.Dir(n.self), "earwitness-engine")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, evidence.Needs("the speech engine is not at %s", path).WithHint("`make build` makes it beside earwitness; or name it with EARWITNESS_ENGINE")
	}
	e, err := child.Start(ctx, child.Config{Executable: path, Threads: n.threads, MemoryBytes: n.memory, Deadline: 5 * time.Minute})
	n.engine = e
	return e, err
}

func (n *native) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.engine != nil {
		n.engine.Close() // a child that will not end is killed; there is nobody left to tell
	}
}

// mediaDecoder is the stage decode over the sandboxed FFmpeg.
type mediaDecoder struct{ d *decoder.Decoder }

func (m mediaDecoder) Engine(context.Context) (evidence.Engine, error) {
	e := m.d.Engine()
	return evidence.Engine{Name: e.Name, Build: e.Version + " " + e.Digest.String()}, nil
}

func (m mediaDecoder) Params() any { return decoder.Parameters }

func (m mediaDecoder) Decode(ctx context.Context, path string, raw *evidence.RawLayout, out io.Writer, progress func(samples, of int64)) (evidence.Decoded, error) {
	r, err := m.d.Decode(ctx, path, out, decoder.Options{Raw: raw, Progress: func(p decoder.Progress) { progress(p.Samples, p.Expected) }})
	if err != nil {
		return evidence.Decoded{}, err
	}
	return evidence.Decoded{Channels: r.Facts.Channels, Codec: r.Facts.Codec, Container: r.Facts.Container, Notes: r.Notes, Rate: r.Facts.Rate,
		Samples: r.Samples, Truncated: r.Truncated}, nil
}

// detector is the voice detector in the engine's process.
type detector struct{ *native }

func (d *detector) Engine(ctx context.Context) (evidence.Engine, error) {
	if _, err := d.start(ctx); err != nil {
		return evidence.Engine{}, err
	}
	return d.identified()
}

// identified says what the engine is as a result's key has it: its name and its libraries' versions. The digest of
// the very program goes with the machine, which a result names but its key does not (docs/decisions/0005).
func (n *native) identified() (evidence.Engine, error) {
	id := n.engine.Identity()
	_, libraries, ok := strings.Cut(id.Build, " ")
	if !ok {
		return evidence.Engine{}, evidence.Invalid("the speech engine says nothing of its libraries: %q", id.Build)
	}
	return evidence.Engine{Name: id.Name, Build: libraries}, nil
}

func (n *native) Machine(ctx context.Context) (string, error) {
	e, err := n.start(ctx)
	if err != nil {
		return "", err
	}
	program, _, _ := strings.Cut(e.Identity().Build, " ")
	return e.Identity().Features() + " " + program, nil
}

// settings returns what the engine says of the settings of one of its parts.
func (n *native) settings(part string) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(n.engine.Identity().Settings, &all); err != nil {
		return nil, fmt.Errorf("read the settings of the speech engine: %w", err)
	}
	if all[part] == nil {
		return nil, fmt.Errorf("the speech engine says nothing of its %s", part)
	}
	return all[part], nil
}

// Model names the voice detector's weights, which are part of the engine. It comes after Engine.
func (d *detector) Model() (*evidence.Model, error) { return d.weights("silero") }

func (d *detector) weights(part string) (*evidence.Model, error) {
	b, err := d.settings(part)
	if err != nil {
		return nil, err
	}
	var m struct {
		Model  string          `json:"model"`
		Digest evidence.Digest `json:"model_digest"`
	}
	err = json.Unmarshal(b, &m)
	return &evidence.Model{Name: m.Model, Digest: m.Digest}, err
}

func (d *detector) Speech(ctx context.Context, region []int16) ([]float32, error) {
	e, err := d.start(ctx)
	if err != nil {
		return nil, err
	}
	return e.Speech(ctx, region)
}

func (d *detector) Clean(ctx context.Context, region []int16) ([]int16, error) {
	e, err := d.start(ctx)
	if err != nil {
		return nil, err
	}
	return e.Clean(ctx, region)
}

// Cleaner names the weights of the noise reduction, which are part of the engine. It comes after Engine.
func (d *detector) Cleaner() (*evidence.Model, error) { return d.weights("gtcrn") }

// recogniser is a model of the shelf in the engine's process.
type recogniser struct {
	*native
	name    string
	options child.HearOptions

	once  sync.Once
	model models.Model
	err   error
}

// load finds the model on the shelf and has the engine load it, once.
func (r *recogniser) load(ctx context.Context) (*child.Engine, error) {
	e, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	r.once.Do(func() {
		if r.model, r.err = models.Open(r.w.modelsDir()).Find(r.name); r.err == nil && models.IsVoice(r.model.Manifest.Kind) {
			r.err = evidence.Needs("the model %s tells voices apart and hears no words", r.name).WithHint("name it with --voices, and with --model one that hears, such as %s", defaultModel)
		}
		if r.err == nil {
			r.err = e.Load(ctx, r.model)
		}
	})
	if evidence.KindOf(r.err) == evidence.KindDamaged {
		// A damaged model is no fault of the recordings: nothing is written against them.
		return e, evidence.Needs("the model %s is damaged", r.name).Because(r.err).WithHint("`earwitness model remove %s`, then `earwitness model get %s`", r.name, r.name)
	}
	return e, r.err
}

func (r *recogniser) Engine(ctx context.Context) (evidence.Engine, error) {
	if _, err := r.load(ctx); err != nil {
		return evidence.Engine{}, err
	}
	return r.identified()
}

func (r *recogniser) Model() (*evidence.Model, error) {
	m := r.model.Evidence()
	return &m, nil
}

func (r *recogniser) Params() (any, error) {
	part := "sherpa"
	if r.model.Manifest.Kind == models.KindWhisper {
		part = "whisper"
	}
	settings, err := r.settings(part)
	return struct {
		Options  child.HearOptions `json:"options"`
		Settings json.RawMessage   `json:"settings"`
	}{r.options, settings}, err
}

func (r *recogniser) Hear(ctx context.Context, pcm []int16) (evidence.Heard, error) {
	e, err := r.load(ctx)
	if err != nil {
		return evidence.Heard{}, err
	}
	h, err := e.Hear(ctx, r.model, pcm, r.options)
	if err != nil {
		return evidence.Heard{}, err
	}
	return h.Heard(0), nil
}

// mostWords is how many words a vocabulary may have: with more their odds mean little.
const mostWords = 500

// vocabulary reads the words of a case from a file, one a line; lines that begin with # are remarks.
func vocabulary(name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, evidence.NotFound("the vocabulary cannot be read: %v", err)
	}
	if !utf8.Valid(b) {
		return nil, evidence.Invalid("the vocabulary %s is not UTF-8", name).WithHint("save it as UTF-8 text, one word a line")
	}
	var words []string
	for line := range strings.Lines(string(b)) {
		w := strings.Join(strings.Fields(line), " ")
		switch {
		case w == "" || strings.HasPrefix(w, "#") || slices.Contains(words, w):
		case utf8.RuneCountInString(w) < 3 || utf8.RuneCountInString(w) > 60:
			return nil, evidence.Invalid("%q in the vocabulary has fewer than 3 or more than 60 letters", w).WithHint("short words are heard everywhere once their odds are raised")
		default:
			words = append(words, w)
		}
	}
	if len(words) > mostWords {
		return nil, evidence.Invalid("the vocabulary has %d words: at most %d can be", len(words), mostWords)
	}
	slices.Sort(words)
	return words, nil
}

// translating is the recogniser's model once more, asked for English.
type translating struct{ recogniser }

func (t *translating) Translate(ctx context.Context, pcm []int16, from evidence.Digest) (evidence.Translated, error) {
	e, err := t.load(ctx)
	if err != nil {
		return evidence.Translated{}, err
	}
	h, err := e.Hear(ctx, t.model, pcm, t.options)
	if err != nil {
		return evidence.Translated{}, err
	}
	return h.Translated(from), nil
}
