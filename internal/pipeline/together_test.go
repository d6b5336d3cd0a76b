package pipeline_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

// halting is a recording in noise of a talker who pauses, so that two transmissions are heard in one.
func halting() string {
	var pcm []byte
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 24 * evidence.Rate {
		at := float64(i) / evidence.Rate
		v := 300 * r.NormFloat64()
		if (at > 8 && at < 10.2) || (at > 11 && at < 13.2) {
			v += 2500 * math.Sin(float64(i)*0.31) * (0.6 + 0.4*math.Sin(float64(i)*0.002))
		}
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return wav(pcm)
}

// wav puts a header before 16 kHz mono samples.
func wav(pcm []byte) string {
	h := []byte("RIFF____WAVEfmt ")
	binary.LittleEndian.PutUint32(h[4:], uint32(36+len(pcm)))
	for _, x := range []uint32{16, 1 | 1<<16, evidence.Rate, 2 * evidence.Rate, 2 | 16<<16} {
		h = binary.LittleEndian.AppendUint32(h, x)
	}
	return string(binary.LittleEndian.AppendUint32(append(h, "data"...), uint32(len(pcm)))) + string(pcm)
}

// counted says as many words as a burst has half seconds, and commas between them.
func counted(h *evidence.Heard) {
	n := h.Words[0].Span.To / (evidence.Rate / 2)
	h.Words, h.Text = nil, ""
	for i := range n {
		w := strings.Repeat("a", int(i)+1)
		h.Words = append(h.Words, evidence.Word{Text: w, P: 9000, Span: evidence.Span{From: i * evidence.Rate / 2, To: (i + 1) * evidence.Rate / 2}})
		h.Text += w + ", "
	}
	h.Text = strings.TrimSuffix(h.Text, " ")
}

func TestHeardInOne(t *testing.T) {
	b := newBench(t, halting())
	b.e.says = counted
	s := b.run()
	lines := b.lines()
	if len(lines) != 2 || s.Heard != 2 || b.e.calls != 1 {
		t.Fatalf("%d lines, %+v, the recogniser was asked %d times", len(lines), s, b.e.calls)
	}
	var words []string
	for _, l := range lines {
		if len(l.Words) < 3 || l.State != transcript.StateDraft {
			t.Fatalf("%+v", l)
		}
		var texts []string
		for _, w := range l.Words {
			texts = append(texts, w.Word)
		}
		if want := strings.Join(texts, ", ") + ","; l.Text != want {
			t.Errorf("%q for the words %q", l.Text, want)
		}
		words = append(words, texts...)
	}
	for i, w := range words {
		if len(w) != i+1 {
			t.Fatalf("a word is missing, or stands twice: %v", words)
		}
	}
	if a, b := lines[0].Words[len(lines[0].Words)-1], lines[1].Words[0]; a.End > 11 || b.Start < 10 {
		t.Errorf("the cut is between %v and %v", a, b)
	}
	if again := b.run(); again.Heard != 0 || b.e.calls != 1 {
		t.Errorf("heard again: %+v", again)
	}
}

// A recogniser that gives no times of words cannot say which transmission they belong to.
func TestHeardInOneWithoutTimes(t *testing.T) {
	b := newBench(t, halting())
	b.e.says = func(h *evidence.Heard) { h.Words = nil }
	b.run()
	lines := b.lines()
	if len(lines) != 2 || lines[0].Text == "" || lines[1].State != transcript.StateNotUnderstood || !strings.Contains(lines[1].Reason, "before") {
		t.Errorf("%+v", lines)
	}
}

func TestTogetherOneFails(t *testing.T) {
	b := newBench(t, halting())
	b.e.err = evidence.Invalid("deaf")
	if s := b.run(); s.Heard != 0 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}
	for _, l := range b.lines() {
		if l.State != transcript.StateFailed {
			t.Errorf("%+v", l)
		}
	}
	b.e.err, b.o.Retry = nil, true
	if s := b.run(); s.Heard != 2 || s.Failed != 0 {
		t.Errorf("again: %+v", s)
	}
}

func TestTranslationsOfWhatIsHeardInOne(t *testing.T) {
	b := newBench(t, halting())
	b.e.says = func(h *evidence.Heard) { counted(h); russian(h) }
	i := &interpreter{build: "1"}
	b.o.Translator = i
	if s := b.run(); s.Translated != 2 || i.calls != 2 {
		t.Errorf("%+v", s)
	}
	if l := b.lines(); l[0].Translation == nil || l[1].Translation == nil || l[0].Translation.Text == l[1].Translation.Text && l[0].Samples.Len() != l[1].Samples.Len() {
		t.Errorf("%+v %+v", l[0].Translation, l[1].Translation)
	}
}
