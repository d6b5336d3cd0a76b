package channel

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// talk is a stand-in for a voice: a buzz of 120 Hz in syllables, with pauses.
func talk(seconds int) []int16 {
	x := make([]int16, seconds*Rate)
	for i := range x {
		t := float64(i) / Rate
		if math.Mod(t, 1.1) > 0.8 {
			continue
		}
		for h := 1.0; h < 25; h++ {
			x[i] += int16(3000 / h * math.Abs(math.Sin(2*math.Pi*2*t)) * math.Sin(2*math.Pi*120*h*t))
		}
	}
	return x
}

func power(x []int16) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s / float64(len(x))
}

func minus(a, b []int16) []int16 {
	out := slices.Clone(a)
	for i := range out {
		out[i] -= b[i]
	}
	return out
}

func TestNoiseIsAsStrongAsAsked(t *testing.T) {
	voice := talk(8)
	clean := Path{SNR: Clean}.Burst(voice, 1)
	x := make([]float64, len(clean))
	for i, v := range clean {
		x[i] = float64(v)
	}
	if level := 10 * math.Log10(active(x)/voiceLevel/voiceLevel); math.Abs(level) > 0.1 {
		t.Errorf("the voice is %.2f dB off its level", level)
	}
	for _, snr := range []float64{20, 10, 5, 0, -5} {
		n := minus(Path{SNR: snr}.Burst(voice, 1), clean)
		if got := 10 * math.Log10(voiceLevel*voiceLevel/power(n)); math.Abs(got-snr) > 0.2 {
			t.Errorf("asked for %g dB, got %.2f", snr, got)
		}
	}
}

func TestWhatIsOnThePath(t *testing.T) {
	voice := talk(8)
	plain := Path{SNR: 20}
	before := plain.Burst(voice, 3)
	for _, c := range []struct {
		name     string
		path     Path
		low, top float64 // dB over the voice, of what is added
	}{
		{"heterodyne", Path{SNR: 20, Heterodyne: true}, -3.3, -2.7},
		{"music", Path{SNR: 20, Music: true}, -3.3, -2.7},
		{"crashes", Path{SNR: 20, Crashes: true}, -15, 15},
		{"fading", Path{SNR: 20, Fading: true}, -15, 6},
	} {
		after := c.path.Burst(voice, 3)
		if got := 10 * math.Log10(power(minus(after, before))/voiceLevel/voiceLevel); got < c.low || got > c.top || math.IsNaN(got) {
			t.Errorf("%s adds %.1f dB", c.name, got)
		}
		if !slices.Equal(after, c.path.Burst(voice, 3)) {
			t.Errorf("%s is not the same twice", c.name)
		}
		if slices.Equal(after, c.path.Burst(voice, 4)) {
			t.Errorf("%s is the same with another seed", c.name)
		}
	}
}

// Over many seeds fading takes as much as it gives.
func TestFadingHasMeanPowerOne(t *testing.T) {
	voice := talk(4)
	before := power(Path{SNR: Clean}.Burst(voice, 0))
	sum := 0.0
	low, high := math.Inf(1), 0.0
	for seed := range uint64(40) {
		p := power(Path{SNR: Clean, Fading: true}.Burst(voice, seed)) / before
		sum += p
		low, high = min(low, p), max(high, p)
	}
	if mean := sum / 40; mean < 0.75 || mean > 1.25 {
		t.Errorf("mean power %.2f", mean)
	}
	if low > 0.5 || high < 1.5 {
		t.Errorf("power between %.2f and %.2f: that is no fading", low, high)
	}
}

func TestNoSoundAtAll(t *testing.T) {
	if got := (Path{}).Burst(nil, 1); len(got) != 0 {
		t.Errorf("%d samples out of none", len(got))
	}
	all := Path{SNR: 0, Fading: true, Crashes: true, Heterodyne: true, Music: true}
	for _, n := range []int{1, 159, 16000} {
		if got := all.Burst(make([]int16, n), 1); len(got) != n {
			t.Errorf("%d samples out of %d", len(got), n)
		}
	}
	if p := power(Path{SNR: 0}.Burst(make([]int16, Rate), 1)); math.Abs(10*math.Log10(p/voiceLevel/voiceLevel)) > 0.5 {
		t.Errorf("noise alone has %.0f", p)
	}
}

func TestSimulateIsDeterministic(t *testing.T) {
	var voices [][]float64
	v := make([]float64, 2*Rate)
	for i, s := range talk(2) {
		v[i] = float64(s) / 3000
	}
	voices = append(voices, v)
	for _, kind := range []string{"ssb", "am", "fm", "open"} {
		sum := func(seed uint64) string {
			s := Simulate(kind, 10, 40, voices, seed)
			if len(s.Truth) == 0 || len(s.Sound) != 40*Rate {
				t.Errorf("%s: %d transmissions in %d samples", kind, len(s.Truth), len(s.Sound))
			}
			for _, k := range s.Truth {
				if k.Down > k.From || k.From >= k.To || k.To > k.Up || k.Rest.From > k.Rest.To {
					t.Errorf("%s: %+v", kind, k)
				}
			}
			h := sha256.New()
			binary.Write(h, binary.LittleEndian, s.Sound)
			return fmt.Sprintf("%x %v", h.Sum(nil), s.Truth)
		}
		if first, again := sum(1), sum(1); first != again {
			t.Errorf("%s is not the same twice", kind)
		}
		if sum(1) == sum(2) {
			t.Errorf("%s is the same with another seed", kind)
		}
	}
}
