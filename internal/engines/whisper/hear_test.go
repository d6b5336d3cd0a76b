//go:build cgo

package whisper

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// The longest burst that is taken fits the encoder, its tail and all.
func TestLongestBurst(t *testing.T) {
	m := model(t)
	for _, n := range []int{30 * rate, 29*rate + 7777} {
		if h, err := m.Hear(context.Background(), noise(0.1, 30, 9)[:n], Options{}); err != nil || h.State == StateHeard {
			t.Errorf("%d samples of noise: %+v, %v; want no words and no error", n, h, err)
		}
	}
}

// The number of callers changes nothing, to the last bit of a probability.
func TestCallersGetTheSameResults(t *testing.T) {
	m := model(t)
	var bursts [][]float32
	for _, name := range []string{"ru-festvox-nsh/ru_0793.flac", "en-jfk/jfk.wav", "ru-deepspeech-sample/ru.wav", "uk-egorsmkv/audio.wav"} {
		bursts = append(bursts, sound(t, name))
	}
	bursts = append(bursts, bursts[0][:2*rate], noise(0.1, 1, 5))
	hear := func(i int) Heard {
		h, err := m.Hear(context.Background(), bursts[i], Options{})
		if err != nil {
			t.Error(err)
		}
		return h
	}
	want := make([]Heard, len(bursts))
	for i := range bursts {
		want[i] = hear(i)
	}
	for _, callers := range []int{2, 9} {
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for k := range bursts {
					i := (k*5 + c) % len(bursts)
					if got := hear(i); !reflect.DeepEqual(got, want[i]) {
						t.Errorf("burst %d among %d callers:\n%+v\nalone:\n%+v", i, callers, got, want[i])
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestBadSound(t *testing.T) {
	m := model(t)
	for name, x := range map[string]float32{"NaN": float32(math.NaN()), "infinity": float32(math.Inf(1)), "a billion": 1e9} {
		pcm := make([]float32, rate)
		pcm[777] = x
		if h, err := m.Hear(context.Background(), pcm, Options{}); evidence.KindOf(err) != evidence.KindInvalid {
			t.Errorf("%s: %+v, %v; want an error of kind invalid", name, h, err)
		}
	}
	if _, err := m.Hear(context.Background(), make([]float32, 30*rate+1), Options{}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("more than 30 s: %v, want an error of kind invalid", err)
	}
	for _, n := range []int{0, 1, 100, 1600} {
		for _, level := range []float32{0, 0.9} {
			pcm := make([]float32, n)
			for i := range pcm {
				pcm[i] = level * float32(1-2*(i%2))
			}
			h, err := m.Hear(context.Background(), pcm, Options{})
			if err != nil || h.State == StateHeard || h.Reason == "" {
				t.Errorf("%d samples of %v: %+v, %v; want no words and a reason", n, level, h, err)
			}
		}
	}
}

func TestCancelledHearing(t *testing.T) {
	m := model(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Hear(ctx, noise(0.1, 1, 1), Options{}); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v, want an error of kind cancelled", err)
	}
}

func TestLoadOfWhatIsNoModel(t *testing.T) {
	if _, err := Load(Config{Library: "no/such/library.so", Encoder: []byte("x"), Decoder: []byte("y"), Params: Defaults()}); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("%v, want an error of kind invalid", err)
	}
}

// Words are in order, within the burst, and their probabilities are probabilities.
func TestWordsLieWithinTheBurst(t *testing.T) {
	m := model(t)
	for _, s := range material(t)[:3] {
		pcm := sound(t, s.name)
		h, err := m.Hear(context.Background(), pcm, Options{})
		if err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for _, w := range h.Words {
			if w.Start < last || w.End < w.Start || w.End > float64(len(pcm))/rate || !(w.Probability > 0 && w.Probability <= 1) || w.Text == "" {
				t.Errorf("%s: word %+v after %.2f s", s.name, w, last)
			}
			last = w.Start
		}
		if len(h.Words) == 0 {
			t.Errorf("%s: no words in %+v", s.name, h)
		}
	}
}

// Short bursts, as on the air, by two callers: the figure that matters is real-time-factor.
func BenchmarkShortBursts(b *testing.B) {
	m := model(b)
	var bursts [][]float32
	for _, s := range material(b) {
		bursts = append(bursts, sound(b, s.name))
	}
	for _, callers := range []int{1, 2} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			b.ReportAllocs()
			seconds := 0.0
			for b.Loop() {
				work := make(chan []float32)
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for pcm := range work {
							if _, err := m.Hear(context.Background(), pcm, Options{Languages: []string{"ru", "uk", "en"}}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				for _, pcm := range bursts {
					seconds += float64(len(pcm)) / rate
					work <- pcm
				}
				close(work)
				wg.Wait()
			}
			b.ReportMetric(b.Elapsed().Seconds()/seconds, "real-time-factor")
		})
	}
}

// The vocabulary of a case mends a name that was nearly heard, marks it, and leaves what it has no part in as it was.
func TestVocabularyRaisesTheOddsOfItsWords(t *testing.T) {
	m := model(t)
	pcm := sound(t, "ru-festvox-nsh/ru_0792.flac")
	hear := func(words ...string) Heard {
		h, err := m.Hear(context.Background(), pcm, Options{Languages: []string{"ru"}, Vocabulary: words})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	plain, other, named := hear(), hear("Мотыжин", "Макаров", "вертолёт", "Берег", "Заря", "Буран", "топливо"), hear("Любку", "Шевцову", "Земнухова")
	if other.Text != plain.Text {
		t.Errorf("words that nobody says changed %q into %q", plain.Text, other.Text)
	}
	t.Logf("%q", named.Text)
	var boosted []string
	for _, w := range named.Words {
		if w.Boosted {
			boosted = append(boosted, w.Text)
		}
	}
	if strings.Contains(plain.Text, "Шевцову") || !strings.Contains(named.Text, "Шевцову") || len(boosted) == 0 {
		t.Errorf("%q became %q, marked %q", plain.Text, named.Text, boosted)
	}
}
