package pipeline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// Run does what is missing and returns when nothing is left that can be done. It may be stopped at any moment, by
// ctx or by a kill: what was appended stays, and the next run goes on from there. One bad recording is
// written down and the rest goes on; an error means that the case itself cannot go on, or that ctx ended.
func Run(ctx context.Context, c *casefile.Case, o Options) (Summary, error) {
	h, err := read(ctx, c, o.Translator != nil)
	if err != nil {
		return Summary{}, err
	}
	r := &runner{c: c, o: o, held: h, budget: newBudget(o.Threads, o.Ahead), work: map[string]*work{}, checked: map[evidence.Digest]func() error{},
		again: semaphore.NewWeighted(int64(max(1, o.Threads) * max(1, o.Ahead)))}
	tracks, err := r.tracks()
	if err != nil {
		return Summary{}, err
	}
	done := make(chan struct{})
	var published sync.WaitGroup
	published.Go(func() { r.publish(ctx, done) })
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.hearAll(gctx) })
	g.Go(func() error {
		var all sync.WaitGroup
		for _, t := range tracks {
			if r.budget.scan(gctx) != nil {
				break
			}
			t.ear = r.listener(gctx)
			all.Add(1)
			g.Go(func() error {
				defer all.Done()
				return r.recording(gctx, t)
			})
		}
		all.Wait()
		r.budget.close()
		return nil
	})
	err = g.Wait()
	close(done)
	published.Wait()
	if ctx.Err() != nil {
		err = evidence.Cancelled("stopped; what was done is kept").WithHint("`earwitness run` goes on from here")
	}
	// Publishing must not be cut short by the cancellation that ended the work.
	return r.sum, errors.Join(err, c.Publish(context.WithoutCancel(ctx)))
}

// tracks lists the recordings to be worked on, those with the most work first: so no long one is left for the end, when
// nothing is there to be done beside it. What waits for its intake delay is said and left out.
func (r *runner) tracks() ([]*track, error) {
	var all []*track
	var found []evidence.RecordingReceived
	for _, rec := range r.held.recordings {
		if len(r.o.Recordings) > 0 && !slices.Contains(r.o.Recordings, rec.Recording) {
			continue
		}
		found = append(found, rec)
		if until, ok := r.delayed(rec); ok {
			r.sum.Delayed++
			r.report(Event{Recording: rec.Recording, State: Waits, Text: "stated to be from " + rec.Reception.Start.Time + "; the case's policy lets it be analysed from " + until.UTC().Format(time.RFC3339)})
			continue
		}
		w := guess(rec)
		r.work[rec.Recording] = w
		all = append(all, &track{rec: rec, work: w})
	}
	if len(found) < len(r.o.Recordings) {
		return nil, evidence.NotFound("the case has no recording %s", strings.Join(missing(r.o.Recordings, found), ", ")).WithHint("`earwitness show` lists them")
	}
	slices.SortStableFunc(all, func(a, b *track) int { return cmp.Compare(b.work.total(), a.work.total()) })
	for i, t := range all {
		t.place = i
	}
	return all, nil
}

