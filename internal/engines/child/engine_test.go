package child_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/child/fakeengine"
)

func TestMain(m *testing.M) {
	fakeengine.RunIfAsked(os.Getenv, os.Exit)
	os.Exit(m.Run())
}

func start(t *testing.T, c child.Config) *child.Engine {
	t.Helper()
	before := runtime.NumGoroutine()
	e, err := child.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		b := make([]byte, 1<<16)
		t.Errorf("goroutines outlive the engine:\n%s", b[:runtime.Stack(b, true)])
	})
	return e
}

func loud(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(4000 - 8000*(i/20%2) + i%100)
	}
	return pcm
}

func TestSpeechAndHear(t *testing.T) {
	e := start(t, fakeengine.Config(t))
	pcm := append(make([]int16, 4096), loud(10000)...)
	p, err := e.Speech(t.Context(), pcm)
	if err != nil || len(p) != 28 || p[7] != 0.02 || p[8] != 0.95 {
		t.Errorf("%v, %v", p, err)
	}
	m := fakeengine.Model(t)
	want, err := e.Hear(t.Context(), m, pcm, child.HearOptions{})
	if err != nil || len(want.Words) != 2 {
		t.Fatalf("%+v, %v", want, err)
	}
	h := want.Heard(100)
	if h.Words[1].Span != (evidence.Span{From: 8100, To: 14196}) || h.Words[1].P != 9000 || h.LogProbE4 != -2500 || h.Languages[1].P != 2500 {
		t.Errorf("%+v", h)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			got, err := e.Hear(t.Context(), m, pcm, child.HearOptions{Languages: []string{"ru"}})
			if err != nil || !slices.Equal(got.Words, want.Words) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
	if err := e.Unload(t.Context(), m); err != nil {
		t.Error(err)
	}
	if r, err := e.Hear(t.Context(), m, make([]int16, 100), child.HearOptions{}); err != nil || r.State != evidence.HeardNoSpeech {
		t.Errorf("%+v, %v", r, err)
	}
	id := e.Identity()
	if id.Engine() != (evidence.Engine{Build: "fake", Name: "fakeengine"}) || id.Features() != "any none" {
		t.Errorf("%+v", id)
	}
}

func TestClean(t *testing.T) {
	e := start(t, fakeengine.Config(t))
	got, err := e.Clean(t.Context(), []int16{100, -100, 7})
	if err != nil || !slices.Equal(got, []int16{50, -50, 3}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := e.Clean(t.Context(), nil); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("no samples: %v", err)
	}
	if _, err := e.Clean(t.Context(), fakeengine.NotFinite.Samples()); err == nil || !strings.Contains(err.Error(), "1 samples for 16000") {
		t.Errorf("too few samples: %v", err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	e := start(t, fakeengine.Config(t))
	_, err := e.Speech(t.Context(), fakeengine.Refuse.Samples())
	if evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) != "bring another" {
		t.Errorf("%v", err)
	}
	m := fakeengine.Model(t)
	if err := os.WriteFile(m.Path("encoder"), []byte("the encodes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := e.Load(t.Context(), m); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), "encoder.onnx") {
		t.Errorf("%v", err)
	}
	for _, pcm := range [][]int16{nil, make([]int16, child.MaxSamples+1)} {
		if _, err := e.Speech(t.Context(), pcm); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%d samples: %v", len(pcm), err)
		}
	}
	if _, err := e.Speech(t.Context(), make([]int16, child.MaxSamples)); err != nil {
		t.Errorf("the largest request: %v", err)
	}
}

func TestFaultsOfTheEngineAreErrorsOfTheRequest(t *testing.T) {
	c := fakeengine.Config(t)
	c.Deadline, c.MemoryBytes = 700*time.Millisecond, 300<<20
	for trap, words := range map[fakeengine.Trap]string{
		fakeengine.Crash: "its last words: terminate called", fakeengine.Hang: "no answer within 700ms", fakeengine.Flood: "broke the protocol",
		fakeengine.LieLength: "broke the protocol", fakeengine.Stranger: "not asked", fakeengine.NotFinite: "engine",
	} {
		t.Run(words, func(t *testing.T) {
			e := start(t, c)
			_, err := e.Speech(t.Context(), trap.Samples())
			if evidence.KindOf(err) != evidence.KindInternal || err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%v", err)
			}
			if _, err := e.Speech(t.Context(), loud(600)); err != nil {
				t.Errorf("the next request: %v", err)
			}
		})
	}
}

func TestMemoryIsCapped(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is watched on Linux only")
	}
	c := fakeengine.Config(t)
	c.MemoryBytes = 200 << 20
	e := start(t, c)
	_, err := e.Speech(t.Context(), fakeengine.Eat.Samples())
	if err == nil || !strings.Contains(err.Error(), "more than the 200 MB it may") || evidence.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestInnocentRequestsSurviveACrash(t *testing.T) {
	c := fakeengine.Config(t)
	c.Threads = 3
	e := start(t, c)
	m := fakeengine.Model(t)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := e.Speech(t.Context(), fakeengine.Beside.Samples()); err != nil {
				t.Errorf("an innocent request: %v", err)
			}
			if _, err := e.Hear(t.Context(), m, loud(1000), child.HearOptions{}); err != nil {
				t.Errorf("an innocent request: %v", err)
			}
		})
	}
	all.Go(func() {
		time.Sleep(100 * time.Millisecond) // let the others be under way; if they are not, the test only shows less
		if _, err := e.Speech(t.Context(), fakeengine.Crash.Samples()); err == nil {
			t.Error("the guilty request got an answer")
		}
	})
	all.Wait()
}

