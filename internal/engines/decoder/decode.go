package decoder

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// Decode decodes the recording at path and writes its samples, 16 kHz mono signed 16-bit little-endian, to w.
//
// An error of kind invalid means that this recording cannot be decoded with these limits, and says why; what was
// written to w until then is to be thrown away. A recording that is merely cut short is not an error: its samples up
// to there are written and Output.Truncated is set. An error of w is returned as it is. When ctx ends the child is
// killed and the error is of kind cancelled.
func (d *Decoder) Decode(ctx context.Context, path string, w io.Writer, opts Options) (Output, error) {
	out := Output{Engine: d.engine}
	f, err := os.Open(path)
	if err != nil {
		return out, fmt.Errorf("open the recording: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return out, fmt.Errorf("look at the recording: %w", err)
	}
	if !info.Mode().IsRegular() {
		return out, evidence.Invalid("the recording is not a regular file").WithHint("copy it to a file first")
	}
	if info.Size() == 0 {
		return out, evidence.Invalid("the recording is empty: it has 0 bytes").WithHint("ask its source for it again")
	}
	if err := checkRaw(opts.Raw); err != nil {
		return out, err
	}
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return out, fmt.Errorf("read the recording: %w", err)
	}
	head = head[:n]
	if kind := pointsElsewhere(head); kind != "" && opts.Raw == nil {
		return out, evidence.Invalid("this is %s: a list that points at recordings elsewhere, not a recording", kind).
			WithHint("add the recordings themselves; what such a list names is never opened")
	}

	req := d.request(engineWASI, d.cfg.MaxSamples(info.Size()))
	if d.native {
		req.Engine = engineNative
	}
	req.Raw = opts.Raw
	lim := limits{deadline: d.cfg.Deadline(info.Size()), stall: d.cfg.Stall, samples: req.MaxSamples}
	req.CPUSeconds = uint64(lim.deadline/time.Second)*2 + 60 // a second line behind the deadline, which counts wall time
	res, err := d.child(ctx, f, req, w, lim, opts.Progress)
	out.Facts, out.Samples, out.CPU = res.facts, res.samples, res.cpu
	if err != nil {
		return out, err
	}
	if res.fail != nil {
		return out, d.explain(*res.fail, head)
	}
	if res.done.Samples != res.samples {
		return out, fmt.Errorf("decode: the child counted %d samples, %d arrived", res.done.Samples, res.samples)
	}
	out.Gaps, out.Truncated, out.Notes, out.PeakBytes = res.done.Gaps, res.done.Truncated, res.done.Notes, res.done.PeakBytes
	if out.Truncated {
		return out, nil
	}
	// Two containers whose ends FFmpeg does not compare with what they promise.
	switch out.Facts.Container {
	case "ogg":
		whole, err := oggEnds(f, info.Size())
		if err != nil {
			return out, fmt.Errorf("read the recording's end: %w", err)
		}
		if !whole {
			out.Truncated = true
			out.Notes = append(out.Notes, fmt.Sprintf("the recording has no end mark: it was cut off, or its writer stopped, after %.2f s", float64(out.Samples)/Rate))
		}
	case "wav":
		if riffPromises(head) > info.Size() {
			out.Truncated = true
			out.Notes = append(out.Notes, fmt.Sprintf("the recording is shorter than its header says: it was cut off after %.2f s", float64(out.Samples)/Rate))
		}
	}
	return out, nil
}

func checkRaw(r *evidence.RawLayout) error {
	if r == nil {
		return nil
	}
	if !slices.Contains(evidence.RawFormats(), r.Format) {
		return evidence.Invalid("there is no sample format %q", r.Format).WithHint("use one of %s", strings.Join(evidence.RawFormats(), ", "))
	}
	if r.Rate < 100 || r.Rate > 1_000_000 {
		return evidence.Invalid("a sample rate of %d Hz is out of range", r.Rate).WithHint("give 100 to 1000000")
	}
	if r.Channels < 1 || r.Channels > 64 {
		return evidence.Invalid("%d channels are out of range", r.Channels).WithHint("give 1 to 64")
	}
	return nil
}

