//go:build cgo

package whisper

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/internal/engines/whisper/mel"
)

const (
	headSize    = 64   // width of an attention head in every Whisper model
	placesGrain = 64   // places of the cache come in this many: then what a sum of them gives does not depend on how many are empty
	hidden      = -1e9 // added to what is not to be seen: its share is nought
	batchFrames = 1600 // encoder frames that a batch has room for: four short bursts, or one of 30 s
)

// batch is the memory of the bursts that one thread decodes together, and the decoder's step over them. Burst i lies in
// slot i of every buffer, so that the first n of them are one tensor.
type batch struct {
	m     *Model
	shown window // what the encoder is given of every burst in it
	width int    // encoder frames of every burst in it
	slots int
	rows  []*row // by slot

	ck, cv [][]float32 // by layer: the encoder's keys and values, slots x heads x 64 x width and x width x 64
	pk, pv [][]float32 // by layer: those of the tokens so far, slots x heads x 64 x places and x places x 64
	places int

	at                      []int64   // of each encoder frame, its position in the recogniser's 30 s
	weight                  []float32 // and the logarithm of how many it stands for
	tokens, pos             []int64
	mask, logp, att         []float32
	nk, nv                  [][]float32 // by layer: those of the tokens of a step
	mel                     []float32
	spectrum                *mel.Spectrograph
	inputs, outputs         []ort.Value // of the last step, used again while the sizes are the same
	boundN, boundM          int
	boundWidth, boundPlaces int
}

func newBatch(m *Model) *batch {
	n := m.size.Layers
	b := &batch{m: m, spectrum: mel.New(m.size.Mels)}
	for _, buffers := range []*[][]float32{&b.ck, &b.cv, &b.pk, &b.pv, &b.nk, &b.nv} {
		*buffers = make([][]float32, n)
	}
	return b
}

func grown[T any](b []T, n int) []T {
	if cap(b) < n {
		return make([]T, n)
	}
	return b[:n]
}

// open readies an empty batch for bursts that are shown so.
func (b *batch) open(shown window) {
	step := 0
	if shown.spread {
		step = b.m.params.SilenceStep
	}
	b.at, b.weight = mel.Positions(b.at[:0], b.weight[:0], shown.samples, step)
	b.shown, b.width, b.places = shown, len(b.at), placesGrain
	b.slots = max(1, batchFrames/b.width)
	for l := range b.m.size.Layers {
		n := b.slots * b.perFrame()
		b.ck[l], b.cv[l] = grown(b.ck[l], n*b.width), grown(b.cv[l], n*b.width)
		b.pk[l], b.pv[l] = grown(b.pk[l], n*b.places), grown(b.pv[l], n*b.places)
		clear(b.pk[l]) // a NaN left behind would outlast its share of nought
		clear(b.pv[l])
	}
}

// perFrame is how many numbers of one layer stand for one frame or token.
func (b *batch) perFrame() int { return b.m.size.Heads * headSize }

// widen makes room for more places.
func (b *batch) widen(places int) {
	if places <= b.places {
		return
	}
	H, from := b.m.size.Heads, b.places
	for l := range b.pk {
		k, v := make([]float32, b.slots*b.perFrame()*places), make([]float32, b.slots*b.perFrame()*places)
		for i := range len(b.rows) * b.perFrame() {
			copy(k[i*places:], b.pk[l][i*from:(i+1)*from])
		}
		for i := range len(b.rows) * H {
			copy(v[i*places*headSize:], b.pv[l][i*from*headSize:(i+1)*from*headSize])
		}
		b.pk[l], b.pv[l] = k, v
	}
	b.places = places
}

// swap exchanges two slots.
func (b *batch) swap(i, j int) {
	if i == j {
		return
	}
	exchange := func(buffer []float32, n int) {
		x, y := buffer[i*n:(i+1)*n], buffer[j*n:(j+1)*n]
		for k := range x {
			x[k], y[k] = y[k], x[k]
		}
	}
	for l := range b.ck {
		exchange(b.ck[l], b.perFrame()*b.width)
		exchange(b.cv[l], b.perFrame()*b.width)
		exchange(b.pk[l], b.perFrame()*b.places)
		exchange(b.pv[l], b.perFrame()*b.places)
	}
	b.rows[i], b.rows[j] = b.rows[j], b.rows[i]
	b.rows[i].slot, b.rows[j].slot = i, j
}

