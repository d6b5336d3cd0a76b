package transcript_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/transcript"
)

var update = flag.Bool("update", false, "write the golden files anew")

func export(t testing.TB, format string, lines []transcript.Line) string {
	t.Helper()
	var buf bytes.Buffer
	if err := transcript.Export(&buf, format, lines); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestGolden(t *testing.T) {
	l := sample(t)
	one, err := l.state.Lines("REC-0001")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range transcript.Formats {
		for name, lines := range map[string][]transcript.Line{"one": one, "all": l.state.AllLines()} {
			got := export(t, format, lines)
			path := filepath.Join("testdata", name+"."+format)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs:\n%s", path, got)
			}
			mixed := slices.Clone(lines)
			slices.Reverse(mixed)
			if export(t, format, mixed) != got {
				t.Errorf("%s: the order of what goes in shows", path)
			}
			checkSafe(t, format, got)
		}
	}
	if err := transcript.Export(&bytes.Buffer{}, "docx", one); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
		t.Error(err)
	}
}

// checkSafe refuses hidden characters in any export.
func checkSafe(t *testing.T, format, s string) {
	t.Helper()
	for i, r := range s {
		if r != '\n' && (r != '\r' || format != "csv") && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("%s: hidden character %U at byte %d", format, r, i)
		}
	}
}

func TestJSONLReadsBack(t *testing.T) {
	lines := sample(t).state.AllLines()
	got := strings.Split(strings.TrimSuffix(export(t, "jsonl", lines), "\n"), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d lines", len(got))
	}
	for i, s := range got {
		var back transcript.Line
		if err := json.Unmarshal([]byte(s), &back); err != nil {
			t.Fatal(err)
		}
		lines[i].Desk = transcript.Desk{} // not for export
		if !reflect.DeepEqual(back, lines[i]) {
			t.Errorf("got  %+v\nwant %+v", back, lines[i])
		}
		if regexp.MustCompile(`[0-9][eE][+-]?[0-9]`).MatchString(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(s, "")) {
			t.Errorf("number with an exponent: %s", s)
		}
	}
}

func TestNumbersStayPlain(t *testing.T) {
	// One sample is the smallest time there is.
	line := transcript.Line{Citation: "REC-0001@00:00:00.0-00:00:00.001", Start: 1.0 / evidence.Rate, End: 2.0 / evidence.Rate}
	if s := export(t, "jsonl", []transcript.Line{line}); !strings.Contains(s, `"start":0.0000625,"end":0.000125,`) {
		t.Error(s)
	}
	for _, n := range []int64{1, 15999, 360000*16000 + 1, 100 * 3600 * 16000} {
		if back := math.Round(float64(n) / evidence.Rate * evidence.Rate); int64(back) != n {
			t.Errorf("sample %d comes back as %f", n, back)
		}
	}
}

func TestCSVReadsBack(t *testing.T) {
	lines := sample(t).state.AllLines()
	s := export(t, "csv", lines)
	if strings.Contains(strings.ReplaceAll(s, "\r\n", ""), "\n") {
		t.Error("a line ends without CRLF")
	}
	rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil || len(rows) != len(lines)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows[1:] {
		if row[0] != lines[i].Citation || row[3] != fmt.Sprint(lines[i].Start) || row[10] != lines[i].State {
			t.Errorf("row %q", row)
		}
	}
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "' a", "\ra": "' a", "＝1": "'＝1", " =1": "' =1", "\n=1": "' =1", "a=1": "a=1", "": "",
		"a\"b,c": "a\"b,c", "\u202ea": "[U+202E]a", "\x00": "[U+0000]", "a\u200db": "a\u200db", "\xff": "\ufffd", "\U000e0041": "[U+E0041]",
	} {
		rows, err := csv.NewReader(strings.NewReader(export(t, "csv", []transcript.Line{{Text: in}}))).ReadAll()
		if err != nil || rows[1][13] != want {
			t.Errorf("%q is written as %q, want %q, %v", in, rows[1][13], want, err)
		}
	}
}

