package pipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// Run does what is missing and returns when nothing is left that can be done. It may be stopped at any moment, by
// ctx or by a kill: what was appended stays, and the next run goes on from there. One bad recording is
// written down and the rest goes on; an error means that the case itself cannot go on, or that ctx ended.
func Run(ctx context.Context, c *casefile.Case, o Options) (Summary, error) {
	h, err := read(ctx, c)
	if err != nil {
		return Summary{}, err
	}
	r := &runner{c: c, o: o, held: h, hearing: make(chan struct{}, max(1, o.Threads)), work: map[string]*work{}, checked: map[evidence.Digest]func() error{}}
	var todo []evidence.RecordingReceived
	for _, rec := range h.recordings {
		if len(o.Recordings) == 0 || slices.Contains(o.Recordings, rec.Recording) {
			todo = append(todo, rec)
			r.work[rec.Recording] = guess(rec)
		}
	}
	if len(todo) < len(o.Recordings) {
		return Summary{}, evidence.NotFound("the case has no recording %s", strings.Join(missing(o.Recordings, todo), ", ")).WithHint("`earwitness show` lists them")
	}

	done := make(chan struct{})
	var published sync.WaitGroup
	published.Go(func() { r.publish(ctx, done) })
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Threads))
	for _, rec := range todo {
		g.Go(func() error { return r.recording(gctx, rec) })
	}
	err = g.Wait()
	close(done)
	published.Wait()
	if ctx.Err() != nil {
		err = evidence.Cancelled("stopped; what was done is kept").WithHint("`earwitness run` goes on from here")
	}
	// Publishing must not be cut short by the cancellation that ended the work.
	return r.sum, errors.Join(err, c.Publish(context.WithoutCancel(ctx)))
}

// runner is one run. The fields below mu are guarded by it.
type runner struct {
	c       *casefile.Case
	o       Options
	hearing chan struct{} // one token for each burst being heard

	mu   sync.Mutex
	held *held
	sum  Summary
	work map[string]*work

	checked map[evidence.Digest]func() error // whether bytes still have their digest
}

// publish signs and publishes what was appended, from time to time, so that an outsider's view is never far behind.
func (r *runner) publish(ctx context.Context, done <-chan struct{}) {
	if r.o.Publish <= 0 {
		return
	}
	t := time.NewTicker(r.o.Publish)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			// The last publication, by Run itself, repeats this one and reports its error.
			if r.c.Publish(ctx) != nil {
				return
			}
		}
	}
}

// recording brings one recording as far as it goes. Only what the case itself cannot survive is an error.
func (r *runner) recording(ctx context.Context, rec evidence.RecordingReceived) error {
	if until, ok := r.delayed(rec); ok {
		r.count(func(s *Summary) { s.Delayed++ })
		r.report(Event{Recording: rec.Recording, State: Waits, Text: "stated to be from " + rec.Reception.Start.Time + "; the case's policy lets it be analysed from " + until.UTC().Format(time.RFC3339)})
		r.finish(rec.Recording)
		return nil
	}
	defer r.finish(rec.Recording)
	snd, err := r.decode(ctx, rec)
	if err != nil {
		return r.outcome(ctx, rec.Recording, evidence.StageDecode, err)
	}
	defer snd.Close()
	found, err := r.detect(ctx, rec, snd)
	if err != nil {
		return r.outcome(ctx, rec.Recording, evidence.StageDetect, err)
	}
	if err := r.hear(ctx, rec, snd, found); err != nil {
		return r.outcome(ctx, rec.Recording, evidence.StageHear, err)
	}
	r.report(Event{Recording: rec.Recording, State: Done})
	return nil
}

// delayed reports until when a recording waits by the case's policy: no live use by construction.
func (r *runner) delayed(rec evidence.RecordingReceived) (time.Time, bool) {
	if rec.Reception.Start == nil {
		return time.Time{}, false
	}
	start, err := time.Parse(time.RFC3339Nano, rec.Reception.Start.Time)
	if err != nil {
		return time.Time{}, false // intake refuses such a time; a stranger's case may hold it, and then it states nothing
	}
	until := start.Add(time.Duration(r.c.Info().Policy.IntakeDelaySeconds) * time.Second)
	return until, r.o.Now().Before(until)
}

