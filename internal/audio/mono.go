package audio

import (
	"encoding/binary"
	"math"
)

// Arithmetic between the file and the working sound is in integers, so that every machine gets the same
// samples: full scale is 2^23 (24-bit samples stand for themselves).
const fullScale = 1 << 23

// floatLimit bounds floating-point samples, which may lie above full scale, to 18 dB over it.
const floatLimit = 8 * fullScale

// mono writes the mean of the channels of each frame of b into dst.
func (l Layout) mono(dst []int32, b []byte) {
	step := l.Bits / 8
	if l.Channels == 1 && l.Encoding == EncodingPCM && l.Bits == 16 {
		for i := range dst {
			dst[i] = int32(int16(binary.LittleEndian.Uint16(b[2*i:]))) << 8
		}
		return
	}
	n := int64(l.Channels)
	for i := range dst {
		var sum int64
		for range l.Channels {
			sum += int64(l.sample(b))
			b = b[step:]
		}
		dst[i] = int32(divRound(sum, n))
	}
}

// divRound divides by a positive n, rounding to nearest, halves up.
func divRound(a, n int64) int64 {
	q := (2*a + n) / (2 * n)
	if (2*a+n)%(2*n) < 0 {
		q--
	}
	return q
}

func (l Layout) sample(b []byte) int32 {
	switch l.Encoding {
	case EncodingFloat:
		x := floatSample(b, l.Bits)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0
		}
		return int32(math.RoundToEven(max(-floatLimit, min(floatLimit, x*fullScale))))
	case EncodingALaw:
		return int32(alaw(b[0])) << 8
	case EncodingMuLaw:
		return int32(mulaw(b[0])) << 8
	}
	switch l.Bits {
	case 8:
		return (int32(b[0]) - 128) << 16
	case 16:
		return int32(int16(binary.LittleEndian.Uint16(b))) << 8
	case 24:
		return int32(b[0]) | int32(b[1])<<8 | int32(int8(b[2]))<<16
	default:
		return int32((int64(int32(binary.LittleEndian.Uint32(b))) + 128) >> 8)
	}
}

// mulaw expands one byte of ITU-T G.711 mu-law to 16 bits.
func mulaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0F)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		v = -v
	}
	return int16(v)
}

// alaw expands one byte of ITU-T G.711 A-law to 16 bits.
func alaw(b byte) int16 {
	b ^= 0x55
	v := int(b&0x0F)<<4 + 8
	if e := b >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}
