package analysis

import (
	"context"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// signal is a transmission in the making, in frames of a chunk.
type signal struct {
	run
	cores []run // speech in it; none: another sound
	seen  bool  // its keying can be seen: the channel differs between the transmitter's silence and nobody's
}

// decide makes transmissions of a chunk's body.
func (d *detection) decide(ctx context.Context, c *chunk, closed bool) error {
	pause := func(ms int) int { return ms / 10 }
	cores := d.cores(c)
	active := d.active(c, cores)
	doubtful, err := d.doubtful(c, cores, active)
	if err != nil {
		return err
	}
	if len(doubtful) > 0 {
		raised, err := d.again(ctx, c, doubtful)
		if err != nil {
			return err
		}
		if raised {
			cores = d.cores(c)
			active = d.active(c, cores)
		}
	}
	k := &keying{chunk: c, p: d.p, cores: cores, active: active, on: make([]bool, c.body.to)}
	for _, r := range active {
		for i := r.from; i < r.to; i++ {
			k.on[i] = true
		}
	}
	signals := k.speech()
	signals = append(signals, k.others(signals)...)
	slices.SortFunc(signals, func(a, b signal) int { return a.from - b.from })
	signals, err = d.apart(c, signals)
	if err != nil {
		return err
	}
	if err := d.rest(c, signals); err != nil {
		return err
	}
	return d.describe(c, signals, closed, pause(d.p.VoicePause))
}

// active learns the background again, without the speech, and returns where the channel differs from it.
func (d *detection) active(c *chunk, cores []run) []run {
	use := make([]bool, len(c.frames))
	for i := range use {
		use[i] = true
	}
	for _, r := range cores {
		for i := max(0, r.from-30); i < min(len(use), r.to+30); i++ {
			use[i] = false
		}
	}
	bg := background(c.db, use, d.p.BackgroundMS/10/histBlock)
	for k := range bg {
		if bg[k].known {
			c.bg[k] = bg[k]
		}
	}
	c.dev = deviation(c.db, c.bg)
	active := hysteresis(c.dev[:c.body.to], float32(d.p.SignalOn)/100, float32(d.p.SignalOff)/100, 10, 4)
	active = slices.DeleteFunc(active, func(r run) bool { return r.to <= c.body.from })
	for k := range active {
		active[k].from = max(active[k].from, c.body.from)
		c.sharpen(&active[k])
	}
	return active
}

// cores returns the stretches that the voice detector calls speech.
func (d *detection) cores(c *chunk) []run {
	on, off := float32(d.p.SpeechOn)/10000, float32(d.p.SpeechOff)/10000
	r := hysteresis(c.p[:c.body.to], on, off, d.p.SpeechPause/10, d.p.SpeechMin/10)
	return slices.DeleteFunc(r, func(r run) bool { return r.to <= c.body.from })
}

// loud returns the level of the voice bands of frames from-to, in dB.
func (c *chunk) loud(from, to int) float32 {
	var s float32
	for i := from; i < to; i++ {
		s += voicePower(&c.frames[i])
	}
	return audio.Decibels(s / float32(max(1, to-from)))
}

// sharpen moves the ends of an active stretch inwards, by as much as averaging had moved them outwards: to where the
// frame itself leaves the background.
func (c *chunk) sharpen(r *run) {
	apart := func(i int) bool {
		d := audio.Decibels(voicePower(&c.frames[i])) - audio.Decibels(c.bg[i/histBlock].power())
		return d > 3 || d < -3
	}
	for range smooth {
		if r.len() > 4 && !apart(r.from) {
			r.from++
		}
		if r.len() > 4 && !apart(r.to-1) {
			r.to--
		}
	}
}

func voicePower(f *audio.Frame) float32 {
	var s float32
	for _, x := range f.Power[:voiceBands] {
		s += x
	}
	return s
}

// keying tells transmissions apart in one chunk.
type keying struct {
	*chunk
	p      DetectParams
	cores  []run
	active []run
	on     []bool // of each frame: the channel differs from the background
}

// Limits of the search for a transmission's ends, in frames.
const (
	crashMost   = 30  // an isolated signal without speech, this short, does not bridge a pause
	reachHidden = 150 // how far from speech its transmission may begin or end where keying cannot be seen
	reachSeen   = 1000
	bridge      = 20 // a gap in the signal that is jumped near speech
	near        = 100
)

// speech groups the cores into transmissions.
func (k *keying) speech() []signal {
	var out []signal
	dense := k.density()
	for _, core := range k.split() {
		if n := len(out); n > 0 {
			last := &out[n-1]
			gap := run{last.to, core.from}
			idle, seen := k.idle(gap)
			limit := k.p.VoicePause
			switch {
			case seen:
				limit = k.p.KeyingPause
			case dense[core.from/histBlock]:
				limit = k.p.DensePause
			}
			if idle < limit/10 {
				last.to = core.to
				last.cores = append(last.cores, core)
				continue
			}
		}
		out = append(out, signal{run: core, cores: []run{core}})
	}
	for n := range out {
		low, high := k.body.from, k.body.to
		if n > 0 {
			low = out[n-1].to
		}
		if n+1 < len(out) {
			high = out[n+1].from
		}
		k.extend(&out[n], low, high)
		k.trim(&out[n])
		if !out[n].seen && k.over(out[n].run) < 20 { // the faint beginnings and ends of words
			out[n].from = max(low, out[n].from-k.p.VoicePad/10)
			out[n].to = min(high, out[n].to+k.p.VoicePad/10)
		}
	}
	return out
}

// split cuts cores where the channel falls back to its background although the voice detector heard on, as it does
// over a short pause in keying and after a key is let go. Only where the signal stands clear of the background can
// that be trusted. It leaves out what was faintly taken for speech in nothing but background.
func (k *keying) split() []run {
	var out []run
	for _, core := range k.cores {
		if k.imagined(core) {
			continue
		}
		if !k.strong(core) {
			out = append(out, core)
			continue
		}
		from := core.from
		for _, gap := range runs(core.to, 1, k.p.KeyingPause/10, func(i int) bool { return i >= core.from && !k.on[i] }) {
			if gap.len() < k.p.VoicePause/10 && !k.edge(gap.from, -1) && !k.edge(gap.to, +1) && k.tail(run{from, gap.from}) == gap.from {
				continue // a talker's breath, or the faint end of a word
			}
			if gap.from-from > 5 {
				out = append(out, run{from, gap.from})
			}
			from = gap.to
		}
		if core.to-from > 5 {
			out = append(out, run{from, core.to})
		}
	}
	return out
}

// imagined reports whether core is faint and has no signal under it.
func (k *keying) imagined(core run) bool {
	const faint, part = 0.9, 0.15
	n, most := 0, float32(0)
	for i := core.from; i < core.to; i++ {
		most = max(most, k.chunk.p[i])
		if k.on[i] {
			n++
		}
	}
	return most < faint && float64(n) < part*float64(core.len())
}

// strong reports whether r is so far from the background that its absence would show: far above it, or, where a
// carrier quietens the receiver, far off in every band.
func (k *keying) strong(r run) bool {
	if k.over(r) > 12 {
		return true
	}
	var dev float32
	n := 0
	for i := r.from; i < r.to; i++ {
		if k.on[i] {
			dev += k.dev[i]
			n++
		}
	}
	return n > 0 && n*4 > r.len() && dev/float32(n) > 15
}

// over returns the level of r over the background's, in dB.
func (k *keying) over(r run) float32 {
	return k.loud(r.from, r.to) - audio.Decibels(k.bg[r.from/histBlock].power())
}

// idle returns how many frames of a gap between two pieces of speech show nothing but the background, in one
// stretch, and whether the keying was seen at one of its ends.
func (k *keying) idle(gap run) (frames int, seen bool) {
	from, to := gap.from, gap.to
	strong := k.strong(run{max(gap.from-50, k.body.from), gap.from})
	if strong {
		// The voice detector stops late and starts late: the stretch may reach into the speech a little.
		from, to = max(gap.from-15, k.body.from), min(gap.to+5, k.body.to)
	}
	idle := runs(to, 1, 1, func(i int) bool { return i >= from && !k.on[i] })
	var merged []run
	for _, r := range idle {
		if n := len(merged); n > 0 && r.from-merged[n-1].to <= crashMost && merged[n-1].len() >= 5 && r.len() >= 5 {
			merged[n-1].to = r.to
		} else {
			merged = append(merged, r)
		}
	}
	var best run
	for _, r := range merged {
		if r.len() > best.len() {
			best = r
		}
	}
	if best.len() == 0 {
		return 0, false
	}
	if tail := k.tail(run{gap.from, best.from}); tail < best.from {
		return best.to - tail, true // the squelch's tail is sent by nobody
	}
	seen = k.edge(best.from, -1) || k.edge(best.to, +1)
	quiet := 0
	for _, r := range idle {
		quiet += r.len()
	}
	if !strong && !seen && quiet*2 > gap.len() {
		return gap.len(), false // a weak voice comes and goes: trust the voice detector
	}
	return best.len(), seen
}

// edge reports whether the keying shows at frame at: on the side that dir names, the transmitter is on and nobody speaks,
// so that its level is steady and is not the background's.
func (k *keying) edge(at, dir int) bool {
	const steady, skip = 6, 2
	from, to := at+skip, at+skip+steady
	if dir < 0 {
		from, to = at-skip-steady, at-skip
	}
	if from < k.body.from || to > k.body.to {
		return false
	}
	low, high, dev := float32(1e9), float32(-1e9), float32(0)
	for i := from; i < to; i++ {
		// The voice detector hears on for a moment: then the spectrum must be that of noise.
		if !k.on[i] || (k.chunk.p[i] > 0.5 && !k.noisy(i)) {
			return false
		}
		var s float32
		for b := range voiceBands {
			s += k.db[i][b]
		}
		s /= voiceBands
		low, high = min(low, s), max(high, s)
		dev += k.dev[i] / steady
	}
	return high-low < 3 && dev > 6
}

// density says of each block of frames whether speech is continuous and clean around it: a recording without keying.
func (k *keying) density() []bool {
	out := make([]bool, len(k.frames)/histBlock+1)
	const reach = 30 * framesPerSec
	for b := range out {
		from, to := max(k.body.from, b*histBlock-reach), min(k.body.to, (b+1)*histBlock+reach)
		n := 0
		var power, back float64
		for _, c := range k.cores {
			for i := max(from, c.from); i < min(to, c.to); i++ {
				n++
				power += float64(voicePower(&k.frames[i]))
				back += float64(k.bg[i/histBlock].power())
			}
		}
		clean := float64(audio.Decibels(float32(power/float64(max(n, 1))))-audio.Decibels(float32(back/float64(max(n, 1))))) * 100
		out[b] = n*10000 >= k.p.DenseShare*max(to-from, 1) && clean >= float64(k.p.DenseSNR)
	}
	return out
}

// extend moves the ends of s from the speech out to where the signal begins and ends, within low and high.
func (k *keying) extend(s *signal, low, high int) {
	first, last := s.from, s.to
	at := func(i int) bool { return i >= low && i < high && k.on[i] }
	// Backwards: over the signal, jumping gaps while near the speech.
	i := first
	for j := first - 1; j >= max(low, first-reachSeen); j-- {
		if at(j) {
			i = j
		} else if i-j > bridge || (first-j > near && i-j > 2) {
			break
		}
	}
	s.seen = k.edge(i, +1)
	if !s.seen {
		i = max(i, first-reachHidden)
	}
	s.from = i
	// The voice detector may begin before the signal does, by part of its window.
	for j := first; i == first && j < min(first+10, high) && !k.on[j] && k.strongAfter(j); j++ {
		s.from = j + 1
	}
	// Forwards.
	i = last
	for j := last; j < min(high, last+reachSeen); j++ {
		if at(j) {
			i = j + 1
		} else if j-i > bridge || (j-last > near/2 && j-i > 2) {
			break
		}
	}
	end := k.edge(i, -1)
	if !end {
		i = min(i, last+reachHidden)
	}
	if i == last && k.strong(s.cores[len(s.cores)-1]) { // it hears on for a while after the signal has gone
		for j := last - 1; j > max(s.from+5, last-25) && !k.on[j]; j-- {
			i = j
		}
	}
	s.to = i
	s.seen = s.seen || end
}

// strongAfter reports whether the signal stands clear of the background right after frame i, so that its absence there
// means something.
func (k *keying) strongAfter(i int) bool {
	to := min(i+30, k.body.to)
	return k.loud(i, to)-audio.Decibels(k.bg[i/histBlock].power()) > 10
}

// trim takes the squelch tail off.
func (k *keying) trim(s *signal) {
	last := s.cores[len(s.cores)-1]
	s.to = k.tail(run{max(last.to-10, s.from+10), s.to})
}

// tail returns where the squelch tail at the end of r begins, or the end of r. A tail is noise that ends with the
// signal, is short, and sets in at once, much louder than what was there just before.
func (k *keying) tail(r run) int {
	const least, step = 4, 6 // frames, dB
	at, most := r.to, float32(step)
	miss := 0
	for i := r.to - 2; i >= max(r.from, r.to-k.p.TailMax/10); i-- {
		if !k.noisy(i) {
			if miss++; miss > 2 {
				break
			}
		}
		if r.to-i < least || i < 4 {
			continue
		}
		if jump := k.loud(i, min(i+4, r.to)) - k.loud(i-4, i-1); jump > most {
			at, most = i, jump
		}
	}
	return at
}

// noisy reports whether the bands of frame i lie on a straight line, as noise has it that went through a filter, and
// voices do not.
func (k *keying) noisy(i int) bool {
	const from, n = 2, 8 // 440 to 3000 Hz
	var mx, my, xx, xy float32
	for b := range n {
		x, y := float32(b), k.db[i][from+b]
		mx, my, xx, xy = mx+x/n, my+y/n, xx+x*x/n, xy+x*y/n
	}
	slope := (xy - mx*my) / (xx - mx*mx)
	var off float32
	for b := range n {
		e := k.db[i][from+b] - my - slope*(float32(b)-mx)
		off += e * e / n
	}
	return off < 2.5*2.5 && slope > -2.5
}

// others returns the signals without speech, beside those with.
func (k *keying) others(speech []signal) []signal {
	taken := make([]bool, k.body.to)
	for _, s := range speech {
		// A little around it belongs to it: its tail, the click of its key.
		for i := max(0, s.from-25); i < min(len(taken), s.to+k.p.TailMax/10+25); i++ {
			taken[i] = true
		}
	}
	var out []signal
	for _, r := range runs(k.body.to, 30, k.p.SoundMin/10, func(i int) bool { return i >= k.body.from && k.on[i] && !taken[i] }) {
		var dev float32
		for _, x := range k.dev[r.from:r.to] {
			dev += x / float32(r.len())
		}
		// A carrier may take the noise away and so lower the level: then the deviation counts.
		if int(k.over(r)*100) >= k.p.SoundSNR || int(dev*100) >= k.p.SoundDeviation {
			out = append(out, signal{run: r})
		}
	}
	return out
}

// hear returns what the recogniser is given of s: its speech, padded, cut at pauses.
// It does not reach into its neighbours: after is where the one before ends, until where the one behind begins.
func (k *chunk) hear(p DetectParams, s signal, after, until int64, noisy bool) []evidence.Span {
	first, last := s.cores[0].from, s.cores[len(s.cores)-1].to
	before := p.HearBefore
	if !noisy {
		before = p.HearAfter // its beginning is certain
	}
	from := min(first-before/10, s.from)
	if first-from > p.HearBefore/10 {
		from = first - p.HearBefore/10
	}
	to := last + p.HearAfter/10
	span := evidence.Span{From: max((k.first+int64(from))*audio.Hop, after, 0), To: min((k.first+int64(to))*audio.Hop, until)}
	var out []evidence.Span
	most := int64(p.HearMax) * audio.Rate / 1000
	for span.Len() > most {
		cut := k.quietest(span.From/audio.Hop-k.first+int64(p.HearMax)/25, (span.From+most)/audio.Hop-k.first)
		out = append(out, evidence.Span{From: span.From, To: (k.first + cut) * audio.Hop})
		span.From = (k.first + cut) * audio.Hop
	}
	return append(out, span)
}

// quietest returns the best frame between from and to to cut speech at: in the middle of the least likely and then
// quietest 200 ms, later ones preferred a little, so that pieces are not too short.
func (k *chunk) quietest(from, to int64) int64 {
	const half = 10
	best, at := float32(1e9), to
	for i := max(from, half); i <= min(to, int64(len(k.frames))-half); i++ {
		var cost float32
		for j := i - half; j < i+half; j++ {
			cost += k.p[j] * 40 / (2 * half)
		}
		cost += k.loud(int(i-half), int(i+half)) - 6*float32(i-from)/float32(to-from+1)
		if cost < best {
			best, at = cost, i
		}
	}
	return at
}
