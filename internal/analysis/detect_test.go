package analysis

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

const rate = audio.Rate

// listener is a voice detector that knows the sound of voice: it stands out at 233 and 466 Hz. It
// asserts what Detect promises it: short regions, never more than two at a time.
type listener struct {
	t testing.TB

	mu    sync.Mutex
	calls int
	most  int // samples of the longest region
	now   int
}

func (l *listener) Speech(ctx context.Context, region []int16) ([]float32, error) {
	l.mu.Lock()
	l.calls++
	l.now++
	l.most = max(l.most, len(region))
	if l.now > atOnce {
		l.t.Errorf("%d regions at once", l.now)
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
	}()
	var out []float32
	for len(region) > 0 {
		w := region[:min(speechWindow, len(region))]
		region = region[len(w):]
		p := float32(0.02)
		if power(w, 233)+power(w, 466) > 10+15*(power(w, 700)+power(w, 1500)+power(w, 3100)) {
			p = 0.97
		}
		out = append(out, p)
	}
	return out, ctx.Err()
}

func (l *listener) Clean(ctx context.Context, region []int16) ([]int16, error) {
	return region, ctx.Err()
}

// power returns the power of w at hz.
func power(w []int16, hz float64) float64 {
	var re, im float64
	for i, x := range w {
		a := 2 * math.Pi * hz * float64(i) / rate
		re += float64(x) * math.Cos(a)
		im += float64(x) * math.Sin(a)
	}
	n := float64(len(w))
	return (re*re + im*im) / n / n
}

// tape is a sound in the making, full scale at 1.
type tape []float64

func (x tape) add(from, to float64, f func(t float64) float64) {
	for i := max(0, int(from*rate)); i < min(len(x), int(to*rate)); i++ {
		x[i] += f(float64(i)/rate - from)
	}
}

func (x tape) samples() audio.Samples {
	out := make(audio.Samples, len(x))
	for i, v := range x {
		out[i] = int16(max(-32768, min(32767, math.Round(v*32767))))
	}
	return out
}

func hiss(level float64) func(float64) float64 {
	r := rand.New(rand.NewPCG(7, 8))
	return func(float64) float64 { return level * r.NormFloat64() }
}

// voice hums with the syllables of speech, four a second.
func voice(level float64) func(float64) float64 {
	return func(t float64) float64 {
		a := level * (0.75 + 0.25*math.Sin(2*math.Pi*4*t))
		return a * (math.Sin(2*math.Pi*233*t) + 0.8*math.Sin(2*math.Pi*466*t) + 0.2*math.Sin(2*math.Pi*1165*t) + 0.1*math.Sin(2*math.Pi*2330*t))
	}
}

func sine(level, hz float64) func(float64) float64 {
	return func(t float64) float64 { return level * math.Sin(2*math.Pi*hz*t) }
}