func (d *Decoder) request(engine string, maxSamples int64) request {
	// The token only has to be new to whoever made the file; no result depends on it.
	var h maphash.Hash
	return request{Engine: engine, Native: d.cfg.Native, CacheDir: d.cfg.CacheDir, Memory: d.cfg.MemoryBytes,
		CPUSeconds: 600, MaxSamples: maxSamples, Token: fmt.Sprintf("t%016x", h.Sum64())}
}

// explain turns a failure of the child into a sentence for a person.
func (d *Decoder) explain(f failure, head []byte) error {
	switch f.Code {
	case failUnknown:
		what := ""
		if kind := lookslike(head); kind != "" {
			what = ": it looks like " + kind
		}
		return evidence.Invalid("this is not audio or video in a form that we know%s", what).
			WithHint("if it is samples without a header, say how they are laid out: `earwitness describe RECORDING --raw s16le,8000,1`, then run again")
	case failNoAudio:
		return evidence.Invalid("this recording (%s) has no audio stream", f.Detail)
	case failCodec:
		return evidence.Invalid("this recording's audio is in a codec that we cannot decode (%s)", f.Detail)
	case failIndex:
		return evidence.Invalid("this MP4 file was cut off before its index, without which nothing in it can be found").
			WithHint("ask its source for the whole file; a repair tool may rebuild the index on a copy")
	case failNothing:
		return evidence.Invalid("no audio could be decoded from this recording (%s)", f.Detail)
	case failMemory:
		return tooMuchMemory(d.cfg.MemoryBytes)
	case failLimit:
		return tooLong()
	}
	return fmt.Errorf("decode: %s: %s", f.Code, f.Detail)
}

func tooMuchMemory(limit int64) error {
	return evidence.Invalid("the decoder needed more memory than the %d MiB it may use and was stopped", limit>>20).
		WithHint("the recording may be damaged or made to do this; raise the decoder's memory if you trust it")
}

func tooLong() error {
	return evidence.Invalid("the recording claims more audio than a file of its size can hold").
		WithHint("its timestamps are damaged, or it was made to fill the disk")
}

type limits struct {
	deadline, stall time.Duration
	samples         int64
}

type result struct {
	facts   Facts
	samples int64
	done    done
	fail    *failure
	cpu     time.Duration
}

const (
	tick       = 50 * time.Millisecond
	maxReports = 4 << 20 // of the child's standard error; the rest is read and thrown away
)

// child runs one request in a process of its own and copies what it writes to w. The watchdog counts ticks in which the
// child keeps us waiting, so a slow w costs the child nothing.
func (d *Decoder) child(ctx context.Context, stdin *os.File, req request, w io.Writer, lim limits, progress func(Progress)) (result, error) {
	var res result
	arg, err := json.Marshal(req)
	if err != nil {
		return res, fmt.Errorf("write the decoder's request: %w", err)
	}
	// The child dies with the thread that starts it, which therefore stays ours until it has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(d.cfg.Executable, append(slices.Clone(d.cfg.Args), string(arg))...)
	cmd.Env = []string{}
	cmd.Stdin = stdin
	ownGroup(cmd)
	samples, err := cmd.StdoutPipe()
	if err != nil {
		return res, fmt.Errorf("start the decoder: %w", err)
	}
	reports, err := cmd.StderrPipe()
	if err != nil {
		return res, fmt.Errorf("start the decoder: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return res, fmt.Errorf("start the decoder: %w", err)
	}

	var expected, received atomic.Int64
	var writing atomic.Bool
	heard := listen(reports, &expected)
	stop := make(chan struct{})
	watched := make(chan error, 1)
	go func() {
		watched <- d.watch(ctx, cmd, req, lim, stop, &received, &writing)
	}()

	writeErr := func() error {
		buf := make([]byte, 64<<10)
		for {
			n, err := io.ReadFull(samples, buf[:])
			if n > 0 && received.Load()+int64(n) > 2*lim.samples {
				return tooLong()
			}
			if n > 0 {
				writing.Store(true)
				if _, err := w.Write(buf[:n]); err != nil {
					return err
				}
				received.Add(int64(n))
				if progress != nil {
					progress(Progress{Samples: received.Load() / 2, Expected: expected.Load()})
				}
				writing.Store(false)
			}
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read the decoder's samples: %w", err)
			}
		}
	}()
	if writeErr != nil {
		killGroup(cmd)
	}
	tail := <-heard
	close(stop)
	stopped := <-watched
	killGroup(cmd) // whatever it started and left behind
	waitErr := cmd.Wait()

	res.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	res.samples, res.facts, res.fail = received.Load()/2, tail.facts, tail.fail
	switch {
	case writeErr != nil:
		return res, writeErr
	case stopped != nil:
		return res, stopped
	case tail.fail != nil:
		return res, nil
	case tail.done == nil || waitErr != nil:
		return res, fmt.Errorf("decode: the decoder's process broke off (%v): %s", waitErr, tail.crash())
	}
	res.done = *tail.done
	return res, nil
}

