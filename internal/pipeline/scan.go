package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/sound"
)

// The versions of the stages' code here; detection has its own. A change that can alter an output raises its number, and with it every key.
const (
	decodeVersion = 1
	hearVersion   = 1
)

// direct is the engine of PCM that is read as it stands.
var direct = evidence.Engine{Name: "pcm-direct", Build: "1"}

// scan decodes t and finds its transmissions, whose bursts it lets wait to be heard. It returns the stage that an error is of.
func (r *runner) scan(ctx context.Context, t *track) (string, error) {
	j, wav, err := r.decodeJob(ctx, t.rec)
	if err != nil {
		return evidence.StageDecode, err
	}
	out, done, err := r.before(j)
	if err != nil {
		return evidence.StageDecode, err
	}
	r.count(func(*Summary) { t.work.copied = !done && wav == nil })
	if !done {
		if t.rec.Size == 0 {
			err = evidence.Invalid("the file is empty").WithHint("ask who handed it in for the file again")
		} else {
			err = r.intact(ctx, t.rec.Digest)
		}
		switch {
		case err != nil:
			return evidence.StageDecode, r.fail(ctx, j, err)
		case wav == nil:
			return r.follow(ctx, t, j)
		}
		if out, err = r.after(ctx, j, r.decoded(wav, r.countBad(t.rec.Digest, wav))); err != nil {
			return evidence.StageDecode, err
		}
	}
	var d evidence.Decoded
	if err := json.Unmarshal(out, &d); err != nil {
		return evidence.StageDecode, fmt.Errorf("read decode result of %s: %w", t.rec.Recording, err)
	}
	snd, err := sound.Open(r.c, t.rec.Digest, d)
	if err != nil {
		return evidence.StageDecode, err
	}
	t.sound = snd
	if err := r.settle(ctx, t, inputs(t.rec, snd)); err != nil {
		return evidence.StageDecode, err
	}
	return evidence.StageDetect, r.detect(ctx, t)
}

// decodeJob says what is to be decoded by what. wav describes what can be read as it stands; nil where it is to be decoded.
func (r *runner) decodeJob(ctx context.Context, rec evidence.RecordingReceived) (j job, wav *evidence.Decoded, err error) {
	engine, params := direct, any(struct{}{})
	wav, err = r.direct(rec)
	if err != nil && !errors.Is(err, audio.ErrNotPCM) {
		return j, nil, err
	}
	if wav == nil {
		if engine, err = r.o.Decoder.Engine(ctx); err != nil {
			return j, nil, err
		}
		params = struct {
			Decoder any                 `json:"decoder"`
			Raw     *evidence.RawLayout `json:"raw,omitempty"`
		}{r.o.Decoder.Params(), rec.Reception.Raw}
	}
	j, err = newJob(evidence.StageDecode, decodeVersion, rec.Recording, []evidence.Digest{rec.Digest}, nil, engine, nil, params)
	return j, wav, err
}

// decoded is what decoding came to.
func (r *runner) decoded(d *evidence.Decoded, err error) finding {
	if err == nil && d.Samples == 0 {
		err = evidence.Invalid("there is no sound in it")
	}
	// Arithmetic in integers, or in FFmpeg's build that the engine names.
	return finding{output: d, machine: runtime.GOOS + "/" + runtime.GOARCH, err: err, written: func() { r.count(func(s *Summary) { s.Decoded++ }) }}
}

// follow decodes t into a copy and searches it as it grows. The first text does not wait for the last sample; but nothing
// is written before the copy is kept, and nothing at all where it turns out that the file cannot be decoded.
func (r *runner) follow(ctx context.Context, t *track, j job) (stage string, err error) {
	w, err := r.c.NewBlob(ctx)
	if err != nil {
		return evidence.StageDecode, err
	}
	g := sound.NewGrowing(w)
	t.sound = g
	sctx, cancel := context.WithCancel(ctx)
	var searched error
	var searching sync.WaitGroup
	searching.Go(func() { searched = r.detect(sctx, t) })
	if err = r.copy(ctx, t, j, w, g); err != nil {
		t.abandon()
		g.Fail(err)
		cancel()
	}
	err = errors.Join(err, w.Discard()) // without effect after Commit
	searching.Wait()
	cancel()
	if err != nil {
		return evidence.StageDecode, err
	}
	return evidence.StageDetect, searched
}

// copy decodes t into w, keeps it, and writes what was found in it until then.
func (r *runner) copy(ctx context.Context, t *track, j job, w blob, g *sound.Growing) error {
	d, err := r.o.Decoder.Decode(ctx, r.c.BlobPath(t.rec.Digest), t.rec.Reception.Raw, &growth{w: w, g: g}, func(samples, of int64) {
		r.progress(t, evidence.StageDecode, samples, max(samples, of))
	})
	f := r.decoded(&d, err)
	if f.err != nil {
		return r.fail(ctx, j, f.err)
	}
	g.End()
	r.progress(t, evidence.StageDecode, d.Samples, d.Samples)
	digest, err := w.Commit(ctx)
	if err != nil {
		return err
	}
	d.Copy = &digest
	snd, err := sound.Open(r.c, t.rec.Digest, d)
	if err != nil {
		return err
	}
	g.Keep(snd)
	if _, err := r.after(ctx, j, f); err != nil {
		return err
	}
	return r.settle(ctx, t, inputs(t.rec, snd))
}

