package signalling

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casetest"
)

// part is a piece of a test sound: up to two tones, or silence.
type part struct {
	ms   float64
	a, b float64
}

// sound makes the parts after half a second and before another, with noise of the whole band at such a level that the
// tones are snr dB over it in 2,600 Hz. Each tone of a pair has half of the power.
func sound(parts []part, snr, shift float64, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 8))
	const amp = 4000.0
	parts = append(append([]part{{500, 0, 0}}, parts...), part{500, 0, 0})
	var x []int16
	for _, p := range parts {
		n := int(p.ms * audio.Rate / 1000)
		pa, pb := r.Float64()*7, r.Float64()*7
		for i := range n {
			t, v := float64(i)/audio.Rate, 0.0
			switch {
			case p.b > 0:
				v = amp / math.Sqrt2 * (math.Sin(2*math.Pi*(p.a+shift)*t+pa) + math.Sin(2*math.Pi*(p.b+shift)*t+pb))
			case p.a > 0:
				v = amp * math.Sin(2*math.Pi*(p.a+shift)*t+pa)
			}
			// Noise of power amp²/2 less snr in 2,600 of 8,000 Hz.
			v += r.NormFloat64() * amp / math.Sqrt2 * math.Sqrt(8000.0/2600) * math.Pow(10, -snr/20)
			x = append(x, int16(max(-32768, min(32767, math.Round(v)))))
		}
	}
	return x
}

func fiveToneParts(s system, code string, ms float64) []part {
	var p []part
	for _, c := range []byte(code) {
		if n := len(p); n > 0 && p[n-1].a == s.tone[c] {
			c = s.repeat
		}
		p = append(p, part{ms, s.tone[c], 0})
	}
	return p
}

func dtmfParts(code string, on, off float64) []part {
	rows, columns := []float64{697, 770, 852, 941}, []float64{1209, 1336, 1477, 1633}
	var p []part
	for _, c := range code {
		k := strings.IndexRune("123A456B789C*0#D", c)
		p = append(p, part{on, rows[k/4], columns[k%4]}, part{off, 0, 0})
	}
	return p
}

func selcalParts(code string) []part {
	hz := func(i int) float64 { return selcalHz(strings.IndexByte(selcalLetters, code[i])) }
	return []part{{1000, hz(0), hz(1)}, {200, 0, 0}, {1000, hz(3), hz(4)}}
}

