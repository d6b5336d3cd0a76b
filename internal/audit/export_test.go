package audit

import (
	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// CheckTile compares the bytes of the tile at path, as it stands under log/tile, with the entries and salts
// that a log was made of.
func CheckTile(salts, entries [][]byte, path string, b []byte) error {
	p, err := raw.ParseTilePath(path)
	if err != nil {
		return err
	}
	var t tree
	for i := range entries {
		if err := t.Append(raw.Commitment(salts[i], entries[i])); err != nil {
			return err
		}
	}
	if code, detail := t.checkTile(p, b); code != "" {
		return evidence.Damaged("%s: log/tile/%s: %s", code, path, detail)
	}
	return nil
}
