package decoder

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// program runs FFmpeg once in its sandbox and returns its exit code.
type program func(args []string, stdout, stderr io.Writer) (int, error)

// ChildMain is the other half of Decode: it runs in the process that Decode starts, gives up what it does not need,
// and decodes its standard input. The program's main calls it for the hidden Verb with the words after the verb, before
// it reads flags, environment or configuration, and exits with what it returns.
func ChildMain(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	events := json.NewEncoder(stderr)
	fail := func(code, format string, a ...any) int {
		if err := events.Encode(event{Fail: &failure{Code: code, Detail: fmt.Sprintf(format, a...)}}); err != nil {
			return 2
		}
		return 1
	}
	var req request
	if len(args) != 1 {
		return fail(failInternal, "%s takes one argument and is not for people to call", Verb)
	}
	if err := json.Unmarshal([]byte(args[0]), &req); err != nil {
		return fail(failInternal, "read the request: %v", err)
	}
	run, err := open(req, stdin)
	if err != nil {
		code := failInternal
		if errors.Is(err, errSandbox) {
			code = failSandbox
		}
		return fail(code, "%v", err)
	}
	if req.Engine == engineIdentify {
		var about strings.Builder
		if status, err := run([]string{"-version"}, &about, io.Discard); err != nil || status != 0 {
			return fail(failSandbox, "the native decoder does not run in its sandbox: exit code %d, %v", status, err)
		}
		if events.Encode(event{Done: &done{About: about.String()}}) != nil {
			return 2
		}
		return 0
	}
	w := bufio.NewWriterSize(stdout, 64<<10)
	info, err := stdin.Stat()
	if err != nil {
		return fail(failInternal, "look at the recording's size: %v", err)
	}
	c := &conversion{req: req, run: run, in: stdin, size: info.Size(), w: w, native: req.Engine == engineNative}
	ended, failed := c.convert(func(f Facts) error { return events.Encode(event{Facts: &f}) })
	if err := w.Flush(); err != nil && failed == nil {
		failed = &failure{failInternal, fmt.Sprintf("write samples: %v", err)}
	}
	if failed != nil {
		return fail(failed.Code, "%s", failed.Detail)
	}
	if events.Encode(event{Done: ended}) != nil {
		return 2
	}
	return 0
}

var errSandbox = errors.New("a native decoder cannot be confined on this system")

func open(req request, stdin *os.File) (program, error) {
	switch req.Engine {
	case engineWASI:
		return openWASI(req, stdin)
	case engineNative, engineIdentify:
		return openNative(req, stdin)
	}
	return nil, fmt.Errorf("there is no engine %q", req.Engine)
}

// formats are the demuxers of ffmpeg/build.sh, by FFmpeg's names for them, and the only ones that a native FFmpeg may
// use. None of them opens anything but the file it is given.
const formats = "3g2,3gp,aac,ac3,act,aea,aiff,amr,amrnb,amrwb,ape,aptx,aptx_hd,asf,asf_o,au,avi,avr,caf,dhav,dsf,dss,dts,dtshd," +
	"dv,eac3,epaf,flac,flv,g722,g723_1,g726,g726le,g729,gsm,gxf,hcom,iff,ilbc,ircam,live_flv,loas,m4a,matroska,mj2," +
	"mlp,mmf,mov,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,paf,pva,pvf,qcp,rm,rso,sbc,sds,shn,sln," +
	"sox,spdif,tak,truehd,tta,vivo,voc,vqf,w64,wav,webm,wsd,wtv,wv,wve,xwma"

// input returns the options that name the input; file is FFmpeg's address of it.
func (c *conversion) input(file string) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-v", "repeat+level+info", "-threads", "1", "-protocol_whitelist", "file,pipe"}
	if r := c.req.Raw; r != nil {
		return append(args, "-format_whitelist", r.Format, "-f", r.Format, "-ar", fmt.Sprint(r.Rate), "-ac", fmt.Sprint(r.Channels), "-i", file)
	}
	return append(args, "-format_whitelist", formats, "-i", file)
}

