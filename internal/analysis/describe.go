package analysis

import (
	"math"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/signalling"
)

// describe measures and labels the signals of a chunk and adds them to the output. closed says that the chunk ends in
// a pause.
func (d *detection) describe(c *chunk, signals []signal, closed bool, touch int) error {
	g := together{p: d.p}
	for n, s := range signals {
		span := evidence.Span{From: (c.first + int64(s.from)) * audio.Hop, To: min((c.first+int64(s.to))*audio.Hop, d.src.Len())}
		if span.Len() <= 0 {
			continue
		}
		last := (*evidence.Transmission)(nil)
		var after int64
		if k := len(d.out.Transmissions); k > 0 {
			last = &d.out.Transmissions[k-1]
			after = last.Span.To
		}
		span.From = max(span.From, after)
		if span.Len() <= 0 {
			continue
		}
		look, err := d.look(c, s.run, span)
		if err != nil {
			return err
		}
		t := evidence.Transmission{
			Span: span, BandLowHz: look.low, BandHighHz: look.high, LevelCB: look.level, PeakCB: look.peak, Clipped: look.full >= 8,
			SnrCB: c.snr(s), Sound: evidence.SoundSpeech,
		}
		for i := s.from; i < s.to; i++ {
			t.SpeechP = max(t.SpeechP, int(math.Round(float64(c.p[i])*10000)))
		}
		if t.Calls, err = signalling.Find(d.src, span); err != nil {
			return err
		}
		s.cores = c.spoken(s.cores, t.Calls)
		if len(s.cores) == 0 || (look.machine() && shortCores(s)) {
			t.Sound = look.sound()
			s.cores = nil
			if called(t.Calls)*2 > span.Len() {
				t.Sound = evidence.SoundTone
			}
		} else {
			if call, ok, err := signalling.SubTone(d.src, span); err != nil {
				return err
			} else if ok {
				t.Calls = append([]evidence.SelectiveCall{call}, t.Calls...)
			}
			until := d.src.Len()
			if n+1 < len(signals) {
				until = min(until, (c.first+int64(signals[n+1].from))*audio.Hop)
			} else if !closed {
				until = min(until, (c.first+int64(c.body.to))*audio.Hop)
			}
			t.Hear = c.hear(d.p, s, after, until, t.SnrCB < d.p.DenseSNR)
		}
		// A transmission that no pause ended goes on in the next chunk.
		if n == 0 && d.open && last != nil && last.Sound == t.Sound && s.from-c.body.from < touch {
			join(last, t)
		} else {
			g.add(s, len(d.out.Transmissions), t)
			d.out.Transmissions = append(d.out.Transmissions, t)
		}
	}
	if d.open = !closed && len(signals) > 0 && c.body.to-signals[len(signals)-1].to < touch; d.open {
		g.drop(len(d.out.Transmissions) - 1) // it goes on
	}
	g.mark(d.out.Transmissions)
	return nil
}

// spoken returns the cores without those that are the tones of a call, which the voice detector may take for speech.
func (c *chunk) spoken(cores []run, calls []evidence.SelectiveCall) []run {
	const around = audio.Rate / 5
	return slices.DeleteFunc(slices.Clone(cores), func(r run) bool {
		from, to := (c.first+int64(r.from))*audio.Hop, (c.first+int64(r.to))*audio.Hop
		return slices.ContainsFunc(calls, func(k evidence.SelectiveCall) bool { return from >= k.Span.From-around && to <= k.Span.To+around })
	})
}

// called returns how many samples lie in calls.
func called(calls []evidence.SelectiveCall) (n int64) {
	end := int64(0)
	for _, k := range calls {
		n += max(0, k.Span.To-max(k.Span.From, end))
		end = max(end, k.Span.To)
	}
	return n
}

