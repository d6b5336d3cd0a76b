package whisper

import (
	"encoding/binary"
	"testing"
)

// decodeFLAC decodes mono FLAC of 16 bits (RFC 9639), as far as the reference recordings use it.
func decodeFLAC(t testing.TB, b []byte) []int16 {
	t.Helper()
	if len(b) < 42 || string(b[:4]) != "fLaC" {
		t.Fatal("no FLAC file")
	}
	info := binary.BigEndian.Uint64(b[18:])
	if info>>44 != rate || info>>41&7 != 0 || info>>36&31 != 15 {
		t.Fatalf("FLAC is not 16 kHz mono in 16 bits")
	}
	total := int(info & (1<<36 - 1))
	at := 4
	for last := false; !last; {
		last = b[at]&0x80 != 0
		at += 4 + int(b[at+1])<<16 + int(b[at+2])<<8 + int(b[at+3])
	}
	r := &bitReader{b: b, at: at * 8}
	var out []int16
	for len(out) < total {
		out = append(out, r.frame(t)...)
	}
	return out[:total]
}

type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) bits(n int) int {
	v := 0
	for range n {
		v = v<<1 | int(r.b[r.at>>3]>>(7-r.at&7))&1
		r.at++
	}
	return v
}

func (r *bitReader) signed(n int) int {
	v := r.bits(n)
	if n > 0 && v>>(n-1) == 1 {
		v -= 1 << n
	}
	return v
}

func (r *bitReader) unary() int {
	n := 0
	for r.bits(1) == 0 {
		n++
	}
	return n
}

func (r *bitReader) frame(t testing.TB) []int16 {
	if r.bits(14) != 0x3ffe {
		t.Fatalf("no FLAC frame at byte %d", r.at/8)
	}
	r.bits(2)
	size, rateCode := r.bits(4), r.bits(4)
	r.bits(8) // channels, sample size, reserved: as in the header
	for lead := r.bits(8); lead&0x80 != 0 && lead&0x40 != 0; lead = lead << 1 & 0xff {
		r.bits(8) // the number's further bytes
	}
	var n int
	switch {
	case size == 1:
		n = 192
	case size >= 2 && size <= 5:
		n = 576 << (size - 2)
	case size == 6:
		n = r.bits(8) + 1
	case size == 7:
		n = r.bits(16) + 1
	default:
		n = 256 << (size - 8)
	}
	switch rateCode {
	case 12:
		r.bits(8)
	case 13, 14:
		r.bits(16)
	}
	r.bits(8) // checksum of the head
	s := r.subframe(n)
	r.at = (r.at + 7) &^ 7
	r.bits(16) // checksum of the frame
	out := make([]int16, n)
	for i, v := range s {
		out[i] = int16(v)
	}
	return out
}

func (r *bitReader) subframe(n int) []int {
	r.bits(1)
	kind := r.bits(6)
	depth, wasted := 16, 0
	if r.bits(1) == 1 {
		wasted = r.unary() + 1
		depth -= wasted
	}
	s := make([]int, n)
	switch {
	case kind == 0:
		v := r.signed(depth)
		for i := range s {
			s[i] = v
		}
	case kind == 1:
		for i := range s {
			s[i] = r.signed(depth)
		}
	case kind >= 8 && kind <= 12:
		order := kind - 8
		for i := range order {
			s[i] = r.signed(depth)
		}
		r.residual(s, order)
		coefficients := [][]int{{}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}}[order]
		predict(s, coefficients, 0)
	default:
		order := kind - 31
		for i := range order {
			s[i] = r.signed(depth)
		}
		precision, shift := r.bits(4)+1, r.signed(5)
		coefficients := make([]int, order)
		for i := range coefficients {
			coefficients[i] = r.signed(precision)
		}
		r.residual(s, order)
		predict(s, coefficients, shift)
	}
	for i := range s {
		s[i] <<= wasted
	}
	return s
}

func predict(s, coefficients []int, shift int) {
	for i := len(coefficients); i < len(s); i++ {
		sum := 0
		for k, c := range coefficients {
			sum += c * s[i-1-k]
		}
		s[i] += sum >> shift
	}
}

func (r *bitReader) residual(s []int, order int) {
	width := 4 + r.bits(2) // of a Rice parameter
	parts := 1 << r.bits(4)
	for p, i := 0, order; p < parts; p++ {
		end := len(s) / parts * (p + 1)
		k := r.bits(width)
		if k == 1<<width-1 {
			raw := r.bits(5)
			for ; i < end; i++ {
				s[i] = r.signed(raw)
			}
			continue
		}
		for ; i < end; i++ {
			v := r.unary()<<k | r.bits(k)
			s[i] = v>>1 ^ -(v & 1)
		}
	}
}
