package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/demo"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// floor is the mean level of the noise between transmissions, of 32,768.
const floor = 90

// plan is what the recording will hold. Spans count samples of the working sound.
type plan struct {
	rate          int64 // of the recording, Hz
	frames        int64
	transmissions []evidence.Transmission
	voices        [][]byte // speech, mu-law, in so many kinds
	noise         []byte
	seed          uint64
}

func (p *plan) samples() int64 { return p.frames * evidence.Rate / p.rate }

// newPlan lays out exchanges: a few transmissions a second or two apart, then nobody for a while.
func newPlan(o options) (*plan, error) {
	if o.rate != evidence.Rate && o.rate != evidence.Rate/2 {
		return nil, fmt.Errorf("%d Hz: only %d and %d are made", o.rate, evidence.Rate/2, evidence.Rate)
	}
	p := &plan{rate: int64(o.rate), frames: int64(o.hours*3600) * int64(o.rate), seed: o.seed}
	r := rand.New(rand.NewPCG(o.seed, 1))
	room := p.samples() / int64(max(1, o.transmissions))
	if room < 15*evidence.Rate {
		return nil, fmt.Errorf("%d transmissions in %g hours leave less than 15 s for each", o.transmissions, o.hours)
	}
	for n := 0; n < o.transmissions; {
		together := min(3+r.IntN(10), o.transmissions-n)
		at := int64(n)*room + r.Int64N(evidence.Rate)
		for range together {
			length := int64((1.5 + 2.5*r.ExpFloat64()) * evidence.Rate)
			length = min(length, 10*evidence.Rate)
			span := evidence.Span{From: at, To: at + length}
			t := evidence.Transmission{BandHighHz: 2700, BandLowHz: 300, LevelCB: -2300 - r.IntN(600), PeakCB: -600 - r.IntN(300), SnrCB: 600 + r.IntN(2400), Sound: sounds[r.IntN(len(sounds))], Span: span}
			if t.Sound == evidence.SoundSpeech {
				t.Hear, t.SpeechP = []evidence.Span{span}, 7000+r.IntN(3000)
			}
			p.transmissions = append(p.transmissions, t)
			at = span.To + int64((0.4+2*r.Float64())*evidence.Rate)
		}
		n += together
	}
	var err error
	p.voices, err = voices(o)
	if err != nil {
		return nil, err
	}
	p.noise = make([]byte, 1<<21)
	for i := range p.noise {
		p.noise[i] = muLaw(r.NormFloat64() * floor)
	}
	return p, nil
}

// sounds are drawn from: nine of ten transmissions are speech.
var sounds = [...]string{
	evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech,
	evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech, evidence.SoundSpeech,
	evidence.SoundNoise, evidence.SoundTone,
}

// voices makes several out of the one that ships as WAV: slower and deeper, faster and higher, nearer and further away.
func voices(o options) ([][]byte, error) {
	file, err := fs.ReadFile(demo.Files(), "jfk.wav")
	if err != nil {
		return nil, err
	}
	w, err := audio.OpenWAV(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	src := w.Source()
	pcm := make([]int16, src.Len())
	if n, err := src.ReadSamples(pcm, 0); n < len(pcm) {
		return nil, fmt.Errorf("read jfk.wav: %d of %d samples: %w", n, len(pcm), err)
	}
	var out [][]byte
	for i, speed := range []float64{0.8, 0.88, 0.95, 1, 1.06, 1.13, 1.2, 1.28} {
		path := channel.Path{SNR: 8 + 3*float64(i*5%8), Fading: i%2 == 1}
		heard := path.Burst(resampled(pcm, speed), o.seed+uint64(i))
		step := channel.Rate / o.rate // the path leaves nothing over 3 kHz, so that every second sample says it all
		voice := make([]byte, len(heard)/step)
		for j := range voice {
			voice[j] = muLaw(float64(heard[step*j]))
		}
		out = append(out, voice)
	}
	return out, nil
}

func resampled(pcm []int16, speed float64) []int16 {
	out := make([]int16, int(float64(len(pcm)-1)/speed))
	for i := range out {
		at := float64(i) * speed
		n := int(at)
		f := at - float64(n)
		out[i] = int16(float64(pcm[n])*(1-f) + float64(pcm[min(n+1, len(pcm)-1)])*f)
	}
	return out
}

// write writes the recording as a WAV file of G.711 mu-law.
func (p *plan) write(w io.Writer) error {
	wav, err := audio.NewWAVWriter(w, audio.Layout{Encoding: audio.EncodingMuLaw, Bits: 8, Channels: 1, Rate: int(p.rate)}, p.frames)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(p.seed, 2))
	at := int64(0)
	for i, t := range p.transmissions {
		from, to := t.Span.From*p.rate/evidence.Rate, min(t.Span.To*p.rate/evidence.Rate, p.frames)
		if err := p.hiss(wav, r, from-at); err != nil {
			return err
		}
		if err := p.speak(wav, r, i, t.Sound, to-from); err != nil {
			return err
		}
		at = to
	}
	if err := p.hiss(wav, r, p.frames-at); err != nil {
		return err
	}
	return wav.Close()
}

// hiss writes noise: pieces of the one that was made, in an order that does not come again.
func (p *plan) hiss(w io.Writer, r *rand.Rand, frames int64) error {
	for frames > 0 {
		n := min(frames, 1<<16)
		at := r.Int64N(int64(len(p.noise)) - n)
		if _, err := w.Write(p.noise[at : at+n]); err != nil {
			return err
		}
		frames -= n
	}
	return nil
}

func (p *plan) speak(w io.Writer, r *rand.Rand, n int, sound string, frames int64) error {
	b := make([]byte, frames)
	voice := p.voices[n*3%len(p.voices)]
	at := r.IntN(len(voice))
	for i := range b {
		switch sound {
		case evidence.SoundSpeech:
			b[i] = voice[(at+i)%len(voice)]
		case evidence.SoundTone:
			b[i] = muLaw(3000 * math.Sin(2*math.Pi*1050*float64(i)/float64(p.rate)))
		default:
			b[i] = muLaw(2000 * r.NormFloat64())
		}
	}
	_, err := w.Write(b)
	return err
}

// muLaw encodes a sample as ITU-T G.711 does.
func muLaw(v float64) byte {
	sign := byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	n := int(min(v, 32635)) + 0x84
	exponent := 7
	for mask := 0x4000; n&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent)<<4 | byte(n>>(exponent+3)&0x0f))
}
