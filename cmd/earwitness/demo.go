package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/demo"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/engines/models"
	"github.com/earwitness/earwitness/internal/intake"
	"github.com/earwitness/earwitness/internal/transcript"
)

func demoVerb(w *world) *cobra.Command {
	rf := runFlags{model: defaultModel, decoder: "wasm", quiet: true}
	sf := serveFlags{run: runFlags{model: defaultModel, threads: threadsDefault(), decoder: "auto"}}
	var noServe bool
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Make a case from recordings that ship with earwitness, and run everything",
		Long: `Make a case from recordings that ship with earwitness, and run everything: two synthetic radio nets, in Russian and
English, with fading, crashes, squelch tails and a jammer, and two short real recordings. The folder is
demo.case where none is named; it must not exist yet. At the end the workbench is open, and the last line on standard
output is its link, as of the verb serve; --no-serve ends when the case is made.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "demo.case"
			if len(args) == 1 {
				dir = args[0]
			}
			if err := w.demo(cmd, dir, rf); err != nil || noServe {
				return err
			}
			w.dir = dir
			return w.serve(cmd.Context(), sf, "\nThe workbench: ")
		},
	}
	sf.register(cmd)
	cmd.Flags().BoolVar(&noServe, "no-serve", false, "only make the case")
	cmd.Flags().IntVar(&rf.threads, "threads", threadsDefault(), "how much is done at once; results do not depend on it")
	return cmd
}

func (w *world) demo(cmd *cobra.Command, dir string, rf runFlags) (err error) {
	ctx := cmd.Context()
	// Before the folder is made, so that the same words work once the model is there.
	if _, err := models.Open(w.modelsDir()).Find(rf.model); err != nil {
		return err
	}
	files, err := os.MkdirTemp("", "earwitness-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(files)
	var paths []string
	for _, name := range demo.Recordings() {
		for _, n := range []string{name, demo.Sidecar(name)} {
			b, err := fs.ReadFile(demo.Files(), n)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(files, n), b, 0o666); err != nil {
				return err
			}
		}
		paths = append(paths, filepath.Join(files, name))
	}
	c, err := casefile.Create(ctx, dir, casefile.Options{
		Title: "Demo: two synthetic radio nets and two real recordings", Author: w.author(), Program: "earwitness " + version, Now: w.now, Rand: w.rand, SeenDir: w.seenDir(),
		Policy: evidence.Policy{EmbargoSeconds: int64((14 * 24 * time.Hour).Seconds()), IntakeDelaySeconds: int64((24 * time.Hour).Seconds()), Languages: expectedLanguages()},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := w.add(cmd, c, paths, intake.Options{Author: w.author()}); err != nil {
		return err
	}
	if err := w.run(cmd, c, rf, nil); err != nil {
		return err
	}
	st, err := project(ctx, c)
	if err != nil || w.json {
		return err
	}
	w.guide(dir, st)
	return nil
}

// guide ends the demo: what was found, and what to type next.
func (w *world) guide(dir string, st *transcript.State) {
	fmt.Fprintf(w.stdout, "\n%-9s %-22s %11s  %s\n", "recording", "file", "length", "what was found")
	lines := st.AllLines()
	for _, r := range st.Recordings() {
		kind, length := "real", "-"
		if r.Synthetic {
			kind = "synthetic"
		}
		if r.Decoded != nil {
			length = evidence.Clock(r.Decoded.Samples / 1600 * 1600)
		}
		fmt.Fprintf(w.stdout, "%-9s %-22s %11s  %s\n", r.ID, r.Name+" ("+kind+")", length, found(lines, r.ID))
	}
	best := surest(lines)
	if len(best) > 0 {
		fmt.Fprintln(w.stdout, "\nSome of what was heard; a machine's draft that nobody has listened to, doubtful words marked (?):")
		for _, l := range best {
			w.line(l, nil)
		}
	}
	at := func(verb string) string { return fmt.Sprintf("%s -C %s %s", visible(w.self), visible(dir), verb) }
	fmt.Fprintln(w.stdout, "\nWhat to type next:")
	next := [][2]string{{at("serve --open"), "see, hear and correct it in the browser"}, {at("show REC-0001"), "all transmissions of the Russian net"}, {at("search 'вертол* OR топлив*'"), "find words; endings do not matter"}}
	if len(best) > 0 {
		next = append(next, [2]string{at("play " + best[0].Citation), "hear a line"}, [2]string{at("clip " + best[0].Citation), "the same seconds as a file"})
	}
	next = append(next, [2]string{at("export vtt -o demo.vtt"), "subtitles; also srt, csv, jsonl"}, [2]string{at("verify"), "check every byte"})
	width := 0
	for _, n := range next {
		width = max(width, len([]rune(n[0])))
	}
	for _, n := range next {
		fmt.Fprintf(w.stdout, "  %s%s  %s\n", n[0], strings.Repeat(" ", width-len([]rune(n[0]))), n[1])
	}
}

// found counts a recording's transmissions by what they are.
func found(lines []transcript.Line, recording string) string {
	count := map[string]int{}
	for _, l := range lines {
		switch {
		case l.Recording != recording:
		case l.Sound == evidence.SoundSpeech && l.Text != "":
			count["with text"]++
		case l.Sound == evidence.SoundSpeech:
			count["speech, "+l.State]++
		default:
			count[l.Sound]++
		}
	}
	var keys []string
	for k := range count {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(count[b]-count[a], strings.Compare(a, b))
	})
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%d %s", count[k], k))
	}
	if len(parts) == 0 {
		return "no transmissions"
	}
	return strings.Join(parts, ", ")
}

// surest picks, for each language in turn, the lines that the machine doubts least, in the order of the recordings.
func surest(lines []transcript.Line) []transcript.Line {
	byLang := map[string][]transcript.Line{}
	for _, l := range lines {
		if l.Text != "" && len(l.Words) >= 4 {
			byLang[l.Lang] = append(byLang[l.Lang], l)
		}
	}
	var out []transcript.Line
	for _, lang := range []string{"ru", "en"} {
		ls := byLang[lang]
		slices.SortStableFunc(ls, func(a, b transcript.Line) int { return cmp.Compare(b.Probability, a.Probability) })
		out = append(out, ls[:min(4, len(ls))]...)
	}
	return out
}
