// Command longcase makes a case to measure the workbench on: one recording of a day, of radio noise with speech in it, and
// results that name an engine "made up for measuring", so that nobody takes its words for evidence. The recording and its
// lines are the same for the same flags; the case's key is new each time, as every case's is. Run it from the module's root:
//
//	go run ./bench/longcase -hours 24 -transmissions 1600 long.case
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/casefile"
)

const (
	madeUp = "made up for measuring"
	batch  = 400 // entries that are added together
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("longcase: ")
	var o options
	flag.Float64Var(&o.hours, "hours", 24, "length of the recording")
	flag.IntVar(&o.transmissions, "transmissions", 1600, "how many there are in it")
	flag.IntVar(&o.rate, "rate", 8000, "of the recording, Hz: 8000, or 16000, which is twice as large and drawn four times as fast")
	flag.Uint64Var(&o.seed, "seed", 1, "of the sound and of the words")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("name the folder of the case to make, which must not exist yet")
	}
	began := time.Now()
	size, err := makeCase(context.Background(), flag.Arg(0), o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %.1f h, %d transmissions, %d MB of sound, made in %.1f s\n", flag.Arg(0), o.hours, o.transmissions, size>>20, time.Since(began).Seconds())
}

type options struct {
	hours         float64
	transmissions int
	rate          int
	seed          uint64
}

func makeCase(ctx context.Context, dir string, o options) (size int64, err error) {
	seen, err := os.MkdirTemp("", "longcase-seen")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(seen)) }()
	author := evidence.Author{Kind: "program", Name: "bench/longcase"}
	c, err := casefile.Create(ctx, filepath.Clean(dir), casefile.Options{Title: fmt.Sprintf("%g hours, %s", o.hours, madeUp), Author: author, Program: author.Name, Now: time.Now, Rand: rand.Reader, SeenDir: seen})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	plan, err := newPlan(o)
	if err != nil {
		return 0, err
	}
	digest, size, err := keepSound(ctx, c, plan)
	if err != nil {
		return 0, err
	}
	start := evidence.StartTime{Basis: "stated", Time: "2026-03-01T00:00:00+02:00"}
	name, _, _, err := c.Receive(ctx, author, evidence.RecordingReceived{Digest: digest, Name: "long.wav", Size: size, Reception: evidence.Reception{
		FrequencyHz: 4_625_000, Mode: "USB", Note: "noise by arithmetic and pieces of jfk.wav: " + madeUp, Source: author.Name, Start: &start, Synthetic: true}})
	if err != nil {
		return 0, err
	}
	return size, keepResults(ctx, c, author, name, digest, plan)
}

// keepSound writes the recording into the case as it is made: it is never in memory as a whole.
func keepSound(ctx context.Context, c *casefile.Case, p *plan) (evidence.Digest, int64, error) {
	b, err := c.NewBlob(ctx)
	if err != nil {
		return evidence.Digest{}, 0, err
	}
	n := &counter{w: b}
	buf := bufio.NewWriterSize(n, 1<<20)
	err = p.write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err != nil {
		return evidence.Digest{}, 0, err
	}
	digest, err := b.Commit(ctx)
	return digest, n.bytes, err
}

func keepResults(ctx context.Context, c *casefile.Case, author evidence.Author, recording string, sound evidence.Digest, p *plan) error {
	engine := evidence.Engine{Name: madeUp, Build: "1"}
	model := &evidence.Model{Name: madeUp, Digest: evidence.DigestOf([]byte(madeUp))}
	var waiting []evidence.Entry
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		_, err := c.AppendAll(ctx, waiting)
		waiting = waiting[:0]
		return err
	}
	add := func(stage string, model *evidence.Model, span *evidence.Span, output any) error {
		r := evidence.Result{Engine: engine, Inputs: []evidence.Digest{sound}, Machine: madeUp, Model: model, Params: json.RawMessage("{}"), Recording: recording, Span: span, Stage: stage, Version: 1}
		var err error
		if r.Output, err = evidence.Canonical(output); err != nil {
			return err
		}
		if r.Key, err = evidence.ResultKey(r.Stage, r.Version, r.Inputs, r.Span, r.Engine, r.Model, r.Params); err != nil {
			return err
		}
		e, err := evidence.NewEntry(evidence.EntryResult, author, time.Now(), r)
		if err != nil {
			return err
		}
		if waiting = append(waiting, e); len(waiting) == batch {
			return flush()
		}
		return nil
	}
	if err := add(evidence.StageDecode, nil, nil, evidence.Decoded{Channels: 1, Codec: "pcm_mulaw", Container: "WAV", Rate: int(p.rate), Samples: p.samples()}); err != nil {
		return err
	}
	// What is looked at afterwards is checked against the length that is stated here.
	if err := flush(); err != nil {
		return err
	}
	if err := add(evidence.StageDetect, nil, nil, p.detected()); err != nil {
		return err
	}
	for _, t := range p.transmissions {
		if t.Sound != evidence.SoundSpeech {
			continue
		}
		if err := add(evidence.StageHear, model, &t.Hear[0], p.heard(t.Span)); err != nil {
			return err
		}
	}
	return flush()
}

// counter counts what is written through it.
type counter struct {
	w     io.Writer
	bytes int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.bytes += int64(n)
	return n, err
}
