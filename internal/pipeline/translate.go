package pipeline

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
)

// Translator drafts in English what somebody says in another language. It must be safe for concurrent use and give the
// same for the same samples, whatever else it is doing.
type Translator interface {
	// Engine says what will do it. It is an error of kind Needs where the model is missing.
	Engine(ctx context.Context) (evidence.Engine, error)
	// Model and Params come after Engine; Params are all settings that shape a translation, for canonical JSON.
	Model() (*evidence.Model, error)
	Params() (any, error)
	Machine(ctx context.Context) (string, error)
	// Translate is given a burst as Hear is; from is the key of the hearing that the translation belongs to.
	Translate(ctx context.Context, pcm []int16, from evidence.Digest) (evidence.Translated, error)
}

// translateVersion is that of the stage's code here.
const translateVersion = 1

// translateParams tie a translation to one hearing: what was not understood there is not translated, and another hearing
// may have understood something else.
type translateParams struct {
	Hearing    evidence.Digest `json:"hearing"` // key of the result
	Translator any             `json:"translator"`
}

// foreign says whether words were heard in another language than English. Where the recogniser does not say what it wrote
// in, the language of the sound stands for it.
func foreign(h evidence.Heard) bool {
	language := h.Language
	if language == "" && len(h.Languages) > 0 {
		language = h.Languages[0].Code
	}
	return h.State == evidence.HeardWords && h.Text != "" && language != "" && language != "en"
}

// translations translates the bursts of t in which this run's recogniser, or an earlier run with the same one, heard words
// in another language than English, where somebody asked for translations. All bursts have been heard, and the inputs are
// known.
func (r *runner) translations(ctx context.Context, t *track) error {
	if r.o.Translator == nil || len(t.spoken) == 0 {
		return nil
	}
	e, err := t.ear()
	if err != nil {
		return err
	}
	inputs, _ := t.now()
	var todo []job
	all := int64(0)
	for _, x := range t.spoken {
		for _, span := range x.Hear {
			hearing, err := e.hearing(t, inputs, span, x.Within)
			if err != nil {
				return err
			}
			r.mu.Lock()
			_, ok := r.held.foreign[hearing.key]
			r.mu.Unlock()
			if ok {
				todo, all = append(todo, hearing), all+span.Len()
			}
		}
	}
	if len(todo) == 0 {
		return nil
	}
	engine, err := r.o.Translator.Engine(ctx)
	if err != nil {
		return err
	}
	model, err := r.o.Translator.Model()
	if err != nil {
		return err
	}
	params, err := r.o.Translator.Params()
	if err != nil {
		return err
	}
	done := int64(0)
	r.progress(t, evidence.StageTranslate, 0, all)
	g, gctx := errgroup.WithContext(ctx)
	for _, hearing := range todo {
		if r.again.Acquire(gctx, 1) != nil {
			break // g has the error
		}
		g.Go(func() error {
			defer r.again.Release(1)
			j, err := newJob(evidence.StageTranslate, translateVersion, t.rec.Recording, inputs, hearing.span, engine, model, translateParams{hearing.key, params})
			if err == nil {
				err = r.translate(gctx, j, t.sound, hearing.key)
			}
			if _, ok := errors.AsType[*stopped](err); ok {
				err = nil // written down; the others go on
			}
			t.mu.Lock()
			done += hearing.span.Len()
			now := done
			t.mu.Unlock()
			r.progress(t, evidence.StageTranslate, now, all)
			return err
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// translate translates the burst of one job.
func (r *runner) translate(ctx context.Context, j job, snd source, from evidence.Digest) error {
	if _, done, err := r.before(j); done || err != nil {
		return err
	}
	if err := r.intact(ctx, j.inputs[len(j.inputs)-1]); err != nil {
		return err
	}
	pcm, err := snd.Samples(*j.span)
	if err != nil {
		return err
	}
	f := finding{}
	var out evidence.Translated
	if out, f.err = r.o.Translator.Translate(ctx, pcm, from); f.err == nil {
		f.output, f.err = out, out.Validate()
	}
	if f.err == nil {
		f.machine, f.err = r.o.Translator.Machine(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.written = func() {
		r.count(func(s *Summary) {
			if out.Text == "" {
				s.NotTranslated++
			} else {
				s.Translated++
			}
		})
		if out.Text != "" {
			r.report(Event{Recording: j.recording, Stage: evidence.StageTranslate, State: Done, Text: out.Text, Span: *j.span})
		}
	}
	_, err = r.after(ctx, j, f)
	return err
}
