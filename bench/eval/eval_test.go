package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/bench/corpus"
)

func TestAlign(t *testing.T) {
	for _, c := range []struct {
		said, heard string
		want        []int
	}{
		{"a b c", "a b c", []int{0, 1, 2}},
		{"a b c", "a x c", []int{0, -1, 2}},
		{"a b c d", "b d", []int{1, 3}},
		{"a b", "x a y b z", []int{-1, 0, -1, 1, -1}},
		{"", "a", []int{-1}},
		{"a", "", []int{}},
		{"to be or not to be", "to be to be", []int{0, 1, 4, 5}},
	} {
		if got := corpus.Align(strings.Fields(c.said), strings.Fields(c.heard)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("corpus.Align(%q, %q) = %v, want %v", c.said, c.heard, got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	words := []word{{Word: "Колонна", Probability: 0.9}, {Word: "—", Probability: 0.3}, {Word: "из", Probability: 0.7}, {Word: "28", Probability: 0.8}, {Word: "танков.", Probability: 0.2}}
	got := judge("ru", "Колонна из двадцати восьми танков", words)
	want := []verdict{{0.9, true}, {0.7, true}, {0.8, false}, {0.2, true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// A number is right only where all its words are.
	for truth, right := range map[string]bool{"двадцать восемь": true, "двадцать семь": false, "тридцать восемь": false} {
		if got := judge("ru", truth, []word{{Word: "28", Probability: 1}}); len(got) != 1 || got[0].right != right {
			t.Errorf("28 for %q: %v", truth, got)
		}
	}
}

func TestTimeErrors(t *testing.T) {
	said := []corpus.Timed{{Text: "Раз", Start: 0.1, End: 0.4}, {Text: "кое-что", Start: 0.5, End: 0.9}, {Text: "два", Start: 1, End: 1.3}, {Text: "три", Start: math.NaN(), End: math.NaN()}, {Text: "пять", Start: 2, End: 2.5}}
	heard := []word{{Word: "раз,", Start: 0.12, End: 0.38}, {Word: "кое-что", Start: 5, End: 6}, {Word: "дом", Start: 9, End: 9}, {Word: "три", Start: 7, End: 8}, {Word: "пять", Start: 2.25, End: 2.25}}
	start, end := timeErrors("ru", said, heard)
	for i, want := range []float64{0.02, 0.25} {
		if len(start) != 2 || math.Abs(start[i]-want) > 1e-9 {
			t.Fatalf("start %v", start)
		}
	}
	for i, want := range []float64{0.02, 0.25} {
		if len(end) != 2 || math.Abs(end[i]-want) > 1e-9 {
			t.Fatalf("end %v", end)
		}
	}
}

func TestCalibration(t *testing.T) {
	var vs []verdict
	for i := range 100 {
		vs = append(vs, verdict{0.75, i < 75}, verdict{0.95, i < 55}, verdict{1, true})
	}
	bs := bins(vs)
	if bs[7] != (bin{100, 75, 75}) || bs[9].words != 200 || bs[9].right != 155 || math.Abs(bs[9].probability-195) > 1e-9 {
		t.Fatalf("%v", bs)
	}
	if got := calibrationError(bs); math.Abs(got-40.0/300) > 1e-9 {
		t.Errorf("calibration error %v", got)
	}
	if got := calibrationError(bins(nil)); !math.IsNaN(got) {
		t.Errorf("calibration error of nothing is %v", got)
	}
	if n, right := sure(vs); n != 200 || right != 155 {
		t.Errorf("%d of %d", right, n)
	}
}

func TestQuantile(t *testing.T) {
	x := []float64{5, 1, 4, 2, 3}
	for p, want := range map[float64]float64{0: 1, 0.2: 1, 0.5: 3, 0.95: 5, 1: 5} {
		if got := quantile(x, p); got != want {
			t.Errorf("quantile %v = %v, want %v", p, got, want)
		}
	}
	if x[0] != 5 {
		t.Error("the caller's values were sorted")
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	nan := math.NaN()
	for name, svg := range map[string]string{
		"errors":         errorPicture([]string{"clean", "20", "0"}, []curve{{"A & B", []float64{0.2, 0.3, 1.4}}, {"C", []float64{nan, 0.3, nan}}, {"D", []float64{nan, nan, nan}}}, "<note>"),
		"no errors":      errorPicture(nil, nil, ""),
		"calibration":    calibrationPicture([]string{"A < B"}, [][10]bin{bins([]verdict{{0.5, true}, {0.95, false}})}, "note"),
		"no calibration": calibrationPicture(nil, nil, ""),
	} {
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		if strings.Contains(svg, "NaN") {
			t.Errorf("%s: has NaN", name)
		}
	}
}

func TestParse(t *testing.T) {
	good := `{"path":"a","text":"x y","language":"ru","wall":1.5,"cpu":2,"words":[{"word":"x","start":0,"end":1,"probability":0.5}]}
{"path":"b","text":"","language":"ru","wall":0.5,"cpu":1}
{"engine":"e","version":"1","load_wall":3,"load_cpu":3,"peak_mb":77}
`
	r, err := parse([]byte(good), 2)
	if err != nil || r.version != "e 1" || r.wall != 2 || r.cpu != 3 || r.peakMB != 77 || r.load != 3 || len(r.heard) != 2 || r.heard[0].words[0].Probability != 0.5 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, c := range []struct {
		text  string
		files int
	}{{good, 3}, {good, 1}, {"", 0}, {"{", 0}, {good[:strings.LastIndex(good, "{")], 2}} {
		if _, err := parse([]byte(c.text), c.files); err == nil {
			t.Errorf("%q is taken for %d files", c.text, c.files)
		}
	}
}

// What a peer said is used again only where nothing that it depends on has changed.
func TestPeersAreCachedByWhatTheyHeard(t *testing.T) {
	dir := t.TempDir()
	wav := filepath.Join(dir, "a.wav")
	if err := writeWAV(wav, make([]int16, 1600)); err != nil {
		t.Fatal(err)
	}
	p := peers{drivers: filepath.Join("..", "peers"), threads: 2}
	key := func(w peer, threads int, lang string) string {
		k, err := p.key(w, request{Threads: threads, Settings: w.settings, Files: []requestFile{{wav, lang}}})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key(fasterBeam, 2, "ru")
	if first != key(fasterBeam, 2, "ru") {
		t.Error("not the same twice")
	}
	for name, other := range map[string]string{"settings": key(fasterGreedy, 2, "ru"), "threads": key(fasterBeam, 1, "ru"), "language": key(fasterBeam, 2, "en"), "driver": key(cppBeam, 2, "ru")} {
		if other == first {
			t.Errorf("%s make no difference", name)
		}
	}
	if err := writeWAV(wav, make([]int16, 1601)); err != nil {
		t.Fatal(err)
	}
	if key(fasterBeam, 2, "ru") == first {
		t.Error("the sound makes no difference")
	}
}

func TestSetsAreTheSameTwice(t *testing.T) {
	if _, err := os.Stat(corpus.Dir); err != nil {
		t.Skip("the Russian corpus is not installed: apt-get install festvox-ru")
	}
	odd, _, err := corpus.Utterances(corpus.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var made [2][]byte
	for i := range made {
		s, err := shop{dir: t.TempDir()}.radio("x", "5", odd[:1], nil, channel.Path{SNR: 5, Fading: true})
		if err != nil {
			t.Fatal(err)
		}
		if made[i], err = os.ReadFile(s.items[0].path); err != nil {
			t.Fatal(err)
		}
	}
	if string(made[0]) != string(made[1]) || len(made[0]) < 32000 {
		t.Error("one seed, two sounds")
	}
}

func TestNobodySpeaks(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range silences {
		if seen[k.name] {
			t.Errorf("%s twice", k.name)
		}
		seen[k.name] = true
		if x := k.sound(3); len(x) != 60*second {
			t.Errorf("%s: %d samples", k.name, len(x))
		}
	}
}
