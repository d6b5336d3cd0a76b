package decoder

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// FFmpeg reports in lines for people. The shape of those read here has been stable from 4.4 to 7.1; what they say
// may come from a hostile file, so nothing but facts for display, and times within the output cap, follows from it.

const maxLine = 4096

// lineWriter hands every line written to it, cut to maxLine bytes, to take.
type lineWriter struct {
	take func(line string)
	buf  []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		l.buf = append(l.buf, part[:min(len(part), maxLine-len(l.buf))]...)
		if i < 0 {
			break
		}
		l.flush()
		p = p[i+1:]
	}
	return n, nil
}

func (l *lineWriter) flush() {
	l.take(strings.TrimSuffix(string(l.buf), "\r"))
	l.buf = l.buf[:0]
}

// close hands over a last line without its newline.
func (l *lineWriter) close() {
	if len(l.buf) > 0 {
		l.flush()
	}
}

// splitLine takes "[who @ 0x1] [level] text" apart. A line without a level continues another, and ok is false.
func splitLine(line string) (who, level, text string, ok bool) {
	for range 3 {
		if !strings.HasPrefix(line, "[") {
			return "", "", "", false
		}
		in, rest, found := strings.Cut(line[1:], "] ")
		if !found {
			return "", "", "", false
		}
		switch in {
		case "panic", "fatal", "error", "warning", "info", "verbose", "debug":
			return who, in, rest, true
		}
		who, line = in, rest
	}
	return "", "", "", false
}

type stream struct {
	kind, codec    string
	rate, channels int
	still          bool // a picture that comes with the recording, not a video
}

// probe is what a run of FFmpeg without an output says of its input.
type probe struct {
	container string
	duration  time.Duration
	start     time.Duration
	estimated bool // the duration was guessed from the bit rate
	unsure    bool // the container was recognised by little
	streams   []stream
	indices   map[string]bool
	forged    bool // a stream was reported twice: a tag in the file imitates a report
	trouble   trouble
}

func (p *probe) line(line string) {
	who, level, text, ok := splitLine(line)
	if !ok {
		return
	}
	p.trouble.note(level, text)
	switch {
	case who == "" && level == "info" && strings.HasPrefix(text, "Input #0, "):
		if name, _, found := strings.Cut(text[len("Input #0, "):], ", from '"); found && p.container == "" {
			p.container = name
		}
	case who == "" && level == "info" && strings.HasPrefix(text, "  Duration: "):
		p.times(text[len("  Duration: "):])
	case who == "" && level == "info" && strings.HasPrefix(text, "  Stream #0:"):
		p.stream(text[len("  Stream #0:"):])
	case strings.HasPrefix(text, "Estimating duration from bitrate"):
		p.estimated = true
	case strings.HasPrefix(text, "Format ") && strings.Contains(text, "misdetection possible"):
		p.unsure = true
	}
}

// times reads "00:00:02.04, start: 0.023021, bitrate: 64 kb/s".
func (p *probe) times(text string) {
	for i, part := range strings.Split(text, ", ") {
		if i == 0 {
			p.duration = clockTime(part)
		}
		if s, ok := strings.CutPrefix(part, "start: "); ok {
			p.start = seconds(s)
		}
	}
}

// stream reads "1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 67 kb/s (default)".
func (p *probe) stream(text string) {
	index, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return
	}
	if i := strings.IndexAny(index, "[("); i >= 0 {
		index = index[:i]
	}
	kind, rest, ok := strings.Cut(rest, ": ")
	if !ok {
		return
	}
	if p.indices == nil {
		p.indices = map[string]bool{}
	}
	if p.indices[index] {
		p.forged = true
		return
	}
	if len(p.indices) == maxGaps {
		return
	}
	p.indices[index] = true
	s := stream{kind: kind, still: strings.HasSuffix(rest, "(attached pic)")}
	for i, part := range strings.Split(rest, ", ") {
		hz, isRate := strings.CutSuffix(part, " Hz")
		switch {
		case i == 0:
			s.codec, _, _ = strings.Cut(part, " ")
		case isRate:
			s.rate = number(hz)
		case s.rate > 0 && s.channels == 0:
			s.channels = channelCount(part)
		}
	}
	p.streams = append(p.streams, s)
}

