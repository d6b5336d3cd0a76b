// Package api keeps the types of the workbench's JSON API. docs/api.md says which request takes and gives which;
// workbench/src/api/types.ts is made from them by a test.
package api

import (
	"encoding/json"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/search"
	"github.com/earwitness/earwitness/internal/transcript"
)

// SessionView says who is working and what they may do.
type SessionView struct {
	Person    string   `json:"person"`    // as it stands in the case
	Role      string   `json:"role"`      // of Rights
	May       []string `json:"may"`       // the rights of that role
	Blind     bool     `json:"blind"`     // works as a second listener: others' words are hidden until they have written their own
	Version   string   `json:"version"`   // of the program
	Case      CaseHead `json:"case"`      //
	Languages []string `json:"languages"` // of the interface
}

// CaseHead is what the case is called.
type CaseHead struct {
	Title  string `json:"title"`
	Origin string `json:"origin"` // of its log: no two cases have the same
}

// CaseView is the case at a glance.
type CaseView struct {
	CaseHead
	Key          string               `json:"key"`
	Policy       evidence.Policy      `json:"policy"`
	Entries      int64                `json:"entries"`
	Recordings   int                  `json:"recordings"`
	Lines        int                  `json:"lines"`
	States       map[string]int       `json:"states"`       // how many lines are in which state
	Samples      int64                `json:"samples"`      // of all recordings
	Doubtful     int                  `json:"doubtful"`     // lines with words that the machine doubts and nobody has corrected
	Untranslated int                  `json:"untranslated"` // lines that people have heard and nobody has translated, or whose translation is stale
	Recent       []EntryView          `json:"recent"`       // the newest entries that people wrote, newest first
	Carried      []transcript.Carried `json:"carried"`      // who listened to how much
}

// RecordingView is a recording as the list and the head of its screen show it.
type RecordingView struct {
	transcript.Recording
	Samples int64  `json:"samples"` // of the working sound; 0 before it is decoded
	Levels  int    `json:"levels"`  // of its pictures
	Drawn   int64  `json:"drawn"`   // samples of which coarse pictures are there
	State   string `json:"state"`   // received, decoded, searched, heard, failed
	Heard   int    `json:"heard"`   // lines with words that people have written
	Of      int    `json:"of"`      // lines with speech
	Reason  string `json:"reason"`  // why it is not further
	Hint    string `json:"hint"`
}

// LinesView is a recording's lines at one moment.
type LinesView struct {
	Recording string     `json:"recording"`
	Entries   int64      `json:"entries"` // of the log, that are in it
	Lines     []LineView `json:"lines"`   // in the order of their start
}

// LineView is one transmission.
type LineView struct {
	Citation    string            `json:"citation"`
	Span        evidence.Span     `json:"span"`             // samples; with the recording it is the line's name
	Time        string            `json:"time"`             // RFC 3339 in the recording's own offset; empty where no start is stated
	State       string            `json:"state"`            // of transcript.States, or hidden
	Reason      string            `json:"reason"`           //
	Sound       string            `json:"sound"`            // speech, tone, data, music, noise
	SnrDB       float64           `json:"snr_db"`           //
	Lang        string            `json:"lang"`             //
	Text        string            `json:"text"`             // the words that count, as a person types them
	Pieces      []evidence.Piece  `json:"pieces,omitempty"` // of Text, where people wrote it
	Author      string            `json:"author"`           // who wrote it; empty where it is the machine's
	Second      string            `json:"second"`           // who agreed, or wrote a rival text
	Entry       int64             `json:"entry"`            // that Text stands in: what an edit replaces (0: none that people wrote)
	Basis       int64             `json:"basis"`            // entry whose words a translation is of: Entry, or that of the machine's hearing (0: there are none)
	Rival       string            `json:"rival"`            // another listener's words, where they differ
	RivalBy     string            `json:"rival_by"`         //
	RivalEntry  int64             `json:"rival_entry"`      //
	Machine     string            `json:"machine"`          // the machine's words, also where people wrote others
	Model       string            `json:"model"`            // that heard them
	Words       []WordView        `json:"words"`            // the machine's
	From        *evidence.Station `json:"from,omitempty"`   //
	To          *evidence.Station `json:"to,omitempty"`     //
	Stations    int64             `json:"stations"`         // entry that From and To stand in; 0 where there is none
	Marks       []MarkView        `json:"marks"`            //
	Calls       string            `json:"calls"`            // selective calls in it
	Translation *TranslationView  `json:"translation,omitempty"`
	Hidden      bool              `json:"hidden"` // words are there that this person may not see before they have played it and written their own
	Played      bool              `json:"played"` // by this person, in this case
	Cut         bool              `json:"cut"`    // its boundaries were drawn by a person
}

