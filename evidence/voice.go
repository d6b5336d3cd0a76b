package evidence

// StageVoice is the stage that makes out what the voice of a transmission sounds like; its output is Voice.
const StageVoice = "voice"

// Limits of a voice's vector.
const (
	MinVoiceVector = 8
	MaxVoiceVector = 4096
)

// Voice is the output of the stage voice: what the speech of one transmission sounds like to a model. It is compared
// with vectors of the same model only, and names nobody.
type Voice struct {
	Samples  int64 `json:"samples"`   // of speech that it was made from
	VectorE4 []int `json:"vector_e4"` // a vector of length 1, in 1/10000
}

// Validate reports why v cannot be what a model gave: its length is 1 but for rounding.
func (v Voice) Validate() error {
	n := len(v.VectorE4)
	if n < MinVoiceVector || n > MaxVoiceVector {
		return Invalid("a voice's vector has %d to %d numbers, this has %d", MinVoiceVector, MaxVoiceVector, n)
	}
	sum := int64(0)
	for _, x := range v.VectorE4 {
		if x < -10000 || x > 10000 {
			return Invalid("a voice's vector of length 1 has no number %d/10000", x)
		}
		sum += int64(x) * int64(x)
	}
	// Rounding moves each number by half a unit at most: 2 % is what it makes of the longest vector.
	if sum < 98_000_000 || sum > 102_000_000 {
		return Invalid("a voice's vector has length 1; this one's square is %d/100000000", sum)
	}
	if v.Samples < 1 {
		return Invalid("a voice made out in %d samples", v.Samples)
	}
	return nil
}
