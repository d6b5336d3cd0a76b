package audit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
)

// BenchmarkVerify verifies a case with 512 MB of blobs, in one file and in eight.
func BenchmarkVerify(b *testing.B) {
	for name, count := range map[string]int{"one-blob": 1, "eight-blobs": 8} {
		b.Run(name, func(b *testing.B) {
			const total = 512 << 20
			m := newMaker(b)
			dir := filepath.Join(b.TempDir(), "a.case")
			rng := rand.New(rand.NewPCG(1, 2))
			part := make([]byte, total/count)
			for i := range count {
				for k := 0; k < len(part); k += 64 { // enough to differ everywhere
					part[k] = byte(rng.Uint32())
				}
				d := sha256.Sum256(part)
				put(b, filepath.Join(dir, "blobs", hex.EncodeToString(d[:1]), hex.EncodeToString(d[:])), part)
				m.add(evidence.EntryRecordingReceived, person, evidence.RecordingReceived{Digest: d, Name: "x", Recording: "REC-000" + string(rune('1'+i)), Size: int64(len(part))})
			}
			m.sizes = []int64{int64(len(m.entries))}
			m.writeTo(dir)
			b.SetBytes(total)
			for b.Loop() {
				wantClean(b, verify(b, dir, audit.Options{}))
			}
		})
	}
}

// BenchmarkVerifyEntries verifies a case of 20,000 entries and no blobs.
func BenchmarkVerifyEntries(b *testing.B) {
	m := newMaker(b)
	for range 20000 {
		m.add(evidence.EntryIntakeRefused, person, evidence.IntakeRefused{Name: "a name of some length.wav", Reason: "a reason that is as long as reasons tend to be"})
	}
	m.sizes = []int64{1, int64(len(m.entries))}
	dir := m.write()
	fi, err := os.Stat(filepath.Join(dir, "case.db"))
	must(b, err)
	b.SetBytes(fi.Size())
	for b.Loop() {
		wantClean(b, verify(b, dir, audit.Options{}))
	}
	b.ReportMetric(float64(len(m.entries)*b.N)/b.Elapsed().Seconds(), "entries/s")
}