// WordView is a word of the machine's: its text, samples from and to, probability in 1/10000, and 1 where it was heard only with its odds raised.
type WordView struct {
	Text    string
	From    int64
	To      int64
	P       int
	Boosted bool
}

// MarshalJSON writes a word as [text, from, to, p, boosted].
func (w WordView) MarshalJSON() ([]byte, error) {
	boosted := 0
	if w.Boosted {
		boosted = 1
	}
	return json.Marshal([]any{w.Text, w.From, w.To, w.P, boosted})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WordView) UnmarshalJSON(b []byte) error {
	var boosted int
	err := json.Unmarshal(b, &[]any{&w.Text, &w.From, &w.To, &w.P, &boosted})
	w.Boosted = boosted == 1
	return err
}

// MarkView is a mark on seconds of a recording.
type MarkView struct {
	Mark  string        `json:"mark"`
	Note  string        `json:"note"`
	Span  evidence.Span `json:"span"`
	By    string        `json:"by"`
	Entry int64         `json:"entry"`
}

// TranslationView is a line in another language.
type TranslationView struct {
	Text     string `json:"text"`
	Language string `json:"language"`
	State    string `json:"state"`  // draft (a machine's), not translated, translated (a person's), stale
	Reason   string `json:"reason"` //
	Author   string `json:"author"` // empty where it is the machine's
	Entry    int64  `json:"entry"`  // of a person's: what an edit replaces
	Model    string `json:"model"`  // of a machine's
}

// EntryView is an entry of the log as a history shows it.
type EntryView struct {
	Index     int64          `json:"index"`
	Kind      string         `json:"kind"`
	Author    string         `json:"author"`
	Person    bool           `json:"person"` // the author is one
	Time      string         `json:"time"`
	Recording string         `json:"recording"`
	Span      *evidence.Span `json:"span,omitempty"`
	Text      string         `json:"text"` // what it says, in a sentence's length
	Replaces  int64          `json:"replaces"`
	Hidden    bool           `json:"hidden"` // this person may not see yet what it says
}

// Edit is one thing that a person states. Exactly one of the bodies is there. Recording and Edit of the bodies are
// filled in by the server from the address and from ID.
type Edit struct {
	ID          string           `json:"id"` // 32 hexadecimal digits drawn by the client; the same edit, sent again, is done once
	Utterance   *UtteranceEdit   `json:"utterance,omitempty"`
	Translation *TranslationEdit `json:"translation,omitempty"`
	Cut         *CutEdit         `json:"cut,omitempty"`
	Stations    *StationsEdit    `json:"stations,omitempty"`
	Mark        *MarkEdit        `json:"mark,omitempty"`
}

// UtteranceEdit writes the words of a line, as a person types them; empty takes the person's words back.
type UtteranceEdit struct {
	Span     evidence.Span `json:"span"`
	Text     string        `json:"text"`
	Language string        `json:"language"`
	Replaces int64         `json:"replaces"` // LineView.Entry as it was when the person began
}

// TranslationEdit writes the translation of a line; empty takes it back.
type TranslationEdit struct {
	Span     evidence.Span `json:"span"`
	Text     string        `json:"text"`
	Language string        `json:"language"`
	Of       int64         `json:"of"` // LineView.Basis
	Replaces int64         `json:"replaces"`
}

// CutEdit changes the boundaries of lines. Texts, where people had written words, are those of Now, one each.
type CutEdit struct {
	Was      []evidence.Span `json:"was"`
	Now      []evidence.Span `json:"now"`
	Texts    []string        `json:"texts"`
	Language string          `json:"language"` // of Texts
}

// StationsEdit says who speaks to whom.
type StationsEdit struct {
	Span     evidence.Span     `json:"span"`
	From     *evidence.Station `json:"from,omitempty"`
	To       *evidence.Station `json:"to,omitempty"`
	Replaces int64             `json:"replaces"`
}

// MarkEdit sets a mark or takes it off.
type MarkEdit struct {
	Span     evidence.Span `json:"span"`
	Mark     string        `json:"mark"`
	Note     string        `json:"note"`
	Off      bool          `json:"off"`
	Replaces int64         `json:"replaces"`
}

// PersonView is somebody who works in the case, or did.
type PersonView struct {
	Person   string   `json:"person"`
	Role     string   `json:"role"`     // empty where they do not any more
	May      []string `json:"may"`      // the rights of that role
	Entry    int64    `json:"entry"`    // that says so: what a change replaces; 0 for who opened the case's folder
	Owner    bool     `json:"owner"`    // opened the case's folder, and has every right
	Password bool     `json:"password"` // can come back without a link
}

