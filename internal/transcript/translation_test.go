package transcript_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

// keyed writes a result with a key, as translations need of the hearing they belong to.
func (l *log) keyed(stage, key string, at evidence.Span, output any) {
	l.t.Helper()
	out, err := evidence.Canonical(output)
	if err != nil {
		l.t.Fatal(err)
	}
	l.add(evidence.EntryResult, evidence.Result{Engine: evidence.Engine{Name: "whisper", Build: "b1"}, Inputs: []evidence.Digest{{1}}, Key: evidence.DigestOf([]byte(key)),
		Model: &evidence.Model{Name: "whisper-base", Digest: evidence.DigestOf([]byte("m"))}, Output: out, Params: json.RawMessage("{}"), Recording: "REC-0001", Span: &at, Stage: stage, Version: 1})
}

// translations is a case with each kind of translation in it.
func translations(t *testing.T) []transcript.Line {
	l := &log{t: t}
	l.add(evidence.EntryCaseOpened, evidence.CaseOpened{Format: 1, Origin: "earwitness/x", Program: "test"})
	l.receive("REC-0001", "a.wav", evidence.Reception{})
	at := []evidence.Span{span(1, 3), span(3, 5), span(7, 8), span(9, 10), span(11, 12), span(13, 14)}
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{
		speech(span(1, 5), at[0], at[1]), speech(at[2], at[2]), speech(at[3], at[3]), speech(at[4], at[4]), speech(at[5], at[5])}})
	key := func(s string) evidence.Digest { return evidence.DigestOf([]byte(s)) }
	english := func(from, text, reason string) evidence.Translated {
		state := evidence.TranslatedWords
		if text == "" {
			state = evidence.NotTranslated
		}
		return evidence.Translated{From: key(from), Language: "en", Reason: reason, State: state, Text: text}
	}
	l.keyed(evidence.StageHear, "h0", at[0], words("ru", at[0], "Колонна", 9000, "идёт.", 4000))
	l.keyed(evidence.StageHear, "h1", at[1], words("ru", at[1], "Приём.", 9000))
	l.keyed(evidence.StageTranslate, "t0", at[0], english("h0", "=The column <b>moves</b>.", ""))
	l.keyed(evidence.StageTranslate, "t1", at[1], english("h1", "", "the text repeats itself"))
	l.keyed(evidence.StageHear, "h2", at[2], words("ru", at[2], "Да.", 9000))
	l.keyed(evidence.StageTranslate, "t2", at[2], english("h2", "", "the words are improbable"))
	l.keyed(evidence.StageHear, "h3", at[3], words("en", at[3], "Copy", 9000, "that.", 4000))
	l.keyed(evidence.StageHear, "h4", at[4], words("ru", at[4], "Нет.", 9000))
	l.keyed(evidence.StageHear, "h5", at[5], words("ru", at[5], "Раз.", 9000))
	l.keyed(evidence.StageTranslate, "t5", at[5], english("h5", "One.", ""))
	l.keyed(evidence.StageHear, "h5 by another engine", at[5], words("ru", at[5], "Два.", 9000))
	return l.state.AllLines()
}

func TestTranslations(t *testing.T) {
	lines := translations(t)
	for i, want := range []string{
		"en (machine draft): =The column <b>moves</b>. [00:00:03.0-00:00:05.0 no draft that can be stood by: the text repeats itself]",
		"en (machine draft): [not translated: no draft that can be stood by: the words are improbable]",
		"", "", "",
	} {
		got := ""
		if x := lines[i].Translation; x != nil {
			got = x.String()
		}
		if got != want {
			t.Errorf("line %d: %q, want %q", i, got, want)
		}
	}
}

func TestTranslationsAreNeverTakenForTheOriginal(t *testing.T) {
	lines := translations(t)
	schema := exportSchema(t)
	for i, s := range strings.Split(strings.TrimSpace(export(t, "jsonl", lines)), "\n") {
		var l map[string]any
		if err := json.Unmarshal([]byte(s), &l); err != nil {
			t.Fatal(err)
		}
		for _, fault := range conforms(schema, l, "line") {
			t.Error(fault)
		}
		x, ok := l["translation"].(map[string]any)
		if ok != (i < 2) {
			t.Errorf("line %d: translation %v", i, x)
		}
		if ok && x["machine_draft"] != true {
			t.Errorf("line %d: a machine's translation does not say that it is one: %v", i, x)
		}
		if ok {
			delete(x, "machine_draft")
			if len(conforms(schema, l, "line")) == 0 {
				t.Error("the schema lets a translation be silent about whose it is")
			}
		}
	}
	if s := export(t, "csv", lines); !strings.Contains(s, "translation_machine_draft") || !strings.Contains(s, "'=The column") {
		t.Error(s)
	}
	for _, format := range []string{"srt", "vtt"} {
		if s := export(t, format, lines); strings.Contains(s, "column") || !strings.Contains(s, "Колонна") {
			t.Errorf("%s shows a translation unasked:\n%s", format, s)
		}
		s := export(t, format, transcript.InEnglish(lines))
		for _, want := range []string{"[machine draft] =The column", "[as heard] Copy that.", "[not translated]"} {
			if strings.Count(s, want) < 1 {
				t.Errorf("%s lacks %q:\n%s", format, want, s)
			}
		}
		if strings.Contains(s, "Колонна") || strings.Contains(s, "One.") || strings.Contains(s, "<b>") || strings.Count(s, "[not translated]") != 3 {
			t.Errorf("%s:\n%s", format, s)
		}
	}
	if s := export(t, "vtt", transcript.InEnglish(lines)); !strings.Contains(s, "English by a machine") {
		t.Error(s)
	}
}
