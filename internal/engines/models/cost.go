package models

// Shape is what a Whisper model's work and memory follow from.
type Shape struct {
	Mels        int // bands of the log-mel spectrum
	State       int // width of both sides; a head has 64 of it
	AudioLayers int
	TextLayers  int
	Words       int
}

const (
	framesSecond = 50   // places of the encoder in a second
	mostFrames   = 1500 // 30 s, its longest
)

// Work is about what hearing one burst takes on one core of an AMD EPYC with AVX2, in seconds. It serves to compare sizes:
// from one that was measured on a machine the others follow by the ratio.
//
// The rates were fitted to graphs of several sizes with made-up weights (docs/decisions/0013): those of a multiply-add of
// the encoder's integers, of one of its attention (32-bit floats, with the softmax), of a byte of the decoder's weights,
// all of which each token reads, and of a byte of the keys and values of what was heard, which it reads too.
func (s Shape) Work(b Burst) float64 {
	const integers, attention, weights, heard = 1 / 51e9, 1 / 30e9, 1 / 12e9, 1 / 40e9
	frames, d := b.Shown*framesSecond, float64(s.State)
	audio, text := float64(s.AudioLayers), float64(s.TextLayers)
	layer := audio*12*d*d + text*2*d*d + 2*float64(s.Mels)*d*3 + d*d*3
	encoder := frames*layer*integers + 2*frames*frames*d*audio*attention
	token := (text*14*d*d+float64(s.Words)*d)*weights + 2*frames*d*text*4*heard
	return encoder + b.Tokens*token
}

// Burst is what Work needs to know of a burst.
type Burst struct {
	Shown  float64 // seconds that the encoder is given, the silence after the burst included
	Tokens float64 // that go through the decoder, those before the text included
}

// Spoken is a burst of so many seconds of usual speech: shown in a window of 8 seconds at least, about three tokens a
// second, and the five that every text has.
func Spoken(seconds float64) Burst {
	return Burst{Shown: min(max(seconds+1, 8), mostFrames/framesSecond), Tokens: 5 + 3*seconds}
}

// Graphs is the size of the two graphs that are built from the model, in bytes, to a hundredth.
func (s Shape) Graphs() int64 {
	d := int64(s.State)
	audio, text := int64(s.AudioLayers), int64(s.TextLayers)
	integers := audio*12*d*d + text*(2+14)*d*d + int64(s.Words)*d
	floats := (mostFrames+448)*d + (int64(s.Mels)+d)*d*3 + (audio+text)*30*d + int64(s.Words)
	return integers + 4*floats
}

// Memory is about the most that the engine holds with the model and so many bursts in it at once, in bytes. Either it is
// met while the model is loaded, when the graphs are there three times: as files, as the runtime has parsed them, and as
// it keeps them; or while hearing, with the attention of one burst of 30 seconds, of which one is in the encoder at a time,
// and for each burst the keys and values of what was heard and of what was written.
func (s Shape) Memory(bursts int) int64 {
	const itself, tokens = 100 << 20, 345
	heads, wide := int64(s.State/64), 4*int64(s.State)*int64(s.TextLayers)
	loading := 3 * s.Graphs()
	hearing := s.Graphs()*3/2 + heads*mostFrames*mostFrames*4 + int64(max(bursts, 1))*wide*(2*mostFrames+4*tokens)
	return itself + max(loading, hearing)
}