func find(t *testing.T, x []int16) []evidence.SelectiveCall {
	t.Helper()
	calls, err := Find(audio.Samples(x), evidence.Span{To: int64(len(x))})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

func said(calls []evidence.SelectiveCall) string {
	var s []string
	for _, c := range calls {
		s = append(s, c.System+" "+c.Code)
	}
	return strings.Join(s, ", ")
}

// Each system, clean, at the noise that is promised for it, and mistuned by 20 Hz.
func TestCallsAreRead(t *testing.T) {
	all := map[string]system{}
	for _, s := range systems() {
		all[s.name] = s
	}
	for _, c := range []struct {
		name, want string
		parts      []part
	}{
		{"DTMF", "DTMF 159*0#D", dtmfParts("159*0#D", 60, 60)},
		{"DTMF fast", "DTMF 159*0#D", dtmfParts("159*0#D", 45, 45)},
		{"DTMF slow, a key twice", "DTMF 1123", dtmfParts("1123", 200, 300)},
		{"SELCAL", "SELCAL AB-CD", selcalParts("AB-CD")},
		{"SELCAL high", "SELCAL PS-KR", selcalParts("PS-KR")},
		{"SELCAL 32", "SELCAL A9-TZ", selcalParts("A9-TZ")},
		{"SELCAL 32 low", "SELCAL AT-BU", selcalParts("AT-BU")},
		{"ZVEI-1 with its repeat tone", "ZVEI-1 12334, ZVEI-2 123F4", fiveToneParts(all["ZVEI-1"], "12334", 70)},
		{"ZVEI-2 with its repeat tone", "ZVEI-1 09C56, ZVEI-2 09956", fiveToneParts(all["ZVEI-2"], "09956", 70)},
		{"ZVEI without", "ZVEI-1 12345, ZVEI-2 12345", fiveToneParts(all["ZVEI-1"], "12345", 70)},
		{"CCIR-1", "CCIR-1 70113", fiveToneParts(all["CCIR-1"], "70113", 100)},
		{"CCIR-2", "CCIR-2 28465", fiveToneParts(all["CCIR-2"], "28465", 70)},
		{"EEA", "EEA 55678", fiveToneParts(all["EEA"], "55678", 40)},
		{"a long first tone", "CCIR-1 12345", append([]part{{700, 1124, 0}}, fiveToneParts(all["CCIR-1"], "2345", 100)...)},
	} {
		for _, shift := range []float64{0, -20, 20} {
			for _, snr := range []float64{60, 20, 5} {
				if got := said(find(t, sound(c.parts, snr, shift, 1))); got != c.want {
					t.Errorf("%s, %g dB, %+g Hz: %q, not %q", c.name, snr, shift, got, c.want)
				}
			}
		}
	}
}

// How far down calls are read, of 20 codes each in their own noise.
func TestCallsInNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	digits := func(n int) string {
		s := ""
		for len(s) < n || strings.Count(s, s[:1]) > n-2 {
			s = (s + string(rune('0'+r.IntN(10))))[max(0, len(s)+1-n):]
		}
		return s
	}
	pair := func() string {
		p := r.Perm(16)[:4]
		l := func(a, b int) string { return string([]byte{selcalLetters[min(a, b)], selcalLetters[max(a, b)]}) }
		return l(p[0], p[1]) + "-" + l(p[2], p[3])
	}
	for _, c := range []struct {
		name  string
		snr   float64
		least int // of 20
		make  func() (string, []part)
	}{
		{"DTMF", 5, 19, func() (string, []part) { d := digits(5); return d, dtmfParts(d, 60, 60) }},
		{"SELCAL", 0, 19, func() (string, []part) { d := pair(); return d, selcalParts(d) }},
		{"ZVEI-1", 5, 19, func() (string, []part) { d := digits(5); return d, fiveToneParts(systems()[0], d, 70) }},
		{"CCIR-1", 5, 19, func() (string, []part) { d := digits(5); return d, fiveToneParts(systems()[2], d, 100) }},
		{"EEA", 8, 18, func() (string, []part) { d := digits(5); return d, fiveToneParts(systems()[4], d, 40) }},
	} {
		for _, snr := range []float64{c.snr + 5, c.snr, c.snr - 5} {
			right, wrong := 0, 0
			for k := range 20 {
				code, parts := c.make()
				calls := find(t, sound(parts, snr, float64(k*2-20), uint64(k)))
				ok := false
				for _, x := range calls {
					ok = ok || x.Code == code
				}
				switch {
				case ok:
					right++
				case len(calls) > 0:
					wrong++
					t.Logf("%s %s at %g dB: %s", c.name, code, snr, said(calls))
				}
			}
			t.Logf("%s at %g dB: %d of 20, %d wrongly", c.name, snr, right, wrong)
			if snr >= c.snr && right < c.least || wrong > 0 {
				t.Errorf("%s at %g dB: %d of 20, %d wrongly", c.name, snr, right, wrong)
			}
		}
	}
}

func TestWhatIsNoCall(t *testing.T) {
	ccir := systems()[2]
	for name, parts := range map[string][]part{
		"four tones":          fiveToneParts(ccir, "1234", 100),
		"six tones":           fiveToneParts(ccir, "123456", 100),
		"tones too short":     fiveToneParts(ccir, "12345", 25),
		"tones too long":      fiveToneParts(ccir, "12345", 140),
		"cut short":           fiveToneParts(ccir, "12345", 100)[:4],
		"between the places":  {{100, 1160, 0}, {100, 1236, 0}, {100, 1317, 0}, {100, 1402, 0}, {100, 1493, 0}},
		"far off tune":        {{100, 1124 + 40, 0}, {100, 1197 + 40, 0}, {100, 1275 + 40, 0}, {100, 1640 + 40, 0}, {100, 1540 + 40, 0}},
		"two tones in turn":   {{40, 1640, 0}, {40, 1124, 0}, {40, 1640, 0}, {40, 1124, 0}, {40, 1640, 0}},
		"two keys":            dtmfParts("12", 100, 100),
		"keys too short":      dtmfParts("12345", 20, 60),
		"one pulse":           selcalParts("AB-CD")[:2],
		"pulses too short":    {{400, 312.6, 346.7}, {200, 0, 0}, {400, 384.6, 426.6}},
		"a second too late":   {{1000, 312.6, 346.7}, {1000, 0, 0}, {1000, 384.6, 426.6}},
		"the same pair twice": {{1000, 312.6, 346.7}, {200, 0, 0}, {1000, 312.6, 346.7}},
		"pulses of one tone":  {{1000, 312.6, 0}, {200, 0, 0}, {1000, 384.6, 0}},
		"pair off its place":  {{1000, 312.6, 340}, {200, 0, 0}, {1000, 390, 440}},
		"a steady tone":       {{5000, 1124, 0}},
	} {
		if got := find(t, sound(parts, 20, 0, 3)); len(got) > 0 {
			t.Errorf("%s: %s", name, said(got))
		}
	}
	for _, n := range []int{0, 1, 100, 1600} {
		if got := find(t, make([]int16, n)); len(got) > 0 {
			t.Errorf("%d samples: %s", n, said(got))
		}
	}
}

