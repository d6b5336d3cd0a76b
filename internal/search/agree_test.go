package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// TestAgreesWithReading asks random queries and compares the index's answer with one found by reading every line.
func TestAgreesWithReading(t *testing.T) {
	c := sampleCase(t)
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), c)
	all, err := x.Search(t.Context(), "sound:speech OR", Options{})
	if err == nil {
		t.Fatalf("OR without a word is accepted: %+v", all)
	}
	lines := find(t, x, "state:draft").Hits
	var words []string
	for _, h := range lines {
		for _, tok := range tokens(h.Line.Text) {
			words = append(words, h.Line.Text[tok.from:tok.to])
		}
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 400 {
		var parts []string
		for range 1 + rnd.IntN(3) {
			i := rnd.IntN(len(words))
			w := words[i]
			switch r := []rune(w); rnd.IntN(6) {
			case 0:
				if len(r) > 2 {
					w = string(r[:2+rnd.IntN(len(r)-2)]) + "*"
				}
			case 1:
				if len(r) > 3 {
					r[rnd.IntN(len(r))] = 'о'
					w = string(r) + "~"
				}
			case 2:
				if i+1 < len(words) {
					w = `"` + w + " " + words[i+1] + `"`
				}
			case 3:
				w += " OR " + words[rnd.IntN(len(words))]
			case 4:
				w = "-" + w
			}
			parts = append(parts, w)
		}
		query := strings.Join(parts, " ")
		q, err := ParseQuery(query)
		if err != nil {
			continue // an apostrophe or a short word in the wrong place
		}
		want := Answer{}
		for _, h := range lines {
			if reads(t, x, q, h.Line.Text) {
				want.Hits = append(want.Hits, h)
			}
		}
		if got := where(find(t, x, query+" state:draft")); got != where(want) {
			t.Errorf("%s: the index finds %q, reading %q", query, got, where(want))
		}
	}
}

// reads reports whether text matches q, found without the index but for the vocabulary of fuzzy words.
func reads(t *testing.T, x *Index, q Query, text string) bool {
	t.Helper()
	m := matcher{stems: x.stems}
	var err error
	if x.tx, err = x.db.Read.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.tx.Rollback(); err != nil {
			t.Error(err)
		}
	}()
	toks := tokens(text)
	found := func(tm term) bool {
		e, err := x.expand(context.Background(), tm)
		if err != nil {
			t.Fatal(err)
		}
		for i := range toks {
			if m.at(e, toks[i:]) > 0 {
				return true
			}
		}
		return false
	}
	for _, group := range q.all {
		any := false
		for _, tm := range group {
			any = any || found(tm)
		}
		if !any {
			return false
		}
	}
	for _, tm := range q.not {
		if found(tm) {
			return false
		}
	}
	return true
}

// TestTwoProcesses lets two indexes over one file follow a growing case at once.
func TestTwoProcesses(t *testing.T) {
	whole := sampleCase(t)
	path := filepath.Join(t.TempDir(), "derived.db")
	want := answers(t, openIndex(t, filepath.Join(t.TempDir(), "d.db"), whole))
	var wg sync.WaitGroup
	for p := range 2 {
		wg.Go(func() {
			for n := 1 + p; n <= len(whole.entries); n += 3 {
				c := &caseLog{t: t, entries: whole.entries[:n]}
				x, err := Open(context.Background(), path, "test 1", c)
				if err == nil {
					err = x.Update(context.Background())
				}
				if err == nil {
					_, err = x.Search(context.Background(), "танк", Options{})
				}
				if err == nil {
					err = x.Close()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := answers(t, openIndex(t, path, whole)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("other answers after two processes followed the case at once")
	}
}

func TestCancelled(t *testing.T) {
	c := sampleCase(t)
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.receive("REC-0004", "x", "")
	if err := x.Update(ctx); err == nil {
		t.Error("a cancelled update went on")
	}
	if err := x.Update(t.Context()); err != nil {
		t.Error(err)
	}
	if a := find(t, x, "танк"); a.Total != 3 {
		t.Errorf("%d found", a.Total)
	}
}

// TestCaseUnreadable sees that the index says what stands in the way where the case cannot be read, and keeps the index.
func TestCaseUnreadable(t *testing.T) {
	c := sampleCase(t)
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), c)
	good := c.entries
	c.entries = append(append([]evidence.Entry{}, good...), evidence.Entry{Kind: evidence.EntryResult, Body: []byte(`{"no":1}`), Author: evidence.Author{Kind: "program", Name: "x"}, Time: time.Unix(0, 0)})
	if err := x.Update(t.Context()); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("%v", err)
	}
	c.entries, c.read = good, 0
	if err := x.Update(t.Context()); err != nil || c.read > 1 {
		t.Errorf("%d entries read: the index was not kept, %v", c.read, err)
	}
	if a := find(t, x, "танк"); a.Total != 3 {
		t.Errorf("%d found", a.Total)
	}
}
