package signalling

import (
	"fmt"
	"math"
	"slices"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// ctcss returns the standard frequencies of EIA/TIA-603, with those that makers have added.
func ctcss() []float64 {
	return []float64{
		67.0, 69.3, 71.9, 74.4, 77.0, 79.7, 82.5, 85.4, 88.5, 91.5, 94.8, 97.4, 100.0, 103.5, 107.2, 110.9, 114.8, 118.8, 123.0, 127.3, 131.8,
		136.5, 141.3, 146.2, 151.4, 156.7, 159.8, 162.2, 165.5, 167.9, 171.3, 173.8, 177.3, 179.9, 183.5, 186.2, 189.9, 192.8, 196.6, 199.5, 203.5,
		206.5, 210.7, 218.1, 225.7, 229.1, 233.6, 241.8, 250.3, 254.1,
	}
}

// SubTone returns the CTCSS tone that lies under the whole of a stretch of at least a second and a half, if the band has
// one: a line that keeps its frequency within half a hertz and its level within 3 dB, in most of the stretch, and is more than all
// else below 260 Hz. Where mains hum would have a line, too, its other lines must be absent.
func SubTone(src audio.Source, span evidence.Span) (evidence.SelectiveCall, bool, error) {
	const step, window, hop = 16, 1024, 256 // at 1 kHz: 1.02 s every 0.26 s
	const bin = float64(audio.Rate/step) / window
	const away, most = 0.45, 400 // Hz; frames of a long stretch, evenly spread
	if span.Len() < audio.Rate*3/2 {
		return evidence.SelectiveCall{}, false, nil
	}
	d := newDecimator(step, 280)
	spectra := audio.NewSpectraOf(window)
	buf := make([]int16, window)
	stride := max(hop*step, (span.Len()-window*step)/most)
	var hz, level []float64
	frames := 0
	for at := span.From; at+window*step <= span.To; at += stride {
		if err := d.read(src, buf, at); err != nil {
			return evidence.SelectiveCall{}, false, fmt.Errorf("look for a sub-tone: %w", err)
		}
		frames++
		p := spectra.Of(buf)
		total := sum(p, 61, 271) // 60 to 265 Hz
		l := strongest(p, 66, 264, -9, 1)
		if l.power < 0.5*total || l.power < 1e-9 || hum(p, l, bin) {
			continue
		}
		hz, level = append(hz, l.bin*bin), append(level, 10*math.Log10(l.power))
	}
	if frames < 3 || len(hz)*10 < frames*8 {
		return evidence.SelectiveCall{}, false, nil
	}
	slices.Sort(hz)
	slices.Sort(level)
	n := len(hz)
	if hz[n*9/10]-hz[n/10] > 0.5 || level[n*9/10]-level[n/10] > 3 {
		return evidence.SelectiveCall{}, false, nil
	}
	for _, f := range ctcss() {
		if math.Abs(hz[n/2]-f) <= away {
			return evidence.SelectiveCall{System: evidence.SystemCTCSS, Code: fmt.Sprintf("%.1f", f), Span: span}, true, nil
		}
	}
	return evidence.SelectiveCall{}, false, nil
}

// hum says whether l may be a line of the mains: at a multiple of its frequency, with another multiple beside it.
func hum(p []float32, l line, bin float64) bool {
	for _, mains := range []float64{50, 60} {
		n := math.Round(l.bin * bin / mains)
		if math.Abs(l.bin*bin-n*mains) > 0.6 {
			continue
		}
		for m := 1.0; m <= 5; m++ {
			if m == n {
				continue
			}
			at := int(math.Round(m * mains / bin))
			if sum(p, at-2, at+2) > l.power/300 {
				return true
			}
		}
	}
	return false
}
