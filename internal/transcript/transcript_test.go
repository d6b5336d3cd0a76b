package transcript_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

var person = evidence.Author{Kind: "person", Name: "Оля"}

// log feeds entries to a State with indexes of its own.
type log struct {
	t     testing.TB
	state transcript.State
}

func (l *log) add(kind string, body any) int64 {
	l.t.Helper()
	return l.by(person.Name, kind, body)
}

// by adds an entry of somebody's.
func (l *log) by(name, kind string, body any) int64 {
	l.t.Helper()
	e, err := evidence.NewEntry(kind, evidence.Author{Kind: "person", Name: name}, time.Unix(0, 0), body)
	if err != nil {
		l.t.Fatal(err)
	}
	idx := l.state.Next()
	if err := l.state.Apply(idx, e); err != nil {
		l.t.Fatal(err)
	}
	return idx
}

func (l *log) receive(id, name string, rec evidence.Reception) {
	l.t.Helper()
	l.add(evidence.EntryRecordingReceived, evidence.RecordingReceived{Digest: evidence.DigestOf([]byte(id)), Name: name, Reception: rec, Recording: id, Size: 1000})
}

func (l *log) result(id, stage string, span *evidence.Span, output any) int64 {
	l.t.Helper()
	out, err := evidence.Canonical(output)
	if err != nil {
		l.t.Fatal(err)
	}
	r := evidence.Result{Engine: evidence.Engine{Name: "fake", Build: "1"}, Inputs: []evidence.Digest{{1}}, Output: out, Params: json.RawMessage("{}"), Recording: id, Span: span, Stage: stage, Version: 1}
	if stage == evidence.StageHear {
		r.Engine, r.Model = evidence.Engine{Name: "whisper", Build: "b1"}, &evidence.Model{Name: "whisper-base", Digest: evidence.DigestOf([]byte("m"))}
	}
	return l.add(evidence.EntryResult, r)
}

func span(from, to float64) evidence.Span {
	return evidence.Span{From: int64(from * evidence.Rate), To: int64(to * evidence.Rate)}
}

// speech is a transmission whose spans to hear are given.
func speech(at evidence.Span, hear ...evidence.Span) evidence.Transmission {
	return evidence.Transmission{BandHighHz: 3000, BandLowHz: 300, Hear: hear, LevelCB: -2340, PeakCB: -610, SnrCB: 1450, Sound: evidence.SoundSpeech, Span: at, SpeechP: 9900}
}

func words(lang string, at evidence.Span, text ...any) evidence.Heard {
	h := evidence.Heard{Languages: []evidence.Language{{Code: lang, P: 9000}, {Code: "en", P: 300}}, LogProbE4: -2231, State: evidence.HeardWords}
	step := at.Len() / int64(len(text)/2)
	for i := 0; i < len(text); i += 2 {
		if i > 0 {
			h.Text += " "
		}
		from := at.From + int64(i/2)*step
		h.Text += text[i].(string)
		h.Words = append(h.Words, evidence.Word{P: text[i+1].(int), Span: evidence.Span{From: from, To: from + step}, Text: " " + text[i].(string)})
	}
	return h
}

