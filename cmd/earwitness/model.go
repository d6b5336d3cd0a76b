package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

func modelVerb(w *world) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "The shelf of models: what hears the speech",
		Long: `The shelf of models. Nothing on it is used before its digest matches; weights come from their maker's address, or
through Python's pip where only package registries can be reached, and are the same bytes either way.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(modelListVerb(w), modelChooseVerb(w), modelGetVerb(w), modelAddVerb(w), modelRemoveVerb(w), modelVerifyVerb(w))
	return cmd
}

// modelJSON is a model as scripts see it.
type modelJSON struct {
	Name    string        `json:"name"`
	State   string        `json:"state"` // "here", "damaged", "can be fetched"
	Kind    string        `json:"kind,omitempty"`
	Licence string        `json:"licence"`
	Source  string        `json:"source"`
	Purpose string        `json:"purpose,omitempty"`
	Digest  string        `json:"digest,omitempty"` // of the manifest: what results name
	Bytes   int64         `json:"bytes"`            // on the shelf, or to be fetched
	Files   []models.File `json:"files,omitempty"`
	Reason  string        `json:"reason,omitempty"`
}

func onShelf(s models.Standing) modelJSON {
	if s.Err != nil {
		return modelJSON{Name: s.Name, State: "damaged", Reason: s.Err.Error()}
	}
	m := s.Model.Manifest
	j := modelJSON{Name: m.Name, State: "here", Kind: m.Kind, Licence: m.Licence, Source: m.Source, Digest: s.Model.Digest.String(), Files: m.Files}
	for _, f := range m.Files {
		j.Bytes += f.Size
	}
	return j
}

func modelListVerb(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Show the models on the shelf and those that can be fetched",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			shelf := models.Open(w.modelsDir())
			here, err := shelf.List()
			if err != nil {
				return err
			}
			var all []modelJSON
			have := map[string]bool{}
			for _, s := range here {
				all = append(all, onShelf(s))
				have[s.Name] = true
			}
			for _, o := range models.Catalogue() {
				if !have[o.Name] {
					all = append(all, modelJSON{Name: o.Name, State: "can be fetched", Kind: o.Of(), Licence: o.Licence, Source: o.Source, Purpose: o.Purpose, Bytes: int64(o.Megabytes) * 1e6})
				}
			}
			if w.json {
				return writeJSON(w.stdout, all)
			}
			fmt.Fprintf(w.stdout, "%-18s %-15s %8s  %-12s %s\n", "model", "state", "size", "licence", "what")
			for _, m := range all {
				what := m.Source
				if m.Purpose != "" {
					what = m.Purpose
				}
				if m.Reason != "" {
					what = m.Reason
				}
				fmt.Fprintf(w.stdout, "%-18s %-15s %8s  %-12s %s\n", oneLine(m.Name, 40), m.State, size(m.Bytes), oneLine(m.Licence, 30), oneLine(what, 100))
			}
			fmt.Fprintf(w.stderr, "the shelf is %s\n", visible(shelf.Dir()))
			return nil
		},
	}
}

func modelGetVerb(w *world) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Fetch a model, check its digest, and build what hears with it",
		Long: `Fetch a model of the catalogue, check its digest, and build the graphs that hear with it. Whichever route the
weights come by, the graphs are the same bytes. A fetch that was broken off goes on where it stopped.`,
		Example: `  earwitness model get whisper-base
  earwitness model get whisper-small --from small.pt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			offer, ok := models.Offered(args[0])
			if !ok {
				var names []string
				for _, o := range models.Catalogue() {
					names = append(names, o.Name)
				}
				return evidence.NotFound("the catalogue has no model %s", args[0]).WithHint("it has %s; your own come by `earwitness model add`", strings.Join(names, ", "))
			}
			b := w.bar("looking for " + offer.Name)
			m, err := models.Open(w.modelsDir()).Get(cmd.Context(), offer, models.Sources{From: from, Env: os.Environ(), Progress: func(p models.Progress) {
				if p.Total > 0 {
					b.at(float64(p.Done)/float64(p.Total), p.Step+" "+oneLine(p.What, 50))
				} else {
					b.describe(p.Step + " " + oneLine(p.What, 50))
				}
			}})
			b.clear()
			if err != nil {
				return err
			}
			if offer.Built == nil {
				fmt.Fprintln(w.stderr, "earwitness: the checkpoint is the maker's, by its SHA-256; what is built from it is not in the catalogue yet, whose makers never had it: the manifest's digest is the one to compare with others'")
			}
			return w.sayModel(m)
		},
	}
	cmd.Flags().StringVar(&from, "from", models.FromAnywhere, "url (the maker's address), pip, or a checkpoint's file: .pt, .bin, .safetensors (default: the address, then pip)")
	return cmd
}

