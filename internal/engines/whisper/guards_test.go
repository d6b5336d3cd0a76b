package whisper

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

func TestGuards(t *testing.T) {
	p := Defaults()
	sure := doubt{meanLog: -0.2, noSpeech: 0.02, compression: 1.2, seconds: 5}
	with := func(change func(*doubt)) doubt { d := sure; change(&d); return d }
	weak := with(func(d *doubt) { d.noSpeech = 0.5 })
	for _, c := range []struct {
		text   string
		d      doubt
		state  string
		reason string
	}{
		{"Берег, я Волна, приём", sure, StateHeard, ""},
		{"Mayday, mayday, mayday", sure, StateHeard, ""},
		{"Спасибо", sure, StateHeard, ""},
		{"Спасибо за просмотр!", weak, StateNotUnderstood, "stock phrase"},
		{"Thanks for watching!", with(func(d *doubt) { d.meanLog = -0.7 }), StateNotUnderstood, "stock phrase"},
		{"Продолжение следует...", weak, StateNotUnderstood, "stock phrase"},
		{"Субтитры сделал DimaTorzok", sure, StateNoSpeech, "subtitle credits"},
		{"Редактор субтитров А.Семкин Корректор А.Егорова", sure, StateNoSpeech, "subtitle credits"},
		{"Subtitles by the Amara.org community", sure, StateNoSpeech, "subtitle credits"},
		{"...", sure, StateNoSpeech, "no letter"},
		{"", sure, StateNoSpeech, "no letter"},
		{"words", with(func(d *doubt) { d.label = 0.7 }), StateNoSpeech, "label a sound"},
		{"words", with(func(d *doubt) { d.noSpeech, d.meanLog = 0.7, -1.2 }), StateNoSpeech, "no speech 0.70"},
		{"words", with(func(d *doubt) { d.noSpeech = 0.9 }), StateHeard, ""},
		{"words", with(func(d *doubt) { d.meanLog = -1.2 }), StateNotUnderstood, "improbable"},
		{"words", with(func(d *doubt) { d.meanLog = math.Inf(-1) }), StateNotUnderstood, "improbable"},
		{"words", with(func(d *doubt) { d.looped = true }), StateNotUnderstood, "over and over"},
		{"words", with(func(d *doubt) { d.compression = 2.5 }), StateNotUnderstood, "repeats itself"},
		{"words", with(func(d *doubt) { d.unfinished = true }), StateNotUnderstood, "no end"},
		{strings.Repeat("слово ", 12), with(func(d *doubt) { d.seconds = 0.5 }), StateNotUnderstood, "more than can be spoken"},
	} {
		state, reason := p.judge(c.text, c.d)
		if state != c.state || !strings.Contains(reason, c.reason) || (state == StateHeard) != (reason == "") {
			t.Errorf("judge(%q, %+v) = %s, %q; want %s, %q", c.text, c.d, state, reason, c.state, c.reason)
		}
	}
}

func TestSoundLabels(t *testing.T) {
	for text, want := range map[string][2]string{
		"(crickets)":             {"", "(crickets)"},
		"[BEEPING] Over":         {"Over", "[BEEPING]"},
		"*music* ♪ la la ♪":      {"", "*music* ♪ la la ♪"},
		"Берег (шум) ответь":     {"Берег   ответь", "(шум)"},
		"no label 5 * 3 here":    {"no label 5 * 3 here", ""},
		"an open ( bracket only": {"an open ( bracket only", ""},
	} {
		if rest, left := withoutLabels(text); rest != want[0] || left != want[1] {
			t.Errorf("withoutLabels(%q) = %q, %q; want %q", text, rest, left, want)
		}
	}
}

func TestLoops(t *testing.T) {
	p := Defaults()
	for _, c := range []struct {
		unit, times int
		want        bool
	}{{1, 5, false}, {1, 6, true}, {3, 5, false}, {3, 6, true}, {5, 4, false}, {5, 5, true}, {10, 3, false}, {10, 4, true}, {24, 4, true}, {25, 4, false}} {
		tokens := []int{1000, 1001}
		for range c.times {
			for i := range c.unit {
				tokens = append(tokens, i)
			}
		}
		if got := p.loops(tokens); got != c.want {
			t.Errorf("%d tokens %d times: %v, want %v", c.unit, c.times, got, c.want)
		}
	}
}

func TestLanguageIsHintedNotForced(t *testing.T) {
	p := Defaults()
	for name, c := range map[string]struct {
		all       []Language
		hints     []string
		want      string
		undecided bool
	}{
		"no hint":                  {[]Language{{"en", 0.6}, {"ru", 0.3}}, nil, "en", false},
		"a hint with mass":         {[]Language{{"pl", 0.5}, {"uk", 0.4}, {"en", 0.1}}, []string{"uk", "en"}, "uk", false},
		"a hint without mass":      {[]Language{{"de", 0.95}, {"ru", 0.03}, {"uk", 0.01}}, []string{"ru", "uk"}, "de", false},
		"an unknown hint":          {[]Language{{"de", 0.95}, {"ru", 0.03}}, []string{"xx"}, "de", false},
		"ru or uk":                 {[]Language{{"ru", 0.5}, {"uk", 0.4}}, []string{"ru", "uk"}, "ru", true},
		"uk or ru":                 {[]Language{{"uk", 0.41}, {"ru", 0.4}, {"be", 0.1}}, nil, "uk", true},
		"ru, surely":               {[]Language{{"ru", 0.8}, {"uk", 0.1}}, []string{"ru", "uk"}, "ru", false},
		"ru and en are told apart": {[]Language{{"ru", 0.5}, {"en", 0.45}}, []string{"ru", "en"}, "ru", false},
	} {
		got, shown, undecided := p.choose(c.all, c.hints)
		if got.Code != c.want || undecided != c.undecided || shown[0] != got || len(shown) > p.LanguagesShown {
			t.Errorf("%s: %v, %v, %v; want %s, %v", name, got, shown, undecided, c.want, c.undecided)
		}
	}
	d := distribution([]string{"en", "ru", "uk"}, []float32{1, 3, 2})
	if d[0].Code != "ru" || d[2].Code != "en" || math.Abs(d[0].Probability+d[1].Probability+d[2].Probability-1) > 1e-12 {
		t.Errorf("distribution %v", d)
	}
}

// Parameters are part of a result's key: canonical JSON holds whole numbers only.
func TestParamsAreCanonical(t *testing.T) {
	b, err := evidence.Canonical(Defaults())
	if err != nil {
		t.Fatal(err)
	}
	var back Params
	if err := json.Unmarshal(b, &back); err != nil || back != Defaults() {
		t.Errorf("%s comes back as %+v, %v", b, back, err)
	}
	if err := Defaults().check(); err != nil {
		t.Error(err)
	}
	if err := (Params{}).check(); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("empty parameters: %v", err)
	}
}

func TestDoubled(t *testing.T) {
	p := Defaults()
	for _, c := range []struct {
		tokens []int
		want   bool
	}{
		{nil, false},
		{[]int{1, 2, 3, 1, 2, 3}, false}, // "Berig, Berig": people do that
		{[]int{9, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, true},
		{[]int{1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7}, true},
		{[]int{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7}, false},
	} {
		if got := p.doubled(c.tokens); got != c.want {
			t.Errorf("%v: %v", c.tokens, got)
		}
	}
}
