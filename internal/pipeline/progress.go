package pipeline

import (
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// work is how much there is to do for one recording, in seconds of sound weighted by what a stage costs. It
// only feeds the estimate of time left; nothing is decided by it.
type work struct {
	seconds float64 // of the recording, guessed from its size until it is known
	speech  float64 // seconds to be heard, guessed until known
	done    float64 // weighted
	over    bool
}

// What a second costs in each stage, relative to detection.
const (
	decodeCost = 2
	detectCost = 1
	hearCost   = 30
)

// guess weighs a recording by its size: 32 kB a second for WAV, 4 kB for what is compressed, a tenth of it speech.
func guess(rec evidence.RecordingReceived) *work {
	perSecond := 4000.0
	if strings.HasSuffix(strings.ToLower(rec.Name), ".wav") {
		perSecond = 32000
	}
	s := float64(rec.Size) / perSecond
	return &work{seconds: s, speech: s / 10}
}

func (w *work) total() float64 { return w.seconds*(decodeCost+detectCost) + w.speech*hearCost }

// at notes that done of total samples of a stage are through.
func (w *work) at(stage string, done, total int64) {
	d, t := float64(done)/evidence.Rate, float64(total)/evidence.Rate
	switch stage {
	case evidence.StageDecode:
		w.seconds = max(w.seconds, d)
		w.done = d * decodeCost
	case evidence.StageDetect:
		w.seconds = t
		w.done = t*decodeCost + d*detectCost
	case evidence.StageHear:
		w.speech = t
		w.done = w.seconds*(decodeCost+detectCost) + d*hearCost
	}
}

func (w *work) finish() { w.over = true }

// fraction returns how much of all the work is done, 0 to 1.
func fraction(all map[string]*work) float64 {
	var done, total float64
	for _, w := range all {
		t := w.total()
		total += t
		if w.over {
			done += t
		} else {
			done += min(w.done, t)
		}
	}
	if total == 0 {
		return 0
	}
	return done / total
}
