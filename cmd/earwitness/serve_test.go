package main_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/earwitness/earwitness/internal/casetest"
	"github.com/earwitness/earwitness/internal/web/api"
)

// served is the real program serving a case, with a browser that opened its link.
type served struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string
	http *http.Client
}

func (s *session) serve(port string) *served {
	s.t.Helper()
	cmd := s.command("-C", s.dir, "serve", "-p", port)
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = s.t.Output()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	link := strings.TrimSpace(first)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &served{s.t, cmd, link[:strings.Index(link, "/open/")], &http.Client{Jar: jar}}
	res, err := v.http.Get(link)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		s.t.Fatal(err)
	}
	return v
}

// end stops the program as Ctrl-C does.
func (v *served) end() {
	v.t.Helper()
	if err := v.cmd.Process.Signal(syscall.SIGINT); err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Wait(); err != nil {
		v.t.Errorf("serve ended with %v", err)
	}
}

func (v *served) do(client *http.Client, method, path string, body any) (int, []byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequest(method, v.url+path, bytes.NewReader(b))
	if err != nil {
		v.t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	got, err := io.ReadAll(res.Body)
	return res.StatusCode, got, cmp.Or(err, res.Body.Close())
}

func (v *served) lines() []api.LineView {
	v.t.Helper()
	_, b, err := v.do(v.http, "GET", "/api/recordings/REC-0001/lines", nil)
	var l api.LinesView
	if err := cmp.Or(err, json.Unmarshal(b, &l)); err != nil {
		v.t.Fatal(err)
	}
	return l.Lines
}

// What is added and run on the screens of the real program is heard; while it serves others cannot write and can read.
func TestServeWorksOnACase(t *testing.T) {
	needEngine(t)
	s := newSession(t)
	v := s.serve("0")
	file, err := os.ReadFile(filepath.Join(casetest.Root(t), "demo", "audio", "jfk.wav"))
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest("POST", v.url+"/api/recordings?name=jfk.wav", bytes.NewReader(file))
	res, err := v.http.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err, res)
	}
	if _, _, err := v.do(v.http, "POST", "/api/jobs/run", struct{}{}); err != nil {
		t.Fatal(err)
	}
	var jobs api.JobsView
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		_, b, err := v.do(v.http, "GET", "/api/jobs", nil)
		if err := cmp.Or(err, json.Unmarshal(b, &jobs)); err != nil {
			t.Fatal(err)
		}
		if jobs.Ended != "" || time.Since(begun) > 2*time.Minute {
			break
		}
	}
	if jobs.Error != "" || jobs.Fraction != 1 {
		t.Errorf("%+v", jobs)
	}
	lines := v.lines()
	if len(lines) != 1 || !strings.Contains(strings.ToLower(lines[0].Text), "ask not what your country") {
		t.Errorf("%+v", lines)
	}
	s.ok("-C", s.dir, "show")
	cmd := s.command("-C", s.dir, "run")
	if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 6 {
		t.Errorf("a second writer: %v\n%s", err, out)
	}
	v.end()
	s.ok("-C", s.dir, "verify")
	if got := s.ok("-C", s.dir, "show", "REC-0001"); !bytes.Contains(bytes.ToLower(got), []byte("ask not")) {
		t.Errorf("%s", got)
	}
}

// cutter is a connection to the server that breaks at random moments, before or after the request went through.
type cutter struct {
	net.Conn
	mu sync.Mutex
	r  *rand.Rand
}

func (c *cutter) chance() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(12) == 0
}

func (c *cutter) Read(p []byte) (int, error) {
	if c.chance() {
		_ = c.Close() // the answer is on its way and never comes
		return 0, io.ErrUnexpectedEOF
	}
	return c.Conn.Read(p)
}

