package evidence

import "testing"

func TestVoiceIsOfLengthOne(t *testing.T) {
	long := make([]int, MaxVoiceVector+1)
	long[0] = 10000
	for name, c := range map[string]struct {
		v  Voice
		ok bool
	}{
		"unit":         {Voice{100, []int{6000, -8000, 0, 0, 0, 0, 0, 0}}, true},
		"rounded":      {Voice{100, []int{3536, 3536, 3536, 3536, 3536, 3536, 3536, 3536}}, true},
		"short":        {Voice{100, []int{6000, 8000}}, false},
		"long":         {Voice{100, long}, false},
		"not unit":     {Voice{100, []int{6000, 6000, 0, 0, 0, 0, 0, 0}}, false},
		"out of range": {Voice{100, []int{10001, 0, 0, 0, 0, 0, 0, 0}}, false},
		"overflowing":  {Voice{100, []int{1 << 53, 0, 0, 0, 0, 0, 0, 0}}, false},
		"of no sound":  {Voice{0, []int{10000, 0, 0, 0, 0, 0, 0, 0}}, false},
	} {
		if err := c.v.Validate(); (err == nil) != c.ok || err != nil && KindOf(err) != KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
