package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/pipeline"
)

// runFlags are what a person can choose about a run.
type runFlags struct {
	decoder   string
	languages []string
	model     string
	words     string // file of the case's vocabulary
	retry     bool
	threads   int
	quiet     bool
	voices    string
	translate bool
}

func runVerb(w *world) *cobra.Command {
	var rf runFlags
	cmd := &cobra.Command{
		Use:   "run [RECORDING...]",
		Short: "Do what is missing: decode, find the transmissions, hear them",
		Long: `Do what is missing for all recordings, or for those named: decode them, find the transmissions, hear the speech.

It may be stopped at any moment, by Ctrl-C or worse: what is done is kept and the next run goes on from there. The
longest recordings come first. A recording is decoded, searched and heard at the same time, so that its first text is
shown early; what is shown of a recording that is still being decoded into a copy is written when the copy is kept, and
done again where the run ends before that. A recording that cannot be worked on is written down with the reason and the
rest goes on; it is tried again with --retry. Stored bytes that are no longer what they were are not worked on: the exit
code is then 4. Where another model has heard a recording before, the one of this run counts from then on. The exit code is 0 when everything that can be done is done.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), true, func(c *casefile.Case) error {
				return w.run(cmd, c, rf, args)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&rf.model, "model", defaultModel, "which model hears the speech")
	f.StringSliceVar(&rf.languages, "languages", nil, "languages expected, as codes (default: the case's); a hint, never forced")
	f.StringVar(&rf.words, "vocabulary", "", "a file of call signs, places and other words of the case, one a line: their odds are raised by a bounded amount, and words heard only so are marked")
	f.BoolVar(&rf.retry, "retry", false, "try again what failed before")
	f.IntVar(&rf.threads, "threads", threadsDefault(), "how much is done at once; results do not depend on it")
	f.StringVar(&rf.decoder, "decoder", "auto", "what decodes media: wasm (the same samples on every machine), native (an installed ffmpeg, faster), or auto (native where it can be confined)")
	f.StringVar(&rf.voices, "voices", "", "also make out what the voice of each transmission sounds like, with this model, such as voice-resemblyzer; the verb voices compares them (default: none)")
	f.BoolVar(&rf.translate, "translate", false, "also draft in English what is heard in another language: a machine's draft by the same model, on this machine; nothing is sent anywhere")
	f.BoolVar(&rf.quiet, "quiet", false, "no line for each transmission")
	return cmd
}

func (w *world) run(cmd *cobra.Command, c *casefile.Case, rf runFlags, recordings []string) error {
	if rf.threads < 1 || rf.threads > 1024 {
		return &usageError{evidence.Invalid("--threads is a number from 1 to 1024")}
	}
	e, err := w.engines(cmd.Context(), c, rf)
	if err != nil {
		return err
	}
	defer e.close()
	b := w.bar("working")
	begun := w.now()
	o := w.options(e, rf, func(ev pipeline.Event) { w.event(b, ev, rf.quiet) })
	o.Recordings = recordings
	sum, err := pipeline.Run(cmd.Context(), c, o)
	b.clear()
	if w.json {
		if jerr := writeJSON(w.stdout, map[string]any{"summary": sum, "seconds": w.now().Sub(begun).Seconds()}); jerr != nil && err == nil {
			err = jerr
		}
	} else {
		w.saySummary(sum, w.now().Sub(begun))
	}
	if err == nil && sum.Damaged > 0 {
		return &reported{exitDamaged}
	}
	if err == nil && sum.Needs != "" {
		return evidence.Needs("%s", sum.Needs).WithHint("%s", sum.NeedsHint)
	}
	return err
}

// options are those of a run with the given engines.
func (w *world) options(e *engines, rf runFlags, report func(pipeline.Event)) pipeline.Options {
	return pipeline.Options{
		Author: w.program(), Decoder: e.decoder, Detector: e.detector, Recogniser: e.recogniser, Voices: e.voices, Translator: e.translator, Detect: e.detect,
		Threads: rf.threads, Ahead: child.HearsPerThread, Now: w.now, Retry: rf.retry, Publish: 5 * time.Second, Report: report,
	}
}

// event shows what happens to whoever watches.
func (w *world) event(b *bar, e pipeline.Event, quiet bool) {
	if w.json {
		if e.State != pipeline.Working {
			_ = writeJSON(w.stdout, eventJSON(e)) // a closed pipe ends the program by signal
		}
		return
	}
	switch e.State {
	case pipeline.Working:
		doing := map[string]string{evidence.StageDecode: "decoding", evidence.StageDetect: "finding transmissions in", evidence.StageHear: "hearing", evidence.StageVoice: "making out voices in", evidence.StageTranslate: "translating"}[e.Stage]
		b.at(e.Fraction, fmt.Sprintf("%s %s", doing, e.Recording))
	case pipeline.Done:
		if e.Text != "" && !quiet {
			b.clear()
			mark := ""
			if e.Stage == evidence.StageTranslate {
				mark = "en (machine draft): "
			}
			fmt.Fprintf(w.stderr, "%s  %s%s\n", evidence.Citation{Recording: e.Recording, Span: e.Span}, mark, oneLine(e.Text, 120))
		}
	case pipeline.Failed:
		b.clear()
		at := e.Recording
		if e.Span.To > 0 {
			at = evidence.Citation{Recording: e.Recording, Span: e.Span}.String()
		}
		fmt.Fprintf(w.stderr, "%s  could not %s: %s\n", at, e.Stage, oneLine(e.Text, 300))
		if e.Hint != "" {
			fmt.Fprintf(w.stderr, "          hint: %s\n", oneLine(e.Hint, 300))
		}
	case pipeline.Waits:
		b.clear()
		fmt.Fprintf(w.stderr, "%s  waits: %s\n", e.Recording, oneLine(e.Text, 300))
	}
}

func eventJSON(e pipeline.Event) map[string]any {
	m := map[string]any{"recording": e.Recording, "state": e.State}
	for k, v := range map[string]string{"stage": e.Stage, "text": e.Text, "hint": e.Hint} {
		if v != "" {
			m[k] = v
		}
	}
	if e.Span.To > 0 {
		m["citation"] = evidence.Citation{Recording: e.Recording, Span: e.Span}.String()
	}
	return m
}

func (w *world) saySummary(s pipeline.Summary, took time.Duration) {
	if s.Decoded+s.Detected+s.Heard+s.Voices+s.Translated+s.NotTranslated+s.Failed == 0 {
		fmt.Fprint(w.stderr, "nothing new to do")
	} else {
		fmt.Fprintf(w.stderr, "decoded %d, searched %d, found %s, heard %s in %s", s.Decoded, s.Detected,
			plural(s.Transmissions, "transmission", "transmissions"), plural(s.Heard, "burst", "bursts"), long(took))
	}
	for _, p := range []struct {
		n    int
		what string
	}{{s.Voices, "voices made out"}, {s.Translated, "drafted in English by the machine"}, {s.NotTranslated, "not translated (no draft that can be stood by; `earwitness show` says why)"}, {s.Failed, "failed (written down; `earwitness show` says why)"}, {s.FailedBefore, "failed before (`earwitness run --retry` tries again)"}, {s.Damaged, "damaged in the case (`earwitness verify` says where)"}, {s.Delayed, "wait for the intake delay"}, {s.Waiting, "bursts wait to be heard"}} {
		if p.n > 0 {
			fmt.Fprintf(w.stderr, "; %d %s", p.n, p.what)
		}
	}
	fmt.Fprintln(w.stderr)
}

func threadsDefault() int { return runtime.NumCPU() }