func (p *probe) audio() (first stream, n int) {
	for _, s := range p.streams {
		if s.kind != "Audio" {
			continue
		}
		if n == 0 {
			first = s
		}
		n++
	}
	return first, n
}

// alone reports whether the recording is one audio stream, with or without a picture.
func (p *probe) alone() bool {
	n := 0
	for _, s := range p.streams {
		if !s.still {
			n++
		}
	}
	return n == 1
}

// channelCount knows the layouts that FFmpeg names; 0 for others.
func channelCount(layout string) int {
	layout, _, _ = strings.Cut(layout, " (")
	if n, ok := strings.CutSuffix(layout, " channels"); ok {
		return number(n)
	}
	layout, _, _ = strings.Cut(layout, "(")
	switch layout {
	case "mono":
		return 1
	case "stereo", "downmix":
		return 2
	case "quad":
		return 4
	case "hexagonal":
		return 6
	case "octagonal":
		return 8
	case "hexadecagonal":
		return 16
	}
	full, low, ok := strings.Cut(layout, ".") // "5.1"
	if !ok {
		return 0
	}
	return number(full) + number(low)
}

// number reads a small count; 0 for anything else.
func number(s string) int {
	n, err := strconv.ParseUint(s, 10, 24)
	if err != nil {
		return 0
	}
	return int(n)
}

// clockTime reads "100:00:02.04"; 0 for "N/A" and anything else.
func clockTime(s string) time.Duration {
	h, rest, _ := strings.Cut(s, ":")
	m, sec, ok := strings.Cut(rest, ":")
	if !ok {
		return 0
	}
	return time.Duration(number(h))*time.Hour + time.Duration(number(m))*time.Minute + seconds(sec)
}

// seconds reads "-0.007000"; 0 for anything else, and for more than ten years.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > -3e8 && f < 3e8) {
		return 0
	}
	return time.Duration(f*1e6).Round(1) * time.Microsecond
}

// readFrame reads the report on one frame of samples that the ashowinfo filter named with token wrote.
func readFrame(line, token string) (frame, bool) {
	who, _, text, ok := splitLine(line)
	if !ok || !strings.HasPrefix(who, "ashowinfo@"+token+" @ ") {
		return frame{}, false
	}
	var f frame
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, ":")
		switch key {
		case "pts":
			n, err := strconv.ParseInt(value, 10, 64)
			const far = 1 << 60 // no sum of two such times overflows
			if err == nil && n > -far && n < far {
				f.pts, f.known = n, true
			}
		case "n":
			f.first = value == "0"
		case "nb_samples":
			f.samples = int64(number(value))
		}
	}
	return f, f.samples > 0
}

// trouble gathers what FFmpeg complained of.
type trouble struct {
	errors int64
	first  []string // the first three different complaints, made printable
	memory bool     // an allocation was refused
	index  bool     // an MP4 without its index
	ends   bool     // the file ends before it says it does
	codec  bool     // no decoder for the stream
}

func (t *trouble) note(level, text string) {
	if strings.Contains(text, "Cannot allocate memory") || strings.Contains(text, "Out of memory") { // glibc's words, and musl's
		t.memory = true
	}
	if strings.Contains(text, "moov atom not found") {
		t.index = true
	}
	if strings.Contains(text, "partial file") || strings.Contains(text, "File ended prematurely") {
		t.ends = true
	}
	if strings.Contains(text, "no decoder found for") || strings.Contains(text, "Decoder (codec") {
		t.codec = true
	}
	if level != "error" && level != "fatal" && level != "panic" {
		return
	}
	t.errors++
	text = printable(text)
	for _, seen := range t.first {
		if seen == text {
			return
		}
	}
	if len(t.first) < 3 {
		t.first = append(t.first, text)
	}
}

// printable makes a stranger's text fit for a terminal and a note: ASCII, at most 160 characters.
func printable(s string) string {
	if len(s) > 160 {
		s = s[:160] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// nativeVersion reads "ffmpeg version 5.1.9-0+deb12u1 Copyright ...".
func nativeVersion(about string) string {
	fields := strings.Fields(about)
	if len(fields) < 3 || fields[1] != "version" {
		return "unknown"
	}
	return printable(fields[2])
}
