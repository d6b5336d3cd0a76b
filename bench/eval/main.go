// Command eval measures the ear: it gives the same recordings to the real program, as a user would, and to other
// engines on the same weights, each from its own package, one after the other and with the same number of threads. It prints the
// tables that stand in bench/README.md and draws its pictures.
//
// It ends with 1 where an aim is missed, and names it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/earwitness/earwitness/bench/channel"
	"github.com/earwitness/earwitness/bench/corpus"
)

// options are the flags.
type options struct {
	bin, shared, model, peers, beside, pictures, only string
	threads, sample, hours                            int
	full, cached, long, fit                           bool
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder of the two programs")
	flag.StringVar(&o.shared, "shared", "../shared/data", "folder of the reference data")
	flag.StringVar(&o.model, "model", "whisper-base", "model on the shelf; the peers have whisper-base")
	flag.IntVar(&o.threads, "threads", 2, "threads, of every engine")
	flag.StringVar(&o.peers, "peers", ".cache/peers", "folder that tools/peers.sh made; none leaves the peers out")
	flag.StringVar(&o.beside, "beside", "", "only peers whose name contains one of these, separated by colons")
	flag.BoolVar(&o.cached, "cached-peers", false, "take what a peer said and how long it took from an earlier run, where nothing that it depends on has changed")
	flag.BoolVar(&o.full, "full", false, "all utterances of odd number of the corpus, not a sample (hours)")
	flag.IntVar(&o.sample, "sample", 16, "how many utterances of the corpus")
	flag.BoolVar(&o.long, "long", false, "also a sparse recording of hours to text, and ten hours in which nobody speaks (about an hour)")
	flag.IntVar(&o.hours, "hours", 6, "length of the sparse recording of -long")
	flag.BoolVar(&o.fit, "fit", false, "nothing of all that: fit the weights of a word's doubt on utterances of even number, and print them")
	flag.StringVar(&o.only, "only", "", "only sets whose name contains one of these, separated by colons")
	flag.StringVar(&o.pictures, "pictures", "bench/pictures", "folder for the pictures; none draws none")
	flag.Parse()
	missed, err := eval(o)
	if err != nil {
		log.Fatal("eval: ", err)
	}
	if len(missed) > 0 {
		log.Printf("eval: %d aims missed:\n  %s", len(missed), strings.Join(missed, "\n  "))
		os.Exit(1)
	}
}

// job is a set with the peers that hear it beside ours. Sets are made when their turn comes and deleted after it.
type job struct {
	name  string
	make  func() (set, error)
	peers []peer
}

func eval(o options) (missed []string, err error) {
	dir, err := os.MkdirTemp("", "earwitness-eval")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	odd, even, noCorpus := corpus.Utterances(corpus.Dir)
	if o.fit {
		return nil, errors.Join(noCorpus, fit(o, even))
	}
	us := odd
	if !o.full {
		us = corpus.Evenly(odd, o.sample)
	}
	jobs, err := plan(o, shop{dir, filepath.Join(o.shared, "audio")}, odd, us)
	if err != nil {
		return nil, err
	}
	us4 := ours{o.bin, dir, o.model, o.threads}
	version, err := us4.version()
	if err != nil {
		return nil, err
	}
	r := &report{out: os.Stdout}
	from, begun := machine(), time.Now()
	them := peers{o.peers, "bench/peers", ".cache/eval", o.cached, o.threads}
	versions := []string{version + ", " + o.model}
	for _, j := range jobs {
		s, err := j.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.name, err)
		}
		log.Printf("%s: %d recordings, %.0f s", s.name, len(s.items), s.seconds())
		mine, err := us4.hear(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		r.rows = append(r.rows, row{ourName, s, mine})
		log.Printf("    %-38s %7.1f s", ourName, mine.wall)
		for _, p := range j.peers {
			if o.peers == "none" || !among(p.name, o.beside) {
				continue
			}
			x, err := them.hear(p, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			r.rows = append(r.rows, row{p.name, s, x})
			log.Printf("    %-38s %7.1f s", p.name, x.wall)
			if !slices.Contains(versions, x.version) {
				versions = append(versions, x.version)
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, "sets")); err != nil {
			return nil, err
		}
	}
	r.say("`%s`, %s, %.0f minutes. %s.\n\n%d threads for every engine. %s. The peers' languages are told to them, ours are hinted (ru, uk, en). "+
		"Ours is timed from the start of `run` to its end, with loading; the peers without loading.\n", strings.Join(command(o), " "), begun.UTC().Format("2006-01-02"),
		time.Since(begun).Minutes(), from, o.threads, strings.Join(versions, "; "))
	if o.cached {
		r.say("\nPeers' words and times may be from an earlier run (`-cached-peers`).\n")
	}
	if noCorpus != nil {
		r.say("\n%s: left out, all that needs it.\n", noCorpus)
	} else {
		r.say("\nCorpus: %d of the %d utterances of odd number of festvox-ru (those of even number are for fitting), sent through a simulated channel (bench/channel): 300-3,000 Hz, noise of the stated level.\n", len(us), len(odd))
	}
	r.tables()
	r.aims()
	if o.pictures != "none" && noCorpus == nil {
		err = r.pictures(o.pictures, fmt.Sprintf("whisper-base, %d Russian utterances at each level, make eval", len(us)))
	}
	return r.missed, err
}

