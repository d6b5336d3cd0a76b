// Command voice measures what radio does to vectors of voices: how alike stretches of the same and of different
// voices are, by length and noise.
//
//	./bench/voice/prompts.sh .cache/prompts
//	go run ./bench/voice -prompts .cache/prompts
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// level is what a stretch goes through before the encoder sees it.
type level struct {
	name string
	path *channel.Path // nil for the recording as it is
}

func levels(only string) []level {
	all := []level{{"as recorded", nil}, {"300-3,000 Hz", &channel.Path{SNR: channel.Clean}}}
	for _, snr := range []float64{20, 10, 5, 0} {
		all = append(all, level{fmt.Sprintf("%.0f dB", snr), &channel.Path{SNR: snr}})
	}
	all = append(all, level{"10 dB, fading", &channel.Path{SNR: 10, Fading: true}})
	return slices.DeleteFunc(all, func(l level) bool { return !strings.HasPrefix(l.name, only) })
}

// cuts are a speaker's stretches of one length, and their vectors at each level.
type cuts struct {
	speaker speaker
	sound   [][]int16
	vectors [][][]float32 // by level, then by stretch
}

func main() {
	bin := flag.String("bin", "bin", "folder of earwitness-engine")
	shelf := flag.String("models", filepath.Join(os.Getenv("HOME"), ".local/share/earwitness/models"), "shelf of models")
	name := flag.String("model", "voice-resemblyzer", "model of the shelf")
	prompts := flag.String("prompts", "", "folder that prompts.sh has filled")
	lengths := flag.String("seconds", "2,4,8", "lengths of the stretches")
	most := flag.Int("most", 5, "stretches of a speaker at most")
	only := flag.String("levels", "", "only levels of noise whose names begin so, such as 20; all where empty")
	clean := flag.Bool("clean", true, "take noise off before the encoder sees a stretch, as the program does")
	flag.Parse()
	if err := run(context.Background(), *bin, *shelf, *name, *prompts, *lengths, *only, *most, *clean); err != nil {
		fmt.Fprintln(os.Stderr, "voice:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, shelf, name, prompts, lengths, only string, most int, clean bool) error {
	m, err := models.Open(shelf).Find(name)
	if err != nil {
		return err
	}
	e, err := child.Start(ctx, child.Config{Executable: filepath.Join(bin, "earwitness-engine"), Threads: runtime.NumCPU()})
	if err != nil {
		return err
	}
	defer e.Close()
	all, err := speakers(prompts)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d speakers:\n", name, len(all))
	for _, s := range all {
		fmt.Printf("  %-22s %5.1f s of speech, %s\n", s.name, float64(len(s.sound))/channel.Rate, s.pitch())
	}
	if err := stated(ctx, e, all); err != nil {
		return err
	}
	for _, length := range strings.FieldsFunc(lengths, func(r rune) bool { return r == ',' }) {
		seconds, err := strconv.ParseFloat(length, 64)
		if err != nil {
			return err
		}
		var set []*cuts
		for _, s := range all {
			c := &cuts{speaker: s, vectors: make([][][]float32, len(levels(only)))}
			n := int(seconds * channel.Rate)
			// Spread over all of the speech, so that neighbours are as rare as they can be.
			count := min(most, len(s.sound)/n)
			for k := range count {
				at := 0
				if count > 1 {
					at = (len(s.sound) - n) / (count - 1) * k
				}
				c.sound = append(c.sound, s.sound[at:at+n])
			}
			if count > 0 {
				set = append(set, c)
			}
		}
		if err := encode(ctx, e, m, set, levels(only), clean); err != nil {
			return err
		}
		report(seconds, set, levels(only))
	}
	return nil
}

// encode fills in the vectors.
func encode(ctx context.Context, e *child.Engine, m models.Model, set []*cuts, levels []level, clean bool) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	var mu sync.Mutex
	for who, c := range set {
		for l, level := range levels {
			c.vectors[l] = make([][]float32, len(c.sound))
			for k, pcm := range c.sound {
				g.Go(func() error {
					if level.path != nil {
						pcm = level.path.Burst(pcm, uint64(who*1000+k))
					}
					if clean {
						quiet, err := e.Clean(ctx, pcm)
						if err != nil {
							return err
						}
						pcm = quiet
					}
					v, err := e.Voice(ctx, m, pcm)
					mu.Lock()
					defer mu.Unlock()
					c.vectors[l][k] = v
					return err
				})
			}
		}
	}
	return g.Wait()
}
