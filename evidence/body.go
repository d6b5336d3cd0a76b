package evidence

import "encoding/json"

// CaseOpened is the first entry of a case.
type CaseOpened struct {
	Format  int    `json:"format"`  // of the case folder, docs/format/case.md; 1
	Origin  string `json:"origin"`  // the log's name, its checkpoints' first line
	Policy  Policy `json:"policy"`  //
	Program string `json:"program"` // that made the case, with its version
	Title   string `json:"title"`   //
	Key     string `json:"key"`     // the log's verifier key (C2SP signed-note)
}

// Policy is the case's own law, set when it is made.
type Policy struct {
	EmbargoSeconds     int64    `json:"embargo_seconds"`      // the places of recent events are not published before
	IntakeDelaySeconds int64    `json:"intake_delay_seconds"` // a recording whose stated time is younger waits before it is analysed
	Languages          []string `json:"languages,omitempty"`  // expected in the case, ISO 639-1; a hint, never forced
}

// EpochStarted is the first entry under a new log after an old copy was restored.
type EpochStarted struct {
	AgreedBy       string `json:"agreed_by"`       // the second person
	Key            string `json:"key"`             // the new log's verifier key
	LastCheckpoint string `json:"last_checkpoint"` // the newest known one of the old log, whole
	OldOrigin      string `json:"old_origin"`      //
	Origin         string `json:"origin"`          // the new log's name
	Reason         string `json:"reason"`          //
}

// RecordingReceived says that bytes were taken in, and what was stated about them.
type RecordingReceived struct {
	Digest    Digest    `json:"digest"`
	Name      string    `json:"name"`                 // the file's own name; bytes that are not UTF-8 show as U+FFFD
	NameBytes string    `json:"name_bytes,omitempty"` // hexadecimal, where Name could not carry them
	Reception Reception `json:"reception"`            // as stated when handed in
	Recording string    `json:"recording"`            // REC-0001, in the order of intake
	Sidecar   *Digest   `json:"sidecar,omitempty"`    // the file that carried the statement, kept as a blob
	Size      int64     `json:"size"`                 // bytes
}

// RecordingDescribed replaces what is stated about a recording.
type RecordingDescribed struct {
	Reception Reception `json:"reception"`
	Recording string    `json:"recording"`
	Replaces  int64     `json:"replaces"` // index of the entry whose statement this replaces
}

// Reception is what people state about how a recording came to be. Every field may be absent: unknown
// stays unknown.
type Reception struct {
	FrequencyHz int64      `json:"frequency_hz,omitempty"`
	HandedInBy  string     `json:"handed_in_by,omitempty"`
	Mode        string     `json:"mode,omitempty"` // AM, USB, LSB, NFM, ...
	Note        string     `json:"note,omitempty"`
	Place       string     `json:"place,omitempty"` // of the receiver
	Raw         *RawLayout `json:"raw,omitempty"`   // for samples without a header
	Receiver    string     `json:"receiver,omitempty"`
	Source      string     `json:"source,omitempty"` // who recorded or published it
	Start       *StartTime `json:"start,omitempty"`  // of the first sample
	Synthetic   bool       `json:"synthetic,omitempty"`
}

// StartTime is the stated time of the first sample.
type StartTime struct {
	Basis            string `json:"basis"`                       // how it is known: "receiver clock", "file name", "stated", ...
	Time             string `json:"time"`                        // RFC 3339 with its own offset
	UncertaintyMilli int64  `json:"uncertainty_milli,omitempty"` // plus or minus
}

// RawLayout says how samples without a header are laid out.
type RawLayout struct {
	Channels int    `json:"channels"`
	Format   string `json:"format"` // one of RawFormats
	Rate     int    `json:"rate"`   // Hz
}