// shortCores says that what was taken for speech is no more than a blip in another sound.
func shortCores(s signal) bool {
	n := 0
	for _, r := range s.cores {
		n += r.len()
	}
	return n < 40 || n*5 < s.len()
}

// join adds b to a, which it continues.
func join(a *evidence.Transmission, b evidence.Transmission) {
	la, lb := float64(a.Span.Len()), float64(b.Span.Len())
	mean := func(x, y int) int {
		return decibels100((math.Pow(10, float64(x)/1000)*la + math.Pow(10, float64(y)/1000)*lb) / (la + lb))
	}
	a.LevelCB = mean(a.LevelCB, b.LevelCB)
	a.SnrCB = mean(a.SnrCB, b.SnrCB)
	a.PeakCB = max(a.PeakCB, b.PeakCB)
	a.SpeechP = max(a.SpeechP, b.SpeechP)
	a.BandLowHz = min(a.BandLowHz, b.BandLowHz)
	a.BandHighHz = max(a.BandHighHz, b.BandHighHz)
	a.Clipped = a.Clipped || b.Clipped
	if n := len(a.Hear); n > 0 && len(b.Hear) > 0 {
		b.Hear[0].From = max(b.Hear[0].From, a.Hear[n-1].To)
	}
	a.Hear = append(a.Hear, b.Hear...)
	a.Calls = append(a.Calls, b.Calls...)
	a.Span.To = b.Span.To
}

// decibels100 converts a power to 1/100 dB, between -150 and 150 dB.
func decibels100(power float64) int {
	return int(math.Round(max(-15000, min(15000, 1000*math.Log10(max(power, 1e-15))))))
}

// snr returns the signal-to-noise ratio of s over the voice bands, in 1/100 dB. The noise is the background; where
// keying is seen, it is what shows between the words, if that is another: a carrier that quietens the receiver, a floor
// of the transmitter's own.
func (c *chunk) snr(s signal) int {
	noise := float64(c.bg[s.from/histBlock].power())
	quiet := c.quiet(s.run)
	sum, n := 0.0, 0
	count := func(r run) {
		for i := r.from; i < min(r.to, len(c.frames)); i++ {
			sum += float64(voicePower(&c.frames[i]))
			n++
		}
	}
	if len(s.cores) == 0 {
		count(s.run)
	} else {
		for _, r := range s.cores {
			count(r)
		}
		if s.seen && s.len() >= framesPerSec/2 && (quiet > noise*2 || quiet < noise/2) {
			noise = quiet
		}
	}
	noise = min(noise, quiet) // a carrier may have taken the background away
	noise = max(noise, 1e-9)
	return max(-2000, min(9000, decibels100(max(sum/float64(max(n, 1))-noise, noise*1e-2)/noise)))
}

// quiet returns the power of the voice bands that 95 % of the frames of r exceed.
func (c *chunk) quiet(r run) float64 {
	power := make([]float64, 0, r.len())
	for i := r.from; i < min(r.to, len(c.db)); i++ {
		var p float32
		for b := range voiceBands {
			p += undB(c.db[i][b])
		}
		power = append(power, float64(p))
	}
	slices.Sort(power)
	return power[len(power)/20]
}

// look is what a closer look at a stretch of sound tells.
type look struct {
	level, peak int // 1/100 dB of full scale
	full        int // samples at full scale
	low, high   int // Hz: where its power is, but for the outer hundredths

	steady float64 // spread of the level of its blocks, dB
	stay   float64 // share of blocks whose strongest line is the commonest
	waver  float64 // spread of its share of the power, over those blocks
	line   float64 // median share of the strongest line in the power of a block
	pair   float64 // the same of the two strongest
	sway   float64 // and its spread
	tonal  float64 // the same of all lines that stand out
	tones  int     // different strongest lines that make up most blocks
	hold   float64 // share of blocks whose strongest line is the one before's
	flat   float64 // flatness of the mean spectrum inside the band, 0 (a line) to 1 (white)
}

