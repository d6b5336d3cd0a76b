package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/intake"
)

// receptionFlags are what people can state about a recording.
type receptionFlags struct {
	r           evidence.Reception
	frequency   string
	start       string
	basis       string
	uncertainty time.Duration
	raw         string
}

func (rf *receptionFlags) register(f *pflag.FlagSet) {
	f.StringVar(&rf.frequency, "frequency", "", "of the radio: 4.625MHz, 4625kHz, or Hz")
	f.StringVar(&rf.r.Mode, "mode", "", "AM, USB, LSB, NFM, ...")
	f.StringVar(&rf.r.Receiver, "receiver", "", "what received it")
	f.StringVar(&rf.r.Place, "place", "", "where the receiver stood")
	f.StringVar(&rf.start, "start", "", "time of the first sample with its offset: 2022-02-27T14:05:00+02:00")
	f.StringVar(&rf.basis, "start-basis", "", "how that time is known: 'receiver clock', 'file name', ...")
	f.DurationVar(&rf.uncertainty, "start-uncertainty", 0, "plus or minus, such as 2s")
	f.StringVar(&rf.r.Source, "source", "", "who recorded or published it")
	f.StringVar(&rf.r.HandedInBy, "handed-in-by", "", "who handed it in")
	f.StringVar(&rf.r.Note, "note", "", "anything else that should be known")
	f.BoolVar(&rf.r.Synthetic, "synthetic", false, "the sound is made, not received; said wherever it shows")
	f.StringVar(&rf.raw, "raw", "", "samples without a header: FORMAT,RATE,CHANNELS, such as s16le,8000,1")
}

func (rf *receptionFlags) reception() (evidence.Reception, error) {
	r := rf.r
	if rf.frequency != "" {
		hz, err := frequency(rf.frequency)
		if err != nil {
			return r, err
		}
		r.FrequencyHz = hz
	}
	if rf.start != "" || rf.basis != "" || rf.uncertainty != 0 {
		r.Start = &evidence.StartTime{Time: rf.start, Basis: rf.basis, UncertaintyMilli: rf.uncertainty.Milliseconds()}
	}
	if rf.raw != "" {
		p := strings.Split(rf.raw, ",")
		if len(p) != 3 {
			return r, evidence.Invalid("--raw %q is not FORMAT,RATE,CHANNELS", rf.raw).WithHint("for example --raw s16le,8000,1")
		}
		rate, err1 := strconv.Atoi(p[1])
		channels, err2 := strconv.Atoi(p[2])
		if err1 != nil || err2 != nil {
			return r, evidence.Invalid("--raw %q: rate and channels are whole numbers", rf.raw)
		}
		r.Raw = &evidence.RawLayout{Format: p[0], Rate: rate, Channels: channels}
	}
	return r, intake.CheckReception(r)
}

