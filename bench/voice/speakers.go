package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/earwitness/earwitness/bench/channel"
)

// source says where a speaker's recordings are. Each speaker is one source: within it one person speaks, in one
// session as far as anyone knows.
type source struct {
	name     string
	person   string // where two sources are of the same person, by other sessions
	low      bool   // a low voice: a man's, as far as its pitch and source tell
	patterns []string
	from, to float64 // seconds; all of it where to is 0
}

// shared are recordings of ../shared/data/audio. Of the six speakers in 6_speakers.wav only two turns stand so far from
// others that nobody has to guess whose they are.
func shared() []source {
	return []source{
		{name: "jfk", low: true, patterns: []string{"en-jfk/*.wav"}},
		{name: "librivox", low: true, patterns: []string{"en-librivox-pocketsphinx/*.wav"}},
		{name: "vosk-test", low: true, patterns: []string{"en-vosk-test/*.wav"}},
		{name: "6speakers-9s", low: true, patterns: []string{"en-6speakers/6_speakers.wav"}, from: 9.8, to: 15.5},
		{name: "6speakers-17s", low: true, patterns: []string{"en-6speakers/6_speakers.wav"}, from: 16.8, to: 26.6},
		{name: "ve9qrp", low: true, patterns: []string{"en-amateur/ve9qrp.raw"}},
		{name: "festvox-nsh", low: true, patterns: []string{"ru-festvox-nsh/*.flac"}},
		{name: "gigaam", patterns: []string{"ru-gigaam-example/*.wav"}},
		{name: "deepspeech", low: true, patterns: []string{"ru-deepspeech-sample/*.wav"}},
		{name: "ru-numbers", low: true, patterns: []string{"ru-numbers/*.wav"}},
		{name: "ru-telephone", patterns: []string{"ru-telephone/*.flac"}},
	}
}

// debian are telephone prompts that prompts.sh gets from Debian's packages: actors, many sentences each.
func debian() []source {
	return []source{
		{name: "allison-en", person: "allison", patterns: []string{"en_US_f_Allison/*.g722"}},
		{name: "allison-es", person: "allison", patterns: []string{"es_MX_f_Allison/*.g722"}},
		{name: "june-fr", patterns: []string{"fr_CA_f_June/*.g722"}},
		{name: "menardi-it", patterns: []string{"it_IT_f_Menardi/*.wav"}},
		{name: "carlo-it", low: true, patterns: []string{"it_IT_m_Carlo/*.g722"}},
		{name: "ivrvoice-ru", patterns: []string{"ru_RU_f_IvrvoiceRU/*.g722"}},
		{name: "es-co", patterns: []string{"es/*.gsm"}},
		{name: "armelle-fr", patterns: []string{"fr/*.gsm"}},
	}
}

// speaker is a source with its speech: pauses are cut out, everything else is as recorded.
type speaker struct {
	source
	sound []int16
}

func (s speaker) pitch() string {
	if s.low {
		return "low voice"
	}
	return "high voice"
}

// enough is how much speech of a speaker is read: the stretches are spread over it.
const enough = 150 * channel.Rate

func speakers(prompts string) ([]speaker, error) {
	root := os.Getenv("EARWITNESS_SHARED")
	if root == "" {
		root = filepath.Join("..", "shared", "data")
	}
	var all []speaker
	read := func(root string, sources []source) error {
		for _, src := range sources {
			s := speaker{source: src}
			for _, p := range src.patterns {
				names, err := filepath.Glob(filepath.Join(root, p))
				if err != nil || len(names) == 0 {
					return fmt.Errorf("no recordings %s in %s", p, root)
				}
				slices.Sort(names)
				// Every so many of very many, as the alphabet puts like with like.
				for i := 0; i < len(names) && len(s.sound) < enough; i += max(1, len(names)/120) {
					pcm, err := decode(names[i])
					if err != nil {
						return err
					}
					if src.to > 0 {
						pcm = pcm[int(src.from*channel.Rate):int(src.to*channel.Rate)]
					}
					s.sound = append(s.sound, spoken(pcm)...)
				}
			}
			all = append(all, s)
		}
		return nil
	}
	if err := read(filepath.Join(root, "audio"), shared()); err != nil {
		return nil, err
	}
	if prompts != "" {
		if err := read(prompts, debian()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// decode reads any file by the ffmpeg that is installed.
func decode(name string) ([]int16, error) {
	args := []string{"-v", "error"}
	switch filepath.Ext(name) {
	case ".raw":
		args = append(args, "-f", "s16le", "-ar", "8000", "-ac", "1")
	case ".g722":
		args = append(args, "-f", "g722")
	}
	b, err := exec.Command("ffmpeg", append(args, "-i", name, "-f", "s16le", "-ar", "16000", "-ac", "1", "-")...).Output()
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm, nil
}

// spoken cuts out pauses: what is more than 35 dB below the loudest 10 ms for more than 0.35 s, as detection does with
// the pauses between transmissions.
func spoken(pcm []int16) []int16 {
	const step = channel.Rate / 100
	n := len(pcm) / step
	power := make([]float64, n)
	top := 0.0
	for i := range power {
		for _, v := range pcm[i*step : (i+1)*step] {
			power[i] += float64(v) * float64(v)
		}
		top = max(top, power[i])
	}
	var out []int16
	quiet := 0
	for i, p := range power {
		if p > top*math.Pow(10, -3.5) {
			quiet = 0
		} else if quiet++; quiet > 35 || len(out) == 0 {
			if quiet == 36 {
				out = out[:max(0, len(out)-30*step)]
			}
			continue
		}
		out = append(out, pcm[i*step:(i+1)*step]...)
	}
	return out
}
