package audio

import "context"

// Growing is working sound whose end is not known yet. Len is what is known to be there so far, and only grows;
// ReadSamples gives what lies within it.
type Growing interface {
	Source
	// Wait returns once at least n samples are there, or the sound has ended: then whole is true and Len is final. The
	// error is ctx's, or that of whoever makes the sound.
	Wait(ctx context.Context, n int64) (whole bool, err error)
}

// Known makes sure that src has at least n samples or has ended, waiting where it grows, and returns how many are known.
func Known(ctx context.Context, src Source, n int64) (int64, error) {
	g, ok := src.(Growing)
	if !ok {
		return src.Len(), nil
	}
	if _, err := g.Wait(ctx, n); err != nil {
		return 0, err
	}
	return g.Len(), nil
}
