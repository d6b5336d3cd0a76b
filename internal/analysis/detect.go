// Package analysis holds the stages that turn sound into what is known of it: values in, values out. It
// promises the same output for the same sound and parameters, in memory that does not grow with the recording.
// It never touches a case, and it names the machines it needs as small interfaces.
package analysis

import (
	"context"
	"fmt"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audio"
)

// SpeechDetector says how likely sound is to be speech.
//
// Speech returns one probability (0 to 1) for each 512 samples of region, which is 16 kHz mono; a last window
// that is not whole counts. The detector starts fresh at the region's start. It is safe for concurrent use.
type SpeechDetector interface {
	Speech(ctx context.Context, region []int16) ([]float32, error)
}

// speechWindow is the number of samples that one probability stands for.
const speechWindow = 512

// Detect finds the transmissions of a recording. speech is shown regions of at most a minute, several at a time.
// progress, which may be nil, is told from time to time how many samples are done with; it is called from one
// goroutine. The error is ctx's own when it was cancelled.
func Detect(ctx context.Context, src audio.Source, speech SpeechDetector, p DetectParams, progress func(done int64)) (evidence.Detected, error) {
	var out evidence.Detected
	out.Transmissions = []evidence.Transmission{}
	buf := make([]int16, 60*audio.Rate)
	for at := int64(0); at < src.Len(); at += int64(len(buf)) {
		region := buf[:min(int64(len(buf)), src.Len()-at)]
		if err := audio.ReadPadded(src, region, at); err != nil {
			return out, fmt.Errorf("detect: %w", err)
		}
		probs, err := speech.Speech(ctx, region)
		if err != nil {
			return out, fmt.Errorf("detect: %w", err)
		}
		out.Listened += int64(len(region))
		for i, x := range probs {
			if int(x*10000) < p.SpeechOn {
				continue
			}
			span := evidence.Span{From: at + int64(i)*speechWindow, To: min(at+int64(i+1)*speechWindow, src.Len())}
			if n := len(out.Transmissions); n > 0 && span.From-out.Transmissions[n-1].Span.To < int64(p.VoicePause)*audio.Rate/1000 {
				out.Transmissions[n-1].Span.To = span.To
				continue
			}
			out.Transmissions = append(out.Transmissions, evidence.Transmission{Sound: evidence.SoundSpeech, Span: span})
		}
		if progress != nil {
			progress(min(at+int64(len(buf)), src.Len()))
		}
	}
	return out, nil
}
