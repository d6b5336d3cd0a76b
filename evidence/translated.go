package evidence

import "strings"

// StageTranslate is the stage that drafts in English what was heard in another language; its output is Translated.
const StageTranslate = "translate"

// States of a translation.
const (
	TranslatedWords = "translated"     // text that passed the guards: a machine's draft
	NotTranslated   = "not translated" // no text that can be stood by even as a draft
)

// Translated is the output of the stage translate for one span: a machine's draft in English of what the sound of the
// span says. It is made from the sound, not from the text that was heard there, and has neither words with times nor
// probabilities of them: what is known of those is known of hearing.
type Translated struct {
	CompressionE2 int    `json:"compression_e2"` // compression ratio of what the recogniser wrote, in 1/100
	From          Digest `json:"from"`           // key of the hearing whose words made the span worth translating
	Language      string `json:"language"`       // that Text is written in: en
	LogProbE4     int    `json:"log_prob_e4"`    // mean log-probability of a token, in 1/10000; calibrated on nothing
	Reason        string `json:"reason,omitempty"`
	State         string `json:"state"`
	Text          string `json:"text"` // empty unless State is translated
}

// Validate reports why t cannot be what the stage gave.
func (t Translated) Validate() error {
	switch {
	case t.From == Digest{}:
		return Invalid("a translation names the hearing that it belongs to")
	case t.Language != "en":
		return Invalid("a translation is into English (en), not into %q", t.Language)
	case t.State != TranslatedWords && t.State != NotTranslated:
		return Invalid("%q is no state of a translation", t.State)
	case (t.State == TranslatedWords) != (strings.TrimSpace(t.Text) != ""):
		return Invalid("a translation has a text where it is %q, and only there", TranslatedWords)
	case t.State == NotTranslated && t.Reason == "":
		return Invalid("what is %q says why", NotTranslated)
	}
	return nil
}
