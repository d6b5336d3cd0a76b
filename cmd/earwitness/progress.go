package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows how far long work is, to a person who watches; to nobody else.
type bar struct {
	p     *progressbar.ProgressBar
	out   io.Writer
	now   func() time.Time
	begun time.Time
	first float64 // the fraction at begun: what an earlier try has done took none of this one's time
	last  float64
}

// bar makes a bar that is shown only where somebody watches stderr.
func (w *world) bar(what string) *bar {
	b := &bar{out: w.stderr, now: w.now, begun: w.now()}
	if w.terminal && !w.json {
		b.p = progressbar.NewOptions64(10000, progressbar.OptionSetWriter(w.stderr), progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionShowDescriptionAtLineEnd())
	}
	return b
}

func (b *bar) describe(s string) {
	if b.p != nil {
		b.p.Describe(s)
		_ = b.p.RenderBlank() // a picture for people; nothing depends on it
	}
}

// at shows a fraction of the whole and how long the rest will take at the speed until now.
func (b *bar) at(fraction float64, s string) {
	if b.p == nil {
		return
	}
	if b.last == 0 || fraction < b.last { // the first step, or the next one
		b.begun, b.first = b.now(), fraction
	}
	b.last = fraction
	if left := b.left(fraction); left != "" {
		s = left + "  " + s
	}
	b.p.Describe(s)
	_ = b.p.Set(int(fraction * 10000)) // as above
}

func (b *bar) left(fraction float64) string {
	spent := b.now().Sub(b.begun)
	if fraction < b.first+0.02 || spent < 2*time.Second {
		return ""
	}
	return "about " + long(time.Duration(float64(spent)*(1-fraction)/(fraction-b.first))) + " left"
}

// clear wipes the bar, so that a line can be written where it stood.
func (b *bar) clear() {
	if b.p != nil {
		fmt.Fprint(b.out, "\r"+strings.Repeat(" ", 110)+"\r")
	}
}
