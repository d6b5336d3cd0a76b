package merklelog

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
)

// Checkpoint is a log's size and root at one moment. docs/format/log.md, "Checkpoint".
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

const originPrefix = "earwitness/"

// NewOrigin makes the name of a new log.
func NewOrigin(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("make origin: %w", err)
	}
	return originPrefix + hex.EncodeToString(b[:]), nil
}

// OriginDigits returns the 32 digits that tell one origin from another.
func OriginDigits(origin string) (string, error) {
	digits, ok := strings.CutPrefix(origin, originPrefix)
	if b, err := hex.DecodeString(digits); !ok || err != nil || len(b) != 16 || digits != strings.ToLower(digits) {
		return "", evidence.Invalid("%q is no origin of a log: that is %s and 32 hexadecimal digits", origin, originPrefix)
	}
	return digits, nil
}

// NewKey makes a key pair for an origin: the signer key, which stays in the case, and the verifier key, which is public.
func NewKey(rand io.Reader, origin string) (signer, verifier string, err error) {
	signer, verifier, err = note.GenerateKey(rand, origin)
	if err != nil {
		return "", "", fmt.Errorf("make key: %w", err)
	}
	return signer, verifier, nil
}

// Text returns the text that is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads that text, and refuses what Text would not have written.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, evidence.Invalid("a checkpoint has three lines, each ended: this text has %d", len(lines)-1)
	}
	c := Checkpoint{Origin: lines[0]}
	if _, err := OriginDigits(c.Origin); err != nil {
		return Checkpoint{}, err
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 {
		return Checkpoint{}, evidence.Invalid("%q is no size of a checkpoint", lines[1])
	}
	c.Size = size
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return Checkpoint{}, evidence.Invalid("%q is no root of a checkpoint", lines[2])
	}
	c.Root = tlog.Hash(root)
	if c.Text() != text {
		return Checkpoint{}, evidence.Invalid("the checkpoint is not written as one of ours is")
	}
	return c, nil
}

// Signer signs the checkpoints of one origin.
type Signer struct {
	signer note.Signer
}

// NewSigner reads a signer key, which must be of the given origin and belong to the verifier key.
func NewSigner(key, origin, verifierKey string) (*Signer, error) {
	s, err := note.NewSigner(key)
	if err != nil {
		return nil, evidence.Damaged("the key is no signer key").Because(err)
	}
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return nil, evidence.Damaged("%q is no verifier key", verifierKey).Because(err)
	}
	if s.Name() != origin || v.Name() != origin || s.KeyHash() != v.KeyHash() {
		return nil, evidence.Damaged("the key is not the one this log is signed with: it is %s+%08x, not %s+%08x", s.Name(), s.KeyHash(), v.Name(), v.KeyHash())
	}
	// The hash above names the public key that stands in the signer key; only a signature shows that the secret part is whole.
	signed, err := note.Sign(&note.Note{Text: origin + "\n"}, s)
	if err != nil {
		return nil, fmt.Errorf("try the key: %w", err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		return nil, evidence.Damaged("the key is damaged: its signatures do not verify").Because(err)
	}
	return &Signer{s}, nil
}

// Sign returns the signed note of a checkpoint, which must be of the signer's origin.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	if c.Origin != s.signer.Name() {
		return nil, evidence.Conflict("a checkpoint of %s is not signed with the key of %s", c.Origin, s.signer.Name())
	}
	b, err := note.Sign(&note.Note{Text: c.Text()}, s.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of size %d: %w", c.Size, err)
	}
	return b, nil
}

// OpenCheckpoint reads a signed checkpoint: signed by verifierKey, whose name is its origin, and by nobody else.
func OpenCheckpoint(signed []byte, verifierKey string) (Checkpoint, error) {
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Checkpoint{}, evidence.Damaged("%q is no verifier key", verifierKey).Because(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, evidence.Damaged("the checkpoint is not signed by %s", v.Name()).Because(err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != v.Name() || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return Checkpoint{}, evidence.Damaged("the checkpoint of %s has other signatures than that of its log", c.Origin)
	}
	return c, nil
}
