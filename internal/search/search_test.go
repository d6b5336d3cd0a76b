package search

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/earwitness/earwitness/evidence"
)

// caseLog is a case in memory.
type caseLog struct {
	t       testing.TB
	entries []evidence.Entry
	read    int // how many entries were read
}

func (c *caseLog) Follow(ctx context.Context, from int64, fn func(int64, evidence.Entry) error) (int64, error) {
	for i := from; i < int64(len(c.entries)); i++ {
		c.read++
		if err := fn(i, c.entries[i]); err != nil {
			return i, err
		}
	}
	return int64(len(c.entries)), ctx.Err()
}

func (c *caseLog) add(kind string, body any) {
	c.t.Helper()
	e, err := evidence.NewEntry(kind, evidence.Author{Kind: "program", Name: "test"}, time.Unix(int64(len(c.entries)), 0), body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.entries = append(c.entries, e)
}

func (c *caseLog) receive(id, name, start string) {
	r := evidence.RecordingReceived{Digest: evidence.DigestOf([]byte(id)), Name: name, Recording: id, Size: 1}
	if start != "" {
		r.Reception.Start = &evidence.StartTime{Basis: "stated", Time: start}
	}
	c.add(evidence.EntryRecordingReceived, r)
}

func (c *caseLog) result(id, stage string, span *evidence.Span, output any) {
	out, err := evidence.Canonical(output)
	if err != nil {
		c.t.Fatal(err)
	}
	c.add(evidence.EntryResult, evidence.Result{Engine: evidence.Engine{Name: "fake", Build: "1"}, Inputs: []evidence.Digest{{1}}, Output: out, Params: json.RawMessage("{}"), Recording: id, Span: span, Stage: stage, Version: 1})
}

// said is a transmission of a test case: text in a language, 10 seconds after the one before.
type said struct{ lang, text string }

func (c *caseLog) detect(id string, list []said) {
	var d evidence.Detected
	for i, s := range list {
		at := evidence.Span{From: int64(i) * 160000, To: int64(i)*160000 + 80000}
		tr := evidence.Transmission{Hear: []evidence.Span{at}, Sound: evidence.SoundSpeech, Span: at, SnrCB: 500 + 300*i}
		if s.lang == "" {
			tr.Hear, tr.Sound = nil, s.text
		}
		d.Transmissions = append(d.Transmissions, tr)
	}
	c.result(id, evidence.StageDetect, nil, d)
}

func (c *caseLog) hear(id string, list []said) {
	for i, s := range list {
		if s.lang == "" || s.lang == "-" {
			continue
		}
		at := evidence.Span{From: int64(i) * 160000, To: int64(i)*160000 + 80000}
		h := evidence.Heard{Languages: []evidence.Language{{Code: s.lang, P: 9000}}, State: evidence.HeardWords, Text: s.text}
		if s.text == "" {
			h.State = evidence.HeardNotUnderstood
		}
		c.result(id, evidence.StageHear, &at, h)
	}
}

var netRU = []said{
	{"ru", "Сокол, я Буран. Колонна стоит на шоссе. Срочно нужно топливо. Приём."},
	{"ru", "Буран, я Сокол. Вас понял. Ждите. Приём."},
	{"ru", "Дорога на Макаров закрыта. Мост разрушен."},
	{"ru", "Вижу танки у Мотыжина, пять единиц."},
	{"ru", "Колона стоїть біля Макарова, потрібне пальне."}, // Ukrainian, labelled Russian
	{"", "tone"},
	{"ru", ""},
	{"-", ""},
	{"ru", "Ёлка у замка. Ещё раз: ёлка."},
}

var netUK = []said{
	{"uk", "Київ, я Харків. П'ять танків біля Мотижина. Прийом."},
	{"uk", "У Бородянці поранені, потрібні медики."},
	{"uk", "Міст на Макарів зруйновано. Дорогою не їхати."},
	{"uk", "Колони танків ідуть дорогою."},
}

var netEN = []said{
	{"en", "The convoy is running low on fuel. Over."},
	{"en", "Drivers don't cross the bridge, the bridge is destroyed."},
	{"en", "Café radio check, five by five."},
}

func sampleCase(t testing.TB) *caseLog {
	c := &caseLog{t: t}
	c.add(evidence.EntryCaseOpened, evidence.CaseOpened{Format: 1, Origin: "earwitness/x", Program: "test"})
	c.receive("REC-0001", "net-ru 2022-02-27.ogg", "2022-02-27T23:59:30+02:00")
	c.receive("REC-0002", "Макарів Ёж.wav", "2022-03-01T10:00:00+02:00")
	c.receive("REC-0003", "english.wav", "")
	for id, list := range map[string][]said{"REC-0001": netRU, "REC-0002": netUK, "REC-0003": netEN} {
		c.detect(id, list)
		c.hear(id, list)
	}
	return c
}

func openIndex(t testing.TB, path string, c *caseLog) *Index {
	t.Helper()
	x, err := Open(t.Context(), path, "test 1", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

func find(t testing.TB, x *Index, query string) Answer {
	t.Helper()
	a, err := x.Search(t.Context(), query, Options{Limit: 1000, Histogram: true})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return a
}

// where writes the hits of an answer as "1/3 2/0": recording and place of the transmission, sorted.
func where(a Answer) string {
	var out []string
	for _, h := range a.Hits {
		out = append(out, fmt.Sprintf("%s/%d", strings.TrimLeft(h.Line.Recording, "REC-0"), int(h.Line.Start)/10))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestQueries(t *testing.T) {
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), sampleCase(t))
	for query, want := range map[string]string{
		// Words: all must match, in any form, whatever the case.
		"колонна":           "1/0 1/4 2/3", // Ukrainian колона as well
		"КОЛОННЫ топлива":   "1/0",
		"колонна мост":      "",
		"танк":              "1/3 2/0 2/3",
		"дорога":            "1/2 2/2 2/3",
		"driver bridges":    "3/1",
		"run":               "3/0",
		"dont":              "3/1",
		"don’t":             "3/1",
		"по-русски":         "",
		"5":                 "",
		"пять":              "1/3 2/0", // п'ять: the same letters without the apostrophe
		"п'ять":             "1/3 2/0",
		"Макарів":           "1/2 1/4 2/2",
		"Макарова":          "1/2 1/4 2/2",
		"Мотижині":          "2/0",
		"пальним":           "1/4", // Ukrainian in a line labelled Russian
		"Бородянка":         "2/1",
		"колона":            "1/0 1/4 2/3",
		"елка":              "1/8",
		"ёлки":              "1/8",
		"ЕЩЁ":               "1/8",
		"cafe":              "3/2",
		"за\u0301мок":       "1/8",
		"При\u0438\u0306ом": "2/0",
		// Phrases, prefixes, fuzzy.
		`"вас понял"`: "1/1",
		`"понял вас"`: "",
		`«на шоссе»`:  "1/0",
		`"низкая"`:    "",
		`"дорога на"`: "1/2",
		"топл*":       "1/0",
		"тан*":        "1/3 2/0 2/3",
		"Мотижин~":    "1/3 2/0",
		"Матыжино~":   "1/3 2/0",
		"brigde~":     "3/1",
		// OR and exclusion.
		"топливо OR пальне":        "1/0 1/4",
		"топливо OR пальне колона": "1/0 1/4",
		"мост OR міст OR bridge":   "1/2 2/2 3/1",
		"танк -колони":             "1/3 2/0",
		"танк -біля":               "1/3 2/3",
		`прием -"вас понял"`:       "1/0",
		"танк -Мотыж*":             "2/0 2/3",
		"-танк lang:uk":            "2/1 2/2",
		"... танк !!!":             "1/3 2/0 2/3",
		// Filters.
		"танк lang:uk":                     "2/0 2/3",
		"lang:uk lang:en bridge":           "3/1",
		"танк -lang:uk":                    "1/3",
		"rec:REC-0003":                     "3/0 3/1 3/2",
		"rec:rec-0003 fuel":                "3/0",
		"rec:еж":                           "2/0 2/1 2/2 2/3",
		`rec:"макарів ё" міст`:             "2/2",
		"-rec:net rec:REC state:draft":     "2/0 2/1 2/2 2/3 3/0 3/1 3/2",
		"rec:nothing":                      "",
		"sound:tone":                       "1/5",
		"state:not-understood":             "1/6",
		`state:"not understood"`:           "1/6",
		"state:waiting":                    "1/7",
		"state:no_words":                   "1/5",
		"snr:>25":                          "1/7 1/8",
		"snr:>=26 rec:net":                 "1/7 1/8",
		"snr:5..8 rec:net":                 "1/0 1/1",
		"snr:<5.01":                        "1/0 2/0 3/0",
		"date:2022-02-27":                  "1/0 1/1 1/2",
		"date:2022-02-28 танк":             "1/3",
		"date:2022-02-28..2022-03-01 танк": "1/3 2/0 2/3",
		"-date:2022-02-27 date:2022-02-28 sound:speech": "1/3 1/4 1/6 1/7 1/8",
		"from:2022-02-28":                "1/3 1/4 1/5 1/6 1/7 1/8 2/0 2/1 2/2 2/3",
		"to:2022-02-27":                  "1/0 1/1 1/2",
		"from:2022-03-01T10:00:20":       "2/2 2/3",
		"to:2022-03-01T10:00:10 lang:uk": "2/0",
		"from:2022-03-01T08:00:20Z":      "2/2 2/3",
		`from:"2022-03-01 10:00:20"`:     "2/2 2/3",
		"from:2022-03-01T10:00:20Z":      "",
	} {
		a := find(t, x, query)
		if got := where(a); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if a.Total != len(a.Hits) {
			t.Errorf("%s: total %d of %d hits", query, a.Total, len(a.Hits))
		}
		// However the query is composed.
		if got := where(find(t, x, norm.NFD.String(query))); got != want {
			t.Errorf("%s decomposed: %q, want %q", query, got, want)
		}
	}
}

func TestInvalidQueries(t *testing.T) {
	for _, query := range []string{
		"", "   ", "...", "who:me", "lang:", "lang:russian", "state:done", "sound:x", `"open`, "OR a", "a OR", "a OR OR b", "a OR lang:ru", "a OR -b", "a OR b-c",
		"т*", "аб~", "а-б~", `"a b"~`, `"a b"*`, "(a b)", "from:Сокол", "to:Буран", "-from:2022-02-27", "from:2022-13-40", "date:yesterday", "date:2022-02-27T10:00", "date:2022-03-01..2022-02-27",
		"snr:10", "snr:>x", "snr:15..5", "http://x", "a\xffb", strings.Repeat("a", 5000), strings.Repeat("a ", 100), `"` + strings.Repeat("a ", 100) + `"`,
	} {
		if _, err := ParseQuery(query); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%.40q: %v", query, err)
		}
	}
	_, err := ParseQuery("who:me")
	if h := evidence.HintOf(err); !strings.Contains(h, "rec:, lang:, state:") {
		t.Errorf("hint %q", h)
	}
	if _, err = ParseQuery("from:Сокол"); !strings.Contains(err.Error(), "knows no speakers") {
		t.Error(err)
	}
}

func TestMatches(t *testing.T) {
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), sampleCase(t))
	for query, want := range map[string]string{
		"елка":             "[Ёлка] у замка. Ещё раз: [ёлка].",
		"танк п'ять":       "Вижу [танки] у Мотыжина, [пять] единиц.|Київ, я Харків. [П'ять] [танків] біля Мотижина. Прийом.",
		`"вас понял"`:      "Буран, я Сокол. [Вас] [понял]. Ждите. Приём.",
		"топл*":            "Сокол, я Буран. Колонна стоит на шоссе. Срочно нужно [топливо]. Приём.",
		"cafe":             "[Café] radio check, five by five.",
		"radio OR nothing": "Café [radio] check, five by five.",
		"Матижин~":         "Вижу танки у [Мотыжина], пять единиц.|Київ, я Харків. П'ять танків біля [Мотижина]. Прийом.",
	} {
		var got []string
		for _, h := range find(t, x, query).Hits {
			r := []rune(h.Line.Text)
			for _, m := range slices.Backward(h.Matches) {
				r = slices.Insert(slices.Insert(r, m.To, ']'), m.From, '[')
			}
			got = append(got, string(r))
			if h.Excerpt != (Range{0, utf8.RuneCountInString(h.Line.Text)}) {
				t.Errorf("excerpt %v", h.Excerpt)
			}
		}
		slices.Sort(got)
		list := strings.Split(want, "|")
		slices.Sort(list)
		if !slices.Equal(got, list) {
			t.Errorf("%s:\n%q\nwant\n%q", query, got, list)
		}
	}
}

