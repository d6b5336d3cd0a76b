package decoder

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
)

// ffmpegGz is FFmpeg's command-line program for WASI, LGPL 2.1 or later, built by ffmpeg/build.sh.
//
//go:embed ffmpeg/ffmpeg.wasm.gz
var ffmpegGz []byte

const (
	wasmVersion = "5.1.9-0+deb12u1"
	wasmDigest  = "eaaf4818a17533e47bd7cdc9bac4c20020c62e6b84906c10dc14b3bd595457b9" // of the binary, not of the gzip around it
	wasmMax     = 64 << 20                                                           // a bound for reading it, far above its size
)

// loadWASM unpacks the binary and returns it only if it is the one that this source names.
func loadWASM() ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(ffmpegGz))
	if err != nil {
		return nil, fmt.Errorf("unpack the decoder: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(zr, wasmMax))
	if err != nil {
		return nil, fmt.Errorf("unpack the decoder: %w", err)
	}
	sum := sha256.Sum256(b)
	if got := hex.EncodeToString(sum[:]); got != wasmDigest {
		return nil, fmt.Errorf("unpack the decoder: its SHA-256 is %s, this program was written for %s", got, wasmDigest)
	}
	return b, nil
}
