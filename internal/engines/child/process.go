package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// watchEvery is how often the memory of the process is looked at.
const watchEvery = 50 * time.Millisecond

// process is one life of the engine. Its goroutines (reader, writer, watcher, and exec's copier of standard
// error) have ended when over is closed.
type process struct {
	cfg      Config
	cmd      *exec.Cmd
	identity Identity
	hello    chan Identity // the reader sends one
	out      chan frame    // to the writer
	errors   *tail         // the end of standard error
	dying    chan struct{} // closed when the process must not be used any more
	over     chan struct{} // closed when it has been reaped and every call has been told

	mu      sync.Mutex
	cause   error // why it was ended from here; nil where it ended by itself
	culprit uint64
	next    uint64
	pending map[uint64]*pending
	loads   map[evidence.Digest]*loading
	dead    *death
}

type frame struct {
	header  any
	payload []byte
}

// pending is a request that has not been answered.
type pending struct {
	hears   bool
	done    chan struct{} // closed when the fields below are set
	timer   *time.Timer
	answer  response
	payload []byte
	err     error
	slot    *slot // to be freed with the answer, where the caller has left
}

type loading struct {
	done chan struct{}
	err  error
}

// death is the error of a request whose process ended.
type death struct {
	err      error
	inFlight int
	guilty   bool // this request is known to be the cause
}

func (d *death) Error() string { return d.err.Error() }
func (d *death) Unwrap() error { return d.err }

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func startProcess(ctx context.Context, cfg Config) (*process, error) {
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	args := append([]string{"--threads", strconv.Itoa(cfg.Threads)}, cfg.Args...)
	p := &process{
		cfg: cfg, cmd: exec.Command(cfg.Executable, args...), hello: make(chan Identity, 1), out: make(chan frame), errors: &tail{},
		dying: make(chan struct{}), over: make(chan struct{}), pending: map[uint64]*pending{}, loads: map[evidence.Digest]*loading{},
	}
	p.cmd.Env = cfg.Env
	p.cmd.Stderr = p.errors
	p.cmd.WaitDelay = time.Second // a grandchild that holds standard error must not hold us
	p.cmd.SysProcAttr = apart()
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the speech engine: %w", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the speech engine: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, notFound(cfg.Executable, err)
	}
	go p.live(stdin, stdout)

	late := time.NewTimer(cfg.StartWithin)
	defer late.Stop()
	select {
	case p.identity = <-p.hello:
		return p, nil
	case <-p.over:
		return nil, p.dead
	case <-late.C:
		p.kill(fmt.Errorf("the speech engine said nothing within %v of its start", cfg.StartWithin), 0)
	case <-ctx.Done():
		p.kill(cancelled(ctx), 0)
	}
	<-p.over
	return nil, p.dead.err
}

// live owns the process's goroutines from start to end.
func (p *process) live(stdin io.WriteCloser, stdout io.Reader) {
	var helpers sync.WaitGroup
	helpers.Go(func() { p.write(stdin) })
	if p.cfg.MemoryBytes > 0 {
		helpers.Go(p.watch)
	}
	err := p.read(stdout)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		// It ended by itself, or it is about to: let it say how.
		select {
		case <-p.dying:
		default:
			early := time.AfterFunc(time.Second, func() { p.kill(errors.New("the speech engine closed its output"), 0) })
			defer early.Stop()
		}
	} else {
		p.kill(fmt.Errorf("the speech engine broke the protocol: %w", err), 0)
	}
	state := p.cmd.Wait()
	p.mu.Lock()
	if p.cause == nil {
		how := "it ended"
		if state != nil {
			how = state.Error()
		}
		p.cause = fmt.Errorf("the speech engine stopped (%s)%s", how, p.errors.words())
	}
	p.closeDying()
	p.dead = &death{err: p.cause}
	left := p.pending
	p.pending = nil
	p.mu.Unlock()
	helpers.Wait()
	for id, c := range left {
		c.settle(response{}, nil, &death{err: p.cause, inFlight: len(left), guilty: id == p.culprit})
	}
	close(p.over)
}

// settle gives a call its outcome. Nobody else knows the call any more.
func (c *pending) settle(a response, payload []byte, err error) {
	c.timer.Stop()
	c.answer, c.payload, c.err = a, payload, err
	close(c.done)
	if c.slot != nil {
		c.slot.free()
	}
}

func (p *process) closeDying() {
	select {
	case <-p.dying:
	default:
		close(p.dying)
	}
}

// kill ends the process. The first cause is the one that is told.
func (p *process) kill(cause error, culprit uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause == nil {
		p.cause, p.culprit = cause, culprit
	}
	p.closeDying()
	// The only error is that the process has ended already, which Wait tells.
	_ = p.cmd.Process.Kill()
}

// end asks the process to end, waits, and ends it.
func (p *process) end() {
	p.mu.Lock()
	if p.cause == nil {
		p.cause = evidence.Cancelled("the speech engine has been closed")
	}
	p.closeDying() // the writer then closes its input
	p.mu.Unlock()
	late := time.AfterFunc(graceful+time.Second, func() { p.kill(nil, 0) })
	defer late.Stop()
	<-p.over
}

func (p *process) write(stdin io.WriteCloser) {
	// Closing twice, or after the process has gone, is an error that changes nothing.
	defer func() { _ = stdin.Close() }()
	for {
		select {
		case f := <-p.out:
			if err := writeFrame(stdin, f.header, f.payload); err != nil {
				p.kill(fmt.Errorf("send to the speech engine: %w%s", err, p.errors.words()), 0)
				return
			}
		case <-p.dying:
			return
		}
	}
}

