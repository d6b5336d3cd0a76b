package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// How a speed is known.
const (
	SpeedMeasured     = "measured"     // the model itself, on this machine
	SpeedExtrapolated = "extrapolated" // from one that was measured on this machine, by their work
	SpeedReference    = "reference"    // from the project's own machine and the number of processors here: a guess
)

// Timed is how long a model took on a machine.
type Timed struct {
	Name      string
	PerSecond float64 // seconds for a second of speech
}

// Candidate is a model of the catalogue that might be used on a machine.
type Candidate struct {
	Offer     Offer
	Here      bool    // on the shelf
	PerSecond float64 // seconds for a second of speech
	Speed     string  // SpeedMeasured, SpeedExtrapolated or SpeedReference
	Like      string  // the model that the speed was extrapolated from
	Memory    int64   // bytes that it needs
	Disk      int64   // bytes that fetching and building it needs; 0 where it is here
	Missing   string  // why it cannot be used here; "" where it can
}

// Machine is what bounds the choice. What is not known is 0 and bounds nothing.
type Machine struct {
	Processors int
	Memory     int64 // bytes that are free
	Disk       int64 // bytes that are free where the shelf is
}

// Candidates returns the catalogue's recognisers, smallest first, with their speed on a machine where bursts took the
// times that were measured. here says which of them are on the shelf.
func Candidates(m Machine, bursts []Burst, seconds float64, timed []Timed, here map[string]bool) []Candidate {
	var all []Candidate
	for _, o := range Catalogue() {
		if IsVoice(o.Of()) {
			continue
		}
		c := Candidate{Offer: o, Here: here[o.Name], Memory: o.Shape.Memory(m.Processors)}
		c.PerSecond, c.Speed, c.Like = perSecond(o, m, bursts, seconds, timed)
		if !c.Here {
			c.Disk = o.room(o.fetched())
		}
		switch {
		case m.Memory > 0 && c.Memory > m.Memory:
			c.Missing = "memory"
		case m.Disk > 0 && c.Disk > m.Disk:
			c.Missing = "disk"
		}
		all = append(all, c)
	}
	return all
}

// perSecond is a model's time for a second of speech: its own where it was measured, else that of the measured one whose
// work is nearest, times the ratio of their work.
func perSecond(o Offer, m Machine, bursts []Burst, seconds float64, timed []Timed) (float64, string, string) {
	work := func(s Shape) float64 {
		sum := 0.0
		for _, b := range bursts {
			sum += s.Work(b)
		}
		return sum / seconds
	}
	own := work(o.Shape)
	type known struct {
		name      string
		of, ratio float64
	}
	var near []known
	for _, t := range timed {
		if t.Name == o.Name {
			return t.PerSecond, SpeedMeasured, ""
		}
		if other, ok := Offered(t.Name); ok && other.Shape != (Shape{}) {
			near = append(near, known{t.Name, t.PerSecond, own / work(other.Shape)})
		}
	}
	if len(near) == 0 {
		return own / float64(max(m.Processors, 1)), SpeedReference, ""
	}
	n := slices.MinFunc(near, func(a, b known) int { return cmp.Compare(math.Abs(math.Log(a.ratio)), math.Abs(math.Log(b.ratio))) })
	return n.of * n.ratio, SpeedExtrapolated, n.name
}

// Goal is what the models are chosen for.
type Goal struct {
	Recording time.Duration // to be heard; 0 where nothing is known of it
	Within    time.Duration // 0 for a tenth of the time that is spoken
	Speech    float64       // share of the recording that is speech, 0 to 1
	Scan      float64       // seconds for a second of recording, to find the speech
}

// Takes is how long the recording takes with a model.
func (g Goal) Takes(c Candidate) time.Duration {
	return time.Duration(float64(g.Recording) * (g.Scan + g.Speech*c.PerSecond))
}

func (g Goal) reached(c Candidate) bool {
	if g.Within > 0 {
		return g.Takes(c) <= g.Within
	}
	return c.PerSecond <= 0.1
}

func (g Goal) words() string {
	if g.Within > 0 {
		return fmt.Sprintf("hears %s of recordings within %s", plainly(g.Recording), plainly(g.Within))
	}
	return "hears speech ten times faster than it was spoken"
}

// plainly writes whole hours, minutes or seconds, "36h", as they are typed.
func plainly(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// Choose returns the largest model that can be used here and reaches the goal, with the reason; where none reaches it,
// the quickest that can be used. It is an error of kind needs where no model can be used.
func Choose(all []Candidate, g Goal) (Candidate, string, error) {
	var best, quickest *Candidate
	var without []string
	for i := range all {
		c := &all[i]
		if c.Missing != "" {
			if g.reached(*c) {
				without = append(without, c.Offer.Name+" (too little "+c.Missing+")")
			}
			continue
		}
		if quickest == nil || c.PerSecond < quickest.PerSecond {
			quickest = c
		}
		if g.reached(*c) {
			best = c
		}
	}
	if quickest == nil {
		return Candidate{}, "", evidence.Needs("no model of the catalogue fits into what memory and disk are free here").WithHint("free some and ask again")
	}
	if best == nil {
		return *quickest, "no model that fits here " + g.words() + "; this one comes nearest", nil
	}
	reason := "the largest that fits here and " + g.words()
	for _, w := range without {
		reason += "; not " + w
	}
	return *best, reason, nil
}