// stopped is the error of a piece of work whose failure is written in the case already.
type stopped struct{ cause error }

func (s *stopped) Error() string { return s.cause.Error() }

// outcome turns the error of a stage into what the run does next: nothing more for a recording whose
// failure is written down or that needs something; an end for everything else.
func (r *runner) outcome(ctx context.Context, recording, stage string, err error) error {
	if _, ok := errors.AsType[*stopped](err); ok && ctx.Err() == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	switch evidence.KindOf(err) {
	case evidence.KindNeeds:
		r.needs(recording, stage, err)
		return nil
	case evidence.KindDamaged, evidence.KindNotFound:
		// Stored bytes of this recording are not what they were, or gone. That is for `verify` to state and for a copy to
		// mend: nothing is written against the recording, and the rest goes on.
		r.count(func(s *Summary) { s.Damaged++ })
		r.report(Event{Recording: recording, Stage: stage, State: Failed, Text: plain(err), Hint: evidence.HintOf(err)})
		return nil
	}
	return err
}

func (r *runner) needs(recording, stage string, err error) {
	r.count(func(s *Summary) { s.Needs, s.NeedsHint = plain(err), evidence.HintOf(err) })
	r.report(Event{Recording: recording, Stage: stage, State: Waits, Text: plain(err), Hint: evidence.HintOf(err)})
}

// once does the work that j names unless the case holds its outcome. do returns the output and the machine it
// was made on. The returned bytes are the result's output.
func (r *runner) once(ctx context.Context, j job, do func() (output any, machine string, err error)) ([]byte, error) {
	r.mu.Lock()
	out, ok := r.held.results[j.key]
	failed, bad := r.held.failures[j.key]
	r.mu.Unlock()
	if ok {
		return out, nil
	}
	if bad && !r.o.Retry {
		r.count(func(s *Summary) { s.FailedBefore++ })
		return nil, &stopped{errors.New(failed.Message)}
	}
	output, machine, err := do()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch evidence.KindOf(err) {
		case evidence.KindNeeds, evidence.KindConflict, evidence.KindDamaged, evidence.KindNotFound:
			return nil, err // says nothing about the recording, and may be mended
		}
		f := j.failure(err)
		if _, aerr := r.c.Append(ctx, r.o.Author, evidence.EntryFailure, f); aerr != nil {
			return nil, aerr
		}
		r.count(func(s *Summary) { s.Failed++; r.held.failures[j.key] = f })
		e := Event{Recording: j.recording, Stage: j.stage, State: Failed, Text: f.Message, Hint: f.Hint}
		if j.span != nil {
			e.Span = *j.span
		}
		r.report(e)
		return nil, &stopped{err}
	}
	res, err := j.result(machine, output)
	if err != nil {
		return nil, err
	}
	if _, err := r.c.Append(ctx, r.o.Author, evidence.EntryResult, res); err != nil {
		return nil, err
	}
	r.count(func(*Summary) { r.held.keep(res) })
	return res.Output, nil
}

func (r *runner) count(f func(*Summary)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.sum)
}

// report hands an event on, one at a time, with how far the whole run is.
func (r *runner) report(e Event) {
	if r.o.Report == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.work[e.Recording]; w != nil && e.State == Working {
		w.at(e.Stage, e.Done, e.Total)
	}
	e.Fraction = fraction(r.work)
	r.o.Report(e)
}

func (r *runner) finish(recording string) {
	r.count(func(*Summary) { r.work[recording].finish() })
}

func plain(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }

// missing lists the recordings that were asked for and are not there.
func missing(asked []string, found []evidence.RecordingReceived) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(a string) bool {
		return slices.ContainsFunc(found, func(r evidence.RecordingReceived) bool { return r.Recording == a })
	})
}
