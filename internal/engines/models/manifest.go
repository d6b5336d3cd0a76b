// Package models keeps the shelf of models: folders of weights, each with a manifest that names the digest
// of every file.
//
// It promises that nothing stands on the shelf whose bytes did not match, and that a model's digest means the
// same bytes on every machine. It never runs a model.
package models

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
)

// Kinds of model: which runtime reads it, and as what.
const (
	KindWhisper        = "whisper"                // our own graphs: encoder, decoder
	KindZipformerCTC   = "sherpa-zipformer-ctc"   // model, tokens
	KindNemoCTC        = "sherpa-nemo-ctc"        // model, tokens; GigaAM CTC
	KindToneCTC        = "sherpa-tone-ctc"        // model, tokens; T-one, which takes sound at 8 kHz as it comes
	KindTransducer     = "sherpa-transducer"      // encoder, decoder, joiner, tokens; zipformer, Vosk
	KindNemoTransducer = "sherpa-nemo-transducer" // encoder, decoder, joiner, tokens; GigaAM RNN-T
)

// Limits of a manifest.
const (
	maxManifest       = 64 << 10
	maxFiles          = 16
	maxFileBytes      = 8 << 30 // the largest checkpoint, large-v3's, has 3.1 GB
	maxNameBytes      = 64
	maxStatementBytes = 2048
	maxLanguages      = 128
)

const manifestFile = "manifest.json"

// Roles of a model's files.
const (
	RoleModel   = "model"
	RoleEncoder = "encoder"
	RoleDecoder = "decoder"
	RoleJoiner  = "joiner"
	RoleTokens  = "tokens"
)

// Roles returns the files that a model of the kind has, in the order of their names; nil where there is no
// such kind.
func Roles(kind string) []string {
	switch kind {
	case KindWhisper:
		return []string{RoleDecoder, RoleEncoder}
	case KindZipformerCTC, KindNemoCTC, KindToneCTC:
		return []string{RoleModel, RoleTokens}
	case KindTransducer, KindNemoTransducer:
		return []string{RoleDecoder, RoleEncoder, RoleJoiner, RoleTokens}
	case KindVoice, KindSpeaker:
		return []string{RoleModel}
	}
	return nil
}

// Kinds returns the kinds that Roles knows.
func Kinds() []string {
	return []string{KindWhisper, KindNemoCTC, KindNemoTransducer, KindToneCTC, KindTransducer, KindZipformerCTC, KindSpeaker, KindVoice}
}

// Manifest says what a model is made of. Its canonical JSON is the file manifest.json in the model's folder.
type Manifest struct {
	Files     []File   `json:"files"` // in the order of their roles
	Kind      string   `json:"kind"`
	Languages []string `json:"languages,omitempty"` // ISO 639-1, sorted; absent where there are too many to name
	Licence   string   `json:"licence"`
	Name      string   `json:"name"`
	Rate      int      `json:"rate"`   // samples per second that the model was made for
	Source    string   `json:"source"` // where its weights come from
}

// File is one file of a model.
type File struct {
	Digest evidence.Digest `json:"digest"`
	Name   string          `json:"name"` // in the model's folder
	Role   string          `json:"role"`
	Size   int64           `json:"size"`
}

// Model is a model that stands on a shelf.
type Model struct {
	Manifest Manifest
	Digest   evidence.Digest // of the manifest: evidence.Model.Digest
	Dir      string          // its folder
}

// Translates says whether the model can draft in English what it hears. Whisper's turbo was not trained to, and writes the
// language that it hears; where it goes by another name the engine knows it by its size.
func (m Manifest) Translates() bool { return m.Kind == KindWhisper && m.Name != "whisper-turbo" }

// Path returns where the file with the given role is.
func (m Model) Path(role string) string {
	for _, f := range m.Manifest.Files {
		if f.Role == role {
			return filepath.Join(m.Dir, f.Name)
		}
	}
	return ""
}

// Evidence returns the model as results name it.
func (m Model) Evidence() evidence.Model {
	return evidence.Model{Digest: m.Digest, Name: m.Manifest.Name}
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// CheckName reports why s cannot name a model or one of its files.
func CheckName(s string) error {
	if len(s) > maxNameBytes || !nameForm.MatchString(s) || strings.Contains(s, "..") {
		return evidence.Invalid("%q cannot be the name of a model", s).
			WithHint("use lower-case letters, digits, '-', '_' and '.', at most %d", maxNameBytes)
	}
	return nil
}

// Encode returns the canonical form and its digest.
func (m Manifest) Encode() ([]byte, evidence.Digest, error) {
	if err := m.Validate(); err != nil {
		return nil, evidence.Digest{}, err
	}
	b, err := evidence.Canonical(m)
	if err != nil {
		return nil, evidence.Digest{}, err
	}
	return b, evidence.DigestOf(b), nil
}

// Validate reports why m is no manifest that the shelf would write.
func (m Manifest) Validate() error {
	if err := CheckName(m.Name); err != nil {
		return err
	}
	roles := Roles(m.Kind)
	if roles == nil {
		return evidence.Invalid("%q is not a kind of model", m.Kind).WithHint("the kinds are %s", strings.Join(Kinds(), ", "))
	}
	got := make([]string, 0, len(m.Files))
	names := map[string]bool{manifestFile: true}
	for _, f := range m.Files {
		if err := CheckName(f.Name); err != nil {
			return err
		}
		if names[f.Name] {
			return evidence.Invalid("model %s names the file %s twice", m.Name, f.Name)
		}
		names[f.Name] = true
		if f.Size < 1 || f.Size > maxFileBytes || f.Digest.IsZero() {
			return evidence.Invalid("model %s does not give size and digest of its file %s", m.Name, f.Name)
		}
		got = append(got, f.Role)
	}
	if !slices.Equal(got, roles) {
		return evidence.Invalid("a model of kind %s has the files %s; this one has %s", m.Kind, strings.Join(roles, ", "), strings.Join(got, ", "))
	}
	if m.Rate != 8000 && m.Rate != 16000 {
		return evidence.Invalid("model %s is made for %d samples per second; 8000 and 16000 are understood", m.Name, m.Rate)
	}
	if m.Licence == "" || m.Source == "" {
		return evidence.Invalid("model %s does not say its licence and its source", m.Name).
			WithHint("state both: results made with a model name it, and readers ask where it is from")
	}
	for _, s := range append([]string{m.Licence, m.Source}, m.Languages...) {
		if len(s) > maxStatementBytes || !utf8.ValidString(s) {
			return evidence.Invalid("a statement about model %s is too long or not UTF-8", m.Name)
		}
	}
	if len(m.Languages) > maxLanguages || !slices.IsSorted(m.Languages) {
		return evidence.Invalid("the languages of model %s are not sorted, or more than %d", m.Name, maxLanguages)
	}
	return nil
}

// ParseManifest reads the canonical form, strictly.
func ParseManifest(b []byte) (Manifest, error) {
	var m Manifest
	if len(b) > maxManifest {
		return m, evidence.Invalid("a manifest has at most %d bytes, this has %d", maxManifest, len(b))
	}
	if err := evidence.CheckCanonical(b); err != nil {
		return m, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, evidence.Invalid("manifest is not what the shelf writes").Because(err)
	}
	if len(m.Files) > maxFiles {
		return m, evidence.Invalid("a model has at most %d files", maxFiles)
	}
	again, _, err := m.Encode()
	if err == nil && !bytes.Equal(again, b) {
		err = evidence.Invalid("manifest of model %s is not what the shelf writes", m.Name)
	}
	return m, err
}
