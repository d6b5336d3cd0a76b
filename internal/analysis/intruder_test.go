package analysis

import (
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// A heterodyne under two stations hides their keying; the pause between them is its own.
func TestWhatFillsThePausesIsTakenApart(t *testing.T) {
	x := blank(120)
	x.add(0, 120, hiss(0.003))
	x.add(52, 66, sine(0.01, 1010))
	x.add(54, 57, voice(0.1))
	x.add(60, 64, voice(0.1))
	d, _ := detect(t, x.samples())
	var speech, tones []evidence.Transmission
	for _, tr := range d.Transmissions {
		switch tr.Sound {
		case evidence.SoundSpeech:
			speech = append(speech, tr)
		case evidence.SoundTone:
			tones = append(tones, tr)
		default:
			t.Errorf("a transmission is called %s", tr.Sound)
		}
	}
	if len(speech) != 2 || len(tones) < 2 {
		t.Fatalf("%d transmissions of speech and %d tones: %+v", len(speech), len(tones), d.Transmissions)
	}
	if gap := (evidence.Span{From: speech[0].Span.To, To: speech[1].Span.From}); tones[0].Span != gap {
		t.Errorf("between %+v is the tone %+v", gap, tones[0].Span)
	}
	for i, at := range [][2]float64{{54, 57}, {60, 64}} {
		from, to := float64(speech[i].Span.From)/rate, float64(speech[i].Span.To)/rate
		if from > at[0] || from < at[0]-1.6 || to < at[1]-0.05 || to > at[1]+0.5 {
			t.Errorf("speech at %v is found at %.2f-%.2f", at, from, to)
		}
	}
}

// A talker's pause is the silence of the carrier: it takes nothing apart.
func TestATalkersPauseStaysInTheTransmission(t *testing.T) {
	x := blank(30)
	x.add(0, 8, hiss(0.05))
	x.add(8, 20, hiss(0.002)) // the carrier quietens the receiver
	x.add(20, 30, hiss(0.05))
	x.add(9, 12, voice(0.1))
	x.add(14, 19, voice(0.1))
	d, _ := detect(t, x.samples())
	if len(d.Transmissions) != 1 || d.Transmissions[0].Sound != evidence.SoundSpeech {
		t.Errorf("%+v", d.Transmissions)
	}
}
