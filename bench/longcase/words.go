package main

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
)

// What the stations are made to say; every third phrase begins with a call.
var (
	calls   = strings.Fields("Кедр Буря Днестр Сокол-2 Гранит Ясень Берёза Волна")
	phrases = []string{
		"приём как слышно", "слышу хорошо приём", "топлива осталось на двадцать минут", "повторите координаты помехи", "колонна стоит у моста ждём заправщик",
		"понял вас работаем", "выходите на запасную частоту через десять минут", "раненых двое нужна эвакуация", "принял ждите", "вертолёт будет через полчаса",
		"на перекрёстке у элеватора никого", "передайте старшему мы на месте", "вас не понял повторите", "связи с соседями нет", "воды и хлеба на сутки",
		"дорога на север перекрыта", "считаю до пяти один два три четыре пять", "конец связи", "смена в шесть утра", "груз получили двенадцать ящиков",
	}
)

func (p *plan) detected() evidence.Detected {
	return evidence.Detected{
		Background: &evidence.Background{Kind: evidence.BackgroundNoise, LevelCB: -5100},
		Listened:   p.samples(), Transmissions: p.transmissions,
	}
}

// heard makes up what a recogniser would have written for a span: a word takes as long as it has letters, one of seven is
// doubtful, and now and then nothing is understood.
func (p *plan) heard(span evidence.Span) evidence.Heard {
	r := rand.New(rand.NewPCG(p.seed, uint64(span.From)))
	h := evidence.Heard{CompressionE2: 110, Language: "ru", Languages: []evidence.Language{{Code: "ru", P: 9100}, {Code: "uk", P: 700}}, LogProbE4: -3000, NoSpeechE4: 200, State: evidence.HeardWords}
	if r.IntN(25) == 0 {
		h.State, h.Language, h.Reason = evidence.HeardNotUnderstood, "", madeUp
		return h
	}
	var words []string
	letters := 0
	want := int(span.Duration().Seconds()*13) + 4 // about as fast as people speak
	for letters < want {
		phrase := phrases[r.IntN(len(phrases))]
		if r.IntN(3) == 0 {
			phrase = calls[r.IntN(len(calls))] + " я " + calls[r.IntN(len(calls))] + " " + phrase
		}
		for w := range strings.FieldsSeq(phrase) {
			if letters >= want {
				break
			}
			words = append(words, w)
			letters += utf8.RuneCountInString(w)
		}
	}
	h.Text = strings.Join(words, " ")
	at := span.From
	said := 0
	for _, w := range words {
		said += utf8.RuneCountInString(w)
		to := span.From + span.Len()*int64(said)/int64(letters)
		probability := 6000 + r.IntN(4000)
		if r.IntN(7) == 0 {
			probability = 1500 + r.IntN(3400)
		}
		h.Words = append(h.Words, evidence.Word{P: probability, Span: evidence.Span{From: at, To: to}, Text: w})
		at = to
	}
	return h
}
