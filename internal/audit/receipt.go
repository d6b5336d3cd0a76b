package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// maxReceipt bounds a receipt: an entry, escaped as a JSON string, and a proof.
const maxReceipt = 6*evidence.MaxEntryBytes + 1<<20

const receiptFormat = "earwitness receipt 1"

// Proof is what a receipt proves.
type Proof struct {
	Entry      evidence.Entry `json:"-"`
	Text       string         `json:"entry"` // the entry's canonical text
	Index      int64          `json:"index"`
	Checkpoint raw.Checkpoint `json:"checkpoint"`
	Trusted    bool           `json:"trusted"` // the key is the one that the caller trusts
	Proven     []string       `json:"proven"`  // in plain words
	Open       []string       `json:"open"`    // what the receipt does not prove
}

// receipt is the written form; docs/format/case.md, "Receipt".
type receipt struct {
	Entry      string   `json:"entry"`
	Salt       string   `json:"salt"`
	Index      int64    `json:"index"`
	Size       int64    `json:"size"`
	Proof      []string `json:"proof"`
	Checkpoint string   `json:"checkpoint"`
	Key        string   `json:"key"`
	Format     string   `json:"format"`
}

// VerifyReceipt checks a receipt. TrustedKey is the verifier key that the caller has from a source they
// trust; where it is empty, the receipt's own key is used and the proof says so. The error is Invalid where
// b is not a receipt, Damaged where it is one and does not hold.
func VerifyReceipt(b []byte, trustedKey string) (Proof, error) {
	r, err := parseReceipt(b)
	if err != nil {
		return Proof{}, err
	}
	if trustedKey != "" && r.Key != trustedKey {
		return Proof{}, evidence.Damaged("the receipt is signed with the key %s, not with the trusted %s", r.Key, trustedKey)
	}
	c, err := raw.VerifyCheckpoint([]byte(r.Checkpoint), r.Key)
	if err != nil {
		return Proof{}, err
	}
	if c.Size != r.Size {
		return Proof{}, evidence.Damaged("the receipt states size %d, its checkpoint is of size %d", r.Size, c.Size)
	}
	e, err := evidence.ParseEntry([]byte(r.Entry))
	if err != nil {
		return Proof{}, evidence.Damaged("the receipt's entry").Because(err)
	}
	if again, err := e.Encode(); err != nil || string(again) != r.Entry {
		return Proof{}, evidence.Damaged("the receipt's entry is not in its one form").Because(err)
	}
	salt, err := unhex(r.Salt, raw.SaltSize)
	if err != nil {
		return Proof{}, err
	}
	var proof tlog.RecordProof
	for _, s := range r.Proof {
		h, err := unhex(s, tlog.HashSize)
		if err != nil {
			return Proof{}, err
		}
		proof = append(proof, tlog.Hash(h))
	}
	if r.Index < 0 || r.Index >= r.Size {
		return Proof{}, evidence.Damaged("entry %d is not among the first %d", r.Index, r.Size)
	}
	leaf := raw.Commitment(salt, []byte(r.Entry))
	if err := tlog.CheckRecord(proof, r.Size, c.Hash, r.Index, tlog.RecordHash(leaf[:])); err != nil {
		return Proof{}, evidence.Damaged("entry, salt and proof do not lead to the signed root %s", c.Root).Because(err)
	}
	p := Proof{Entry: e, Text: r.Entry, Index: r.Index, Checkpoint: c, Trusted: trustedKey != ""}
	p.Proven = []string{
		fmt.Sprintf("this text, byte for byte, is entry %d of the log %s", r.Index, c.Origin),
		fmt.Sprintf("whoever holds the private key to %s signed the log with %d entries, this one among them", c.Key, c.Size),
	}
	if !p.Trusted {
		p.Open = append(p.Open, "that the key is the case's: the receipt itself states it; compare it with one you were given otherwise")
	}
	p.Open = append(p.Open,
		"when it was signed: times are by the writer's clock",
		"that what the entry states is true, or what happened before it was written")
	return p, nil
}

// parseReceipt reads a receipt strictly: every field once, under its exact name, and nothing else.
func parseReceipt(b []byte) (receipt, error) {
	var r receipt
	if len(b) > maxReceipt {
		return r, evidence.Invalid("a receipt has at most %d bytes, this has %d", maxReceipt, len(b))
	}
	fields := map[string]any{
		"entry": &r.Entry, "salt": &r.Salt, "index": &r.Index, "size": &r.Size, "proof": &r.Proof, "checkpoint": &r.Checkpoint, "key": &r.Key, "format": &r.Format,
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return r, evidence.Invalid("not a receipt: expected a JSON object").Because(err)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return r, evidence.Invalid("not a receipt").Because(err)
		}
		name, _ := t.(string)
		into, ok := fields[name]
		if !ok {
			return r, evidence.Invalid("not a receipt: the field %q is unknown, or there twice", name)
		}
		delete(fields, name)
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return r, evidence.Invalid("not a receipt: field %q", name).Because(err)
		}
		if bytes.Contains(raw, []byte("null")) && (string(raw) == "null" || name == "proof") {
			return r, evidence.Invalid("not a receipt: field %q is null", name)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return r, evidence.Invalid("not a receipt: field %q", name).Because(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return r, evidence.Invalid("not a receipt").Because(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return r, evidence.Invalid("not a receipt: something follows the object")
	}
	if len(fields) > 0 {
		return r, evidence.Invalid("not a receipt: %d of its 8 fields are missing", len(fields))
	}
	if r.Format != receiptFormat {
		return r, evidence.Invalid("the receipt's format is %q, this program knows %q", r.Format, receiptFormat)
	}
	return r, nil
}

func unhex(s string, size int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != size || hex.EncodeToString(b) != s {
		return nil, evidence.Invalid("%.80q is not %d bytes in lower-case hexadecimal", s, size)
	}
	return b, nil
}
