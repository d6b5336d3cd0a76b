package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Pictures are plain SVG: one for light and dark pages, by the reader's own preference.
const style = `<style>
.page{fill:#fff}.ink{fill:#1f2328}.soft{fill:#59636e}.rule{stroke:#d1d9e0}.axis{stroke:#818b98}
text{font:13px system-ui,"DejaVu Sans",sans-serif}.title{font-size:15px;font-weight:600}.small{font-size:11px}
.c0{stroke:#0a7d4f;fill:#0a7d4f}.c1{stroke:#b3501f;fill:#b3501f}.c2{stroke:#2f5fd0;fill:#2f5fd0}.c3{stroke:#8a3ffc;fill:#8a3ffc}.c4{stroke:#6e7781;fill:#6e7781}
.line{fill:none;stroke-width:2.2}.name{stroke:none!important}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}.rule{stroke:#3d444d}.axis{stroke:#656c76}
.c0{stroke:#3fd08f;fill:#3fd08f}.c1{stroke:#ff9d66;fill:#ff9d66}.c2{stroke:#79a8ff;fill:#79a8ff}.c3{stroke:#c9a2ff;fill:#c9a2ff}.c4{stroke:#9198a1;fill:#9198a1}}
</style>
`

// curve is one line of a diagram: a value at each of its places; one that is not a number is left out.
type curve struct {
	name   string
	values []float64
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// errorPicture draws word error rate against noise, a line for each engine.
func errorPicture(places []string, curves []curve, note string) string {
	const w, h, left, right, top, bottom = 760.0, 420.0, 58.0, 240.0, 62.0, 78.0
	most := 0.2
	for _, c := range curves {
		for _, v := range c.values {
			if !math.IsNaN(v) {
				most = max(most, v)
			}
		}
	}
	most = math.Ceil(most*5) / 5
	x := func(i int) float64 { return left + (w-left-right)*float64(i)/float64(max(1, len(places)-1)) }
	y := func(v float64) float64 { return h - bottom - (h-top-bottom)*v/most }
	var b strings.Builder
	open(&b, w, h, "Word error rate against noise", note)
	for v := 0.0; v <= most+0.001; v += 0.2 {
		fmt.Fprintf(&b, `<line class="rule" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="soft" text-anchor="end" x="%.1f" y="%.1f">%.1f</text>`+"\n", left, w-right, y(v), y(v), left-8, y(v)+4, v)
	}
	for i, p := range places {
		fmt.Fprintf(&b, `<text class="soft" text-anchor="middle" x="%.1f" y="%.1f">%s</text>`+"\n", x(i), h-bottom+20, escape(p))
	}
	fmt.Fprintf(&b, `<text class="ink" text-anchor="middle" x="%.1f" y="%.1f">voice over noise, dB (300-3,000 Hz)</text>`+"\n", left+(w-left-right)/2, h-bottom+42)
	// Names stand at the lines' ends, moved apart where they would touch.
	type end struct {
		k      int
		at, to float64
	}
	var ends []end
	for k, c := range curves {
		var points []string
		last := math.NaN()
		for i, v := range c.values {
			if math.IsNaN(v) {
				continue
			}
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(i), y(v)))
			fmt.Fprintf(&b, `<circle class="c%d" cx="%.1f" cy="%.1f" r="3.4"/>`+"\n", k%5, x(i), y(v))
			last = y(v)
		}
		if len(points) == 0 {
			continue
		}
		fmt.Fprintf(&b, `<polyline class="line c%d" style="fill:none" points="%s"/>`+"\n", k%5, strings.Join(points, " "))
		e := end{k, last, last}
		i := len(ends)
		for i > 0 && ends[i-1].at > e.at {
			i--
		}
		ends = append(ends[:i], append([]end{e}, ends[i:]...)...)
	}
	for i := range ends {
		if i > 0 {
			ends[i].to = max(ends[i].to, ends[i-1].to+17)
		}
	}
	for _, e := range ends {
		fmt.Fprintf(&b, `<text class="name c%d" x="%.1f" y="%.1f">%s</text>`+"\n", e.k%5, w-right+12, e.to+4, escape(curves[e.k].name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// calibrationPicture draws of words of each probability how many are right, with their number.
func calibrationPicture(names []string, all [][10]bin, note string) string {
	const w, h, left, right, top, bottom = 640.0, 520.0, 58.0, 24.0, 62.0, 128.0
	x := func(v float64) float64 { return left + (w-left-right)*v }
	y := func(v float64) float64 { return h - bottom - (h-top-bottom)*v }
	var b strings.Builder
	open(&b, w, h, "What a word's probability is worth", note)
	for i := range 6 {
		v := float64(i) / 5
		fmt.Fprintf(&b, `<line class="rule" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text class="soft" text-anchor="end" x="%.1f" y="%.1f">%.0f %%</text><text class="soft" text-anchor="middle" x="%.1f" y="%.1f">%.1f</text>`+"\n",
			left, w-right, y(v), y(v), left-8, y(v)+4, 100*v, x(v), h-bottom+18, v)
	}
	fmt.Fprintf(&b, `<line class="axis" stroke-dasharray="5 4" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`+"\n", x(0), y(0), x(1), y(1))
	for k, bs := range all {
		var points []string
		for _, n := range bs {
			if n.words == 0 {
				continue
			}
			px, py := x(n.probability/float64(n.words)), y(float64(n.right)/float64(n.words))
			points = append(points, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(&b, `<circle class="c%d" cx="%.1f" cy="%.1f" r="%.1f" style="fill-opacity:.75"><title>%d words, %d right</title></circle>`+"\n", k%5, px, py, 2.5+1.2*math.Log2(float64(n.words)+1)/2, n.words, n.right)
		}
		fmt.Fprintf(&b, `<polyline class="line c%d" style="fill:none" points="%s"/>`+"\n", k%5, strings.Join(points, " "))
		fmt.Fprintf(&b, `<text class="name c%d" x="%.1f" y="%.1f">%s</text>`+"\n", k%5, left, h-bottom+64+18*float64(k), escape(names[k]))
	}
	fmt.Fprintf(&b, `<text class="ink" text-anchor="middle" x="%.1f" y="%.1f">probability that the engine gives</text>`+"\n", left+(w-left-right)/2, h-bottom+40)
	fmt.Fprintf(&b, `<text class="soft small" x="%.1f" y="%.1f">share of words that are right; dashed: as stated</text>`+"\n", left+8, top+14)
	b.WriteString("</svg>\n")
	return b.String()
}

func open(b *strings.Builder, w, h float64, title, note string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img"><title>%s</title>`+"\n%s", w, h, w, h, escape(title), style)
	fmt.Fprintf(b, `<rect class="page" width="%.0f" height="%.0f"/><text class="ink title" x="20" y="26">%s</text><text class="soft small" x="20" y="44">%s</text>`+"\n", w, h, escape(title), escape(note))
}
