package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/transcript"
)

func exportVerb(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what the recordings say, or an original",
		Long: `Write what the recordings say, as srt, vtt, jsonl or csv (docs/format/export.md), or the original bytes of a
recording. Text is a machine's draft until people have listened: jsonl and csv carry its state, vtt says so at its head.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, format := range []string{"srt", "vtt", "jsonl", "csv"} {
		cmd.AddCommand(exportTextVerb(w, format))
	}
	cmd.AddCommand(exportOriginalVerb(w))
	return cmd
}

func exportTextVerb(w *world, format string) *cobra.Command {
	var out string
	var english bool
	cmd := &cobra.Command{
		Use:   format + " [RECORDING...]",
		Short: "Write the lines of all recordings, or of those named, as " + strings.ToUpper(format),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				st, err := project(cmd.Context(), c)
				if err != nil {
					return err
				}
				lines := st.AllLines()
				if len(args) > 0 {
					lines = nil
					slices.Sort(args)
					for _, id := range slices.Compact(args) {
						l, err := st.Lines(id)
						if err != nil {
							return err
						}
						lines = append(lines, l...)
					}
				}
				if english {
					lines = transcript.InEnglish(lines)
				}
				return w.create(out, func(f io.Writer) error { return transcript.Export(f, format, lines) })
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "-", "file to write; - is standard output")
	if format == "srt" || format == "vtt" {
		cmd.Flags().BoolVar(&english, "translation", false, "the machine's drafts in English instead, each marked [machine draft]; made by \"earwitness run --translate\"")
	}
	return cmd
}

// create has f write a file that does not exist yet, or standard output. A file that was not written whole does
// not stay.
func (w *world) create(name string, f func(io.Writer) error) error {
	if name == "-" {
		return f(w.stdout)
	}
	file, err := createNew(name)
	if err != nil {
		return err
	}
	if err := errors.Join(f(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func exportOriginalVerb(w *world) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "original RECORDING",
		Short: "Write the original bytes of a recording, and say so in the log",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), true, func(c *casefile.Case) error {
				st, err := project(cmd.Context(), c)
				if err != nil {
					return err
				}
				r, err := st.Recording(args[0])
				if err != nil {
					return err
				}
				name := out
				if name == "" {
					name = r.ID + safeEnding(r.Name)
				}
				b, err := c.OpenBlob(r.Digest)
				if err != nil {
					return err
				}
				defer b.Close()
				// The log says that the bytes leave before they do: custody has no gap.
				if _, err := c.Append(cmd.Context(), w.author(), evidence.EntryOriginalExported,
					evidence.OriginalExported{Digest: r.Digest, Recording: r.ID, To: strings.ToValidUTF8(name, "\uFFFD")}); err != nil {
					return err
				}
				hash := newHash()
				if err := w.create(name, func(f io.Writer) error {
					if _, err := io.Copy(io.MultiWriter(f, hash), io.NewSectionReader(b, 0, b.Size())); err != nil {
						return err
					}
					if got := hash.digest(); got != r.Digest {
						return evidence.Damaged("the original of %s has the digest %s, not %s", r.ID, got, r.Digest).WithHint("`earwitness verify` says what else is damaged")
					}
					return nil
				}); err != nil {
					return err
				}
				if name != "-" {
					fmt.Fprintf(w.stderr, "%s  %s  %s  %s\n", r.ID, size(r.Size), r.Digest, visible(name))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write (default: the recording's number with its ending); - is standard output")
	return cmd
}

// safeEnding returns the ending of a name that came from a stranger, where it is a plain one.
func safeEnding(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i > 8 {
		return ""
	}
	for _, r := range name[i+1:] {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return ""
		}
	}
	return name[i:]
}
