package main

import (
	"os"
	"testing"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
)

// detector is the real voice detector, and makes the reference data known to this package.
func detector(t *testing.T) *both {
	t.Helper()
	t.Setenv("EARWITNESS_SHARED", casetest.Shared(t))
	return theDetector
}

var theDetector *both // the runtime is started once a process

func TestMain(m *testing.M) {
	d, err := start()
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	theDetector = d
	os.Exit(m.Run())
}

// Two and a half minutes of each channel at 10 dB: none missed, keying exact where it can be seen, and nowhere worse than the
// voice detector alone.
func TestNoWorseThanTheVoiceDetectorAlone(t *testing.T) {
	d := detector(t)
	vs, err := voices(false)
	if err != nil {
		t.Fatal(err)
	}
	var mine, theirs score
	for _, kind := range []string{"ssb", "am", "fm", "open"} {
		sc := channel.Simulate(kind, 10, 150, sounds(vs), 42)
		total := float64(len(sc.Sound)) / rate
		speech, hear, _, err := ours(t.Context(), sc.Sound, d)
		if err != nil {
			t.Fatal(err)
		}
		mine.add(sc.Truth, speech, hear, total)
		a, err := alone(t.Context(), sc.Sound, d, 0.5, 0.03)
		if err != nil {
			t.Fatal(err)
		}
		theirs.add(sc.Truth, a, a, total)
	}
	if mine.truths < 10 || mine.missed > 0 || mine.missed > theirs.missed {
		t.Errorf("missed %d of %d, the voice detector alone %d", mine.missed, mine.truths, theirs.missed)
	}
	if mine.wrongly > theirs.wrongly || mine.unheard > theirs.unheard || mine.merged+mine.split > theirs.merged+theirs.split {
		t.Errorf("%+v\nalone %+v", mine, theirs)
	}
	if p := percentile(mine.onset, 0.5); p > 50 {
		t.Errorf("start %g ms off", p)
	}
	if p := percentile(mine.offset, 0.5); p > 50 {
		t.Errorf("end %g ms off", p)
	}
}

func TestSpeechOfRealRecordingsIsFound(t *testing.T) {
	d := detector(t)
	for _, name := range []string{"en-6speakers/6_speakers.wav", "uk-egorsmkv/audio.wav", "ru-deepspeech-sample/ru.wav", "en-vosk-test/test.wav"} {
		x, err := file(casetest.Shared(t, "audio", name))
		if err != nil {
			t.Fatal(err)
		}
		speech, _, _, err := ours(t.Context(), x, d)
		if err != nil {
			t.Fatal(err)
		}
		a, err := alone(t.Context(), x, d, 0.1, 0)
		if err != nil {
			t.Fatal(err)
		}
		var all, both float64
		for _, f := range a {
			all += f.to - f.from
			for _, o := range speech {
				both += overlap(f.from, f.to, o.from, o.to)
			}
		}
		if len(speech) == 0 || both < 0.97*all {
			t.Errorf("%s: %.1f of %.1f s", name, both, all)
		}
	}
}

func TestModemIsNotSpeech(t *testing.T) {
	d := detector(t)
	x, err := file(casetest.Shared(t, "audio", "hf-modem-negative", "vk2tpm_004.wav"))
	if err != nil {
		t.Fatal(err)
	}
	_, _, out, err := ours(t.Context(), x, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Transmissions {
		if s.Sound == evidence.SoundSpeech {
			t.Errorf("%+v", s)
		}
	}
}