// watch kills the child when it is too slow, too large or no longer wanted, and returns why. It returns nil after stop.
func (d *Decoder) watch(ctx context.Context, cmd *exec.Cmd, req request, lim limits, stop <-chan struct{}, received *atomic.Int64, writing *atomic.Bool) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	// FFmpeg's own memory is capped in the child; this catches what the cap does not see (growth copies it once).
	maxRSS := uint64(req.Memory)*2 + 256<<20
	var busy, still time.Duration
	var last int64
	end := func(err error) error {
		killGroup(cmd)
		return err
	}
	for {
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return end(evidence.Cancelled("decoding was stopped").Because(ctx.Err()))
		case <-ticker.C:
		}
		if rss := resident(cmd.Process.Pid); rss > maxRSS {
			return end(tooMuchMemory(d.cfg.MemoryBytes))
		}
		if writing.Load() {
			continue
		}
		busy += tick
		still += tick
		if now := received.Load(); now != last {
			last, still = now, 0
		}
		if busy > lim.deadline {
			return end(evidence.Invalid("the decoder had not finished after %s and was stopped", lim.deadline).
				WithHint("the recording may be damaged; the limit grows with its size"))
		}
		if still > lim.stall {
			return end(evidence.Invalid("the decoder gave no more samples for %s and was stopped", lim.stall).
				WithHint("the recording may be damaged or made to do this"))
		}
	}
}

// reported is what a child said on its standard error.
type reported struct {
	facts Facts
	done  *done
	fail  *failure
	other bytes.Buffer // lines that are no events
}

func (r *reported) crash() string {
	if r.other.Len() == 0 {
		return "it said nothing"
	}
	return printable(strings.TrimSpace(r.other.String()))
}

// listen reads events until the pipe ends, and sends what they came to.
func listen(pipe io.Reader, expected *atomic.Int64) <-chan *reported {
	heard := make(chan *reported, 1)
	go func() {
		r := &reported{}
		lines := bufio.NewScanner(io.LimitReader(pipe, maxReports))
		lines.Buffer(nil, maxReports)
		for lines.Scan() {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				if r.other.Len() < maxLine {
					r.other.Write(lines.Bytes()[:min(len(lines.Bytes()), maxLine)])
					r.other.WriteByte('\n')
				}
				continue
			}
			switch {
			case e.Facts != nil:
				r.facts = *e.Facts
				expected.Store(int64(e.Facts.Duration.Seconds() * Rate))
			case e.Done != nil:
				r.done = e.Done
			case e.Fail != nil:
				r.fail = e.Fail
			}
		}
		// Keep the pipe empty, or the child would wait for us for ever.
		if _, err := io.Copy(io.Discard, pipe); err != nil && !errors.Is(err, os.ErrClosed) {
			fmt.Fprintf(&r.other, "read its reports: %v\n", err)
		}
		heard <- r
	}()
	return heard
}
