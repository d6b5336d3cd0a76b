package decoder

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkDecode reports how many seconds of a recording one second decodes, by the wall's clock and by the
// processor's (of the child, its start included; a busy machine spoils only the first), and the most memory that the
// child held. The inputs are made here, about ten minutes each.
func BenchmarkDecode(b *testing.B) {
	inputs := []struct {
		name    string
		content []byte
	}{
		{"mp3-32k", bytes.Repeat(read(b, "noxing.mp3"), 190)},
		{"aac-32k", bytes.Repeat(read(b, "adts.aac"), 190)},
		{"amr-12k", append([]byte("#!AMR\n"), bytes.Repeat(read(b, "amrnb.amr")[6:], 190)...)},
		{"wav-48k-stereo", wav(48000, 2, noise(2*48000*600, 5))},
	}
	for _, d := range decoders(b) {
		for _, in := range inputs {
			b.Run(d.Engine().Name+"/"+in.name, func(b *testing.B) {
				path := write(b, "input", in.content)
				var samples, peak int64
				var cpu float64
				for b.Loop() {
					out, err := d.Decode(b.Context(), path, io.Discard, Options{})
					if err != nil {
						b.Fatal(err)
					}
					samples += out.Samples
					cpu += out.CPU.Seconds()
					peak = max(peak, out.PeakBytes)
				}
				b.ReportMetric(float64(samples)/Rate/b.Elapsed().Seconds(), "x-real-time")
				b.ReportMetric(float64(samples)/Rate/cpu, "x-real-time-by-cpu")
				b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			})
		}
	}
}