const (
	lookBlocks = 600 // spectra of a long stretch, evenly spread
	lookBin    = float64(audio.Rate) / audio.SpectraWindow
)

// look measures span. Long ones are sampled for their spectrum, and read whole for their level and peak.
func (d *detection) look(c *chunk, r run, span evidence.Span) (look, error) {
	var l look
	var sum, square float64
	buf := make([]int16, min(span.Len(), 10*audio.Rate))
	for at := span.From; at < span.To; at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), span.To-at)]
		if err := audio.ReadPadded(d.src, b, at); err != nil {
			return l, err
		}
		for _, x := range b {
			v := int(x)
			sum += float64(v)
			square += float64(v * v)
			if v >= math.MaxInt16-1 || v <= math.MinInt16+1 {
				l.full++
			}
			l.peak = max(l.peak, v, -v)
		}
	}
	n := float64(span.Len())
	l.level = decibels100((square/n - sum/n*sum/n) / (32768 * 32768))
	l.peak = decibels100(float64(l.peak) * float64(l.peak) / (32768 * 32768))
	return l, d.lines(c, r, span, &l)
}

// lines measures the spectrum, less the background.
func (d *detection) lines(c *chunk, r run, span evidence.Span, l *look) error {
	const half = audio.SpectraWindow / 2
	const from, to = 6, 250 // 190 to 7800 Hz
	var back [half]float64
	bg := c.bg[r.from/histBlock]
	if c.quiet(r) < float64(bg.power()) { // a carrier has taken the background away
		for b := range audio.Bands {
			for i := r.from; i < min(r.to, len(c.db)); i++ {
				bg.db[b] = min(bg.db[b], c.db[i][b])
			}
		}
	}
	for k := range half {
		for b := range audio.Bands {
			if low, high := audio.BandHz(b); bg.known && float64(k)*lookBin >= float64(low) && float64(k)*lookBin < float64(high) {
				back[k] = float64(undB(bg.db[b])) / 2 // twice the resolution: half the noise in a bin
			}
		}
	}
	step := max(audio.SpectraWindow/2, (span.Len()-audio.SpectraWindow)/lookBlocks)
	var mean [half]float64
	type blockLook struct {
		level, line, pair, tonal float64
		top                      int
	}
	var blocks []blockLook
	block := make([]int16, audio.SpectraWindow)
	for at := span.From; at == span.From || at+audio.SpectraWindow <= span.To; at += step {
		if err := audio.ReadPadded(d.src, block, at); err != nil {
			return err
		}
		p := d.spectra.Of(block)
		var total, first, second, stand float64
		top := from
		for k := from; k < to; k++ {
			v := max(0, float64(p[k])-2*back[k])
			mean[k] += v
			total += v
			if p[k] > p[k-1] && p[k] >= p[k+1] {
				near := float64(p[k-1]) + float64(p[k]) + float64(p[k+1])
				switch {
				case near > first:
					first, second, top = near, first, k
				case near > second:
					second = near
				}
				if around := float64(p[max(k-5, 0)]+p[max(k-4, 0)]+p[k+4]+p[k+5]) / 4; float64(p[k]) > 30*around {
					stand += near
				}
			}
		}
		if total <= 0 {
			continue
		}
		blocks = append(blocks, blockLook{10 * math.Log10(total), min(1, first/total), min(1, (first+second)/total), min(1, stand/total), top})
	}
	if len(blocks) == 0 {
		return nil
	}
	// Blocks of the transmitter's silence say nothing about its sound.
	var levels, line, pair, tonal []float64
	var tops []int
	for _, b := range blocks {
		levels = append(levels, b.level)
	}
	slices.Sort(levels)
	loud := levels[len(levels)*9/10] - 10
	levels = levels[:0]
	for _, b := range blocks {
		if b.level >= loud {
			levels, line, pair, tonal, tops = append(levels, b.level), append(line, b.line), append(pair, b.pair), append(tonal, b.tonal), append(tops, b.top)
		}
	}
	shares := slices.Clone(line) // median sorts
	l.line, l.pair, l.tonal = median(line), median(pair), median(tonal)
	l.steady, l.sway = spread(levels), spread(pair)
	l.commonest(tops, shares)
	l.tones, l.hold = distinct(tops)
	var total float64
	for k := from; k < to; k++ {
		total += mean[k]
	}
	acc, low, high := 0.0, from, to
	for k := from; k < to; k++ {
		if acc < total/100 {
			low = k
		}
		if acc < total*0.99 {
			high = k
		}
		acc += mean[k]
	}
	l.low, l.high = int(float64(low)*lookBin), int(float64(high+1)*lookBin)
	var logs, lin float64
	for k := low; k <= high; k++ {
		logs += math.Log(mean[k] + total*1e-9)
		lin += mean[k] + total*1e-9
	}
	w := float64(high - low + 1)
	l.flat = math.Exp(logs/w) / (lin / w)
	return nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// spread returns half the distance between the 10th and the 90th percentile.
func spread(x []float64) float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	return (s[len(s)*9/10] - s[len(s)/10]) / 2
}