func (p *process) read(stdout io.Reader) error {
	in := bufio.NewReaderSize(stdout, 64<<10)
	var first response
	if _, err := readFrame(in, &first); err != nil {
		return err
	}
	if first.Hello == nil || first.Hello.Protocol != protocol {
		return evidence.Conflict("the engine does not speak protocol %d", protocol).WithHint("earwitness and earwitness-engine must come from the same release")
	}
	p.hello <- *first.Hello
	for {
		var a response
		payload, err := readFrame(in, &a)
		if err != nil {
			return err
		}
		p.mu.Lock()
		c, ok := p.pending[a.ID]
		delete(p.pending, a.ID)
		if ok && c.hears {
			// Those that wait behind it have not waited in vain.
			for _, other := range p.pending {
				if other.hears {
					other.timer.Reset(p.cfg.Deadline)
				}
			}
		}
		p.mu.Unlock()
		if !ok {
			return fmt.Errorf("it answered request %d, which was not asked", a.ID)
		}
		if a.Error != nil {
			c.settle(response{}, nil, a.Error.error())
			continue
		}
		c.settle(a, payload, nil)
	}
}

func (p *process) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.dying:
			return
		case <-tick.C:
		}
		if n, ok := residentBytes(p.cmd.Process.Pid); ok && n > p.cfg.MemoryBytes {
			p.kill(&evidence.Error{
				Message: fmt.Sprintf("the speech engine took %d MB of memory, more than the %d MB it may, and was ended", n>>20, p.cfg.MemoryBytes>>20),
				Hint:    "use a smaller model, or allow it more memory",
			}, 0)
			return
		}
	}
}

// roundTrip sends a request and waits for its answer. When ctx ends first, the slot stays with the request
// until the engine has answered.
func (p *process) roundTrip(ctx context.Context, s *slot, q request, payload []byte) (response, []byte, error) {
	c := &pending{done: make(chan struct{}), hears: q.Op == opHear}
	p.mu.Lock()
	if p.pending == nil {
		defer p.mu.Unlock()
		return response{}, nil, &death{err: p.cause, inFlight: 2} // it was over before: not of this request
	}
	p.next++
	q.ID = p.next
	c.timer = time.AfterFunc(p.cfg.Deadline, func() { p.late(c, q.ID) })
	p.pending[q.ID] = c
	p.mu.Unlock()

	select {
	case p.out <- frame{q, payload}:
		select {
		case <-c.done:
			return c.answer, c.payload, c.err
		case <-ctx.Done():
		}
	case <-p.dying:
		<-c.done
		return c.answer, c.payload, c.err
	case <-ctx.Done():
		// It was never sent.
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pending != nil {
			c.timer.Stop()
			delete(p.pending, q.ID)
		}
		return response{}, nil, cancelled(ctx)
	}
	p.mu.Lock()
	if _, ok := p.pending[q.ID]; ok {
		c.slot, s.handed = s, true
	}
	p.mu.Unlock()
	select {
	case p.out <- frame{request{Op: opCancel, ID: q.ID}, nil}:
	case <-c.done:
	case <-p.dying:
	case <-time.After(graceful): // the writer is stuck behind an engine that does not read; the deadline will end it
	}
	return response{}, nil, cancelled(ctx)
}

// late ends a process that has not answered a request in time. Of several that wait to be heard nobody knows which one
// holds the others up.
func (p *process) late(c *pending, id uint64) {
	culprit := id
	p.mu.Lock()
	for other, x := range p.pending {
		if c.hears && x.hears && other != id {
			culprit = 0
		}
	}
	p.mu.Unlock()
	p.kill(fmt.Errorf("the speech engine gave no answer within %v and was ended", p.cfg.Deadline), culprit)
}

// load makes the process read a model once; others who need it wait.
func (p *process) load(ctx context.Context, s *slot, m models.Model) error {
	for {
		p.mu.Lock()
		l, ok := p.loads[m.Digest]
		if !ok {
			l = &loading{done: make(chan struct{})}
			p.loads[m.Digest] = l
		}
		p.mu.Unlock()
		if !ok {
			_, _, l.err = p.roundTrip(ctx, s, request{Op: opLoad, Manifest: &m.Manifest, Dir: m.Dir}, nil)
			if l.err != nil {
				p.forget(m.Digest)
			}
			close(l.done)
			return l.err
		}
		select {
		case <-l.done:
		case <-ctx.Done():
			return cancelled(ctx)
		}
		if evidence.KindOf(l.err) == evidence.KindCancelled {
			continue // the one who loaded it gave up; that is not our error
		}
		if d, ok := errors.AsType[*death](l.err); ok {
			return &death{err: d.err, inFlight: 2}
		}
		return l.err
	}
}

func (p *process) forget(model evidence.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.loads, model)
}

// tail keeps the last bytes written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[max(0, len(b)-tailBytes):]...)
	if len(t.b) > tailBytes {
		t.b = append(t.b[:0], t.b[len(t.b)-tailBytes:]...)
	}
	return len(b), nil
}

// words returns what a person may want to read of it: the lines before a trace of goroutines, at most five.
func (t *tail) words() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, _, _ := strings.Cut(strings.ToValidUTF8(string(t.b), "\uFFFD"), "\ngoroutine ")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, strings.ToValidUTF8(line[:min(len(line), 300)], ""))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "; its last words: " + strings.Join(lines[max(0, len(lines)-5):], " | ")
}
