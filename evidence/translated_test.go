package evidence

import "testing"

func TestTranslatedSaysWhatItIs(t *testing.T) {
	good := Translated{From: DigestOf(nil), Language: "en", State: TranslatedWords, Text: "over"}
	refused := Translated{From: DigestOf(nil), Language: "en", State: NotTranslated, Reason: "improbable"}
	for _, v := range []Translated{good, refused} {
		if err := v.Validate(); err != nil {
			t.Error(err)
		}
	}
	for name, change := range map[string]func(v *Translated){
		"of no hearing":        func(v *Translated) { v.From = Digest{} },
		"into no language":     func(v *Translated) { v.Language = "" },
		"in no state":          func(v *Translated) { v.State = HeardWords },
		"without a text":       func(v *Translated) { v.Text = " " },
		"refused with a text":  func(v *Translated) { v.State, v.Reason = NotTranslated, "improbable" },
		"refused for no cause": func(v *Translated) { v.State, v.Text = NotTranslated, "" },
	} {
		v := good
		change(&v)
		if KindOf(v.Validate()) != KindInvalid {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
