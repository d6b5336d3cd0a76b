// Command scan measures detection: against a simulated radio channel with real voices and a known truth, on the
// real recordings of the reference data, on sounds without speech, beside the voice detector alone; and its speed and
// memory on long recordings. Run it from the module's root: go run ./bench/scan
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/engines/gtcrn"
	"github.com/earwitness/earwitness/internal/engines/silero"
)

func main() {
	what := flag.String("what", "simulated,real,negative", "which measurements, of simulated,real,negative,speed,memory")
	dir := flag.String("dir", os.TempDir(), "folder for the long recordings of speed and memory, which are deleted afterwards")
	minutes := flag.Int("minutes", 8, "length of each simulated recording")
	pattern := flag.String("only", "", "only the simulated channels whose name has this in it")
	verbose := flag.Bool("v", false, "show each transmission")
	flag.Parse()
	if err := run(context.Background(), *what, *dir, *minutes, *pattern, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		os.Exit(1)
	}
}

const rate = channel.Rate

type samples = audio.Samples

// start makes the voice detector, over the runtime in the module cache.
func start() (*both, error) {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/k2-fsa/sherpa-onnx-go-linux").Output()
	if err != nil {
		return nil, fmt.Errorf("find ONNX Runtime: %w", err)
	}
	ort.SetSharedLibraryPath(filepath.Join(strings.TrimSpace(string(dir)), "lib", arch+"-unknown-linux-gnu", "libonnxruntime.so"))
	if err := ort.InitializeEnvironment(); err != nil {
		return nil, fmt.Errorf("start ONNX Runtime: %w", err)
	}
	d, err := silero.New()
	if err != nil {
		return nil, err
	}
	c, err := gtcrn.New()
	return &both{d, c}, err
}

// both is the voice detector with the noise reduction of its second look.
type both struct {
	*silero.Detector
	cleaner *gtcrn.Cleaner
}

func (b *both) Clean(ctx context.Context, x []int16) ([]int16, error) { return b.cleaner.Clean(ctx, x) }

func (b *both) Close() error { return errors.Join(b.Detector.Close(), b.cleaner.Close()) }

func run(ctx context.Context, what, dir string, minutes int, pattern string, verbose bool) error {
	d, err := start()
	if err != nil {
		return err
	}
	defer d.Close()
	for _, w := range strings.Split(what, ",") {
		switch w {
		case "simulated":
			err = simulated(ctx, d, minutes, pattern, verbose)
		case "real":
			err = recorded(ctx, d, verbose)
		case "negative":
			err = negative(ctx, d, verbose)
		case "speed":
			err = speed(ctx, d, dir)
		case "memory":
			err = memory(ctx, d, dir)
		default:
			err = fmt.Errorf("no measurement %q", w)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w, err)
		}
	}
	return nil
}

func haveFFmpeg() bool {
	_, err := exec.LookPath("ffmpeg")
	return err == nil
}

func header() {
	fmt.Printf("%-34s %5s %6s %8s %7s %7s %13s %13s %8s %6s %6s\n", "detector", "truth", "missed", "unheard%", "false/h", "false%",
		"start ms 50/90", "end ms 50/90", "lost p90", "merged", "split")
}

func (s *score) row(name string) {
	fmt.Printf("%-34s %5d %6d %8.1f %7.1f %7.2f %6.0f %6.0f %6.0f %6.0f %8.0f %6d %6d\n", name, s.truths, s.missed, 100*s.unheard/max(s.speech, 1e-9),
		float64(s.wrongly)/s.hours, 100*s.wrong/max(s.quiet, 1e-9), percentile(s.onset, 0.5), percentile(s.onset, 0.9),
		percentile(s.offset, 0.5), percentile(s.offset, 0.9), percentile(s.lost, 0.9), s.merged, s.split)
}

