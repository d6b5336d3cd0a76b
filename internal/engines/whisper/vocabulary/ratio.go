package vocabulary

import (
	"bytes"
	"compress/zlib"
	"math"
)

// CompressionRatio is bytes of the text for each byte of its zlib form: loops compress well.
func CompressionRatio(text string) float64 {
	if text == "" {
		return 0
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		return math.Inf(1) // a bytes.Buffer does not fail
	}
	if err := z.Close(); err != nil {
		return math.Inf(1)
	}
	return float64(len(text)) / float64(b.Len())
}
