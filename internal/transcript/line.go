package transcript

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
)

// What a line can be.
const (
	StateDraft         = "draft"          // machine text; nobody has listened
	StateNotUnderstood = "not understood" // speech, but no text that can be stood by
	StateNoSpeech      = "no speech"      // the recogniser found none
	StateNoWords       = "no words"       // tone, data, music or noise: nothing to hear words in
	StateWaiting       = "waiting"        // a part of it has not been heard yet
	StateFailed        = "failed"         // a part of it could not be heard
)

// States lists them, in the order in which they are documented.
var States = [...]string{StateVerified, StateDisputed, StateCorrected, StateDraft, StateNotUnderstood, StateNoSpeech, StateNoWords, StateWaiting, StateFailed}

// Line is one transmission as a reader meets it. Its JSON form is a line of `export jsonl`;
// docs/format/export.md is normative for it.
type Line struct {
	Citation    string        `json:"citation"`              // REC-0014@00:31:36.0-00:31:41.6
	Recording   string        `json:"recording"`             // REC-0014
	File        string        `json:"file"`                  // the recording's file name, as received
	Start       float64       `json:"start"`                 // seconds from the recording's first sample, exact
	End         float64       `json:"end"`                   // seconds; the first sample after it
	Samples     evidence.Span `json:"samples"`               // the same in samples, evidence.Rate a second
	TimeStart   string        `json:"time_start"`            // RFC 3339 in the recording's own offset; empty where no start is stated
	TimeEnd     string        `json:"time_end"`              //
	TimeBasis   string        `json:"time_basis"`            // how the recording's start is known
	TimePlus    float64       `json:"time_uncertainty"`      // plus or minus, seconds
	Lang        string        `json:"lang"`                  // that the text is written in, ISO 639-1; empty before it was heard
	Langs       []string      `json:"langs"`                 // with the other where two are not told apart
	State       string        `json:"state"`                 // one of States
	Reason      string        `json:"reason"`                // why the state is what it is, where that needs saying
	Sound       string        `json:"sound"`                 // speech, tone, data, music, noise
	Text        string        `json:"text"`                  // the machine's words
	Words       []Word        `json:"words"`                 //
	Probability float64       `json:"probability"`           // geometric mean probability of a token; 0 where there is no text
	SnrDB       float64       `json:"snr_db"`                // signal-to-noise ratio
	LevelDB     float64       `json:"level_db"`              // mean level, dB of full scale
	Engine      string        `json:"engine"`                // that made the text
	EngineBuild string        `json:"engine_build"`          //
	Model       string        `json:"model"`                 //
	ModelDigest string        `json:"model_digest"`          // of the model's manifest
	Digest      string        `json:"digest"`                // of the recording
	Entries     []int64       `json:"entries"`               // of the log, on which this line rests
	Synthetic   bool          `json:"synthetic,omitempty"`   // the recording was made, not received
	Calls       []Call        `json:"calls,omitempty"`       // selective calls and signalling tones in it
	Translation *Translation  `json:"translation,omitempty"` // a person's, into English before others; else a machine's draft in English, where somebody had it made
	People      *People       `json:"people,omitempty"`      // what people have stated about it

	Desk Desk `json:"-"`

	english bool // the line is one of InEnglish
}

// Desk is what somebody who writes about a line needs to know beyond it.
type Desk struct {
	MachineWords []Word        // the machine's, also where people's count
	Basis        int64         // entry whose words count; of a machine's, the last of the hearings; 0 where there is none
	Translations []Translation // people's, by language
	TakenBack    []Translation // people's, without a text: what the next one in their language replaces
}

// Call is a code of tones that names a receiver. Where the same tones can be read in several systems, each reading is there.
type Call struct {
	System string  `json:"system"` // CCIR-1, CCIR-2, CTCSS, DTMF, EEA, SELCAL, ZVEI-1, ZVEI-2
	Code   string  `json:"code"`
	Start  float64 `json:"start"` // seconds from the recording's first sample
	End    float64 `json:"end"`
}

// String writes a call as people do: "SELCAL AB-CD".
func (c Call) String() string { return c.System + " " + c.Code }

// CallsText writes the calls of a line one after the other, each once; readings of the same tones have "or" between them.
func (l Line) CallsText() string {
	var parts []string
	for i, c := range l.Calls {
		if i > 0 && c.Start == l.Calls[i-1].Start && c.End == l.Calls[i-1].End {
			parts[len(parts)-1] += " or " + c.String()
		} else {
			parts = append(parts, c.String())
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), ", ")
}

