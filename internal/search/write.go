package search

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/transcript"
)

// writer brings tables up to date within one transaction.
type writer struct {
	tx      *sql.Tx
	stems   *stemmer
	touched map[string]bool // recordings
	words   map[string]int
}

type stored struct {
	id         int64
	text       string
	line       []byte
	from, to   int64
	stillThere bool
}

func (w *writer) write(ctx context.Context, state *transcript.State) error {
	insert, err := w.tx.PrepareContext(ctx, `INSERT INTO line (recording, from_, to_, state, sound, langs, snr, at_from, at_to, wall_from, wall_to, id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET state=excluded.state, sound=excluded.sound, langs=excluded.langs, snr=excluded.snr, at_from=excluded.at_from, at_to=excluded.at_to,
		wall_from=excluded.wall_from, wall_to=excluded.wall_to`)
	if err != nil {
		return err
	}
	defer insert.Close()
	insertBody, err := w.tx.PrepareContext(ctx, `INSERT OR REPLACE INTO body (id, text, line) VALUES (?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insertBody.Close()
	insertText, err := w.tx.PrepareContext(ctx, `INSERT INTO spoken (rowid, word, stem, uk) VALUES (?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insertText.Close()
	for _, id := range slices.Sorted(maps.Keys(w.touched)) {
		r, err := state.Recording(id)
		if err != nil {
			return err
		}
		lines, err := state.Lines(id)
		if err != nil {
			return err
		}
		var number int64
		if _, err := fmt.Sscanf(id, "REC-%d", &number); err != nil {
			return fmt.Errorf("read recording number %q: %w", id, err)
		}
		if _, err := w.tx.ExecContext(ctx, `INSERT OR REPLACE INTO recording (number, id, name) VALUES (?, ?, ?)`, number, id, foldName(id+" "+r.Name)); err != nil {
			return err
		}
		have, err := w.stored(ctx, number)
		if err != nil {
			return err
		}
		for i := range lines {
			l := &lines[i]
			b, err := json.Marshal(l)
			if err != nil {
				return fmt.Errorf("write line %s: %w", l.Citation, err)
			}
			var old *stored
			for k := range have[l.Samples] {
				if s := have[l.Samples][k]; !s.stillThere {
					old = s
					break
				}
			}
			var rowid any
			if old != nil {
				old.stillThere = true
				if bytes.Equal(old.line, b) {
					continue
				}
				rowid = old.id
			}
			if err := w.line(ctx, inserts{insert, insertBody, insertText}, number, l, b, rowid, old); err != nil {
				return err
			}
		}
		for _, list := range have {
			for _, s := range list {
				if s.stillThere {
					continue
				}
				if err := w.forget(ctx, s); err != nil {
					return err
				}
				for _, q := range []string{`DELETE FROM line WHERE id = ?`, `DELETE FROM body WHERE id = ?`} {
					if _, err := w.tx.ExecContext(ctx, q, s.id); err != nil {
						return err
					}
				}
			}
		}
	}
	return w.vocabulary(ctx)
}

// stored reads what the index holds of a recording.
func (w *writer) stored(ctx context.Context, number int64) (map[evidence.Span][]*stored, error) {
	rows, err := w.tx.QueryContext(ctx, `SELECT l.id, l.from_, l.to_, b.text, b.line FROM line l JOIN body b ON b.id = l.id WHERE l.recording = ? ORDER BY l.id`, number)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := map[evidence.Span][]*stored{}
	for rows.Next() {
		s := &stored{}
		if err := rows.Scan(&s.id, &s.from, &s.to, &s.text, &s.line); err != nil {
			return nil, err
		}
		span := evidence.Span{From: s.from, To: s.to}
		have[span] = append(have[span], s)
	}
	return have, rows.Err()
}

// inserts are the statements that a line needs, prepared.
type inserts struct{ line, body, spoken *sql.Stmt }

func (w *writer) line(ctx context.Context, in inserts, number int64, l *transcript.Line, b []byte, rowid any, old *stored) error {
	var times [4]any // at_from, at_to, wall_from, wall_to
	if l.TimeStart != "" {
		for i, s := range []string{l.TimeStart, l.TimeEnd} {
			t, err := time.Parse(time.RFC3339, s)
			if err != nil {
				return fmt.Errorf("read time of line %s: %w", l.Citation, err)
			}
			_, off := t.Zone()
			times[i], times[i+2] = t.UnixMilli(), t.UnixMilli()+int64(off)*1000
		}
	}
	langs := ""
	for _, lang := range l.Langs {
		langs += " " + lang + " "
	}
	res, err := in.line.ExecContext(ctx, number, l.Samples.From, l.Samples.To, l.State, l.Sound, langs, centibel(l.SnrDB), times[0], times[1], times[2], times[3], rowid)
	if err != nil {
		return fmt.Errorf("index line %s: %w", l.Citation, err)
	}
	if old == nil {
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		rowid = id
	}
	if _, err := in.body.ExecContext(ctx, rowid, l.Text, b); err != nil {
		return fmt.Errorf("index line %s: %w", l.Citation, err)
	}
	if old != nil && old.text == l.Text {
		return nil
	}
	if old != nil {
		if err := w.forget(ctx, old); err != nil {
			return err
		}
	}
	if l.Text == "" {
		return nil
	}
	var words, first, uk strings.Builder
	for _, t := range tokens(l.Text) {
		w.words[t.word]++
		s := w.stems.of(t.word)
		words.WriteString(t.word + " ")
		first.WriteString(s.first + " ")
		if s.uk != "" {
			uk.WriteString(s.uk + " ")
		}
	}
	if _, err := in.spoken.ExecContext(ctx, rowid, words.String(), first.String(), uk.String()); err != nil {
		return fmt.Errorf("index the text of line %s: %w", l.Citation, err)
	}
	return nil
}

func centibel(db float64) int64 {
	if db < 0 {
		return int64(db*100 - 0.5)
	}
	return int64(db*100 + 0.5)
}

// forget takes the text of a line out of the index.
func (w *writer) forget(ctx context.Context, s *stored) error {
	if s.text == "" {
		return nil
	}
	for _, t := range tokens(s.text) {
		w.words[t.word]--
	}
	_, err := w.tx.ExecContext(ctx, `DELETE FROM spoken WHERE rowid = ?`, s.id)
	return err
}

func (w *writer) vocabulary(ctx context.Context) error {
	add, err := w.tx.PrepareContext(ctx, `INSERT INTO word (word, key, runes, n) VALUES (?, ?, ?, ?) ON CONFLICT (word) DO UPDATE SET n = n + excluded.n`)
	if err != nil {
		return err
	}
	defer add.Close()
	gone := false
	for word, n := range w.words {
		if n == 0 {
			continue
		}
		gone = gone || n < 0
		key := sameSound.Replace(word)
		if _, err := add.ExecContext(ctx, word, key, len([]rune(key)), n); err != nil {
			return fmt.Errorf("note the word %q: %w", word, err)
		}
	}
	if gone {
		_, err = w.tx.ExecContext(ctx, `DELETE FROM word WHERE n <= 0`)
	}
	return err
}
