package transcript

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
)

// Formats lists what Export can write. docs/format/export.md describes each.
var Formats = [...]string{"srt", "vtt", "jsonl", "csv"}

// Export writes lines to w, in the order of intake and then of their start, whatever order they come in.
// The same lines give the same bytes. An unknown format is an Invalid error.
func Export(w io.Writer, format string, lines []Line) error {
	write := map[string]func(*bufio.Writer, []Line) error{
		"srt": exportSRT, "vtt": exportVTT, "jsonl": exportJSONL, "csv": exportCSV,
	}[format]
	if write == nil {
		return evidence.Invalid("export format %q is not known", format).WithHint("the formats are %s", strings.Join(Formats[:], ", "))
	}
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b Line) int {
		// REC-10000 comes after REC-9999.
		if n := len(a.Recording) - len(b.Recording); n != 0 {
			return n
		}
		if n := strings.Compare(a.Recording, b.Recording); n != 0 {
			return n
		}
		return compare(a, b)
	})
	buf := bufio.NewWriterSize(w, 1<<16)
	if err := write(buf, lines); err != nil {
		return fmt.Errorf("export %s: %w", format, err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("export %s: %w", format, err)
	}
	return nil
}

func exportJSONL(w *bufio.Writer, lines []Line) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		buf.Reset()
		if err := enc.Encode(whole(l)); err != nil {
			return err
		}
		for _, r := range strings.TrimSuffix(buf.String(), "\n") {
			if r < 0x10000 && Hidden(r) { // only ever inside a string: escaped, it is the same text, and can be seen
				_, err := fmt.Fprintf(w, `\u%04x`, r)
				if err != nil {
					return err
				}
				continue
			}
			if _, err := w.WriteRune(r); err != nil {
				return err
			}
		}
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return nil
}

// whole gives l empty lists where it has none, so that a reader finds a list in any case.
func whole(l Line) Line {
	if l.Langs == nil {
		l.Langs = []string{}
	}
	if l.Words == nil {
		l.Words = []Word{}
	}
	if l.Entries == nil {
		l.Entries = []int64{}
	}
	return l
}

// Hidden reports whether r shows nothing and may change how the text around it shows: controls, marks of writing
// direction, and other invisible formatting. Whoever shows a stranger's text writes such characters out.
func Hidden(r rune) bool {
	switch r {
	case '\u200c', '\u200d': // joiners are part of how some scripts are spelled
		return false
	case '\u2028', '\u2029', '\ufeff':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// plain makes s one line that can neither break a cue or a cell nor change how its surroundings show:
// line breaks and tabs become spaces, hidden characters become visible, as in [U+202E].
func plain(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b.WriteRune('\ufffd')
		case r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			b.WriteByte(' ')
		case Hidden(r):
			fmt.Fprintf(&b, "[U+%04X]", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

var csvHeader = []string{
	"citation", "recording", "file", "start", "end", "time_start", "time_end", "time_basis", "lang", "langs", "state", "reason", "sound",
	"text", "probability", "snr_db", "level_db", "engine", "model", "synthetic", "digest", "calls",
	"translation_machine_draft", "translation_lang", "translation_state", "translation_reason", "translation_by", "translation",
	"author", "second", "rival", "machine_text", "from", "to",
}

func exportCSV(w *bufio.Writer, lines []Line) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for _, l := range lines {
		probability := ""
		if l.Text != "" {
			probability = number(l.Probability)
		}
		var t Translation
		if l.Translation != nil {
			t = *l.Translation
		}
		draft, written := t.Text, ""
		if !t.MachineDraft {
			draft, written = "", t.Text
		}
		var p People
		if l.People != nil {
			p = *l.People
		}
		err := out.Write([]string{
			cell(l.Citation), cell(l.Recording), cell(l.File), number(l.Start), number(l.End), cell(l.TimeStart), cell(l.TimeEnd), cell(l.TimeBasis),
			cell(l.Lang), cell(strings.Join(l.Langs, " ")), cell(l.State), cell(l.Reason), cell(l.Sound),
			cell(l.Text), probability, number(l.SnrDB), number(l.LevelDB), cell(l.Engine), cell(l.Model), strconv.FormatBool(l.Synthetic), cell(l.Digest), cell(l.CallsText()),
			cell(draft), cell(t.Language), cell(t.State), cell(t.Reason), cell(t.Model + t.Author), cell(written),
			cell(p.Author), cell(p.Second), cell(p.Rival), cell(p.Machine), cell(station(p.From)), cell(station(p.To)),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func station(s *evidence.Station) string {
	if s == nil {
		return ""
	}
	return s.String()
}

// number writes f as a plain decimal.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// cell writes text for a spreadsheet, which would otherwise take what starts like a formula for one.
func cell(s string) string {
	out := plain(s)
	for _, v := range []string{s, strings.TrimLeft(out, " ")} {
		if r, _ := utf8.DecodeRuneInString(v); strings.ContainsRune("=+-@\t\r＝＋－＠", r) && v != "" {
			return "'" + out
		}
	}
	return out
}
