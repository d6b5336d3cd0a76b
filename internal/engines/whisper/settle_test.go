//go:build cgo

package whisper

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
)

// span is a stretch of time in seconds.
type span struct{ from, to float64 }

// Beside a pause of at least 0.1 s words begin and end where the phone labels have the speech begin and end.
func TestWordsBesidePausesKeepTheLabelsTimes(t *testing.T) {
	m := model(t)
	var starts, ends []float64
	files, err := filepath.Glob(casetest.Shared(t, "audio", "ru-festvox-nsh", "") + "/*.lab")
	if err != nil || len(files) == 0 {
		t.Fatal("no labels", err)
	}
	for _, f := range files {
		h, err := m.Hear(context.Background(), sound(t, "ru-festvox-nsh/"+strings.TrimSuffix(filepath.Base(f), ".lab")+".flac"), Options{Languages: []string{"ru"}})
		if err != nil {
			t.Fatal(err)
		}
		pauses, length := labelled(t, f)
		for _, p := range pauses {
			if p.to-p.from < 0.1 || len(h.Words) == 0 {
				continue
			}
			start, end := math.Inf(1), math.Inf(1)
			for _, w := range h.Words {
				start, end = min(start, math.Abs(w.Start-p.to)), min(end, math.Abs(w.End-p.from))
			}
			if p.to < length-0.2 {
				starts = append(starts, start)
			}
			if p.from > 0.2 {
				ends = append(ends, end)
			}
		}
	}
	for what, errs := range map[string][]float64{"start": starts, "end": ends} {
		slices.Sort(errs)
		middle, most := errs[len(errs)/2], errs[len(errs)*95/100]
		t.Logf("%s: %d, median error %.0f ms, 95th percentile %.0f ms", what, len(errs), middle*1000, most*1000)
		if middle > 0.03 || most > 0.15 {
			t.Errorf("%s of words beside pauses: median error %.3f s, 95th percentile %.3f s", what, middle, most)
		}
	}
}

// labelled reads the pauses of a file of phone labels, and where its last phone ends.
func labelled(t *testing.T, name string) (pauses []span, length float64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var end float64
		var colour int
		var phone string
		if n, _ := fmt.Sscan(s.Text(), &end, &colour, &phone); n != 3 {
			continue // the head
		}
		if phone == "pau" {
			if k := len(pauses); k > 0 && pauses[k-1].to == length {
				pauses[k-1].to = end
			} else {
				pauses = append(pauses, span{length, end})
			}
		}
		length = end
	}
	return pauses, length
}
