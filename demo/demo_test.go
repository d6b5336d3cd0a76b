package demo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/demo"
	"github.com/earwitness/earwitness/evidence"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(demo.Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// strict decodes exactly one JSON value with no unknown field.
func strict(t *testing.T, name string, b []byte, v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Fatalf("%s: something follows the object", name)
	}
}

// opusSeconds is the length that an Ogg Opus file states: the last page's granule position less the
// pre-skip, at 48 kHz (RFC 7845, section 4).
func opusSeconds(t *testing.T, b []byte) float64 {
	t.Helper()
	head := bytes.Index(b, []byte("OpusHead"))
	last := bytes.LastIndex(b, []byte("OggS"))
	if head < 0 || last < 0 || len(b) < last+14 || len(b) < head+12 {
		t.Fatal("not an Ogg Opus file")
	}
	skip := binary.LittleEndian.Uint16(b[head+10:])
	return float64(binary.LittleEndian.Uint64(b[last+6:])-uint64(skip)) / 48000
}

func TestTruthAgreesWithTheAudio(t *testing.T) {
	for _, name := range demo.Recordings() {
		truth, err := demo.ReadTruth(name)
		if err != nil {
			t.Fatal(err)
		}
		b := read(t, name)
		sum := sha256.Sum256(b)
		if got := hex.EncodeToString(sum[:]); got != truth.FileSHA256 || truth.File != name {
			t.Errorf("%s has digest %s, its truth speaks of %s with %s", name, got, truth.File, truth.FileSHA256)
		}
		if strings.HasSuffix(name, ".opus") {
			if got := opusSeconds(t, b); math.Abs(got-truth.Seconds) > 0.001 {
				t.Errorf("%s lasts %.3f s, its truth says %.3f s", name, got, truth.Seconds)
			}
		}
		if truth.Text == "" && len(truth.Transmissions) == 0 {
			t.Errorf("%s: its truth says nothing of what is heard", name)
		}
		before := 0.0
		for _, e := range truth.Transmissions {
			switch e.Kind {
			case "speech", "overlap":
				if e.Text == "" || e.From == "" || e.Language == "" || e.SNRDB == 0 {
					t.Errorf("%s, %d: speech lacks text, station, language or level", name, e.ID)
				}
				if e.SpeechStart <= e.Start || e.SpeechEnd <= e.SpeechStart || e.End <= e.SpeechEnd || e.TailEnd <= e.End {
					t.Errorf("%s, %d: key down, speech, key up and tail are not in this order: %+v", name, e.ID, e)
				}
			case "tone", "data", "music", "noise":
				if e.Text != "" || e.What == "" {
					t.Errorf("%s, %d: a sound without words has text, or is not named", name, e.ID)
				}
			default:
				t.Errorf("%s, %d: unknown kind %q", name, e.ID, e.Kind)
			}
			if e.Start < before || e.End <= e.Start || math.Max(e.End, e.TailEnd) > truth.Seconds {
				t.Errorf("%s, %d: %.3f-%.3f s is out of order or outside the recording", name, e.ID, e.Start, e.End)
			}
			before = e.Start
		}
	}
}

func TestTheNetsHoldWhatTheyAreFor(t *testing.T) {
	for _, name := range []string{"net-ru.opus", "net-en.opus"} {
		truth, err := demo.ReadTruth(name)
		if err != nil {
			t.Fatal(err)
		}
		kinds, stations, short := map[string]int{}, map[string]bool{}, 0
		var last demo.Transmission
		for _, e := range truth.Transmissions {
			kinds[e.Kind]++
			if e.Text != "" {
				stations[e.From] = true
				if gap := e.Start - last.TailEnd; last.TailEnd > 0 && gap > 0.3 && gap <= 1 {
					short++
				}
				last = e
			}
		}
		for _, kind := range []string{"speech", "overlap", "tone", "data", "music", "noise"} {
			if kinds[kind] == 0 {
				t.Errorf("%s has no %s", name, kind)
			}
		}
		if len(stations) < 5 || short < 2 {
			t.Errorf("%s has %d stations and %d short pauses of keying", name, len(stations), short)
		}
	}
}

func TestSyntheticRecordingsSaySo(t *testing.T) {
	for _, name := range demo.Recordings() {
		truth, err := demo.ReadTruth(name)
		if err != nil {
			t.Fatal(err)
		}
		side := read(t, demo.Sidecar(name))
		var r evidence.Reception
		strict(t, demo.Sidecar(name), side, &r)
		if r.Note == "" || r.Source == "" || r.HandedInBy == "" {
			t.Errorf("%s: its sidecar lacks note, source or who handed it in", name)
		}
		if r.Synthetic != truth.Synthetic || truth.Synthetic != strings.HasPrefix(name, "net-") {
			t.Errorf("%s: sidecar and truth disagree on whether it is synthetic", name)
		}
		if !truth.Synthetic {
			continue
		}
		if !strings.HasPrefix(r.Note, "SYNTHETIC") || !bytes.Contains(read(t, name), []byte("SYNTHETIC")) {
			t.Errorf("%s: the note in its sidecar or the tags in its bytes do not say SYNTHETIC", name)
		}
		if r.Start == nil || r.FrequencyHz == 0 || r.Mode == "" || r.Receiver == "" {
			t.Errorf("%s: its sidecar lacks start, frequency, mode or receiver", name)
		} else if _, err := time.Parse(time.RFC3339, r.Start.Time); err != nil || r.Start.Basis == "" {
			t.Errorf("%s: start %+v: %v", name, r.Start, err)
		}
	}
}

func TestRealRecordingsCarryTheirSource(t *testing.T) {
	for _, name := range []string{"jfk.SOURCE.txt", "ru_0793.SOURCE.txt", "ru_0793.COPYRIGHT.txt"} {
		if len(read(t, name)) < 200 {
			t.Errorf("%s is too short to be what its name says", name)
		}
	}
}

func TestTheDemoStaysSmall(t *testing.T) {
	var total int64
	err := fs.WalkDir(demo.Files(), ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > 3<<20 {
		t.Errorf("the demo adds %d bytes to the program: at most 3 MiB", total)
	}
}
