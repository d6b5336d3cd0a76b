package pipeline

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
)

// burst is a span of a recording that is to be heard.
type burst struct {
	t     *track
	span  evidence.Span
	early bool
}

// hearAll hands bursts to the recogniser until the budget is closed. Which comes first changes no result.
func (r *runner) hearAll(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for b := r.budget.take(gctx); b != nil; b = r.budget.take(gctx) {
		g.Go(func() error {
			defer b.t.bursts.Done()
			defer r.budget.heard()
			return r.outcome(gctx, b.t, evidence.StageHear, r.burst(gctx, b))
		})
	}
	err := g.Wait()
	r.budget.close()
	return err
}

// listener asks what will listen.
func (r *runner) listener(ctx context.Context) func() (ear, error) {
	return sync.OnceValues(func() (e ear, err error) {
		if e.engine, err = r.o.Recogniser.Engine(ctx); err != nil {
			return e, err
		}
		if e.model, err = r.o.Recogniser.Model(); err != nil {
			return e, err
		}
		e.params, err = r.o.Recogniser.Params()
		return e, err
	})
}

// burst hears one burst. An error is of a kind that says nothing about the burst.
func (r *runner) burst(ctx context.Context, b *burst) error {
	t := b.t
	e, err := t.ear()
	if err != nil {
		if evidence.KindOf(err) == evidence.KindNeeds {
			t.mu.Lock()
			t.waiting++
			t.mu.Unlock()
		}
		return err
	}
	job := func(inputs []evidence.Digest) (job, error) {
		return newJob(evidence.StageHear, hearVersion, t.rec.Recording, inputs, &b.span, e.engine, e.model, e.params)
	}
	inputs, wanted := t.now()
	if !wanted {
		return nil
	}
	defer func() {
		t.mu.Lock()
		t.done += b.span.Len()
		done, found := t.done, t.found
		t.mu.Unlock()
		r.progress(t, evidence.StageHear, done, found)
	}()
	if inputs != nil {
		j, err := job(inputs)
		if err != nil {
			return err
		}
		if _, done, err := r.before(j); done || err != nil {
			return err
		}
		if err := r.intact(ctx, inputs[len(inputs)-1]); err != nil {
			return err
		}
	}
	pcm, err := t.sound.Samples(b.span)
	if err != nil {
		if _, wanted := t.now(); !wanted {
			return nil // the copy has turned out void
		}
		return err
	}
	f := finding{job: job, written: func() { r.count(func(s *Summary) { s.Heard++ }) }}
	var heard evidence.Heard
	if heard, f.err = r.o.Recogniser.Hear(ctx, pcm); f.err == nil {
		for i, w := range heard.Words {
			from := min(max(w.Span.From, 0), b.span.Len()-1)
			heard.Words[i].Span = evidence.Span{From: b.span.From + from, To: b.span.From + min(max(w.Span.To, from+1), b.span.Len())}
		}
		if _, wanted := t.now(); heard.Text != "" && wanted {
			r.report(Event{Recording: t.rec.Recording, Stage: evidence.StageHear, State: Done, Text: heard.Text, Span: b.span})
		}
		f.output = heard
		f.machine, f.err = r.o.Recogniser.Machine(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if passing(f.err) {
		return f.err
	}
	return r.deliver(ctx, t, f)
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
