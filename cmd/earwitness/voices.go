package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/pipeline"
	"github.com/earwitness/earwitness/internal/transcript"
	"github.com/earwitness/earwitness/internal/voices"
)

func voicesVerb(w *world) *cobra.Command {
	var limit int
	var threshold float64
	cmd := &cobra.Command{
		Use:   "voices [CITATION]",
		Short: "Show which transmissions sound like the same voice, and what that can tell",
		Long: `With a citation: the transmissions whose voice is most like that of the cited one, with the likeness and what the
same voice and different voices gave where it was measured. Without: all transmissions in groups of alike ones.

Likeness is not identity, and a voice names nobody. Radio makes different voices alike, and short or noisy speech most of
all: what is too noisy is not compared, and that is said. The voices are made out by "earwitness run --voices MODEL".`,
		Example: `  earwitness run --voices voice-resemblyzer
  earwitness voices REC-0014@00:31:36.0-00:31:41.6
  earwitness voices`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return &usageError{evidence.Invalid("--limit is not below 0")}
			}
			return w.withCase(cmd.Context(), false, func(c *casefile.Case) error {
				h, err := voicesOf(cmd.Context(), c)
				if err != nil {
					return err
				}
				if len(args) == 1 {
					return w.alike(h, args[0], limit)
				}
				return w.groups(h, threshold, cmd.Flags().Changed("threshold"))
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "show at most this many (0: all)")
	cmd.Flags().Float64Var(&threshold, "threshold", voices.Threshold, "mean likeness from which on groups are joined, as a share of what is typical of the same voice at that length")
	return cmd
}

// voicesHere are the voices of a case, with what is said in the transmissions.
type voicesHere struct {
	all     []voices.Voice
	without voices.Without
	model   evidence.Model
	known   bool // what likenesses by the model are worth was measured
	lines   *transcript.State
	texts   map[string]map[evidence.Span]transcript.Line // by recording, as they are asked for
}

func voicesOf(ctx context.Context, c *casefile.Case) (*voicesHere, error) {
	var st voices.State
	h := &voicesHere{lines: &transcript.State{}, texts: map[string]map[evidence.Span]transcript.Line{}}
	if _, err := c.Follow(ctx, 0, func(i int64, e evidence.Entry) error {
		if err := st.Apply(i, e); err != nil {
			return err
		}
		return h.lines.Apply(i, e)
	}); err != nil {
		return nil, err
	}
	var ok bool
	if h.model, ok = st.Model(); !ok {
		return nil, evidence.NotFound("no voices have been made out in this case").WithHint("`earwitness run --voices voice-resemblyzer` does it, after `earwitness model get voice-resemblyzer`")
	}
	h.all, h.without = st.Voices(pipeline.ShortestVoice)
	h.known = h.model.Digest.String() == voices.MeasuredModel
	return h, nil
}

// voiceJSON is a voice as scripts see it.
type voiceJSON struct {
	Citation string           `json:"citation"`
	Seconds  float64          `json:"seconds"` // of speech
	SnrDB    float64          `json:"snr_db"`
	Entry    int64            `json:"entry"`
	Likeness *float64         `json:"likeness,omitempty"`
	Meaning  string           `json:"meaning,omitempty"`
	Measured *voices.Measured `json:"measured,omitempty"`
}

func toVoiceJSON(v voices.Voice) voiceJSON {
	return voiceJSON{Citation: v.Citation(), Seconds: v.Seconds, SnrDB: v.SnrDB, Entry: v.Entry}
}

// text is what is said in the transmission of a voice.
func (h *voicesHere) text(w *world, v voices.Voice) string {
	texts, ok := h.texts[v.Recording]
	if !ok {
		texts = map[evidence.Span]transcript.Line{}
		lines, err := h.lines.Lines(v.Recording)
		if err != nil {
			return ""
		}
		for _, l := range lines {
			texts[l.Samples] = l
		}
		h.texts[v.Recording] = texts
	}
	return oneLine(w.text(texts[v.Span], nil), 60)
}

// noisy counts the voices that are not compared.
func (h *voicesHere) noisy() (n int) {
	for _, v := range h.all {
		if !voices.Comparable(v) {
			n++
		}
	}
	return n
}

func (w *world) alike(h *voicesHere, citation string, limit int) error {
	c, err := evidence.ParseCitation(citation)
	if err != nil {
		return err
	}
	of, err := voices.Find(h.all, c)
	if err != nil {
		return err
	}
	found, err := voices.Alike(of, h.all, h.known)
	if err != nil {
		return err
	}
	all := len(found)
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	if w.json {
		list := make([]voiceJSON, len(found))
		for i, f := range found {
			list[i] = toVoiceJSON(f.Voice)
			list[i].Likeness, list[i].Meaning, list[i].Measured = &found[i].Likeness, f.Meaning(), f.Known
		}
		return writeJSON(w.stdout, map[string]any{"of": toVoiceJSON(of), "alike": list, "compared": all, "too_noisy": h.noisy(), "without": h.without, "model": h.model, "caution": voices.Caution})
	}
	fmt.Fprintf(w.stdout, "%s  %4.1f s  %3.0f dB  %s\n", of.Citation(), of.Seconds, of.SnrDB, h.text(w, of))
	if all == 0 {
		fmt.Fprintln(w.stdout, "nothing to compare it with")
	}
	for _, f := range found {
		fmt.Fprintf(w.stdout, "  %.2f  %s  %4.1f s  %3.0f dB  %s\n", f.Likeness, f.Voice.Citation(), f.Voice.Seconds, f.Voice.SnrDB, h.text(w, f.Voice))
		if k := f.Known; k != nil {
			fmt.Fprintf(w.stdout, "        %s; at %s and %.0f s the same voice gave %.2f-%.2f, different ones %.2f-%.2f\n", f.Meaning(), k.Noise, k.Seconds, k.Same.Low, k.Same.High, k.Other.Low, k.Other.High)
		}
	}
	w.sayVoices(h)
	return nil
}

func (w *world) groups(h *voicesHere, threshold float64, chosen bool) error {
	if !h.known && !chosen {
		return evidence.Invalid("which likeness tells voices of the model %s apart was not measured", h.model.Name).WithHint("choose one by --threshold; what a single transmission is like is shown by `earwitness voices CITATION`")
	}
	var clear []voices.Voice
	for _, v := range h.all {
		if voices.Comparable(v) {
			clear = append(clear, v)
		}
	}
	groups, err := voices.Groups(clear, threshold, h.known)
	if err != nil {
		return err
	}
	if w.json {
		list := make([]map[string]any, len(groups))
		for i, g := range groups {
			members := make([]voiceJSON, len(g.Voices))
			for k, v := range g.Voices {
				members[k] = toVoiceJSON(v)
			}
			list[i] = map[string]any{"likeness": g.Inside, "transmissions": members}
		}
		return writeJSON(w.stdout, map[string]any{"groups": list, "threshold": threshold, "too_noisy": h.noisy(), "without": h.without, "model": h.model, "caution": voices.Caution})
	}
	alone := 0
	for i, g := range groups {
		if len(g.Voices) == 1 {
			alone++
			continue
		}
		fmt.Fprintf(w.stdout, "group %d: %d transmissions, mean likeness %.2f\n", i+1, len(g.Voices), g.Inside)
		for _, v := range g.Voices {
			fmt.Fprintf(w.stdout, "  %s  %4.1f s  %3.0f dB  %s\n", v.Citation(), v.Seconds, v.SnrDB, h.text(w, v))
		}
	}
	fmt.Fprintf(w.stdout, "%s like no other at a threshold of %.2f\n", plural(alone, "transmission is", "transmissions are"), threshold)
	if h.known {
		fmt.Fprintln(w.stderr, voices.GroupsTell)
	}
	w.sayVoices(h)
	return nil
}

// sayVoices says what was left aside, and what must be said wherever likenesses are shown.
func (w *world) sayVoices(h *voicesHere) {
	for _, p := range []struct {
		n    int
		what string
	}{
		{h.noisy(), fmt.Sprintf("too noisy to compare (below %d dB)", voices.Noisiest)}, {h.without.Short, fmt.Sprintf("with less than %.1f s of speech", float64(pipeline.ShortestVoice)/evidence.Rate)},
		{h.without.Other, "whose voice this model has not made out"},
	} {
		if p.n > 0 {
			fmt.Fprintf(w.stderr, "left aside: %s %s\n", plural(p.n, "transmission", "transmissions"), p.what)
		}
	}
	fmt.Fprintf(w.stderr, "By %s. %s\n", oneLine(h.model.Name, 60), voices.Caution)
}
