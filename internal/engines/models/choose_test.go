package models

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/casetest/madeup"
	"github.com/earwitness/earwitness/internal/engines/whisper/graph"
)

// The catalogue's shapes are those that the graphs of every size were built from and compared with the reference, and
// the size that is expected of the graphs is theirs.
func TestShapes(t *testing.T) {
	for _, s := range madeup.Sizes() {
		o, ok := Offered("whisper-" + s.Name)
		if !ok || o.Shape != (Shape{s.Mels, s.State, s.AudioLayers, s.TextLayers, s.Words}) {
			t.Errorf("%s: %+v in the catalogue, %+v in the tests of graphs", s.Name, o.Shape, s)
		}
	}
	tiny := madeup.Sizes()[0]
	c, err := tiny.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	var e, d bytes.Buffer
	if err := graph.Build(t.Context(), c, c.Size(), tiny.Name, &e, &d); err != nil {
		t.Fatal(err)
	}
	o, _ := Offered("whisper-tiny")
	if got := float64(e.Len() + d.Len()); math.Abs(float64(o.Shape.Graphs())/got-1) > 0.01 {
		t.Errorf("the graphs of tiny are expected to have %d bytes, and have %.0f", o.Shape.Graphs(), got)
	}
	base, _ := Offered("whisper-base")
	if got := float64(base.Built[0].Size + base.Built[1].Size); math.Abs(float64(base.Shape.Graphs())/got-1) > 0.01 {
		t.Errorf("the graphs of base are expected to have %d bytes, and have %.0f", base.Shape.Graphs(), got)
	}
}

