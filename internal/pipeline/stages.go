package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

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

// decode returns the working sound of rec, decoding it first where the case does not hold it.
func (r *runner) decode(ctx context.Context, rec evidence.RecordingReceived) (*sound.Sound, error) {
	engine, params := direct, any(struct{}{})
	wav, err := r.direct(rec)
	if err != nil && !errors.Is(err, audio.ErrNotPCM) {
		return nil, err
	}
	if wav == nil {
		if engine, err = r.o.Decoder.Engine(ctx); err != nil {
			return nil, err
		}
		params = struct {
			Decoder any                 `json:"decoder"`
			Raw     *evidence.RawLayout `json:"raw,omitempty"`
		}{r.o.Decoder.Params(), rec.Reception.Raw}
	}
	j, err := newJob(evidence.StageDecode, decodeVersion, rec.Recording, []evidence.Digest{rec.Digest}, nil, engine, nil, params)
	if err != nil {
		return nil, err
	}
	out, err := r.once(ctx, j, func() (any, string, error) {
		if rec.Size == 0 {
			return nil, "", evidence.Invalid("the file is empty").WithHint("ask who handed it in for the file again")
		}
		if err := r.intact(ctx, rec.Digest); err != nil {
			return nil, "", err
		}
		d, err := wav, error(nil)
		if d == nil {
			d, err = r.decodeCopy(ctx, rec)
		} else {
			err = r.countBad(rec.Digest, d)
		}
		if err != nil {
			return nil, "", err
		}
		if d.Samples == 0 {
			return nil, "", evidence.Invalid("there is no sound in it")
		}
		r.count(func(s *Summary) { s.Decoded++ })
		return d, runtime.GOOS + "/" + runtime.GOARCH, nil // arithmetic in integers, or in FFmpeg's build that the engine names
	})
	if err != nil {
		return nil, err
	}
	var d evidence.Decoded
	if err := json.Unmarshal(out, &d); err != nil {
		return nil, fmt.Errorf("read decode result of %s: %w", rec.Recording, err)
	}
	return sound.Open(r.c, rec.Digest, d)
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

func (r *runner) decodeCopy(ctx context.Context, rec evidence.RecordingReceived) (*evidence.Decoded, error) {
	w, err := r.c.NewBlob(ctx)
	if err != nil {
		return nil, err
	}
	defer w.Discard() // without effect after Commit
	d, err := r.o.Decoder.Decode(ctx, r.c.BlobPath(rec.Digest), rec.Reception.Raw, w, func(samples int64) {
		r.report(Event{Recording: rec.Recording, Stage: evidence.StageDecode, State: Working, Done: samples})
	})
	if err != nil {
		return nil, err
	}
	digest, err := w.Commit(ctx)
	d.Copy = &digest
	return &d, err
}

// detect returns the transmissions of rec.
func (r *runner) detect(ctx context.Context, rec evidence.RecordingReceived, snd *sound.Sound) (evidence.Detected, error) {
	var found evidence.Detected
	engine, err := r.o.Detector.Engine(ctx)
	if err != nil {
		return found, err
	}
	model, err := r.o.Detector.Model()
	if err != nil {
		return found, err
	}
	j, err := newJob(evidence.StageDetect, analysis.DetectVersion, rec.Recording, inputs(rec, snd), nil, engine, model, r.o.Detect)
	if err != nil {
		return found, err
	}
	out, err := r.once(ctx, j, func() (any, string, error) {
		if err := r.intact(ctx, working(rec, snd)); err != nil {
			return nil, "", err
		}
		d, err := analysis.Detect(ctx, snd, r.o.Detector, r.o.Detect, func(done int64, _ []evidence.Transmission) {
			r.report(Event{Recording: rec.Recording, Stage: evidence.StageDetect, State: Working, Done: done, Total: snd.Len()})
		})
		if err != nil {
			return nil, "", err
		}
		r.count(func(s *Summary) { s.Detected++; s.Transmissions += len(d.Transmissions) })
		machine, err := r.o.Detector.Machine(ctx)
		return d, machine, err
	})
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(out, &found)
}

// inputs names the recording and, where it was decoded, the copy that is worked on. The original is always among
// them: two recordings may decode to the same samples, and each has its own results.
func inputs(rec evidence.RecordingReceived, snd *sound.Sound) []evidence.Digest {
	if d, ok := snd.Copy(); ok {
		return []evidence.Digest{rec.Digest, d}
	}
	return []evidence.Digest{rec.Digest}
}

// working is the digest of the bytes that are worked on.
func working(rec evidence.RecordingReceived, snd *sound.Sound) evidence.Digest {
	in := inputs(rec, snd)
	return in[len(in)-1]
}

// hear listens to every burst of speech that the case has no result for.
func (r *runner) hear(ctx context.Context, rec evidence.RecordingReceived, snd *sound.Sound, found evidence.Detected) error {
	var spans []evidence.Span
	var total, done int64
	for _, t := range found.Transmissions {
		for _, s := range t.Hear {
			spans, total = append(spans, s), total+s.Len()
		}
	}
	if len(spans) == 0 {
		return nil
	}
	engine, err := r.o.Recogniser.Engine(ctx)
	if err != nil {
		if evidence.KindOf(err) == evidence.KindNeeds {
			r.count(func(s *Summary) { s.Waiting += len(spans) })
		}
		return err
	}
	model, err := r.o.Recogniser.Model()
	if err != nil {
		return err
	}
	params, err := r.o.Recogniser.Params()
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(r.hearing))
	for _, span := range spans {
		g.Go(func() error {
			j, err := newJob(evidence.StageHear, hearVersion, rec.Recording, inputs(rec, snd), &span, engine, model, params)
			if err == nil {
				err = r.burst(gctx, j, working(rec, snd), snd)
			}
			if _, ok := errors.AsType[*stopped](err); ok && gctx.Err() == nil {
				err = nil // written down; the other bursts go on
			}
			r.mu.Lock()
			done += span.Len()
			at := done
			r.mu.Unlock()
			r.report(Event{Recording: rec.Recording, Stage: evidence.StageHear, State: Working, Done: at, Total: total})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.choose(ctx, rec.Recording, model)
}

// choose makes the model of this run the one whose hearing of a recording counts, where another one's did: whoever
// runs a model wants to read what it heard, and that of the other stays beside it.
func (r *runner) choose(ctx context.Context, recording string, model *evidence.Model) error {
	r.mu.Lock()
	counts, ok := r.held.counts[recording]
	r.mu.Unlock()
	if !ok || model == nil || counts == model.Digest {
		return nil
	}
	_, err := r.c.Append(ctx, r.o.Author, evidence.EntryHearingChosen, evidence.HearingChosen{Model: *model, Recording: recording})
	return err
}

// burst hears the span of one job.
func (r *runner) burst(ctx context.Context, j job, bytes evidence.Digest, snd *sound.Sound) error {
	span := *j.span
	_, err := r.once(ctx, j, func() (any, string, error) {
		select {
		case r.hearing <- struct{}{}:
			defer func() { <-r.hearing }()
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
		if err := r.intact(ctx, bytes); err != nil {
			return nil, "", err
		}
		pcm, err := snd.Samples(span)
		if err != nil {
			return nil, "", err
		}
		heard, err := r.o.Recogniser.Hear(ctx, pcm)
		if err != nil {
			return nil, "", err
		}
		for i, w := range heard.Words {
			from := min(max(w.Span.From, 0), span.Len()-1)
			heard.Words[i].Span = evidence.Span{From: span.From + from, To: span.From + min(max(w.Span.To, from+1), span.Len())}
		}
		r.count(func(s *Summary) { s.Heard++ })
		if heard.Text != "" {
			r.report(Event{Recording: j.recording, Stage: evidence.StageHear, State: Done, Text: heard.Text, Span: span})
		}
		machine, err := r.o.Recogniser.Machine(ctx)
		return heard, machine, err
	})
	return err
}
