package wer

import (
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ lang, in, want string }{
		{"ru", "Серёжку, на пол+у; «Ых...» — кое-что", "сережку на полу ых кое что"},
		{"ru", "за\u0301мок", "замок"},
		{"ru", "28 штук, 2 000", "двадцать восемь штук два ноль ноль ноль"},
		{"ru", "21000 и 21\u00a0000", "двадцать одна тысяча и двадцать одна тысяча"},
		{"ru", "5 тысяч", "пять тысяч"},
		{"en", "1-0-0-0-1, 9 oh 2", "one zero zero zero one nine zero two"},
		{"en", "10001 90210", "one zero zero zero one nine zero two one zero"},
		{"en", "Oh, it's 1,250!", "oh its one thousand two hundred fifty"},
		{"en", "don’t 'quote'", "dont quote"},
		{"en", "Mr. Dashwood, Dr Who", "mister dashwood doctor who"},
		{"uk", "п'ять 42 12", "пять сорок два дванадцять"},
		{"de", "42 Äpfel", "42 äpfel"},
		{"en", "", ""},
		{"en", "007", "zero zero seven"},
		{"ru", "15мм", "пятнадцать мм"},
	} {
		if got := strings.Join(Normalise(c.lang, c.in), " "); got != c.want {
			t.Errorf("Normalise(%s, %q) = %q, want %q", c.lang, c.in, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		truth, heard string
		want         Errors
	}{
		{"a b c d", "a b c d", Errors{0, 0, 0, 4}},
		{"a b c d", "a x c", Errors{1, 1, 0, 4}},
		{"a b", "a b c c", Errors{0, 0, 2, 2}},
		{"", "a b", Errors{0, 0, 2, 0}},
		{"a b", "", Errors{0, 2, 0, 2}},
	} {
		if got := WordErrors(strings.Fields(c.truth), strings.Fields(c.heard)); got != c.want {
			t.Errorf("WordErrors(%q, %q) = %+v, want %+v", c.truth, c.heard, got, c.want)
		}
	}
	got := CharErrors([]string{"кот", "спит"}, []string{"кит", "спит"})
	if want := (Errors{1, 0, 0, 8}); got != want {
		t.Errorf("CharErrors = %+v, want %+v", got, want)
	}
	if r := (Errors{Insertions: 3}).Rate(); r != 3 {
		t.Errorf("rate of an empty truth = %v, want 3", r)
	}
	sum := Errors{1, 2, 3, 10}
	sum.Add(Errors{1, 1, 1, 10})
	if sum.Rate() != 9.0/20 {
		t.Errorf("sum = %+v", sum)
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("ru", "В 15:30 п'ять 1,000-2")
	f.Fuzz(func(t *testing.T, lang, text string) {
		for _, w := range Normalise(lang, text) {
			if w == "" || strings.ContainsAny(w, " \n") {
				t.Errorf("Normalise(%q, %q) has the word %q", lang, text, w)
			}
		}
	})
}
