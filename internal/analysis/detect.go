// Package analysis holds the stages that turn sound into what is known of it: values in, values out. It
// promises the same output for the same sound and parameters, in memory that does not grow with the recording.
// It never touches a case, and it names the machines it needs as small interfaces.
package analysis

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// SpeechDetector says how likely sound is to be speech.
//
// Speech returns one probability (0 to 1) for each 512 samples of region, which is 16 kHz mono; a last window
// that is not whole counts. The detector starts fresh at the region's start. Clean returns region with the noise taken off, as
// many samples in the same places, for a second look. Both are safe for concurrent use, and do not keep region.
type SpeechDetector interface {
	Speech(ctx context.Context, region []int16) ([]float32, error)
	Clean(ctx context.Context, region []int16) ([]int16, error)
}

const (
	speechWindow = 512 // samples that one probability stands for
	framesPerSec = audio.Rate / audio.Hop

	chunkFrames  = 120 * framesPerSec // what is looked at in one go, at least ...
	chunkMost    = 480 * framesPerSec // ... and at most, where no pause is found to end it
	regionFrames = 60 * framesPerSec  // the longest region shown to the voice detector
	warmFrames   = 2 * framesPerSec   // shown before a region that continues another, for its state
	atOnce       = 2                  // regions shown at the same time
)

// Detect finds the transmissions of a recording, which may still be growing (audio.Growing): then it follows, and finds
// the same. speech is shown regions of at most 62 seconds, two at a time. progress, which may be nil, is told from time
// to time how many samples are done with, and which transmissions have become final since; at the end it has been told
// of all of them. It is called from one goroutine. The error is ctx's own when it was cancelled.
func Detect(ctx context.Context, src audio.Source, speech SpeechDetector, p DetectParams, progress func(done int64, final []evidence.Transmission)) (evidence.Detected, error) {
	if progress == nil {
		progress = func(int64, []evidence.Transmission) {}
	}
	d := &detection{src: src, speech: speech, p: p, spectra: audio.NewSpectra(), progress: progress}
	d.out.Transmissions = []evidence.Transmission{}
	if err := d.all(ctx); err != nil {
		if ctx.Err() != nil {
			return evidence.Detected{}, ctx.Err()
		}
		return evidence.Detected{}, fmt.Errorf("detect transmissions: %w", err)
	}
	d.open = false
	d.tell(src.Len())
	d.out.Background = d.idle.background()
	return d.out, nil
}

// detection is one call of Detect. It goes over the recording in chunks that end in pauses.
type detection struct {
	src         audio.Source
	speech      SpeechDetector
	p           DetectParams
	spectra     *audio.Spectra
	progress    func(int64, []evidence.Transmission)
	told        int // transmissions that progress has been told of
	idle        idle
	idleSpectra *audio.Spectra
	out         evidence.Detected
	open        bool // the last transmission reached the end of its chunk, which no pause ended
}

// chunk is a stretch of frames with the neighbourhood from which its background is learnt.
type chunk struct {
	first  int64 // number in the recording of frames[0]
	frames []audio.Frame
	db     [][audio.Bands]float32
	body   run       // the frames that are to be decided now
	bg     []level   // of each block of frames
	dev    []float32 // deviation from it
	p      []float32 // probability of speech of each frame; 0 where the gate passed over
}

// tell reports how far the detection has come. A transmission that may go on in the next chunk is not final.
func (d *detection) tell(done int64) {
	n := len(d.out.Transmissions)
	if d.open {
		n--
	}
	d.progress(done, d.out.Transmissions[d.told:max(n, d.told)])
	d.told = max(n, d.told)
}

