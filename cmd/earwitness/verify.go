package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
)

func verifyVerb(w *world) *cobra.Command {
	var receipt, key string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every byte of the case: blobs, entries, log, signatures",
		Long: `Check every byte of the case: every blob is hashed again, every entry, commitment, tile, proof and signature is
checked by code that shares nothing with the code that wrote them. Damage is named, with its proof.
With --receipt, check a receipt instead; that needs no case. The exit code is 4 where anything is damaged.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if receipt != "" {
				return w.verifyReceipt(receipt, key)
			}
			dir, err := w.caseDir()
			if err != nil {
				return err
			}
			b := w.bar("verifying")
			begun := w.now()
			rep, err := audit.Verify(cmd.Context(), dir, audit.Options{Key: key, Remembered: w.remembered, Progress: func(done, total int64) {
				b.at(float64(done)/float64(max(total, 1)), size(done)+" of "+size(total))
			}})
			b.clear()
			if err != nil {
				return err
			}
			if w.json {
				if err := writeJSON(w.stdout, rep); err != nil {
					return err
				}
			} else {
				w.sayReport(rep)
				fmt.Fprintf(w.stderr, "%s in %s\n", size(rep.Bytes), long(w.now().Sub(begun)))
			}
			if !rep.OK() {
				return &reported{exitDamaged}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&receipt, "receipt", "", "check this receipt; - is standard input")
	cmd.Flags().StringVar(&key, "key", "", "the log's verifier key, from somebody you trust (default: the one in the case or the receipt, which proves less)")
	return cmd
}

func (w *world) sayReport(r audit.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w.stdout, "DAMAGED  %s  %s\n         %s\n", f.What, visible(f.Where), visible(f.Detail))
	}
	for _, n := range r.Notices {
		fmt.Fprintf(w.stdout, "notice   %s  %s\n         %s\n", n.What, visible(n.Where), visible(n.Detail))
	}
	fmt.Fprintf(w.stdout, "%s, %s, %s, %s\n", plural(int(r.Entries), "entry", "entries"), plural(int(r.Recordings), "recording", "recordings"),
		plural(int(r.Results), "result", "results"), plural(int(r.Blobs), "blob", "blobs"))
	if c := r.Checkpoint; c != nil {
		fmt.Fprintf(w.stdout, "log %s, signed at %d with root %s\n", c.Origin, c.Size, c.Root)
	}
	switch {
	case r.OK() && len(r.Notices) == 0:
		fmt.Fprintln(w.stdout, "everything is as it was when it was written")
	case r.OK():
		fmt.Fprintf(w.stdout, "nothing is damaged; %s\n", plural(len(r.Notices), "notice", "notices"))
	default:
		fmt.Fprintf(w.stdout, "%s\n", plural(len(r.Findings)+int(r.More), "damaged thing", "damaged things"))
		fmt.Fprintln(w.stderr, "earwitness: hint: keep this folder as it is, and restore what is damaged from a copy; docs/trust.md says what each finding means")
	}
}

func (w *world) verifyReceipt(name, key string) error {
	var b []byte
	var err error
	if name == "-" {
		b, err = io.ReadAll(io.LimitReader(w.stdin, evidence.MaxEntryBytes*2))
	} else {
		b, err = os.ReadFile(name)
	}
	if errors.Is(err, os.ErrNotExist) {
		return evidence.NotFound("there is no file %s", name)
	}
	if err != nil {
		return err
	}
	r, err := audit.VerifyReceipt(b, key)
	if err != nil {
		return err
	}
	if w.json {
		return writeJSON(w.stdout, r)
	}
	for _, s := range r.Proven {
		fmt.Fprintln(w.stdout, "proven:    ", visible(s))
	}
	for _, s := range r.Open {
		fmt.Fprintln(w.stdout, "not proven:", visible(s))
	}
	return nil
}
