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
	at    int // its place among the transmissions
	core  evidence.Span
	hear  evidence.Span
	apart bool // it is not heard with the one before it
}

// add takes in the next transmission: what will be at place at, made of s.
func (g *together) add(s signal, at int, t evidence.Transmission) {
	if len(t.Hear) != 1 || s.seen || t.SnrCB >= g.p.DenseSNR {
		return
	}
	m := member{at: at, hear: t.Hear[0]}
	m.core = evidence.Span{From: int64(s.cores[0].from) * audio.Hop, To: int64(s.cores[len(s.cores)-1].to) * audio.Hop}
	m.apart = true
	if n := len(g.members); n > 0 {
		last := g.members[n-1]
		m.apart = last.at != at-1 || (m.core.From-last.core.To)*1000 >= int64(g.p.HearTogether)*audio.Rate
	}
	g.members = append(g.members, m)
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
		for next < len(g.members) && !g.members[next].apart && g.members[next].hear.To-within.From <= most {
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