func (c *cutter) Write(p []byte) (int, error) {
	if c.chance() {
		_ = c.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(p)
}

// Two people edit one case while their connections break at random and the server is killed and started again. Every edit
// that was acknowledged is in the history once, and none was written without knowing the one before it.
func TestEditsOutliveBrokenConnections(t *testing.T) {
	needEngine(t)
	s := newSession(t, "jfk.wav")
	s.ok("-C", s.dir, "run", "--quiet")
	long := 8 * time.Second
	if os.Getenv("EARWITNESS_CAMPAIGN") != "" {
		long = 10 * time.Minute
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, for %v", seed, long)
	var mu sync.RWMutex // held for writing while there is no server
	v := s.serve("0")
	span := v.lines()[0].Span
	port := v.url[strings.LastIndex(v.url, ":")+1:]
	type kept struct {
		entry int64
		text  string
	}
	var all sync.WaitGroup
	var keep sync.Mutex
	var acknowledged []kept
	var broken, conflicts, kills int
	until := time.Now().Add(long)
	for who := range 2 {
		r := rand.New(rand.NewPCG(seed, uint64(who)))
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 2, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &cutter{Conn: c, r: rand.New(rand.NewPCG(r.Uint64(), 0))}, err
		}}}
		all.Go(func() {
			replaces := int64(0)
			for n := 0; time.Now().Before(until); n++ {
				e := api.Edit{ID: fmt.Sprintf("%016x%08x%08x", seed, who, n)}
				text := fmt.Sprintf("words %d of editor %d", n, who)
				for {
					e.Utterance = &api.UtteranceEdit{Span: span, Text: text, Language: "en", Replaces: replaces}
					mu.RLock()
					client.Jar = v.http.Jar
					status, body, err := v.do(client, "POST", "/api/recordings/REC-0001/edits", e)
					mu.RUnlock()
					var done api.EditDone
					var problem api.Problem
					if err == nil && status == 200 && json.Unmarshal(body, &done) == nil {
						keep.Lock()
						acknowledged = append(acknowledged, kept{done.Entry, text})
						keep.Unlock()
						replaces = done.Entry
						break
					}
					if err == nil && status == 409 && json.Unmarshal(body, &problem) == nil && problem.Line != nil {
						replaces = problem.Line.Entry
						keep.Lock()
						conflicts++
						keep.Unlock()
						continue
					}
					if err == nil && status != 200 && status != 409 {
						t.Errorf("%d %s", status, body)
						return
					}
					keep.Lock()
					broken++
					keep.Unlock()
				}
			}
		})
	}
	all.Go(func() {
		for time.Now().Before(until.Add(-2 * time.Second)) {
			time.Sleep(2 * time.Second)
			mu.Lock()
			_ = v.cmd.Process.Kill()
			_ = v.cmd.Wait() // killed
			v = s.serve(port)
			kills++
			mu.Unlock()
		}
	})
	all.Wait()
	t.Logf("%d acknowledged, %d conflicts, %d broken connections, %d kills", len(acknowledged), conflicts, broken, kills)
	if len(acknowledged) < 20 || broken == 0 || kills == 0 {
		t.Error("too little happened")
	}
	v.end()
	s.ok("-C", s.dir, "verify")
	inLog := map[int64]string{}
	for sc := bufio.NewScanner(bytes.NewReader(s.ok("-C", s.dir, "log", "--json"))); sc.Scan(); {
		var e struct {
			Index int64
			Entry struct {
				Kind string
				Body struct{ Pieces []struct{ Text string } }
			}
		}
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Entry.Kind == "utterance.written" {
			inLog[e.Index] = e.Entry.Body.Pieces[0].Text
		}
	}
	for _, k := range acknowledged {
		if inLog[k.entry] != k.text {
			t.Errorf("entry %d is %q in the log; %q was acknowledged", k.entry, inLog[k.entry], k.text)
		}
	}
	texts := map[string]int{}
	for _, text := range inLog {
		if texts[text]++; texts[text] > 1 {
			t.Errorf("%q is in the log %d times", text, texts[text])
		}
	}
}
