package chains_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/chains"
	writer "github.com/earwitness/earwitness/internal/casefile/chains"
)

var (
	a, b = evidence.Span{From: 0, To: 10}, evidence.Span{From: 10, To: 20}
	olia = evidence.Author{Kind: "person", Name: "Olia"}
	ivan = evidence.Author{Kind: "person", Name: "Ivan"}
	prog = evidence.Author{Kind: "program", Name: "earwitness"}
)

func edit(n int) string { return fmt.Sprintf("%032x", n) }

func says(n int, at evidence.Span, replaces int64, blind bool) evidence.UtteranceWritten {
	return evidence.UtteranceWritten{Blind: blind, Edit: edit(n), Pieces: []evidence.Piece{{Text: "да"}}, Recording: "REC-0001", Replaces: replaces, Span: at}
}

// Each flaw is found by the auditor and refused by the writer, whose rules share no code. Entries have the indexes 1, 2, ...;
// all but the last of a row are right.
func TestRules(t *testing.T) {
	type step struct {
		author evidence.Author
		body   any
	}
	cut := func(n int, was, now []evidence.Span) evidence.TransmissionsCut {
		return evidence.TransmissionsCut{Edit: edit(n), Now: now, Recording: "REC-0001", Was: was}
	}
	one := []evidence.Span{a}
	for _, c := range []struct {
		flaw  string // in what the auditor says of the last; "" where it is right, too
		steps []step
	}{
		{"", []step{{olia, says(1, a, 0, false)}, {ivan, says(2, a, 1, false)}, {olia, says(3, a, 2, false)}}},
		{"", []step{{olia, says(1, a, 0, false)}, {ivan, says(2, a, 0, true)}, {ivan, says(3, a, 2, false)}}},
		{"", []step{{olia, says(1, a, 0, false)}, {olia, says(2, b, 0, false)}}},
		{"not by a person", []step{{prog, says(1, a, 0, false)}}},
		{"the newest", []step{{olia, says(1, a, 0, false)}, {ivan, says(2, a, 0, false)}}},
		{"the newest", []step{{olia, says(1, a, 0, false)}, {ivan, says(2, a, 1, false)}, {olia, says(3, a, 1, false)}}},
		{"something else", []step{{olia, says(1, a, 0, false)}, {ivan, says(2, b, 1, false)}}},
		{"something else", []step{{olia, says(1, a, 9, false)}}},
		{"same edit", []step{{olia, says(1, a, 0, false)}, {ivan, says(1, b, 0, false)}}},
		{"worked blind", []step{{ivan, says(1, a, 0, true)}, {olia, says(2, a, 1, false)}}},
		{"the newest", []step{{ivan, says(1, a, 0, true)}, {ivan, says(2, a, 0, true)}}},
		{"cut into others", []step{{olia, cut(1, one, []evidence.Span{{From: 0, To: 5}})}, {olia, says(2, a, 0, false)}}},
		{"cut before", []step{{olia, cut(1, one, nil)}, {ivan, cut(2, one, []evidence.Span{b})}}},
		{"", []step{{olia, cut(1, one, nil)}, {ivan, cut(2, nil, one)}, {olia, says(3, a, 0, false)}}},
		{"not changed", []step{{olia, cut(1, one, one)}}},
		{"does not come before", []step{{olia, evidence.TranslationWritten{Edit: edit(1), Language: "en", Of: 7, Recording: "REC-0001", Span: a, Text: "x"}}}},
		{"the newest", []step{{olia, evidence.TransmissionPlayed{Recording: "REC-0001", Span: a}}, {olia, evidence.TransmissionPlayed{Recording: "REC-0001", Span: a}}}},
		{"", []step{{olia, evidence.TransmissionPlayed{Recording: "REC-0001", Span: a}}, {ivan, evidence.TransmissionPlayed{Recording: "REC-0001", Span: a}}}},
		{"the newest", []step{{olia, evidence.PersonAdmitted{Edit: edit(1), Person: "Ivan", Role: "listener"}}, {olia, evidence.PersonAdmitted{Edit: edit(2), Person: "Ivan", Role: "admin"}}}},
		{"no role", []step{{olia, evidence.PersonAdmitted{Edit: edit(1), Person: "Ivan", Role: "god"}}}},
	} {
		var auditor chains.Rules
		admits := writer.New(nil)
		for i, s := range c.steps {
			idx := int64(i + 1)
			found := auditor.Check(idx, s.author, s.body)
			w, ok := writer.Of(s.author, s.body)
			if !ok {
				t.Fatalf("%T", s.body)
			}
			var refused error
			if v, ok := s.body.(interface{ Validate() error }); ok {
				refused = v.Validate()
			}
			if tr, ok := s.body.(evidence.TranslationWritten); ok && tr.Of >= idx {
				refused = evidence.Invalid("casefile refuses it")
			}
			if refused == nil {
				refused = admits.Admit(idx, s.author, w)
			}
			wrong := c.flaw != "" && i == len(c.steps)-1
			if (found != nil) != wrong || (refused != nil) != wrong {
				t.Errorf("%q, step %d: the auditor says %v, the writer %v", c.flaw, i+1, found, refused)
			}
			if wrong && found != nil && !strings.Contains(strings.ReplaceAll(found.Error(), "written by a program, not by a person", "not by a person"), c.flaw) {
				t.Errorf("%q: %v", c.flaw, found)
			}
		}
	}
}