// frequency reads 4.625MHz, 4625kHz, 4625000Hz or 4625000.
func frequency(s string) (int64, error) {
	t, unit := strings.ToLower(strings.ReplaceAll(s, " ", "")), 1.0
	for suffix, u := range map[string]float64{"khz": 1e3, "mhz": 1e6, "ghz": 1e9} {
		if v, ok := strings.CutSuffix(t, suffix); ok {
			t, unit = v, u
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(t, "hz"), 64)
	if err != nil || !(v*unit >= 1 && v*unit <= 300e9) {
		return 0, evidence.Invalid("%q is not a radio frequency", s).WithHint("write it like 4.625MHz or 4625kHz")
	}
	return int64(math.Round(v * unit)), nil
}

func addVerb(w *world) *cobra.Command {
	var rf receptionFlags
	var name string
	cmd := &cobra.Command{
		Use:   "add PATH...",
		Short: "Hand recordings in",
		Long: `Hand recordings in: files, folders (with everything under them that is named like a recording), or - for
standard input. The bytes are hashed and kept before anything looks inside them. What is stated about a
recording comes from a sidecar FILE.json beside it (docs/format/case.md) and from these flags, which count
for all files of this call and go before the sidecar.`,
		Example: `  earwitness add intercepts/ --receiver 'KiwiSDR Lviv' --frequency 4.625MHz --mode USB --handed-in-by 'O. K.'
  curl ... | earwitness add - --name voice.ogg --source 'channel @example'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := rf.reception()
			if err != nil {
				return err
			}
			return w.withCase(cmd.Context(), true, func(c *casefile.Case) error {
				return w.add(cmd, c, args, intake.Options{Author: w.author(), Reception: r, Stdin: w.stdin, StdinName: name})
			})
		},
	}
	rf.register(cmd.Flags())
	cmd.Flags().StringVar(&name, "name", "stdin", "the name of what comes from standard input")
	return cmd
}

// add takes paths in and says what became of each.
func (w *world) add(cmd *cobra.Command, c *casefile.Case, paths []string, o intake.Options) error {
	count := map[string]int{}
	refusedByName := false
	given := map[string]bool{}
	for _, p := range paths {
		given[p] = true
	}
	bar := w.bar("taking in")
	o.Progress = func(name string, n int64) { bar.describe(oneLine(name, 40) + " " + size(n)) }
	o.Report = func(out intake.Outcome) {
		bar.clear()
		count[out.State]++
		refusedByName = refusedByName || out.State == intake.Refused && given[out.Path]
		if w.json {
			_ = writeJSON(w.stdout, out) // a closed pipe ends the program by signal
			return
		}
		switch out.State {
		case intake.Added, intake.Already:
			note := ""
			if out.State == intake.Already {
				note = "  the same bytes are in the case already: nothing added"
			} else if out.Reason != "" {
				note = "  " + out.Reason
			}
			fmt.Fprintf(w.stdout, "%-8s %-10s %8s  %s  %s%s\n", out.State, out.Recording, size(out.Size), out.Digest[:12], oneLine(out.Name, 80), note)
		case intake.Refused:
			fmt.Fprintf(w.stdout, "%-8s %-10s %8s  %-12s  %s: %s\n", out.State, "-", "", "", oneLine(out.Path, 200), oneLine(out.Reason, 300))
			if out.Hint != "" {
				fmt.Fprintf(w.stderr, "earwitness: hint: %s\n", oneLine(out.Hint, 300))
			}
		}
	}
	err := intake.Add(cmd.Context(), c, paths, o)
	bar.clear()
	if err != nil {
		return err
	}
	if !w.json {
		fmt.Fprintf(w.stderr, "%s added", plural(count[intake.Added], "recording", "recordings"))
		for _, s := range []string{intake.Already, intake.Refused, intake.LeftOut} {
			if count[s] > 0 {
				fmt.Fprintf(w.stderr, ", %d %s", count[s], map[string]string{intake.Already: "already there", intake.Refused: "refused", intake.LeftOut: "left out (not named like a recording; `earwitness log` names them)"}[s])
			}
		}
		fmt.Fprintln(w.stderr)
	}
	if refusedByName {
		return &reported{exitInvalid}
	}
	return nil
}

func describeVerb(w *world) *cobra.Command {
	var rf receptionFlags
	cmd := &cobra.Command{
		Use:   "describe RECORDING",
		Short: "Correct what is stated about a recording",
		Long: `Correct what is stated about a recording. The given flags replace those fields, the others stay; the earlier
statement stays in the log. Results that depended on it are made anew by the next run.`,
		Example: `  earwitness describe REC-0003 --raw s16le,8000,1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return &usageError{evidence.Invalid("nothing is stated").WithHint("name at least one field, such as --mode USB")}
			}
			r, err := rf.reception()
			if err != nil {
				return err
			}
			return w.withCase(cmd.Context(), true, func(c *casefile.Case) error {
				index, err := intake.Describe(cmd.Context(), c, w.author(), args[0], r)
				if err != nil {
					return err
				}
				if w.json {
					return writeJSON(w.stdout, map[string]any{"recording": args[0], "entry": index})
				}
				fmt.Fprintf(w.stdout, "%s described anew in entry %d\n", args[0], index)
				return nil
			})
		},
	}
	rf.register(cmd.Flags())
	return cmd
}
