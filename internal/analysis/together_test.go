package analysis

import (
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// turn is a transmission of speech from one second to another, as detection leaves it.
type turn struct {
	from, to float64
	seen     bool // its keying
	loud     bool // far above the noise
	long     bool // it is heard in parts
}

func TestWhatIsHeardInOne(t *testing.T) {
	for name, c := range map[string]struct {
		turns []turn
		open  bool
		want  [][]int // turns heard in one
	}{
		"a pause":            {[]turn{{from: 1, to: 3}, {from: 3.8, to: 6}}, false, [][]int{{0, 1}}},
		"a long pause":       {[]turn{{from: 1, to: 3}, {from: 4.6, to: 6}}, false, nil},
		"keying is seen":     {[]turn{{from: 1, to: 3, seen: true}, {from: 3.8, to: 6}}, false, nil},
		"no noise":           {[]turn{{from: 1, to: 3, loud: true}, {from: 3.8, to: 6, loud: true}}, false, nil},
		"as many as fit":     {[]turn{{from: 0, to: 5}, {from: 5.8, to: 9}, {from: 9.7, to: 14}, {from: 14.8, to: 16}}, false, [][]int{{0, 1}, {2, 3}}},
		"a long one between": {[]turn{{from: 0, to: 2}, {from: 2.7, to: 20, long: true}, {from: 20.8, to: 23}}, false, nil},
		"the last goes on":   {[]turn{{from: 1, to: 3}, {from: 3.8, to: 5}, {from: 5.8, to: 7}}, true, [][]int{{0, 1}}},
		"alone":              {[]turn{{from: 1, to: 3}}, false, nil},
	} {
		g := together{p: DefaultDetectParams()}
		var all []evidence.Transmission
		for i, x := range c.turns {
			core := run{int(x.from * framesPerSec), int(x.to * framesPerSec)}
			span := evidence.Span{From: int64(core.from) * audio.Hop, To: int64(core.to) * audio.Hop}
			tr := evidence.Transmission{Span: span, Hear: []evidence.Span{span}, SnrCB: 500}
			if x.loud {
				tr.SnrCB = 4000
			}
			if x.long {
				tr.Hear = append(tr.Hear, span)
			}
			g.add(signal{run: core, cores: []run{core}, seen: x.seen}, i, tr)
			all = append(all, tr)
		}
		if c.open {
			g.drop(len(all) - 1)
		}
		g.mark(all)
		group := make([]int, len(all))
		for n, list := range c.want {
			for _, i := range list {
				group[i] = n + 1
			}
		}
		for i, tr := range all {
			if group[i] == 0 {
				if tr.Within != nil {
					t.Errorf("%s: turn %d is heard within %v", name, i, *tr.Within)
				}
				continue
			}
			list := c.want[group[i]-1]
			want := evidence.Span{From: all[list[0]].Hear[0].From, To: all[list[len(list)-1]].Hear[0].To}
			if tr.Within == nil || *tr.Within != want {
				t.Errorf("%s: turn %d is heard within %v, not %v", name, i, tr.Within, want)
			}
		}
	}
}

// In noise, with a talker's pauses, transmissions stay apart and are heard in one.
func TestPausesInNoise(t *testing.T) {
	x := blank(40)
	x.add(0, 40, hiss(0.02))
	for _, at := range []float64{10, 13, 30} {
		x.add(at, at+2.2, voice(0.03))
	}
	d, _ := detect(t, x.samples())
	if len(d.Transmissions) != 3 {
		t.Fatalf("%d transmissions: %+v", len(d.Transmissions), d.Transmissions)
	}
	a, b, c := d.Transmissions[0], d.Transmissions[1], d.Transmissions[2]
	if a.Within == nil || b.Within == nil || *a.Within != *b.Within || a.Within.From != a.Hear[0].From || a.Within.To != b.Hear[0].To || c.Within != nil {
		t.Errorf("%v %v %v", a.Within, b.Within, c.Within)
	}
}
