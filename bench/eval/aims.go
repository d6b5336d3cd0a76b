package main

import "math"

// The names of sets that aims speak of.
const (
	setBursts  = "bursts of 2-10 s"
	setRussian = "Russian, short"
	setEnglish = "English, short"
	setDense   = "dense, Russian"
)

func corpusSet(level string) string {
	if level == "clean" {
		return "corpus, clean"
	}
	return "corpus, " + level + " dB"
}

// aims prints which were reached. One whose sets or peers were not part of the run is not judged.
func (r *report) aims() {
	r.say("\n### Aims\n| aim | |\n|---|---|\n")
	ourBursts, w := r.over(ourName, setBursts)
	for _, a := range []struct {
		peer  string
		times float64
	}{{fasterBeam.name, 4}, {fasterGreedy.name, 4}, {cppBeam.name, 6}, {cppGreedy.name, 6}} {
		if theirs, _ := r.over(a.peer, setBursts); theirs > 0 && ourBursts > 0 {
			r.aim(theirs >= a.times*ourBursts, "bursts: %.1f times as fast as %s (at least %g)", theirs/ourBursts, a.peer, a.times)
		}
	}
	for _, p := range []peer{fasterGreedy, fasterBeam, cppGreedy, cppBeam} {
		if _, t := r.over(p.name, setBursts); t >= 0 && w >= 0 {
			r.aim(w <= t, "bursts: WER %.3f, %s %.3f (not above)", w, p.name, t)
		}
	}
	if us, ok := r.find(ourName, setDense); ok {
		for _, p := range []peer{fasterBatch, fasterBatch5} {
			if them, ok := r.find(p.name, setDense); ok {
				ue, te := us.rates(), them.rates()
				r.aim(them.factor() >= 1.5*us.factor(), "dense speech: %.1f times as fast as %s (at least 1.5)", them.factor()/us.factor(), p.name)
				r.aim(ue.words.Rate() <= te.words.Rate(), "dense speech: WER %.3f, %s %.3f (not above)", ue.words.Rate(), p.name, te.words.Rate())
			}
		}
	}
	for _, a := range []struct {
		set  string
		most float64
	}{{setRussian, 0.228}, {setEnglish, 0.05}} {
		if us, ok := r.find(ourName, a.set); ok {
			e := us.rates()
			r.aim(e.words.Rate() <= a.most, "%s: WER %.3f (at most %.3f)", a.set, e.words.Rate(), a.most)
		}
	}
	for _, l := range levels {
		us, ok := r.find(ourName, corpusSet(l.name))
		if !ok {
			continue
		}
		if them, ok := r.find(fasterBeam.name, corpusSet(l.name)); ok {
			ue, te := us.rates(), them.rates()
			r.aim(ue.words.Rate() <= te.words.Rate(), "%s: WER %.3f, %s %.3f (not above)", us.set.name, ue.words.Rate(), fasterBeam.name, te.words.Rate())
		}
		if least := map[string]float64{"20": 0.9, "5": 0.8}[l.name]; least > 0 {
			n, right := sure(us.verdicts())
			r.aim(n > 0 && float64(right) >= least*float64(n), "%s: %s of %d sure words are right (at least %.0f %%)", us.set.name, share(right, n), n, 100*least)
		}
	}
	if us, ok := r.find(ourName, corpusSet("clean")); ok {
		if s, e := us.timeErrors(); len(s) > 0 {
			m, p := 1000*max(quantile(s, 0.5), quantile(e, 0.5)), 1000*max(quantile(s, 0.95), quantile(e, 0.95))
			r.aim(m < 60, "word times: median error %.0f ms, the worse of start and end (under 60)", m)
			r.aim(p < 200, "word times: 95th percentile %.0f ms (under 200)", p)
		}
	}
	if vs := r.pooled(ourName); len(vs) > 0 {
		e := calibrationError(bins(vs))
		r.aim(e < 0.05, "calibration error %.3f (under 0.05)", e)
	}
	peak := int64(0)
	for _, x := range r.rows {
		if x.engine != ourName {
			continue
		}
		peak = max(peak, x.peakMB)
		if x.set.items[0].lang == "" {
			r.aim(x.written() == 0, "%s: %d words in %.1f h (none)", x.set.name, x.written(), x.set.seconds()/3600)
		}
		if len(x.set.name) > 6 && x.set.name[:6] == "sparse" {
			for _, p := range []peer{fasterVAD, fasterVADFast} {
				if them, ok := r.find(p.name, x.set.name); ok {
					r.aim(them.wall >= 5*x.wall, "%s to text: %.1f times as fast as %s (at least 5)", x.set.name, them.wall/x.wall, p.name)
				}
			}
		}
	}
	if peak > 0 {
		r.aim(peak < 600, "the engine's memory: %d MB at most (under 600)", peak)
	}
}

// over gives an engine's real-time factor and word error rate over several sets together: 0 and -1 where it heard none
// or not all of them that were heard by anybody.
func (r *report) over(engine string, sets ...string) (factor, words float64) {
	var wall, seconds float64
	var e rates
	for _, s := range sets {
		x, ok := r.find(engine, s)
		if !ok {
			if _, ours := r.find(ourName, s); ours {
				return 0, -1
			}
			continue
		}
		wall += x.wall
		seconds += x.set.seconds()
		one := x.rates()
		e.words.Add(one.words)
	}
	if seconds == 0 || e.words.Reference == 0 || math.IsNaN(wall) {
		return 0, -1
	}
	return wall / seconds, e.words.Rate()
}