// sample is a small case with every state in it.
func sample(t testing.TB) *log {
	l := &log{t: t}
	l.add(evidence.EntryCaseOpened, evidence.CaseOpened{Format: 1, Origin: "earwitness/x", Program: "test"})
	l.receive("REC-0001", "макарів.ogg", evidence.Reception{Start: &evidence.StartTime{Basis: "receiver clock", Time: "2022-02-27T23:59:58+02:00", UncertaintyMilli: 500}})
	l.receive("REC-0002", "=cmd|' /C calc'!A0.wav", evidence.Reception{Synthetic: true})
	l.result("REC-0001", evidence.StageDecode, nil, evidence.Decoded{Channels: 1, Codec: "opus", Container: "ogg", Rate: 48000, Samples: 16000 * 60})
	a, b, c := span(1, 3.5), span(29, 31), span(31, 33)
	at := evidence.Span{From: 16001, To: 16000*3 + 7999}
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{
		speech(at, a), speech(span(29, 33), b, c), speech(span(35, 36), span(35, 36)), speech(span(37, 38), span(37, 38)),
		speech(span(39, 40), span(39, 40)), speech(span(41, 42), span(41, 42)), {Sound: evidence.SoundTone, Span: span(44, 45), LevelCB: -100, SnrCB: 3001, Calls: []evidence.SelectiveCall{
			{System: evidence.SystemZVEI1, Code: "12345", Span: span(44, 44.4)}, {System: evidence.SystemZVEI2, Code: "12345", Span: span(44, 44.4)},
			{System: evidence.SystemDTMF, Code: "*17", Span: span(44.5, 45)}}},
	}})
	l.result("REC-0001", evidence.StageHear, &a, words("ru", a, "Колонна", 9876, "идёт", 4100, "на", 9000, "Макаров.", 4999))
	l.result("REC-0001", evidence.StageHear, &b, words("uk", b, "Сокол,", 9000, "Сокол,", 3000))
	h := words("ru", c, "я", 5000, "Буран.", 9000)
	h.Languages = []evidence.Language{{Code: "ru", P: 6000}, {Code: "uk", P: 3000}}
	l.result("REC-0001", evidence.StageHear, &c, h)
	s := span(35, 36)
	l.result("REC-0001", evidence.StageHear, &s, evidence.Heard{Languages: []evidence.Language{{Code: "ru", P: 4000}}, State: evidence.HeardNotUnderstood, Reason: "the same words again and again"})
	s = span(37, 38)
	l.result("REC-0001", evidence.StageHear, &s, evidence.Heard{Languages: []evidence.Language{}, State: evidence.HeardNoSpeech})
	s = span(41, 42)
	l.add(evidence.EntryFailure, evidence.Failure{Engine: evidence.Engine{Name: "whisper", Build: "b1"}, Kind: "internal", Message: "engine was killed after 60 s", Recording: "REC-0001", Span: &s, Stage: evidence.StageHear})
	a = span(0, 2)
	l.result("REC-0002", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{speech(span(0, 2), a), speech(span(0.00001, 0.0003), span(0, 1))}})
	l.result("REC-0002", evidence.StageHear, &a, words("en", a, "-->", 9000, "<i>R&B</i>", 400, "over\u202e\n\nout", 9000, "{\\an8}", 8000))
	return l
}

func TestStates(t *testing.T) {
	l := sample(t)
	lines, err := l.state.Lines("REC-0001")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ state, reason, text, langs string }{
		{"draft", "", "Колонна идёт на Макаров.", "ru"},
		{"draft", "", "Сокол, Сокол, я Буран.", "uk or ru"},
		{"not understood", "the same words again and again", "", "ru"},
		{"no speech", "", "", ""},
		{"waiting", "", "", ""},
		{"failed", "engine was killed after 60 s", "", ""},
		{"no words", "tone", "", ""},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines", len(lines))
	}
	for i, w := range want {
		if got := lines[i]; got.State != w.state || got.Reason != w.reason || got.Text != w.text || got.Language() != w.langs {
			t.Errorf("line %d: %q %q %q %q, want %v", i, got.State, got.Reason, got.Text, got.Language(), w)
		}
	}
	first := lines[0]
	if first.Citation != "REC-0001@00:00:01.0-00:00:03.5" || first.Start != 1.0000625 || first.End != 3.4999375 || first.Probability != 0.8 || first.SnrDB != 14.5 {
		t.Errorf("%+v", first)
	}
	if first.TimeStart != "2022-02-27T23:59:59.000+02:00" || first.TimeEnd != "2022-02-28T00:00:01.500+02:00" || first.TimePlus != 0.5 {
		t.Errorf("time %s to %s", first.TimeStart, first.TimeEnd)
	}
	if w := first.Words[3]; w.Word != "Макаров." || !w.Doubtful() || first.Words[0].Doubtful() {
		t.Errorf("words %+v", first.Words)
	}
	if first.Engine != "whisper" || first.Model != "whisper-base" || !slices.Equal(first.Entries, []int64{4, 5}) {
		t.Errorf("engine %s, model %s, entries %v", first.Engine, first.Model, first.Entries)
	}
	r, err := l.state.Recording("REC-0001")
	if err != nil || r.States["draft"] != 2 || r.Count != 7 || r.Decoded.Codec != "opus" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := l.state.Lines("REC-0009"); evidence.KindOf(err) != evidence.KindNotFound {
		t.Error(err)
	}
}

