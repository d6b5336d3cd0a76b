package evidence

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Span is from-to in a recording, in samples of the working sound (Rate), counted from its first sample.
// To is the first sample that is not in it.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Len returns the number of samples.
func (s Span) Len() int64 { return s.To - s.From }

// Duration returns the time s lasts.
func (s Span) Duration() time.Duration { return SampleTime(s.Len()) }

// SampleTime returns the time at which sample n begins.
func SampleTime(n int64) time.Duration {
	return time.Duration(n/Rate)*time.Second + time.Duration(n%Rate)*time.Second/Rate
}

// Citation names seconds of a recording, such as REC-0014@00:31:36.0-00:31:41.6. It is the one form in
// which the house points at sound.
type Citation struct {
	Recording string
	Span      Span
}

// String writes the citation with as few decimals as keep each end within half a millisecond, at least one.
func (c Citation) String() string {
	return c.Recording + "@" + Clock(c.Span.From) + "-" + Clock(c.Span.To)
}

// Clock writes a sample position as hh:mm:ss.d with one to three decimals.
func Clock(sample int64) string {
	ms := (sample*1000 + Rate/2) / Rate
	s := fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
	for strings.HasSuffix(s, "0") && s[len(s)-2] != '.' {
		s = s[:len(s)-1]
	}
	return s
}

var citationForm = regexp.MustCompile(`^(REC-[0-9]{4,})(?:@([0-9:.]+)-([0-9:.]+))?$`)

// ParseCitation reads a citation. A recording alone means all of it: its span is then {0, MaxInt64}.
func ParseCitation(s string) (Citation, error) {
	m := citationForm.FindStringSubmatch(s)
	if m == nil {
		return Citation{}, Invalid("%q is not a citation", s).WithHint("a citation looks like REC-0014@00:31:36.0-00:31:41.6")
	}
	c := Citation{Recording: m[1], Span: Span{0, math.MaxInt64}}
	if m[2] == "" {
		return c, nil
	}
	var err error
	if c.Span.From, err = ParseClock(m[2]); err != nil {
		return Citation{}, err
	}
	if c.Span.To, err = ParseClock(m[3]); err != nil {
		return Citation{}, err
	}
	if c.Span.To <= c.Span.From {
		return Citation{}, Invalid("citation %s ends where it starts, or before", s)
	}
	return c, nil
}

var clockForm = regexp.MustCompile(`^(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{2})(?:\.([0-9]{1,6}))?$`)

// ParseClock reads hh:mm:ss.d or mm:ss.d as a sample position, rounded to the nearest sample.
func ParseClock(s string) (int64, error) {
	m := clockForm.FindStringSubmatch(s)
	if m == nil {
		return 0, Invalid("%q is not a time in a recording", s).WithHint("write hours:minutes:seconds, such as 00:31:36.0")
	}
	n := func(s string) int64 {
		v, err := strconv.ParseInt("0"+s, 10, 64)
		if err != nil {
			return 0 // cannot be: the form allows digits only, and few of them
		}
		return v
	}
	h, min, sec := n(m[1]), n(m[2]), n(m[3])
	if min > 59 || sec > 59 {
		return 0, Invalid("%q has more than 59 minutes or seconds", s)
	}
	micro := n((m[4] + "000000")[:6])
	return (h*3600+min*60+sec)*Rate + (micro*Rate+500000)/1000000, nil
}

// Validate reports why s cannot be a span of a recording with the given number of samples.
func (s Span) Validate(samples int64) error {
	if s.From < 0 || s.To <= s.From || s.To > samples {
		return Invalid("span %d-%d is not inside a recording of %d samples", s.From, s.To, samples)
	}
	return nil
}
