package pipeline_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/transcript"
)

// media is a decoder that works: it understands "noise" files and nothing else.
type media struct {
	build string
	calls int
	mu    sync.Mutex
}

func (m *media) Engine(context.Context) (evidence.Engine, error) {
	return evidence.Engine{Name: "test-media", Build: m.build}, nil
}

func (m *media) Params() any { return "none" }

func (m *media) Decode(ctx context.Context, path string, _ *evidence.RawLayout, w io.Writer, progress func(int64, int64)) (evidence.Decoded, error) {
	m.mu.Lock()
	m.calls++
	m.mu.Unlock()
	b, err := os.ReadFile(path)
	if err != nil {
		return evidence.Decoded{}, err
	}
	if !bytes.HasPrefix(b, []byte("noise")) {
		return evidence.Decoded{}, evidence.Invalid("this is no recording")
	}
	pcm := bursts(4)
	if _, err := w.Write(pcm); err != nil {
		return evidence.Decoded{}, err
	}
	progress(int64(len(pcm)/2), 0)
	return evidence.Decoded{Channels: 1, Codec: "test", Container: "test", Rate: evidence.Rate, Samples: int64(len(pcm) / 2)}, ctx.Err()
}

// bursts makes n seconds-long tones with silences between them.
func bursts(n int) []byte {
	var pcm []byte
	for i := range n * 3 * evidence.Rate {
		v := 20 * math.Sin(float64(i)*1.7+math.Sin(float64(i)*0.37)*9)
		if i/evidence.Rate%3 == 1 {
			v += 9000 * math.Sin(float64(i)*0.31) * (0.6 + 0.4*math.Sin(float64(i)*0.002))
		}
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}

// voices is a detector for which loud is speech.
type voices struct{}

func (voices) Engine(context.Context) (evidence.Engine, error) {
	return evidence.Engine{Name: "test-voices", Build: "1"}, nil
}
func (voices) Model() (*evidence.Model, error)                          { return nil, nil }
func (voices) Cleaner() (*evidence.Model, error)                        { return nil, nil }
func (voices) Clean(_ context.Context, region []int16) ([]int16, error) { return region, nil }
func (voices) Machine(context.Context) (string, error)                  { return "test", nil }
func (voices) Speech(_ context.Context, region []int16) ([]float32, error) {
	out := make([]float32, 0, len(region)/512+1)
	for len(region) > 0 {
		n := min(512, len(region))
		loud := 0.0
		for _, v := range region[:n] {
			loud = max(loud, math.Abs(float64(v)))
		}
		p := float32(0.01)
		if loud > 2000 {
			p = 0.99
		}
		out, region = append(out, p), region[n:]
	}
	return out, nil
}

// ear hears how long a burst is.
type ear struct {
	missing bool
	build   string
	model   string
	says    func(*evidence.Heard) // changes what is heard; may be nil
	err     error
	calls   int
	mu      sync.Mutex
	after   func(calls int) // called when a burst has been heard
}

func (e *ear) Engine(context.Context) (evidence.Engine, error) {
	if e.missing {
		return evidence.Engine{}, evidence.Needs("the model is missing").WithHint("get it")
	}
	return evidence.Engine{Name: "test-ear", Build: e.build}, nil
}
func (e *ear) Model() (*evidence.Model, error) {
	return &evidence.Model{Name: "test" + e.model, Digest: evidence.DigestOf([]byte("test" + e.model))}, nil
}
func (e *ear) Params() (any, error)                    { return "none", nil }
func (e *ear) Machine(context.Context) (string, error) { return "test", nil }
func (e *ear) Hear(_ context.Context, pcm []int16) (evidence.Heard, error) {
	e.mu.Lock()
	e.calls++
	calls := e.calls
	e.mu.Unlock()
	if e.after != nil {
		e.after(calls)
	}
	if e.err != nil {
		return evidence.Heard{}, e.err
	}
	text := fmt.Sprintf("%s%s %d", e.model, e.build, len(pcm))
	h := evidence.Heard{State: evidence.HeardWords, Text: text, Languages: []evidence.Language{{Code: "en", P: 9000}},
		Words: []evidence.Word{{Text: text, P: 9000, Span: evidence.Span{From: 0, To: int64(len(pcm)) + 99}}}}
	if e.says != nil {
		e.says(&h)
	}
	return h, nil
}

type bench struct {
	t   *testing.T
	c   *casefile.Case
	o   pipeline.Options
	m   *media
	e   *ear
	now time.Time
}

func newBench(t *testing.T, contents ...string) *bench {
	t.Helper()
	b := &bench{t: t, m: &media{build: "1"}, e: &ear{build: "1"}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	person := evidence.Author{Kind: "person", Name: "Test"}
	c, err := casefile.Create(t.Context(), filepath.Join(t.TempDir(), "c.case"), casefile.Options{
		Title: "Test", Author: person, Program: "test", Now: func() time.Time { return b.now }, Rand: rand.Reader, SeenDir: t.TempDir(),
		Policy: evidence.Policy{IntakeDelaySeconds: 3600},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	b.c = c
	for i, s := range contents {
		b.add(fmt.Sprintf("%d.bin", i), s, evidence.Reception{})
	}
	b.o = pipeline.Options{Author: evidence.Author{Kind: "program", Name: "test"}, Decoder: b.m, Detector: voices{}, Recogniser: b.e,
		Detect: analysis.DefaultDetectParams(), Threads: 2, Now: func() time.Time { return b.now }}
	return b
}

func (b *bench) add(name, content string, r evidence.Reception) {
	b.t.Helper()
	w, err := b.c.NewBlob(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		b.t.Fatal(err)
	}
	d, err := w.Commit(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if _, _, _, err := b.c.Receive(b.t.Context(), evidence.Author{Kind: "person", Name: "Test"},
		evidence.RecordingReceived{Digest: d, Name: name, Size: int64(len(content)), Reception: r}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) run() pipeline.Summary {
	b.t.Helper()
	s, err := pipeline.Run(b.t.Context(), b.c, b.o)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) count(kind string) int {
	b.t.Helper()
	n := 0
	if _, err := b.c.Follow(b.t.Context(), 0, func(_ int64, e evidence.Entry) error {
		if e.Kind == kind {
			n++
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestRunDoesWhatIsMissingOnce(t *testing.T) {
	b := newBench(t, "noise 1", "not a recording", "noise 2")
	last := 0.0
	b.o.Report = func(e pipeline.Event) {
		if e.Fraction < last || e.Fraction > 1 {
			t.Errorf("fraction %v after %v", e.Fraction, last)
		}
		last = e.Fraction
	}
	s := b.run()
	if s.Decoded != 2 || s.Detected != 2 || s.Failed != 1 || s.Heard < 2 || s.Heard > s.Transmissions*2 || s.Needs != "" {
		t.Fatalf("%+v", s)
	}
	if last < 0.5 {
		t.Errorf("ended at a fraction of %v", last)
	}
	results, failures := b.count(evidence.EntryResult), b.count(evidence.EntryFailure)
	last = 0
	again := b.run()
	if again.Decoded+again.Detected+again.Heard+again.Failed != 0 || again.FailedBefore != 1 {
		t.Errorf("second run: %+v", again)
	}
	if b.count(evidence.EntryResult) != results || b.count(evidence.EntryFailure) != failures {
		t.Error("the second run wrote entries")
	}
	b.o.Retry, last = true, 0
	if s := b.run(); s.Failed != 1 {
		t.Errorf("with retry: %+v", s)
	}
}

func TestAnotherEngineGivesResultsBesideTheOld(t *testing.T) {
	b := newBench(t, "noise")
	first := b.run()
	before := b.count(evidence.EntryResult)
	b.e.build = "2"
	s := b.run()
	if s.Decoded != 0 || s.Detected != 0 || s.Heard != first.Heard || b.count(evidence.EntryResult) != before+first.Heard {
		t.Errorf("%+v after %+v", s, first)
	}
}

// Whoever runs a model reads what it heard, also when it had heard everything before; nothing is heard twice.
func TestTheModelOfTheLastRunCounts(t *testing.T) {
	b := newBench(t, "noise")
	for i, model := range []string{"", "other ", "", "", "other "} {
		b.e.model = model
		s := b.run()
		if i > 1 && s.Heard != 0 {
			t.Errorf("run %d heard %d bursts again", i, s.Heard)
		}
		var st transcript.State
		if _, err := b.c.Follow(t.Context(), 0, st.Apply); err != nil {
			t.Fatal(err)
		}
		lines := st.AllLines()
		if len(lines) == 0 {
			t.Fatal("no lines")
		}
		for _, l := range lines {
			if l.Model != "test"+model || !strings.HasPrefix(l.Text, model+"1 ") {
				t.Errorf("run %d with %q shows %q by %s", i, model, l.Text, l.Model)
			}
		}
	}
	if n := b.count(evidence.EntryHearingChosen); n != 3 {
		t.Errorf("%d choices are written down, not 3", n)
	}
}

func TestWordsStayInsideTheirBurst(t *testing.T) {
	b := newBench(t, "noise")
	b.run()
	if _, err := b.c.Follow(t.Context(), 0, func(_ int64, e evidence.Entry) error {
		if e.Kind != evidence.EntryResult {
			return nil
		}
		r, err := evidence.DecodeBody[evidence.Result](e, e.Kind)
		if err != nil || r.Stage != evidence.StageHear {
			return err
		}
		var h evidence.Heard
		if err := json.Unmarshal(r.Output, &h); err != nil {
			return err
		}
		for _, w := range h.Words {
			if w.Span.From < r.Span.From || w.Span.To > r.Span.To {
				t.Errorf("word %+v of burst %+v", w.Span, r.Span)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestMissingModelLeavesTheRestDone(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.e.missing = true
	s := b.run()
	if s.Decoded != 2 || s.Detected != 2 || s.Heard != 0 || s.Waiting == 0 || s.NeedsHint != "get it" || b.count(evidence.EntryFailure) != 0 {
		t.Fatalf("%+v", s)
	}
	b.e.missing = false
	if again := b.run(); again.Heard != s.Waiting || again.Decoded != 0 {
		t.Errorf("%+v after %+v", again, s)
	}
}

func TestOneBurstThatFailsStopsNothing(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.e.err = errors.New("the engine ended")
	s := b.run()
	if s.Failed == 0 || s.Heard != 0 || b.count(evidence.EntryFailure) != s.Failed {
		t.Fatalf("%+v", s)
	}
	b.e.err = nil
	if s := b.run(); s.Heard != 0 || s.FailedBefore == 0 {
		t.Errorf("what failed was tried again unasked: %+v", s)
	}
	b.o.Retry = true
	if again := b.run(); again.Heard != s.Failed {
		t.Errorf("%+v after %+v", again, s)
	}
}

func TestCancelledRunGoesOn(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.o.Threads = 1
	ctx, cancel := context.WithCancel(t.Context())
	b.e.after = func(calls int) {
		if calls == 2 {
			cancel()
		}
	}
	s, err := pipeline.Run(ctx, b.c, b.o)
	if evidence.KindOf(err) != evidence.KindCancelled || s.Failed != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	b.e.after = nil
	b.run()
	whole := newBench(t, "noise 1", "noise 2")
	whole.run()
	if b.count(evidence.EntryResult) != whole.count(evidence.EntryResult) {
		t.Error("a cancelled run that went on has other results than one that was left alone")
	}
}

func TestYoungRecordingsWait(t *testing.T) {
	b := newBench(t)
	b.add("young.bin", "noise", evidence.Reception{Start: &evidence.StartTime{Time: b.now.Add(-time.Minute).Format(time.RFC3339), Basis: "stated"}})
	if s := b.run(); s.Delayed != 1 || s.Decoded != 0 {
		t.Errorf("%+v", s)
	}
	b.now = b.now.Add(time.Hour)
	if s := b.run(); s.Delayed != 0 || s.Decoded != 1 {
		t.Errorf("an hour later: %+v", s)
	}
}

func TestOnlyTheRecordingsAskedFor(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.o.Recordings = []string{"REC-0002"}
	if s := b.run(); s.Decoded != 1 {
		t.Errorf("%+v", s)
	}
	b.o.Recordings = []string{"REC-0009"}
	if _, err := pipeline.Run(t.Context(), b.c, b.o); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("%v", err)
	}
}
