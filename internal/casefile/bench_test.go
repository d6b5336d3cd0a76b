package casefile_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

// heard is an entry as the pipeline makes most of them: about 900 bytes.
func heard(n int) evidence.IntakeRefused {
	return evidence.IntakeRefused{Name: fmt.Sprint(n), Reason: strings.Repeat("Вы забыли про нас, мои ребята страдают. ", 11)}
}

func entriesOf(b *testing.B, from, n int) []evidence.Entry {
	b.Helper()
	var out []evidence.Entry
	for i := range n {
		out = append(out, mustEntry(b, heard(from+i)))
	}
	return out
}

func BenchmarkAppend(b *testing.B) {
	c, _, _ := newCase(b)
	for n := 0; b.Loop(); n++ {
		append1(b, c, program, evidence.EntryIntakeRefused, heard(n))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkAppendFrom16(b *testing.B) {
	c, _, _ := newCase(b)
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Append(context.Background(), program, evidence.EntryIntakeRefused, heard(int(n.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkAppend100(b *testing.B) {
	c, _, _ := newCase(b)
	for n := 0; b.Loop(); n++ {
		if _, err := c.AppendAll(b.Context(), entriesOf(b, n*100, 100)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "entries/s")
}

// large makes a case of 10,000 recordings with a result each, and closes it.
func large(b *testing.B) (dir, seen string) {
	b.Helper()
	c, dir, seen := newCase(b)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for n := w; n < recordings; n += 16 {
				// The store is not what is measured: one blob a recording, as small as can be.
				id := receive(b, c, fmt.Append(nil, n))
				append1(b, c, program, evidence.EntryResult, detect(b, id, evidence.DigestOf(fmt.Append(nil, n)), n))
			}
		})
	}
	wg.Wait()
	if err := c.Publish(b.Context()); err != nil {
		b.Fatal(err)
	}
	mustClose(b, c)
	return dir, seen
}

const recordings = 10000

// BenchmarkLarge works on a case of 20,001 entries.
func BenchmarkLarge(b *testing.B) {
	dir, seen := large(b)
	b.Run("OpenForWriting", func(b *testing.B) {
		for b.Loop() {
			c, err := casefile.Open(b.Context(), dir, openOptions(seen))
			if err != nil {
				b.Fatal(err)
			}
			mustClose(b, c)
		}
	})
	c := reopen(b, dir, seen)
	b.Run("Follow", func(b *testing.B) {
		n := int64(0)
		for b.Loop() {
			next, err := c.Follow(b.Context(), 0, func(int64, evidence.Entry) error { return nil })
			if err != nil {
				b.Fatal(err)
			}
			n += next
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("Received", func(b *testing.B) {
		d := evidence.DigestOf([]byte("77"))
		for b.Loop() {
			if _, _, ok := c.Received(d); !ok {
				b.Fatal("not received")
			}
		}
	})
	b.Run("AppendAndPublish", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			append1(b, c, program, evidence.EntryIntakeRefused, heard(n))
			if err := c.Publish(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Receipt", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Receipt(b.Context(), 7777); err != nil {
				b.Fatal(err)
			}
		}
	})
}
