package analysis

// DetectVersion is the version of the stage's code: it changes when the same sound and the same parameters may
// give another answer.
const DetectVersion = 4

// DetectParams are the settings that shape what detection finds. They are integers, so that they have one
// canonical form in a result: probabilities in 1/10000, times in milliseconds, levels in 1/100 dB.
type DetectParams struct {
	SpeechOn       int `json:"speech_on"`       // speech begins at this probability
	SpeechOff      int `json:"speech_off"`      // and ends below this one
	SpeechMin      int `json:"speech_min"`      // ms; shorter is not speech
	SpeechPause    int `json:"speech_pause"`    // ms of less than SpeechOff inside one piece of speech
	ListenOn       int `json:"listen_on"`       // 1/100: mean squared deviation from the background, in its own spread, from which the voice detector is shown the sound
	ListenOver     int `json:"listen_over"`     // ms over which that mean is taken
	ListenMargin   int `json:"listen_margin"`   // ms that it is shown before and after
	SecondFrom     int `json:"second_from"`     // probability from which what is not speech is looked at once more, with the noise taken off
	SecondOn       int `json:"second_on"`       // speech begins at this probability there
	SecondMin      int `json:"second_min"`      // ms; a shorter stretch is not looked at once more
	SignalOn       int `json:"signal_on"`       // 1/100: deviation from which there is a signal
	SignalOff      int `json:"signal_off"`      // 1/100: and below which it has gone
	KeyingPause    int `json:"keying_pause"`    // ms without a signal that end a transmission where keying can be seen
	VoicePause     int `json:"voice_pause"`     // ms without a signal that end one where it cannot (single sideband)
	VoicePad       int `json:"voice_pad"`       // ms that such a one begins earlier and ends later than is seen of it, in noise
	IntruderPause  int `json:"intruder_pause"`  // ms without speech from which a tone or music between words is another's
	DensePause     int `json:"dense_pause"`     // ms that end one where speech is continuous and clean (no radio)
	DenseShare     int `json:"dense_share"`     // 1/10000: share of speech from which it is continuous
	DenseSNR       int `json:"dense_snr"`       // 1/100 dB from which it is clean
	SoundMin       int `json:"sound_min"`       // ms; a shorter signal without speech is left out
	SoundSNR       int `json:"sound_snr"`       // 1/100 dB; a weaker one is left out ...
	SoundDeviation int `json:"sound_deviation"` // 1/100: ... unless it deviates from the background by this much
	TailMax        int `json:"tail_max"`        // ms of a squelch tail
	HearBefore     int `json:"hear_before"`     // ms that the recogniser is given before speech, in noise
	HearAfter      int `json:"hear_after"`      // ms after it
	HearMax        int `json:"hear_max"`        // ms of the longest span for the recogniser
	HearTogether   int `json:"hear_together"`   // ms between transmissions below which they are heard in one, where keying cannot be seen
	BackgroundMS   int `json:"background_ms"`   // ms to each side from which the background is learnt
}

// DefaultDetectParams returns the settings that the project's figures were measured with (bench/README.md).
func DefaultDetectParams() DetectParams {
	return DetectParams{
		SpeechOn: 5000, SpeechOff: 3500, SpeechMin: 200, SpeechPause: 150,
		ListenOn: 240, ListenOver: 160, ListenMargin: 1000, SecondFrom: 2000, SecondOn: 6000, SecondMin: 400, SignalOn: 320, SignalOff: 200,
		KeyingPause: 250, VoicePause: 500, VoicePad: 90, IntruderPause: 600, DensePause: 1500, DenseShare: 6000, DenseSNR: 2500,
		SoundMin: 250, SoundSNR: 500, SoundDeviation: 600, TailMax: 600,
		HearBefore: 1200, HearAfter: 300, HearMax: 12000, HearTogether: 1500,
		BackgroundMS: 20000,
	}
}
