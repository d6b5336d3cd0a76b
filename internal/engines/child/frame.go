package child

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/earwitness/earwitness/evidence"
)

// Limits of a frame. MaxSamples (8 minutes and 44 seconds) is what one request may carry.
const (
	maxHeader  = 1 << 20
	maxPayload = 16 << 20
	MaxSamples = maxPayload / 2
)

// writeFrame writes header as JSON, and payload.
func writeFrame(w io.Writer, header any, payload []byte) error {
	h, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	if len(h) > maxHeader || len(payload) > maxPayload {
		return fmt.Errorf("frame of %d and %d bytes is over the limits of %d and %d", len(h), len(payload), maxHeader, maxPayload)
	}
	b := make([]byte, 8, 8+len(h)+len(payload))
	binary.BigEndian.PutUint32(b, uint32(len(h)))
	binary.BigEndian.PutUint32(b[4:], uint32(len(payload)))
	b = append(append(b, h...), payload...)
	_, err = w.Write(b)
	return err
}

// readFrame reads a frame into header and returns its payload. io.EOF means that there is none.
func readFrame(r io.Reader, header any) ([]byte, error) {
	var sizes [8]byte
	if _, err := io.ReadFull(r, sizes[:]); err != nil {
		return nil, err
	}
	h, p := binary.BigEndian.Uint32(sizes[:]), binary.BigEndian.Uint32(sizes[4:])
	if h > maxHeader || p > maxPayload {
		return nil, fmt.Errorf("frame claims %d and %d bytes, the limits are %d and %d", h, p, maxHeader, maxPayload)
	}
	b := make([]byte, int(h)+int(p))
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if err := json.Unmarshal(b[:h], header); err != nil {
		return nil, fmt.Errorf("frame header is not what the protocol has: %w", err)
	}
	return b[h:], nil
}

func encodeSamples(pcm []int16) []byte {
	b := make([]byte, 2*len(pcm))
	for i, s := range pcm {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
	}
	return b
}

func decodeSamples(b []byte) ([]int16, error) {
	if len(b)%2 != 0 {
		return nil, evidence.Invalid("samples take 2 bytes each, got %d bytes", len(b))
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm, nil
}

func encodeFloats(v []float32) []byte {
	b := make([]byte, 4*len(v))
	for i, f := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(f))
	}
	return b
}

func decodeFloats(b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, evidence.Invalid("probabilities take 4 bytes each, got %d bytes", len(b))
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}
