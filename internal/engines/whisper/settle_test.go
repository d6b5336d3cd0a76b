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

func TestSettle(t *testing.T) {
	pauses := []rest{{0, 0.5}, {1.2, 1.5}, {2.4, 3}}
	words := []Word{{Text: "a", Start: 0.38, End: 1.33}, {Text: "b", Start: 1.33, End: 2}, {Text: "c", Start: 2, End: 2.6}}
	settle(words, pauses)
	want := []Word{{Text: "a", Start: 0.5, End: 1.2}, {Text: "b", Start: 1.5, End: 2}, {Text: "c", Start: 2, End: 2.4}}
	if !slices.Equal(words, want) {
		t.Errorf("got  %+v\nwant %+v", words, want)
	}
	// A pause that would swallow a word, or is far off, moves nothing.
	words = []Word{{Text: "a", Start: 1.25, End: 1.45}, {Text: "b", Start: 1.45, End: 2}}
	settle(words, []rest{{1.2, 1.5}, {2.5, 3}})
	if words[0].Start != 1.25 || words[0].End != 1.45 || words[1].End != 2 {
		t.Errorf("%+v", words)
	}
	settle(nil, pauses)
}

func TestRestsAreSeenOnlyWhereSpeechStandsOut(t *testing.T) {
	x := noise(0.001, 3, 1)
	for i := rate / 2; i < rate; i++ {
		x[i] += float32(0.3 * math.Sin(float64(i)*0.2))
	}
	for i := 3 * rate / 2; i < 3*rate; i++ {
		x[i] += float32(0.3 * math.Sin(float64(i)*0.2))
	}
	got := rests(x)
	if len(got) != 2 || math.Abs(got[0].to-0.5) > 0.02 || math.Abs(got[1].from-1) > 0.02 || math.Abs(got[1].to-1.5) > 0.02 {
		t.Errorf("%+v", got)
	}
	if got := rests(noise(0.1, 3, 2)); got != nil {
		t.Errorf("in noise alone: %+v", got)
	}
	if got := rests(x[:100]); got != nil {
		t.Errorf("in a moment: %+v", got)
	}
}

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
func labelled(t *testing.T, name string) (pauses []rest, length float64) {
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
				pauses = append(pauses, rest{length, end})
			}
		}
		length = end
	}
	return pauses, length
}
