//go:build cgo

package whisper

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/wer"
)

type recording struct{ name, lang, truth string }

// material is real speech with its text.
func material(t testing.TB) (all []recording) {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(casetest.Shared(t, "audio", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	line := regexp.MustCompile(`^\( (ru_07\d\d|ru_080[0-2]) "(.*)" \)$`)
	for s := bufio.NewScanner(strings.NewReader(read("ru-festvox-nsh/transcripts.txt"))); s.Scan(); {
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			all = append(all, recording{"ru-festvox-nsh/" + m[1] + ".flac", "ru", m[2]})
		}
	}
	all = append(all,
		recording{"ru-gigaam-example/example.wav", "ru", read("ru-gigaam-example/transcript.txt")},
		recording{"ru-deepspeech-sample/ru.wav", "ru", read("ru-deepspeech-sample/transcript.txt")},
		recording{"en-jfk/jfk.wav", "en", read("en-jfk/transcript.txt")},
		recording{"en-vosk-test/test.wav", "en", read("en-vosk-test/transcript.txt")})
	line = regexp.MustCompile(`^<s> (.*) </s> \((\S+)\)$`)
	for s := bufio.NewScanner(strings.NewReader(read("en-librivox-pocketsphinx/transcripts.txt"))); s.Scan(); {
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			all = append(all, recording{"en-librivox-pocketsphinx/" + m[2] + ".wav", "en", m[1]})
		}
	}
	return all
}

// The languages of the recordings are not told: they are found.
func TestWordErrorRates(t *testing.T) {
	m := model(t)
	words, chars := map[string]*wer.Errors{"ru": {}, "en": {}}, map[string]*wer.Errors{"ru": {}, "en": {}}
	for _, s := range material(t) {
		h, err := m.Hear(context.Background(), sound(t, s.name), Options{Languages: []string{"ru", "uk", "en"}})
		if err != nil {
			t.Fatal(err)
		}
		truth, heard := wer.Normalise(s.lang, s.truth), wer.Normalise(s.lang, h.Text)
		e := wer.WordErrors(truth, heard)
		words[s.lang].Add(e)
		chars[s.lang].Add(wer.CharErrors(truth, heard))
		t.Logf("%s: %s %s %v, WER %.2f, log %.2f, no speech %.3f, ratio %.2f: %s %s", s.name, h.State, h.Language, h.Languages, e.Rate(), h.MeanLogProbability, h.NoSpeech, h.CompressionRatio, h.Text, h.Reason+h.Refused)
		for _, w := range h.Words {
			t.Logf("   %5.2f %5.2f %.2f %s", w.Start, w.End, w.Probability, w.Text)
		}
	}
	for lang, most := range map[string]float64{"ru": 0.25, "en": 0.05} {
		t.Logf("%s: WER %.3f (%+v), CER %.3f", lang, words[lang].Rate(), *words[lang], chars[lang].Rate())
		if words[lang].Rate() > most {
			t.Errorf("%s: word error rate %.3f, at most %.2f is wanted", lang, words[lang].Rate(), most)
		}
	}
}

func TestNothingIsInvented(t *testing.T) {
	m := model(t)
	modem := sound(t, "hf-modem-negative/vk2tpm_004.wav")
	bursts := map[string][]float32{
		"silence":        make([]float32, 5*rate),
		"one sample":     {0.5},
		"0.1 s of noise": noise(0.1, 0.1, 1),
		"white noise":    noise(0.1, 5, 2),
		"loud noise":     noise(0.5, 10, 3),
		"faint noise":    noise(0.001, 3, 4),
		"1 kHz":          tone(1000, 0.5, 5),
		"440 Hz, 0.1 s":  tone(440, 0.5, 0.1),
		"50 Hz hum":      tone(50, 0.3, 8),
		"clipped tone":   tone(700, 4, 4),
		"modem":          modem[:10*rate],
		"modem, later":   modem[len(modem)-6*rate:],
		"modem, whole":   modem[:min(len(modem), 28*rate)],
	}
	dc, square, digit := make([]float32, 3*rate), make([]float32, 3*rate), tone(852, 0.3, 3)
	for i, x := range tone(1336, 0.3, 3) {
		dc[i] = 0.7
		square[i] = float32(i/800%2)*1.8 - 0.9
		digit[i] += x
	}
	bursts["DC"], bursts["square wave"], bursts["a telephone's digit"] = dc, square, digit
	for name, pcm := range bursts {
		h, err := m.Hear(context.Background(), pcm, Options{Languages: []string{"ru", "uk", "en"}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Logf("%s: %s, %s; refused %q, log %.2f no speech %.3f ratio %.2f %v", name, h.State, h.Reason, h.Refused, h.MeanLogProbability, h.NoSpeech, h.CompressionRatio, h.Languages)
		if h.State == StateHeard || h.Text != "" || len(h.Words) > 0 || h.Reason == "" {
			t.Errorf("%s: %+v, want no words and a reason", name, h)
		}
	}
}
