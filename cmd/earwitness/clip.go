package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/sound"
)

// cited opens the sound that a citation names, with its span fitted to the recording.
func cited(ctx context.Context, c *casefile.Case, s string) (*sound.Sound, evidence.Citation, error) {
	at, err := evidence.ParseCitation(s)
	if err != nil {
		return nil, at, err
	}
	st, err := project(ctx, c)
	if err != nil {
		return nil, at, err
	}
	rec, err := st.Recording(at.Recording)
	if err != nil {
		return nil, at, err
	}
	if rec.Decoded == nil {
		return nil, at, evidence.NotFound("%s has no decoded sound yet", at.Recording).WithHint("`earwitness run` decodes it")
	}
	all := rec.Decoded.Samples
	if past := at.Span.To - all; at.Span.To == math.MaxInt64 || past > 0 && past <= evidence.Rate/20 {
		at.Span.To = all // the whole recording, or a last digit that was rounded past its end
	}
	if err := at.Span.Validate(all); err != nil {
		return nil, at, evidence.NotFound("%s lasts %s and has no such seconds", at.Recording, evidence.Clock(rec.Decoded.Samples))
	}
	snd, err := sound.Open(c, rec.Digest, *rec.Decoded)
	return snd, at, err
}

func clipVerb(w *world) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "clip CITATION",
		Short: "Write the cited seconds as a WAV file",
		Long: `Write the cited seconds as a WAV file, from their exact samples: those of the original where it is PCM, in its
own rate and channels, else those of the decoded copy (16 kHz mono).`,
		Example: `  earwitness clip REC-0014@00:31:36.0-00:31:41.6 -o order.wav`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				snd, at, err := cited(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				defer snd.Close()
				if out == "-" {
					return snd.Clip(w.stdout, at.Span)
				}
				name := out
				if name == "" {
					name = strings.NewReplacer(":", "", "@", "_").Replace(at.String()) + ".wav"
				}
				f, err := createNew(name)
				if err != nil {
					return err
				}
				if err := errors.Join(snd.Clip(f, at.Span), f.Close()); err != nil {
					return errors.Join(err, os.Remove(name))
				}
				if w.json {
					return writeJSON(w.stdout, map[string]any{"citation": at.String(), "file": name, "seconds": at.Span.Duration().Seconds()})
				}
				fmt.Fprintf(w.stdout, "%s  %s  %s\n", at, long(at.Span.Duration()), visible(name))
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write (default: named by the citation); - is standard output")
	return cmd
}

// players are programs that play a WAV file from standard input, and how.
var players = [][]string{
	{"pw-play", "-"}, {"paplay"}, {"aplay", "-q"}, {"ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-i", "-"}, {"play", "-q", "-t", "wav", "-"},
}

func playVerb(w *world) *cobra.Command {
	var with string
	cmd := &cobra.Command{
		Use:     "play CITATION",
		Short:   "Play the cited seconds",
		Long:    `Play the cited seconds through a player that is installed: ` + strings.Join(playerNames(), ", ") + `.`,
		Example: `  earwitness play REC-0014@00:31:36.0-00:31:41.6`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			player, err := w.player(with)
			if err != nil {
				return err
			}
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				snd, at, err := cited(cmd.Context(), c, args[0])
				if err != nil {
					return err
				}
				defer snd.Close()
				p := exec.CommandContext(cmd.Context(), player[0], player[1:]...)
				p.Stdout, p.Stderr = w.stderr, w.stderr
				in, err := p.StdinPipe()
				if err != nil {
					return err
				}
				if err := p.Start(); err != nil {
					return fmt.Errorf("start %s: %w", player[0], err)
				}
				fmt.Fprintf(w.stderr, "%s  %s\n", at, long(at.Span.Duration()))
				err = errors.Join(snd.Clip(in, at.Span), in.Close())
				if werr := p.Wait(); werr != nil {
					return evidence.Invalid("%s could not play it", player[0]).Because(werr).WithHint("`earwitness clip` writes the same seconds as a file")
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&with, "with", "", "the player's command; it gets a WAV file on standard input (default: $EARWITNESS_PLAYER, else the first that is installed)")
	return cmd
}

func playerNames() []string {
	var names []string
	for _, p := range players {
		names = append(names, p[0])
	}
	return names
}

func (w *world) player(with string) ([]string, error) {
	if with == "" {
		with = w.env("EARWITNESS_PLAYER")
	}
	if f := strings.Fields(with); len(f) > 0 {
		return f, nil
	}
	for _, p := range players {
		if _, err := exec.LookPath(p[0]); err == nil {
			return p, nil
		}
	}
	return nil, evidence.Needs("no player is installed").WithHint("install one of %s, name one with --with, or write a file with `earwitness clip`", strings.Join(playerNames(), ", "))
}
