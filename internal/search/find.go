package search

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

// Options say how much of an answer is wanted.
type Options struct {
	Limit     int  // at most so many hits; 0 means 20
	Offset    int  // hits to pass over
	Histogram bool // count by hour as well
	Facets    bool // count by recording, state, language and sound as well
	// Only are the lines that may be found, where not every line may: what is asked tells nothing of the others. nil is all.
	Only []Place
}

// Place is where a line is.
type Place struct {
	Recording string // REC-0014
	Span      evidence.Span
}

// Answer is what a query found.
type Answer struct {
	Total int    `json:"total"`           // how many lines match
	Hits  []Hit  `json:"hits"`            // the best first, then in the order of the recordings; by time alone where the query has no words
	Hours []Hour `json:"hours,omitempty"` // by hour, where asked for; lines without a stated time are not in it
	// Facets are by field, where asked for.
	Facets map[string][]Count `json:"facets,omitempty"`
	Hints  []string           `json:"hints,omitempty"` // where nothing matches: queries spelled nearly so that do find something
	// Undated is how many lines matched but for date:, from: or to:, as no time is stated for their recording.
	Undated int `json:"undated,omitempty"`
}

// Hit is a line with what in it matched.
type Hit struct {
	Line    transcript.Line `json:"line"`
	Matches []Range         `json:"matches"` // in Line.Text, in order, not overlapping
	Excerpt Range           `json:"excerpt"` // of Line.Text, around the first match; all of it where it is short
}

// Range is from-to in a text, in characters (Unicode code points). To is the first one that is not in it.
type Range struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Hour is an hour by the recordings' own clocks with the number of lines that begin in it.
type Hour struct {
	Hour  string `json:"hour"` // 2022-02-27T14
	Count int    `json:"count"`
}

// Count is how many lines have one value in a field.
type Count struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

const (
	defaultLimit = 20
	maxHints     = 3
	excerptChars = 240
)

// Search answers query from the index as it was last updated. A query that cannot be meant is an Invalid
// error that says what to write instead.
func (x *Index) Search(ctx context.Context, query string, o Options) (Answer, error) {
	q, err := ParseQuery(query)
	if err != nil {
		return Answer{}, err
	}
	if o.Limit < 0 || o.Offset < 0 {
		return Answer{}, evidence.Invalid("limit %d and offset %d cannot be negative", o.Limit, o.Offset)
	}
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var a Answer
	err = x.mended(ctx, func() (err error) {
		a, err = x.search(ctx, query, q, o)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("search for %q: %w", query, err)
	}
	return a, nil
}

func (x *Index) search(ctx context.Context, written string, q Query, o Options) (a Answer, err error) {
	a.Hits = []Hit{}
	// One transaction: another process may bring the index up to date meanwhile.
	if x.tx, err = x.db.Read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return a, err
	}
	defer func() {
		rb := x.tx.Rollback()
		if x.tx = nil; err == nil && !errors.Is(rb, sql.ErrTxDone) {
			err = rb
		}
	}()
	plan, err := x.plan(ctx, q, o.Only)
	if err != nil {
		return a, err
	}
	if a.Total, err = plan.count(ctx); err != nil {
		return a, err
	}
	if a.Total > o.Offset {
		if a.Hits, err = plan.hits(ctx, o); err != nil {
			return a, err
		}
		if len(a.Hits) != min(o.Limit, a.Total-o.Offset) {
			return a, evidence.Damaged("the search index counts %d lines and has others", a.Total)
		}
	}
	if o.Histogram && a.Total > 0 {
		if a.Hours, err = plan.hours(ctx); err != nil {
			return a, err
		}
	}
	if o.Facets && a.Total > 0 {
		if a.Facets, err = plan.facets(ctx); err != nil {
			return a, err
		}
	}
	if slices.ContainsFunc(q.filters, func(f filter) bool { return f.key == "date" || f.key == "from" || f.key == "to" }) {
		undated := *plan
		if undated.where, undated.args, err = x.where(ctx, q, o.Only, true); err != nil {
			return a, err
		}
		if a.Undated, err = undated.count(ctx); err != nil {
			return a, err
		}
	}
	if a.Total == 0 && o.Only == nil { // a hint is made of words that stand somewhere
		a.Hints, err = x.hints(ctx, written, q)
	}
	return a, err
}

