package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word of a text.
type token struct {
	from, to int    // bytes in the text
	word     string // folded
}

// maxWord is how many bytes of a word are looked at.
const maxWord = 400

// tokens returns the words of text: runs of letters, digits and the marks on them, with apostrophes
// inside. Everything else stands between words.
func tokens(text string) []token {
	var out []token
	start := -1
	end := func(at int) {
		if start >= 0 {
			if w := fold(text[start:min(at, start+maxWord)]); w != "" {
				out = append(out, token{start, at, w})
			}
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsNumber(r):
			if start < 0 {
				start = i
			}
		case unicode.IsMark(r) && start >= 0:
		case isApostrophe(r) && start >= 0 && letterFollows(text[i+utf8.RuneLen(r):]):
		default:
			end(i)
		}
	}
	end(len(text))
	return out
}

func isApostrophe(r rune) bool {
	return r == '\'' || r == '’' || r == 'ʼ' || r == '`' || r == '‘' || r == '＇'
}

func letterFollows(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

// fold makes the form of a word in which spelling differs no more: lower case, composed, without accents,
// stress marks and apostrophes, ё as е, ґ as г. The letters й and ї are letters, not accents.
func fold(word string) string {
	plain := true
	for i := range len(word) {
		// ASCII, and two-byte sequences from U+0400 on, hold nothing that composes.
		if c := word[i]; c >= utf8.RuneSelf && (c&0xC0) != 0x80 && c != 0xD0 && c != 0xD1 {
			plain = false
			break
		}
	}
	if !plain {
		word = norm.NFKC.String(word)
	}
	var b strings.Builder
	b.Grow(len(word))
	for _, r := range word {
		r = unicode.ToLower(r)
		switch {
		case r == 'ё':
			r = 'е'
		case r == 'ґ':
			r = 'г'
		case r == 'й' || r == 'ї' || r == 'ў':
		case isApostrophe(r) || unicode.IsMark(r) && r < 0x370 || r == utf8.RuneError:
			continue
		case r >= 0xC0 && r < 0x370 || r >= 0x400 && r < 0x530 && !plain || r >= 0x1E00 && r < 0x2000:
			// The base letter of what has an accent.
			base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
			r = base
		}
		if !unicode.In(r, unicode.L, unicode.N, unicode.M) {
			continue // composing can make punctuation of a number
		}
		b.WriteRune(r)
	}
	return b.String()
}

// sameSound maps a folded word to a key in which the letters that Russian and Ukrainian write differently for
// the same sound are one, so that Мотижин and Мотыжин are near each other.
var sameSound = strings.NewReplacer("ы", "и", "і", "и", "ї", "и", "є", "е", "э", "е", "ъ", "", "ь", "")