// What the catalogue says of how well a model hears is what bench/README.md has measured.
func TestHeardIsWhatWasMeasured(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(casetest.Root(t), "bench", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ru := regexp.MustCompile(`Russian short files: WER ([0-9.]+)`).FindSubmatch(b)
	en := regexp.MustCompile(`(?m)^English: WER ([0-9.]+)`).FindSubmatch(b)
	if ru == nil || en == nil {
		t.Fatal("bench/README.md does not say \"Russian short files: WER ...\" and \"English: WER ...\": the catalogue's Heard of whisper-base quotes them")
	}
	for _, o := range Catalogue() {
		want := ""
		if o.Name == "whisper-base" {
			want = "Russian " + string(ru[1]) + ", English " + string(en[1])
		}
		if o.Heard != want {
			t.Errorf("%s: the catalogue says %q, bench/README.md %q", o.Name, o.Heard, want)
		}
	}
}

func candidates(m Machine, timed ...Timed) []Candidate {
	return Candidates(m, []Burst{Spoken(4)}, 4, timed, map[string]bool{"whisper-base": true})
}

func find(t *testing.T, all []Candidate, name string) Candidate {
	t.Helper()
	for _, c := range all {
		if c.Offer.Name == name {
			return c
		}
	}
	t.Fatalf("no candidate %s", name)
	return Candidate{}
}

func TestSpeedsFollowFromTheNearestThatWasMeasured(t *testing.T) {
	all := candidates(Machine{Processors: 4})
	if len(all) != 6 {
		t.Fatalf("%d candidates, not the six sizes of Whisper", len(all))
	}
	last := 0.0
	for _, c := range all {
		if c.Speed != SpeedReference || c.PerSecond <= last {
			t.Errorf("%s: %v, %s: each size is slower than the one before", c.Offer.Name, c.PerSecond, c.Speed)
		}
		last = c.PerSecond
	}
	base, small := find(t, all, "whisper-base"), find(t, all, "whisper-small")
	// Ten times as slow as the reference: so is everything else.
	all = candidates(Machine{Processors: 4}, Timed{"whisper-base", 10 * base.PerSecond}, Timed{"gigaam", 0.001})
	if c := find(t, all, "whisper-base"); c.Speed != SpeedMeasured || c.PerSecond != 10*base.PerSecond || !c.Here || c.Disk != 0 {
		t.Errorf("%+v", c)
	}
	c := find(t, all, "whisper-small")
	if c.Speed != SpeedExtrapolated || c.Like != "whisper-base" || math.Abs(c.PerSecond/(10*small.PerSecond)-1) > 1e-9 || c.Here || c.Disk < 484e6+200e6 {
		t.Errorf("%+v", c)
	}
	// large-v3 is nearer to medium than to base.
	all = candidates(Machine{Processors: 4}, Timed{"whisper-base", 1}, Timed{"whisper-medium", 2})
	if c := find(t, all, "whisper-large-v3"); c.Like != "whisper-medium" || c.PerSecond < 2.5 || c.PerSecond > 8 {
		t.Errorf("%+v", c)
	}
}

func TestChoose(t *testing.T) {
	base := Timed{"whisper-base", 0.01}
	for name, c := range map[string]struct {
		machine Machine
		goal    Goal
		timed   Timed
		want    string // "" for an error of kind needs
		reason  string
	}{
		"a tenth of the time spoken": {Machine{}, Goal{Speech: 0.05}, base, "whisper-small", "the largest that fits here and hears speech ten times faster"},
		"little memory":              {Machine{Memory: 600 << 20}, Goal{}, base, "whisper-base", "not whisper-small (too little memory)"},
		"little disk":                {Machine{Disk: 600e6}, Goal{}, base, "whisper-base", "not whisper-small (too little disk)"},
		"no memory at all":           {Machine{Memory: 1 << 20}, Goal{}, base, "", ""},
		"a slow machine":             {Machine{}, Goal{}, Timed{"whisper-base", 4}, "whisper-tiny", "comes nearest"},
		"all the time in the world":  {Machine{}, Goal{Recording: time.Hour, Within: 24 * time.Hour, Speech: 1}, base, "whisper-large-v3", "hears 1h of recordings within 24h"},
		"sparse, so a larger one":    {Machine{}, Goal{Recording: 100 * time.Hour, Within: 30 * time.Minute, Speech: 0.05, Scan: 0.001}, base, "whisper-small", "hears 100h of recordings within 30m"},
		"the scan alone takes too long": {Machine{}, Goal{Recording: 100 * time.Hour, Within: 30 * time.Minute, Speech: 0.05, Scan: 0.01}, base,
			"whisper-tiny", "no model that fits here hears 100h of recordings within 30m"},
	} {
		got, reason, err := Choose(candidates(c.machine, c.timed), c.goal)
		if c.want == "" {
			if evidence.KindOf(err) != evidence.KindNeeds || evidence.HintOf(err) == "" {
				t.Errorf("%s: %v, want an error of kind needs", name, err)
			}
			continue
		}
		if err != nil || got.Offer.Name != c.want || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: %s, %q, %v; want %s, %q", name, got.Offer.Name, reason, err, c.want, c.reason)
		}
	}
}

// A disk that is too small is said to be so before anything is fetched, once, and names what is needed.
func TestGetSeesThatThereIsRoom(t *testing.T) {
	srv := serve(t, nil)
	o := srv.offer()
	o.Shape = Shape{80, 384, 4, 4, 51865}
	pip := fakePip(t, &o)
	full := func(string) (int64, bool) { return 50e6, true }
	for _, from := range []string{FromAnywhere, FromURL, FromPip, filepath.Join(t.TempDir(), "tiny.pt")} {
		s := Open(t.TempDir())
		free := full
		if from != FromAnywhere && from != FromURL && from != FromPip {
			free = func(string) (int64, bool) { return 30e6, true }
		}
		_, err := s.Get(t.Context(), o, Sources{From: from, Pip: pip, Free: free})
		if evidence.KindOf(err) != evidence.KindNeeds || !strings.Contains(err.Error(), "needs 0.1 GB") && !strings.Contains(err.Error(), "needs 0.0 GB") || strings.Contains(err.Error(), "and:") {
			t.Errorf("from %q: %v", from, err)
		}
	}
	if srv.requests.Load() != 0 {
		t.Errorf("%d requests were made", srv.requests.Load())
	}
	if n, ok := Free(t.TempDir()); !ok || n < 1<<20 {
		t.Errorf("the disk of this test has %d bytes free, %v", n, ok)
	}
}
