package analysis

import (
	"math"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

func two(level, a, b float64) func(float64) float64 {
	return func(t float64) float64 { return level * (math.Sin(2*math.Pi*a*t) + math.Sin(2*math.Pi*b*t)) }
}

// A call stands in its transmission, which is a tone; words around it stay words.
func TestCallsStandInTheirTransmissions(t *testing.T) {
	x := blank(40)
	x.add(0, 40, hiss(0.003))
	x.add(5, 6, two(0.1, 312.6, 346.7))
	x.add(6.2, 7.2, two(0.1, 384.6, 426.6))
	for i, hz := range [][2]float64{{697, 1209}, {852, 1336}, {941, 1477}, {770, 1633}} {
		x.add(20+float64(i)*0.2, 20.1+float64(i)*0.2, two(0.1, hz[0], hz[1]))
	}
	x.add(21.2, 24, voice(0.2))
	x.add(30, 33, voice(0.2))
	x.add(30, 33, sine(0.3, 103.5))
	d, _ := detect(t, x.samples())
	check(t, d, int64(len(x)))
	var got []string
	for _, k := range d.Transmissions {
		s := k.Sound
		for _, c := range k.Calls {
			s += ", " + c.System + " " + c.Code
			if c.Span.From < k.Span.From || c.Span.To > k.Span.To {
				t.Errorf("%+v lies outside %+v", c.Span, k.Span)
			}
		}
		got = append(got, s)
	}
	want := []string{"tone, SELCAL AB-CD", "tone, DTMF 18#B", "speech", "speech, CTCSS 103.5"}
	joined := []string{"tone, SELCAL AB-CD", "speech, DTMF 18#B", "speech, CTCSS 103.5"}
	if !same(got, want) && !same(got, joined) {
		t.Errorf("%q", got)
	}
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// What fills a recording from end to end is its background, and is named.
func TestBackground(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(float64) float64
		want evidence.Background
	}{
		"silence": {func(float64) float64 { return 0 }, evidence.Background{Kind: "silence", LevelCB: -15000}},
		"noise":   {hiss(0.01), evidence.Background{Kind: "noise", LevelCB: -4000}},
		"carrier": {sine(0.1, 1234), evidence.Background{Kind: "carrier", LevelCB: -2300, LineHz: 1234}},
		"hum":     {func(t float64) float64 { return sine(0.01, 50)(t) + sine(0.005, 100)(t) }, evidence.Background{Kind: "hum", LevelCB: -4200, LineHz: 50}},
		"offset":  {func(float64) float64 { return 0.3 }, evidence.Background{Kind: "silence", LevelCB: -15000}},
	} {
		x := blank(60)
		x.add(0, 60, c.fill)
		if c.want.LineHz > 0 {
			x.add(0, 60, hiss(0.001))
		}
		d, l := detect(t, x.samples())
		if d.Background == nil || len(d.Transmissions) > 0 || l.calls > 2 {
			t.Errorf("%s: %+v, %+v", name, d.Background, d.Transmissions)
			continue
		}
		b := *d.Background
		if b.Kind != c.want.Kind || b.LineHz != c.want.LineHz || max(b.LevelCB-c.want.LevelCB, c.want.LevelCB-b.LevelCB) > 200 {
			t.Errorf("%s: %+v, not %+v", name, b, c.want)
		}
	}
	x := blank(20) // a voice in silence leaves the background what it is
	x.add(5, 8, voice(0.2))
	if d, _ := detect(t, x.samples()); d.Background == nil || d.Background.Kind != "silence" {
		t.Errorf("%+v", d.Background)
	}
}
