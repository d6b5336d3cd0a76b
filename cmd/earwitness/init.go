package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

var languageCode = regexp.MustCompile(`^[a-z]{2,3}$`)

// expectedLanguages are the hint that a case gets where nobody says otherwise: a burst of one second is else taken
// for any of 99.
func expectedLanguages() []string { return []string{"ru", "uk", "en"} }

func initVerb(w *world) *cobra.Command {
	var title string
	var languages []string
	var delay, embargo time.Duration
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a case",
		Long: `Make a case: one folder that holds the originals, every result, and a signed log of both.

Its policy is set now and written in its log: a recording whose stated time is younger than the intake delay
waits before it is analysed, and the places of recent events are not published before the embargo has passed.`,
		Example: `  earwitness init makariv.case --title 'Makariv, February 2022' --languages ru,uk`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, l := range languages {
				if !languageCode.MatchString(l) {
					return &usageError{evidence.Invalid("%q is not a language code", l).WithHint("use ISO 639-1 codes: ru, uk, en")}
				}
			}
			if delay < 0 || embargo < 0 {
				return &usageError{evidence.Invalid("a delay cannot be negative")}
			}
			if title == "" {
				title = strings.TrimSuffix(filepath.Base(filepath.Clean(args[0])), ".case")
			}
			c, err := casefile.Create(cmd.Context(), args[0], casefile.Options{
				Title: title, Author: w.author(), Program: "earwitness " + version, Now: w.now, Rand: w.rand, SeenDir: w.seenDir(),
				Policy: evidence.Policy{EmbargoSeconds: int64(embargo.Seconds()), IntakeDelaySeconds: int64(delay.Seconds()), Languages: languages},
			})
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Publish(cmd.Context()); err != nil {
				return err
			}
			info := c.Info()
			if w.json {
				return writeJSON(w.stdout, map[string]string{"case": args[0], "origin": info.Origin, "key": info.Key})
			}
			fmt.Fprintf(w.stdout, "made %s\nlog  %s\nkey  %s\n", visible(args[0]), info.Origin, info.Key)
			fmt.Fprintf(w.stderr, "Give the key to whoever should be able to check receipts. Next: earwitness -C %s add FILE...\n", visible(args[0]))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&title, "title", "", "what the case is about (default: the folder's name)")
	f.StringSliceVar(&languages, "languages", expectedLanguages(), "languages expected on the air, as codes; a hint, never forced")
	f.DurationVar(&delay, "intake-delay", 24*time.Hour, "how old a recording's stated time must be before it is analysed")
	f.DurationVar(&embargo, "embargo", 14*24*time.Hour, "how long the places of events are not published")
	return cmd
}
