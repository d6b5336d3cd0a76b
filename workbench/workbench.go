// Package workbench holds the web workbench as it was built from the TypeScript beside it: pages, scripts, styles and
// fonts. It serves nothing and knows no case; internal/web hands the files out.
package workbench

import (
	"embed"
	"io/fs"
)

// A folder that holds only .keep is a program built without Node: it has no workbench, and everything else.
//
//go:embed all:dist
var dist embed.FS

// Files returns the built workbench and whether there is one.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false // cannot be: the path is a constant and valid
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
