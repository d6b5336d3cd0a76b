package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/bench/corpus"
	"github.com/earwitness/earwitness/internal/audio"
)

// item is one recording, a 16 kHz WAV file that every engine is given.
type item struct {
	path    string
	lang    string // of the truth; peers are told it
	truth   string // "" where none is given
	seconds float64
	said    []corpus.Timed // with times, where the corpus has them
}

// set is a number of recordings that are heard and counted together.
type set struct {
	name  string // short, in tables
	noise string // of the levels of the picture: "clean", "20", ... ; "" for other sets
	items []item
}

func (s set) seconds() float64 {
	sum := 0.0
	for _, it := range s.items {
		sum += it.seconds
	}
	return sum
}

// levels of noise that the picture and the honesty table go through.
var levels = []struct {
	name string
	snr  float64
}{{"clean", channel.Clean}, {"20", 20}, {"10", 10}, {"5", 5}, {"0", 0}}

// conditions are what else the channel does, at 15 dB.
var conditions = []struct {
	name string
	path channel.Path
}{
	{"fading, 15 dB", channel.Path{SNR: 15, Fading: true}},
	{"crashes, 15 dB", channel.Path{SNR: 15, Crashes: true}},
	{"heterodyne, 15 dB", channel.Path{SNR: 15, Heterodyne: true}},
	{"music jammer, 15 dB", channel.Path{SNR: 15, Music: true}},
}

// shop makes the sets in a folder.
type shop struct {
	dir, audio string
}

func (s shop) write(set, name string, pcm []int16) (item, error) {
	dir := filepath.Join(s.dir, "sets", set)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return item{}, err
	}
	p := filepath.Join(dir, name+".wav")
	return item{path: p, seconds: float64(len(pcm)) / audio.Rate}, writeWAV(p, pcm)
}

func writeWAV(name string, pcm []int16) error {
	var b bytes.Buffer
	w, err := audio.NewWAVWriter(&b, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: audio.Rate}, int64(len(pcm)))
	if err != nil {
		return err
	}
	if err := errors.Join(w.WriteSamples(pcm), w.Close()); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o600)
}

// read gives a recording as 16 kHz samples: WAV of that rate as it is, everything else by the ffmpeg that is installed.
func read(name string) ([]int16, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if filepath.Ext(name) == ".wav" {
		w, err := audio.OpenWAV(f, st.Size())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		src := w.Source()
		x := make([]int16, src.Len())
		_, err = src.ReadSamples(x, 0)
		return x, err
	}
	args := []string{"-v", "error"}
	if filepath.Ext(name) == ".raw" {
		args = append(args, "-f", "s16le", "-ar", "8000", "-ac", "1")
	}
	b, err := exec.Command("ffmpeg", append(args, "-i", name, "-f", "s16le", "-ar", "16000", "-ac", "1", "-")...).Output()
	if err != nil {
		return nil, fmt.Errorf("decode %s by ffmpeg: %w", name, err)
	}
	x := make([]int16, len(b)/2)
	for i := range x {
		x[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return x, nil
}

// short are the reference recordings with a transcript, of one language.
func (s shop) short(lang string) (set, error) {
	out := set{name: map[string]string{"ru": "Russian, short", "en": "English, short"}[lang]}
	err := filepath.WalkDir(s.audio, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(filepath.Base(filepath.Dir(p)), lang+"-") || !slices.Contains([]string{".wav", ".flac", ".mp3"}, filepath.Ext(p)) {
			return err
		}
		said, err := truth(p)
		if err != nil || said == "" {
			return err
		}
		x, err := read(p)
		if err != nil {
			return err
		}
		it, err := s.write("short-"+lang, strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)), x)
		it.lang, it.truth = lang, said
		out.items = append(out.items, it)
		return err
	})
	return out, err
}

var sphinx = regexp.MustCompile(`<s>(.*)</s>\s*\((\S+)\)`)

// truth finds what is said in a recording in the two forms that the reference data has: one transcript for a folder's
// only file, or a list of them by file name.
func truth(p string) (string, error) {
	dir, name := filepath.Dir(p), strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
	b, err := os.ReadFile(filepath.Join(dir, "transcript.txt"))
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if b, err = os.ReadFile(filepath.Join(dir, "transcripts.txt")); err != nil {
		return "", nil // none is given
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if m := corpus.Line.FindStringSubmatch(s.Text()); m != nil && m[1] == name {
			return strings.ReplaceAll(m[2], "+", ""), nil // the plus marks stress
		}
		if m := sphinx.FindStringSubmatch(s.Text()); m != nil && m[2] == name {
			return strings.TrimSpace(m[1]), nil
		}
	}
	return "", nil
}

