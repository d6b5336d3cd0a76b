package pipeline_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/pipeline"
)

// slow is a decoder of a recording of ten minutes. After nine, when detection has had more than its largest chunk, it does
// what between says.
type slow struct {
	media
	between func() error
	order   []string
}

var tenMinutes = sync.OnceValue(func() []byte { return bursts(200) })

func (s *slow) Decode(ctx context.Context, path string, _ *evidence.RawLayout, w io.Writer, progress func(int64, int64)) (evidence.Decoded, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return evidence.Decoded{}, err
	}
	s.mu.Lock()
	s.order = append(s.order, string(b[:min(len(b), 7)]))
	s.mu.Unlock()
	pcm := tenMinutes()
	for i, at := 0, 0; at < len(pcm); i, at = i+1, at+1<<16 {
		if at > len(pcm)/10*9 && at-1<<16 <= len(pcm)/10*9 && s.between != nil {
			if err := s.between(); err != nil {
				return evidence.Decoded{}, err
			}
		}
		part := pcm[at:min(at+1<<16, len(pcm))]
		if _, err := w.Write(part); err != nil {
			return evidence.Decoded{}, err
		}
		progress(int64(at+len(part))/2, int64(len(pcm)/2))
		if err := ctx.Err(); err != nil {
			return evidence.Decoded{}, err
		}
	}
	return evidence.Decoded{Channels: 1, Codec: "test", Container: "test", Rate: evidence.Rate, Samples: int64(len(pcm) / 2)}, nil
}

// slowly makes a bench whose decoder is slow, and a channel that gets a value when the first text is there.
func slowly(t *testing.T, contents ...string) (*bench, *slow, <-chan struct{}) {
	b := newBench(t, contents...)
	s := &slow{media: media{build: "1"}}
	b.o.Decoder = s
	first := make(chan struct{})
	var once sync.Once
	b.o.Report = func(e pipeline.Event) {
		if e.State == pipeline.Done && e.Text != "" {
			once.Do(func() { close(first) })
		}
	}
	return b, s, first
}

// keys lists the results of a case with their outputs.
func (b *bench) keys() []string {
	b.t.Helper()
	var out []string
	if _, err := b.c.Follow(b.t.Context(), 0, func(_ int64, e evidence.Entry) error {
		if e.Kind != evidence.EntryResult {
			return nil
		}
		r, err := evidence.DecodeBody[evidence.Result](e, e.Kind)
		out = append(out, r.Stage+" "+r.Key.String()+" "+string(r.Output))
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func wait(t *testing.T, first <-chan struct{}) {
	select {
	case <-first:
	case <-time.After(30 * time.Second):
		t.Error("no text while the recording is being decoded")
	}
}

// The first text does not wait for the last sample, nothing is in the case before the copy is kept, and what is then
// written is what a run writes that does one thing after the other, also where one that was cancelled went before.
func TestTextComesWhileTheRecordingIsDecoded(t *testing.T) {
	b, s, first := slowly(t, "noise")
	s.between = func() error {
		wait(t, first)
		if n := b.count(evidence.EntryResult); n != 0 {
			t.Errorf("%d results of a copy that is not kept", n)
		}
		return nil
	}
	if sum := b.run(); sum.Decoded != 1 || sum.Detected != 1 || sum.Heard < 100 || sum.Heard < sum.Transmissions {
		t.Fatalf("%+v", sum)
	}
	want := b.keys()

	steps, _, _ := slowly(t, "noise")
	steps.e.missing = true
	steps.run()
	steps.e.missing = false
	steps.run()
	if got := steps.keys(); !slices.Equal(got, want) {
		t.Error("stages side by side write other results than one after the other")
	}

	b, s, first = slowly(t, "noise")
	ctx, cancel := context.WithCancel(t.Context())
	s.between = func() error {
		wait(t, first)
		cancel()
		return ctx.Err()
	}
	if _, err := pipeline.Run(ctx, b.c, b.o); evidence.KindOf(err) != evidence.KindCancelled {
		t.Fatal(err)
	}
	if n := b.count(evidence.EntryResult) + b.count(evidence.EntryFailure); n != 0 {
		t.Errorf("%d entries of a run that was cancelled", n)
	}
	if left, _ := filepath.Glob(filepath.Join(b.c.Dir(), "blobs", "tmp", "*")); len(left) > 0 {
		t.Errorf("a cancelled run leaves %v", left)
	}
	s.between = nil
	b.run()
	if got := b.keys(); !slices.Equal(got, want) {
		t.Error("a run after a cancelled one writes other results")
	}
}

// What was heard in a recording that then cannot be decoded is not written; the failure is, once.
func TestNothingIsWrittenOfAVoidCopy(t *testing.T) {
	b, s, first := slowly(t, "noise")
	s.between = func() error {
		wait(t, first)
		return evidence.Invalid("it breaks off")
	}
	for run, want := range []pipeline.Summary{{Failed: 1}, {FailedBefore: 1}} {
		if sum := b.run(); sum != want {
			t.Errorf("run %d: %+v", run, sum)
		}
	}
	if b.count(evidence.EntryResult) != 0 || b.count(evidence.EntryFailure) != 1 {
		t.Errorf("%d results and %d failures", b.count(evidence.EntryResult), b.count(evidence.EntryFailure))
	}
	s.between, b.o.Retry = nil, true
	if sum := b.run(); sum.Decoded != 1 || sum.Detected != 1 || sum.Heard == 0 || sum.Failed != 0 {
		t.Errorf("with retry: %+v", sum)
	}
}

// A burst that fails while its recording is decoded is written down once, and the others are heard.
func TestFailuresAreHeldToo(t *testing.T) {
	b, _, _ := slowly(t, "noise")
	b.e.err = evidence.Invalid("too strange")
	sum := b.run()
	if sum.Failed < 100 || sum.Heard != 0 || b.count(evidence.EntryFailure) != sum.Failed {
		t.Fatalf("%+v", sum)
	}
	b.e.err, b.o.Retry = nil, true
	if again := b.run(); again.Heard != sum.Failed || again.Decoded != 0 {
		t.Errorf("%+v", again)
	}
}

func TestTheLongestComesFirst(t *testing.T) {
	b, s, _ := slowly(t, "noise 1", "noise 2"+strings.Repeat(" ", 90_000), "noise 3"+strings.Repeat(" ", 20_000))
	b.o.Threads = 1
	b.run()
	if want := []string{"noise 2", "noise 3", "noise 1"}; !slices.Equal(s.order, want) {
		t.Errorf("decoded in the order %q", s.order)
	}
}

// As many bursts are handed to the recogniser as it can use, and no more.
func TestBurstsAreHandedInAhead(t *testing.T) {
	b, _, _ := slowly(t, "noise")
	var now, most atomic.Int64
	b.o.Threads, b.o.Ahead = 1, 5
	b.o.Recogniser = &counting{ear: b.e, now: &now, most: &most}
	if sum := b.run(); sum.Heard < 100 || most.Load() > 5 || most.Load() < 2 {
		t.Errorf("%d at once, %+v", most.Load(), sum)
	}
}

type counting struct {
	*ear
	now, most *atomic.Int64
}

func (c *counting) Hear(ctx context.Context, pcm []int16) (evidence.Heard, error) {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for m := c.most.Load(); n > m && !c.most.CompareAndSwap(m, n); m = c.most.Load() {
	}
	time.Sleep(time.Millisecond)
	return c.ear.Hear(ctx, pcm)
}
