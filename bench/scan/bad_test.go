package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
)

// wav writes samples, as many of them a frame as there are channels, as a WAV file of the given layout, and reads it as the
// program does.
func wav(t *testing.T, l audio.Layout, x []float64) audio.Source {
	t.Helper()
	var body bytes.Buffer
	for _, v := range x {
		if l.Encoding == audio.EncodingFloat {
			binary.Write(&body, binary.LittleEndian, float32(v))
		} else {
			binary.Write(&body, binary.LittleEndian, int16(math.Round(max(-1, min(1, v))*32767)))
		}
	}
	code := uint16(1)
	if l.Encoding == audio.EncodingFloat {
		code = 3
	}
	frame := l.Channels * l.Bits / 8
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+body.Len()))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, uint32(16))
	for _, v := range []uint16{code, uint16(l.Channels)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	binary.Write(&b, binary.LittleEndian, uint32(l.Rate))
	binary.Write(&b, binary.LittleEndian, uint32(l.Rate*frame))
	for _, v := range []uint16{uint16(frame), uint16(l.Bits)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(body.Len()))
	b.Write(body.Bytes())
	w, err := audio.OpenWAV(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return w.Source()
}

// Sound that nobody would choose, through the real reader and the real detectors: no crash, the voice is found where there is
// one, none where there is none, and the background says what is there instead.
func TestBadSound(t *testing.T) {
	d := detector(t)
	vs, err := voices(false)
	if err != nil {
		t.Fatal(err)
	}
	var voice []float64
	for _, v := range vs {
		if len(v.sound) > 3*rate && len(v.sound) < 6*rate {
			voice = v.sound
			break
		}
	}
	r := rand.New(rand.NewPCG(3, 3))
	plain := audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: rate}
	float := audio.Layout{Encoding: audio.EncodingFloat, Bits: 32, Channels: 1, Rate: rate}
	// spoken has the voice after five seconds of faint noise, and as much after it.
	spoken := func(gain float64) []float64 {
		x := make([]float64, len(voice)+10*rate)
		for i := range x {
			x[i] = 0.001 * r.NormFloat64()
		}
		for i, v := range voice {
			x[5*rate+i] += v * gain
		}
		return x
	}
	filled := func(seconds float64, f func(i int) float64) []float64 {
		x := make([]float64, int(seconds*rate))
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	each := func(x []float64, f func(i int, v float64) float64) []float64 {
		for i, v := range x {
			x[i] = f(i, v)
		}
		return x
	}
	sine := func(hz float64) func(i int) float64 {
		return func(i int) float64 { return 0.3 * math.Sin(2*math.Pi*hz*float64(i)/rate) }
	}
	stereo := func(x []float64) []float64 { // 48 kHz, by holding each sample: the images lie above 8 kHz
		y := make([]float64, 0, 6*len(x))
		for _, v := range x {
			y = append(y, v, 0, v, 0, v, 0)
		}
		return y
	}
	for _, c := range []struct {
		name       string
		src        audio.Source
		voice      bool
		background string
	}{
		{"a voice", wav(t, plain, spoken(0.1)), true, "noise"},
		{"nothing", wav(t, plain, nil), false, ""},
		{"a tenth of a second of silence", wav(t, plain, make([]float64, rate/10)), false, ""},
		{"a tenth of a second of a voice", wav(t, plain, each(append([]float64{}, voice[rate:rate+rate/10]...), func(_ int, v float64) float64 { return v * 0.1 })), false, ""},
		{"one sample", wav(t, plain, []float64{0.5}), false, ""},
		{"silence", wav(t, plain, make([]float64, 20*rate)), false, "silence"},
		{"clipped by 30 dB", wav(t, plain, spoken(6)), true, "noise"},
		{"everything at full scale", wav(t, plain, filled(10, func(int) float64 { return 1 })), false, "silence"},
		{"square wave of full scale", wav(t, plain, filled(10, func(i int) float64 { return float64(i/20%2*2 - 1) })), false, "carrier"},
		{"constant offset", wav(t, plain, each(spoken(0.1), func(_ int, v float64) float64 { return v + 0.4 })), true, ""},
		{"a tone", wav(t, plain, filled(20, sine(1000))), false, "carrier"},
		{"a carrier of ten minutes", wav(t, plain, filled(600, sine(1500))), false, "carrier"},
		{"a voice under a carrier", wav(t, plain, each(spoken(0.2), func(i int, v float64) float64 { return v + sine(1500)(i)/3 })), true, "carrier"},
		{"chords", wav(t, plain, filled(20, func(i int) float64 {
			root := []float64{220, 262, 196, 247}[i/rate%4]
			return (sine(root)(i) + sine(root*1.26)(i) + sine(root*1.5)(i)) / 3 * math.Exp(-float64(i%(rate/2))/rate*3)
		})), false, ""},
		{"no numbers", wav(t, float, filled(10, func(int) float64 { return math.NaN() })), false, "silence"},
		{"a voice among no numbers", wav(t, float, each(spoken(0.1), func(i int, v float64) float64 {
			if i%1000 < 3 || i < rate {
				return math.NaN()
			}
			return v
		})), true, ""},
		{"infinities", wav(t, float, filled(10, func(i int) float64 { return math.Inf(i%2*2 - 1) })), false, "silence"},
		{"floats far over full scale", wav(t, float, spoken(500)), true, ""},
		{"48 kHz, one channel dead", wav(t, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 2, Rate: 48000}, stereo(spoken(0.1))), true, ""},
	} {
		got, err := analysis.Detect(t.Context(), c.src, d, analysis.DefaultDetectParams(), nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var heard float64
		for _, k := range got.Transmissions {
			if k.Sound == evidence.SoundSpeech {
				heard += overlap(float64(k.Span.From)/rate, float64(k.Span.To)/rate, 5, 5+float64(len(voice))/rate)
			}
			if k.Sound == evidence.SoundSpeech && !c.voice {
				t.Errorf("%s: speech in %+v", c.name, k)
			}
		}
		if c.voice && heard < 0.9*float64(len(voice))/rate {
			t.Errorf("%s: %.1f s of %.1f s found, %+v", c.name, heard, float64(len(voice))/rate, got.Transmissions)
		}
		if c.background != "" && (got.Background == nil || got.Background.Kind != c.background) {
			t.Errorf("%s: background %+v, not %s", c.name, got.Background, c.background)
		}
	}
}
