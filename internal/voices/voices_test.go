package voices

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// made up gives n voices about k directions: those of one direction are alike by about 0.9, others by about 0.
func madeUp(n, k int, seed uint64) []Voice {
	r := rand.New(rand.NewPCG(seed, 1))
	unit := func(v []float64) []float64 {
		s := 0.0
		for _, x := range v {
			s += x * x
		}
		for i := range v {
			v[i] /= math.Sqrt(s)
		}
		return v
	}
	random := func() []float64 {
		v := make([]float64, 64)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return unit(v)
	}
	var centres [][]float64
	for range k {
		centres = append(centres, random())
	}
	all := make([]Voice, n)
	for i := range all {
		v, off := slices.Clone(centres[i%k]), random()
		for j := range v {
			v[j] += off[j] / 3
		}
		all[i] = Voice{Recording: "REC-0001", Span: evidence.Span{From: int64(i) * 100, To: int64(i)*100 + 90}, Entry: int64(i), Seconds: 4, SnrDB: 20, vector: unit(v)}
	}
	return all
}

// slow joins the two groups with the greatest mean likeness, pair by pair, until none reaches the threshold.
func slow(all []Voice, threshold float64) [][]int {
	var groups [][]int
	for i := range all {
		groups = append(groups, []int{i})
	}
	for {
		best, a, b := threshold, -1, -1
		for i := range groups {
			for j := range i {
				s := 0.0
				for _, x := range groups[i] {
					for _, y := range groups[j] {
						s += Like(all[x], all[y])
					}
				}
				if s /= float64(len(groups[i]) * len(groups[j])); s >= best {
					best, a, b = s, i, j
				}
			}
		}
		if a < 0 {
			return groups
		}
		groups[b] = append(groups[b], groups[a]...)
		groups = slices.Delete(groups, a, a+1)
	}
}

func TestGroupsAreThoseOfAverageLinkage(t *testing.T) {
	for seed := range uint64(8) {
		all := madeUp(30, 4, seed)
		for _, threshold := range []float64{0.05, 0.5, 0.83, 0.9, 0.93, 0.999} {
			got, err := Groups(all, threshold, false)
			if err != nil {
				t.Fatal(err)
			}
			var a, b []string
			for _, g := range got {
				var m []int64
				for _, v := range g.Voices {
					m = append(m, v.Entry)
				}
				a = append(a, fmt.Sprint(m))
			}
			for _, g := range slow(all, threshold) {
				slices.Sort(g)
				b = append(b, fmt.Sprint(g))
			}
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("seed %d, threshold %v: %v, want %v", seed, threshold, a, b)
			}
		}
	}
	if _, err := Groups(madeUp(3, 1, 1), math.NaN(), true); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("a threshold that is no number: %v", err)
	}
	if got, err := Groups(nil, 0.8, true); err != nil || len(got) != 0 {
		t.Errorf("no voices: %v, %v", got, err)
	}
	same := make([]Voice, 5) // ties everywhere
	for i := range same {
		same[i] = madeUp(1, 1, 1)[0]
	}
	if got, err := Groups(same, 0.9, false); err != nil || len(got) != 1 || math.Abs(got[0].Inside-1) > 1e-9 {
		t.Errorf("the same voice five times: %+v, %v", got, err)
	}
}

// What is too little for long speech is enough for short speech, which is less alike with itself.
func TestGroupsGoByLength(t *testing.T) {
	pair := func(seconds float64) []Voice {
		return []Voice{{Entry: 1, Seconds: seconds, vector: []float64{1, 0}}, {Entry: 2, Seconds: seconds, vector: []float64{0.85, math.Sqrt(1 - 0.85*0.85)}}}
	}
	for seconds, want := range map[float64]int{1.5: 1, 2: 1, 4: 1, 8: 2, 60: 2} {
		if got, err := Groups(pair(seconds), Threshold, true); err != nil || len(got) != want {
			t.Errorf("%v s: %d groups, want %d (%v)", seconds, len(got), want, err)
		}
	}
	if Typical(3) <= Typical(2) || Typical(3) >= Typical(4) {
		t.Errorf("typical at 3 s: %v", Typical(3))
	}
}

func TestAlikeSaysWhatItIsWorth(t *testing.T) {
	all := madeUp(6, 2, 3)
	all[3].SnrDB = Noisiest - 1
	got, err := Alike(all[0], all, true)
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].Voice.Entry%2 != 0 || got[0].Likeness < got[1].Likeness || !strings.HasPrefix(got[0].Meaning(), "more alike than 95 in 100 different") || !strings.HasPrefix(got[3].Meaning(), "less alike") {
		t.Errorf("%+v", got)
	}
	if got, _ := Alike(all[0], all, false); got[0].Known != nil || !strings.Contains(got[0].Meaning(), "not measured") {
		t.Errorf("a model that was not measured: %+v", got[0])
	}
	if _, err := Alike(all[3], all, true); evidence.KindOf(err) != evidence.KindInvalid || !strings.Contains(err.Error(), "too noisy") {
		t.Errorf("a noisy one: %v", err)
	}
}

