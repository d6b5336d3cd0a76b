package raw

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
)

// docs/format/log.md.
const (
	SaltSize         = 32
	commitmentPrefix = "earwitness entry 1\x00"
	algEd25519       = 1 // C2SP signed-note
	MaxNote          = 64 << 10
)

// Commitment is what the log holds of an entry.
func Commitment(salt, entry []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(commitmentPrefix))
	h.Write(salt)
	h.Write(entry)
	return [sha256.Size]byte(h.Sum(nil))
}

// Checkpoint is a signed size and root of a case's log.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"` // base64
	Key    string `json:"key"`  // verifier key that the signature holds with

	Hash tlog.Hash `json:"-"` // the root
}

// ParseVerifierKey reads a key that a log of this format can have, in its one spelling.
func ParseVerifierKey(key string) (name string, public ed25519.PublicKey, err error) {
	name, rest, _ := strings.Cut(key, "+")
	_, b64, _ := strings.Cut(rest, "+")
	b, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != algEd25519 {
		return "", nil, evidence.Invalid("%q is not an Ed25519 verifier key", key)
	}
	public = ed25519.PublicKey(b[1:])
	again, err := note.NewEd25519VerifierKey(name, public)
	if err != nil || again != key {
		return "", nil, evidence.Invalid("%q is not a verifier key: its name, hash and key do not belong together", key)
	}
	if !originForm.MatchString(name) {
		return "", nil, evidence.Invalid("the verifier key's name %q is not an origin, earwitness/ and 32 hexadecimal digits", name)
	}
	return name, public, nil
}

var originForm = regexp.MustCompile(`^earwitness/[0-9a-f]{32}$`)

// splitNote reads a signed note that carries exactly one signature, in its one spelling.
func splitNote(b []byte) (text, signer string, sig []byte, err error) {
	s := string(b)
	i := strings.LastIndex(s, "\n\n")
	if i < 0 {
		return "", "", nil, evidence.Invalid("not a signed note: no blank line before the signature")
	}
	text, line := s[:i+1], s[i+2:]
	fields := strings.Split(line, " ")
	if len(fields) != 3 || fields[0] != "—" || !strings.HasSuffix(line, "\n") || strings.Count(line, "\n") != 1 {
		return "", "", nil, evidence.Invalid("not a signed note: expected one line with a signature, found %q", line)
	}
	b64 := strings.TrimSuffix(fields[2], "\n")
	sig, err = base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || len(sig) != 4+ed25519.SignatureSize {
		return "", "", nil, evidence.Invalid("not a signed note: %q is not an Ed25519 signature in base64", b64)
	}
	return text, fields[1], sig, nil
}

// ParseCheckpoint reads a signed checkpoint's form without judging the signature.
func ParseCheckpoint(b []byte) (Checkpoint, error) {
	if len(b) > MaxNote {
		return Checkpoint{}, evidence.Invalid("not a checkpoint: more than %d bytes", MaxNote)
	}
	text, signer, _, err := splitNote(b)
	if err != nil {
		return Checkpoint{}, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, evidence.Invalid("not a checkpoint: expected origin, size and root on one line each, found %q", text)
	}
	c := Checkpoint{Origin: lines[0], Root: lines[2]}
	c.Size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || c.Size < 1 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return Checkpoint{}, evidence.Invalid("not a checkpoint: %q is not a size", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(c.Root)
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, evidence.Invalid("not a checkpoint: %q is not a root hash in base64", c.Root)
	}
	if !originForm.MatchString(c.Origin) || signer != c.Origin {
		return Checkpoint{}, evidence.Invalid("not a checkpoint: origin %q, signed by %q", c.Origin, signer)
	}
	c.Hash = tlog.Hash(root)
	return c, nil
}