// commonest measures the line that is the strongest in most blocks; line is its share of each block's power.
func (l *look) commonest(tops []int, line []float64) {
	var count [audio.SpectraWindow / 2]int
	for _, k := range tops {
		count[k]++
	}
	best, at := 0, 0
	for k := 1; k+1 < len(count); k++ {
		if s := count[k-1] + count[k] + count[k+1]; s > best {
			best, at = s, k
		}
	}
	var own []float64
	for i, k := range tops {
		if k >= at-1 && k <= at+1 {
			own = append(own, line[i])
		}
	}
	l.stay = float64(best) / float64(len(tops))
	if len(own) > 0 {
		l.waver = spread(own)
	}
}

// distinct counts the lines (neighbours are one) that together are the strongest in 85 % of blocks, and the share of
// blocks that hold the line of the block before.
func distinct(tops []int) (n int, hold float64) {
	var count [audio.SpectraWindow / 2]int
	for i, k := range tops {
		count[k]++
		if i > 0 && max(k-tops[i-1], tops[i-1]-k) <= 1 {
			hold++
		}
	}
	for left := float64(len(tops)) * 0.85; left > 0; n++ {
		best, at := 0, 0
		for k := 1; k+1 < len(count); k++ {
			if s := count[k-1] + count[k] + count[k+1]; s > best {
				best, at = s, k
			}
		}
		if best == 0 {
			break
		}
		left -= float64(best)
		count[at-1], count[at], count[at+1] = 0, 0, 0
	}
	return n, hold / float64(max(1, len(tops)-1))
}

// machine says that the sound is surely no voice.
func (l *look) machine() bool {
	s := l.sound()
	return s == evidence.SoundTone || s == evidence.SoundData
}

// sound labels what is not speech.
func (l *look) sound() string {
	switch {
	case l.stay > 0.6 && l.waver < 0.12 && (l.line > 0.4 || l.pair > 0.6), l.tones <= 3 && l.sway < 0.05 && l.pair > 0.8:
		return evidence.SoundTone
	case l.tones <= 12 && l.hold < 0.9 && l.pair > 0.35 && l.high-l.low < 3000 && (l.tones <= 3 || l.hold < 0.6):
		return evidence.SoundData // few tones in quick change
	case l.flat > 0.15 && l.high-l.low < 2400 && l.steady < 2 && l.high < 3500 && l.tonal < 0.5 && l.high-l.low > 300:
		return evidence.SoundData // many carriers at once, band-limited and steady
	case l.tonal > 0.5 || (l.tones <= 12 && l.hold >= 0.6 && l.pair > 0.35):
		return evidence.SoundMusic
	default:
		return evidence.SoundNoise
	}
}
