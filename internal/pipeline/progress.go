package pipeline

import (
	"path"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// work is how much there is to do for one recording, and how much is done, in seconds of sound for each stage. It orders
// the recordings and feeds the estimate of time left; no result depends on it.
type work struct {
	seconds float64 // of the recording: guessed from its size, then from what it says of itself, then known
	speech  float64 // to be heard: guessed from what was found so far
	copied  bool    // it is decoded into a copy, not read as it stands
	decoded float64
	found   float64 // searched for transmissions
	heard   float64
	over    bool
}

// What a second costs in each stage, relative to detection.
const (
	decodeCost = 8
	detectCost = 1
	hearCost   = 60
)

const usualSpeech = 0.1 // share of a recording that is speech, while nothing is known of it

// bytesPerSecond is what recordings usually take, by how they are named.
var bytesPerSecond = map[string]float64{".wav": 32000, ".flac": 24000, ".mp3": 8000, ".m4a": 8000, ".aac": 8000, ".mp4": 30000, ".opus": 4000, ".ogg": 4000, ".amr": 1600}

// guess weighs a recording by its size.
func guess(rec evidence.RecordingReceived) *work {
	ext := strings.ToLower(path.Ext(rec.Name))
	rate := bytesPerSecond[ext]
	if rate == 0 {
		rate = 8000
	}
	s := float64(rec.Size) / rate
	return &work{seconds: s, speech: s * usualSpeech, copied: ext != ".wav"}
}

func (w *work) total() float64 {
	t := w.seconds*detectCost + w.speech*hearCost
	if w.copied {
		t += w.seconds * decodeCost
	}
	return t
}

func (w *work) done() float64 {
	if w.over {
		return w.total()
	}
	d := w.found*detectCost + w.heard*hearCost
	if w.copied {
		d += w.decoded * decodeCost
	}
	return min(d, w.total())
}

// at notes that done of total samples of a stage are through; total is 0 where it is not known. Of hearing, total is what
// has been found so far.
func (w *work) at(stage string, done, total int64) {
	d, t := float64(done)/evidence.Rate, float64(total)/evidence.Rate
	switch stage {
	case evidence.StageDecode:
		w.decoded = d
		if t > 0 {
			w.seconds = t
		}
		w.seconds = max(w.seconds, d)
	case evidence.StageDetect:
		w.found = d
		w.seconds = max(w.seconds, d)
		if t > 0 {
			w.seconds = t
		}
	case evidence.StageHear:
		w.heard = d
		// What is searched already tells of the rest, the more the longer it is.
		const doubt = 120
		share := (t + usualSpeech*doubt) / (w.found + doubt)
		w.speech = t + share*max(0, w.seconds-w.found)
	}
}

// fraction returns how much of all the work is done, 0 to 1.
func fraction(all map[string]*work) float64 {
	var done, total float64
	for _, w := range all {
		done, total = done+w.done(), total+w.total()
	}
	if total == 0 {
		return 0
	}
	return done / total
}