func TestCancelledRequestFreesItsPlace(t *testing.T) {
	c := fakeengine.Config(t)
	c.Threads = 1
	e := start(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Speech(ctx, fakeengine.Beside.Samples()); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v", err)
	}
	began := time.Now()
	if _, err := e.Speech(t.Context(), loud(600)); err != nil || time.Since(began) > 300*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	// One that cannot be interrupted is ended by its deadline, and the one that waits for the place is served.
	c.Deadline = 500 * time.Millisecond
	e = start(t, c)
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Speech(ctx, fakeengine.Hang.Samples()); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v", err)
	}
	if _, err := e.Speech(t.Context(), loud(600)); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsRequestsUnderWay(t *testing.T) {
	e := start(t, fakeengine.Config(t))
	done := make(chan error)
	go func() {
		_, err := e.Speech(t.Context(), fakeengine.Hang.Samples())
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v", err)
	}
	if _, err := e.Speech(t.Context(), loud(600)); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("after Close: %v", err)
	}
}

func TestStartRefuses(t *testing.T) {
	c := fakeengine.Config(t)
	c.StartWithin = 200 * time.Millisecond
	if _, err := child.Start(t.Context(), fakeengine.Mute(c)); err == nil || !strings.Contains(err.Error(), "said nothing") {
		t.Errorf("mute: %v", err)
	}
	c = fakeengine.Config(t)
	if _, err := child.Start(t.Context(), fakeengine.Old(c)); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("another protocol: %v", err)
	}
	c.Executable += ".missing"
	if _, err := child.Start(t.Context(), c); evidence.KindOf(err) != evidence.KindNeeds || evidence.HintOf(err) == "" {
		t.Errorf("missing: %v", err)
	}
	c.Threads = 0
	if _, err := child.Start(t.Context(), c); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("no threads: %v", err)
	}
}

func TestAnotherEngineIsNotTaken(t *testing.T) {
	e := start(t, fakeengine.Flighty(fakeengine.Config(t)))
	if _, err := e.Speech(t.Context(), fakeengine.Crash.Samples()); evidence.KindOf(err) != evidence.KindConflict {
		t.Errorf("%v", err)
	}
}

// More utterances than threads are handed in at once, and one that hangs takes nobody with it, not even those that were
// waiting when it was found out.
func TestManyAreHeardAtOnceAndOneHangs(t *testing.T) {
	c := fakeengine.Config(t)
	c.Threads, c.Deadline = 1, 1500*time.Millisecond
	e := start(t, c)
	m := fakeengine.Model(t)
	if err := e.Load(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if _, err := e.Hear(t.Context(), m, fakeengine.Beside.Samples(), child.HearOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("12 utterances of half a second took %v: they were handed in one by one", took)
	}
	all.Go(func() {
		if _, err := e.Hear(t.Context(), m, fakeengine.Hang.Samples(), child.HearOptions{}); err == nil || !strings.Contains(err.Error(), "no answer within") {
			t.Errorf("the one that hangs: %v", err)
		}
	})
	for i := range 4 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * 300 * time.Millisecond)
			if _, err := e.Hear(t.Context(), m, fakeengine.Beside.Samples(), child.HearOptions{}); err != nil {
				t.Errorf("an innocent utterance: %v", err)
			}
		})
	}
	all.Wait()
	// Two that hang wait for each other: each is found out once it is alone.
	for range 2 {
		all.Go(func() {
			if _, err := e.Hear(t.Context(), m, fakeengine.Hang.Samples(), child.HearOptions{}); err == nil {
				t.Error("one that hangs got an answer")
			}
		})
	}
	all.Wait()
	if _, err := e.Hear(t.Context(), m, loud(1000), child.HearOptions{}); err != nil {
		t.Errorf("the next utterance: %v", err)
	}
}