// blob is a blob on its way in.
type blob interface {
	io.Writer
	Commit(ctx context.Context) (evidence.Digest, error)
}

// growth writes a copy and says how far it has come.
type growth struct {
	w io.Writer
	n int64
	g *sound.Growing
}

// Write takes the next bytes.
func (g *growth) Write(p []byte) (int, error) {
	n, err := g.w.Write(p)
	g.n += int64(n)
	g.g.Grow(g.n / 2)
	return n, err
}

// detect finds the transmissions of t.
func (r *runner) detect(ctx context.Context, t *track) error {
	engine, err := r.o.Detector.Engine(ctx)
	if err != nil {
		return err
	}
	model, err := r.o.Detector.Model()
	if err != nil {
		return err
	}
	cleaner, err := r.o.Detector.Cleaner()
	if err != nil {
		return err
	}
	params := struct {
		analysis.DetectParams
		Cleaner *evidence.Model `json:"cleaner,omitempty"` // the weights of the second look's noise reduction
	}{r.o.Detect, cleaner}
	f := finding{job: func(inputs []evidence.Digest) (job, error) {
		return newJob(evidence.StageDetect, analysis.DetectVersion, t.rec.Recording, inputs, nil, engine, model, params)
	}}
	inputs, _ := t.now()
	var j job
	if inputs != nil {
		if j, err = f.job(inputs); err != nil {
			return err
		}
		out, done, err := r.before(j)
		if err != nil {
			return err
		}
		if done {
			var d evidence.Detected
			if err := json.Unmarshal(out, &d); err != nil {
				return fmt.Errorf("read detect result of %s: %w", t.rec.Recording, err)
			}
			r.progress(t, evidence.StageDetect, t.sound.Len(), t.sound.Len())
			r.put(t, d.Transmissions)
			return nil
		}
		if err := r.intact(ctx, inputs[len(inputs)-1]); err != nil {
			return err
		}
	}
	d, err := analysis.Detect(ctx, t.sound, r.o.Detector, r.o.Detect, func(done int64, final []evidence.Transmission) {
		total := int64(0)
		if inputs != nil {
			total = t.sound.Len()
		}
		r.progress(t, evidence.StageDetect, done, total)
		r.put(t, final)
	})
	f.output, f.err = d, err
	if err == nil {
		f.written = func() { r.count(func(s *Summary) { s.Detected++; s.Transmissions += len(d.Transmissions) }) }
		f.machine, f.err = r.o.Detector.Machine(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case passing(f.err):
		return f.err
	case inputs != nil:
		_, err = r.after(ctx, j, f)
		return err
	}
	if err := r.deliver(ctx, t, f); err != nil || f.err == nil {
		return err
	}
	return &stopped{f.err}
}

// direct describes rec where it is PCM that can be read as it stands; nil with audio.ErrNotPCM where not.
func (r *runner) direct(rec evidence.RecordingReceived) (*evidence.Decoded, error) {
	if rec.Size == 0 || rec.Reception.Raw != nil {
		return nil, audio.ErrNotPCM
	}
	b, err := r.c.OpenBlob(rec.Digest)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	w, err := audio.OpenWAV(b, b.Size())
	if err != nil {
		// A damaged header is no end: the decoder may know better, and its answer is the one that is written down.
		return nil, audio.ErrNotPCM
	}
	d := &evidence.Decoded{Channels: w.Channels, Codec: codec(w.Layout), Container: w.Container, Rate: w.Rate, Samples: w.Source().Len(), Truncated: w.Truncated}
	if w.Truncated {
		d.Notes = append(d.Notes, "the file is shorter than its header says; what is there was taken")
	}
	return d, nil
}

// countBad notes how many samples of a file of floating-point numbers are none. It reads all of it.
func (r *runner) countBad(digest evidence.Digest, d *evidence.Decoded) error {
	b, err := r.c.OpenBlob(digest)
	if err != nil {
		return err
	}
	defer b.Close()
	w, err := audio.OpenWAV(b, b.Size())
	if err != nil {
		return err
	}
	bad, err := w.CountBad()
	if bad > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d samples are not numbers and sound as silence", bad))
	}
	return err
}

// intact makes sure, once in a run, that bytes still have the digest under which a result will name them.
func (r *runner) intact(ctx context.Context, d evidence.Digest) error {
	r.mu.Lock()
	check := r.checked[d]
	if check == nil {
		check = sync.OnceValue(func() error { return r.c.CheckBlob(ctx, d) })
		r.checked[d] = check
	}
	r.mu.Unlock()
	return check()
}

// codec names a layout as other tools do.
func codec(l audio.Layout) string {
	switch l.Encoding {
	case audio.EncodingFloat:
		return fmt.Sprintf("pcm_f%dle", l.Bits)
	case audio.EncodingALaw:
		return "pcm_alaw"
	case audio.EncodingMuLaw:
		return "pcm_mulaw"
	default:
		if l.Bits == 8 {
			return "pcm_u8"
		}
		return fmt.Sprintf("pcm_s%dle", l.Bits)
	}
}

// inputs names the recording and, where it was decoded, the copy that is worked on. The original is always among
// them: two recordings may decode to the same samples, and each has its own results.
func inputs(rec evidence.RecordingReceived, snd *sound.Sound) []evidence.Digest {
	if d, ok := snd.Copy(); ok {
		return []evidence.Digest{rec.Digest, d}
	}
	return []evidence.Digest{rec.Digest}
}
