package models

import (
	"context"
	"io"

	voicegraph "github.com/earwitness/earwitness/internal/engines/voice/graph"
)

// Kinds of model that say what a voice sounds like.
const (
	KindVoice   = "voice"                    // our own graph: model
	KindSpeaker = "sherpa-speaker-embedding" // model; those that sherpa-onnx publishes for speaker recognition
)

// IsVoice reports whether models of the kind make vectors of voices, and so hear no words.
func IsVoice(kind string) bool { return kind == KindVoice || kind == KindSpeaker }

// resemblyzer is the one voice encoder that is known to be had with a licence that allows it. Its package is the only
// place the weights are published at that this catalogue has seen: there is no address.
func resemblyzer() Offer {
	return Offer{
		Name: "voice-resemblyzer", Kind: KindVoice, Licence: "Apache-2.0", Source: "Resemble AI, weights of Resemblyzer 0.1.4", Megabytes: 16,
		Purpose:    "tells voices apart, roughly, for `run --voices` and `voices`; hears no words",
		Checkpoint: fixed("39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"),
		Wheels: []Wheel{
			{"Resemblyzer", "0.1.4", fixed("8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f"), "resemblyzer/pretrained.pt"},
		},
		WheelDigest: fixed("39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"),
		Built: []File{
			{Digest: fixed("5b80ce47759cc6cbf64f7c25b8ad4c17f2c41e32181d099bfa3c3f84a3d40a3c"), Name: "model.onnx", Role: RoleModel, Size: 5695108},
		},
	}
}

// buildVoice writes the graph of a voice encoder.
func (w *work) buildVoice(ctx context.Context, checkpoint io.ReaderAt, size int64) ([]File, error) {
	f, err := w.write(RoleModel, "model.onnx", func(out io.Writer) error {
		return voicegraph.Build(ctx, checkpoint, size, out)
	})
	return []File{f}, err
}
