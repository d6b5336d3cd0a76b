package analysis

import (
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// together finds transmissions that the recogniser is given in one. Where keying cannot be seen, a talker's pause is told
// from another's turn by its length alone, and half a sentence is heard worse than a whole one. So the transmissions
// stay apart, and what is heard of them is not.
type together struct {
	p       DetectParams
	members []member
}

// member is a transmission of speech in noise, the keying of which cannot be seen.
type member struct {
	at     int // its place among the transmissions
	speech run // from the first word to the last, in frames of the chunk
	hear   evidence.Span
}

// add takes in the next transmission: what will be at place at, made of s.
func (g *together) add(s signal, at int, t evidence.Transmission) {
	if len(t.Hear) != 1 || s.seen || t.SnrCB >= g.p.DenseSNR {
		return
	}
	g.members = append(g.members, member{at, run{s.cores[0].from, s.cores[len(s.cores)-1].to}, t.Hear[0]})
}

// follows says whether b can be heard in one with a, which is the member before it.
func (g *together) follows(a, b member) bool {
	return b.at == a.at+1 && (b.speech.from-a.speech.to)*10 < g.p.HearTogether
}

// drop takes the transmission at place at out again.
func (g *together) drop(at int) {
	if n := len(g.members); n > 0 && g.members[n-1].at == at {
		g.members = g.members[:n-1]
	}
}

// mark says in transmissions which are heard in one. As many are as fit into what the recogniser is given at most.
func (g *together) mark(transmissions []evidence.Transmission) {
	most := int64(g.p.HearMax) * audio.Rate / 1000
	for first := 0; first < len(g.members); {
		within := g.members[first].hear
		next := first + 1
		for next < len(g.members) && g.follows(g.members[next-1], g.members[next]) && g.members[next].hear.To-within.From <= most {
			within.To = g.members[next].hear.To
			next++
		}
		if next-first > 1 {
			for _, m := range g.members[first:next] {
				transmissions[m.at].Within = &within
			}
		}
		first = next
	}
}
