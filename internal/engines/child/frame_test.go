package child

import (
	"bytes"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	if err := writeFrame(&b, response{ID: 7, Heard: &HearResult{Text: "приём"}}, []byte{1, 2, 3}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x02\x00\x00\x00\x01{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bytes.NewReader(in)
		var a response
		payload, err := readFrame(r, &a)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, a, payload); err != nil {
			t.Fatal(err)
		}
		var c response
		back, err := readFrame(&again, &c)
		if err != nil || !bytes.Equal(back, payload) || c.ID != a.ID || (c.Heard == nil) != (a.Heard == nil) {
			t.Errorf("%+v comes back as %+v, %v", a, c, err)
		}
		if a.Heard != nil && a.Heard.check(1000) == nil {
			if _, err := evidence.Canonical(a.Heard.Heard(5)); err != nil {
				t.Errorf("a result that passed cannot be written: %v", err)
			}
		}
	})
}

func TestFrameEnds(t *testing.T) {
	var a response
	if _, err := readFrame(bytes.NewReader(nil), &a); err != io.EOF {
		t.Errorf("nothing: %v", err)
	}
	for _, s := range []string{"\x00", "\x00\x00\x00\x02\x00\x00\x00\x00", "\x00\x00\x00\x02\x00\x00\x00\x04{}abc"} {
		if _, err := readFrame(bytes.NewReader([]byte(s)), &a); err != io.ErrUnexpectedEOF {
			t.Errorf("%q: %v", s, err)
		}
	}
	if err := writeFrame(io.Discard, response{}, make([]byte, maxPayload+1)); err == nil {
		t.Error("a payload over the limit was written")
	}
}

func TestPayloads(t *testing.T) {
	pcm := []int16{0, 1, -1, math.MaxInt16, math.MinInt16}
	if got, err := decodeSamples(encodeSamples(pcm)); err != nil || !slices.Equal(got, pcm) {
		t.Errorf("%v, %v", got, err)
	}
	p := []float32{0, 1, 0.1, math.SmallestNonzeroFloat32}
	if got, err := decodeFloats(encodeFloats(p)); err != nil || !slices.Equal(got, p) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := decodeSamples(make([]byte, 3)); err == nil {
		t.Error("half a sample was read")
	}
	if _, err := decodeFloats(make([]byte, 5)); err == nil {
		t.Error("a quarter of a probability was read")
	}
}

func TestResultsThatCannotBeTrue(t *testing.T) {
	good := HearResult{State: evidence.HeardWords, Text: "a b", Words: []Word{{To: 5, P: 0.5, Text: "a"}, {From: 5, To: 10, P: 1, Text: "b"}}, Languages: []Language{{"ru", 1}}}
	if err := good.check(10); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*HearResult){
		"no state": func(r *HearResult) { r.State = "" }, "no text": func(r *HearResult) { r.Text = " " }, "broken text": func(r *HearResult) { r.Text = "\xff" },
		"long text": func(r *HearResult) { r.Text = string(make([]byte, 1<<20)) }, "NaN": func(r *HearResult) { r.LogProb = math.NaN() },
		"probability": func(r *HearResult) { r.Words[0].P = 1.5 }, "past the end": func(r *HearResult) { r.Words[1].To = 11 },
		"out of order": func(r *HearResult) { r.Words[0].From, r.Words[0].To = 6, 7 }, "backwards": func(r *HearResult) { r.Words[1].To = 4 },
		"language": func(r *HearResult) { r.Languages[0].Code = "x" }, "empty word": func(r *HearResult) { r.Words[0].Text = "" },
	} {
		r := good
		r.Words, r.Languages = slices.Clone(good.Words), slices.Clone(good.Languages)
		change(&r)
		if r.check(10) == nil {
			t.Errorf("%s passed", name)
		}
	}
}
