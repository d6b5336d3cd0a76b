package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// errEnough ends a walk over the entries early.
var errEnough = errors.New("enough")

func logVerb(w *world) *cobra.Command {
	var from, limit int64
	var kind string
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show the entries of the case, in order",
		Long: `Show the entries of the case, in order. With --json each line is {"index", "entry"}, the entry as it is kept
(docs/format/entries.md).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				shown := int64(0)
				_, err := c.Follow(cmd.Context(), from, func(i int64, e evidence.Entry) error {
					if kind != "" && e.Kind != kind {
						return nil
					}
					if limit > 0 && shown == limit {
						return errEnough
					}
					shown++
					if w.json {
						b, err := e.Encode()
						if err != nil {
							return err
						}
						return writeJSON(w.stdout, map[string]any{"index": i, "entry": json.RawMessage(b)})
					}
					_, err := fmt.Fprintf(w.stdout, "%6d  %s  %-19s %-20s %s\n", i, e.Time.Format("2006-01-02 15:04:05"), e.Kind, oneLine(e.Author.Name, 20), about(e))
					return err
				})
				if errors.Is(err, errEnough) {
					err = nil
				}
				return err
			})
		},
	}
	cmd.Flags().Int64Var(&from, "from", 0, "index of the first entry to show")
	cmd.Flags().Int64Var(&limit, "limit", 0, "show at most this many (0: all)")
	cmd.Flags().StringVar(&kind, "kind", "", "only entries of this kind, such as recording.received")
	return cmd
}

// about says in one line what an entry states.
func about(e evidence.Entry) string {
	switch e.Kind {
	case evidence.EntryCaseOpened:
		if b, err := evidence.DecodeBody[evidence.CaseOpened](e, e.Kind); err == nil {
			return oneLine(b.Title, 60)
		}
	case evidence.EntryEpochStarted:
		if b, err := evidence.DecodeBody[evidence.EpochStarted](e, e.Kind); err == nil {
			return oneLine("a new log begins: "+b.Reason, 80)
		}
	case evidence.EntryRecordingReceived:
		if b, err := evidence.DecodeBody[evidence.RecordingReceived](e, e.Kind); err == nil {
			return fmt.Sprintf("%s  %s  %s  %s", b.Recording, b.Digest.Short(), size(b.Size), oneLine(b.Name, 60))
		}
	case evidence.EntryRecordingDescribed:
		if b, err := evidence.DecodeBody[evidence.RecordingDescribed](e, e.Kind); err == nil {
			return fmt.Sprintf("%s  replaces the statement in %d", b.Recording, b.Replaces)
		}
	case evidence.EntryIntakeRefused:
		if b, err := evidence.DecodeBody[evidence.IntakeRefused](e, e.Kind); err == nil {
			return oneLine(b.Name, 40) + ": " + oneLine(b.Reason, 80)
		}
	case evidence.EntryResult:
		if b, err := evidence.DecodeBody[evidence.Result](e, e.Kind); err == nil {
			return fmt.Sprintf("%-6s  %s  by %s", b.Stage, where(b.Recording, b.Span), oneLine(b.Engine.Name, 20))
		}
	case evidence.EntryFailure:
		if b, err := evidence.DecodeBody[evidence.Failure](e, e.Kind); err == nil {
			return fmt.Sprintf("%-6s  %s  %s", b.Stage, where(b.Recording, b.Span), oneLine(b.Message, 80))
		}
	case evidence.EntryHearingChosen:
		if b, err := evidence.DecodeBody[evidence.HearingChosen](e, e.Kind); err == nil {
			return b.Recording + "  what " + oneLine(b.Model.Name, 40) + " heard counts"
		}
	case evidence.EntryOriginalExported:
		if b, err := evidence.DecodeBody[evidence.OriginalExported](e, e.Kind); err == nil {
			return b.Recording + "  to " + oneLine(b.To, 60)
		}
	}
	return ""
}

func where(recording string, s *evidence.Span) string {
	if s == nil {
		return recording
	}
	return evidence.Citation{Recording: recording, Span: *s}.String()
}

func receiptVerb(w *world) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "receipt RECORDING|INDEX",
		Short: "Write a signed receipt for whoever handed a recording in",
		Long: `Write a signed receipt: the entry with its proof that it is in the log at a signed size. A stranger checks it
with "earwitness verify --receipt FILE --key KEY" and needs neither the case nor us (docs/format/case.md).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), true, func(c *casefile.Case) error {
				index, err := entryOf(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				if err := c.Publish(cmd.Context()); err != nil {
					return err
				}
				b, err := c.Receipt(cmd.Context(), index)
				if err != nil {
					return err
				}
				return w.writeTo(out, b)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "-", "file to write; - is standard output")
	return cmd
}

// entryOf returns the index of a recording's intake, or the index that s is.
func entryOf(ctx context.Context, c *casefile.Case, s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		_, err := c.Read(ctx, n)
		return n, err
	}
	_, n, ok := c.Recording(s)
	if !ok {
		return 0, evidence.NotFound("the case has no recording %s", s).WithHint("`earwitness show` lists them")
	}
	return n, nil
}

// writeTo writes b to a file that does not exist yet, or to standard output.
func (w *world) writeTo(name string, b []byte) error {
	if name == "-" || name == "" {
		_, err := w.stdout.Write(b)
		return err
	}
	f, err := createNew(name)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// createNew makes a file and never writes over one.
func createNew(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil, evidence.Conflict("%s exists already", name).WithHint("choose another name, or move it away")
	}
	return f, err
}

func epochVerb(w *world) *cobra.Command {
	var reason, agreed string
	cmd := &cobra.Command{
		Use:   "epoch",
		Short: "Go on with a restored copy of a case, under a new log",
		Long: `Go on with a restored copy of a case. An old copy never signs under the old log again, since two different
histories would then carry the same signature: it starts a new log whose first entry names the old one,
the reason, and the second person who agreed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := w.caseDir()
			if err != nil {
				return err
			}
			c, err := casefile.StartEpoch(cmd.Context(), dir, casefile.EpochOptions{
				Author: w.author(), AgreedBy: agreed, Reason: reason, Now: w.now, Rand: w.rand, SeenDir: w.seenDir(),
			})
			if err != nil {
				return err
			}
			defer c.Close()
			info := c.Info()
			if w.json {
				return writeJSON(w.stdout, map[string]string{"origin": info.Origin, "key": info.Key})
			}
			fmt.Fprintf(w.stdout, "log  %s\nkey  %s\n", info.Origin, info.Key)
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why an older copy goes on")
	cmd.Flags().StringVar(&agreed, "agreed-by", "", "the second person who agreed")
	_ = cmd.MarkFlagRequired("reason") // the flags exist
	_ = cmd.MarkFlagRequired("agreed-by")
	return cmd
}
