package search

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestUkrainianParadigms holds the forms of a word together: one stem is right, two are borne.
func TestUkrainianParadigms(t *testing.T) {
	for want, paradigms := range map[int][]string{
		1: {
			"Макарів Макарова Макарову Макаровом Макарові",
			"Харків Харкова Харкову Харковом Харкові",
			"Київ Києва Києву Києвом Києві",
			"Львів Львова Львову Львовом Львові",
			"Чернігів Чернігова Чернігову Черніговом Чернігові",
			"Миколаїв Миколаєва Миколаєву Миколаєвом Миколаєві",
			"Бородянка Бородянки Бородянці Бородянку Бородянкою",
			"Буча Бучі Бучу Бучею",
			"Мотижин Мотижина Мотижину Мотижином Мотижині",
			"Ірпінь Ірпеня Ірпеню",
			"дорога дороги дорозі дорогу дорогою дороги дорогам дорогами дорогах",
			"міст мосту мостом мості мости мостів мостам мостами мостах",
			"танк танка танку танком танкові танки танків танкам танками танках",
			"колона колони колоні колону колоною колони колон колонам колонами колонах",
			"хлопець хлопця хлопцю хлопцем хлопці хлопців хлопцям хлопцями хлопцях",
			"ринок ринку ринком ринки ринків ринкам ринках",
			"поранений пораненого пораненому пораненим поранені поранених пораненими поранена пораненої пораненій поранену пораненою",
			"український українського українському українським українська української українській українську українською українські українських",
			"їхав їхала їхало їхали їхати",
			"пальне пального пальному пальним",
			"село села селу селом селі сел селам селами селах",
		},
		2: {
			"стояти стояв стояла стояло стояли стоїть стоять стоїмо",
			"осінь осені осінню",
			"знання знань знанням знаннями знаннях",
			"машина машини машині машину машиною машин машинам машинами машинах",
			"Ізюм Ізюма Ізюму Ізюмом Ізюмі",
			"вогонь вогню вогнем вогні вогнів вогням вогнями вогнях",
			"камінь каменя каменю каменем камені каменів",
		},
		3: {"день дня дню днем дні днів дням днями днях"},
	} {
		for _, p := range paradigms {
			var got []string
			for _, tok := range tokens(p) {
				got = append(got, ukrainian(tok.word))
			}
			slices.Sort(got)
			if got = slices.Compact(got); len(got) > want {
				t.Errorf("%d stems, want %d: %v of %s", len(got), want, got, p)
			}
		}
	}
}

func TestStemsKeepWordsApart(t *testing.T) {
	s := newStemmer()
	for _, pair := range []string{"танк танкер", "міна мінус", "Буча бук", "село сіль", "вода вогонь", "driver driven", "полк полковник", "Макарів Маріуполь"} {
		a, b, _ := strings.Cut(pair, " ")
		x, y := s.of(fold(a)), s.of(fold(b))
		if x.first == y.first || x.uk != "" && x.uk == y.uk {
			t.Errorf("%s: %+v and %+v", pair, x, y)
		}
	}
	if a, b := s.of("колонна"), s.of("колонны"); a.first != b.first {
		t.Errorf("%+v, %+v", a, b)
	}
	if s.of("running").first != "run" {
		t.Error(s.of("running"))
	}
}

func TestTokens(t *testing.T) {
	for in, want := range map[string]string{
		"Ёлка, ёж! ЕЖ":                "елка еж еж",
		"п'ять п’ять пʼять":           "пять пять пять",
		"за\u0301мок И\u0306 й ї":     "замок й й ї",
		"Café naïve Ångström ﬁn":      "cafe naive angstrom fin",
		"по-русски 12.5 A1 200-300":   "по русски 12 5 a1 200 300",
		"'quoted' don't":              "quoted dont",
		"Ґанок їжак":                  "ганок їжак",
		"<b>x</b> \u202ey\u2066 \x00": "b x b y",
		"日本語 हिन्दी":                  "日本語 हिन्दी",
		"\xff\xfeab\xffc":             "ab c",
		"½ ²":                         "12 2",
		"":                            "",
	} {
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			text := in
			if !strings.Contains(in, "\xff") {
				text = form.String(in)
			}
			var got []string
			for _, tok := range tokens(text) {
				got = append(got, tok.word)
				if fold(text[tok.from:tok.to]) != tok.word {
					t.Errorf("%q: token %q does not stand at %d-%d", text, tok.word, tok.from, tok.to)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
}
