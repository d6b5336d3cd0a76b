// Command earwitness turns leaked or intercepted voice-radio recordings into findings that anyone can hear
// and check. docs/cli.md lists its verbs and exit codes.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/decoder"
)

// version is set by the build: -ldflags "-X main.version=...".
var version = "0.1.0-dev"

func main() {
	// The decoder's child is this same program. It must start quickly and see as little of the world as it can.
	if len(os.Args) > 1 && os.Args[1] == decoder.Verb {
		os.Exit(decoder.ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	w := &world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		self: os.Args[0], now: time.Now, rand: rand.Reader, env: os.Getenv, terminal: isTerminal(os.Stderr), colour: isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "",
	}
	code := execute(ctx, w, os.Args[1:])
	stop()
	os.Exit(code)
}

// world is everything outside the program that the verbs may touch, with the flags that all of them share.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	self           string // the program as it was called
	now            func() time.Time
	rand           io.Reader
	env            func(string) string
	terminal       bool // somebody watches stderr
	colour         bool // stdout takes colour

	dir    string // -C
	json   bool
	as     string
	models string
}

// Exit codes; docs/cli.md. Stable from here on.
const (
	exitDone      = 0
	exitInternal  = 1
	exitUsage     = 2
	exitInvalid   = 3
	exitDamaged   = 4
	exitNotFound  = 5
	exitConflict  = 6
	exitNeeds     = 7
	exitCancelled = 130
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

// reported ends a verb whose output has said already what is wrong.
type reported struct{ code int }

func (e *reported) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func execute(ctx context.Context, w *world, args []string) int {
	root := &cobra.Command{
		Use:           "earwitness",
		Short:         "Turn voice-radio recordings into findings that anyone can hear and check",
		Long:          longHelp,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	f := root.PersistentFlags()
	f.StringVarP(&w.dir, "case", "C", "", "the case's folder (default: the nearest one at or above the working directory)")
	f.BoolVar(&w.json, "json", false, "write results as JSON, for scripts")
	f.StringVar(&w.as, "as", "", "who is working, as it will stand in the case (default: $EARWITNESS_AS, else the login name)")
	f.StringVar(&w.models, "models", "", "the shelf of models (default: $EARWITNESS_MODELS, else earwitness/models in the user's data folder)")
	root.AddGroup(
		&cobra.Group{ID: "case", Title: "The case:"},
		&cobra.Group{ID: "work", Title: "The work:"},
		&cobra.Group{ID: "use", Title: "Find and use:"},
	)
	for _, group := range []struct {
		id    string
		verbs []*cobra.Command
	}{
		{"case", []*cobra.Command{initVerb(w), addVerb(w), describeVerb(w), showVerb(w), logVerb(w), receiptVerb(w), verifyVerb(w), epochVerb(w)}},
		{"work", []*cobra.Command{runVerb(w), modelVerb(w), demoVerb(w)}},
		{"use", []*cobra.Command{serveVerb(w), searchVerb(w), voicesVerb(w), clipVerb(w), playVerb(w), exportVerb(w)}},
	} {
		for _, v := range group.verbs {
			v.GroupID = group.id
			root.AddCommand(v)
		}
	}
	strictArgs(root)
	root.SetHelpCommandGroupID("use")
	root.SetCompletionCommandGroupID("use")
	return w.exitCode(root.ExecuteContext(ctx))
}

// strictArgs makes a wrong number of arguments a usage error, for every verb.
func strictArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &usageError{err}
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		strictArgs(c)
	}
}

const longHelp = `Earwitness turns leaked or intercepted voice-radio recordings into findings that anyone can hear and check.
It keeps the originals provably unchanged, finds the transmissions, and writes down what is said with its doubt.

A first session:
  earwitness demo                          see it work on a small net that ships with it
  earwitness init my.case                  make a case
  earwitness -C my.case add recordings/    hand recordings in
  earwitness -C my.case run                find the transmissions and hear them
  earwitness -C my.case search 'топливо'   find words; every line names its seconds
  earwitness -C my.case verify             check every byte`

// exitCode says what is wrong and what to do, and returns the code for it. It is the one place where kinds
// of error become exit codes.
func (w *world) exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if r, ok := asError[*reported](err); ok {
		return r.code
	}
	fmt.Fprintf(w.stderr, "earwitness: error: %s\n", visible(err.Error()))
	if hint := evidence.HintOf(err); hint != "" {
		fmt.Fprintf(w.stderr, "earwitness: hint: %s\n", visible(hint))
	}
	if _, ok := asError[*usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "required flag") {
		fmt.Fprintln(w.stderr, "earwitness: hint: see `earwitness --help`, or the verb's own --help")
		return exitUsage
	}
	switch evidence.KindOf(err) {
	case evidence.KindInvalid:
		return exitInvalid
	case evidence.KindDamaged:
		return exitDamaged
	case evidence.KindNotFound:
		return exitNotFound
	case evidence.KindConflict:
		return exitConflict
	case evidence.KindNeeds:
		return exitNeeds
	case evidence.KindCancelled:
		return exitCancelled
	default:
		if ctxErr(err) {
			return exitCancelled
		}
		return exitInternal
	}
}

// author returns who is working: a person, by the name they gave or log in with.
func (w *world) author() evidence.Author {
	name := w.as
	if name == "" {
		name = w.env("EARWITNESS_AS")
	}
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	if name == "" {
		name = "unknown"
	}
	return evidence.Author{Kind: "person", Name: strings.ToValidUTF8(name, "\uFFFD")}
}

// program is the author of what the program itself finds.
func (w *world) program() evidence.Author {
	return evidence.Author{Kind: "program", Name: "earwitness " + version}
}

// folder returns a folder of the user's for one purpose: by the environment's own name for it, else the base
// directory that the XDG specification names, else its default under the home folder.
func (w *world) folder(own, xdg, fallback, name string) string {
	if d := w.env(own); own != "" && d != "" {
		return d
	}
	if d := w.env(xdg); d != "" {
		return filepath.Join(d, "earwitness", name)
	}
	home := w.env("HOME")
	if runtime.GOOS == "windows" {
		home = w.env("LOCALAPPDATA")
	}
	return filepath.Join(home, filepath.FromSlash(fallback), "earwitness", name)
}

func (w *world) modelsDir() string {
	if w.models != "" {
		return w.models
	}
	return w.folder("EARWITNESS_MODELS", "XDG_DATA_HOME", ".local/share", "models")
}

func (w *world) cacheDir() string { return w.folder("", "XDG_CACHE_HOME", ".cache", "decoder") }

func (w *world) seenDir() string {
	return w.folder("EARWITNESS_SEEN", "XDG_STATE_HOME", ".local/state", "seen")
}