func (d *detection) all(ctx context.Context) error {
	reach := int64(d.p.BackgroundMS / 10)
	feed := newFeed(ctx, d.src)
	defer feed.stop()
	for pos := int64(0); ; {
		size := int64(chunkFrames)
		for {
			// One frame more than is looked at: so a body that ends where the sound does is known to be the last.
			known, err := audio.Known(ctx, d.src, (pos+size+reach+1)*audio.Hop)
			if err != nil {
				return err
			}
			total := audio.FrameCount(known)
			if pos >= total {
				return nil
			}
			first := max(0, pos-reach)
			frames, err := feed.get(first, min(total, pos+size+reach))
			if err != nil {
				return err
			}
			c := &chunk{first: first, frames: frames, body: run{int(pos - first), int(min(total, pos+size) - first)}}
			listen, closed := d.gate(c, first+int64(len(frames)) == total && pos+size >= total)
			if !closed && size < chunkMost {
				size *= 2
				continue
			}
			if err := d.listen(ctx, c, listen); err != nil {
				return err
			}
			if err := d.decide(ctx, c, closed); err != nil {
				return err
			}
			pos = first + int64(c.body.to)
			d.tell(min(pos*audio.Hop, known))
			break
		}
	}
}

// gate finds what the voice detector is to be shown, and ends the chunk's body at its last pause, so that nothing is
// cut in two. It reports whether there was one; last says that the body ends where the recording does.
func (d *detection) gate(c *chunk, last bool) (listen []run, closed bool) {
	c.db = smoothed(c.frames)
	c.bg = background(c.db, nil, d.p.BackgroundMS/10/histBlock)
	c.dev = deviation(c.db, c.bg)
	margin := d.p.ListenMargin / 10
	// A word lasts longer than a chance peak of the noise.
	word := averaged(c.dev, d.p.ListenOver/20)
	for _, r := range runs(len(word), 1, 1, func(i int) bool { return word[i] >= float32(d.p.ListenOn)/100 }) {
		r = run{max(r.from-margin, 0), min(r.to+margin, len(c.dev))}
		if k := len(listen); k > 0 && r.from <= listen[k-1].to {
			listen[k-1].to = r.to
		} else {
			listen = append(listen, r)
		}
	}
	closed = last
	if !last {
		// The body ends in the middle of its last gap between regions.
		end := c.body.to
		for k := len(listen); k >= 0 && !closed; k-- {
			from, to := c.body.from, end
			if k > 0 {
				from = max(from, listen[k-1].to)
			}
			if k < len(listen) {
				to = min(to, listen[k].from)
			}
			// The gap before the first region would bring us no farther.
			if (k > 0 || len(listen) == 0) && from < to && (from+to)/2 > c.body.from {
				c.body.to, closed = (from+to)/2, true
			}
		}
	}
	inside := listen[:0]
	for _, r := range listen {
		r = run{max(r.from, c.body.from), min(r.to, c.body.to)}
		if r.from < r.to {
			inside = append(inside, r)
		}
	}
	return inside, closed
}

// listen asks the voice detector about the regions.
func (d *detection) listen(ctx context.Context, c *chunk, regions []run) error {
	c.p = make([]float32, len(c.frames))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, r := range regions {
		for from := r.from; from < r.to; from += regionFrames {
			piece := run{from, min(from+regionFrames, r.to)}
			warm := min(warmFrames, from+int(c.first))
			if from == r.from && from != c.body.from {
				warm = 0 // the margin of the gate does
			}
			at := (c.first + int64(piece.from-warm)) * audio.Hop
			to := min((c.first+int64(piece.to))*audio.Hop, d.src.Len())
			d.out.Listened += to - (c.first+int64(piece.from))*audio.Hop
			g.Go(func() error {
				region := make([]int16, to-at)
				if err := audio.ReadPadded(d.src, region, at); err != nil {
					return err
				}
				probs, err := d.speech.Speech(ctx, region)
				if err != nil {
					return err
				}
				if want := (len(region) + speechWindow - 1) / speechWindow; len(probs) != want {
					return fmt.Errorf("the voice detector gave %d probabilities, not %d", len(probs), want)
				}
				for i := piece.from; i < piece.to; i++ {
					mid := (i-piece.from+warm)*audio.Hop + audio.Hop/2
					c.p[i] = probs[min(mid/speechWindow, len(probs)-1)]
				}
				return nil
			})
		}
	}
	return g.Wait()
}
