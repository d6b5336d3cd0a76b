package intake_test

import (
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/intake"
)

func TestSidecar(t *testing.T) {
	r, err := intake.ParseSidecar([]byte(`{"receiver":"SDR","frequency_hz":4625000,"mode":"USB","start":{"time":"2022-02-27T14:05:00+02:00","basis":"file name","uncertainty_milli":500},
		"raw":{"rate":8000,"channels":1,"format":"s16le"},"synthetic":true,"place":"Львів","source":"x","handed_in_by":"y","note":"z"}`))
	if err != nil || r.FrequencyHz != 4625000 || r.Raw.Rate != 8000 || r.Start.Basis != "file name" || !r.Synthetic {
		t.Errorf("%+v, %v", r, err)
	}
	for _, s := range []string{
		``, `[]`, `{`, `{"frequenzy_hz":1}`, `{"frequency_hz":-1}`, `{"frequency_hz":1.5}`, `{} {}`, "{\"note\":\"\xff\"}", `{"start":{"time":"yesterday","basis":"x"}}`,
		`{"start":{"time":"2022-02-27T14:05:00+02:00"}}`, `{"start":{"time":"2022-02-27T14:05:00","basis":"no offset"}}`, `{"raw":{"rate":1,"channels":1,"format":"s16le"}}`,
		`{"raw":{"rate":8000,"channels":1,"format":"mp3"}}`, `{"start":{"time":"2022-02-27T14:05:00Z","basis":"x","uncertainty_milli":-1}}`,
	} {
		if r, err := intake.ParseSidecar([]byte(s)); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
			t.Errorf("%s: %+v, %v", s, r, err)
		}
	}
}

func FuzzParseSidecar(f *testing.F) {
	f.Add([]byte(`{"start":{"time":"2022-02-27T14:05:00+02:00","basis":"file name"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := intake.ParseSidecar(b)
		if err != nil {
			return
		}
		if _, err := evidence.Canonical(r); err != nil {
			t.Errorf("%q is taken, but cannot be written into the case: %v", b, err)
		}
	})
}