func (w *world) sayModel(m models.Model) error {
	j := onShelf(models.Standing{Name: m.Manifest.Name, Model: m})
	if w.json {
		return writeJSON(w.stdout, j)
	}
	fmt.Fprintf(w.stdout, "%s is on the shelf: %s, %s, manifest %s\n", j.Name, size(j.Bytes), oneLine(j.Licence, 60), j.Digest)
	for _, f := range j.Files {
		fmt.Fprintf(w.stdout, "  %-8s %-14s %10d  %s\n", f.Role, f.Name, f.Size, f.Digest)
	}
	return nil
}

func modelAddVerb(w *world) *cobra.Command {
	var kind, licence, source string
	var files, digests, languages []string
	var rate int
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Put a model of your own on the shelf",
		Long: `Put a model of your own on the shelf: a recogniser that sherpa-onnx reads, such as GigaAM, T-one, zipformer or
Vosk. Its digests are computed and shown; results name them.

Kinds and their files: ` + kinds(),
		Example: `  earwitness model add gigaam --kind sherpa-nemo-ctc --file model=model.int8.onnx --file tokens=tokens.txt \
      --languages ru --licence MIT --source 'salute-developers/GigaAM v2'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a := models.Added{
				Manifest: models.Manifest{Name: args[0], Kind: kind, Languages: languages, Licence: licence, Rate: rate, Source: source},
				Files:    map[string]string{}, Want: map[string]evidence.Digest{},
			}
			for _, f := range files {
				role, path, ok := strings.Cut(f, "=")
				if !ok {
					return &usageError{evidence.Invalid("--file %q is not ROLE=PATH", f)}
				}
				a.Files[role] = path
			}
			for _, f := range digests {
				role, hex, ok := strings.Cut(f, "=")
				d, err := evidence.ParseDigest(hex)
				if !ok || err != nil {
					return &usageError{evidence.Invalid("--sha256 %q is not ROLE=DIGEST", f)}
				}
				a.Want[role] = d
			}
			m, err := models.Open(w.modelsDir()).Add(cmd.Context(), a)
			if err != nil {
				return err
			}
			return w.sayModel(m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&kind, "kind", "", "what kind of model it is")
	f.StringArrayVar(&files, "file", nil, "ROLE=PATH, for each of its files")
	f.StringArrayVar(&digests, "sha256", nil, "ROLE=DIGEST that a file must have, where its maker publishes one")
	f.StringSliceVar(&languages, "languages", nil, "languages it knows, as codes")
	f.StringVar(&licence, "licence", "", "its licence")
	f.StringVar(&source, "source", "", "where its weights come from")
	f.IntVar(&rate, "rate", evidence.Rate, "samples a second that it was made for")
	for _, name := range []string{"kind", "file", "licence", "source"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	return cmd
}

func kinds() string {
	var parts []string
	for _, k := range models.Kinds() {
		parts = append(parts, k+" ("+strings.Join(models.Roles(k), ", ")+")")
	}
	return strings.Join(parts, "; ") + "."
}

func modelRemoveVerb(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a model off the shelf; results made with it stay",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := models.Open(w.modelsDir()).Remove(args[0]); err != nil {
				return err
			}
			if w.json {
				return writeJSON(w.stdout, map[string]string{"removed": args[0]})
			}
			fmt.Fprintf(w.stdout, "%s is off the shelf\n", visible(args[0]))
			return nil
		},
	}
}

func modelVerifyVerb(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [NAME...]",
		Short: "Hash the models' files again",
		RunE: func(cmd *cobra.Command, args []string) error {
			here, err := models.Open(w.modelsDir()).List()
			if err != nil {
				return err
			}
			asked, damaged := map[string]bool{}, false
			for _, a := range args {
				asked[a] = true
			}
			for _, s := range here {
				if len(args) > 0 && !asked[s.Name] {
					continue
				}
				delete(asked, s.Name)
				err := s.Err
				if err == nil {
					err = s.Model.Check(cmd.Context(), nil)
				}
				j := onShelf(s)
				if err != nil {
					j.State, j.Reason, damaged = "damaged", err.Error(), true
				}
				switch {
				case w.json:
					if err := writeJSON(w.stdout, j); err != nil {
						return err
					}
				case err != nil:
					fmt.Fprintf(w.stdout, "DAMAGED  %s: %s\n", visible(s.Name), visible(err.Error()))
					if h := evidence.HintOf(err); h != "" {
						fmt.Fprintf(w.stderr, "earwitness: hint: %s\n", visible(h))
					}
				default:
					fmt.Fprintf(w.stdout, "intact   %s  %s\n", visible(s.Name), size(j.Bytes))
				}
			}
			for a := range asked {
				return evidence.NotFound("there is no model %s on the shelf", a).WithHint("`earwitness model list`")
			}
			if damaged {
				return &reported{exitDamaged}
			}
			return nil
		},
	}
}
