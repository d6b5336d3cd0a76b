package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

func asError[E error](err error) (E, bool) { return errors.AsType[E](err) }

func ctxErr(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// visible returns s with everything that a terminal would obey, or that would turn the line around, written
// out: names and texts come from strangers.
func visible(s string) string {
	clean := true
	for _, r := range s {
		clean = clean && !hidden(r)
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			fmt.Fprintf(&b, "<U+%04X>", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	return r != '\n' && transcript.Hidden(r) || r == unicode.ReplacementChar
}

// oneLine is visible without line ends, cut to at most n characters.
func oneLine(s string, n int) string {
	r := []rune(strings.ReplaceAll(visible(s), "\n", " "))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-1]) + "…"
}

// writeJSON writes v on one line.
func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// size returns a number of bytes for people.
func size(n int64) string {
	const units = "kMGT"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1000, 0
	for f >= 999.5 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	return fmt.Sprintf("%.3g %cB", f, units[i])
}

// long returns a length of time for people.
func long(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// hashing computes the digest of what is written to it.
type hashing struct{ hash.Hash }

func newHash() hashing { return hashing{sha256.New()} }

func (h hashing) digest() evidence.Digest { return evidence.Digest(h.Sum(nil)) }
