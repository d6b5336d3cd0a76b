package casefile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

var mykola = evidence.Author{Kind: "person", Name: "Mykola"}

// decoded makes a case with one recording of an hour.
func decoded(t testing.TB) (c *casefile.Case, dir, seen, recording string) {
	t.Helper()
	c, dir, seen = newCase(t)
	data := []byte("an hour of noise")
	recording = receive(t, c, data)
	r := evidence.Result{Engine: evidence.Engine{Name: "test", Build: "1"}, Inputs: []evidence.Digest{evidence.DigestOf(data)}, Machine: "test",
		Params: json.RawMessage("{}"), Recording: recording, Stage: evidence.StageDecode, Version: 1}
	out, err := evidence.Canonical(evidence.Decoded{Channels: 1, Codec: "pcm", Container: "WAV", Rate: evidence.Rate, Samples: 3600 * evidence.Rate})
	if err != nil {
		t.Fatal(err)
	}
	r.Output = out
	if _, err := c.Append(context.Background(), program, evidence.EntryResult, withKey(t, r)); err != nil {
		t.Fatal(err)
	}
	return c, dir, seen, recording
}

func edit(n int) string { return fmt.Sprintf("%032x", n) }

func words(t testing.TB, s string) []evidence.Piece {
	t.Helper()
	p, err := evidence.ParseWording(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What people write is kept only where they knew what it replaces; what is kept the verifier agrees with, in the same run and after opening anew.
func TestWhatPeopleWrite(t *testing.T) {
	c, dir, seen, rec := decoded(t)
	a, b := evidence.Span{From: 16000, To: 48000}, evidence.Span{From: 48000, To: 64000}
	ab := evidence.Span{From: 16000, To: 64000}
	utter := func(n int, sp evidence.Span, replaces int64, s string) evidence.UtteranceWritten {
		return evidence.UtteranceWritten{Edit: edit(n), Language: "ru", Pieces: words(t, s), Recording: rec, Replaces: replaces, Span: sp}
	}
	blind := utter(6, a, 0, "Я Кедр")
	blind.Blind = true
	var first, second int64
	for i, step := range []struct {
		author evidence.Author
		kind   string
		body   func() any
		want   evidence.Kind // KindInternal: it is kept
	}{
		{olia, evidence.EntryTransmissionPlayed, func() any { return evidence.TransmissionPlayed{Recording: rec, Span: a} }, 0},
		{olia, evidence.EntryTransmissionPlayed, func() any { return evidence.TransmissionPlayed{Recording: rec, Span: a} }, evidence.KindConflict},
		{olia, evidence.EntryUtteranceWritten, func() any { return utter(1, a, 0, "Кедр, я [Буря / буря], [inaudible 1.2 s].") }, 0},
		{olia, evidence.EntryUtteranceWritten, func() any { return utter(1, b, 0, "the same edit") }, evidence.KindConflict},
		{mykola, evidence.EntryUtteranceWritten, func() any { return utter(2, a, 0, "did not know of Olia's") }, evidence.KindConflict},
		{mykola, evidence.EntryUtteranceWritten, func() any { return utter(3, a, first, "Кедр, я Буря, приём") }, 0},
		{olia, evidence.EntryUtteranceWritten, func() any { return utter(4, a, first, "did not know of Mykola's") }, evidence.KindConflict},
		{olia, evidence.EntryUtteranceWritten, func() any { return utter(5, b, second, "of another span") }, evidence.KindInvalid},
		{program, evidence.EntryUtteranceWritten, func() any { return utter(5, b, 0, "by a program") }, evidence.KindInvalid},
		{mykola, evidence.EntryUtteranceWritten, func() any { return blind }, 0},
		{olia, evidence.EntryTranslationWritten, func() any {
			return evidence.TranslationWritten{Edit: edit(7), Language: "en", Of: second, Recording: rec, Span: a, Text: "Kedr, this is Burya, over"}
		}, 0},
		{olia, evidence.EntryTranslationWritten, func() any {
			return evidence.TranslationWritten{Edit: edit(8), Language: "uk", Of: 1 << 40, Recording: rec, Span: a, Text: "of what is not there"}
		}, evidence.KindInvalid},
		{olia, evidence.EntryStationsStated, func() any {
			return evidence.StationsStated{Edit: edit(9), Recording: rec, Span: a, From: &evidence.Station{CallSign: "Буря", Basis: evidence.BasisSelf}}
		}, 0},
		{olia, evidence.EntryMarkSet, func() any {
			return evidence.MarkSet{Edit: edit(10), Mark: evidence.MarkDistress, Recording: rec, Span: b}
		}, 0},
		{olia, evidence.EntryTransmissionsCut, func() any {
			return evidence.TransmissionsCut{Edit: edit(11), Recording: rec, Was: []evidence.Span{a, b}, Now: []evidence.Span{ab}}
		}, 0},
		{mykola, evidence.EntryUtteranceWritten, func() any { return utter(12, a, second, "on what is joined now") }, evidence.KindConflict},
		{mykola, evidence.EntryTransmissionsCut, func() any {
			return evidence.TransmissionsCut{Edit: edit(13), Recording: rec, Was: []evidence.Span{a}}
		}, evidence.KindConflict},
		{mykola, evidence.EntryTransmissionsCut, func() any {
			return evidence.TransmissionsCut{Edit: edit(14), Recording: rec, Was: []evidence.Span{ab}, Now: []evidence.Span{a, b}}
		}, 0},
		{mykola, evidence.EntryUtteranceWritten, func() any { return utter(15, a, second, "it came back") }, 0},
		{olia, evidence.EntryMarkSet, func() any {
			return evidence.MarkSet{Edit: edit(16), Mark: evidence.MarkReturn, Recording: rec, Span: evidence.Span{From: 0, To: 1 << 40}}
		}, evidence.KindInvalid},
	} {
		idx, err := c.Append(context.Background(), step.author, step.kind, step.body())
		if step.want != evidence.KindInternal {
			wantKind(t, fmt.Sprintf("step %d", i), err, step.want)
			continue
		}
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if first == 0 && step.kind == evidence.EntryUtteranceWritten {
			first = idx
		} else if second == 0 && step.kind == evidence.EntryUtteranceWritten {
			second = idx
		}
		if i%4 == 0 {
			mustClose(t, c)
			c = reopen(t, dir, seen)
		}
	}
	if at, ok := c.Edited(edit(3)); !ok || at != second {
		t.Errorf("the edit is found at %d, %v; it is at %d", at, ok, second)
	}
	if err := c.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	audited(t, dir)
}

// Fifty people write on the same five lines at once. Each entry that is kept replaces the one before it: no word of anybody's is lost.
func TestNoUpdateIsLost(t *testing.T) {
	c, dir, _, rec := decoded(t)
	const people, edits = 50, 20
	span := func(i int) evidence.Span {
		return evidence.Span{From: int64(i%5) * 1000, To: int64(i%5)*1000 + 1000}
	}
	var mu sync.Mutex
	newest := map[evidence.Span]int64{} // as the writers have seen it
	var kept, conflicts int
	var all sync.WaitGroup
	for p := range people {
		all.Go(func() {
			for n := range edits {
				sp := span(p + n)
				mu.Lock()
				replaces := newest[sp]
				mu.Unlock()
				u := evidence.UtteranceWritten{Edit: edit(p*edits + n + 1), Language: "ru", Pieces: words(t, fmt.Sprintf("%d by %d", n, p)), Recording: rec, Replaces: replaces, Span: sp}
				idx, err := c.Append(context.Background(), evidence.Author{Kind: "person", Name: fmt.Sprintf("person %d", p)}, evidence.EntryUtteranceWritten, u)
				mu.Lock()
				switch {
				case err == nil:
					kept++
					newest[sp] = max(newest[sp], idx)
				case evidence.KindOf(err) == evidence.KindConflict:
					conflicts++
				default:
					t.Error(err)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if kept+conflicts != people*edits || kept < 5 {
		t.Errorf("%d kept and %d refused of %d", kept, conflicts, people*edits)
	}
	replaced := map[int64]bool{}
	if _, err := c.Follow(context.Background(), 0, func(idx int64, e evidence.Entry) error {
		if e.Kind != evidence.EntryUtteranceWritten {
			return nil
		}
		u, err := evidence.DecodeBody[evidence.UtteranceWritten](e, e.Kind)
		if err != nil {
			return err
		}
		if u.Replaces != 0 && replaced[u.Replaces] {
			t.Errorf("entry %d replaces entry %d, which was replaced before", idx, u.Replaces)
		}
		replaced[u.Replaces] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	audited(t, dir)
}