// among says whether a name contains one of parts, which have colons between; no parts at all are all names.
func among(name, parts string) bool {
	for _, p := range strings.Split(parts, ":") {
		if strings.Contains(name, p) {
			return true
		}
	}
	return false
}

// command is what to type to run this again.
func command(o options) []string {
	out := []string{"make eval"}
	var flags []string
	flag.Visit(func(f *flag.Flag) {
		if !slices.Contains([]string{"bin", "shared", "model", "threads", "peers"}, f.Name) {
			flags = append(flags, "-"+f.Name+"="+f.Value.String())
		}
	})
	if len(flags) > 0 {
		out = append(out, fmt.Sprintf("EVAL='%s'", strings.Join(flags, " ")))
	}
	return out
}

// plan lists the sets of a run.
func plan(o options, s shop, odd, us []corpus.Utterance) ([]job, error) {
	var jobs []job
	every := []peer{fasterBeam, fasterGreedy, fasterVAD, cppGreedy, cppBeam}
	add := func(name string, make func() (set, error), peers ...peer) {
		if among(name, o.only) {
			jobs = append(jobs, job{name, make, peers})
		}
	}
	if len(odd) > 0 {
		short, err := corpus.Bursts(odd)
		if err != nil {
			return nil, err
		}
		add(setBursts, func() (set, error) {
			return s.radio(setBursts, "", corpus.Evenly(short, 60), nil, channel.Path{SNR: channel.Clean})
		}, fasterBeam, fasterGreedy, cppGreedy, cppBeam)
	}
	add(setRussian, func() (set, error) { return s.short("ru") }, every...)
	add(setEnglish, func() (set, error) { return s.short("en") }, every...)
	if len(us) > 0 {
		times, err := corpus.Words(us)
		if err != nil {
			return nil, err
		}
		for _, l := range levels {
			ps := []peer{fasterBeam, fasterGreedy, cppGreedy}
			if o.full || l.name == "clean" || l.name == "5" {
				ps = append(ps, fasterWords)
			}
			add(corpusSet(l.name), func() (set, error) { return s.radio(corpusSet(l.name), l.name, us, times, channel.Path{SNR: l.snr}) }, ps...)
		}
		for _, c := range conditions {
			name := "corpus, " + c.name
			add(name, func() (set, error) { return s.radio(name, "", us, nil, c.path) }, fasterBeam)
		}
		add(setDense, func() (set, error) { return s.dense(odd[len(odd)/2 : min(len(odd), len(odd)/2+20)]) }, fasterBeam, fasterGreedy, fasterBatch, fasterBatch5, cppGreedy)
	}
	add("dense, no text given", s.untold, fasterGreedy, fasterBatch, cppGreedy)
	add("nobody speaks", func() (set, error) { return s.negatives(30) }, fasterBeam, fasterVAD, cppGreedy)
	if o.long {
		if len(us) > 0 {
			add("sparse", func() (set, error) { return s.sparse(o.hours, odd) }, fasterVAD, fasterVADFast)
		}
		add("nobody speaks, long", func() (set, error) {
			out, err := s.negatives(10 * 3600 / len(silences))
			out.name = "nobody speaks, long"
			return out, err
		})
	}
	return jobs, nil
}
