package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/transcript"
	"github.com/earwitness/earwitness/internal/web/api"
)

// jobs is the machine's work as the server has it done: one run at a time, which may be stopped at any moment.
type jobs struct {
	s   *Server
	ctx context.Context // of the server
	all sync.WaitGroup

	mu       sync.Mutex
	stop     context.CancelFunc // of the run under way; nil where there is none
	begun    time.Time
	ended    time.Time
	fraction float64
	err      error // why the last run ended before its end, or what else went wrong
	needs    string
	hint     string
	by       map[string]*job // by recording
	pictures map[string]*job
	told     time.Time
}

type job struct {
	api.JobView
	begun time.Time
	first int64 // samples done when it began
}

func newJobs(ctx context.Context, s *Server) *jobs {
	return &jobs{s: s, ctx: ctx, by: map[string]*job{}, pictures: map[string]*job{}}
}

func (j *jobs) wait() { j.all.Wait() }

// say keeps an error of background work for the screen; false where it is there already.
func (j *jobs) say(err error) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil && j.err.Error() == err.Error() {
		return false
	}
	j.err, j.hint = err, evidence.HintOf(err)
	return true
}

func (s *Server) runJobs(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	b, err := read[api.RunJobs](w, r)
	if err != nil {
		return err
	}
	for _, id := range b.Recordings {
		if _, err := s.desk.recording(id); err != nil {
			return err
		}
	}
	if err := s.jobs.start(b); err != nil {
		return err
	}
	return s.give(w, s.jobs.view())
}

func (s *Server) stopJobs(w http.ResponseWriter, _ *http.Request, _ *people.Session) error {
	j := s.jobs
	j.mu.Lock()
	if j.stop != nil {
		j.stop()
	}
	j.mu.Unlock()
	j.all.Wait()
	return s.give(w, j.view())
}

func (s *Server) getJobs(w http.ResponseWriter, _ *http.Request, _ *people.Session) error {
	return s.give(w, s.jobs.view())
}

