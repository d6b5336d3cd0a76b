//go:build cgo && linux

package whisper

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// resident is a line of /proc/self/status in MB: VmHWM is the peak, VmRSS what is held now.
func resident(t testing.TB, key string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), key+":")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}

// Two callers with bursts of every length that detection hands over, up to 28 s: the whole process stays under
// 600 MB. The collector is set as the engine is to set it.
func BenchmarkMemory(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	m := model(b)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak counts from here
		b.Fatal(err)
	}
	b.Logf("loaded: %d MB", resident(b, "VmRSS"))
	pcm := append(sound(b, "ru-festvox-nsh/ru_0801.flac"), sound(b, "ru-festvox-nsh/ru_0802.flac")...)
	pcm = append(pcm, sound(b, "en-jfk/jfk.wav")...)
	for b.Loop() {
		var wg sync.WaitGroup
		for c := range 2 {
			wg.Go(func() {
				for _, n := range []int{28, 3, 26, 7 + c, 27} {
					if _, err := m.Hear(context.Background(), pcm[:n*rate], Options{}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.Logf("%d MB, peak %d MB", resident(b, "VmRSS"), resident(b, "VmHWM"))
	}
	b.ReportMetric(float64(resident(b, "VmHWM")), "peak-MB")
	if peak := resident(b, "VmHWM"); peak > 600 {
		b.Errorf("peak %d MB, at most 600 are wanted", peak)
	}
}