func TestHintsHoursPages(t *testing.T) {
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), sampleCase(t))
	if a := find(t, x, "Матижына lang:uk"); !slices.Equal(a.Hints, []string{"мотижина lang:uk"}) {
		t.Errorf("hints %q", a.Hints)
	}
	if a := find(t, x, "brigde destoryed"); !slices.Contains(a.Hints, "bridge destroyed") {
		t.Errorf("hints %q", a.Hints)
	}
	if a := find(t, x, "синхрофазотрон"); a.Hints != nil {
		t.Errorf("hints %q", a.Hints)
	}
	if a := find(t, x, "танк"); !slices.Equal(a.Hours, []Hour{{"2022-02-28T00", 1}, {"2022-03-01T10", 2}}) {
		t.Errorf("hours %v", a.Hours)
	}
	if a := find(t, x, "bridge date:2022-02-27"); a.Total != 0 || a.Undated != 1 {
		t.Errorf("%d found, %d undated", a.Total, a.Undated)
	}
	if a := find(t, x, "bridge -date:2022-02-27"); a.Total != 0 || a.Undated != 1 {
		t.Errorf("%d found, %d undated", a.Total, a.Undated)
	}
	all := find(t, x, "state:draft")
	var paged []Hit
	for i := 0; i <= all.Total; i += 3 {
		a, err := x.Search(t.Context(), "state:draft", Options{Limit: 3, Offset: i})
		if err != nil || a.Total != all.Total {
			t.Fatal(a.Total, err)
		}
		paged = append(paged, a.Hits...)
	}
	if !reflect.DeepEqual(paged, all.Hits) {
		t.Errorf("pages differ from the whole")
	}
	if _, err := x.Search(t.Context(), "a", Options{Limit: -1}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Error(err)
	}
}

