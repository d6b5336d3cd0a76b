package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/demo"
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/analysis"
	"github.com/earwitness/earwitness/internal/audio"
	"github.com/earwitness/earwitness/internal/engines/child"
	"github.com/earwitness/earwitness/internal/engines/models"
)

// choosing is what the user says of the work that a model is chosen for.
type choosing struct {
	hours   float64
	within  time.Duration
	speech  float64 // percent
	threads int
}

func modelChooseVerb(w *world) *cobra.Command {
	var o choosing
	cmd := &cobra.Command{
		Use:   "choose",
		Short: "Recommend a model for this machine, from its measured speed",
		Long: `Recommend a model for this machine. The models on the shelf are timed on eleven seconds of speech that ship with
earwitness, cut into three bursts; the speed of the other sizes follows from theirs by the work that each takes, and
is marked as extrapolated. The recommendation is the largest model that fits into the memory and the disk that are
free and is quick enough: ten times quicker than speech, or as --hours and --within say. How well a model hears is
told where the project has measured it, and only there: larger ones are expected to hear better.

What it takes to decode a recording's container is not counted: it differs from kind to kind.`,
		Example: `  earwitness model choose
  earwitness model choose --hours 400 --within 12h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !(o.hours >= 0 && o.hours <= 1e6):
				return &usageError{evidence.Invalid("--hours is a number from 0 to 1,000,000")}
			case o.within < 0 || o.within > 0 && o.hours == 0:
				return &usageError{evidence.Invalid("--within says in what time the recordings of --hours are to be heard: it needs both")}
			case !(o.speech > 0 && o.speech <= 100):
				return &usageError{evidence.Invalid("--speech is a share in percent, above 0 and at most 100")}
			case o.threads < 1 || o.threads > 1024:
				return &usageError{evidence.Invalid("--threads is a number from 1 to 1024")}
			}
			return w.choose(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.hours, "hours", 0, "hours of recordings that are to be heard")
	f.DurationVar(&o.within, "within", 0, "in what time, such as 90m or 12h; needs --hours")
	f.Float64Var(&o.speech, "speech", 5, "how much of a recording is speech, in percent")
	f.IntVar(&o.threads, "threads", threadsDefault(), "how much is done at once; results do not depend on it")
	return cmd
}

// machineJSON is this machine as scripts see it; what is not known is absent.
type machineJSON struct {
	Processors  int     `json:"processors"`
	Features    string  `json:"features,omitempty"`
	MemoryBytes int64   `json:"memory_free_bytes,omitempty"`
	DiskBytes   int64   `json:"disk_free_bytes,omitempty"`
	Load        float64 `json:"load,omitempty"` // programs at work on the average of the last minute, before anything was timed
}

// choiceJSON is one model to choose from.
type choiceJSON struct {
	Name         string  `json:"name"`
	State        string  `json:"state"` // "here", "can be fetched"
	FetchBytes   int64   `json:"fetch_bytes,omitempty"`
	MemoryBytes  int64   `json:"memory_bytes,omitempty"`
	Speed        string  `json:"speed"` // "measured", "extrapolated", "reference"
	Like         string  `json:"extrapolated_from,omitempty"`
	SpeechHour   float64 `json:"seconds_per_hour_of_speech"`
	RadioHour    float64 `json:"seconds_per_hour_of_recording"`
	TotalSeconds float64 `json:"seconds_in_all,omitempty"` // of --hours
	Fits         bool    `json:"fits"`
	Missing      string  `json:"too_little,omitempty"` // "memory", "disk"
	WordErrors   string  `json:"word_errors,omitempty"`
}

type chosenJSON struct {
	Machine     machineJSON  `json:"machine"`
	Speech      float64      `json:"speech_percent"`
	ScanHour    float64      `json:"seconds_to_scan_an_hour"` // 0 where it could not be measured
	Models      []choiceJSON `json:"models"`
	Recommended string       `json:"recommended"`
	Reason      string       `json:"reason"`
	Unmeasured  string       `json:"unmeasured,omitempty"` // why nothing could be timed
}

func (w *world) choose(ctx context.Context, o choosing) error {
	shelf := models.Open(w.modelsDir())
	standing, err := shelf.List()
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, s := range standing {
		here[s.Name] = s.Err == nil
	}
	m := models.Machine{Processors: o.threads, Memory: freeMemory()}
	if n, ok := models.Free(nearest(shelf.Dir())); ok {
		m.Disk = n
	}
	load := loadAverage()
	t, err := w.time(ctx, standing, o.threads)
	if err != nil {
		return err
	}
	goal := models.Goal{Recording: time.Duration(o.hours * float64(time.Hour)), Within: o.within, Speech: o.speech / 100, Scan: t.scan}
	all := models.Candidates(m, spoken(), phraseSeconds(), t.timed, here)
	best, reason, err := models.Choose(all, goal)
	if err != nil {
		return err
	}
	out := chosenJSON{
		Machine: machineJSON{o.threads, t.features, m.Memory, m.Disk, load}, Speech: o.speech, ScanHour: t.scan * 3600,
		Recommended: best.Offer.Name, Reason: reason, Unmeasured: t.why,
	}
	hours := func(perSecond float64) (speech, radio, total float64) {
		radio = 3600 * (t.scan + goal.Speech*perSecond)
		return 3600 * perSecond, radio, o.hours * radio
	}
	for _, c := range all {
		j := choiceJSON{Name: c.Offer.Name, State: "can be fetched", FetchBytes: int64(c.Offer.Megabytes) * 1e6, MemoryBytes: c.Memory, Speed: c.Speed, Like: c.Like,
			Fits: c.Missing == "", Missing: c.Missing, WordErrors: c.Offer.Heard}
		if c.Here {
			j.State, j.FetchBytes = "here", 0
		}
		j.SpeechHour, j.RadioHour, j.TotalSeconds = hours(c.PerSecond)
		out.Models = append(out.Models, j)
	}
	for _, own := range t.timed { // models that the catalogue does not know
		if !slices.ContainsFunc(all, func(c models.Candidate) bool { return c.Offer.Name == own.Name }) {
			j := choiceJSON{Name: own.Name, State: "here", Speed: models.SpeedMeasured, Fits: true}
			j.SpeechHour, j.RadioHour, j.TotalSeconds = hours(own.PerSecond)
			out.Models = append(out.Models, j)
		}
	}
	if w.json {
		return writeJSON(w.stdout, out)
	}
	w.sayChoice(out, o)
	return nil
}

func (w *world) sayChoice(c chosenJSON, o choosing) {
	about := func(seconds float64) string { return long(time.Duration(seconds * float64(time.Second))) }
	known := func(n int64) string {
		if n == 0 {
			return "an unknown amount"
		}
		return size(n)
	}
	fmt.Fprintf(w.stdout, "this machine: %s at work, %s of memory free, %s of disk free\n", plural(c.Machine.Processors, "processor", "processors"), known(c.Machine.MemoryBytes), known(c.Machine.DiskBytes))
	if c.Machine.Features != "" {
		fmt.Fprintf(w.stdout, "  %s\n", c.Machine.Features)
	}
	if c.ScanHour > 0 {
		fmt.Fprintf(w.stdout, "finding the transmissions of an hour: %s (measured)\n", about(c.ScanHour))
	}
	fmt.Fprintln(w.stdout)
	head := fmt.Sprintf("an hour, %g %% speech", o.speech)
	total := ""
	if o.hours > 0 {
		total = fmt.Sprintf("  %-14s", fmt.Sprintf("all %g hours", o.hours))
	}
	fmt.Fprintf(w.stdout, "%-18s %8s %8s  %-14s  %-20s%s  %-12s  %-19s %s\n", "model", "to fetch", "memory", "hour of speech", head, total, "speed", "fits", "words wrong, where measured")
	for _, m := range c.Models {
		fetch, memory, fits, heard := "here", "-", "yes", m.WordErrors
		if m.State != "here" {
			fetch = size(m.FetchBytes)
		}
		if m.MemoryBytes > 0 {
			memory = size(m.MemoryBytes)
		}
		if !m.Fits {
			fits = "no, too little " + m.Missing
		}
		if heard == "" {
			heard = "not measured here"
		}
		if o.hours > 0 {
			total = fmt.Sprintf("  %-14s", about(m.TotalSeconds))
		}
		fmt.Fprintf(w.stdout, "%-18s %8s %8s  %-14s  %-20s%s  %-12s  %-19s %s\n", oneLine(m.Name, 40), fetch, memory, about(m.SpeechHour), about(m.RadioHour), total, m.Speed, fits, heard)
	}
	fmt.Fprintf(w.stdout, "\nrecommended: %s, %s\n", c.Recommended, c.Reason)
	for _, m := range c.Models {
		if m.Name != c.Recommended {
			continue
		}
		switch {
		case m.State != "here":
			fmt.Fprintf(w.stdout, "  `earwitness model get %s` fetches it; then `earwitness model choose` measures it, too\n", m.Name)
		case m.Name != defaultModel:
			fmt.Fprintf(w.stdout, "  `earwitness run --model %s` hears with it\n", m.Name)
		}
	}
	if c.Machine.Load > 0.5+float64(c.Machine.Processors)/2 && c.Unmeasured == "" {
		fmt.Fprintf(w.stderr, "earwitness: other programs are at work here (a load of %.1f): what was measured is slower than this machine can be; ask again when it is idle\n", c.Machine.Load)
	}
	if c.Unmeasured != "" {
		fmt.Fprintf(w.stderr, "earwitness: nothing could be measured: %s\n", visible(c.Unmeasured))
		fmt.Fprintf(w.stderr, "earwitness: hint: the speeds are those of the project's own machine, spread over the processors of this one; `earwitness model get %s` (145 MB) gives something to measure\n", defaultModel)
	}
}

// timing is what was measured on this machine.
type timing struct {
	timed    []models.Timed
	scan     float64 // seconds for a second of sparse recording
	features string  // of the processor, as the engine names them
	why      string  // nothing was timed; "" where something was
}

// time measures the voice detector and the models on the shelf that hear words.
func (w *world) time(ctx context.Context, standing []models.Standing, threads int) (timing, error) {
	var t timing
	self, err := os.Executable()
	if err != nil {
		return t, err
	}
	phrase, err := spokenPhrase()
	if err != nil {
		return t, err
	}
	n := &native{w: w, self: self, threads: threads, memory: 16 << 30} // nothing of a case is at stake, and a large model may be on the shelf
	defer n.close()
	e, err := n.start(ctx)
	if evidence.KindOf(err) == evidence.KindNeeds {
		t.why = err.Error()
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.features = e.Identity().Features()
	b := w.bar("timing the voice detector")
	defer b.clear()
	if t.scan, err = w.timeScan(ctx, &detector{n}, phrase); err != nil {
		return t, err
	}
	for _, s := range standing {
		if s.Err != nil || models.IsVoice(s.Model.Manifest.Kind) {
			continue
		}
		b.describe("timing " + s.Name)
		per, err := w.timeModel(ctx, &recogniser{native: n, name: s.Name, options: child.HearOptions{Languages: expectedLanguages()}}, phrase, threads)
		if err != nil {
			return t, fmt.Errorf("time model %s: %w", s.Name, err)
		}
		t.timed = append(t.timed, models.Timed{Name: s.Name, PerSecond: per})
		if err := e.Unload(ctx, s.Model); err != nil {
			return t, err
		}
	}
	if len(t.timed) == 0 {
		t.why = "no model that hears is on the shelf"
	}
	return t, nil
}

// phrase are the bursts that models are timed on: the three clauses of jfk.wav, in samples, cut at its pauses.
func phrase() [][2]int {
	const rate = evidence.Rate
	return [][2]int{{0, 28 * rate / 10}, {28 * rate / 10, 8 * rate}, {8 * rate, 11 * rate}}
}

func phraseSeconds() float64 {
	n := 0
	for _, b := range phrase() {
		n += b[1] - b[0]
	}
	return float64(n) / evidence.Rate
}

func spoken() []models.Burst {
	var out []models.Burst
	for _, b := range phrase() {
		out = append(out, models.Spoken(float64(b[1]-b[0])/evidence.Rate))
	}
	return out
}

// spokenPhrase reads jfk.wav, which ships with the demo.
func spokenPhrase() ([]int16, error) {
	b, err := fs.ReadFile(demo.Files(), "jfk.wav")
	if err != nil {
		return nil, err
	}
	wav, err := audio.OpenWAV(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	bursts := phrase()
	pcm := make([]int16, bursts[len(bursts)-1][1])
	if n, err := wav.Source().ReadSamples(pcm, 0); n < len(pcm) {
		return nil, fmt.Errorf("read jfk.wav: %d of %d samples: %w", n, len(pcm), err)
	}
	return pcm, nil
}

// Limits of the timing of one model: rounds are repeated until it has taken this long.
const (
	timingEnough = 4 * time.Second
	timingRounds = 10
)

// timeModel returns the seconds that a second of speech takes, all threads at work: each round has every burst several
// times over, longest first, as many under way as a run has, since the engine hears several together. A slow model gets
// fewer. The best round counts: others on the machine can only slow it down.
func (w *world) timeModel(ctx context.Context, r *recogniser, pcm []int16, threads int) (float64, error) {
	bursts := phrase()
	slices.SortFunc(bursts, func(a, b [2]int) int { return cmp.Compare(b[1]-b[0], a[1]-a[0]) })
	longest := pcm[bursts[0][0]:bursts[0][1]]
	alone := time.Duration(0)
	for range 2 { // the first time the model is read, too
		start := w.now()
		if _, err := r.Hear(ctx, longest); err != nil {
			return 0, err
		}
		alone = w.now().Sub(start)
	}
	copies := int(min(child.HearsPerThread/int64(len(bursts)), max(1, int64(2*time.Second)/int64(alone+1))))
	best, begun := time.Duration(0), w.now()
	for round := 0; round < timingRounds && (round == 0 || w.now().Sub(begun) < timingEnough); round++ {
		var all errgroup.Group
		start := w.now()
		for _, b := range bursts {
			for range copies * threads {
				all.Go(func() error {
					_, err := r.Hear(ctx, pcm[b[0]:b[1]])
					return err
				})
			}
		}
		if err := all.Wait(); err != nil {
			return 0, err
		}
		if took := w.now().Sub(start); best == 0 || took < best {
			best = took
		}
	}
	return best.Seconds() / (phraseSeconds() * float64(copies*threads)), nil
}

// sparse is the sound that finding transmissions is timed on: ten minutes of hiss, in which the phrase is spoken every
// 220 seconds: a twentieth of it is speech.
type sparse []int16

func (s sparse) Len() int64 { return 600 * evidence.Rate }

func (s sparse) ReadSamples(dst []int16, at int64) (int, error) {
	n := min(int64(len(dst)), s.Len()-at)
	if at < 0 || n < 0 {
		return 0, fmt.Errorf("read sound at %d", at)
	}
	for i := range dst[:n] {
		x := uint32(at+int64(i)) * 0x9e3779b1
		x ^= x >> 15
		x *= 0x846ca68b
		x ^= x >> 16
		hiss := int16(x%257) - 128
		if k := (at + int64(i)) % (220 * evidence.Rate); k < int64(len(s)) {
			hiss += s[k] / 2
		}
		dst[i] = hiss
	}
	if n < int64(len(dst)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// timeScan returns the seconds that a second of sparse recording takes until its transmissions are found.
func (w *world) timeScan(ctx context.Context, d *detector, pcm []int16) (float64, error) {
	s := sparse(pcm)
	begun := w.now()
	if _, err := analysis.Detect(ctx, s, d, analysis.DefaultDetectParams(), nil); err != nil {
		return 0, err
	}
	return w.now().Sub(begun).Seconds() * evidence.Rate / float64(s.Len()), nil
}

// nearest is a folder, or the nearest one above it that exists.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// loadAverage is how many programs were at work in the last minute; 0 where that is not known.
func loadAverage() float64 {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	load := 0.0
	_, _ = fmt.Sscan(string(b), &load) // 0 where it is no number
	return load
}

// freeMemory is how much memory could be used without anything being pushed out, in bytes; 0 where that is not known. A
// container's own limit counts.
func freeMemory() int64 {
	free := int64(0)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		_, rest, _ := strings.Cut(string(b), "MemAvailable:")
		var kb int64
		if _, err := fmt.Sscan(rest, &kb); err == nil {
			free = kb << 10
		}
	}
	most, err1 := os.ReadFile("/sys/fs/cgroup/memory.max")
	stat, err2 := os.ReadFile("/sys/fs/cgroup/memory.stat")
	if err1 == nil && err2 == nil {
		var limit, used int64
		_, err1 = fmt.Sscan(string(most), &limit) // "max" is no number: no limit
		_, err2 = fmt.Sscanf(string(stat), "anon %d", &used)
		if err1 == nil && err2 == nil && limit-used < free {
			free = max(1, limit-used)
		}
	}
	return free
}
