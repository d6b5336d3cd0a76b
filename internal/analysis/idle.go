package analysis

import (
	"math"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// idle gathers what a recording sounds like while nobody transmits: the mean spectrum of a block in every four seconds of that.
type idle struct {
	mean          [idleWindow / 2]float64
	power, blocks float64
}

// idleWindow is a block's length: 3.9 Hz a bin, so that hum can be told from a carrier.
const idleWindow = 4096

// rest looks at what of a chunk's body is no signal.
func (d *detection) rest(c *chunk, signals []signal) error {
	const step, blockFrames, clear = 4 * framesPerSec, idleWindow/audio.Hop + 1, 20
	if d.idleSpectra == nil {
		d.idleSpectra = audio.NewSpectraOf(idleWindow)
	}
	x := make([]int16, idleWindow)
	next := 0
	for at := c.body.from; at+blockFrames <= c.body.to; at += step {
		for next < len(signals) && signals[next].to+clear <= at {
			next++
		}
		if next < len(signals) && signals[next].from-clear < at+blockFrames {
			continue
		}
		if err := audio.ReadPadded(d.src, x, (c.first+int64(at))*audio.Hop); err != nil {
			return err
		}
		sum, square := 0.0, 0.0
		for _, v := range x {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
		mean := sum / idleWindow // a constant offset is not sound
		d.idle.power += (square/idleWindow - mean*mean) / (32768 * 32768)
		d.idle.blocks++
		for k, v := range d.idleSpectra.Of(x) {
			d.idle.mean[k] += float64(v)
		}
	}
	return nil
}

// background says what was gathered.
func (i *idle) background() *evidence.Background {
	if i.blocks == 0 {
		return nil
	}
	b := &evidence.Background{Kind: evidence.BackgroundNoise, LevelCB: decibels100(i.power / i.blocks)}
	if b.LevelCB <= -8000 {
		b.Kind = evidence.BackgroundSilence
		return b
	}
	const bin = float64(audio.Rate) / idleWindow
	const low = 8 // below 31 Hz there is nothing to hear
	var total float64
	for _, v := range i.mean[low:] {
		total += v
	}
	// The mains: the power at its first ten multiples.
	for _, hz := range []float64{50, 60} {
		var s float64
		lines := 0
		for m := 1.0; m <= 10; m++ {
			p := around(i.mean[:], m*hz/bin)
			s += p
			if p > total/200 {
				lines++
			}
		}
		// One line alone may be anybody's; at the mains' own frequency it is the mains'.
		if s > total/2 && (lines > 1 || around(i.mean[:], hz/bin) > s*0.9) {
			b.Kind, b.LineHz = evidence.BackgroundHum, int(hz)
			return b
		}
	}
	at := low
	for k := low; k+low < len(i.mean); k++ {
		if i.mean[k] > i.mean[at] {
			at = k
		}
	}
	if around(i.mean[:], float64(at)) > total/2 {
		var moment, power float64
		for k := at - 2; k <= at+2; k++ {
			moment += float64(k) * i.mean[k]
			power += i.mean[k]
		}
		b.Kind, b.LineHz = evidence.BackgroundCarrier, int(math.Round(moment/power*bin))
	}
	return b
}

// around returns the power of a line and its skirts.
func around(p []float64, bin float64) (s float64) {
	at := int(math.Round(bin))
	for k := max(0, at-2); k <= min(len(p)-1, at+2); k++ {
		s += p[k]
	}
	return s
}
