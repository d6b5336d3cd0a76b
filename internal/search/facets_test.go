package search

import (
	"path/filepath"
	"reflect"
	"testing"
)

// Facets count what the hits are, and where only some lines may be found nothing of an answer tells of the others.
func TestFacetsAndOnly(t *testing.T) {
	x := openIndex(t, filepath.Join(t.TempDir(), "derived.db"), sampleCase(t))
	tally := func(hits []Hit) map[string]map[string]int {
		out := map[string]map[string]int{"recording": {}, "state": {}, "language": {}, "sound": {}}
		for _, h := range hits {
			for name, v := range map[string]string{"recording": h.Line.Recording, "state": h.Line.State, "language": h.Line.Lang, "sound": h.Line.Sound} {
				if v != "" {
					out[name][v]++
				}
			}
		}
		return out
	}
	check := func(query string, only []Place, want []Hit) {
		t.Helper()
		a, err := x.Search(t.Context(), query, Options{Limit: 1000, Histogram: true, Facets: true, Only: only})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]map[string]int{"recording": {}, "state": {}, "language": {}, "sound": {}}
		for name, counts := range a.Facets {
			for _, c := range counts {
				got[name][c.Value] = c.Count
			}
		}
		if a.Total != len(want) || len(a.Hits) != len(want) || !reflect.DeepEqual(got, tally(want)) {
			t.Errorf("%s: %d found, %v; expected %d, %v", query, a.Total, got, len(want), tally(want))
		}
		hours := 0
		for _, h := range a.Hours {
			hours += h.Count
		}
		if hours > len(want) || only != nil && len(a.Hints) > 0 {
			t.Errorf("%s: %d lines by hour, hints %q", query, hours, a.Hints)
		}
	}
	for _, query := range append([]string{"синхрофазотрон"}, probes...) {
		all, err := x.Search(t.Context(), query, Options{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		check(query, nil, all.Hits)
		only, some := []Place{}, []Hit{}
		for i, h := range all.Hits {
			if i%2 == 0 {
				only, some = append(only, Place{h.Line.Recording, h.Line.Samples}), append(some, h)
			}
		}
		check(query, only, some)
		check(query, []Place{}, nil)
	}
}
