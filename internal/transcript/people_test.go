package transcript_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

func (l *log) utter(name string, at evidence.Span, replaces int64, blind bool, text string) int64 {
	l.t.Helper()
	p, err := evidence.ParseWording(text)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.by(name, evidence.EntryUtteranceWritten, evidence.UtteranceWritten{Blind: blind, Edit: "0", Language: "ru", Pieces: p, Recording: "REC-0001", Replaces: replaces, Span: at})
}

// net is a recording of four transmissions that a machine has heard.
func net(t *testing.T) (*log, []evidence.Span) {
	l := &log{t: t}
	l.add(evidence.EntryCaseOpened, evidence.CaseOpened{Format: 1, Origin: "earwitness/x", Program: "test"})
	l.receive("REC-0001", "a.wav", evidence.Reception{})
	var found []evidence.Transmission
	var at []evidence.Span
	for i := range 4 {
		sp := span(float64(10*i), float64(10*i+4))
		at = append(at, sp)
		found = append(found, speech(sp, sp))
	}
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: found})
	for _, sp := range at {
		l.result("REC-0001", evidence.StageHear, &sp, words("ru", sp, "Кедр,", 9000, "я", 4000, "Буря,", 8000, "приём.", 7000))
	}
	return l, at
}

func (l *log) lines() []transcript.Line {
	l.t.Helper()
	lines, err := l.state.Lines("REC-0001")
	if err != nil {
		l.t.Fatal(err)
	}
	return lines
}

func TestWhoseWordsCount(t *testing.T) {
	l, at := net(t)
	machine := l.lines()[0].Text
	a := l.utter("Олена", at[0], 0, false, "Кедр, я Буря, приём.")
	if got := l.lines()[0]; got.State != transcript.StateCorrected || got.Text != "Кедр, я Буря, приём." || got.People.Machine != machine || len(got.Words) != 0 || len(got.Desk.MachineWords) != 4 || got.Desk.Basis != a {
		t.Errorf("corrected: %+v", got)
	}
	l.utter("Микола", at[0], 0, true, "кедр — я бу\u0301ря, прие\u0308м!")
	if got := l.lines()[0]; got.State != transcript.StateVerified || got.People.Second != "Микола" || got.People.Rival != "" {
		t.Errorf("the same, but for case, punctuation, stress and composition: %+v", got.People)
	}
	b := l.utter("Олена", at[0], a, false, "Кедр, я Буран, приём.")
	if got := l.lines()[0]; got.State != transcript.StateDisputed || got.People.RivalBy != "Микола" || got.Text != "Кедр, я Буран, приём." {
		t.Errorf("disputed: %+v", got.People)
	}
	back := l.utter("Олена", at[0], b, false, "")
	if got := l.lines()[0]; got.State != transcript.StateCorrected || got.People.Author != "Микола" || got.People.Common != back {
		t.Errorf("taken back, the other's words count: %+v", got.People)
	}
	// Nobody verifies their own words.
	c := l.utter("Олена", at[1], 0, false, "сама")
	l.utter("Олена", at[1], 0, true, "сама")
	if got := l.lines()[1]; got.State != transcript.StateCorrected || got.People.Entry != c {
		t.Errorf("verified by the same person: %+v", got.People)
	}
}

func TestWordsThatAreTheSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Пост, мост", "пост мост", true},
		{"пост", "мост", false},
		{"ещё", "еще", true},
		{"[inaudible 1.2 s] да", "[inaudible 3.0 s] да", true},
		{"[inaudible 1.2 s] да", "да", false},
		{"[пост / мост]", "[мост / Пост]", true},
		{"[пост / мост]", "пост", false},
		{"двадцать два", "двадцатьдва", true},
		{"22", "23", false},
	} {
		a, _ := evidence.ParseWording(c.a)
		b, _ := evidence.ParseWording(c.b)
		if got := transcript.SameWords(a) == transcript.SameWords(b); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestTranslationsGoStale(t *testing.T) {
	l, at := net(t)
	basis := l.lines()[0].Desk.Basis
	tr := l.by("Олена", evidence.EntryTranslationWritten, evidence.TranslationWritten{Edit: "1", Language: "en", Of: basis, Recording: "REC-0001", Span: at[0], Text: "Kedr, this is Burya"})
	if got := l.lines()[0].Translation; got == nil || got.State != transcript.StateTranslated || got.MachineDraft || got.Entry != tr {
		t.Errorf("%+v", got)
	}
	l.utter("Олена", at[0], 0, false, "Кедр, я Буран")
	if got := l.lines()[0].Translation; got.State != transcript.StateStale {
		t.Errorf("%+v", got)
	}
	l.by("Олена", evidence.EntryTranslationWritten, evidence.TranslationWritten{Edit: "2", Language: "en", Of: basis, Recording: "REC-0001", Replaces: tr, Span: at[0]})
	if got := l.lines()[0]; got.Translation != nil || len(got.Desk.TakenBack) != 1 {
		t.Errorf("%+v", got.Translation)
	}
}

// Boundaries that people drew count, with the machine's words that fall into them, whatever a machine finds later.
func TestBoundariesOfPeople(t *testing.T) {
	l, at := net(t)
	half := evidence.Span{From: at[0].From, To: at[0].From + 2*evidence.Rate}
	rest := evidence.Span{From: half.To, To: at[0].To}
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "1", Recording: "REC-0001", Was: []evidence.Span{at[0]}, Now: []evidence.Span{half, rest}})
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "2", Recording: "REC-0001", Was: []evidence.Span{at[1], at[2]}, Now: []evidence.Span{{From: at[1].From, To: at[2].To}}})
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "3", Recording: "REC-0001", Was: []evidence.Span{at[3]}})
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "4", Recording: "REC-0001", Now: []evidence.Span{span(50, 52)}})
	texts := func() []string {
		var out []string
		for _, line := range l.lines() {
			out = append(out, line.Text)
		}
		return out
	}
	want := []string{"Кедр, я", "Буря, приём.", "Кедр, я Буря, приём. Кедр, я Буря, приём.", ""}
	if got := texts(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := l.lines()[3]; got.State != transcript.StateNotUnderstood || !got.People.Drawn {
		t.Errorf("%+v", got)
	}
	// Another detection, with other boundaries, does not bring back what people decided about; what is new is there.
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{speech(span(0.1, 4.2)), speech(span(30.5, 34)), speech(span(60, 62))}})
	lines := l.lines()
	if len(lines) != 5 || lines[4].Samples != span(60, 62) || lines[0].Samples != half {
		t.Errorf("%d lines: %q", len(lines), texts())
	}
	r, err := l.state.Recording("REC-0001")
	if err != nil || r.Count != 5 {
		t.Errorf("%d, %v", r.Count, err)
	}
	// Undone, the transmission is there again as it was.
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "5", Recording: "REC-0001", Was: []evidence.Span{half, rest}, Now: []evidence.Span{at[0]}})
	if got := l.lines()[0]; got.Samples != at[0] {
		t.Errorf("%+v", got.Samples)
	}
}

func TestWhoCarriedHowMuch(t *testing.T) {
	l, at := net(t)
	l.by("Олена", evidence.EntryMarkSet, evidence.MarkSet{Edit: "1", Mark: evidence.MarkDistress, Recording: "REC-0001", Span: evidence.Span{From: at[1].From + 100, To: at[1].From + 200}})
	for _, sp := range at[:2] {
		l.by("Олена", evidence.EntryTransmissionPlayed, evidence.TransmissionPlayed{Recording: "REC-0001", Span: sp})
	}
	l.utter("Олена", at[0], 0, false, "да")
	if got := l.state.Carried(); len(got) != 1 || got[0] != (transcript.Carried{Person: "Олена", Played: 2, Samples: 8 * evidence.Rate, Distress: 4 * evidence.Rate, Written: 1}) {
		t.Errorf("%+v", got)
	}
	if got := l.lines()[1]; len(got.People.Marks) != 1 {
		t.Errorf("%+v", got.People)
	}
	history, err := l.state.History("REC-0001", at[1])
	if err != nil || len(history) != 1 {
		t.Errorf("%v, %v", history, err)
	}
}

// Every field that people's work adds to an export is in its schema.
func TestPeopleConformToTheSchema(t *testing.T) {
	schema := exportSchema(t)
	l, at := net(t)
	l.utter("Олена", at[0], 0, false, "Кедр, [пост / мост] [inaudible 1.0 s]")
	l.utter("Микола", at[0], 0, true, "=другое")
	l.by("Олена", evidence.EntryStationsStated, evidence.StationsStated{Edit: "1", Recording: "REC-0001", Span: at[0], From: &evidence.Station{CallSign: "Буря", Basis: evidence.BasisSelf}, To: &evidence.Station{CallSign: "Кедр", Basis: evidence.BasisNamed}})
	l.by("Олена", evidence.EntryMarkSet, evidence.MarkSet{Edit: "2", Mark: evidence.MarkDistress, Note: "крик", Recording: "REC-0001", Span: at[0]})
	l.by("Олена", evidence.EntryTranslationWritten, evidence.TranslationWritten{Edit: "3", Language: "uk", Of: 1, Recording: "REC-0001", Span: at[0], Text: "Кедр"})
	l.by("Олена", evidence.EntryTransmissionsCut, evidence.TransmissionsCut{Edit: "4", Recording: "REC-0001", Was: []evidence.Span{at[1]}, Now: []evidence.Span{span(10.5, 14)}})
	lines := l.lines()
	for _, s := range strings.Split(strings.TrimSpace(export(t, "jsonl", lines)), "\n") {
		var v map[string]any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatal(err)
		}
		for _, fault := range conforms(schema, v, "line") {
			t.Errorf("%s\n%s", fault, s)
		}
	}
	for _, c := range []struct{ format, want string }{{"csv", "'=другое"}, {"csv", "Буря (self-identified)"}, {"srt", "Кедр, [пост / мост] [inaudible 1.0 s] [disputed]"}} {
		if got := export(t, c.format, lines); !strings.Contains(got, c.want) {
			t.Errorf("%s has no %q:\n%s", c.format, c.want, got)
		}
	}
}