// plan is a query in terms of the tables.
type plan struct {
	x       *Index
	match   string // for FTS5; empty where the query has no words that must match
	where   string // further conditions on the table line as l
	args    []any
	matcher matcher
}

func (x *Index) plan(ctx context.Context, q Query, only []Place) (*plan, error) {
	p := &plan{x: x}
	var err error
	if p.where, p.args, err = x.where(ctx, q, only, false); err != nil {
		return nil, err
	}
	var groups []string
	for _, group := range q.all {
		var alternatives []string
		for _, t := range group {
			e, err := x.expand(ctx, t)
			if err != nil {
				return nil, err
			}
			p.matcher.terms = append(p.matcher.terms, e)
			alternatives = append(alternatives, e.match())
		}
		groups = append(groups, "("+strings.Join(alternatives, " OR ")+")")
	}
	p.match = strings.Join(groups, " AND ")
	p.matcher.stems = x.stems
	return p, nil
}

// from returns the tables and conditions of the plan, with their arguments.
func (p *plan) from() (string, []any) {
	if p.match == "" {
		return ` FROM line l WHERE ` + p.where, p.args
	}
	if p.where == "1" {
		return ` FROM spoken WHERE spoken MATCH ?`, []any{p.match}
	}
	return ` FROM spoken JOIN line l ON l.id = spoken.rowid WHERE spoken MATCH ? AND ` + p.where, append([]any{p.match}, p.args...)
}

func (p *plan) count(ctx context.Context) (n int, err error) {
	from, args := p.from()
	err = p.x.tx.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&n)
	return n, err
}

// Weights of an exact form, of a stem by the first stemmer, by the Ukrainian one. The rank is rounded, so that
// an index that grew ranks as one that was made at once.
const rank = `round(bm25(spoken, 2.0, 1.0, 1.0), 5)`

