package models

import (
	"bytes"
	"encoding/json"

	"github.com/earwitness/earwitness/evidence"
)

func strictJSON(b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return evidence.Invalid("manifest is not what the shelf writes").Because(err)
	}
	return nil
}
