package analysis

import (
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// Room that speech keeps around itself where an intruder fills the pauses, in frames: the voice detector finds the
// start of speech late.
const (
	roomBefore = 50
	roomAfter  = 20
)

// apart takes signals apart whose pauses another sound fills: a heterodyne or a jammer under several stations hides
// their keying, and would make one transmission of them. Where a long pause between words, or before the first or after
// the last of them, is a tone or music, it becomes a signal of its own, and the words on its two sides are two
// transmissions. A talker's own pause is neither: it is the carrier's silence, or noise.
func (d *detection) apart(c *chunk, signals []signal) ([]signal, error) {
	out := make([]signal, 0, len(signals))
	least := d.p.IntruderPause / 10
	for _, s := range signals {
		if len(s.cores) == 0 {
			out = append(out, s)
			continue
		}
		rest := s // what is not given away yet
		rest.cores = nil
		for k := 0; k <= len(s.cores); k++ {
			gap := run{s.from, s.to}
			if k > 0 {
				gap.from = s.cores[k-1].to + roomAfter
			}
			if k < len(s.cores) {
				gap.to = s.cores[k].from - roomBefore
			}
			intruder := false
			if gap.len() >= least {
				var err error
				if intruder, err = d.intruder(c, gap); err != nil {
					return nil, err
				}
			}
			if intruder {
				if rest.to = gap.from; len(rest.cores) > 0 {
					out = append(out, rest)
				}
				out = append(out, signal{run: gap, seen: s.seen})
				rest = signal{run: run{gap.to, s.to}, seen: s.seen}
			}
			if k < len(s.cores) {
				rest.cores = append(rest.cores, s.cores[k])
			}
		}
		if rest.to = s.to; len(rest.cores) > 0 {
			out = append(out, rest)
		}
	}
	return out, nil
}

// intruder says whether a stretch without speech is a tone or music that stands out of the background.
func (d *detection) intruder(c *chunk, r run) (bool, error) {
	var dev float32
	for _, v := range c.dev[r.from:r.to] {
		dev += v
	}
	if dev < float32(r.len())*float32(d.p.SignalOn)/100 {
		return false, nil
	}
	span := evidence.Span{From: (c.first + int64(r.from)) * audio.Hop, To: min((c.first+int64(r.to))*audio.Hop, d.src.Len())}
	l, err := d.look(c, r, span)
	if err != nil {
		return false, err
	}
	s := l.sound()
	return s == evidence.SoundTone || s == evidence.SoundMusic, nil
}
