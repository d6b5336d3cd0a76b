package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/casefile"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/web/api"
)

// secret is what the machine heard, and first what a listener wrote: no second listener may meet either before time.
const (
	secret = "заправщик"
	first  = "Кедр я Буря топлива осталось на двадцать минут"
)

// site is a server over a real case, with a clock that tests can set.
type site struct {
	t      *testing.T
	c      *casefile.Case
	s      *Server
	http   *httptest.Server
	mu     sync.Mutex
	at     time.Time
	lines  []evidence.Span
	digest evidence.Digest
}

func (x *site) now() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = x.at.Add(time.Millisecond)
	return x.at
}

func (x *site) jump(d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = x.at.Add(d)
}

// newSite makes a case with one recording of a minute, in which a machine has heard three transmissions.
func newSite(t *testing.T) *site {
	t.Helper()
	x := &site{t: t, at: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	ctx := context.Background()
	author := evidence.Author{Kind: "person", Name: "Olia"}
	program := evidence.Author{Kind: "program", Name: "test"}
	c, err := casefile.Create(ctx, filepath.Join(dir, "a.case"), casefile.Options{Title: "A <b>case</b>", Author: author, Program: "test", Now: x.now, Rand: rand.Reader, SeenDir: filepath.Join(dir, "seen")})
	must(t, err)
	x.c = c
	var wav bytes.Buffer
	const samples = 60 * evidence.Rate
	w, err := audio.NewWAVWriter(&wav, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: evidence.Rate}, samples)
	must(t, err)
	pcm := make([]int16, samples)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(float64(i)/7))
	}
	must(t, w.WriteSamples(pcm))
	must(t, w.Close())
	b, err := c.NewBlob(ctx)
	must(t, err)
	_, err = b.Write(wav.Bytes())
	must(t, err)
	x.digest, err = b.Commit(ctx)
	must(t, err)
	_, _, _, err = c.Receive(ctx, author, evidence.RecordingReceived{Digest: x.digest, Name: "net <img src=x onerror=alert(1)>.wav", Size: int64(wav.Len())})
	must(t, err)
	result := func(stage string, sp *evidence.Span, out any) {
		r := evidence.Result{Engine: evidence.Engine{Name: "test", Build: "1"}, Inputs: []evidence.Digest{x.digest}, Machine: "test", Params: json.RawMessage("{}"), Recording: "REC-0001", Span: sp, Stage: stage, Version: 1}
		r.Output, err = evidence.Canonical(out)
		must(t, err)
		r.Key, err = evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params)
		must(t, err)
		_, err = c.Append(ctx, program, evidence.EntryResult, r)
		must(t, err)
	}
	result(evidence.StageDecode, nil, evidence.Decoded{Channels: 1, Codec: "pcm_s16le", Container: "WAV", Rate: evidence.Rate, Samples: samples})
	var found evidence.Detected
	for i := range 3 {
		sp := evidence.Span{From: int64(i+1) * 10 * evidence.Rate, To: int64(i+1)*10*evidence.Rate + 4*evidence.Rate}
		x.lines = append(x.lines, sp)
		found.Transmissions = append(found.Transmissions, evidence.Transmission{Span: sp, Hear: []evidence.Span{sp}, Sound: evidence.SoundSpeech, SnrCB: 2000, SpeechP: 9000})
	}
	result(evidence.StageDetect, nil, found)
	for _, sp := range x.lines {
		word := func(i int64, text string) evidence.Word {
			return evidence.Word{P: 4000 + int(i)*2000, Span: evidence.Span{From: sp.From + i*evidence.Rate, To: sp.From + (i+1)*evidence.Rate}, Text: text}
		}
		result(evidence.StageHear, &sp, evidence.Heard{Language: "ru", Languages: []evidence.Language{{Code: "ru", P: 9000}}, State: evidence.HeardWords, Text: "когда будет " + secret,
			Words: []evidence.Word{word(0, "когда"), word(1, "будет"), word(2, secret)}})
	}
	x.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { x.s.ServeHTTP(w, r) }))
	x.s, err = New(ctx, Options{Case: c, Person: "Olia", Program: "test", Host: x.http.Listener.Addr().String(), URL: "http://" + x.http.Listener.Addr().String(), Accounts: filepath.Join(dir, "state", "accounts.db"), Index: filepath.Join(dir, "derived.db"), Pictures: filepath.Join(dir, "pictures"),
		Now: x.now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	must(t, err)
	x.http.Start()
	t.Cleanup(func() {
		must(t, x.s.Close())
		x.http.Close()
		must(t, c.Close())
	})
	return x
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// browser is a person's browser.
type browser struct {
	x    *site
	http *http.Client
}

func (x *site) enter(name, role string) *browser {
	x.t.Helper()
	jar, err := cookiejar.New(nil)
	must(x.t, err)
	b := &browser{x, &http.Client{Jar: jar}}
	if name != x.s.o.Person {
		_, err := x.c.Append(context.Background(), evidence.Author{Kind: "person", Name: "Olia"}, evidence.EntryPersonAdmitted, evidence.PersonAdmitted{Edit: newEdit().ID, Person: name, Role: role})
		must(x.t, err)
		must(x.t, x.s.follow(context.Background()))
	}
	token, err := x.s.sessions.Invite(name)
	must(x.t, err)
	res, err := b.http.Get(x.http.URL + "/open/" + token)
	must(x.t, err)
	must(x.t, res.Body.Close())
	return b
}

// do sends a request and returns its status and body.
func (b *browser) do(method, path string, body any, headers ...string) (int, string) {
	b.x.t.Helper()
	var r io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(v)
	default:
		j, err := json.Marshal(v)
		must(b.x.t, err)
		r = bytes.NewReader(j)
	}
	req, err := http.NewRequest(method, b.x.http.URL+path, r)
	must(b.x.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	res, err := b.http.Do(req)
	must(b.x.t, err)
	got, err := io.ReadAll(res.Body)
	must(b.x.t, err)
	must(b.x.t, res.Body.Close())
	return res.StatusCode, string(got)
}

func get[T any](b *browser, path string) T {
	b.x.t.Helper()
	status, body := b.do("GET", path, nil)
	return decode[T](b.x.t, status, body)
}

func decode[T any](t *testing.T, status int, body string) T {
	t.Helper()
	var v T
	if status != 200 {
		t.Fatalf("status %d: %.300s", status, body)
	}
	must(t, json.Unmarshal([]byte(body), &v))
	return v
}

var edits struct {
	sync.Mutex
	n int
}

func newEdit() api.Edit {
	edits.Lock()
	defer edits.Unlock()
	edits.n++
	return api.Edit{ID: fmt.Sprintf("%032x", edits.n)}
}

func (b *browser) write(i int, text string, replaces int64) (int, string) {
	e := newEdit()
	e.Utterance = &api.UtteranceEdit{Span: b.x.lines[i], Text: text, Language: "ru", Replaces: replaces}
	return b.do("POST", "/api/recordings/REC-0001/edits", e)
}

func (b *browser) lines() []api.LineView {
	b.x.t.Helper()
	return get[api.LinesView](b, "/api/recordings/REC-0001/lines").Lines
}

func TestLinkOpensOnce(t *testing.T) {
	x := newSite(t)
	link, err := x.s.Link()
	must(t, err)
	jar, _ := cookiejar.New(nil)
	b := &browser{x, &http.Client{Jar: jar}}
	if status, _ := b.do("GET", "/api/case", nil); status != 401 {
		t.Errorf("without a session: %d", status)
	}
	path := strings.TrimPrefix(link, x.http.URL)
	b.do("GET", path, nil) // leads to the front end, which this server has not
	if v := get[api.SessionView](b, "/api/session"); v.Person != "Olia" || v.Blind || len(v.May) != 7 {
		t.Errorf("%+v", v)
	}
	other, _ := cookiejar.New(nil)
	if status, body := (&browser{x, &http.Client{Jar: other}}).do("GET", path, nil); status != 401 || !strings.Contains(body, "used before") {
		t.Errorf("a second time: %d %s", status, body)
	}
	x.jump(13 * time.Hour)
	if status, body := b.do("GET", "/api/case", nil); status != 401 || !strings.Contains(body, `"kind":"session"`) {
		t.Errorf("after 13 hours: %d %s", status, body)
	}
	late, err := x.s.Link()
	must(t, err)
	x.jump(2 * time.Hour)
	if status, _ := b.do("GET", strings.TrimPrefix(late, x.http.URL), nil); status != 401 {
		t.Errorf("a link after two hours: %d", status)
	}
}

// Somebody is admitted, enters by link, comes back by password, changes roles, and leaves; the case says who allowed it.
func TestPeopleAreAdmitted(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	admit := func(role string, replaces int64) (int, string) {
		return b.do("POST", "/api/people", api.Admit{ID: newEdit().ID, Person: "Oksana <b>", Role: role, Replaces: replaces})
	}
	status, body := admit(evidence.RoleReviewer, 0)
	link := decode[api.Invitation](t, status, body).Link
	jar, _ := cookiejar.New(nil)
	other := &browser{x, &http.Client{Jar: jar}}
	other.do("GET", strings.TrimPrefix(link, x.http.URL), nil)
	if v := get[api.SessionView](other, "/api/session"); v.Person != "Oksana <b>" || !v.Blind || v.Role != evidence.RoleReviewer {
		t.Errorf("%+v", v)
	}
	if status, body := other.do("POST", "/api/session/password", api.Login{Password: "short"}); status != 400 {
		t.Errorf("a short password: %d %s", status, body)
	}
	const password = "три слова подряд"
	if status, body := other.do("POST", "/api/session/password", api.Login{Password: password}); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	other.do("POST", "/api/session/end", nil)
	if status, _ := other.do("GET", "/api/case", nil); status != 401 {
		t.Errorf("after the session was ended: %d", status)
	}
	for _, wrong := range []api.Login{{Person: "Oksana <b>", Password: "другие слова здесь"}, {Person: "nobody", Password: password}, {Person: "Oksana <b>"}} {
		if status, body := other.do("POST", "/api/login", wrong); status != 403 || !strings.Contains(body, "name or password is not right") {
			t.Errorf("%+v: %d %s", wrong, status, body)
		}
	}
	if status, body := other.do("POST", "/api/login", api.Login{Person: "Oksana <b>", Password: password}); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	var now api.PersonView
	for _, p := range get[[]api.PersonView](other, "/api/people") {
		if p.Person == "Oksana <b>" {
			now = p
		}
	}
	if !now.Password || now.Owner || now.Entry == 0 {
		t.Errorf("%+v", now)
	}
	if status, _ := admit(evidence.RoleListener, 0); status != 409 {
		t.Errorf("a role given without knowing the one before: %d", status)
	}
	admit(evidence.RoleListener, now.Entry)
	if v := get[api.SessionView](other, "/api/session"); v.Blind || v.Role != evidence.RoleListener {
		t.Errorf("the new role does not hold at once: %+v", v)
	}
	if status, body := admit("god", now.Entry); status != 400 || !strings.Contains(body, "the roles are") {
		t.Errorf("%d %s", status, body)
	}
	for _, p := range get[[]api.PersonView](b, "/api/people") {
		if p.Person == "Oksana <b>" {
			admit("", p.Entry)
		}
	}
	if status, _ := other.do("GET", "/api/recordings", nil); status != 403 {
		t.Errorf("after leaving: %d", status)
	}
	if status, _ := other.do("POST", "/api/login", api.Login{Person: "Oksana <b>", Password: password}); status != 403 {
		t.Errorf("coming back after leaving: %d", status)
	}
	for range 12 {
		status, body = other.do("POST", "/api/login", api.Login{Person: "Olia", Password: "guess after guess"})
	}
	if status != 409 || !strings.Contains(body, "too many") {
		t.Errorf("guessing goes on: %d %s", status, body)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	for _, c := range []struct {
		what    string
		method  string
		headers []string
		want    int
	}{
		{"another host name", "GET", []string{"Host", "evil.example"}, 421},
		{"another port of this machine", "GET", []string{"Host", "127.0.0.1:1"}, 421},
		{"a write from another origin", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"a write from another site by its fetch metadata", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a write from a file", "POST", []string{"Origin", "null"}, 403},
		{"a write of ours", "POST", []string{"Origin", x.http.URL, "Sec-Fetch-Site", "same-origin"}, 200},
	} {
		path := "/api/case"
		if c.method == "POST" {
			path = "/api/presence"
		}
		if status, body := b.do(c.method, path, nil, c.headers...); status != c.want {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
	}
}

func TestTextIsCorrected(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	before := b.lines()
	if len(before) != 3 || before[0].State != "draft" || before[0].Machine == "" || before[0].Entry != 0 || before[0].Words[0].P != 4000 {
		t.Fatalf("%+v", before)
	}
	e := newEdit()
	e.Utterance = &api.UtteranceEdit{Span: x.lines[0], Text: " Кедр, я [Буря / буря]. [inaudible 1.2 s] ", Language: "ru"}
	status, body := b.do("POST", "/api/recordings/REC-0001/edits", e)
	done := decode[api.EditDone](t, status, body)
	if done.Again || len(done.Lines) != 1 || done.Lines[0].State != "corrected" || done.Lines[0].Author != "Olia" || done.Lines[0].Text != "Кедр, я [Буря / буря]. [inaudible 1.2 s]" || done.Lines[0].Entry != done.Entry || len(done.Lines[0].Pieces) != 4 {
		t.Errorf("%+v", done)
	}
	if done.Lines[0].Machine != before[0].Text {
		t.Errorf("the machine's words are gone: %+v", done.Lines[0])
	}
	status, body = b.do("POST", "/api/recordings/REC-0001/edits", e)
	if again := decode[api.EditDone](t, status, body); !again.Again || again.Entry != done.Entry {
		t.Errorf("sent twice: %+v", again)
	}
	other := e
	other.Utterance = &api.UtteranceEdit{Span: x.lines[1], Text: "другое", Language: "ru"}
	if status, body := b.do("POST", "/api/recordings/REC-0001/edits", other); status != 409 || !strings.Contains(body, "something else") {
		t.Errorf("other words under the same digits are answered as done: %d %s", status, body)
	}
	if status, body := x.enter("Petro", evidence.RoleListener).do("POST", "/api/recordings/REC-0001/edits", e); status != 409 {
		t.Errorf("somebody else's edit under the same digits: %d %s", status, body)
	}
	// Somebody else, who has not seen it, writes.
	status, body = x.enter("Mykola", evidence.RoleListener).write(0, "не видел", 0)
	var p api.Problem
	must(t, json.Unmarshal([]byte(body), &p))
	if status != 409 || p.Line == nil || p.Line.Text != done.Lines[0].Text || p.Line.Entry != done.Entry {
		t.Errorf("%d %+v", status, p)
	}
	tr := newEdit()
	tr.Translation = &api.TranslationEdit{Span: x.lines[0], Text: "Kedr, this is Burya", Language: "en", Of: done.Lines[0].Basis}
	status, body = b.do("POST", "/api/recordings/REC-0001/edits", tr)
	if v := decode[api.EditDone](t, status, body).Lines[0].Translation; v == nil || v.State != "translated" || v.Author != "Olia" {
		t.Errorf("%+v", v)
	}
	status, body = b.write(0, "Кедр, я Буря", done.Entry)
	line := decode[api.EditDone](t, status, body).Lines[0]
	if line.Translation.State != "stale" || line.Text != "Кедр, я Буря" {
		t.Errorf("%+v", line.Translation)
	}
	// Taking the words back shows the machine's again.
	status, body = b.write(0, "", line.Entry)
	if line = decode[api.EditDone](t, status, body).Lines[0]; line.State != "draft" || line.Text != before[0].Text || line.Entry == 0 {
		t.Errorf("%+v", line)
	}
	history := get[[]api.EntryView](b, fmt.Sprintf("/api/recordings/REC-0001/lines/%d-%d/history", x.lines[0].From, x.lines[0].To))
	if len(history) != 4 || history[0].Text != "Кедр, я [Буря / буря]. [inaudible 1.2 s]" || history[3].Replaces == 0 {
		t.Errorf("%+v", history)
	}
	if a := get[api.SearchView](b, "/api/search?q=state:draft"); a.Total != 3 || a.Facets[0].Values[0].Count != 3 {
		t.Errorf("%+v", a)
	}
}

// What was taken off can be set again, by who does not know of it.
func TestMarksComeAndGo(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	set := func(off bool, replaces int64) api.LineView {
		e := newEdit()
		e.Mark = &api.MarkEdit{Span: x.lines[0], Mark: evidence.MarkDistress, Off: off, Replaces: replaces}
		status, body := b.do("POST", "/api/recordings/REC-0001/edits", e)
		return decode[api.EditDone](t, status, body).Lines[0]
	}
	for range 3 {
		on := set(false, 0)
		if len(on.Marks) != 1 || on.Marks[0].By != "Olia" {
			t.Fatalf("%+v", on.Marks)
		}
		if off := set(true, on.Marks[0].Entry); len(off.Marks) != 0 {
			t.Errorf("%+v", off.Marks)
		}
	}
}

func TestBoundariesAreCut(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	sp := x.lines[0]
	middle := sp.From + 2*evidence.Rate
	one, two := evidence.Span{From: sp.From, To: middle}, evidence.Span{From: middle, To: sp.To}
	e := newEdit()
	e.Cut = &api.CutEdit{Was: []evidence.Span{sp}, Now: []evidence.Span{one, two}, Texts: []string{"когда будет", "[inaudible 1.0 s]"}, Language: "ru"}
	status, body := b.do("POST", "/api/recordings/REC-0001/edits", e)
	done := decode[api.EditDone](t, status, body)
	if len(done.Lines) != 2 || done.Lines[0].Text != "когда будет" || done.Lines[1].Machine != secret || !done.Lines[1].Cut {
		t.Fatalf("%+v", done)
	}
	status, _ = b.write(0, "на том, чего больше нет", 0)
	if status != 409 {
		t.Errorf("writing on what was cut: %d", status)
	}
	back := newEdit()
	back.Cut = &api.CutEdit{Was: []evidence.Span{one, two}, Now: []evidence.Span{sp}, Texts: []string{}}
	status, body = b.do("POST", "/api/recordings/REC-0001/edits", back)
	if done = decode[api.EditDone](t, status, body); len(done.Lines) != 1 || done.Lines[0].Span != sp || done.Lines[0].Text != "когда будет "+secret {
		t.Errorf("undone: %+v", done)
	}
	again := newEdit()
	again.Cut = e.Cut
	status, body = b.do("POST", "/api/recordings/REC-0001/edits", again)
	if done = decode[api.EditDone](t, status, body); len(done.Lines) != 2 || done.Lines[0].Text != "когда будет" {
		t.Errorf("redone: %+v", done)
	}
	if n := len(b.lines()); n != 4 {
		t.Errorf("%d lines", n)
	}
}

// A second listener meets neither the machine's words nor the first listener's on any route before they have played and
// written their own.
func TestSecondListenerIsBlind(t *testing.T) {
	x := newSite(t)
	one, two := x.enter("Olia", evidence.RoleListener), x.enter("Oksana", evidence.RoleReviewer)
	for i := range x.lines {
		status, body := one.write(i, first, 0)
		entry := decode[api.EditDone](t, status, body).Entry
		tr := newEdit()
		tr.Translation = &api.TranslationEdit{Span: x.lines[i], Text: "translated secretly", Language: "en", Of: entry}
		one.do("POST", "/api/recordings/REC-0001/edits", tr)
		st := newEdit()
		st.Stations = &api.StationsEdit{Span: x.lines[i], From: &evidence.Station{Basis: "named", CallSign: "тайный позывной"}}
		one.do("POST", "/api/recordings/REC-0001/edits", st)
		mk := newEdit()
		mk.Mark = &api.MarkEdit{Span: x.lines[i], Mark: "distress", Note: "secret note"}
		one.do("POST", "/api/recordings/REC-0001/edits", mk)
	}
	told := []string{secret, "топлива", "translated secretly", "тайный", "secret note"}
	routes := func() []string {
		var out []string
		for _, r := range x.s.routes {
			method, path, _ := strings.Cut(r.pattern, " ")
			if method != "GET" || strings.HasSuffix(path, "/events") {
				continue
			}
			path = strings.NewReplacer("{id}", "REC-0001", "{span}", fmt.Sprintf("%d-%d", x.lines[1].From, x.lines[1].To), "{level}", "0", "{tile}", "0").Replace(path)
			switch {
			case strings.HasSuffix(path, "/search"):
				for _, q := range []string{secret, "топлива", "state:corrected", "буря", ""} {
					out = append(out, path+"?q="+q)
				}
			case strings.HasSuffix(path, "/clip.wav"):
				out = append(out, path+"?from=0&to=16000")
			case strings.HasSuffix(path, "/export"):
				for _, f := range []string{"srt", "vtt", "jsonl", "csv"} {
					out = append(out, path+"?format="+f)
				}
			default:
				out = append(out, path, path+"?to=en")
			}
		}
		return out
	}
	nothing := func(when string, only int) {
		t.Helper()
		for _, path := range routes() {
			_, body := two.do("GET", path, nil)
			for _, w := range told {
				if strings.Contains(body, w) {
					t.Errorf("%s: %s tells %q", when, path, w)
				}
			}
			if strings.Contains(path, "search?q=") && len(path) > len("/api/search?q=") && strings.HasPrefix(body, `{"total":`) && !strings.HasPrefix(body, `{"total":0`) && only < 0 {
				t.Errorf("%s: %s tells that it is there: %.200s", when, path, body)
			}
		}
	}
	nothing("before", -1)
	if status, body := two.write(1, "слышу сама", 0); status != 403 || strings.Contains(body, "топлива") {
		t.Errorf("writing before playing: %d %s", status, body)
	}
	// A conflict must not tell, either.
	e := newEdit()
	e.Translation = &api.TranslationEdit{Span: x.lines[1], Text: "x", Language: "en", Of: 1}
	if status, body := two.do("POST", "/api/recordings/REC-0001/edits", e); status != 403 || strings.Contains(body, "translated") {
		t.Errorf("translating: %d %s", status, body)
	}
	e = newEdit()
	e.Stations = &api.StationsEdit{Span: x.lines[1], From: &evidence.Station{Basis: "named", CallSign: "Б"}}
	if status, body := two.do("POST", "/api/recordings/REC-0001/edits", e); status != 409 || strings.Contains(body, "тайный") {
		t.Errorf("a conflict: %d %s", status, body)
	}
	status, body := two.do("POST", "/api/recordings/REC-0001/played", map[string]any{"span": x.lines[1]})
	if v := decode[api.LineView](t, status, body); !v.Hidden || !v.Played || strings.Contains(body, "топлива") {
		t.Errorf("played: %s", body)
	}
	nothing("after playing", -1)
	status, body = two.write(1, "Кедр, я Буря: топлива осталось на 20 минут.", 0)
	mine := decode[api.EditDone](t, status, body).Lines[0]
	if mine.Hidden || mine.State != "disputed" || mine.Text != first || mine.Rival == "" || mine.RivalBy != "Oksana" {
		t.Errorf("having written: %+v", mine)
	}
	if hidden := two.lines()[0]; !hidden.Hidden || hidden.Text != "" || hidden.Machine != "" || len(hidden.Words) != 0 {
		t.Errorf("the line before it: %+v", hidden)
	}
	// They agree after all.
	status, body = two.write(1, "кедр — я буря. Топлива осталось на двадцать минут!", mine.Entry)
	if v := decode[api.EditDone](t, status, body).Lines[0]; v.State != "verified" || v.Author != "Olia" || v.Second != "Oksana" {
		t.Errorf("agreed: %+v", v)
	}
	// The first listener changes their words afterwards: nobody else has heard these.
	status, body = one.write(1, first+" всего", one.lines()[1].Entry)
	if v := decode[api.EditDone](t, status, body).Lines[0]; v.State != "disputed" {
		t.Errorf("changed after agreement: %+v", v)
	}
}

// Who has written about a line has seen the others' words: as a second listener they are no second listener of it.
func TestWhoHasSeenIsNotBlind(t *testing.T) {
	x := newSite(t)
	one, two := x.enter("Olia", evidence.RoleAdmin), x.enter("Oksana", evidence.RoleListener)
	status, body := two.write(0, "Кедр", 0)
	mine := decode[api.EditDone](t, status, body).Entry
	status, body = one.write(0, "Кедр, приём", mine)
	theirs := decode[api.EditDone](t, status, body).Entry
	for _, p := range get[[]api.PersonView](one, "/api/people") {
		if p.Person == "Oksana" {
			status, body = one.do("POST", "/api/people", api.Admit{ID: newEdit().ID, Person: "Oksana", Role: evidence.RoleReviewer, Replaces: p.Entry})
		}
	}
	decode[api.Invitation](t, status, body)
	two.do("POST", "/api/recordings/REC-0001/played", map[string]any{"span": x.lines[0]})
	if v := two.lines(); v[0].Hidden || !v[1].Hidden {
		t.Errorf("hidden: %v, %v", v[0].Hidden, v[1].Hidden)
	}
	status, body = two.write(0, "Кедр, приём", theirs)
	if v := decode[api.EditDone](t, status, body).Lines[0]; v.State != "corrected" {
		t.Errorf("verified by who had seen it: %+v", v)
	}
}

// Each role may do what it is for, on every route.
func TestRolesAndRoutes(t *testing.T) {
	x := newSite(t)
	roles := []string{evidence.RoleCollector, evidence.RoleListener, evidence.RoleTranslator, evidence.RoleInvestigator, evidence.RoleReviewer, evidence.RoleEditor, evidence.RoleAdmin}
	by := map[string]*browser{}
	for _, role := range roles {
		by[role] = x.enter("a "+role, role)
	}
	nobody := &browser{x, &http.Client{}}
	for _, rt := range x.s.routes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		if strings.HasSuffix(path, "/events") || strings.HasSuffix(path, "/end") {
			continue
		}
		path = strings.NewReplacer("{id}", "REC-0001", "{span}", "160000-224000", "{level}", "0", "{tile}", "0").Replace(path)
		if status, _ := nobody.do(method, path, nil); status != 401 {
			t.Errorf("%s without a session: %d", rt.pattern, status)
		}
		for _, role := range roles {
			status, body := by[role].do(method, path, nil)
			may := rt.right == "" || (people.Person{Role: role}).May(rt.right)
			if (status == 403) == may {
				t.Errorf("%s as %s: %d %.200s", rt.pattern, role, status, body)
			}
		}
	}
	// An edit needs the right for what is in it.
	for _, role := range roles {
		for right, e := range map[string]api.Edit{
			people.RightWrite:     {Mark: &api.MarkEdit{Span: evidence.Span{From: 0, To: 1}, Mark: "return"}},
			people.RightTranslate: {Translation: &api.TranslationEdit{Span: evidence.Span{From: 0, To: 1}, Text: "x", Language: "en", Of: 1}},
		} {
			e.ID = newEdit().ID
			status, body := by[role].do("POST", "/api/recordings/REC-0001/edits", e)
			if (status == 403) == (people.Person{Role: role}).May(right) {
				t.Errorf("%s as %s: %d %s", right, role, status, body)
			}
		}
	}
}

func TestBadRequests(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	edit := func(text string) string {
		return fmt.Sprintf(`{"id":"%s","utterance":{"span":{"from":160000,"to":224000},"text":%s,"language":"ru","replaces":0}}`, newEdit().ID, text)
	}
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for _, c := range []struct {
		what, path, body string
		want             int
	}{
		{"not JSON", "edits", "{", 400},
		{"an unknown field", "edits", `{"id":"x","admin":true}`, 400},
		{"no edit in it", "edits", `{"id":"00000000000000000000000000000000"}`, 400},
		{"invalid UTF-8", "edits", edit("\"\xff\xfe\""), 400},
		{"a lone surrogate, which is no character", "edits", edit(`"\ud800"`), 200},
		{"a span outside of the recording", "edits", strings.Replace(edit(`"x"`), "224000", "99999999", 1), 400},
		{"nine megabytes", "edits", edit(quoted(strings.Repeat("я", 5<<20))), 413},
		{"an id that is none", "edits", strings.Replace(edit(`"x"`), `{"id":"0`, `{"id":"G`, 1), 400},
		{"no such recording", "../REC-0099/edits", edit(`"x"`), 404},
	} {
		status, body := b.do("POST", "/api/recordings/REC-0001/"+c.path, c.body)
		if c.path != "edits" {
			status, body = b.do("POST", "/api/recordings/REC-0099/edits", c.body)
		}
		if status != c.want {
			t.Errorf("%s: %d %.200s", c.what, status, body)
		}
	}
	// A megabyte in one field is odd, and kept.
	long := strings.Repeat("слово ", 1<<20/11)
	status, body := b.write(1, long, 0)
	if v := decode[api.EditDone](t, status, body); v.Lines[0].Text != strings.TrimSpace(long) {
		t.Errorf("a megabyte came back as %d bytes", len(v.Lines[0].Text))
	}
	for _, text := range []string{"<script>alert(1)</script>", "\u202eтекст\u202c", "А\u0430A homoglyphs", "line\nbreak\x00"} {
		status, body := b.write(2, text, b.lines()[2].Entry)
		if v := decode[api.EditDone](t, status, body); v.Lines[0].Text != strings.TrimSpace(text) {
			t.Errorf("%q came back as %q", text, v.Lines[0].Text)
		}
	}
	for path, want := range map[string]int{"/api/recordings/REC-0001/clip.wav?from=5&to=5": 400, "/api/recordings/REC-0001/clip.wav?from=0&to=99999999": 400, "/api/recordings/REC-0001/peaks/x/0": 400,
		"/api/recordings/REC-0001/peaks/0/99999": 404, "/api/nothing": 404, "/api/search?q=" + "state:nonsense": 400} {
		if status, body := b.do("GET", path, nil); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestSoundIsExact(t *testing.T) {
	x := newSite(t)
	b := x.enter("Olia", evidence.RoleAdmin)
	sample := func(i int64) int16 { return int16(8000 * math.Sin(float64(i)/7)) }
	status, clip := b.do("GET", "/api/recordings/REC-0001/clip.wav?from=12345&to=54321", nil)
	if status != 200 || len(clip) != 44+2*(54321-12345) {
		t.Fatalf("%d, %d bytes", status, len(clip))
	}
	for i := range int64(54321 - 12345) {
		if got := int16(binary.LittleEndian.Uint16([]byte(clip[44+2*i:]))); got != sample(12345+i) {
			t.Fatalf("sample %d of the clip is %d, not %d", i, got, sample(12345+i))
		}
	}
	for _, at := range []int64{0, 43, 44, 45, 1001, 44 + 2*900000} {
		_, part := b.do("GET", "/api/recordings/REC-0001/sound.wav", nil, "Range", fmt.Sprintf("bytes=%d-%d", at, at+9999))
		_, all := b.do("GET", "/api/recordings/REC-0001/sound.wav", nil)
		if part != all[at:at+10000] {
			t.Errorf("bytes %d on differ from the whole", at)
		}
	}
}

// Fifty people write a thousand edits each at once, and each connection breaks now and then after the request was sent: what
// was answered is in the history, once.
func TestFiftyEditors(t *testing.T) {
	x := newSite(t)
	editors, each := 50, 20
	if !testing.Short() {
		each = 40
	}
	type kept struct {
		entry int64
		text  string
	}
	var mu sync.Mutex
	var done []kept
	var all sync.WaitGroup
	for p := range editors {
		b := x.enter(fmt.Sprintf("person %d", p), evidence.RoleListener)
		all.Go(func() {
			replaces := int64(0)
			for n := range each {
				text := fmt.Sprintf("слова %d человека %d", n, p)
				e := newEdit()
				for {
					e.Utterance = &api.UtteranceEdit{Span: x.lines[p%3], Text: text, Language: "ru", Replaces: replaces}
					status, body := b.do("POST", "/api/recordings/REC-0001/edits", e)
					if n%7 == p%7 { // the answer was lost: it is sent again
						status, body = b.do("POST", "/api/recordings/REC-0001/edits", e)
					}
					if status == 200 {
						v := decode[api.EditDone](t, status, body)
						mu.Lock()
						done = append(done, kept{v.Entry, text})
						mu.Unlock()
						replaces = v.Entry
						break
					}
					if status != 409 {
						t.Errorf("%d %s", status, body)
						return
					}
					var problem api.Problem
					if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Line == nil {
						t.Errorf("a conflict without the line: %s", body)
						return
					}
					replaces = problem.Line.Entry
				}
			}
		})
	}
	all.Wait()
	if len(done) != editors*each {
		t.Fatalf("%d of %d were answered", len(done), editors*each)
	}
	seen := map[int64]bool{}
	for _, k := range done {
		e, err := x.c.Read(context.Background(), k.entry)
		must(t, err)
		u, err := evidence.DecodeBody[evidence.UtteranceWritten](e, evidence.EntryUtteranceWritten)
		must(t, err)
		if evidence.Wording(u.Pieces) != k.text || seen[k.entry] {
			t.Errorf("entry %d says %q, %q was acknowledged", k.entry, evidence.Wording(u.Pieces), k.text)
		}
		seen[k.entry] = true
	}
}