func detect(t *testing.T, src audio.Source) (evidence.Detected, *listener) {
	t.Helper()
	l := &listener{t: t}
	last := int64(0)
	var told []evidence.Transmission
	d, err := Detect(t.Context(), src, l, DefaultDetectParams(), func(done int64, final []evidence.Transmission) {
		if done < last || done > src.Len() {
			t.Errorf("progress goes from %d to %d of %d", last, done, src.Len())
		}
		last, told = done, append(told, final...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != src.Len() {
		t.Errorf("progress ends at %d of %d", last, src.Len())
	}
	if !reflect.DeepEqual(told, d.Transmissions) && len(d.Transmissions) > 0 {
		t.Errorf("progress was told of %d transmissions as final, of %d, or of others", len(told), len(d.Transmissions))
	}
	check(t, d, src.Len())
	return d, l
}

// check asserts what holds for every output.
func check(t *testing.T, d evidence.Detected, samples int64) {
	t.Helper()
	end := int64(0)
	for _, x := range d.Transmissions {
		if err := x.Span.Validate(samples); err != nil {
			t.Error(err)
		}
		if x.Span.From < end {
			t.Errorf("%v begins before the one before ends, at %d", x.Span, end)
		}
		if (x.Sound == evidence.SoundSpeech) != (len(x.Hear) > 0) {
			t.Errorf("%s with %d spans to hear", x.Sound, len(x.Hear))
		}
		last := end
		for _, h := range x.Hear {
			if err := h.Validate(samples); err != nil || h.From < last || h.Len() > 28*rate {
				t.Errorf("hear %v after %d: %v", h, last, err)
			}
			last = h.To
		}
		end = x.Span.To
	}
	if d.Listened > samples {
		t.Errorf("listened to %d of %d samples", d.Listened, samples)
	}
	if _, err := evidence.Canonical(d); err != nil {
		t.Error(err)
	}
}

type want struct {
	sound    string
	from, to float64
}

func compare(t *testing.T, d evidence.Detected, wants ...want) {
	t.Helper()
	if len(d.Transmissions) != len(wants) {
		for _, x := range d.Transmissions {
			t.Logf("%s %.3f-%.3f", x.Sound, float64(x.Span.From)/rate, float64(x.Span.To)/rate)
		}
		t.Fatalf("%d transmissions, want %d", len(d.Transmissions), len(wants))
	}
	for i, w := range wants {
		x := d.Transmissions[i]
		from, to := float64(x.Span.From)/rate, float64(x.Span.To)/rate
		if x.Sound != w.sound || math.Abs(from-w.from) > 0.05 || math.Abs(to-w.to) > 0.05 {
			t.Errorf("%s %.3f-%.3f, want %s %.3f-%.3f", x.Sound, from, to, w.sound, w.from, w.to)
		}
	}
}

func TestEdgesAreWithin50Milliseconds(t *testing.T) {
	speech := want{evidence.SoundSpeech, 10, 14}
	for name, fill := range map[string]func(x tape){
		"voice in noise":  func(x tape) { x.add(0, 30, hiss(0.003)); x.add(10, 14, voice(0.1)) },
		"digital silence": func(x tape) { x.add(10, 14, voice(0.1)) },
		"carrier quietens the receiver": func(x tape) {
			x.add(0, 10, hiss(0.1))
			x.add(10, 14, hiss(0.005))
			x.add(10.3, 13.7, voice(0.1))
			x.add(14, 30, hiss(0.1))
		},
		"squelch with its tail": func(x tape) {
			x.add(10, 14, hiss(0.002))
			x.add(10.2, 13.8, voice(0.1))
			x.add(14, 14.2, hiss(0.2))
		},
		"loud hum": func(x tape) { x.add(0, 30, sine(0.5, 50)); x.add(0, 30, hiss(0.002)); x.add(10, 14, voice(0.1)) },
		"DC offset": func(x tape) {
			x.add(0, 30, func(float64) float64 { return 0.3 })
			x.add(0, 30, hiss(0.003))
			x.add(10, 14, voice(0.1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := blank(30)
			fill(x)
			d, _ := detect(t, x.samples())
			compare(t, d, speech)
			if x := d.Transmissions[0]; len(x.Hear) != 1 || x.Hear[0].From > x.Span.From+rate/2 || x.SpeechP < 9000 || x.SnrCB < 1500 {
				t.Errorf("%+v", x)
			}
		})
	}
}

func blank(seconds int) tape { return make(tape, seconds*rate) }

func TestPauseInKeyingSplitsAndPauseInSpeechDoesNot(t *testing.T) {
	x := blank(30)
	x.add(0, 30, hiss(0.05))
	for i := range x { // a carrier takes the noise down by 20 dB
		if s := float64(i) / rate; (s >= 8 && s < 12) || (s >= 12.3 && s < 16) {
			x[i] *= 0.1
		}
	}
	x.add(8.2, 9.2, voice(0.1))
	x.add(10, 11.8, voice(0.1)) // 0.8 s of silence with the carrier up
	x.add(12.5, 15.8, voice(0.1))
	d, _ := detect(t, x.samples())
	compare(t, d, want{evidence.SoundSpeech, 8, 12}, want{evidence.SoundSpeech, 12.3, 16})
	if h := d.Transmissions[1].Hear[0]; h.From < d.Transmissions[0].Span.To {
		t.Error("the second is heard from inside the first")
	}
}

func TestOtherSoundsAreLabelled(t *testing.T) {
	fsk := func() func(float64) float64 {
		r, phase, hz, n := rand.New(rand.NewPCG(1, 1)), 0.0, 1500.0, 0
		return func(float64) float64 {
			if n%160 == 0 {
				hz = 1415 + 170*float64(r.IntN(2))
			}
			n++
			phase += 2 * math.Pi * hz / rate
			return 0.1 * math.Sin(phase)
		}
	}
	x := blank(40)
	x.add(0, 40, hiss(0.003))
	x.add(5, 8, sine(0.1, 1000))
	x.add(15, 19, fsk())
	x.add(28, 30, hiss(0.1))
	d, _ := detect(t, x.samples())
	compare(t, d, want{evidence.SoundTone, 5, 8}, want{evidence.SoundData, 15, 19}, want{evidence.SoundNoise, 28, 30})
	if x := d.Transmissions[0]; x.BandLowHz < 900 || x.BandHighHz > 1100 || math.Abs(float64(x.LevelCB)+2300) > 50 || math.Abs(float64(x.PeakCB)+2000) > 100 {
		t.Errorf("%+v", x)
	}
}

func TestNothingInSilenceNoiseAndEmptiness(t *testing.T) {
	noise := blank(30)
	noise.add(0, 30, hiss(0.1))
	for name, x := range map[string]audio.Samples{"silence": make(audio.Samples, 30*rate), "noise": noise.samples(), "empty": nil, "one sample": make(audio.Samples, 1)} {
		if d, _ := detect(t, x); len(d.Transmissions) != 0 || d.Transmissions == nil {
			t.Errorf("%s: %+v", name, d.Transmissions)
		}
	}
}

func TestOneUtteranceFromFirstToLastSample(t *testing.T) {
	x := blank(4)
	x.add(0, 4, voice(0.7)) // clipped, too
	d, _ := detect(t, x.samples())
	compare(t, d, want{evidence.SoundSpeech, 0, 4})
	if !d.Transmissions[0].Clipped || d.Transmissions[0].PeakCB != 0 {
		t.Errorf("%+v", d.Transmissions[0])
	}
}

func TestContinuousSpeechIsOneTransmissionHeardInPieces(t *testing.T) {
	x := blank(700) // longer than the most that is looked at in one go
	x.add(0, 700, hiss(0.001))
	for at := 2.0; at < 695; at += 5 {
		x.add(at, at+4.7, voice(0.1))
	}
	d, l := detect(t, x.samples())
	if len(d.Transmissions) != 1 || len(d.Transmissions[0].Hear) < 25 {
		t.Fatalf("%d transmissions: %+v", len(d.Transmissions), d.Transmissions)
	}
	if l.most > (60+2)*rate {
		t.Errorf("a region of %d s", l.most/rate)
	}
}

func TestNoiseCostsLittle(t *testing.T) {
	x := blank(600)
	x.add(0, 600, hiss(0.02))
	x.add(300, 304, voice(0.1))
	d, _ := detect(t, x.samples())
	if len(d.Transmissions) != 1 || d.Listened > 40*rate {
		t.Errorf("%d transmissions, listened to %d s", len(d.Transmissions), d.Listened/rate)
	}
}

func TestTheSameAnswerEveryTime(t *testing.T) {
	x := blank(200)
	x.add(0, 200, hiss(0.01))
	for at := 5.0; at < 190; at += 11 {
		x.add(at, at+3, voice(0.05))
	}
	s := x.samples()
	first, _ := detect(t, s)
	second, _ := detect(t, s)
	if !reflect.DeepEqual(first, second) || len(first.Transmissions) != 17 {
		t.Errorf("%d and %d transmissions", len(first.Transmissions), len(second.Transmissions))
	}
}

type failing struct{ audio.Source }

var errDisk = errors.New("disk gone")

func (failing) ReadSamples([]int16, int64) (int, error) { return 0, errDisk }

func TestErrorsAndCancellation(t *testing.T) {
	x := blank(10)
	x.add(0, 10, voice(0.1))
	if _, err := Detect(t.Context(), failing{x.samples()}, &listener{t: t}, DefaultDetectParams(), nil); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Detect(ctx, x.samples(), &listener{t: t}, DefaultDetectParams(), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestParamsAreIntegers(t *testing.T) {
	b, err := evidence.Canonical(DefaultDetectParams())
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]int
	if err := json.Unmarshal(b, &m); err != nil || len(m) != reflect.TypeFor[DetectParams]().NumField() {
		t.Errorf("%s: %v", b, err)
	}
}
