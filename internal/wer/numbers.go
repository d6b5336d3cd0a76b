package wer

import "strings"

// names are the number words of one language.
type names struct {
	small    [20]string // 0 to 19
	tens     [10]string
	hundreds [10]string
	thousand func(n int) []string // n thousands, without n's own words: "тысяч"
	feminine map[string]string    // forms before a thousand
}

func words(s string) []string { return strings.Fields(s) }

func english() names {
	n := names{}
	copy(n.small[:], words("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"))
	copy(n.tens[2:], words("twenty thirty forty fifty sixty seventy eighty ninety"))
	for i := 1; i < 10; i++ {
		n.hundreds[i] = n.small[i] + " hundred"
	}
	n.thousand = func(int) []string { return []string{"thousand"} }
	return n
}

func russian() names {
	n := names{feminine: map[string]string{"один": "одна", "два": "две"}}
	copy(n.small[:], words("ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"))
	copy(n.tens[2:], words("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"))
	copy(n.hundreds[1:], words("сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"))
	n.thousand = func(k int) []string { return []string{slavic(k, "тысяча", "тысячи", "тысяч")} }
	return n
}

// ukrainian leaves out the apostrophe, as the normalisation does.
func ukrainian() names {
	n := names{feminine: map[string]string{"один": "одна", "два": "дві"}}
	copy(n.small[:], words("нуль один два три чотири пять шість сім вісім девять десять одинадцять дванадцять тринадцять чотирнадцять пятнадцять шістнадцять сімнадцять вісімнадцять девятнадцять"))
	copy(n.tens[2:], words("двадцять тридцять сорок пятдесят шістдесят сімдесят вісімдесят девяносто"))
	copy(n.hundreds[1:], words("сто двісті триста чотириста пятсот шістсот сімсот вісімсот девятсот"))
	n.thousand = func(k int) []string { return []string{slavic(k, "тисяча", "тисячі", "тисяч")} }
	return n
}

// slavic picks the form of a noun after a number.
func slavic(n int, one, few, many string) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return one
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return few
	}
	return many
}

// number writes digits in words; joined says that they stood among others with hyphens between them, separated
// that thousands are written with separators here.
func number(lang, digits string, joined, separated bool) []string {
	var n names
	switch lang {
	case "en":
		n = english()
	case "ru":
		n = russian()
	case "uk":
		n = ukrainian()
	default:
		return []string{digits}
	}
	value := 0
	for _, r := range digits {
		if r < '0' || r > '9' {
			return []string{digits}
		}
		value = value*10 + int(r-'0')
		value = min(value, 1_000_000)
	}
	if joined || digits[0] == '0' || len(digits) > 6 || len(digits) > 4 && !separated {
		var out []string
		for _, r := range digits {
			out = append(out, n.small[r-'0'])
		}
		return out
	}
	var out []string
	if k := value / 1000; k > 0 {
		below := n.below1000(k)
		if f, ok := n.feminine[below[len(below)-1]]; ok {
			below[len(below)-1] = f
		}
		out = append(append(out, below...), n.thousand(k)...)
	}
	if value%1000 > 0 || value == 0 {
		out = append(out, n.below1000(value%1000)...)
	}
	return out
}

func (n names) below1000(v int) []string {
	var out []string
	if v >= 100 {
		out = append(out, words(n.hundreds[v/100])...)
		if v %= 100; v == 0 {
			return out
		}
	}
	if v >= 20 {
		out = append(out, n.tens[v/10])
		if v %= 10; v == 0 {
			return out
		}
	}
	return append(out, n.small[v])
}
