package main

import (
	"context"
	"math"
	"slices"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
)

// found is what a detector calls speech, in seconds; hear is what the recogniser would be given.
type found struct{ from, to float64 }

// ours runs the project's detection.
func ours(ctx context.Context, x []int16, d analysis.SpeechDetector) (speech, hear []found, out evidence.Detected, err error) {
	out, err = analysis.Detect(ctx, samples(x), d, analysis.DefaultDetectParams(), nil)
	for _, t := range out.Transmissions {
		if t.Sound != evidence.SoundSpeech {
			continue
		}
		speech = append(speech, seconds(t.Span))
		for _, h := range t.Hear {
			hear = append(hear, seconds(h))
		}
	}
	return speech, hear, out, err
}

func seconds(s evidence.Span) found { return found{float64(s.From) / rate, float64(s.To) / rate} }

// alone runs the voice detector over the whole sound and makes segments by the usual rule: threshold 0.5, end below
// 0.35, at least 0.25 s of speech, pad seconds to each side, and pieces joined over pauses below silence seconds.
func alone(ctx context.Context, x []int16, d analysis.SpeechDetector, silence, pad float64) ([]found, error) {
	p, err := d.Speech(ctx, x)
	if err != nil {
		return nil, err
	}
	const w = 512.0 / rate
	var out []found
	on, start, end := false, 0.0, -1.0
	total := float64(len(x)) / rate
	stop := func(at float64) {
		if at-start >= 0.25 {
			out = append(out, found{max(0, start-pad), min(total, at+pad)})
		}
		on, end = false, -1
	}
	for i, v := range p {
		now := float64(i) * w
		switch {
		case v >= 0.5:
			if !on {
				on, start = true, now
			}
			end = -1
		case on && v < 0.35:
			if end < 0 {
				end = now
			}
			if now-end >= silence {
				stop(end)
			}
		}
	}
	if on {
		if end < 0 {
			end = total
		}
		stop(end)
	}
	return out, nil
}

// score holds what is counted over scenes.
type score struct {
	truths, missed  int
	speech, unheard float64 // seconds of speech, and of it outside what was found
	quiet, wrong    float64 // seconds without a transmission of speech, and of them what was found
	wrongly         int     // found where no speech is
	onset, offset   []float64
	lost            []float64 // seconds of speech before the start of what the recogniser is given
	merged, split   int
	hours           float64
}

func overlap(a0, a1, b0, b1 float64) float64 { return max(0, min(a1, b1)-max(a0, b0)) }

// add compares what was found with the truth. Edges are compared with the key's.
func (s *score) add(truth []channel.Keyed, speech, hear []found, total float64) {
	s.hours += total / 3600
	s.quiet += total
	used := make([]int, len(speech))
	for _, t := range truth {
		if t.Sound != "speech" {
			continue
		}
		s.quiet -= t.Up - t.Down
		s.truths++
		said := t.To - t.From - (t.Rest.To - t.Rest.From)
		s.speech += said
		covered, parts, best, first := 0.0, 0, 0.0, -1
		var match found
		lost := t.To - t.From
		for _, h := range hear {
			if overlap(h.from, h.to, t.From, t.To) > 0.1 {
				lost = min(lost, max(0, h.from-t.From))
			}
		}
		for i, f := range speech {
			o := overlap(f.from, f.to, t.From, t.To)
			if o <= 0 {
				continue
			}
			covered += o - overlap(f.from, f.to, t.Rest.From, t.Rest.To)
			if o > 0.1 {
				parts++
				used[i]++
				if first < 0 {
					first = i
				}
				if o > best {
					best, match = o, f
				}
			}
		}
		s.unheard += said - covered
		if covered < 0.3*said {
			s.missed++
			continue
		}
		s.lost = append(s.lost, lost)
		if parts > 1 {
			s.split += parts - 1
		}
		if parts == 1 && used[first] == 1 {
			s.onset = append(s.onset, math.Abs(match.from-t.Down))
			s.offset = append(s.offset, math.Abs(match.to-t.Up))
		}
	}
	for i, f := range speech {
		in := 0.0
		for _, t := range truth {
			if t.Sound == "speech" {
				in += overlap(f.from, f.to, t.Down, t.Up)
			}
		}
		s.wrong += f.to - f.from - in
		if in == 0 {
			s.wrongly++
		}
		if used[i] > 1 {
			s.merged += used[i] - 1
		}
	}
}

// percentile of x in milliseconds.
func percentile(x []float64, p float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return 1000 * x[min(len(x)-1, int(p*float64(len(x))))]
}
