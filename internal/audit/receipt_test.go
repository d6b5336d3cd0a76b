package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
)

type receiptFile struct {
	Checkpoint string   `json:"checkpoint"`
	Entry      string   `json:"entry"`
	Format     string   `json:"format"`
	Index      int64    `json:"index"`
	Key        string   `json:"key"`
	Proof      []string `json:"proof"`
	Salt       string   `json:"salt"`
	Size       int64    `json:"size"`
}

// receipt makes a receipt as docs/format/case.md describes it.
func (m *maker) receipt(index, size int64) receiptFile {
	m.t.Helper()
	proof, err := tlog.ProveRecord(size, index, m.hashes())
	must(m.t, err)
	r := receiptFile{string(m.sign(size, m.origin, m.skey)), string(m.entries[index]), "earwitness receipt 1", index, m.vkey, []string{}, hex.EncodeToString(m.salts[index]), size}
	for _, h := range proof {
		r.Proof = append(r.Proof, hex.EncodeToString(h[:]))
	}
	return r
}

func (r receiptFile) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	must(t, err)
	return b
}

func TestReceipt(t *testing.T) {
	m := sample(t)
	for size := int64(1); size <= 9; size++ {
		for index := range size {
			p, err := audit.VerifyReceipt(m.receipt(index, size).bytes(t), m.vkey)
			if err != nil || p.Index != index || p.Checkpoint.Size != size || !p.Trusted || p.Text != string(m.entries[index]) || len(p.Proven) != 2 || len(p.Open) != 2 {
				t.Fatalf("%d of %d: %+v, %v", index, size, p, err)
			}
		}
	}
	if p, err := audit.VerifyReceipt(m.receipt(1, 9).bytes(t), ""); err != nil || p.Trusted || len(p.Open) != 3 || p.Entry.Kind != evidence.EntryRecordingReceived {
		t.Errorf("%+v, %v", p, err)
	}
	pretty, err := json.MarshalIndent(m.receipt(1, 9), "", "  ")
	must(t, err)
	if _, err := audit.VerifyReceipt(append(pretty, '\n'), m.vkey); err != nil {
		t.Errorf("indented: %v", err)
	}
}

func TestReceiptRefuses(t *testing.T) {
	m := sample(t)
	other, otherKey, otherVerifier := logKey(t, "other")
	for name, tc := range map[string]struct {
		change func(r *receiptFile)
		kind   evidence.Kind
	}{
		"a word":             {func(r *receiptFile) { r.Entry = strings.Replace(r.Entry, "stated", "proven", 1) }, evidence.KindDamaged},
		"entry's form":       {func(r *receiptFile) { r.Entry += " " }, evidence.KindDamaged},
		"another entry":      {func(r *receiptFile) { r.Entry = string(m.entries[2]) }, evidence.KindDamaged},
		"salt":               {func(r *receiptFile) { r.Salt = strings.Repeat("00", 32) }, evidence.KindDamaged},
		"salt's length":      {func(r *receiptFile) { r.Salt = r.Salt[2:] }, evidence.KindInvalid},
		"salt's case":        {func(r *receiptFile) { r.Salt = strings.ToUpper(r.Salt) }, evidence.KindInvalid},
		"index":              {func(r *receiptFile) { r.Index++ }, evidence.KindDamaged},
		"index below 0":      {func(r *receiptFile) { r.Index = -1 }, evidence.KindDamaged},
		"index beyond":       {func(r *receiptFile) { r.Index = 9 }, evidence.KindDamaged},
		"size":               {func(r *receiptFile) { r.Size = 8 }, evidence.KindDamaged},
		"size 0":             {func(r *receiptFile) { r.Size = 0 }, evidence.KindDamaged},
		"proof shorter":      {func(r *receiptFile) { r.Proof = r.Proof[1:] }, evidence.KindDamaged},
		"proof longer":       {func(r *receiptFile) { r.Proof = append(r.Proof, r.Proof[0]) }, evidence.KindDamaged},
		"proof in disorder":  {func(r *receiptFile) { r.Proof[0], r.Proof[1] = r.Proof[1], r.Proof[0] }, evidence.KindDamaged},
		"proof not hash":     {func(r *receiptFile) { r.Proof[0] = "zz" }, evidence.KindInvalid},
		"format":             {func(r *receiptFile) { r.Format = "earwitness receipt 2" }, evidence.KindInvalid},
		"key":                {func(r *receiptFile) { r.Key = otherVerifier }, evidence.KindDamaged},
		"checkpoint's words": {func(r *receiptFile) { r.Checkpoint = strings.Replace(r.Checkpoint, "\n9\n", "\n8\n", 1); r.Size = 8 }, evidence.KindDamaged},
		"checkpoint, key":    {func(r *receiptFile) { r.Checkpoint = string(m.sign(9, other, otherKey)) }, evidence.KindDamaged},
		"no checkpoint":      {func(r *receiptFile) { r.Checkpoint = "" }, evidence.KindInvalid},
		"signed twice": {func(r *receiptFile) {
			i := strings.LastIndex(r.Checkpoint, "\n\n") + 2
			r.Checkpoint += r.Checkpoint[i:]
		}, evidence.KindInvalid},
	} {
		r := m.receipt(1, 9)
		tc.change(&r)
		if p, err := audit.VerifyReceipt(r.bytes(t), m.vkey); evidence.KindOf(err) != tc.kind && name != "key" || err == nil {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if _, err := audit.VerifyReceipt(r.bytes(t), ""); err == nil {
			t.Errorf("%s, no trusted key: not refused", name)
		}
	}
	if _, err := audit.VerifyReceipt(m.receipt(1, 9).bytes(t), otherVerifier); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("another trusted key: %v", err)
	}
	good := string(m.receipt(1, 9).bytes(t))
	for name, s := range map[string]string{
		"empty": "", "list": "[]", "null": "null", "no fields": "{}", "text behind": good + "x", "two": good + good, "unfinished": good[:len(good)-1],
		"twice": strings.Replace(good, `"index":1`, `"index":1,"index":1`, 1), "unknown": strings.Replace(good, `"index"`, `"more":1,"index"`, 1),
		"field's case": strings.Replace(good, `"index"`, `"Index"`, 1), "fraction": strings.Replace(good, `"index":1`, `"index":1.0`, 1),
		"null proof": strings.Replace(good, `"proof":[`, `"proof":[null,`, 1), "null index": strings.Replace(good, `"index":1`, `"index":null`, 1),
	} {
		if _, err := audit.VerifyReceipt([]byte(s), ""); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReceiptEveryByte changes each byte of a receipt: none may pass and say something else.
func TestReceiptEveryByte(t *testing.T) {
	m := sample(t)
	good := m.receipt(1, 9).bytes(t)
	want, err := audit.VerifyReceipt(good, m.vkey)
	must(t, err)
	for i := range good {
		for bit := range 8 {
			b := append([]byte(nil), good...)
			b[i] ^= 1 << bit
			// White space between fields, and another spelling of the same text in JSON, say the same.
			if p, err := audit.VerifyReceipt(b, m.vkey); err == nil && (p.Text != want.Text || p.Index != want.Index || p.Checkpoint != want.Checkpoint) {
				t.Fatalf("byte %d, bit %d passes: %s", i, bit, b)
			}
		}
	}
}
