package analysis

import (
	"context"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// hard is a listener that hears voices only once the noise has been taken off.
type hard struct {
	*listener
	cleaned int // samples
}

func (h *hard) Speech(ctx context.Context, region []int16) ([]float32, error) {
	h.mu.Lock()
	clean := len(region) > 0 && region[0] == 12345
	h.mu.Unlock()
	p, err := h.listener.Speech(ctx, region)
	for i := range p {
		if !clean {
			p[i] = 0.1
		}
	}
	return p, err
}

func (h *hard) Clean(_ context.Context, region []int16) ([]int16, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cleaned += len(region)
	out := append([]int16{}, region...)
	out[0] = 12345
	return out, nil
}

// A signal in which no voice was heard is looked at once more with the noise taken off; a tone is not, and noise alone costs
// nothing.
func TestSecondLook(t *testing.T) {
	x := blank(60)
	x.add(0, 60, hiss(0.003))
	x.add(20, 24, voice(0.1))
	x.add(20, 24, hiss(0.2))
	x.add(40, 44, sine(0.1, 1000))
	run := func() (evidence.Detected, int) {
		h := &hard{listener: &listener{t: t}}
		d, err := Detect(t.Context(), x.samples(), h, DefaultDetectParams(), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, d, int64(len(x)))
		return d, h.cleaned
	}
	d, cleaned := run()
	if len(d.Transmissions) != 2 || d.Transmissions[0].Sound != evidence.SoundSpeech || d.Transmissions[1].Sound != evidence.SoundTone {
		t.Errorf("%+v", d.Transmissions)
	}
	if cleaned < 4*rate || cleaned > 8*rate {
		t.Errorf("%.1f s were looked at twice", float64(cleaned)/rate)
	}
	if again, _ := run(); !reflect.DeepEqual(again, d) {
		t.Error("another answer")
	}
	x = blank(300)
	r := rand.New(rand.NewPCG(2, 2))
	x.add(0, 300, func(float64) float64 { return 0.05 * r.NormFloat64() })
	if _, cleaned := run(); cleaned > 3*rate {
		t.Errorf("of 300 s of noise %.1f s were looked at twice", float64(cleaned)/rate)
	}
}
