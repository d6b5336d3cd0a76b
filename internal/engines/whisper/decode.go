//go:build cgo

package whisper

import (
	"context"
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// headSize is the width of an attention head in every Whisper model.
const headSize = 64

// workspace holds the buffers of one burst. They grow to the longest burst and are used again.
type workspace struct {
	*spectrograph
	mel    []float32
	ck, cv []float32
	past   [4][]float32 // keys and values, old and new: they change places at every step
	logits []float32
	att    []float32 // a row of heads x width for each token that went in
	attNow []float32
	mask   []float32
	zeros  []float32
	values []ort.Value // what Destroy is owed
}

func grown(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}

// tensor wraps a buffer, without copying it, until release.
func (w *workspace) tensor(data []float32, dims ...int64) (ort.Value, error) {
	t, err := ort.NewTensor(ort.Shape(dims), data)
	if err != nil {
		return nil, fmt.Errorf("make tensor: %w", err)
	}
	w.values = append(w.values, t)
	return t, nil
}

// release destroys the tensors made since from.
func (w *workspace) release(from int) error {
	var errs []error
	for _, v := range w.values[from:] {
		errs = append(errs, v.Destroy())
	}
	w.values = w.values[:from]
	return errors.Join(errs...)
}

// decoding is one burst on its way through the decoder.
type decoding struct {
	m      *Model
	w      *workspace
	width  int       // encoder frames
	ck, cv ort.Value // the encoder's keys and values
	cmask  ort.Value // no frame is hidden
	pk, pv ort.Value // keys and values of the tokens so far
	done   int       // tokens so far
	flip   int       // which pair of past is the older one
}

// shown is how many samples the encoder is given for a burst, the silence after it included. It has places for
// 30 s, and was trained with nothing less; window is the least that it is given.
func (p Params) shown(samples, window int) int {
	return min(max(samples+p.TailMs*rate/1000, window), longest*rate)
}

// encode runs the encoder over the burst, followed by silence up to n samples, and readies the decoder.
func (m *Model) encode(w *workspace, pcm []float32, n int) (*decoding, error) {
	s := m.size
	w.mel = w.logMel(w.mel, pcm, n-len(pcm))
	d := &decoding{m: m, w: w, width: frames(n) / 2}
	cross := s.layers * s.heads * headSize * d.width
	if cap(w.ck) < cross && n >= longBurst { // at once for the longest, not one after another for each length
		most := s.layers * s.heads * headSize * frames(longest*rate) / 2
		w.ck, w.cv = make([]float32, most), make([]float32, most)
	}
	w.ck, w.cv = grown(w.ck, cross), grown(w.cv, cross)
	L, H, T := int64(s.layers), int64(s.heads), int64(d.width)
	var errs [7]error
	mel, err := w.tensor(w.mel, 1, int64(s.mels), int64(frames(n)))
	errs[0] = err
	d.ck, errs[1] = w.tensor(w.ck, L, 1, H, headSize, T)
	d.cv, errs[2] = w.tensor(w.cv, L, 1, H, T, headSize)
	w.zeros = grown(w.zeros, max(d.width, maxTokens+8))
	d.cmask, errs[3] = w.tensor(w.zeros, 1, 1, 1, T)
	d.pk, errs[4] = w.tensor(w.past[0], L, 1, H, 0, headSize)
	d.pv, errs[5] = w.tensor(w.past[1], L, 1, H, 0, headSize)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if err := m.encoder.Run([]ort.Value{mel}, []ort.Value{d.ck, d.cv}); err != nil {
		return nil, fmt.Errorf("run encoder: %w", err)
	}
	return d, nil
}

// step feeds tokens to the decoder. Afterwards w.logits holds the scores of what follows the last of them.
func (d *decoding) step(tokens ...int64) (err error) {
	w, s := d.w, d.m.size
	N, P := len(tokens), d.done
	S := P + N
	base := len(w.values)
	pos := make([]int64, N)
	for i := range pos {
		pos[i] = int64(P + i)
	}
	mask := w.zeros[:S]
	if N > 1 {
		w.mask = grown(w.mask, N*S)
		mask = w.mask
		for i := range N {
			for j := range S {
				mask[i*S+j] = 0
				if j > P+i {
					mask[i*S+j] = -1e9
				}
			}
		}
	}
	next := 2 - 2*d.flip // the pair that the new keys and values go into
	past := s.layers * s.heads * headSize * S
	for i := next; i < next+2; i++ {
		if cap(w.past[i]) < past { // room for half as many again: it is filled anew at every step
			w.past[i] = make([]float32, past, past*3/2+s.layers*s.heads*headSize*32)
		}
		w.past[i] = w.past[i][:past]
	}
	w.logits = grown(w.logits, s.words)
	w.attNow = grown(w.attNow, s.alignment*N*d.width)
	L, H, n := int64(s.layers), int64(s.heads), int64(N)
	var errs [6]error
	ids, err := ort.NewTensor(ort.NewShape(1, n), tokens)
	if err != nil {
		return fmt.Errorf("make tensor: %w", err)
	}
	defer func() { err = errors.Join(err, ids.Destroy()) }()
	places, err := ort.NewTensor(ort.NewShape(n), pos)
	if err != nil {
		return fmt.Errorf("make tensor: %w", err)
	}
	defer func() { err = errors.Join(err, places.Destroy()) }()
	hide, e := w.tensor(mask, 1, 1, n, int64(S))
	errs[0] = e
	logits, e := w.tensor(w.logits, 1, int64(s.words))
	errs[1] = e
	att, e := w.tensor(w.attNow, 1, int64(s.alignment), n, int64(d.width))
	errs[2] = e
	nk, e := w.tensor(w.past[next], L, 1, H, int64(S), headSize)
	errs[3] = e
	nv, e := w.tensor(w.past[next+1], L, 1, H, int64(S), headSize)
	errs[4] = e
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := d.m.decoder.Run([]ort.Value{ids, places, hide, d.pk, d.pv, d.ck, d.cv, d.cmask}, []ort.Value{logits, nk, nv, att}); err != nil {
		return fmt.Errorf("run decoder: %w", err)
	}
	// [heads,N,width] becomes rows of [heads,width].
	for i := range N {
		for h := range s.alignment {
			from := (h*N + i) * d.width
			w.att = append(w.att, w.attNow[from:from+d.width]...)
		}
	}
	// The tensors of this step go; the new past stays until the burst is done.
	w.values = append(w.values[:base], hide, logits, att)
	err = w.release(base)
	w.values = append(w.values, nk, nv)
	d.pk, d.pv = nk, nv
	d.done, d.flip = S, 1-d.flip
	return err
}

// draft is what the decoder wrote, before anything is judged.
type draft struct {
	tokens        []int
	probabilities []float64 // of each, among all tokens: also those that are never written
	sumLog        float64   // of the tokens' log-probabilities among those that may be written, the end included
	label         float64   // probability that the text begins with a sound label
	looped        bool
	unfinished    bool
}

// write decodes greedily: the most probable token each time, until the end, a loop or limit tokens.
func (d *decoding) write(ctx context.Context, limit int) (draft, error) {
	v := d.m.words
	var out draft
	for first := true; ; first = false {
		c := v.pick(d.w.logits, first)
		out.sumLog += c.log
		if first {
			out.label = c.label
		}
		if c.token == v.end {
			return out, nil
		}
		out.tokens = append(out.tokens, c.token)
		out.probabilities = append(out.probabilities, c.probability)
		if out.looped = d.m.params.loops(out.tokens); out.looped {
			return out, nil
		}
		if out.unfinished = len(out.tokens) >= limit; out.unfinished {
			return out, nil
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if err := d.step(int64(c.token)); err != nil {
			return out, err
		}
	}
}
