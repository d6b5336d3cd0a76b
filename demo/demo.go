// Package demo keeps the recordings that ship inside the program, each with its sidecar and its truth: two
// synthetic radio nets, in Russian and in English, and two short real recordings whose licences allow it.
// It hands out bytes and what is known of them; it never decodes, judges or writes anything. How the nets
// are made, and under which licences the voices stand, is in README.md beside this file.
package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed audio
var audio embed.FS

// Recordings lists the recordings' names in the order in which they are shown: the nets first.
func Recordings() []string {
	return []string{"net-ru.opus", "net-en.opus", "ru_0793.flac", "jfk.wav"}
}

// Files is a read-only folder with the recordings, their sidecars, truths, sources and licences.
func Files() fs.FS {
	sub, err := fs.Sub(audio, "audio")
	if err != nil {
		panic(err) // cannot happen: the folder is embedded above
	}
	return sub
}

// Sidecar names the sidecar of a recording in Files; docs/format/case.md, "Sidecar".
func Sidecar(recording string) string { return recording + ".json" }

// Truth is what a recording really holds. Its format is given in README.md.
type Truth struct {
	Format        string            `json:"format"` // "earwitness demo truth 1"
	Synthetic     bool              `json:"synthetic"`
	File          string            `json:"file"`
	FileSHA256    string            `json:"file_sha256"`
	WAVSHA256     string            `json:"wav_sha256,omitempty"`    // of the samples as made, before Opus
	SampleRate    int               `json:"sample_rate"`             // Hz; of the WAV, or of a real recording
	Seconds       float64           `json:"seconds"`                 // length
	Seed          int64             `json:"seed,omitempty"`          //
	Language      string            `json:"language"`                // ISO 639-1
	MadeWith      map[string]string `json:"made_with,omitempty"`     // tool to version
	FloorDBFS     float64           `json:"floor_dbfs,omitempty"`    // level of the hiss between transmissions
	Text          string            `json:"text,omitempty"`          // of a real recording: all that is said
	Transmissions []Transmission    `json:"transmissions,omitempty"` // of a net, by start; they may overlap
	Crashes       []float64         `json:"crashes,omitempty"`       // where static crashes begin
}

// Transmission is one event of a net. All times are seconds from the recording's first sample.
type Transmission struct {
	ID          int     `json:"id"`
	Kind        string  `json:"kind"`               // speech, overlap (speech that another station talks over), tone, data, music, noise
	Start       float64 `json:"start"`              // key down, or where a sound begins
	End         float64 `json:"end"`                // key up, or where a sound ends
	TailEnd     float64 `json:"tail_end,omitempty"` // end of the squelch tail that follows key up
	SpeechStart float64 `json:"speech_start,omitempty"`
	SpeechEnd   float64 `json:"speech_end,omitempty"`
	From        string  `json:"from,omitempty"` // call sign
	To          string  `json:"to,omitempty"`   // call sign; empty: everybody, or not said
	Language    string  `json:"language,omitempty"`
	Text        string  `json:"text,omitempty"`
	What        string  `json:"what,omitempty"`   // of a sound without words: what it is
	SNRDB       float64 `json:"snr_db,omitempty"` // active speech, or the sound, against the hiss alone; dB
	Fading      string  `json:"fading,omitempty"` // none, slow, fast
}

// ReadTruth returns the truth of one of Recordings.
func ReadTruth(recording string) (Truth, error) {
	stem := recording
	if i := strings.LastIndexByte(stem, '.'); i >= 0 {
		stem = stem[:i]
	}
	b, err := audio.ReadFile("audio/" + stem + ".truth.json")
	if err != nil {
		return Truth{}, fmt.Errorf("read the truth of %s: %w", recording, err)
	}
	var t Truth
	if err := json.Unmarshal(b, &t); err != nil {
		return Truth{}, fmt.Errorf("read the truth of %s: %w", recording, err)
	}
	return t, nil
}
