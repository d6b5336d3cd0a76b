package search

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"unicode/utf8"
)

// near is a word of the vocabulary that is spelled nearly as another.
type near struct {
	word     string
	distance int
	n        int // how often it stands
}

// maxNear is how many words a fuzzy term stands for at most: the nearest ones.
const maxNear = 50

// reach is how many letters may be wrong, missing, too many or exchanged in a word of n.
func reach(n int) int {
	switch {
	case n <= 2:
		return 0
	case n <= 5:
		return 1
	default:
		return 2
	}
}

// nearest returns the words of the vocabulary near word, the nearest first, then the most frequent. Letters for
// the same sound in Russian and Ukrainian count as one.
func (x *Index) nearest(ctx context.Context, word string) ([]near, error) {
	key := []rune(sameSound.Replace(word))
	if len(key) > maxStemmed {
		return nil, nil
	}
	most := reach(len(key))
	rows, err := x.tx.QueryContext(ctx, `SELECT key, word, n FROM word WHERE runes BETWEEN ? AND ?`, len(key)-most, len(key)+most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []near
	var k, w sql.RawBytes
	d := distance{row: make([][]int, 3)}
	for rows.Next() {
		var n int
		if err := rows.Scan(&k, &w, &n); err != nil {
			return nil, err
		}
		if dist := d.of(key, k, most); dist <= most {
			out = append(out, near{string(w), dist, n})
		}
	}
	slices.SortFunc(out, func(a, b near) int {
		switch {
		case a.distance != b.distance:
			return a.distance - b.distance
		case a.n != b.n:
			return b.n - a.n
		}
		return strings.Compare(a.word, b.word)
	})
	return out[:min(len(out), maxNear)], rows.Err()
}

// distance counts how many letters have to be changed, added, dropped or exchanged with their neighbour.
type distance struct {
	other []rune
	row   [][]int
}

// of returns the distance of a and b, or something above most where it is above most.
func (d *distance) of(a []rune, b []byte, most int) int {
	d.other = d.other[:0]
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		d.other, b = append(d.other, r), b[n:]
	}
	o := d.other
	for i := range d.row {
		if len(d.row[i]) < len(o)+1 {
			d.row[i] = make([]int, len(o)+1)
		}
	}
	before, last, row := d.row[0], d.row[1], d.row[2]
	for k := range len(o) + 1 {
		last[k] = k
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for k := 1; k <= len(o); k++ {
			cost := 1
			if a[i-1] == o[k-1] {
				cost = 0
			}
			v := min(last[k]+1, row[k-1]+1, last[k-1]+cost)
			if i > 1 && k > 1 && a[i-1] == o[k-2] && a[i-2] == o[k-1] {
				v = min(v, before[k-2]+1)
			}
			row[k] = v
			least = min(least, v)
		}
		if least > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return last[len(o)]
}

// hints returns queries that find something where this one does not: words that stand nowhere are replaced by
// words spelled nearly so.
func (x *Index) hints(ctx context.Context, written string, q Query) ([]string, error) {
	type missing struct {
		term
		list []near
	}
	var lost []missing
	for _, group := range q.all {
		for _, t := range group {
			if t.kind != termWord || utf8.RuneCountInString(t.words[0]) < 3 {
				continue
			}
			alone := plan{x: x, where: "1", match: expanded{term: t, stems: x.stems.of(t.words[0])}.match()}
			n, err := alone.count(ctx)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				continue
			}
			list, err := x.nearest(ctx, t.words[0])
			if err != nil {
				return nil, err
			}
			if len(list) > 0 {
				lost = append(lost, missing{t, list[:min(len(list), maxHints)]})
			}
		}
	}
	if len(lost) == 0 {
		return nil, nil
	}
	var hints []string
	for _, first := range lost[0].list {
		// From the end to the front, so that places stay where they are.
		try := written
		for i := len(lost) - 1; i >= 0; i-- {
			word := lost[i].list[0].word
			if i == 0 {
				word = first.word
			}
			try = try[:lost[i].from] + word + try[lost[i].to:]
		}
		again, err := ParseQuery(try)
		if err != nil {
			continue // the word reads as something else in its place; it is only a hint
		}
		p, err := x.plan(ctx, again, nil)
		if err != nil {
			return nil, err
		}
		n, err := p.count(ctx)
		if err != nil {
			return nil, err
		}
		if n > 0 && !slices.Contains(hints, try) {
			hints = append(hints, try)
		}
	}
	return hints, nil
}
