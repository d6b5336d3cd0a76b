package decoder

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
)

// The list of allowed containers is what the WebAssembly binary has, so that a native FFmpeg can open no more than that.
func TestFormatsAreThoseOfTheBinary(t *testing.T) {
	none, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	run, err := sandbox(request{Memory: 64 << 20, CacheDir: cacheDir(t)}, none)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if status, err := run([]string{"-hide_banner", "-demuxers"}, &out, io.Discard); err != nil || status != 0 {
		t.Fatal(status, err)
	}
	var names []string
	for line := range strings.Lines(out.String()) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "D" {
			names = append(names, strings.Split(fields[1], ",")...)
		}
	}
	slices.Sort(names)
	want := strings.Split(formats, ",")
	want = append(want, evidence.RawFormats()...)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the binary has\n%s\nthe list names\n%s", strings.Join(names, ","), strings.Join(want, ","))
	}
	for _, bad := range []string{"hls", "concat", "dash", "image2", "rtsp", "sdp", "sbg", "lavfi", "imf"} {
		if slices.Contains(names, bad) {
			t.Errorf("%s can open other files", bad)
		}
	}
}
