package transcript

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// draftNote stands at the head of a WebVTT file.
const draftNote = "Machine draft: nobody has listened. Words in the class doubt are those of which the machine itself was unsure.\n" +
	"Square brackets hold what is not speech that was understood."

// englishNote stands there instead where the lines are those of InEnglish.
const englishNote = "English by a machine, from the sound: a draft that nobody has checked. What was said is in the original language alone.\n" +
	"[machine draft] stands before what was translated, [as heard] before what was heard in English. Other square brackets hold what is not speech that was understood."

// syntheticNote stands before every text of a recording that was made, not received.
const syntheticNote = "[synthetic]"

func exportSRT(w *bufio.Writer, lines []Line) error {
	cited := severalRecordings(lines)
	for i, l := range lines {
		from, to := cueTimes(l)
		_, err := fmt.Fprintf(w, "%d\n%s --> %s\n", i+1, clock(from, ','), clock(to, ','))
		if err != nil {
			return err
		}
		if cited {
			if _, err := fmt.Fprintln(w, l.Citation); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "%s\n\n", srtText(said(l))); err != nil {
			return err
		}
	}
	return nil
}

func exportVTT(w *bufio.Writer, lines []Line) error {
	cited := severalRecordings(lines)
	note := draftNote
	if len(lines) > 0 && lines[0].english {
		note = englishNote
	}
	if _, err := fmt.Fprintf(w, "WEBVTT\n\nNOTE\n%s\n\nSTYLE\n::cue(.doubt) { opacity: 0.6; }\n::cue(.state) { font-style: italic; }\n", note); err != nil {
		return err
	}
	for _, l := range lines {
		from, to := cueTimes(l)
		if _, err := fmt.Fprintf(w, "\n%s\n%s --> %s\n", l.Citation, clock(from, '.'), clock(to, '.')); err != nil {
			return err
		}
		text := vttText(l)
		if cited {
			text = l.Citation + "\n" + text
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// severalRecordings reports whether lines come from more than one recording. Each has a clock of its
// own, so that a cue then has to say whose seconds it counts.
func severalRecordings(lines []Line) bool {
	for _, l := range lines {
		if l.Recording != lines[0].Recording {
			return true
		}
	}
	return false
}

// cueTimes returns start and end in milliseconds, each rounded from the sample on its own, so that errors
// do not add up. A cue lasts at least one millisecond.
func cueTimes(l Line) (from, to int64) {
	ms := func(sample int64) int64 { return (sample*1000 + evidence.Rate/2) / evidence.Rate }
	from = ms(l.Samples.From)
	return from, max(ms(l.Samples.To), from+1)
}

func clock(ms int64, point rune) string {
	return fmt.Sprintf("%02d:%02d:%02d%c%03d", ms/3600000, ms/60000%60, ms/1000%60, point, ms%1000)
}

// said is the text of a cue: the words, and in brackets what there is instead.
func said(l Line) string {
	var b strings.Builder
	if l.Synthetic {
		b.WriteString(syntheticNote + " ")
	}
	b.WriteString(plain(l.Text))
	if note := stateNote(l); note != "" {
		if l.Text != "" {
			b.WriteByte(' ')
		}
		b.WriteString(note)
	}
	return b.String()
}

// stateNote is what a reader must know beyond the text, in brackets; empty for a whole draft, and for what a person wrote.
func stateNote(l Line) string {
	switch {
	case l.State == StateDraft && l.Reason == "", l.State == StateCorrected, l.State == StateVerified:
		return ""
	case l.State == StateDraft:
		return "[" + plain(l.Reason) + "]"
	case l.State == StateNoWords && len(l.Calls) > 0:
		return "[" + plain(l.Sound+", "+l.CallsText()) + "]"
	case l.State == StateNoWords:
		return "[" + plain(l.Sound) + "]"
	case l.State == StateWaiting:
		return "[not heard yet]"
	case l.State == StateFailed:
		return "[failed: " + plain(l.Reason) + "]"
	default:
		return "[" + plain(l.State) + "]"
	}
}

// srtText makes s safe where SRT has no escapes: what players take for markup is shown by its full-width
// twin.
func srtText(s string) string {
	return strings.NewReplacer("<", "＜", ">", "＞", "{", "｛", "}", "｝").Replace(s)
}

var vttEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// vttText writes the text with doubtful words in a class of their own.
func vttText(l Line) string {
	var b strings.Builder
	if l.Synthetic {
		b.WriteString("<c.state>" + syntheticNote + "</c> ")
	}
	rest := l.Text
	for _, w := range l.Words {
		// Step over sure words as well, so that a word said twice is marked where it was doubtful.
		before, after, found := strings.Cut(rest, w.Word)
		if !found || w.Word == "" {
			continue
		}
		b.WriteString(vttEscapes.Replace(plain(before)))
		word := vttEscapes.Replace(plain(w.Word))
		if w.Doubtful() {
			word = "<c.doubt>" + word + "</c>"
		}
		b.WriteString(word)
		rest = after
	}
	b.WriteString(vttEscapes.Replace(plain(rest)))
	if note := stateNote(l); note != "" {
		if l.Text != "" {
			b.WriteByte(' ')
		}
		b.WriteString("<c.state>" + vttEscapes.Replace(note) + "</c>")
	}
	return b.String()
}