// TestSubtitlesReadBack parses cues the way a player does: a block a cue, the time line second.
func TestSubtitlesReadBack(t *testing.T) {
	lines := sample(t).state.AllLines()
	lines[0].Text = strings.Repeat("a\r\n\r\n00:00:01.000 --> 00:00:02.000\nb&<c>\u2028", 3)
	times := regexp.MustCompile(`^(\d\d+):(\d\d):(\d\d)[,.](\d\d\d) --> (\d\d+):(\d\d):(\d\d)[,.](\d\d\d)$`)
	for format, head := range map[string]int{"srt": 0, "vtt": 3} {
		s := export(t, format, lines)
		blocks := strings.Split(strings.TrimRight(s, "\n"), "\n\n")
		if len(blocks) != len(lines)+head {
			t.Fatalf("%s: %d blocks for %d lines:\n%s", format, len(blocks), len(lines), s)
		}
		if n := strings.Count(s, "-->"); n != len(lines) {
			t.Errorf("%s: %d arrows", format, n)
		}
		for i, block := range blocks[head:] {
			cue := strings.Split(block, "\n")
			if len(cue) != 4 || cue[2] != lines[i].Citation {
				t.Fatalf("%s: cue %q", format, cue)
			}
			m := times.FindStringSubmatch(cue[1])
			if m == nil {
				t.Fatalf("%s: times %q", format, cue[1])
			}
			for k, want := range []float64{lines[i].Start, lines[i].End} {
				var h, min, sec, ms float64
				if _, err := fmt.Sscan(strings.Join(m[1+4*k:5+4*k], " "), &h, &min, &sec, &ms); err != nil {
					t.Fatal(err)
				}
				got := h*3600 + min*60 + sec + ms/1000
				if math.Abs(got-want) > 0.0005+1e-9 && want-lines[i].Start > 0.001 {
					t.Errorf("%s: time %f, want %f", format, got, want)
				}
			}
			if text := strings.NewReplacer("<c.doubt>", "", "</c>", "", "<c.state>", "").Replace(cue[3]); strings.ContainsAny(text, "<>") {
				t.Errorf("%s: markup in %q", format, text)
			}
		}
	}
}

// exportSchema reads the schema of a line.
func exportSchema(t *testing.T) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(casetest.Root(t), "docs", "format", "export.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchema(t *testing.T) {
	schema := exportSchema(t)
	var all map[string]any
	for _, s := range strings.Split(strings.TrimSpace(export(t, "jsonl", sample(t).state.AllLines())), "\n") {
		if err := json.Unmarshal([]byte(s), &all); err != nil {
			t.Fatal(err)
		}
		for _, fault := range conforms(schema, all, "line") {
			t.Error(fault)
		}
	}
	// Every field is described, and the checker does refuse.
	for name := range all {
		if _, ok := schema["properties"].(map[string]any)[name]; !ok {
			t.Errorf("field %s is not in the schema", name)
		}
	}
	for _, change := range []func(){func() { all["start"] = "1" }, func() { delete(all, "text") }, func() { all["state"] = "done" }, func() { all["more"] = 1.0 }} {
		change()
		if len(conforms(schema, all, "line")) == 0 {
			t.Error("a line that does not conform is accepted")
		}
	}
}

// conforms checks v against the part of JSON Schema that export.schema.json uses, and names each fault.
func conforms(schema map[string]any, v any, at string) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, at+": "+fmt.Sprintf(format, args...))
	}
	num := func(key string) (float64, bool) { n, ok := schema[key].(float64); return n, ok }
	for key := range schema {
		if !slices.Contains([]string{"$schema", "$id", "title", "description", "type", "additionalProperties", "required", "properties", "pattern", "minimum", "maximum", "items", "enum"}, key) {
			fault("the checker does not know %s", key)
		}
	}
	switch schema["type"] {
	case "object":
		m, ok := v.(map[string]any)
		if !ok {
			fault("%v is not an object", v)
			return
		}
		props := schema["properties"].(map[string]any)
		for _, r := range schema["required"].([]any) {
			if _, ok := m[r.(string)]; !ok {
				fault("%s is missing", r)
			}
		}
		for k, e := range m {
			p, ok := props[k].(map[string]any)
			if !ok {
				fault("%s is not known", k)
				continue
			}
			faults = append(faults, conforms(p, e, at+"."+k)...)
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			fault("%v is not a list", v)
		}
		for i, e := range list {
			faults = append(faults, conforms(schema["items"].(map[string]any), e, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "string":
		s, ok := v.(string)
		if !ok {
			fault("%v is not text", v)
		}
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(s) {
			fault("%q does not match %s", s, p)
		}
		if e, ok := schema["enum"].([]any); ok && !slices.Contains(e, any(s)) {
			fault("%q is none of %v", s, e)
		}
	case "number", "integer":
		n, ok := v.(float64)
		if !ok || schema["type"] == "integer" && n != math.Trunc(n) {
			fault("%v is not a %s", v, schema["type"])
		}
		if lo, ok := num("minimum"); ok && n < lo {
			fault("%v is too small", n)
		}
		if hi, ok := num("maximum"); ok && n > hi {
			fault("%v is too large", n)
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			fault("%v is neither true nor false", v)
		}
		if e, ok := schema["enum"].([]any); ok && !slices.Contains(e, v) {
			fault("%v is none of %v", v, e)
		}
	}
	return faults
}