func simulated(ctx context.Context, d analysis.SpeechDetector, minutes int, pattern string, verbose bool) error {
	vs, err := voices(haveFFmpeg())
	if err != nil {
		return err
	}
	fmt.Printf("\nSimulated channels, %d utterances of real voices, %d minutes each (false = found where nobody speaks; unheard = speech outside what was found;\n"+
		"lost = speech before what the recogniser is given; merged, split = transmissions)\n", len(vs), minutes)
	names := []string{"ours", "silero 0.1 s, pad 30", "silero 0.5 s, pad 30"}
	var all [3]score
	labels := map[string]map[string]int{}
	var listened, total float64
	header()
	type row struct {
		trouble, kind string
		snr           float64
	}
	var rows []row
	for _, kind := range []string{"ssb", "am", "fm", "open"} {
		for _, snr := range []float64{20, 10, 5, 0, -5} {
			rows = append(rows, row{"", kind, snr})
		}
	}
	for _, trouble := range channel.Troubles() {
		kind := "ssb"
		if trouble == "ctcss" {
			kind = "fm"
		}
		rows = append(rows, row{trouble, kind, 10})
	}
	for _, row := range rows {
		if only := fmt.Sprintf("%s %s %g dB", row.trouble, row.kind, row.snr); pattern != "" && !strings.Contains(only, pattern) {
			continue
		}
		{
			kind, snr := row.kind, row.snr
			sc := channel.SimulateWith(row.trouble, kind, snr, minutes*60, sounds(vs), uint64(int64(snr)+int64(kind[0])<<8))
			var one [3]score
			s, h, out, err := ours(ctx, sc.Sound, d)
			if err != nil {
				return err
			}
			listened += float64(out.Listened) / rate
			total += float64(len(sc.Sound)) / rate
			one[0].add(sc.Truth, s, h, float64(len(sc.Sound))/rate)
			all[0].add(sc.Truth, s, h, float64(len(sc.Sound))/rate)
			for _, t := range sc.Truth {
				if t.Sound == "speech" {
					continue
				}
				label, best := "(none)", 0.1
				for _, x := range out.Transmissions {
					f := seconds(x.Span)
					if o := overlap(f.from, f.to, t.From, t.To); o > best {
						best, label = o, x.Sound
					}
				}
				if labels[t.Sound] == nil {
					labels[t.Sound] = map[string]int{}
				}
				labels[t.Sound][label]++
			}
			for i, silence := range []float64{0.1, 0.5} {
				a, err := alone(ctx, sc.Sound, d, silence, 0.03)
				if err != nil {
					return err
				}
				one[i+1].add(sc.Truth, a, a, float64(len(sc.Sound))/rate)
				all[i+1].add(sc.Truth, a, a, float64(len(sc.Sound))/rate)
			}
			for i := range one {
				one[i].row(fmt.Sprintf("%s %s", strings.TrimSpace(fmt.Sprintf("%s %s %g dB", row.trouble, kind, snr)), names[i][:min(len(names[i]), 12)]))
			}
			if verbose {
				show(sc, s, out.Transmissions)
			}
		}
	}
	fmt.Println("all")
	for i := range all {
		all[i].row(names[i])
	}
	fmt.Printf("shown to the voice detector: %.1f %% of the sound\n", 100*listened/total)
	for _, s := range []string{"tone", "data", "noise"} {
		fmt.Printf("%s was called %v\n", s, labels[s])
	}
	return nil
}

func recorded(ctx context.Context, d analysis.SpeechDetector, verbose bool) error {
	fmt.Printf("\nReal recordings: what the voice detector alone finds (threshold 0.5, 0.1 s), and how much of it ours has\n%-48s %6s %8s %6s %7s %8s %8s\n", "file", "s", "silero s", "ours", "ours s", "covered%", "listened%")
	patterns := []string{"*/*.wav"}
	if haveFFmpeg() {
		patterns = append(patterns, "*/*.flac", "*/*.raw")
	}
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join(shared(), "audio", p))
		if err != nil {
			return err
		}
		for _, name := range names {
			if strings.Contains(name, "negative") {
				continue
			}
			x, err := file(name)
			if err != nil {
				return err
			}
			s, _, out, err := ours(ctx, x, d)
			if err != nil {
				return err
			}
			a, err := alone(ctx, x, d, 0.1, 0)
			if err != nil {
				return err
			}
			var have, mine, both float64
			for _, f := range a {
				have += f.to - f.from
				for _, o := range s {
					both += overlap(f.from, f.to, o.from, o.to)
				}
			}
			for _, o := range s {
				mine += o.to - o.from
			}
			fmt.Printf("%-48s %6.1f %8.1f %6d %7.1f %8.1f %8.1f\n", filepath.Base(name), float64(len(x))/rate, have, len(s), mine, 100*both/max(have, 1e-9), 100*float64(out.Listened)/float64(len(x)))
			if strings.HasSuffix(name, ".flac") && len(s) > 0 {
				if from, to, err := phones(strings.TrimSuffix(name, ".flac") + ".lab"); err == nil {
					fmt.Printf("    phone labels %.2f-%.2f, ours %.2f-%.2f\n", from, to, s[0].from, s[len(s)-1].to)
				}
			}
			if verbose {
				show(channel.Scene{}, s, out.Transmissions)
			}
		}
	}
	return nil
}
