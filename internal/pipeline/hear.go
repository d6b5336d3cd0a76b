package pipeline

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
)

// burst is a span of a recording that is to be heard.
type burst struct {
	t     *track
	span  evidence.Span
	parts []evidence.Span // of it that have a result of their own: the speech of transmissions heard in one; nil where it is its only part
	early bool
}

// heardWithin are the parameters of a hearing of a part.
type heardWithin struct {
	Recogniser any           `json:"recogniser"`
	Within     evidence.Span `json:"within"` // the span that the recogniser was given
}

// hearing is the work of hearing span, given to the recogniser within another where within is not nil.
func (e ear) hearing(t *track, inputs []evidence.Digest, span evidence.Span, within *evidence.Span) (job, error) {
	params := e.params
	if within != nil {
		params = heardWithin{e.params, *within}
	}
	return newJob(evidence.StageHear, hearVersion, t.rec.Recording, inputs, &span, e.engine, e.model, params)
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
	findings := e.findings(b, func() { r.count(func(s *Summary) { s.Heard++ }) })
	if inputs != nil {
		if findings, err = r.missing(findings, inputs); len(findings) == 0 || err != nil {
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
	heard, failure := r.o.Recogniser.Hear(ctx, pcm)
	machine := ""
	if failure == nil {
		for i, w := range heard.Words {
			from := min(max(w.Span.From, 0), b.span.Len()-1)
			heard.Words[i].Span = evidence.Span{From: b.span.From + from, To: b.span.From + min(max(w.Span.To, from+1), b.span.Len())}
		}
		if _, wanted := t.now(); heard.Text != "" && wanted {
			r.report(Event{Recording: t.rec.Recording, Stage: evidence.StageHear, State: Done, Text: heard.Text, Span: b.span})
		}
		machine, failure = r.o.Recogniser.Machine(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if passing(failure) {
		return failure
	}
	for _, f := range findings {
		f.err, f.machine = failure, machine
		if f.output = heard; b.parts != nil {
			f.output = part(heard, b.parts, f.span)
		}
		if err := r.deliver(ctx, t, f.finding); err != nil {
			return err
		}
	}
	return nil
}

// partFinding is what is found of one part of a burst.
type partFinding struct {
	finding
	span evidence.Span
}

// findings are those that b is to give: one of each of its parts.
func (e ear) findings(b *burst, written func()) []partFinding {
	spans, within := b.parts, &b.span
	if spans == nil {
		spans, within = []evidence.Span{b.span}, nil
	}
	out := make([]partFinding, len(spans))
	for i, span := range spans {
		out[i] = partFinding{finding{written: written, job: func(inputs []evidence.Digest) (job, error) { return e.hearing(b.t, inputs, span, within) }}, span}
	}
	return out
}

// missing leaves out those that the case holds already.
func (r *runner) missing(all []partFinding, inputs []evidence.Digest) (out []partFinding, err error) {
	for _, f := range all {
		j, err := f.job(inputs)
		if err != nil {
			return nil, err
		}
		_, done, err := r.before(j)
		if err != nil {
			return nil, err
		}
		if !done {
			out = append(out, f)
		}
	}
	return out, nil
}

// part is what was heard of one of the spans that were heard in one: the words whose middle is nearer to it than to the others.
func part(h evidence.Heard, spans []evidence.Span, own evidence.Span) evidence.Heard {
	if len(h.Words) == 0 {
		if h.Text != "" && own != spans[0] {
			h.Text, h.State, h.Reason = "", evidence.HeardNotUnderstood, "it stands with the transmission before, heard in one with this; the recogniser gives no times of words"
		}
		return h
	}
	away := func(s evidence.Span, at int64) int64 { return max(s.From-at, at-s.To+1, 0) }
	words, rest := h.Words, h.Text
	h.Words, h.Text = nil, ""
	for _, w := range words {
		said := strings.TrimSpace(w.Text)
		before, after, found := strings.Cut(rest, said)
		if !found { // the text is not as its words have it: they count
			before, after = " ", rest
		}
		rest = strings.TrimLeftFunc(after, unicode.IsPunct)
		text := before + said + after[:len(after)-len(rest)]
		mid := (w.Span.From + w.Span.To) / 2
		nearest := slices.MinFunc(spans, func(a, b evidence.Span) int { return cmp.Compare(away(a, mid), away(b, mid)) })
		if nearest != own {
			continue
		}
		if len(h.Words) == 0 {
			text = strings.TrimSpace(text)
		}
		h.Words, h.Text = append(h.Words, w), h.Text+text
	}
	h.Text = strings.TrimSpace(h.Text)
	if h.Text == "" && h.State == evidence.HeardWords {
		h.State, h.Reason = evidence.HeardNotUnderstood, "no word of what was heard together with its neighbours falls on it"
	}
	return h
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