// Spans lie on the tones.
func TestWhereACallIs(t *testing.T) {
	x := sound(selcalParts("EF-GH"), 20, 0, 5)
	got := find(t, x)
	if len(got) != 1 || math.Abs(float64(got[0].Span.From)/audio.Rate-0.5) > 0.1 || math.Abs(float64(got[0].Span.To)/audio.Rate-2.7) > 0.1 {
		t.Errorf("%+v", got)
	}
	got = find(t, sound(fiveToneParts(systems()[2], "12345", 100), 20, 0, 5))
	if len(got) != 1 || math.Abs(float64(got[0].Span.From)/audio.Rate-0.5) > 0.03 || math.Abs(float64(got[0].Span.To)/audio.Rate-1) > 0.03 {
		t.Errorf("%+v", got)
	}
	// A call after a minute of noise, looked for in a part of the recording.
	long := append(sound(nil, 20, 0, 6), x...)
	for range 5 {
		long = append(sound([]part{{10000, 0, 0}}, 20, 0, 7), long...)
	}
	span := evidence.Span{From: 3 * audio.Rate, To: int64(len(long)) - 100}
	calls, err := Find(audio.Samples(long), span)
	if err != nil || said(calls) != "SELCAL EF-GH" || calls[0].Span.To > span.To {
		t.Errorf("%+v %v", calls, err)
	}
}

func TestSubTone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	make1 := func(seconds float64, f func(t float64) float64) []int16 {
		x := make([]int16, int(seconds*audio.Rate))
		for i := range x {
			x[i] = int16(math.Round(max(-32768, min(32767, f(float64(i)/audio.Rate)+400*r.NormFloat64()))))
		}
		return x
	}
	sine := func(hz, t float64) float64 { return math.Sin(2 * math.Pi * hz * t) }
	for _, hz := range ctcss() {
		x := make1(3, func(t float64) float64 { return 500*sine(hz+0.1, t) + 5000*sine(700, t)*sine(1.3, t) })
		c, ok, err := SubTone(audio.Samples(x), evidence.Span{To: int64(len(x))})
		if err != nil || !ok || c.Code != fmt.Sprintf("%.1f", hz) {
			t.Errorf("%g Hz: %+v %v %v", hz, c, ok, err)
		}
	}
	for name, x := range map[string][]int16{
		"nothing":        make1(3, func(float64) float64 { return 0 }),
		"too short":      make1(1, func(t float64) float64 { return 500 * sine(103.5, t) }),
		"between":        make1(3, func(t float64) float64 { return 500 * sine(105.3, t) }),
		"hum":            make1(3, func(t float64) float64 { return 300*sine(50, t) + 900*sine(100, t) + 200*sine(150, t) }),
		"half of it":     make1(4, func(t float64) float64 { return 500 * sine(103.5, t) * math.Round(t/4) }),
		"a gliding tone": make1(4, func(t float64) float64 { return 500 * sine(103.5+t, t) }),
	} {
		if c, ok, err := SubTone(audio.Samples(x), evidence.Span{To: int64(len(x))}); ok || err != nil {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
}

// The real recording: four calls of each of four codes.
func TestRealSELCAL(t *testing.T) {
	x := decoded(t, casetest.Shared(t, "audio", "en-hf-selcal-negative", "Icao_selcal.mp3"))
	var want []string
	for _, c := range []string{"AB-CD", "EF-GH", "JK-LM", "PQ-RS"} {
		for range 4 {
			want = append(want, "SELCAL "+c)
		}
	}
	if got := said(find(t, x)); got != strings.Join(want, ", ") {
		t.Errorf("%s", got)
	}
}

// decoded reads a file by the ffmpeg that is installed.
func decoded(t *testing.T, name string) []int16 {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		casetest.Skip(t, "ffmpeg is needed to decode "+name)
	}
	args := []string{"-v", "error"}
	if strings.HasSuffix(name, ".raw") {
		args = append(args, "-f", "s16le", "-ar", "8000", "-ac", "1")
	}
	b, err := exec.Command("ffmpeg", append(args, "-i", name, "-f", "s16le", "-ar", "16000", "-ac", "1", "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]int16, len(b)/2)
	for i := range x {
		x[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return x
}