// radio sends utterances of the corpus through a path. The seed is an utterance's number: it meets the same noise at
// every level.
func (s shop) radio(name, noise string, us []corpus.Utterance, times map[string][]corpus.Timed, path channel.Path) (set, error) {
	out := set{name: name, noise: noise}
	for _, u := range us {
		x, err := read(filepath.Join(corpus.Dir, "wav", u.Name+".wav"))
		if err != nil {
			return out, err
		}
		it, err := s.write(strings.NewReplacer(" ", "-", ",", "").Replace(name), u.Name, path.Burst(x, uint64(u.Number)))
		if err != nil {
			return out, err
		}
		it.lang, it.truth, it.said = "ru", strings.ReplaceAll(u.Text, "+", ""), times[u.Name]
		out.items = append(out.items, it)
	}
	return out, nil
}

// dense is speech without silence: utterances of the corpus end to end, for which the text is known.
func (s shop) dense(us []corpus.Utterance) (set, error) {
	out := set{name: "dense, Russian"}
	var pcm []int16
	var text []string
	for _, u := range us {
		x, err := read(filepath.Join(corpus.Dir, "wav", u.Name+".wav"))
		if err != nil {
			return out, err
		}
		pcm = append(pcm, x...)
		text = append(text, strings.ReplaceAll(u.Text, "+", ""))
	}
	it, err := s.write("dense-ru", "joined", pcm)
	it.lang, it.truth = "ru", joined(text)
	out.items = []item{it}
	return out, err
}

// untold is dense speech of the reference data of which no text is given: for speed alone.
func (s shop) untold() (set, error) {
	out := set{name: "dense, phone and radio, no text given"}
	for _, f := range []struct{ file, lang string }{{"ru-telephone/audio_short.flac", "ru"}, {"en-amateur/ve9qrp.raw", "en"}, {"en-6speakers/6_speakers.wav", "en"}} {
		x, err := read(filepath.Join(s.audio, f.file))
		if err != nil {
			return out, err
		}
		it, err := s.write("dense-untold", strings.TrimSuffix(filepath.Base(f.file), filepath.Ext(f.file)), x)
		if err != nil {
			return out, err
		}
		it.lang = f.lang
		out.items = append(out.items, it)
	}
	return out, nil
}

// negatives are the reference recordings in which nobody speaks, and made ones: seconds of each kind.
func (s shop) negatives(seconds int) (set, error) {
	out := set{name: "nobody speaks"}
	names, err := filepath.Glob(filepath.Join(s.audio, "*negative", "*.*"))
	if err != nil {
		return out, err
	}
	for _, p := range names {
		if ext := filepath.Ext(p); ext != ".wav" && ext != ".mp3" {
			continue
		}
		x, err := read(p)
		if err != nil {
			return out, err
		}
		it, err := s.write("negatives", strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)), x)
		if err != nil {
			return out, err
		}
		out.items = append(out.items, it)
	}
	for _, k := range silences {
		p := filepath.Join(s.dir, "sets", "negatives", k.name+".wav")
		if err := writeLong(p, seconds, k.sound); err != nil {
			return out, err
		}
		out.items = append(out.items, item{path: p, seconds: float64(seconds)})
	}
	return out, nil
}

// sparse is hours of radio noise in which somebody speaks every third minute, at 15 dB.
func (s shop) sparse(hours int, us []corpus.Utterance) (set, error) {
	out := set{name: fmt.Sprintf("sparse, %d h", hours)}
	var text []string
	var failed error
	if err := os.MkdirAll(filepath.Join(s.dir, "sets", "sparse"), 0o700); err != nil {
		return out, err
	}
	p := filepath.Join(s.dir, "sets", "sparse", "sparse.wav")
	err := writeLong(p, hours*3600, func(minute int) []int16 {
		pcm := make([]int16, 60*audio.Rate)
		if minute%3 == 1 {
			u := us[minute/3%len(us)]
			x, err := read(filepath.Join(corpus.Dir, "wav", u.Name+".wav"))
			failed = errors.Join(failed, err)
			copy(pcm[(10+minute*7%20)*audio.Rate:], x)
			text = append(text, strings.ReplaceAll(u.Text, "+", ""))
		}
		return channel.Path{SNR: 15}.Burst(pcm, uint64(minute))
	})
	out.items = []item{{path: p, lang: "ru", truth: joined(text), seconds: float64(hours) * 3600}}
	return out, errors.Join(err, failed)
}

// writeLong writes a recording minute by minute.
func writeLong(name string, seconds int, minute func(minute int) []int16) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	left := seconds * audio.Rate
	w, err := audio.NewWAVWriter(out, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: audio.Rate}, int64(left))
	if err != nil {
		return err
	}
	for m := 0; left > 0; m++ {
		x := minute(m)
		x = x[:min(len(x), left)]
		left -= len(x)
		if err := w.WriteSamples(x); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), out.Flush())
}