// Admit says in which role somebody works; without a role they do not any more.
type Admit struct {
	ID       string `json:"id"` // as in Edit
	Person   string `json:"person"`
	Role     string `json:"role"`
	Replaces int64  `json:"replaces"` // PersonView.Entry
}

// Invitation is a link that opens the workbench once, within an hour; empty where the person may not enter.
type Invitation struct {
	Link string `json:"link"`
}

// Login is a name with a password; the name is left out where the session has it.
type Login struct {
	Person   string `json:"person"`
	Password string `json:"password"`
}

// EditDone answers an edit: it is durable.
type EditDone struct {
	Entry  int64         `json:"entry"` // index of its first entry
	Again  bool          `json:"again"` // it had been done before
	Lines  []LineView    `json:"lines"` // the lines around it as they are now; they take the place of all lines of the recording that overlap Around
	Around evidence.Span `json:"around"`
}

// Problem is every answer that is not the one asked for.
type Problem struct {
	Kind    string    `json:"kind"` // invalid, not found, conflict, damaged, needs, cancelled, forbidden, session, internal
	Message string    `json:"message"`
	Hint    string    `json:"hint"`
	Line    *LineView `json:"line,omitempty"` // of a conflict: the line as it is now
}

// SearchView answers a search.
type SearchView struct {
	Total   int           `json:"total"`
	Hits    []HitView     `json:"hits"`
	Hours   []search.Hour `json:"hours"`
	Hints   []string      `json:"hints"`
	Undated int           `json:"undated"`
	Facets  []Facet       `json:"facets"`
}

// HitView is a line that was found.
type HitView struct {
	Recording string         `json:"recording"`
	File      string         `json:"file"`
	Line      LineView       `json:"line"`
	Matches   []search.Range `json:"matches"` // in Line.Text, in characters
	Excerpt   search.Range   `json:"excerpt"`
}

// Facet counts the answer's lines by one field; Filter is what to add to the query for one value.
type Facet struct {
	Name   string       `json:"name"` // recording, state, language, sound
	Values []FacetValue `json:"values"`
}

// FacetValue is one value with its count.
type FacetValue struct {
	Value  string `json:"value"`
	Filter string `json:"filter"`
	Count  int    `json:"count"`
}

// JobsView is what is being worked on and what waits.
type JobsView struct {
	Running  bool      `json:"running"`
	Begun    string    `json:"begun"`    // RFC 3339; of the run under way or the last one
	Ended    string    `json:"ended"`    // empty while running
	Fraction float64   `json:"fraction"` // 0 to 1, of the run
	Left     float64   `json:"left"`     // seconds, about; -1 where it cannot be told yet
	Jobs     []JobView `json:"jobs"`     // one a recording, and one a picture being drawn
	Error    string    `json:"error"`    // why the last run ended before its end
	Hint     string    `json:"hint"`
	Needs    string    `json:"needs"` // what is missing for some of it, such as a model
}

// RunJobs asks for what is missing to be done.
type RunJobs struct {
	Recordings []string `json:"recordings,omitempty"` // only these; all where empty
	Retry      bool     `json:"retry,omitempty"`      // what failed before, too
	Translate  bool     `json:"translate,omitempty"`  // also have what was heard in another language drafted in English, by the same model on this machine
}

// JobView is one recording's work.
type JobView struct {
	Recording string  `json:"recording"`
	File      string  `json:"file"`
	Stage     string  `json:"stage"` // decode, detect, hear, picture, or empty
	State     string  `json:"state"` // working, waiting, done, failed, waits
	Done      int64   `json:"done"`  // samples
	Total     int64   `json:"total"`
	Speed     float64 `json:"speed"` // times real time; 0 where not known
	Message   string  `json:"message"`
	Hint      string  `json:"hint"`
}

// Event is a message of the stream /api/events.
type Event struct {
	Kind      string         `json:"kind"`                // entries (a recording's lines changed), jobs, presence, people (roles changed), bye (the server stops)
	Entries   int64          `json:"entries,omitempty"`   // of the log now
	Recording string         `json:"recording,omitempty"` //
	Span      *evidence.Span `json:"span,omitempty"`      // of it that the entries are about; absent where that may be all of it
	People    []Presence     `json:"people,omitempty"`    // of kind presence: all who are there
}

// Presence is who looks at what.
type Presence struct {
	Person    string         `json:"person"`
	Recording string         `json:"recording"`
	Span      *evidence.Span `json:"span,omitempty"`
	Writing   bool           `json:"writing"`
	You       bool           `json:"you"` // it is this session
}