// VerifyCheckpoint reads a checkpoint and checks its signature with a verifier key.
func VerifyCheckpoint(b []byte, key string) (Checkpoint, error) {
	c, err := ParseCheckpoint(b)
	if err != nil {
		return c, err
	}
	if _, _, err := ParseVerifierKey(key); err != nil {
		return c, err
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return c, evidence.Invalid("verifier key %q", key).Because(err)
	}
	if _, err := note.Open(b, note.VerifierList(v)); err != nil {
		return c, evidence.Damaged("the checkpoint of %s at size %d is not signed by %s", c.Origin, c.Size, key).Because(err)
	}
	c.Key = key
	return c, nil
}

// SignerKey brings a signer key to its one spelling and gives the verifier key that belongs to it.
func SignerKey(s string) (spelled, verifier string, err error) {
	if _, err := note.NewSigner(s); err != nil {
		return "", "", err
	}
	fields := strings.SplitN(s, "+", 5) // PRIVATE KEY name hash key; NewSigner has seen that they are there
	seed, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return "", "", evidence.Invalid("not an Ed25519 signer key")
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if verifier, err = note.NewEd25519VerifierKey(fields[2], public); err != nil {
		return "", "", err
	}
	_, rest, _ := strings.Cut(verifier, "+")
	hash, _, _ := strings.Cut(rest, "+")
	return fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", fields[2], hash, base64.StdEncoding.EncodeToString(seed)), verifier, nil
}

// Tiles; https://c2sp.org/tlog-tiles.
const (
	TileWidth     = 256
	maxTileLevel  = 7      // 256^8 entries are beyond any index
	EntriesLevel  = -1     // stands for log/tile/entries
	RecordSize    = 2 + 32 // big-endian length and Commitment
	maxTileNumber = 1<<40 - 1
)

// TilePath is a tile's place in the log.
type TilePath struct {
	Level int // EntriesLevel for records
	N     int64
	Width int // 1 to 256; 256 is a full tile
}

// ParseTilePath reads a path under log/tile, strictly: what String would not write is refused.
func ParseTilePath(s string) (TilePath, error) {
	bad := evidence.Invalid("%q is not the path of a tile", s)
	t := TilePath{Width: TileWidth}
	level, rest, ok := strings.Cut(s, "/")
	if !ok {
		return t, bad
	}
	if t.Level = EntriesLevel; level != "entries" {
		l, err := strconv.Atoi(level)
		if err != nil || l < 0 || l > maxTileLevel {
			return t, bad
		}
		t.Level = l
	}
	number, width, partial := strings.Cut(rest, ".p/")
	if partial {
		w, err := strconv.Atoi(width)
		if err != nil || w < 1 || w >= TileWidth {
			return t, bad
		}
		t.Width = w
	}
	for _, group := range strings.Split(number, "/") {
		digits := strings.TrimPrefix(group, "x")
		g, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || len(digits) != 3 || t.N > maxTileNumber/1000 {
			return t, bad
		}
		t.N = t.N*1000 + int64(g)
	}
	if t.String() != s {
		return t, bad
	}
	return t, nil
}

func (t TilePath) String() string {
	s := fmt.Sprintf("%03d", t.N%1000)
	for n := t.N / 1000; n > 0; n /= 1000 {
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	if t.Width < TileWidth {
		s += ".p/" + strconv.Itoa(t.Width)
	}
	if t.Level == EntriesLevel {
		return "entries/" + s
	}
	return strconv.Itoa(t.Level) + "/" + s
}

// Count is how many hashes or records a level has in a tree of size entries.
func (t TilePath) Count(size int64) int64 { return size >> (8 * max(t.Level, 0)) }

// TilesFor returns the tiles that a published size needs.
func TilesFor(size int64) []TilePath {
	var need []TilePath
	for level := EntriesLevel; level <= maxTileLevel; level++ {
		n := TilePath{Level: level}.Count(size)
		for i := range n / TileWidth {
			need = append(need, TilePath{level, i, TileWidth})
		}
		if w := n % TileWidth; w > 0 {
			need = append(need, TilePath{level, n / TileWidth, int(w)})
		}
	}
	return need
}
