package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

func TestCanonicalForm(t *testing.T) {
	got, err := evidence.Canonical(map[string]any{"б": "a\"\\\n\x01<&>\u2028", "a": []any{1, true, -5}, "A": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	want := "{\"A\":{},\"a\":[1,true,-5],\"б\":\"a\\\"\\\\\\n\\u0001<&>\u2028\"}"
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := evidence.CheckCanonical(got); err != nil {
		t.Error(err)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"fraction": 1.5, "null": map[string]any{"a": nil}, "large": int64(1) << 53, "invalid utf-8": "a\xff",
		"invalid key": map[string]int{"\xff": 1}, "NaN": math.NaN(), "nil pointer in list": []*int{nil},
	} {
		if b, err := evidence.Canonical(v); err == nil {
			t.Errorf("%s: written as %s", name, b)
		}
	}
}

func TestCheckCanonicalRefuses(t *testing.T) {
	for _, s := range []string{
		``, `[]`, `"a"`, `{"a":1}x`, `{"a":1} `, ` {"a":1}`, `{"b":1,"a":1}`, `{"a":1,"a":1}`, `{"a":1,"a":2}`, `{"a":01}`, `{"a":1.0}`, `{"a":1e2}`,
		`{"a":-0}`, `{"a":null}`, `{"a":"\u0041"}`, `{"a":"\/"}`, `{"a": 1}`, `{"a":9007199254740992}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, "{\"a\":\"\x01\"}", `{"a"`,
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	} {
		if err := evidence.CheckCanonical([]byte(s)); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestEntryRoundTrip(t *testing.T) {
	at := time.Date(2026, 11, 23, 15, 4, 5, 678e6, time.UTC)
	e, err := evidence.NewEntry(evidence.EntryIntakeRefused, evidence.Author{Kind: "person", Name: "Оля"}, at.Add(123), evidence.IntakeRefused{Name: "x.wav", Reason: "cannot be read"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"author":{"kind":"person","name":"Оля"},"body":{"name":"x.wav","reason":"cannot be read"},"kind":"intake.refused","time":"2026-11-23T15:04:05.678Z","version":1}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	back, err := evidence.ParseEntry(b)
	if err != nil {
		t.Fatal(err)
	}
	body, err := evidence.DecodeBody[evidence.IntakeRefused](back, evidence.EntryIntakeRefused)
	if err != nil || body.Name != "x.wav" || !back.Time.Equal(at) {
		t.Errorf("%+v, %v", body, err)
	}
	if _, err := evidence.DecodeBody[evidence.Failure](back, evidence.EntryFailure); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("another kind: %v", err)
	}
}

func TestParseEntryRefuses(t *testing.T) {
	good := `{"author":{"kind":"person","name":"a"},"body":{},"kind":"k","time":"2026-11-23T15:04:05.678Z","version":1}`
	if _, err := evidence.ParseEntry([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"kind":"person"`: `"kind":"robot"`, `"name":"a"`: `"name":""`, `"version":1`: `"version":2`, `678Z`: `67Z`, `"body":{}`: `"body":1`,
		`"kind":"k",`: `"kind":"k","more":1,`, `2026-11-23`: `2026-02-30`, `"kind":"k"`: `"kind":""`,
		`{"author"`: `{"Author"`, `"name":"a"}`: `"name":"a"},"b\u212a":1`,
	} {
		if _, err := evidence.ParseEntry([]byte(strings.Replace(good, from, to, 1))); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s -> %s: %v", from, to, err)
		}
	}
}

func TestCitation(t *testing.T) {
	for s, want := range map[string]evidence.Citation{
		"REC-0014@00:31:36.0-00:31:41.6":      {Recording: "REC-0014", Span: evidence.Span{From: 1896 * 16000, To: 1901*16000 + 9600}},
		"REC-12345@100:00:00.125-100:00:01.0": {Recording: "REC-12345", Span: evidence.Span{From: 360000*16000 + 2000, To: 360001 * 16000}},
	} {
		c, err := evidence.ParseCitation(s)
		if err != nil || c != want {
			t.Errorf("%s: %+v, %v", s, c, err)
		}
		if c.String() != s {
			t.Errorf("%s is written as %s", s, c)
		}
	}
	for _, s := range []string{"", "REC-14@0:1-0:2", "REC-0001@00:00:01.0", "REC-0001@00:00:02.0-00:00:01.0", "REC-0001@00:60:00.0-00:61:00.0", "REC-0001@a-b"} {
		if c, err := evidence.ParseCitation(s); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" && s == "" {
			t.Errorf("%q: %+v, %v", s, c, err)
		}
	}
}

func TestErrorKinds(t *testing.T) {
	cause := evidence.NotFound("no such recording").WithHint("see `earwitness show`")
	err := error(evidence.Conflict("write entry").Because(cause))
	if evidence.KindOf(err) != evidence.KindConflict || evidence.HintOf(err) != cause.Hint || !errors.Is(err, cause) {
		t.Errorf("%v, hint %q", err, evidence.HintOf(err))
	}
	if evidence.KindOf(errors.New("x")) != evidence.KindInternal {
		t.Error("an error without a kind is internal")
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{"author":{"kind":"person","name":"a"},"body":{},"kind":"k","time":"2026-11-23T15:04:05.678Z","version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := evidence.ParseEntry(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q is written again as %q, %v", b, again, err)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":[1,"x"],"a":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v any
		if json.Unmarshal(b, &v) != nil {
			return
		}
		out, err := evidence.Canonical(map[string]any{"v": v})
		if err != nil {
			return
		}
		if err := evidence.CheckCanonical(out); err != nil {
			t.Errorf("%s: %v", out, err)
		}
	})
}

func FuzzParseCitation(f *testing.F) {
	f.Add("REC-0014@00:31:36.0-00:31:41.6")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := evidence.ParseCitation(s)
		if err != nil || c.Span.To == math.MaxInt64 {
			return
		}
		again, err := evidence.ParseCitation(c.String())
		if err == nil && (abs(again.Span.From-c.Span.From) > 8 || abs(again.Span.To-c.Span.To) > 8) {
			t.Errorf("%s comes back as %s", s, again)
		}
	})
}

func abs(n int64) int64 { return max(n, -n) }