// runner is one run. The fields below mu are guarded by it.
type runner struct {
	c      *casefile.Case
	o      Options
	budget *budget

	mu   sync.Mutex
	held *held
	sum  Summary
	work map[string]*work
	most float64 // fraction that was reported

	checked map[evidence.Digest]func() error // whether bytes still have their digest

	again *semaphore.Weighted // bursts read into memory to be translated
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

// recording brings one recording as far as it goes. Only what the case itself cannot survive is an error. It gives the
// scan's thread back.
func (r *runner) recording(ctx context.Context, t *track) error {
	defer r.finish(t)
	stage, err := r.scan(ctx, t)
	r.budget.scanned()
	scanned := err == nil
	err = r.outcome(ctx, t, stage, err)
	t.bursts.Wait()
	if t.sound != nil {
		defer t.sound.Close() // only read
	}
	if err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if t.waiting > 0 && !t.void {
		r.count(func(s *Summary) { s.Waiting += t.waiting })
	}
	if !scanned || len(t.said) > 0 {
		return nil
	}
	if t.early > 0 {
		e, err := t.ear()
		if err != nil {
			return err
		}
		if err := r.choose(ctx, t.rec.Recording, e.model); err != nil {
			return err
		}
	}
	if err := r.outcome(ctx, t, evidence.StageVoice, r.voices(ctx, t)); err != nil {
		return err
	}
	if err := r.outcome(ctx, t, evidence.StageTranslate, r.translations(ctx, t)); err != nil {
		return err
	}
	if len(t.said) > 0 {
		return nil
	}
	r.report(Event{Recording: t.rec.Recording, State: Done})
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
func (r *runner) outcome(ctx context.Context, t *track, stage string, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, ok := errors.AsType[*stopped](err); ok {
		return nil
	}
	kind := evidence.KindOf(err)
	e := Event{Recording: t.rec.Recording, Stage: stage, Text: plain(err), Hint: evidence.HintOf(err)}
	switch kind {
	case evidence.KindNeeds:
		if e.State = Waits; t.news(kind) {
			r.count(func(s *Summary) { s.Needs, s.NeedsHint = e.Text, e.Hint })
			r.report(e)
		}
		return nil
	case evidence.KindDamaged, evidence.KindNotFound:
		// Stored bytes of this recording are not what they were, or gone. That is for `verify` to state and for a copy to
		// mend: nothing is written against the recording, and the rest goes on.
		if e.State = Failed; t.news(evidence.KindDamaged) {
			r.count(func(s *Summary) { s.Damaged++ })
			r.report(e)
		}
		return nil
	}
	return err
}

// passing reports whether err says nothing about the recording, and may be mended.
func passing(err error) bool {
	switch evidence.KindOf(err) {
	case evidence.KindNeeds, evidence.KindConflict, evidence.KindDamaged, evidence.KindNotFound:
		return err != nil
	}
	return false
}

// before returns the output of j where the case holds it (done), and a *stopped where it failed before and is not to be
// tried again.
func (r *runner) before(j job) (out []byte, done bool, err error) {
	r.mu.Lock()
	out, done = r.held.results[j.key]
	failed, bad := r.held.failures[j.key]
	r.mu.Unlock()
	if done || !bad || r.o.Retry {
		return out, done, nil
	}
	r.count(func(s *Summary) { s.FailedBefore++ })
	return nil, false, &stopped{errors.New(failed.Message)}
}

// after writes what j came to: a result, or a failure, which is then returned as *stopped. What the case holds already
// stays as it is: a copy that was decoded anew may turn out to be one whose bursts were heard before.
func (r *runner) after(ctx context.Context, j job, f finding) ([]byte, error) {
	if f.err != nil {
		return nil, r.fail(ctx, j, f.err)
	}
	r.mu.Lock()
	out, ok := r.held.results[j.key]
	r.mu.Unlock()
	if ok {
		return out, nil
	}
	res, err := j.result(f.machine, f.output)
	if err != nil {
		return nil, err
	}
	if _, err := r.c.Append(ctx, r.o.Author, evidence.EntryResult, res); err != nil {
		return nil, err
	}
	r.count(func(*Summary) { err = r.held.keep(res) })
	if err != nil {
		return nil, err
	}
	if f.written != nil {
		f.written()
	}
	return res.Output, nil
}

// fail writes down that j failed, unless that is written or says nothing about the recording.
func (r *runner) fail(ctx context.Context, j job, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if passing(err) {
		return err
	}
	if _, done, was := r.before(j); done || was != nil {
		return was
	}
	f := j.failure(err)
	if _, aerr := r.c.Append(ctx, r.o.Author, evidence.EntryFailure, f); aerr != nil {
		return aerr
	}
	r.count(func(s *Summary) { s.Failed++; r.held.failures[j.key] = f })
	e := Event{Recording: j.recording, Stage: j.stage, State: Failed, Text: f.Message, Hint: f.Hint}
	if j.span != nil {
		e.Span = *j.span
	}
	r.report(e)
	return &stopped{err}
}

func (r *runner) count(f func(*Summary)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.sum)
}

// report hands an event on, one at a time, with how far the whole run is. That never goes back: where more turns out to be
// left than was guessed, it stands.
func (r *runner) report(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w := r.work[e.Recording]; w != nil && e.State == Working {
		w.at(e.Stage, e.Done, e.Total)
	}
	r.most = max(r.most, fraction(r.work))
	e.Fraction = r.most
	if r.o.Report != nil {
		r.o.Report(e)
	}
}

// progress reports how far a stage is in one recording.
func (r *runner) progress(t *track, stage string, done, total int64) {
	r.report(Event{Recording: t.rec.Recording, Stage: stage, State: Working, Done: done, Total: total})
}

func (r *runner) finish(t *track) { r.count(func(*Summary) { t.work.over = true }) }

func plain(err error) string { return strings.ToValidUTF8(err.Error(), "\uFFFD") }

// missing lists the recordings that were asked for and are not there.
func missing(asked []string, found []evidence.RecordingReceived) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(a string) bool {
		return slices.ContainsFunc(found, func(r evidence.RecordingReceived) bool { return r.Recording == a })
	})
}