// mean is the plain average of up to 64 channels: "<" divides by the number of those that the stream has, also when
// that number changes on the way.
func mean() string {
	var b strings.Builder
	b.WriteString("pan=mono|c0<c0")
	for i := 1; i < 64; i++ {
		fmt.Fprintf(&b, "+c%d", i)
	}
	return b.String()
}

// conversion is one recording on its way through FFmpeg.
type conversion struct {
	req    request
	run    program
	in     io.ReaderAt
	size   int64
	w      io.Writer
	native bool
}

func (c *conversion) file() string {
	if c.native {
		return "file:" + stdinPath
	}
	return "file:/" + mountName + "/" + inputName
}

// convert looks first, then decodes.
func (c *conversion) convert(report func(Facts) error) (*done, *failure) {
	var look probe
	facts := Facts{AudioStreams: 1}
	if r := c.req.Raw; r != nil {
		facts.Container, facts.Codec, facts.Rate, facts.Channels = "raw", r.Format, r.Rate, r.Channels
	} else {
		lines := &lineWriter{take: look.line}
		if _, err := c.run(c.input(c.file()), io.Discard, lines); err != nil {
			return nil, &failure{failInternal, fmt.Sprintf("look at the recording: %v", err)}
		}
		lines.close()
		first, n := look.audio()
		switch {
		case look.trouble.memory:
			return nil, &failure{failMemory, "while it read the header"}
		case look.trouble.index:
			return nil, &failure{failIndex, "moov atom not found"}
		case look.container == "" && slices.Contains(look.trouble.first, c.file()+": End of file"):
			return nil, &failure{failNothing, "it ends within its header"}
		case look.container == "":
			return nil, &failure{failUnknown, strings.Join(look.trouble.first, "; ")}
		case n == 0 && look.unsure:
			return nil, &failure{failUnknown, "nothing but a doubtful likeness to " + look.container}
		case n == 0:
			return nil, &failure{failNoAudio, look.container}
		}
		facts = Facts{Container: printable(look.container), Codec: printable(first.codec), Rate: first.rate,
			Channels: first.channels, AudioStreams: n, Duration: look.duration}
		if !c.absolute(look) {
			facts.StartOffset = look.start
		}
	}
	if err := report(facts); err != nil {
		return nil, &failure{failInternal, fmt.Sprintf("report facts: %v", err)}
	}
	return c.decode(look, facts)
}

// absolute reports whether the container's own zero is kept as sample 0. In MP4 and Matroska a player starts at zero and
// waits for a stream that starts later. Everywhere else, and where such a file starts more than a minute late (a cut
// from a live stream), sample 0 is the start of the earliest stream and Facts.StartOffset names its time.
func (c *conversion) absolute(look probe) bool {
	if !strings.Contains(","+look.container+",", ",mp4,") && !strings.Contains(look.container, "matroska") {
		return false
	}
	return look.start > -time.Second && look.start < time.Minute
}

// timed reports whether a container writes down when its packets are to be heard. For the others FFmpeg counts packets,
// which shows where one could not be decoded, but is wrong after a change of the sample rate.
func timed(container string) bool {
	name, _, _ := strings.Cut(container, ",")
	switch name {
	case "mov", "matroska", "mpegts", "mpeg", "ogg", "asf", "flv", "live_flv", "nut", "mxf", "wtv", "rm", "nsv", "dhav":
		return true
	}
	return false
}