var probes = []string{"танк", "Мотижин~", "дорога OR bridge", "state:draft", "Матижына", "топл*", `"вас понял"`, "-танк", "date:2022-02-28", "rec:еж", "sound:tone"}

func answers(t testing.TB, x *Index) []Answer {
	t.Helper()
	var out []Answer
	for _, q := range probes {
		out = append(out, find(t, x, q))
	}
	return out
}

// TestGrowing brings an index up entry by entry and compares it with one made at once.
func TestGrowing(t *testing.T) {
	c := sampleCase(t)
	c.hear("REC-0002", []said{{"uk", "Інше речення."}, {"uk", "У Бородянці танк."}}) // heard again
	c.detect("REC-0003", netEN[:2])                                                  // one transmission less
	c.add(evidence.EntryRecordingDescribed, evidence.RecordingDescribed{Recording: "REC-0003", Replaces: 3, Reception: evidence.Reception{Start: &evidence.StartTime{Basis: "stated", Time: "2022-02-28T12:00:00Z"}}})
	c.add(evidence.EntryFailure, evidence.Failure{Engine: evidence.Engine{Name: "x", Build: "1"}, Kind: "internal", Message: "no", Recording: "REC-0001", Stage: evidence.StageHear})
	whole := answers(t, openIndex(t, filepath.Join(t.TempDir(), "derived.db"), c))

	growing := &caseLog{t: t}
	path := filepath.Join(t.TempDir(), "derived.db")
	x := openIndex(t, path, growing)
	for i, e := range c.entries {
		growing.entries = append(growing.entries, e)
		if i%7 == 3 { // a new process
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			x = openIndex(t, path, growing)
		}
		if err := x.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := answers(t, x); !reflect.DeepEqual(got, whole) {
		t.Errorf("an index that grew answers\n%+v\nand one made at once\n%+v", got, whole)
	}
	growing.read = 0
	if err := x.Update(t.Context()); err != nil || growing.read > 1 {
		t.Errorf("%d entries read where nothing is new, %v", growing.read, err)
	}
	// Another case under the same path, as long and longer than this one; then an older copy.
	other := &caseLog{t: t, entries: slices.Clone(c.entries)}
	other.entries[len(other.entries)-1].Time = time.Unix(1, 0)
	if got := answers(t, openIndex(t, path, other)); !reflect.DeepEqual(got, whole) {
		t.Error("another case with the same words answers otherwise")
	}
	short := sampleCase(t)
	if got, want := answers(t, openIndex(t, path, short)), answers(t, openIndex(t, filepath.Join(t.TempDir(), "d.db"), short)); !reflect.DeepEqual(got, want) {
		t.Error("an index newer than its case is kept")
	}
}

func TestComesBack(t *testing.T) {
	c := sampleCase(t)
	path := filepath.Join(t.TempDir(), "derived.db")
	x := openIndex(t, path, c)
	want := answers(t, x)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	damage := map[string]func() []byte{
		"deleted": nil, "empty": func() []byte { return []byte{} }, "garbage": func() []byte { return []byte("not a database at all") },
		"one page": func() []byte { return good[:4096] },
		"another's": func() []byte {
			b := slices.Clone(good)
			copy(b[68:72], []byte{1, 2, 3, 4}) // application_id; the page's checksum is then wrong as well
			return b
		},
	}
	for i := range 40 {
		damage[fmt.Sprintf("flip %d", i)] = func() []byte {
			b := slices.Clone(good)
			b[rnd.IntN(len(b))] ^= byte(1 + rnd.IntN(255))
			return b
		}
		damage[fmt.Sprintf("truncated %d", i)] = func() []byte { return good[:rnd.IntN(len(good))] }
	}
	for name, harm := range damage {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if harm != nil {
			if err := os.WriteFile(path, harm(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		x := openIndex(t, path, c)
		if got := answers(t, x); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other answers", name)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// The log beside the file, which holds everything as long as it has not been folded.
	path = filepath.Join(t.TempDir(), "derived.db")
	x = openIndex(t, path, c)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil || len(wal) == 0 {
		t.Fatalf("the log holds %d bytes, %v", len(wal), err)
	}
	for i := range 20 {
		torn := slices.Clone(wal)
		if i%2 == 0 {
			torn = torn[:rnd.IntN(len(torn))]
		} else {
			torn[rnd.IntN(len(torn))] ^= 0x55
		}
		other := filepath.Join(t.TempDir(), "derived.db")
		for name, b := range map[string][]byte{other: file, other + "-wal": torn} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := answers(t, openIndex(t, other, c)); !reflect.DeepEqual(got, want) {
			t.Errorf("torn log %d: other answers", i)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	// Made by another program.
	y, err := Open(t.Context(), path, "test 2", c)
	if err != nil {
		t.Fatal(err)
	}
	c.read = 0
	if err := y.Update(t.Context()); err != nil || c.read < len(c.entries) {
		t.Errorf("%d entries read, %v", c.read, err)
	}
	if err := y.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamageWhileOpen deletes and damages the file under an open index.
func TestDamageWhileOpen(t *testing.T) {
	c := sampleCase(t)
	path := filepath.Join(t.TempDir(), "derived.db")
	x := openIndex(t, path, c)
	want := answers(t, x)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := x.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := answers(t, x); !reflect.DeepEqual(got, want) {
		t.Error("other answers after the file was deleted")
	}
	y := openIndex(t, path, c)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(b); i += 512 {
		b[i] ^= 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := answers(t, y); !reflect.DeepEqual(got, want) {
		t.Error("other answers after the file was damaged")
	}
	if got := answers(t, openIndex(t, path, c)); !reflect.DeepEqual(got, want) {
		t.Error("other answers after opening again")
	}
}

func TestHostileText(t *testing.T) {
	c := &caseLog{t: t}
	c.receive("REC-0001", "\u202egpj.\"';--*", "")
	long := strings.Repeat("слово ", 90000) + "игла " + strings.Repeat("сено ", 10000)
	list := []said{{"en", `" OR 1=1; DROP TABLE line; --`}, {"en", "<script>alert(1)</script> \u202etxet\u2066 \x00NEAR(a b) word:x ^a"}, {"ru", long}, {"ru", strings.Repeat("ж", 500000)}, {"en", "a\ufffdb"}}
	c.detect("REC-0001", list)
	c.hear("REC-0001", list)
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), c)
	for query, want := range map[string]string{
		`"drop table line"`: "1/0", `1=1;`: "1/0 1/1", "script": "1/1", "NEAR": "1/1", `"word:x"`: "1/1", "^a": "1/1 1/4", "иглы": "1/2", "жжж*": "1/3", `rec:";--"`: "1/0 1/1 1/2 1/3 1/4",
		"NOT": "", "AND": "", "'": "", `";"`: "",
	} {
		a, err := x.Search(t.Context(), query, Options{})
		if strings.Trim(query, `'";`) == "" {
			if evidence.KindOf(err) != evidence.KindInvalid {
				t.Errorf("%s: %v", query, err)
			}
			continue
		}
		if err != nil || where(a) != want {
			t.Errorf("%s: %q, want %q, %v", query, where(a), want, err)
		}
	}
	h := find(t, x, "иглы").Hits[0]
	r := []rune(h.Line.Text)
	if m := h.Matches[0]; string(r[m.From:m.To]) != "игла" || m.From < h.Excerpt.From || m.To > h.Excerpt.To || h.Excerpt.To-h.Excerpt.From != excerptChars {
		t.Errorf("match %v, excerpt %v", h.Matches, h.Excerpt)
	}
}
