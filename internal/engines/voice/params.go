package voice

import "github.com/earwitness/earwitness/evidence"

// Version counts the changes of this package's code that can change a result.
const Version = 1

// Params shape a vector. Results name them.
type Params struct {
	Coverage int `json:"coverage_e2"`    // of a window, from which on it counts although it reaches past the end, in 1/100
	Frames   int `json:"frames"`         // of a window: 10 ms each
	LevelDB  int `json:"level_db"`       // of full scale, to which quieter sound is raised; louder stays
	Shortest int `json:"shortest_milli"` // shortest sound that gives a vector
	Step     int `json:"step_frames"`    // from one window to the next
}

// Defaults are those of the Python package resemblyzer 0.1.4, beside Shortest: it has none.
func Defaults() Params {
	return Params{Coverage: 75, Frames: 160, LevelDB: -30, Shortest: 800, Step: 77}
}

// windows returns the first frame of each window over n samples: windows cover all of it, the last one reaches past
// the end where enough of it does not, and there is always one.
func (p Params) windows(n int) []int {
	frames := n/hop + 1 // ceil((n+1)/hop)
	var first []int
	for at, end := 0, max(1, frames-p.Frames+p.Step+1); at < end; at += p.Step {
		first = append(first, at)
	}
	last := first[len(first)-1]
	if len(first) > 1 && (n-last*hop)*100 < p.Coverage*p.Frames*hop {
		first = first[:len(first)-1]
	}
	return first
}

// Longest is how many samples one vector is made of at most: the LSTM's time grows with it, and nothing is gained.
const Longest = 60 * evidence.Rate