func TestNewerReplaces(t *testing.T) {
	l := sample(t)
	// A failure after a result changes nothing; a result after a failure does.
	a, f := span(1, 3.5), span(41, 42)
	l.add(evidence.EntryFailure, evidence.Failure{Engine: evidence.Engine{Name: "w", Build: "2"}, Kind: "internal", Message: "no", Recording: "REC-0001", Span: &a, Stage: evidence.StageHear})
	l.result("REC-0001", evidence.StageHear, &f, words("ru", f, "Есть", 9000))
	l.result("REC-0001", evidence.StageHear, &a, words("ru", a, "Другое", 9000))
	l.add(evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Recording: "REC-0001", Replaces: 1, Reception: evidence.Reception{Mode: "USB"}})
	lines, err := l.state.Lines("REC-0001")
	if err != nil {
		t.Fatal(err)
	}
	if lines[0].Text != "Другое" || lines[5].State != "draft" || lines[0].TimeStart != "" {
		t.Errorf("%+v\n%+v", lines[0], lines[5])
	}
	// A newer detect result replaces the transmissions; what was heard of a span that is still there stays.
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{speech(span(1, 3), a)}})
	if lines, err = l.state.Lines("REC-0001"); err != nil || len(lines) != 1 || lines[0].Text != "Другое" {
		t.Errorf("%+v, %v", lines, err)
	}
	// A failure of the whole recording goes with the next success.
	fail := evidence.Failure{Engine: evidence.Engine{Name: "d", Build: "2"}, Kind: "invalid", Message: "not sound", Recording: "REC-0002", Stage: evidence.StageDecode}
	l.add(evidence.EntryFailure, fail)
	if r, err := l.state.Recording("REC-0002"); err != nil || len(r.Failures) != 1 || r.Failures[0].Message != "not sound" {
		t.Errorf("%+v, %v", r, err)
	}
	l.result("REC-0002", evidence.StageDecode, nil, evidence.Decoded{Samples: 1})
	if r, err := l.state.Recording("REC-0002"); err != nil || len(r.Failures) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSummerTimeDoesNotMoveAnOffset(t *testing.T) {
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		kyiv = time.FixedZone("EET", 2*3600) // no time zones on this machine: the offset alone is tested
	}
	old := time.Local
	time.Local = kyiv
	defer func() { time.Local = old }()
	l := &log{t: t}
	l.receive("REC-0001", "a", evidence.Reception{Start: &evidence.StartTime{Basis: "stated", Time: "2022-03-27T02:59:59+02:00"}})
	l.result("REC-0001", evidence.StageDetect, nil, evidence.Detected{Transmissions: []evidence.Transmission{speech(span(2, 3), span(2, 3))}})
	lines, err := l.state.Lines("REC-0001")
	if err != nil || lines[0].TimeStart != "2022-03-27T03:00:01.000+02:00" {
		t.Errorf("%v, %v", lines, err)
	}
}

func TestApplyRefuses(t *testing.T) {
	l := sample(t)
	for name, e := range map[string]evidence.Entry{
		"unknown recording": {Kind: evidence.EntryRecordingDescribed, Body: json.RawMessage(`{"reception":{},"recording":"REC-0009","replaces":1}`)},
		"unknown field":     {Kind: evidence.EntryRecordingDescribed, Body: json.RawMessage(`{"reception":{},"recording":"REC-0001","replaces":1,"x":1}`)},
		"twice":             {Kind: evidence.EntryRecordingReceived, Body: json.RawMessage(`{"digest":"` + evidence.Digest{}.String() + `","name":"","reception":{},"recording":"REC-0001","size":1}`)},
		"not an object":     {Kind: evidence.EntryFailure, Body: json.RawMessage(`[]`)},
	} {
		if err := l.state.Apply(l.state.Next(), e); evidence.KindOf(err) != evidence.KindDamaged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.state.Apply(l.state.Next()+1, evidence.Entry{}); err == nil {
		t.Error("a gap was accepted")
	}
}

// TestManyLines keeps a transmission of ten words small enough for 100,000 of them in 150 MB.
func TestManyLines(t *testing.T) {
	const recordings, each = 5, 1600
	l := &log{t: t}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range recordings {
		id := fmt.Sprintf("REC-%04d", i+1)
		l.receive(id, "a.wav", evidence.Reception{})
		d := evidence.Detected{}
		for k := range each {
			at := span(float64(k*4), float64(k*4+3))
			d.Transmissions = append(d.Transmissions, speech(at, at))
		}
		l.result(id, evidence.StageDetect, nil, d)
		for _, tr := range d.Transmissions {
			l.result(id, evidence.StageHear, &tr.Span, words("ru", tr.Span, "Сокол,", 9000, "я", 9000, "Буран,", 9000, "слышу", 9000, "вас", 9000, "хорошо,", 9000, "колонна", 9000, "стоит", 9000, "на", 9000, "шоссе", 9000))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / (recordings * each)
	t.Logf("%d bytes of memory a transmission of ten words", per)
	if per > 1500 {
		t.Errorf("%d bytes a transmission", per)
	}
	if n := len(l.state.AllLines()); n != recordings*each {
		t.Errorf("%d lines", n)
	}
}