func (j *jobs) start(what api.RunJobs) error {
	if j.s.o.Run == nil {
		return evidence.Needs("this server cannot run the stages").WithHint("stop it and use `earwitness run`")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stop != nil {
		return evidence.Conflict("a run is under way").WithHint("it takes in new recordings when it is started again; stop it first")
	}
	ctx, stop := context.WithCancel(j.ctx)
	j.stop, j.begun, j.ended, j.fraction, j.err, j.needs, j.hint = stop, j.s.o.Now(), time.Time{}, 0, nil, "", ""
	j.by = map[string]*job{}
	j.all.Go(func() {
		defer stop()
		sum, err := j.s.o.Run(ctx, what, j.report)
		j.mu.Lock()
		j.stop, j.ended = nil, j.s.o.Now()
		if err != nil && ctx.Err() == nil {
			j.err, j.hint = err, evidence.HintOf(err)
		}
		j.needs = sum.Needs
		if sum.Needs != "" {
			j.hint = sum.NeedsHint
		}
		if err == nil {
			j.fraction = 1
		}
		for _, b := range j.by {
			if b.State == pipeline.Working && err == nil {
				b.State = pipeline.Done
			} else if b.State == pipeline.Working {
				b.State = "waiting"
			}
		}
		j.mu.Unlock()
		if err := j.s.follow(j.ctx); err != nil && j.ctx.Err() == nil {
			j.s.trouble(err)
		}
		j.s.hub.Tell(api.Event{Kind: "jobs"})
	})
	return nil
}

// report takes in what happens during a run.
func (j *jobs) report(e pipeline.Event) {
	j.mu.Lock()
	now := j.s.o.Now()
	if e.Fraction > 0 {
		j.fraction = e.Fraction
	}
	if e.Recording != "" {
		b := j.by[e.Recording]
		if b == nil {
			b = &job{JobView: api.JobView{Recording: e.Recording}}
			j.by[e.Recording] = b
		}
		switch e.State {
		case pipeline.Working:
			if b.Stage != e.Stage {
				b.begun, b.first = now, e.Done
			}
			b.Stage, b.State, b.Done, b.Total = e.Stage, pipeline.Working, e.Done, e.Total
			if took := now.Sub(b.begun).Seconds(); took > 0.5 {
				b.Speed = math.Round(float64(e.Done-b.first)/evidence.Rate/took*10) / 10
			}
		case pipeline.Failed:
			b.Stage, b.State, b.Message, b.Hint = e.Stage, pipeline.Failed, e.Text, e.Hint
		case pipeline.Waits:
			b.Stage, b.State, b.Message, b.Hint = e.Stage, pipeline.Waits, e.Text, e.Hint
		}
	}
	j.tell(e.State == pipeline.Failed)
}

// tell lets everyone know that the jobs have changed, but for progress twice a second at most. j.mu is held, and let go.
func (j *jobs) tell(always bool) {
	now := j.s.o.Now()
	due := always || now.Sub(j.told).Abs() > 500*time.Millisecond // Abs: a clock may be set back
	if due {
		j.told = now
	}
	j.mu.Unlock()
	if due {
		j.s.hub.Tell(api.Event{Kind: "jobs"})
	}
}

// drawing takes in how far a picture is.
func (j *jobs) drawing(r transcript.Sound, done, of int64, err error) {
	j.mu.Lock()
	b := j.pictures[r.ID]
	if b == nil {
		b = &job{JobView: api.JobView{Recording: r.ID, Stage: "picture"}, begun: j.s.o.Now()}
		j.pictures[r.ID] = b
	}
	b.State, b.Done, b.Total = pipeline.Working, done, of
	if took := j.s.o.Now().Sub(b.begun).Seconds(); took > 0.5 {
		b.Speed = math.Round(float64(done) / evidence.Rate / took)
	}
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		b.State, b.Message, b.Hint = pipeline.Failed, err.Error(), evidence.HintOf(err)
	case done == of:
		b.State = pipeline.Done
	}
	j.tell(done == of || err != nil)
}

func (j *jobs) view() api.JobsView {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := api.JobsView{Running: j.stop != nil, Fraction: j.fraction, Left: -1, Jobs: []api.JobView{}, Needs: j.needs, Hint: j.hint}
	if !j.begun.IsZero() {
		v.Begun = j.begun.UTC().Format(time.RFC3339)
	}
	if !j.ended.IsZero() {
		v.Ended = j.ended.UTC().Format(time.RFC3339)
	}
	if took := j.s.o.Now().Sub(j.begun).Seconds(); v.Running && j.fraction > 0.02 && took > 2 {
		v.Left = math.Round(took * (1 - j.fraction) / j.fraction)
	}
	if j.err != nil {
		v.Error = j.err.Error()
	}
	for _, r := range j.s.desk.recordings() {
		if p := j.pictures[r.ID]; p != nil && p.State != pipeline.Done {
			d := p.JobView
			d.File = r.Name
			v.Jobs = append(v.Jobs, d)
		}
		b := api.JobView{Recording: r.ID, State: "waiting"}
		if found := j.by[r.ID]; found != nil {
			b = found.JobView
		}
		b.File = r.Name
		rv := j.s.recordingView(r, people.Person{})
		switch {
		case b.State == pipeline.Working || b.State == pipeline.Waits || b.State == pipeline.Failed:
		case rv.State == "failed":
			b.State, b.Message, b.Hint = pipeline.Failed, rv.Reason, rv.Hint
		case rv.State == "heard":
			b.State = pipeline.Done
		}
		v.Jobs = append(v.Jobs, b)
	}
	slices.SortStableFunc(v.Jobs, func(a, b api.JobView) int { return rank(a) - rank(b) })
	return v
}

// rank puts what is being worked on before what failed, that before what waits, and what is done last.
func rank(j api.JobView) int {
	return slices.Index([]string{pipeline.Working, pipeline.Failed, pipeline.Waits, "waiting", pipeline.Done}, j.State)
}
