package pipeline_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/transcript"
)

// interpreter says in English how long a burst is.
type interpreter struct {
	missing bool
	build   string
	err     error
	refuses bool
	after   func(calls int)
	mu      sync.Mutex
	calls   int
}

func (i *interpreter) Engine(context.Context) (evidence.Engine, error) {
	if i.missing {
		return evidence.Engine{}, evidence.Needs("the model is missing").WithHint("get it")
	}
	return evidence.Engine{Name: "test-interpreter", Build: i.build}, nil
}
func (i *interpreter) Model() (*evidence.Model, error) {
	return &evidence.Model{Name: "test", Digest: evidence.DigestOf([]byte("test"))}, nil
}
func (i *interpreter) Params() (any, error)                    { return "none", nil }
func (i *interpreter) Machine(context.Context) (string, error) { return "test", nil }
func (i *interpreter) Translate(_ context.Context, pcm []int16, from evidence.Digest) (evidence.Translated, error) {
	i.mu.Lock()
	i.calls++
	calls := i.calls
	i.mu.Unlock()
	if i.after != nil {
		i.after(calls)
	}
	out := evidence.Translated{From: from, Language: "en", State: evidence.TranslatedWords, Text: fmt.Sprintf("lasts %d samples", len(pcm))}
	if i.refuses {
		out.State, out.Text, out.Reason = evidence.NotTranslated, "", "improbable"
	}
	return out, i.err
}

// russian makes everything that is heard Russian.
func russian(h *evidence.Heard) { h.Language, h.Languages[0].Code = "ru", "ru" }

func (b *bench) lines() []transcript.Line {
	b.t.Helper()
	var st transcript.State
	if _, err := b.c.Follow(b.t.Context(), 0, st.Apply); err != nil {
		b.t.Fatal(err)
	}
	lines := st.AllLines()
	if len(lines) == 0 {
		b.t.Fatal("no lines")
	}
	return lines
}

func TestWordsInAnotherLanguageAreTranslatedOnceAndOnlyWhenAsked(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.e.says = russian
	heard := b.run().Heard
	for _, l := range b.lines() {
		if l.Translation != nil {
			t.Fatalf("unasked: %+v", l.Translation)
		}
	}
	i := &interpreter{build: "1"}
	b.o.Translator = i
	if s := b.run(); s.Translated != heard || s.Heard != 0 || i.calls != heard {
		t.Fatalf("%d heard, then %+v", heard, s)
	}
	for _, l := range b.lines() {
		if x := l.Translation; x == nil || !x.MachineDraft || x.Language != "en" || x.State != transcript.StateDraft || !strings.HasPrefix(x.Text, "lasts ") || x.Model != "test" || len(x.Entries) == 0 {
			t.Errorf("%+v", x)
		}
		if !strings.HasPrefix(l.Text, "1 ") || l.Lang != "ru" {
			t.Errorf("the original is %q in %s", l.Text, l.Lang)
		}
	}
	if s := b.run(); s.Translated != 0 || i.calls != heard {
		t.Errorf("translated again: %+v", s)
	}
	i.build = "2"
	if s := b.run(); s.Translated != heard {
		t.Errorf("another engine: %+v", s)
	}
	// What another hearing understood is another text, and the old translation does not stand beside it.
	b.o.Translator, b.e.build = nil, "2"
	b.run()
	for _, l := range b.lines() {
		if l.Translation != nil {
			t.Errorf("the translation of another hearing is shown beside %q", l.Text)
		}
	}
}

func TestNeitherEnglishNorWhatWasNotUnderstoodIsTranslated(t *testing.T) {
	for name, says := range map[string]func(h *evidence.Heard){
		"English":       func(h *evidence.Heard) { h.Language = "en" },
		"unknown":       func(h *evidence.Heard) { h.Languages = []evidence.Language{} },
		"misunderstood": func(h *evidence.Heard) { russian(h); h.State, h.Text, h.Words = evidence.HeardNotUnderstood, "", nil },
	} {
		b := newBench(t, "noise")
		b.e.says = says
		i := &interpreter{build: "1"}
		b.o.Translator = i
		if s := b.run(); s.Heard == 0 || s.Translated != 0 || i.calls != 0 {
			t.Errorf("%s: %+v after %d calls", name, s, i.calls)
		}
	}
}

func TestTranslationsThatFailOrAreRefusedStopNothing(t *testing.T) {
	b := newBench(t, "noise")
	b.e.says = russian
	i := &interpreter{build: "1", missing: true}
	b.o.Translator = i
	if s := b.run(); s.NeedsHint != "get it" || s.Failed != 0 || s.Heard == 0 {
		t.Fatalf("without the model: %+v", s)
	}
	i.missing, i.err = false, evidence.Invalid("the engine ended")
	s := b.run()
	if s.Translated != 0 || s.Failed == 0 || b.count(evidence.EntryFailure) != s.Failed {
		t.Fatalf("%+v", s)
	}
	if x := b.lines()[0].Translation; x == nil || x.State != transcript.StateNotTranslated || !strings.Contains(x.Reason, "the engine ended") {
		t.Errorf("of a failure is shown: %+v", x)
	}
	if again := b.run(); again.Failed != 0 || again.FailedBefore != s.Failed {
		t.Errorf("tried again unasked: %+v", again)
	}
	i.err, i.refuses, b.o.Retry = nil, true, true
	if again := b.run(); again.NotTranslated != s.Failed || again.Translated != 0 {
		t.Errorf("%+v", again)
	}
	if x := b.lines()[0].Translation; x == nil || x.String() != "en (machine draft): [not translated: no draft that can be stood by: improbable]" {
		t.Errorf("of a refusal is shown: %v", x)
	}
}

func TestCancelledTranslationsGoOn(t *testing.T) {
	b := newBench(t, "noise 1", "noise 2")
	b.e.says = russian
	b.o.Threads = 1
	ctx, cancel := context.WithCancel(t.Context())
	i := &interpreter{build: "1", after: func(calls int) {
		if calls == 2 {
			cancel()
		}
	}}
	b.o.Translator = i
	if s, err := pipeline.Run(ctx, b.c, b.o); evidence.KindOf(err) != evidence.KindCancelled || s.Failed != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	i.after = nil
	if s := b.run(); s.Translated == 0 {
		t.Fatalf("%+v", s)
	}
	whole := newBench(t, "noise 1", "noise 2")
	whole.e.says, whole.o.Translator = russian, &interpreter{build: "1"}
	whole.run()
	if b.count(evidence.EntryResult) != whole.count(evidence.EntryResult) {
		t.Error("cancelled translations that went on have other results than those that were left alone")
	}
}
