package child_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/engines/child/fakeengine"
)

func TestVoice(t *testing.T) {
	e := start(t, fakeengine.Config(t))
	m := fakeengine.Model(t)
	got, err := e.Voice(t.Context(), m, []int16{2, 0, 0, 0})
	if err != nil || len(got) != 8 || got[0] != got[4] || got[1] != got[7] || math.Abs(float64(got[0]/got[1]-3)) > 1e-6 {
		t.Errorf("%v, %v", got, err)
	}
	again, err := e.Voice(t.Context(), m, []int16{2, 0, 0, 0})
	if err != nil || !slices.Equal(got, again) {
		t.Errorf("the second answer is another: %v, %v", again, err)
	}
	if _, err := e.Voice(t.Context(), m, nil); evidence.KindOf(err) != evidence.KindInvalid {
		t.Errorf("no samples: %v", err)
	}
	if _, err := e.Voice(t.Context(), m, fakeengine.NotFinite.Samples()); err == nil || !strings.Contains(err.Error(), "cannot be true") {
		t.Errorf("numbers that are none: %v", err)
	}
}
