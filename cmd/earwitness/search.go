package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/search"
	"github.com/earwitness/earwitness/internal/transcript"
)

func searchVerb(w *world) *cobra.Command {
	o := search.Options{Limit: 20}
	cmd := &cobra.Command{
		Use:   "search QUERY...",
		Short: "Find words; every line names its seconds",
		Long: `Find words in all recordings. All words must be there, in any form: топливо finds топлива. "quoted words" stand
together, топл* is a beginning, Мотижин~ a spelling that may be off, -word must not be there, OR is between
alternatives. Filters: rec: lang: state: sound: date: from: to: snr:. docs/search.md has all of it.`,
		Example: `  earwitness search топливо
  earwitness search '"нет связи" date:2022-02-27'
  earwitness search 'вертол* OR авиаци*' --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) (err error) {
				index, done, err := indexPath(c.Dir())
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, done()) }()
				x, err := search.Open(cmd.Context(), index, "earwitness "+version, c)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, x.Close()) }()
				if err := x.Update(cmd.Context()); err != nil {
					return err
				}
				a, err := x.Search(cmd.Context(), strings.Join(args, " "), o)
				if err != nil {
					return err
				}
				if w.json {
					return writeJSON(w.stdout, a)
				}
				w.sayAnswer(a, o)
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&o.Limit, "limit", o.Limit, "show at most this many lines")
	cmd.Flags().IntVar(&o.Offset, "offset", 0, "pass over this many first")
	return cmd
}

// indexPath returns where the index of a case lies: in its folder, or, where that cannot be written to, such as on a
// disk that was handed over as evidence, in a folder of its own that done removes.
func indexPath(dir string) (path string, done func() error, err error) {
	path = filepath.Join(dir, "derived.db")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		return path, func() error { return nil }, f.Close()
	}
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return "", nil, err
	}
	tmp, err := os.MkdirTemp("", "earwitness-index")
	return filepath.Join(tmp, "derived.db"), func() error { return os.RemoveAll(tmp) }, err
}

func (w *world) sayAnswer(a search.Answer, o search.Options) {
	for _, h := range a.Hits {
		w.hit(h)
	}
	switch {
	case a.Total == 0:
		fmt.Fprintln(w.stderr, "nothing found")
	case a.Total > o.Offset+len(a.Hits):
		fmt.Fprintf(w.stderr, "%s, shown %d-%d; --offset %d goes on\n", plural(a.Total, "line", "lines"), o.Offset+1, o.Offset+len(a.Hits), o.Offset+len(a.Hits))
	default:
		fmt.Fprintln(w.stderr, plural(a.Total, "line", "lines"))
	}
	for _, h := range a.Hints {
		fmt.Fprintf(w.stderr, "did you mean: earwitness search '%s'\n", visible(h))
	}
	if a.Undated > 0 {
		fmt.Fprintf(w.stderr, "%s matched otherwise, but no time is stated for the recording (`earwitness describe --start`)\n", plural(a.Undated, "line", "lines"))
	}
}

// hit prints a line that was found, with what matched in bold where the terminal can.
func (w *world) hit(h search.Hit) {
	l := h.Line
	text := w.text(l, nil)
	if w.colour && len(h.Matches) > 0 && l.State == transcript.StateDraft {
		text = emphasise(l.Text, h)
	} else if r := []rune(l.Text); len(r) > h.Excerpt.To-h.Excerpt.From {
		text = excerpt(r, h)
	}
	fmt.Fprintf(w.stdout, "%s  %3.0f dB  %-5s  %s\n", l.Citation, l.SnrDB, oneLine(strings.Join(l.Langs, "/"), 5), text)
}

func excerpt(r []rune, h search.Hit) string {
	before, after := "", ""
	if h.Excerpt.From > 0 {
		before = "… "
	}
	if h.Excerpt.To < len(r) {
		after = " …"
	}
	return before + oneLine(string(r[h.Excerpt.From:h.Excerpt.To]), len(r)+1) + after
}

// emphasise writes the excerpt with its matches in bold.
func emphasise(text string, h search.Hit) string {
	r := []rune(text)
	var b strings.Builder
	at := h.Excerpt.From
	for _, m := range h.Matches {
		if m.From < at || m.To > h.Excerpt.To {
			continue
		}
		b.WriteString(oneLine(string(r[at:m.From]), len(r)+1))
		b.WriteString("\x1b[1m" + oneLine(string(r[m.From:m.To]), len(r)+1) + "\x1b[0m")
		at = m.To
	}
	b.WriteString(oneLine(string(r[at:h.Excerpt.To]), len(r)+1))
	return b.String()
}
