package transcript

import (
	"fmt"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
)

// Translation is what a line says in another language: a person's, or a machine's draft in English. A draft is made from
// the sound and belongs to the hearing whose words the line shows: with another hearing it is not shown.
type Translation struct {
	Text         string  `json:"text"`          // empty unless State is StateDraft
	Language     string  `json:"language"`      // en
	State        string  `json:"state"`         // StateDraft or StateNotTranslated; of a person's StateTranslated or StateStale
	Reason       string  `json:"reason"`        // why it is not translated, or which part is not
	Engine       string  `json:"engine"`        //
	EngineBuild  string  `json:"engine_build"`  //
	Model        string  `json:"model"`         //
	ModelDigest  string  `json:"model_digest"`  // of the model's manifest
	Entries      []int64 `json:"entries"`       // of the log, on which it rests
	MachineDraft bool    `json:"machine_draft"` // it is a machine's
	Author       string  `json:"author,omitempty"`
	Entry        int64   `json:"entry,omitempty"` // of a person's
}

// StateNotTranslated is the state of a translation of which nothing can be stood by, even as a draft.
const StateNotTranslated = evidence.NotTranslated

// translated is one result of the stage translate.
type translated struct {
	entry  int64
	engine *origin
	state  string
	reason string
	text   string
}

// String writes a translation so that nobody takes it for what was said: "en (machine draft): ...".
func (t Translation) String() string {
	if !t.MachineDraft {
		if t.State == StateStale {
			return t.Language + " (stale): " + t.Text
		}
		return t.Language + ": " + t.Text
	}
	s := t.Language + " (machine draft): " + t.Text
	switch {
	case t.State != StateDraft:
		return s + "[" + t.State + ": " + t.Reason + "]"
	case t.Reason != "":
		return s + " [" + t.Reason + "]"
	}
	return s
}

// translation is what is known in English of a transmission heard in parts; nil where nobody asked for it.
func (r *recording) translation(parts []*heard) *Translation {
	t := Translation{Language: "en", State: StateNotTranslated, Entries: []int64{}, MachineDraft: true}
	var texts, engines, builds, models, digests, reasons []string
	var tried bool
	var spoken int
	for _, h := range parts {
		spoken += btoi(h.state == evidence.HeardWords && h.text != "")
	}
	miss := func(h *heard, why string) {
		if spoken > 1 {
			why = fmt.Sprintf("%s-%s %s", evidence.Clock(h.span.From), evidence.Clock(h.span.To), why)
		}
		reasons = once(reasons, why)
	}
	for _, h := range parts {
		if h.state != evidence.HeardWords || h.text == "" {
			continue
		}
		e := r.english[h.key]
		switch f, failed := r.failures[work{evidence.StageTranslate, h.span}]; {
		case e == nil && failed:
			tried = true
			miss(h, "could not be translated: "+f.Message)
			continue
		case e == nil && len(h.languages) > 0 && h.languages[0].Code == "en":
			miss(h, "is in English")
			continue
		case e == nil:
			miss(h, "has not been translated")
			continue
		}
		tried = true
		t.Entries = append(t.Entries, e.entry)
		engines, builds = once(engines, e.engine.engine), once(builds, e.engine.build)
		models, digests = once(models, e.engine.model), once(digests, e.engine.modelDigest)
		switch {
		case e.state != evidence.TranslatedWords:
			miss(h, "no draft that can be stood by: "+e.reason)
		case e.reason != "":
			miss(h, e.reason)
		}
		if e.text != "" {
			texts = append(texts, e.text)
			t.State = StateDraft
		}
	}
	if !tried {
		return nil
	}
	slices.Sort(t.Entries)
	t.Text, t.Reason = strings.Join(texts, " "), strings.Join(reasons, "; ")
	t.Engine, t.EngineBuild = strings.Join(engines, ", "), strings.Join(builds, ", ")
	t.Model, t.ModelDigest = strings.Join(models, ", "), strings.Join(digests, ", ")
	return &t
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Marks before the text of a line of InEnglish.
const (
	draftMark = "[machine draft]" // it is a translation
	heardMark = "[as heard]"      // it was heard in English
)

// InEnglish returns the lines for subtitles in English: where something was heard in another language its draft, marked
// as one, or that there is none.
func InEnglish(lines []Line) []Line {
	out := slices.Clone(lines)
	for i := range out {
		l := &out[i]
		l.english = true
		t := l.Translation
		switch {
		case l.Text == "":
		case t == nil && l.Lang == "en":
			l.Text, l.Words = heardMark+" "+l.Text, nil
		case t == nil:
			l.Text, l.Words, l.State, l.Reason = "", nil, StateNotTranslated, ""
		case !t.MachineDraft && t.Language == "en" && t.State == StateTranslated:
			l.Text, l.Words = t.Text, nil
		case !t.MachineDraft:
			l.Text, l.Words, l.State, l.Reason = "", nil, StateNotTranslated, "its translation is stale, or not into English"
		case t.State != StateDraft:
			l.Text, l.Words, l.State, l.Reason = "", nil, t.State, t.Reason
		default:
			reasons := once(nil, t.Reason)
			l.Text, l.Words = draftMark+" "+t.Text, nil
			if l.State == StateDraft {
				l.Reason = strings.Join(once(reasons, l.Reason), "; ")
			}
		}
	}
	return out
}