// Word is one word with where it stands.
type Word struct {
	Word        string  `json:"word"`
	Start       float64 `json:"start"` // seconds from the recording's first sample
	End         float64 `json:"end"`
	Probability float64 `json:"probability"`       // that it is right
	Boosted     bool    `json:"boosted,omitempty"` // it was heard only with the odds of the case's vocabulary raised
}

// Doubtful reports whether the machine itself was less sure of w than of its contrary.
func (w Word) Doubtful() bool { return w.Probability < 0.5 }

// Language writes what is known of the language honestly: "ru", or "ru or uk" where both are likely.
func (l Line) Language() string { return strings.Join(l.Langs, " or ") }

// Lines returns the lines of one recording in the order of their start; NotFound if there is no such
// recording.
func (s *State) Lines(recording string) ([]Line, error) {
	r := s.byID[recording]
	if r == nil {
		return nil, evidence.NotFound("there is no recording %s in this case", recording).WithHint("see `earwitness show`")
	}
	return r.lines(), nil
}

// LinesIn returns the lines of one recording that overlap a span; NotFound if there is no such recording.
func (s *State) LinesIn(recording string, sp evidence.Span) ([]Line, error) {
	r := s.byID[recording]
	if r == nil {
		return nil, evidence.NotFound("there is no recording %s in this case", recording).WithHint("see `earwitness show`")
	}
	var out []Line
	for _, t := range r.shown() {
		if t.Span.From < sp.To && t.Span.To > sp.From {
			out = append(out, r.line(t))
		}
	}
	return out, nil
}

// AllLines returns the lines of all recordings, in the order of intake.
func (s *State) AllLines() []Line {
	var out []Line
	for _, r := range s.recordings {
		out = append(out, r.lines()...)
	}
	return out
}

func (r *recording) lines() []Line {
	all := r.shown()
	out := make([]Line, len(all))
	for i, t := range all {
		out[i] = r.line(t)
	}
	return out
}

func compare(a, b Line) int {
	switch {
	case a.Samples.From != b.Samples.From:
		return sign(a.Samples.From - b.Samples.From)
	default:
		return sign(a.Samples.To - b.Samples.To)
	}
}

func sign(n int64) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func seconds(sample int64) float64 { return float64(sample) / evidence.Rate }

func (r *recording) line(t shown) Line {
	l := Line{
		Citation:  evidence.Citation{Recording: r.ID, Span: t.Span}.String(),
		Recording: r.ID, File: r.Name, Digest: r.Digest.String(), Synthetic: r.Synthetic,
		Start: seconds(t.Span.From), End: seconds(t.Span.To), Samples: t.Span,
		Sound: t.Sound, SnrDB: float64(t.SnrCB) / 100, LevelDB: float64(t.LevelCB) / 100,
		Langs: []string{}, Words: []Word{}, Entries: []int64{r.detectIdx},
	}
	if r.Start != nil {
		const ms = "2006-01-02T15:04:05.000Z07:00"
		l.TimeStart = r.Start.Add(evidence.SampleTime(t.Span.From)).Round(time.Millisecond).Format(ms)
		l.TimeEnd = r.Start.Add(evidence.SampleTime(t.Span.To)).Round(time.Millisecond).Format(ms)
		l.TimeBasis = r.Reception.Start.Basis
		l.TimePlus = float64(r.Reception.Start.UncertaintyMilli) / 1000
	}
	for _, c := range t.Calls {
		l.Calls = append(l.Calls, Call{c.System, c.Code, seconds(c.Span.From), seconds(c.Span.To)})
	}
	var parts []*heard
	l.State, l.Reason, parts = r.stateOf(t)
	r.words(&l, parts)
	if t.drawn {
		l.within(t.Span)
	}
	for _, h := range parts {
		l.Desk.Basis = max(l.Desk.Basis, h.entry)
	}
	if !t.drawn {
		l.Translation = r.translation(parts)
	}
	l.Desk.MachineWords = l.Words
	r.people(&l, t)
	if l.People != nil && l.People.Entry != 0 {
		l.Desk.Basis = l.People.Entry
	}
	l.translated(t.people)
	return l
}

