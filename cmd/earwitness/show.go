package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/transcript"
)

// project reads what the case says now.
func project(ctx context.Context, c *casefile.Case) (*transcript.State, error) {
	var s transcript.State
	_, err := c.Follow(ctx, 0, s.Apply)
	return &s, err
}

func showVerb(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "show [RECORDING]",
		Short: "Show the case's recordings, or one of them with its transmissions",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				st, err := project(cmd.Context(), c)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					return w.showRecording(st, args[0])
				}
				return w.showCase(cmd.Context(), c, st)
			})
		},
	}
}

func (w *world) showCase(ctx context.Context, c *casefile.Case, st *transcript.State) error {
	info, recs := c.Info(), st.Recordings()
	entries, err := c.Len(ctx)
	if err != nil {
		return err
	}
	if w.json {
		return writeJSON(w.stdout, map[string]any{"title": info.Title, "origin": info.Origin, "key": info.Key, "policy": info.Policy, "entries": entries, "recordings": recs})
	}
	fmt.Fprintf(w.stdout, "%s   %s, %s\n", visible(info.Title), plural(len(recs), "recording", "recordings"), plural(int(entries), "entry", "entries"))
	if len(recs) == 0 {
		fmt.Fprintln(w.stdout, "Nothing has been handed in yet: `earwitness add FILE...`")
		return nil
	}
	fmt.Fprintf(w.stdout, "\n%-9s %11s %8s  %-34s %s\n", "recording", "length", "size", "file", "state")
	for _, r := range recs {
		length := "-"
		if r.Decoded != nil {
			length = evidence.Clock(r.Decoded.Samples / 1600 * 1600)
		}
		name := oneLine(r.Name, 34)
		if r.Synthetic {
			name = oneLine(r.Name, 22) + " (synthetic)"
		}
		fmt.Fprintf(w.stdout, "%-9s %11s %8s  %-34s %s\n", r.ID, length, size(r.Size), name, recordingState(r))
	}
	return nil
}

// recordingState says in a few words how far a recording is.
func recordingState(r transcript.Recording) string {
	if len(r.Failures) > 0 {
		f := r.Failures[len(r.Failures)-1]
		return f.Stage + " failed: " + oneLine(f.Message, 90)
	}
	switch {
	case r.Decoded == nil:
		return "not decoded yet"
	case !r.Detected:
		return "not listened to yet"
	case r.Count == 0:
		return "no transmissions"
	}
	var parts []string
	for _, s := range transcript.States {
		if n := r.States[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return plural(r.Count, "transmission", "transmissions") + ": " + strings.Join(parts, ", ")
}

func (w *world) showRecording(st *transcript.State, id string) error {
	r, err := st.Recording(id)
	if err != nil {
		return err
	}
	lines, err := st.Lines(id)
	if err != nil {
		return err
	}
	if w.json {
		return writeJSON(w.stdout, map[string]any{"recording": r, "lines": lines})
	}
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w.stdout, "%-13s %s\n", name, oneLine(value, 300))
		}
	}
	field("recording", r.ID)
	if r.Synthetic {
		field("", "SYNTHETIC: made, not received")
	}
	field("file", r.Name)
	field("sha-256", r.Digest.String())
	field("size", fmt.Sprintf("%d bytes", r.Size))
	p := r.Reception
	if p.FrequencyHz > 0 {
		field("frequency", fmt.Sprintf("%.3f kHz", float64(p.FrequencyHz)/1e3))
	}
	field("mode", p.Mode)
	field("receiver", p.Receiver)
	field("place", p.Place)
	if p.Start != nil {
		plus := ""
		if p.Start.UncertaintyMilli > 0 {
			plus = fmt.Sprintf(", plus or minus %v", time.Duration(p.Start.UncertaintyMilli)*time.Millisecond)
		}
		field("start", p.Start.Time+" (by "+p.Start.Basis+plus+")")
	}
	field("source", p.Source)
	field("handed in by", p.HandedInBy)
	field("note", p.Note)
	if d := r.Decoded; d != nil {
		field("sound", fmt.Sprintf("%s, %s in %s, %d Hz, %s", evidence.Clock(d.Samples), d.Codec, d.Container, d.Rate, plural(d.Channels, "channel", "channels")))
		for _, n := range d.Notes {
			field("", n)
		}
	}
	if b := r.Background; b != nil {
		field("background", background(*b))
	}
	field("state", recordingState(r))
	for _, f := range r.Failures {
		field("hint", f.Hint)
	}
	if len(lines) == 0 {
		return nil
	}
	fmt.Fprintln(w.stdout)
	for _, l := range lines {
		w.line(l, nil)
	}
	if slices.ContainsFunc(lines, func(l transcript.Line) bool { return l.State == transcript.StateDraft }) {
		fmt.Fprintln(w.stderr, "Text is a machine's draft that nobody has listened to; words it doubts are marked (?).")
		if slices.ContainsFunc(lines, func(l transcript.Line) bool {
			return slices.ContainsFunc(l.Words, func(w transcript.Word) bool { return w.Boosted })
		}) {
			fmt.Fprintln(w.stderr, "Words marked (+) were heard only with the odds of the case's vocabulary raised.")
		}
	}
	if slices.ContainsFunc(lines, func(l transcript.Line) bool { return l.Translation != nil }) {
		fmt.Fprintln(w.stderr, "English below a line is the same machine's draft of a translation, made from the sound: nothing in it is certain before somebody who knows the language has listened.")
	}
	return nil
}

// background says what a recording sounds like while nobody transmits.
func background(b evidence.Background) string {
	level := fmt.Sprintf(", %.0f dB of full scale", float64(b.LevelCB)/100)
	switch b.Kind {
	case evidence.BackgroundCarrier:
		return fmt.Sprintf("a carrier or tone at %d Hz", b.LineHz) + level
	case evidence.BackgroundHum:
		return fmt.Sprintf("hum of %d Hz", b.LineHz) + level
	}
	return b.Kind + level
}

// line prints one transmission: where it is, how well it was received, and what was heard. Text is marked where
// the machine doubts it, and where mark says so.
func (w *world) line(l transcript.Line, mark func(string) string) {
	fmt.Fprintf(w.stdout, "%s  %3.0f dB  %-5s  %s\n", l.Citation, l.SnrDB, oneLine(strings.Join(l.Langs, "/"), 5), w.text(l, mark))
	if l.Translation != nil {
		fmt.Fprintf(w.stdout, "    %s\n", oneLine(l.Translation.String(), 4000))
	}
}

func (w *world) text(l transcript.Line, mark func(string) string) string {
	if l.Text == "" {
		s := "[" + l.State
		if l.Reason != "" {
			s += ": " + l.Reason
		}
		if calls := l.CallsText(); calls != "" {
			s += ", " + calls
		}
		return oneLine(s, 160) + "]"
	}
	if calls := l.CallsText(); calls != "" {
		return "[" + oneLine(calls, 80) + "] " + words(l, mark)
	}
	return words(l, mark)
}

func words(l transcript.Line, mark func(string) string) string {
	var b strings.Builder
	for i, word := range l.Words {
		if i > 0 {
			b.WriteByte(' ')
		}
		t := visible(strings.TrimSpace(word.Word))
		if mark != nil {
			t = mark(t)
		}
		b.WriteString(t)
		if word.Doubtful() {
			b.WriteString("(?)")
		}
		if word.Boosted {
			b.WriteString("(+)")
		}
	}
	if len(l.Words) == 0 {
		return visible(l.Text)
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}
