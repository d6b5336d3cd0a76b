package graph

import (
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// head is one cross-attention head of the decoder.
type head struct{ layer, head int }

// alignmentHeads lists, for each of OpenAI's multilingual models, the heads that follow the sound while the
// text is written: word times come from them. The table is a fact about the weights, published by OpenAI with
// the openai-whisper package.
func alignmentHeads(model string) ([]head, bool) {
	switch model {
	case "tiny":
		return []head{{2, 2}, {3, 0}, {3, 2}, {3, 3}, {3, 4}, {3, 5}}, true
	case "base":
		return []head{{3, 1}, {4, 2}, {4, 3}, {4, 7}, {5, 1}, {5, 2}, {5, 4}, {5, 6}}, true
	case "small":
		return []head{{5, 3}, {5, 9}, {8, 0}, {8, 4}, {8, 7}, {8, 8}, {9, 0}, {9, 7}, {9, 9}, {10, 5}}, true
	case "medium":
		return []head{{13, 15}, {15, 4}, {15, 15}, {16, 1}, {20, 0}, {23, 4}}, true
	case "large-v3":
		return []head{{7, 0}, {10, 17}, {12, 18}, {13, 12}, {16, 1}, {17, 14}, {19, 11}, {21, 4}, {24, 1}, {25, 6}}, true
	case "turbo":
		return []head{{2, 4}, {2, 11}, {3, 3}, {3, 6}, {3, 11}, {3, 14}}, true
	}
	return nil, false
}

// Names lists the models whose graphs can be built.
func Names() []string {
	return []string{"tiny", "base", "small", "medium", "large-v3", "turbo"}
}

func headsFor(name string, d dims) ([]head, error) {
	short := strings.TrimPrefix(name, "whisper-")
	heads, ok := alignmentHeads(short)
	if !ok {
		return nil, evidence.Invalid("no alignment heads are known for a Whisper model called %q", name).
			WithHint("use one of %s", strings.Join(Names(), ", "))
	}
	if slices.ContainsFunc(heads, func(h head) bool { return h.layer >= d.textLayers || h.head >= d.heads }) {
		return nil, evidence.Invalid("the checkpoint is not Whisper %s: it has %d decoder layers of %d heads", short, d.textLayers, d.heads).
			WithHint("name the model that the file holds: one of %s", strings.Join(Names(), ", "))
	}
	return heads, nil
}