// within leaves of the machine's words those whose middle lies in a span that a person drew.
func (l *Line) within(sp evidence.Span) {
	from, to := seconds(sp.From), seconds(sp.To)
	l.Words = slices.DeleteFunc(l.Words, func(w Word) bool { return (w.Start+w.End)/2 < from || (w.Start+w.End)/2 >= to })
	texts := make([]string, len(l.Words))
	for i, w := range l.Words {
		texts[i] = w.Word
	}
	l.Text = strings.Join(texts, " ")
	switch {
	case l.State == StateDraft && l.Text == "":
		l.State, l.Reason, l.Probability = StateNotUnderstood, "the machine put no words here", 0
	case l.State == StateNoWords:
		l.State, l.Reason = StateNotUnderstood, "no machine has heard these seconds by themselves"
	}
}

// stateOf says what became of a transmission, why where that needs saying, and which results it rests
// on. A failure counts only where no result is there: what was heard once stays heard.
func (r *recording) stateOf(t shown) (state, reason string, parts []*heard) {
	if len(t.Hear) == 0 {
		return StateNoWords, t.Sound, nil
	}
	var failed, waiting, drafts int
	var failure, gap string
	for _, span := range t.Hear {
		h := r.current(span)
		if h == nil {
			f, ok := r.failures[work{evidence.StageHear, span}]
			if !ok {
				f, ok = r.failures[work{stage: evidence.StageHear}]
			}
			if ok {
				failed++
				failure = f.Message
			} else {
				waiting++
			}
			continue
		}
		parts = append(parts, h)
		switch {
		case h.state == evidence.HeardWords && h.text != "":
			drafts++
		case h.state == evidence.HeardNoSpeech:
		default:
			gap = h.reason
			if gap == "" {
				gap = "no text that can be stood by"
			}
			if len(t.Hear) > 1 {
				gap = fmt.Sprintf("%s-%s not understood: %s", evidence.Clock(span.From), evidence.Clock(span.To), gap)
			}
		}
	}
	switch {
	case failed > 0:
		return StateFailed, failure, parts
	case waiting > 0:
		return StateWaiting, "", parts
	case drafts > 0:
		return StateDraft, gap, parts
	case gap != "":
		return StateNotUnderstood, gap, parts
	default:
		return StateNoSpeech, "", parts
	}
}

// words fills in what was heard, the parts one after the other.
func (r *recording) words(l *Line, parts []*heard) {
	var texts, engines, builds, models, digests []string
	var logProb, weight float64
	langs := map[string]int{}
	for _, h := range parts {
		l.Entries = append(l.Entries, h.entry)
		engines, builds = once(engines, h.engine.engine), once(builds, h.engine.build)
		models, digests = once(models, h.engine.model), once(digests, h.engine.modelDigest)
		for _, lang := range h.languages {
			langs[lang.Code] += lang.P
		}
		if h.text == "" || h.state != evidence.HeardWords {
			continue
		}
		texts = append(texts, h.text)
		n := float64(max(1, len(h.words)))
		logProb += float64(h.logProb) / 10000 * n
		weight += n
		begin := int32(0)
		for _, w := range h.words {
			l.Words = append(l.Words, Word{h.letters[begin:w.end], seconds(w.from), seconds(w.to), float64(w.p&^boostedBit) / 10000, w.p&boostedBit != 0})
			begin = w.end
		}
	}
	slices.Sort(l.Entries)
	l.Text = strings.Join(texts, " ")
	if weight > 0 {
		l.Probability = math.Round(math.Exp(logProb/weight)*10000) / 10000
	}
	l.Engine, l.EngineBuild = strings.Join(engines, ", "), strings.Join(builds, ", ")
	l.Model, l.ModelDigest = strings.Join(models, ", "), strings.Join(digests, ", ")
	l.Langs = likely(langs)
	if len(l.Langs) > 0 {
		l.Lang = l.Langs[0]
	}
}

// once appends s to list where it is neither empty nor there.
func once(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// likely returns the most likely language, followed by those at least half as likely as it.
func likely(p map[string]int) []string {
	out := make([]string, 0, 2)
	best := 0
	for code, n := range p {
		best = max(best, n)
		out = append(out, code)
	}
	out = slices.DeleteFunc(out, func(code string) bool { return 2*p[code] < best })
	slices.SortFunc(out, func(a, b string) int {
		if p[a] != p[b] {
			return p[b] - p[a]
		}
		return strings.Compare(a, b)
	})
	return out
}