// take puts a burst into the next slot.
func (b *batch) take(r *row) {
	r.batch, r.slot = b, len(b.rows)
	b.rows = append(b.rows, r)
}

// drop takes a burst out.
func (b *batch) drop(r *row) {
	last := len(b.rows) - 1
	if r.slot != last { // what r leaves behind is of no use: half a swap would do, but this is rare
		b.swap(r.slot, last)
	}
	b.rows[last] = nil
	b.rows = b.rows[:last]
	r.batch = nil
}

// encode runs the encoder over pcm, followed by silence, into a slot.
func (b *batch) encode(slot int, pcm []float32) (err error) {
	s := b.m.size
	b.mel = b.spectrum.LogMel(b.mel, pcm, b.width*frame-len(pcm))
	H, T := int64(s.Heads), int64(b.width)
	var values []ort.Value
	defer func() { err = errors.Join(err, destroy(values)) }()
	add := func(t ort.Value, e error) {
		if err = errors.Join(err, e); e == nil {
			values = append(values, t)
		}
	}
	tensor := func(data []float32, dims ...int64) {
		t, e := ort.NewTensor(ort.Shape(dims), data)
		add(t, e)
	}
	tensor(b.mel, 1, int64(s.Mels), 2*T)
	at, e := ort.NewTensor(ort.NewShape(T), b.at)
	add(at, e)
	tensor(b.weight, T)
	per := b.perFrame() * b.width
	for l := range s.Layers {
		tensor(b.ck[l][slot*per:(slot+1)*per], 1, H, headSize, T)
		tensor(b.cv[l][slot*per:(slot+1)*per], 1, H, T, headSize)
	}
	if err != nil {
		return fmt.Errorf("make tensor: %w", err)
	}
	if err := b.m.encoder.Run(values[:3], values[3:]); err != nil {
		return fmt.Errorf("run encoder: %w", err)
	}
	return nil
}

func destroy(values []ort.Value) error {
	var errs []error
	for _, v := range values {
		errs = append(errs, v.Destroy())
	}
	return errors.Join(errs...)
}

// step runs the decoder over the m tokens of each of the first n bursts and hands each its results.
func (b *batch) step(n, m int) error {
	places := b.places
	for _, r := range b.rows[:n] {
		places = max(places, r.room)
	}
	b.widen(places)
	if err := b.bind(n, m); err != nil {
		return err
	}
	all := b.places + m
	for i, r := range b.rows[:n] {
		for p, e := range r.in {
			b.tokens[i*m+p], b.pos[i*m+p] = int64(e.token), int64(len(e.sees)+p*r.chained)
			mask := b.mask[(i*m+p)*all : (i*m+p+1)*all]
			for k := range mask {
				mask[k] = hidden
			}
			for _, k := range e.sees {
				mask[k] = 0
			}
			mask[b.places+p] = 0
			for q := range p * r.chained {
				mask[b.places+q] = 0
			}
		}
	}
	if err := b.m.decoder.Run(b.inputs, b.outputs); err != nil {
		return fmt.Errorf("run decoder: %w", err)
	}
	for i, r := range b.rows[:n] {
		b.keep(i, r.used, m)
		r.logp = b.logp[i*m*b.m.size.Words : (i+1)*m*b.m.size.Words]
		// [heads,m,width] becomes a row of [heads,width] for each place.
		for p := range m {
			for h := range b.m.size.Alignment {
				from := ((i*b.m.size.Alignment+h)*m + p) * b.width
				r.att = append(r.att, b.att[from:from+b.width]...)
			}
		}
		r.used += m
	}
	return nil
}