// RawFormats are the names that RawLayout.Format may have, as FFmpeg spells them.
func RawFormats() []string {
	return []string{"s8", "u8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "f32le", "f32be", "f64le", "f64be", "alaw", "mulaw"}
}

// IntakeRefused says that something handed in was not taken, and why.
type IntakeRefused struct {
	Name      string `json:"name"`
	NameBytes string `json:"name_bytes,omitempty"`
	Reason    string `json:"reason"`
	Size      int64  `json:"size,omitempty"`
}

// HearingChosen says which model's hearing of a recording counts from here on, where several have heard it. The
// others stay, and stay citable.
type HearingChosen struct {
	Model     Model  `json:"model"`
	Recording string `json:"recording"`
}

// OriginalExported says that the original bytes of a recording left the case.
type OriginalExported struct {
	Digest    Digest `json:"digest"`
	Recording string `json:"recording"`
	To        string `json:"to"` // the file's name, as asked for
}

// The stages of analysis.
const (
	StageDecode = "decode" // output Decoded
	StageDetect = "detect" // output Detected
	StageHear   = "hear"   // output Heard
)

// Result is the outcome of one stage. Results with the same key have the same inputs, engine, model and
// parameters; a second run is not made.
type Result struct {
	Engine    Engine          `json:"engine"`
	Inputs    []Digest        `json:"inputs"`          // of the bytes that went in
	Key       Digest          `json:"key"`             // ResultKey of the fields it names
	Machine   string          `json:"machine"`         // architecture and CPU features that arithmetic may depend on
	Model     *Model          `json:"model,omitempty"` //
	Output    json.RawMessage `json:"output"`          // Decoded, Detected, Heard, Translated or Voice
	Params    json.RawMessage `json:"params"`          // every setting that shapes the output
	Recording string          `json:"recording"`
	Span      *Span           `json:"span,omitempty"` // where the stage looks at a part only
	Stage     string          `json:"stage"`
	Version   int             `json:"version"` // of the stage's code
}

// Engine is what performed a stage.
type Engine struct {
	Build string `json:"build"` // what tells this build from another: a digest or a version with its libraries
	Name  string `json:"name"`
}

// Model is the weights an engine used.
type Model struct {
	Digest Digest `json:"digest"` // of the model's manifest, which names the digest of each file
	Name   string `json:"name"`
}

// Failure says that a stage could not be done, so that it is not tried again under the same key until a
// person asks.
type Failure struct {
	Engine    Engine `json:"engine"`
	Hint      string `json:"hint,omitempty"`
	Key       Digest `json:"key"`
	Kind      string `json:"kind"` // "invalid", "internal", ...: the error's
	Message   string `json:"message"`
	Recording string `json:"recording"`
	Span      *Span  `json:"span,omitempty"`
	Stage     string `json:"stage"`
}

// ResultKey names a piece of work: the same key means the same result.
func ResultKey(stage string, version int, inputs []Digest, span *Span, engine Engine, model *Model, params json.RawMessage) (Digest, error) {
	b, err := Canonical(struct {
		Engine  Engine          `json:"engine"`
		Inputs  []Digest        `json:"inputs"`
		Model   *Model          `json:"model,omitempty"`
		Params  json.RawMessage `json:"params"`
		Span    *Span           `json:"span,omitempty"`
		Stage   string          `json:"stage"`
		Version int             `json:"version"`
	}{engine, inputs, model, params, span, stage, version})
	if err != nil {
		return Digest{}, err
	}
	return DigestOf(b), nil
}

// Rate is the sampling rate that all spans count in: samples per second of the working sound.
const Rate = 16000

// Decoded is the output of the stage decode: where the working sound (16 kHz, mono, signed 16 bits) of a
// recording is.
type Decoded struct {
	Channels  int      `json:"channels"`            // of the original; the working sound is their mean
	Codec     string   `json:"codec"`               //
	Container string   `json:"container"`           //
	Copy      *Digest  `json:"copy,omitempty"`      // raw PCM kept as a blob; absent where the original is PCM and read directly
	Notes     []string `json:"notes,omitempty"`     // what a listener should know, in plain sentences
	Rate      int      `json:"rate"`                // of the original, Hz
	Samples   int64    `json:"samples"`             // of the working sound
	Truncated bool     `json:"truncated,omitempty"` // the original breaks off
}

// Detected is the output of the stage detect.
type Detected struct {
	Background    *Background    `json:"background,omitempty"` // absent where transmissions leave nothing of it
	Listened      int64          `json:"listened"`             // samples that the voice detector was shown; the gate passed over the rest
	Transmissions []Transmission `json:"transmissions"`        // in the order of their start
}

// Background is what a recording sounds like while nobody transmits. A sound that fills a recording from end to end is its
// background, too, and no transmission.
type Background struct {
	Kind    string `json:"kind"`              // silence, noise, hum, carrier
	LevelCB int    `json:"level_cb"`          // mean level in 1/100 dB of full scale
	LineHz  int    `json:"line_hz,omitempty"` // of a carrier, or of the mains where it is hum
}

// What a background can be.
const (
	BackgroundCarrier = "carrier" // one line has more than half of the power
	BackgroundHum     = "hum"     // lines of the mains have
	BackgroundNoise   = "noise"
	BackgroundSilence = "silence" // below -80 dB of full scale
)

// What a transmission can be.
const (
	SoundSpeech = "speech"
	SoundTone   = "tone"
	SoundData   = "data"
	SoundMusic  = "music"
	SoundNoise  = "noise"
)

// Systems of selective calling and signalling.
const (
	SystemCCIR1  = "CCIR-1"
	SystemCCIR2  = "CCIR-2"
	SystemCTCSS  = "CTCSS"
	SystemDTMF   = "DTMF"
	SystemEEA    = "EEA"
	SystemSELCAL = "SELCAL"
	SystemZVEI1  = "ZVEI-1"
	SystemZVEI2  = "ZVEI-2"
)

// SelectiveCall is a code of tones that names a receiver, or the group it belongs to. Where the same tones can be read in
// several systems, each reading is there with the same span.
type SelectiveCall struct {
	Code   string `json:"code"` // digits and letters as the system writes them; "AB-CD" for SELCAL, the frequency in Hz for CTCSS
	Span   Span   `json:"span"`
	System string `json:"system"` // CCIR-1, CCIR-2, CTCSS, DTMF, EEA, SELCAL, ZVEI-1, ZVEI-2
}

// Transmission is one keying of one station.
type Transmission struct {
	BandHighHz int             `json:"band_high_hz"`
	BandLowHz  int             `json:"band_low_hz"`
	Calls      []SelectiveCall `json:"calls,omitempty"` // in the order of their start
	Hear       []Span          `json:"hear,omitempty"`  // what the recogniser is given, padded, each at most 12 s; absent where there is no speech
	LevelCB    int             `json:"level_cb"`        // mean level in 1/100 dB of full scale
	PeakCB     int             `json:"peak_cb"`         // highest sample in 1/100 dB of full scale
	SnrCB      int             `json:"snr_cb"`          // signal-to-noise ratio in 1/100 dB
	Sound      string          `json:"sound"`           // speech, tone, data, music, noise
	Span       Span            `json:"span"`
	SpeechP    int             `json:"speech_p"` // greatest probability of speech, in 1/10000
	Clipped    bool            `json:"clipped,omitempty"`
	Within     *Span           `json:"within,omitempty"` // holds Hear, of one span, and its neighbours': the recogniser is given them in one
}

// States of machine text.
const (
	HeardWords         = "heard"          // text that passed the guards; a draft until people have listened
	HeardNotUnderstood = "not understood" // speech, but no text that can be stood by
	HeardNoSpeech      = "no speech"      // the recogniser found none
)

// Heard is the output of the stage hear for one span: a machine's draft of the words.
type Heard struct {
	CompressionE2 int        `json:"compression_e2"`     // compression ratio of the text, in 1/100
	Language      string     `json:"language,omitempty"` // that the text is written in; "ru|uk" where the two are not told apart
	Languages     []Language `json:"languages"`          // by the sound alone, most likely first
	LogProbE4     int        `json:"log_prob_e4"`        // mean log-probability of a token, in 1/10000
	NoSpeechE4    int        `json:"no_speech_e4"`       // probability of no speech, in 1/10000
	Reason        string     `json:"reason,omitempty"`
	State         string     `json:"state"`
	TemperatureE2 int        `json:"temperature_e2"`
	Text          string     `json:"text"`
	Words         []Word     `json:"words,omitempty"`
}

// Language is a language with its probability.
type Language struct {
	Code string `json:"code"` // ISO 639-1
	P    int    `json:"p"`    // in 1/10000
}

// Word is one word of an utterance with the samples it stands on, counted from the recording's first.
type Word struct {
	Boosted bool   `json:"boosted,omitempty"` // it was heard only with its odds raised, as a word of the case's vocabulary
	P       int    `json:"p"`                 // probability that it is right, in 1/10000
	Span    Span   `json:"span"`
	Text    string `json:"text"`
}