func (p *plan) hits(ctx context.Context, o Options) ([]Hit, error) {
	from, args := p.from()
	// The lines themselves stay out of the sorting.
	found := `SELECT l.id AS id, 0 AS rank`
	if p.match != "" {
		found = `SELECT spoken.rowid AS id, ` + rank + ` AS rank`
	}
	query := `SELECT b.line FROM (SELECT m.id, m.rank, l.recording, l.from_, l.to_ FROM (` + found + from + `) AS m JOIN line l ON l.id = m.id
		ORDER BY m.rank, l.recording, l.from_, l.to_, l.id LIMIT ? OFFSET ?) AS page JOIN body b ON b.id = page.id
		ORDER BY page.rank, page.recording, page.from_, page.to_, page.id`
	rows, err := p.x.tx.QueryContext(ctx, query, append(slices.Clip(args), o.Limit, o.Offset)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hits := []Hit{}
	for rows.Next() {
		var b []byte
		var h Hit
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, &h.Line); err != nil {
			return nil, evidence.Damaged("the search index holds a line that cannot be read").Because(err)
		}
		h.Matches, h.Excerpt = p.matcher.ranges(h.Line.Text)
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

func (p *plan) hours(ctx context.Context) ([]Hour, error) {
	q := *p
	q.where += ` AND l.wall_from IS NOT NULL`
	from, args := q.from()
	rows, err := p.x.tx.QueryContext(ctx, `SELECT l.wall_from / 3600000 AS hour, count(*)`+from+` GROUP BY hour ORDER BY hour`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Hour
	for rows.Next() {
		var h int64
		var n int
		if err := rows.Scan(&h, &n); err != nil {
			return nil, err
		}
		out = append(out, Hour{time.UnixMilli(h * 3600000).UTC().Format("2006-01-02T15"), n})
	}
	return out, rows.Err()
}

// facetColumns are the fields that an answer is counted by.
var facetColumns = map[string]string{
	"recording": `(SELECT r.id FROM recording r WHERE r.number = l.recording)`,
	"state":     `l.state`,
	"language":  `substr(ltrim(l.langs), 1, instr(ltrim(l.langs) || ' ', ' ') - 1)`, // the likeliest
	"sound":     `l.sound`,
}

// facets counts by each field, the most frequent values first; lines without a value are not in it.
func (p *plan) facets(ctx context.Context) (map[string][]Count, error) {
	q := *p
	q.where += ` AND l.id IS NOT NULL` // for the table line to be there
	from, args := q.from()
	out := map[string][]Count{}
	for name, column := range facetColumns {
		counts, err := p.counts(ctx, `SELECT `+column+` AS value, count(*) AS n`+from+` GROUP BY value HAVING value != '' ORDER BY n DESC, value`, args)
		if err != nil {
			return nil, err
		}
		out[name] = counts
	}
	return out, nil
}

func (p *plan) counts(ctx context.Context, query string, args []any) ([]Count, error) {
	rows, err := p.x.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Value, &c.Count); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// where writes the filters and exclusions as conditions on line l. With undated it takes lines without a time
// in place of those at the right time.
func (x *Index) where(ctx context.Context, q Query, only []Place, undated bool) (string, []any, error) {
	var conds []string
	var args []any
	if only != nil {
		keys := make([]string, len(only))
		for i, p := range only {
			keys[i] = fmt.Sprintf("%s/%d-%d", p.Recording, p.Span.From, p.Span.To)
		}
		list, err := json.Marshal(keys)
		if err != nil {
			return "", nil, err
		}
		conds = append(conds, facetColumns["recording"]+` || '/' || l.from_ || '-' || l.to_ IN (SELECT value FROM json_each(?))`)
		args = append(args, string(list))
	}
	// A filter given twice means either; excluded ones must all not hold.
	either := map[string][]string{}
	eitherArgs := map[string][]any{}
	for _, f := range q.filters {
		var cond string
		var a []any
		switch f.key {
		case "rec":
			numbers, err := x.recordings(ctx, f.value)
			if err != nil {
				return "", nil, err
			}
			cond = `l.recording IN (` + numbers + `)`
		case "lang":
			cond, a = `instr(l.langs, ?) > 0`, []any{" " + f.value + " "}
		case "state":
			cond, a = `l.state = ?`, []any{f.value}
		case "sound":
			cond, a = `l.sound = ?`, []any{f.value}
		case "snr":
			cond, a = `(l.snr >= ? AND l.snr < ?)`, []any{f.bounds[0], f.bounds[1]}
		case "date":
			cond, a = `(l.wall_from < ? AND l.wall_to > ?)`, []any{f.bounds[1], f.bounds[0]}
		case "from":
			cond, a = column("to", f)+` > ?`, []any{f.bounds[0]}
		case "to":
			cond, a = column("from", f)+` < ?`, []any{f.bounds[1]}
		}
		if undated && (f.key == "date" || f.key == "from" || f.key == "to") {
			cond, a, f.negate = `l.at_from IS NULL`, nil, false
		}
		if f.negate || f.key == "snr" || f.key == "from" || f.key == "to" {
			if f.negate {
				cond = `NOT ` + cond
			}
			conds, args = append(conds, cond), append(args, a...)
			continue
		}
		either[f.key] = append(either[f.key], cond)
		eitherArgs[f.key] = append(eitherArgs[f.key], a...)
	}
	for _, key := range filterKeys {
		if list := either[key]; list != nil {
			conds, args = append(conds, `(`+strings.Join(list, " OR ")+`)`), append(args, eitherArgs[key]...)
		}
	}
	for _, t := range q.not {
		e, err := x.expand(ctx, t)
		if err != nil {
			return "", nil, err
		}
		conds, args = append(conds, `l.id NOT IN (SELECT rowid FROM spoken WHERE spoken MATCH ?)`), append(args, e.match())
	}
	if len(conds) == 0 {
		return "1", nil, nil
	}
	return strings.Join(conds, " AND "), args, nil
}

// column names the time that a bound compares with: the instant, or the recording's own clock.
func column(end string, f filter) string {
	if f.zoned {
		return "l.at_" + end
	}
	return "l.wall_" + end
}

// recordings lists the numbers of those whose number or file name has part in it.
func (x *Index) recordings(ctx context.Context, part string) (string, error) {
	rows, err := x.tx.QueryContext(ctx, `SELECT number, id FROM recording WHERE instr(name, ?) > 0 ORDER BY number`, part)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var n int64
		var id string
		if err := rows.Scan(&n, &id); err != nil {
			return "", err
		}
		if strings.EqualFold(id, part) { // REC-0001 is that one, not REC-00010 as well
			list = []string{fmt.Sprint(n)}
			break
		}
		list = append(list, fmt.Sprint(n))
	}
	return strings.Join(list, ","), rows.Err()
}

// expanded is a term with all the words it stands for.
type expanded struct {
	term
	stems stems
	near  []string // of a fuzzy term: the words of the vocabulary that are spelled nearly so
}

func (x *Index) expand(ctx context.Context, t term) (expanded, error) {
	e := expanded{term: t}
	if t.kind == termWord || t.kind == termFuzzy {
		e.stems = x.stems.of(t.words[0])
	}
	if t.kind == termFuzzy {
		list, err := x.nearest(ctx, t.words[0])
		if err != nil {
			return e, err
		}
		for _, n := range list {
			e.near = append(e.near, n.word)
		}
	}
	return e, nil
}

// match writes the term for FTS5. Words are letters, digits and marks: they cannot break a quotation.
func (e expanded) match() string {
	switch e.kind {
	case termPhrase:
		return `word : "` + strings.Join(e.words, " ") + `"`
	case termPrefix:
		return `word : "` + e.words[0] + `" *`
	}
	parts := []string{`word : "` + e.words[0] + `"`, `stem : "` + e.stems.first + `"`}
	if e.stems.uk != "" {
		parts = append(parts, `uk : "`+e.stems.uk+`"`)
	}
	for _, w := range e.near {
		parts = append(parts, `word : "`+w+`"`)
	}
	return `(` + strings.Join(parts, " OR ") + `)`
}

// matcher finds in a text what made it match.
type matcher struct {
	terms []expanded
	stems *stemmer
}

func (m matcher) ranges(text string) ([]Range, Range) {
	toks := tokens(text)
	marked := make([]bool, len(toks))
	for i := range toks {
		for _, t := range m.terms {
			n := m.at(t, toks[i:])
			for k := range n {
				marked[i+k] = true
			}
		}
	}
	out := []Range{}
	runes, at := 0, 0
	to := func(b int) int {
		runes += utf8.RuneCountInString(text[at:b])
		at = b
		return runes
	}
	for i, t := range toks {
		if marked[i] {
			from := to(t.from)
			out = append(out, Range{from, to(t.to)})
		}
	}
	total := to(len(text))
	excerpt := Range{0, total}
	if total > excerptChars {
		first := 0
		if len(out) > 0 {
			first = out[0].From
		}
		excerpt.From = max(0, min(first-excerptChars/4, total-excerptChars))
		excerpt.To = excerpt.From + excerptChars
	}
	return out, excerpt
}

// at returns how many of the leading toks are what t looks for.
func (m matcher) at(t expanded, toks []token) int {
	w := toks[0].word
	switch t.kind {
	case termPhrase:
		if len(toks) < len(t.words) {
			return 0
		}
		for i, want := range t.words {
			if toks[i].word != want {
				return 0
			}
		}
		return len(t.words)
	case termPrefix:
		if strings.HasPrefix(w, t.words[0]) {
			return 1
		}
		return 0
	}
	s := m.stems.of(w)
	if w == t.words[0] || s.first == t.stems.first || s.uk != "" && s.uk == t.stems.uk || slices.Contains(t.near, w) {
		return 1
	}
	return 0
}
