package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/web"
	"github.com/earwitness/earwitness/internal/web/api"
	"github.com/earwitness/earwitness/workbench"
)

const defaultPort = 8321

// serveFlags are what a person can choose about serving.
type serveFlags struct {
	port int
	open bool
	run  runFlags
}

func (f *serveFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&f.port, "port", "p", defaultPort, "the port on this machine; 0 takes any that is free")
	cmd.Flags().BoolVar(&f.open, "open", false, "open the link in a browser, too")
}

func serveVerb(w *world) *cobra.Command {
	var sf serveFlags
	cmd := &cobra.Command{
		Use:   "serve [CASE]",
		Short: "Open the workbench: see, listen, correct, translate, search",
		Long: `Open the workbench on this machine. The first line on standard output is a link that works once, for an hour: whoever opens it works in
the case, by the name that --as gives. Nothing but this machine can reach it, and it calls no other.

While it runs it is the one program that writes to the case: hand recordings in and start the work on its screens. It may
be stopped at any moment, by Ctrl-C or worse: what was answered as saved is kept, and what was being typed stays in the browser.`,
		Example: `  earwitness -C my.case serve --open
  earwitness serve my.case -p 0`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if w.dir != "" && w.dir != args[0] {
					return &usageError{evidence.Invalid("the case is named twice: %s and %s", w.dir, args[0])}
				}
				w.dir = args[0]
			}
			return w.serve(cmd.Context(), sf, "")
		},
	}
	sf.register(cmd)
	f := cmd.Flags()
	f.StringVar(&sf.run.model, "model", defaultModel, "which model hears the speech when work is started in the workbench")
	f.IntVar(&sf.run.threads, "threads", threadsDefault(), "how much of that work is done at once")
	f.StringVar(&sf.run.decoder, "decoder", "auto", "what decodes media: wasm, native, or auto")
	return cmd
}

// serve opens the case and serves it until ctx ends. The link stands after before on its line.
func (w *world) serve(ctx context.Context, sf serveFlags, before string) error {
	if sf.port < 0 || sf.port > 65535 {
		return &usageError{evidence.Invalid("--port is a number from 0 to 65535")}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(sf.port)))
	if err != nil {
		return evidence.Conflict("port %d cannot be had", sf.port).Because(err).WithHint("another workbench may be running; -p 0 takes any port that is free")
	}
	// Ctrl-C is how serving ends: what was written is still signed and published after it.
	err = w.withCase(context.WithoutCancel(ctx), true, func(c *casefile.Case) (err error) {
		index, done, err := indexPath(c.Dir())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, done()) }()
		var files fs.FS
		if built, ok := workbench.Files(); ok {
			files = built
		}
		s, err := web.New(ctx, web.Options{
			Case: c, Person: w.author().Name, Program: "earwitness " + version, Host: l.Addr().String(), URL: "http://" + l.Addr().String(), Files: files, Index: index,
			Accounts: w.accounts(c),
			Pictures: w.folder("EARWITNESS_PICTURES", "XDG_CACHE_HOME", ".cache", "pictures"),
			Run:      w.runIn(c, sf.run), Now: w.now, Rand: w.rand, Log: slog.New(slog.NewTextHandler(w.stderr, nil)),
		})
		if err != nil {
			return err
		}
		link, err := s.Link()
		if err == nil {
			if w.json {
				err = writeJSON(w.stdout, map[string]any{"link": link, "case": c.Dir()})
			} else {
				_, err = fmt.Fprintln(w.stdout, before+link)
			}
		}
		if err == nil {
			fmt.Fprintf(w.stderr, "the workbench of %s is open at http://%s for whoever opens the link, once; Ctrl-C ends it\n", visible(filepath.Clean(c.Dir())), l.Addr())
			if files == nil {
				fmt.Fprintln(w.stderr, "earwitness: hint: this program was built without the workbench's screens: `make build` builds it with them")
			}
			if sf.open {
				w.openBrowser(ctx, link)
			}
			err = listen(ctx, l, s)
		}
		return errors.Join(err, s.Close())
	})
	if cerr := l.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	return err
}

// listen answers requests until ctx ends; those under way are given a moment.
func listen(ctx context.Context, l net.Listener, s *web.Server) error {
	// Requests outlive ctx: an edit that is under way is done and answered. Only the streams of events would never end.
	h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	h.RegisterOnShutdown(s.Goodbye)
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer stop()
	if err := h.Shutdown(last); err != nil {
		if err := h.Close(); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
	}
	<-ended // ErrServerClosed, which is what was asked for
	return nil
}

// runIn does what is missing in a case that is open already.
func (w *world) runIn(c *casefile.Case, rf runFlags) web.Run {
	return func(ctx context.Context, what api.RunJobs, report func(pipeline.Event)) (pipeline.Summary, error) {
		rf := rf
		rf.translate, rf.retry = what.Translate, what.Retry
		e, err := w.engines(ctx, c, rf)
		if err != nil {
			return pipeline.Summary{}, err
		}
		defer e.close()
		o := w.options(e, rf, report)
		o.Recordings = what.Recordings
		return pipeline.Run(ctx, c, o)
	}
}

// openBrowser opens a link in the person's browser. Where that does not work, the link is on the screen.
func (w *world) openBrowser(ctx context.Context, link string) {
	name, args := "xdg-open", []string{link}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", link}
	}
	if err := exec.CommandContext(ctx, name, args...).Start(); err != nil {
		fmt.Fprintln(w.stderr, "earwitness: hint: no browser could be opened: open the link yourself")
	}
}

// accounts returns where the passwords of those who work in a case lie: outside of it, by its first log's name.
func (w *world) accounts(c *casefile.Case) string {
	return filepath.Join(w.folder("EARWITNESS_ACCOUNTS", "XDG_STATE_HOME", ".local/state", "accounts"), path.Base(c.Info().Origin)+".db")
}