func (c *conversion) decode(look probe, facts Facts) (*done, *failure) {
	args := c.input(c.file())
	if c.absolute(look) {
		args = append(args[:len(args)-2:len(args)-2], "-copyts", "-i", c.file())
	} else {
		// One microsecond keeps FFmpeg from moving zero to the audio's start in a file whose video starts earlier.
		args = append(args[:len(args)-2:len(args)-2], "-itsoffset", "0.000001", "-i", c.file())
	}
	args = append(args, "-map", "0:a:0", "-vn", "-sn", "-dn", "-threads", "1",
		"-af", mean()+fmt.Sprintf(",aresample=%d,aformat=sample_fmts=s16:channel_layouts=mono,ashowinfo@%s", Rate, c.req.Token),
		"-f", "s16le", "pipe:1")

	var t trouble
	a := newAligner(c.w, c.req.MaxSamples, c.native)
	a.soft = !timed(look.container)
	// FFmpeg 5.1 gets the times of all but the first wrong, by up to a page.
	a.blind = look.container == "ogg" && oggChained(c.in, c.size)
	chained := a.blind
	lines := &lineWriter{take: func(line string) {
		if f, ok := readFrame(line, c.req.Token); ok {
			a.announce(f)
			return
		}
		if _, level, text, ok := splitLine(line); ok {
			t.note(level, text)
		}
	}}
	out := &firstError{w: a}
	status, err := c.run(args, out, &finisher{lines, a})
	lines.close()
	samples := a.bytes / 2
	switch {
	case errors.Is(out.err, errLimit):
		return nil, &failure{failLimit, fmt.Sprintf("%d samples were written, and more would follow", samples)}
	case out.err != nil:
		return nil, &failure{failInternal, fmt.Sprintf("pass samples on: %v", out.err)}
	case err != nil:
		return nil, &failure{failInternal, fmt.Sprintf("run the decoder: %v", err)}
	case t.memory:
		return nil, &failure{failMemory, fmt.Sprintf("after %d samples", samples)}
	case t.codec && samples == 0:
		return nil, &failure{failCodec, facts.Codec}
	case look.unsure && t.errors > 0:
		return nil, &failure{failUnknown, "nothing but a doubtful likeness to " + facts.Container}
	case samples == 0:
		return nil, &failure{failNothing, strings.Join(t.first, "; ")}
	}
	d := &done{Samples: samples, Gaps: a.gaps, PeakBytes: peakBytes()}
	if chained {
		d.Notes = append(d.Notes, "several Ogg recordings follow each other in this file; they are taken as one, and gaps inside are not known")
	}
	c.judge(d, a, look, facts, t, status)
	return d, nil
}

// judge writes down what a person should know of a decode that succeeded.
func (c *conversion) judge(d *done, a *aligner, look probe, facts Facts, t trouble, status int) {
	note := func(format string, args ...any) { d.Notes = append(d.Notes, fmt.Sprintf(format, args...)) }
	length := float64(d.Samples) / Rate
	if facts.AudioStreams > 1 {
		note("the recording has %d audio streams; the first was taken", facts.AudioStreams)
	}
	if look.forged {
		note("tags in the recording imitate the decoder's reports; what is said of container and codec may be false")
	}
	if look.unsure {
		note("the container was recognised by little and may be another")
	}
	// A duration speaks of the longest stream, so only of the audio where that is alone.
	promised := look.alone() && !look.estimated && facts.Duration > 0
	missing := facts.Duration - time.Duration(length*float64(time.Second))
	short := promised && missing > max(250*time.Millisecond, facts.Duration/50)
	if t.ends || look.trouble.ends || short {
		d.Truncated = true
		note("the recording ends before it says it does: after %.2f s", length)
		if short {
			note("by its header it lasts %.2f s", facts.Duration.Seconds())
		}
	}
	if a.gapN > 0 {
		note("gaps in the recording's timestamps are silence: %d, %.2f s in all", a.gapN, float64(a.gapSum)/Rate)
	}
	if a.jump > 0 {
		note("timestamps leap by %.0f s, more than a file of this size can mean; they were not followed from there", float64(a.jump)/Rate)
	}
	if a.behind > 0 {
		note("timestamps run back by up to %.2f s; every sample was kept, so times after that are late", float64(a.behind)/Rate)
	}
	if t.errors > 0 {
		note("the decoder complained %d times: %s", t.errors, strings.Join(t.first, "; "))
	}
	if status != 0 {
		note("the decoder ended with exit code %d", status)
	}
}

// finisher tells the aligner that FFmpeg's reports have ended.
type finisher struct {
	io.Writer
	a *aligner
}

func (f *finisher) Close() error {
	f.a.finish()
	return nil
}

// firstError remembers why writing ended; FFmpeg only learns that it did.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(p)
	f.err = err
	return n, err
}
