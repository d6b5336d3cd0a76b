package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a canonical text; docs/format/entries.md, "Canonical JSON".
const (
	MaxEntryBytes = 16 << 20
	maxDepth      = 32
	maxInteger    = 1<<53 - 1
)

// Canonical writes v as canonical JSON: what json.Marshal gives, with keys in the order of their UTF-8
// bytes, no white space, the shortest escapes, and integers only. A value that cannot be written so (a
// fraction, a null, an integer beyond 2^53-1, invalid UTF-8) is an Invalid error.
func Canonical(v any) ([]byte, error) {
	// json.Marshal would write U+FFFD for invalid UTF-8 and thereby change what was said.
	if err := checkStrings(reflect.ValueOf(v), 0); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, Invalid("value cannot be written as JSON").Because(err)
	}
	dec := json.NewDecoder(&buf)
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("re-read JSON: %w", err)
	}
	out, err := appendCanonical(nil, tree, 0)
	if err != nil {
		return nil, err
	}
	if len(out) > MaxEntryBytes {
		return nil, Invalid("canonical JSON of %d bytes is over the limit of %d", len(out), MaxEntryBytes)
	}
	return out, nil
}

func checkStrings(v reflect.Value, depth int) error {
	if depth > 2*maxDepth {
		return Invalid("value is nested deeper than %d", maxDepth)
	}
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return Invalid("text %q is not valid UTF-8", v.String())
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return checkStrings(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() && !utf8.Valid(v.Bytes()) {
			return Invalid("JSON is not valid UTF-8")
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkStrings(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := checkStrings(it.Key(), depth+1); err != nil {
				return err
			}
			if err := checkStrings(it.Value(), depth+1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if err := checkStrings(v.Field(i), depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func appendCanonical(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, Invalid("JSON is nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v), nil
	case json.Number:
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || n > maxInteger || n < -maxInteger {
			return nil, Invalid("number %s is not an integer of at most 2^53-1", v)
		}
		return strconv.AppendInt(b, n, 10), nil
	case string:
		return appendString(b, v), nil
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendCanonical(b, e, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, k), ':')
			var err error
			if b, err = appendCanonical(b, v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case nil:
		return nil, Invalid("null has no place in an entry: leave the field out")
	default:
		return nil, fmt.Errorf("canonical JSON of %T", v)
	}
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < 0x20:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// CheckCanonical reports, as an Invalid error, why b is not the canonical JSON of one object.
func CheckCanonical(b []byte) error {
	_, err := parseCanonical(b)
	return err
}

// parseCanonical returns the tree of the canonical JSON of one object.
func parseCanonical(b []byte) (any, error) {
	if len(b) > MaxEntryBytes {
		return nil, Invalid("canonical JSON of %d bytes is over the limit of %d", len(b), MaxEntryBytes)
	}
	if !utf8.Valid(b) {
		return nil, Invalid("JSON is not valid UTF-8")
	}
	if len(b) == 0 || b[0] != '{' {
		return nil, Invalid("JSON is not an object")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, Invalid("not JSON").Because(err)
	}
	// A duplicate key, white space, another key order or escape, trailing bytes: all of them show as a difference.
	again, err := appendCanonical(nil, tree, 0)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, Invalid("JSON is not in canonical form: it differs from byte %d on", firstDifference(again, b))
	}
	return tree, nil
}

// plainKeys refuses keys that are not of the letters that our field names are made of. encoding/json takes "Author" for
// "author", so that two texts would mean one entry.
func plainKeys(tree any) error {
	switch v := tree.(type) {
	case []any:
		for _, e := range v {
			if err := plainKeys(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, e := range v {
			for _, c := range []byte(k) {
				if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
					return Invalid("the key %q is not of a-z, 0-9 and _", k)
				}
			}
			if err := plainKeys(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// decodeStrict reads canonical JSON into v and refuses fields that v does not know.
func decodeStrict(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return Invalid("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