// keep copies what a step gave burst i into its places from at on.
func (b *batch) keep(i, at, m int) {
	H, S := b.m.size.Heads, b.places
	for l := range b.pk {
		k, v := b.pk[l][i*b.perFrame()*S:], b.pv[l][i*b.perFrame()*S:]
		nk, nv := b.nk[l][i*b.perFrame()*m:], b.nv[l][i*b.perFrame()*m:]
		for d := range H * headSize {
			copy(k[d*S+at:d*S+at+m], nk[d*m:])
		}
		for h := range H {
			copy(v[(h*S+at)*headSize:(h*S+at+m)*headSize], nv[h*m*headSize:])
		}
	}
}

// compact keeps only the places in kept, in their order, of the burst in a slot.
func (b *batch) compact(slot int, kept []int) {
	H, S := b.m.size.Heads, b.places
	for l := range b.pk {
		k, v := b.pk[l][slot*b.perFrame()*S:], b.pv[l][slot*b.perFrame()*S:]
		for d := range H * headSize {
			for to, from := range kept {
				k[d*S+to] = k[d*S+from]
			}
		}
		for h := range H {
			for to, from := range kept {
				copy(v[(h*S+to)*headSize:(h*S+to+1)*headSize], v[(h*S+from)*headSize:(h*S+from+1)*headSize])
			}
		}
	}
}

// bind makes the tensors of a step over n bursts of m tokens, unless those of the last one fit.
func (b *batch) bind(n, m int) error {
	if n == b.boundN && m == b.boundM && b.width == b.boundWidth && b.places == b.boundPlaces {
		return nil
	}
	if err := b.release(); err != nil {
		return err
	}
	s := b.m.size
	b.tokens, b.pos = grown(b.tokens, n*m), grown(b.pos, n*m)
	b.mask, b.logp, b.att = grown(b.mask, n*m*(b.places+m)), grown(b.logp, n*m*s.Words), grown(b.att, n*s.Alignment*m*b.width)
	var err error
	add := func(to *[]ort.Value, t ort.Value, e error) {
		if e != nil {
			err = errors.Join(err, e)
			return
		}
		*to = append(*to, t)
	}
	floats := func(to *[]ort.Value, data []float32, dims ...int64) {
		size := 1
		for _, d := range dims {
			size *= int(d)
		}
		t, e := ort.NewTensor(ort.Shape(dims), data[:size])
		add(to, t, e)
	}
	N, M, H, T, S := int64(n), int64(m), int64(s.Heads), int64(b.width), int64(b.places)
	for _, v := range [][]int64{b.tokens, b.pos} {
		t, e := ort.NewTensor(ort.NewShape(N, M), v)
		add(&b.inputs, t, e)
	}
	floats(&b.inputs, b.mask, N, 1, M, S+M)
	floats(&b.inputs, b.weight, T)
	floats(&b.outputs, b.logp, N, M, int64(s.Words))
	floats(&b.outputs, b.att, N, int64(s.Alignment), M, T)
	for l := range s.Layers {
		floats(&b.inputs, b.pk[l], N, H, headSize, S)
		floats(&b.inputs, b.pv[l], N, H, S, headSize)
		floats(&b.inputs, b.ck[l], N, H, headSize, T)
		floats(&b.inputs, b.cv[l], N, H, T, headSize)
		b.nk[l], b.nv[l] = grown(b.nk[l], n*m*b.perFrame()), grown(b.nv[l], n*m*b.perFrame())
		floats(&b.outputs, b.nk[l], N, H, headSize, M)
		floats(&b.outputs, b.nv[l], N, H, M, headSize)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make tensor: %w", err), b.release())
	}
	b.boundN, b.boundM, b.boundWidth, b.boundPlaces = n, m, b.width, b.places
	return nil
}

func (b *batch) release() error {
	err := errors.Join(destroy(b.inputs), destroy(b.outputs))
	b.inputs, b.outputs, b.boundN = b.inputs[:0], b.outputs[:0], 0
	return err
}

// layered names the inputs and outputs of a decoder with that many layers.
func layered(layers int, before []string, names ...string) []string {
	for l := range layers {
		for _, n := range names {
			before = append(before, fmt.Sprint(n, l))
		}
	}
	return before
}
