package search

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// bigCase makes a case of n lines of about ten words, drawn from a vocabulary as uneven as that of speech.
func bigCase(t testing.TB, n int) *caseLog {
	rnd := rand.New(rand.NewPCG(3, 4))
	zipf := rand.NewZipf(rnd, 1.1, 8, 60000)
	letters := []rune("оеаинтсрвлкмдпуяызбгчйхжшюцщэф")
	vocabulary := strings.Fields("я вас понял приём на в и не колонна танк дорога мост топливо макаров мотыжин бородянка шоссе слышу хорошо ждите")
	for len(vocabulary) < 60001 {
		w := make([]rune, 4+rnd.IntN(8))
		for i := range w {
			w[i] = letters[min(rnd.IntN(len(letters)), rnd.IntN(len(letters)))]
		}
		vocabulary = append(vocabulary, string(w))
	}
	c := &caseLog{t: t}
	const each = 1600
	for r := 0; r*each < n; r++ {
		id := fmt.Sprintf("REC-%04d", r+1)
		c.receive(id, fmt.Sprintf("net %d.ogg", r), time.Date(2022, 2, 24, r, 0, 0, 0, time.UTC).Format(time.RFC3339))
		var list []said
		for range min(each, n-r*each) {
			words := make([]string, 6+rnd.IntN(9))
			for i := range words {
				words[i] = vocabulary[zipf.Uint64()]
			}
			list = append(list, said{"ru", strings.Join(words, " ") + "."})
		}
		c.detect(id, list)
		for i, s := range list {
			at := evidence.Span{From: int64(i) * 160000, To: int64(i)*160000 + 80000}
			h := evidence.Heard{Languages: []evidence.Language{{Code: s.lang, P: 9000}}, State: evidence.HeardWords, Text: s.text}
			for k, w := range strings.Fields(s.text) {
				h.Words = append(h.Words, evidence.Word{P: 9000 - k, Span: evidence.Span{From: at.From + int64(k)*4000, To: at.From + int64(k)*4000 + 4000}, Text: w})
			}
			c.result(id, evidence.StageHear, &at, h)
		}
	}
	return c
}

// BenchmarkIndex makes an index of EARWITNESS_BENCH_LINES lines (20,000 where that is not set) and asks it.
func BenchmarkIndex(b *testing.B) {
	n := 20000
	if s := os.Getenv("EARWITNESS_BENCH_LINES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	c := bigCase(b, n)
	path := filepath.Join(b.TempDir(), "derived.db")
	began := time.Now()
	x := openIndex(b, path, c)
	took := time.Since(began)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d lines in %v: %.0f lines/s; %d MB before the log is folded", n, took, float64(n)/took.Seconds(), info.Size()>>20)
	began = time.Now()
	if err := x.Update(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("nothing new: %v", time.Since(began))
	c.hear("REC-0001", []said{{"ru", "новое слово"}})
	began = time.Now()
	if err := x.Update(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("one entry more: %v", time.Since(began))
	for name, query := range map[string]string{
		"common": "понял", "word": "топливо", "and": "колонна мост", "rare": "новое", "phrase": `"вас понял"`, "prefix": "топл*", "fuzzy": "Мотижин~", "filter": "state:draft date:2022-02-27", "nothing": "синхрофазотрон", "histogram": "танк",
	} {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			total := 0
			for b.Loop() {
				began := time.Now()
				a, err := x.Search(b.Context(), query, Options{Histogram: name == "histogram"})
				if err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(began))
				total = a.Total
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(total), "found")
		})
	}
}