func TestMeasuredFiguresMakeSense(t *testing.T) {
	for i, length := range table() {
		for _, m := range length {
			if !(m.Error > 0 && m.Error < 0.3) || m.Same.Low >= m.Same.Median || m.Same.Median >= m.Same.High || m.Other.Low >= m.Other.Median || m.Other.Median >= m.Other.High || m.Other.Median >= m.Same.Median || m.Seconds != []float64{2, 4, 8}[i] {
				t.Errorf("%+v", m)
			}
		}
	}
	for _, c := range []struct {
		a, b    Voice
		noise   string
		seconds float64
	}{
		{Voice{Seconds: 2, SnrDB: 25}, Voice{Seconds: 60, SnrDB: 20}, "20 dB", 2}, {Voice{Seconds: 4, SnrDB: 14}, Voice{Seconds: 5, SnrDB: 14}, "10 dB", 4},
		{Voice{Seconds: 9, SnrDB: 8}, Voice{Seconds: 9, SnrDB: 9}, "5 dB", 8}, {Voice{Seconds: 9, SnrDB: 30}, Voice{Seconds: 9, SnrDB: 12}, "10 dB beside 20", 8},
		{Voice{Seconds: 9, SnrDB: 8}, Voice{Seconds: 2, SnrDB: 30}, "5 dB beside 20", 2}, {Voice{Seconds: 9, SnrDB: 8}, Voice{Seconds: 2, SnrDB: 12}, "5 dB beside 20", 2},
	} {
		if m := measured(c.a, c.b); m.Noise != c.noise || m.Seconds != c.seconds {
			t.Errorf("%+v and %+v: %+v", c.a, c.b, m)
		}
	}
}

// A case's log: a recording, its transmissions, voices by two models.
func TestStateFollowsTheLog(t *testing.T) {
	var s State
	at := int64(0)
	add := func(kind string, body any) {
		t.Helper()
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(at, evidence.Entry{Kind: kind, Body: b}); err != nil {
			t.Fatal(err)
		}
		at++
	}
	result := func(stage string, span *evidence.Span, model string, params, output any) {
		t.Helper()
		p, _ := json.Marshal(params)
		o, err := json.Marshal(output)
		if err != nil {
			t.Fatal(err)
		}
		add(evidence.EntryResult, evidence.Result{Inputs: []evidence.Digest{}, Model: &evidence.Model{Name: model, Digest: evidence.DigestOf([]byte(model))}, Output: o, Params: p, Recording: "REC-0001", Span: span, Stage: stage, Version: 1})
	}
	add(evidence.EntryRecordingReceived, evidence.RecordingReceived{Recording: "REC-0001", Name: "a.wav"})
	if _, ok := s.Model(); ok {
		t.Error("a model before any voice")
	}
	span := func(from, to int64) evidence.Span { return evidence.Span{From: from, To: to} }
	result(evidence.StageDetect, nil, "silero", struct{}{}, evidence.Detected{Transmissions: []evidence.Transmission{
		{Sound: "speech", Span: span(70000, 100000), Hear: []evidence.Span{span(69000, 100000)}, SnrCB: 1250},
		{Sound: "speech", Span: span(0, 40000), Hear: []evidence.Span{span(0, 41000)}, SnrCB: 2000},
		{Sound: "speech", Span: span(50000, 60000), Hear: []evidence.Span{span(50000, 60000)}},
		{Sound: "tone", Span: span(110000, 120000)},
	}})
	voice := func(model string, speech ...evidence.Span) {
		t.Helper()
		result(evidence.StageVoice, &speech[0], model, map[string]any{"encoder": "e", "longest": 960000, "speech": speech}, evidence.Voice{Samples: 31000, VectorE4: []int{10000, 0, 0, 0, 0, 0, 0, 0}})
	}
	voice("old", span(0, 41000))
	voice("old", span(69000, 100000))
	voice("new", span(69000, 100000))
	all, without := s.Voices(24000)
	if m, ok := s.Model(); !ok || m.Name != "new" {
		t.Errorf("the model is %+v", m)
	}
	if len(all) != 1 || all[0].Citation() != "REC-0001@00:00:04.375-00:00:06.25" || all[0].SnrDB != 12.5 || without != (Without{Short: 1, Other: 1}) {
		t.Errorf("%+v, %+v", all, without)
	}
	voice("new", span(0, 41000))
	if all, _ = s.Voices(24000); len(all) != 2 || all[0].Span.From != 0 || Like(all[0], all[1]) != 1 {
		t.Errorf("%+v", all)
	}
	if v, err := Find(all, evidence.Citation{Recording: "REC-0001", Span: span(65000, 71000)}); err != nil || v.Span.From != 70000 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := Find(all, evidence.Citation{Recording: "REC-0001", Span: span(42000, 43000)}); evidence.KindOf(err) != evidence.KindNotFound {
		t.Errorf("where nobody speaks: %v", err)
	}
	if err := s.Apply(at, evidence.Entry{Kind: evidence.EntryResult, Body: []byte(`{}`)}); evidence.KindOf(err) != evidence.KindDamaged {
		t.Errorf("a result of nothing: %v", err)
	}
}
