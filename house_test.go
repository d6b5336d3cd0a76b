package earwitness_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/earwitness/earwitness"

// room is one row of the floor plan.
type room struct {
	storey  string
	imports []string
	all     bool
}

// floorPlan reads the table in ARCHITECTURE.md, so that the plan and its enforcement cannot disagree.
func floorPlan(t *testing.T) map[string]room {
	t.Helper()
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	plan := map[string]room{}
	row := regexp.MustCompile(`^\| (\d|roof|side) \| (\S+) \| .* \| ([^|]*) \|$`)
	for line := range strings.Lines(string(b)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		r := room{storey: m[1], all: m[3] == "all"}
		if m[3] != "-" && !r.all {
			r.imports = strings.Split(m[3], ", ")
		}
		plan[m[2]] = r
	}
	if len(plan) < 10 {
		t.Fatalf("the floor plan in ARCHITECTURE.md has %d rooms: its table is not in the form this test reads", len(plan))
	}
	return plan
}

// source is one Go file of the project that is not a test.
type source struct {
	path  string
	room  string
	lines int
	file  *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || p != "." && strings.HasPrefix(name, ".") || name == "bin" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{path: p, room: filepath.ToSlash(filepath.Dir(p)), lines: countLines(t, p), file: f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func countLines(t *testing.T, name string) int {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
	}
	return n
}

// outside reports rooms that are no part of the programs: tools that measure or build.
func outside(room string) bool {
	return room == "." || room == "bench" || strings.HasPrefix(room, "bench/") || strings.HasPrefix(room, "tools/")
}

func TestRoomsImportWhatThePlanAllows(t *testing.T) {
	plan := floorPlan(t)
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if outside(s.room) {
			continue
		}
		seen[s.room] = true
		r, ok := plan[s.room]
		if !ok {
			t.Errorf("%s: room %s is not in ARCHITECTURE.md", s.path, s.room)
			continue
		}
		for _, imp := range s.file.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			ours, found := strings.CutPrefix(p, module+"/")
			if !found {
				continue
			}
			if !r.all && !slices.Contains(r.imports, ours) {
				t.Errorf("%s imports %s, which the plan does not allow", s.path, ours)
			}
			if plan[ours].storey == "side" {
				t.Errorf("%s imports %s, which only tests may", s.path, ours)
			}
		}
	}
	for name, r := range plan {
		if !seen[name] {
			t.Errorf("ARCHITECTURE.md names the room %s, which does not exist", name)
		}
		for _, imp := range r.imports {
			if _, ok := plan[imp]; !ok {
				t.Errorf("ARCHITECTURE.md lets %s import %s, which is no room", name, imp)
			} else if plan[imp].storey > r.storey {
				t.Errorf("ARCHITECTURE.md lets %s import %s, which is a storey above", name, imp)
			}
		}
	}
}

func TestRoomsStaySmall(t *testing.T) {
	total := map[string]int{}
	for _, s := range sources(t) {
		total[s.room] += s.lines
		if s.lines > 600 && !ast.IsGenerated(s.file) {
			t.Errorf("%s has %d lines: a file stays under 600", s.path, s.lines)
		}
	}
	for name, n := range total {
		if n > 2000 && !strings.HasPrefix(name, "cmd/") {
			t.Errorf("room %s has %d lines: a room stays under 2,000", name, n)
		}
	}
}

func TestRoomsSayWhatTheyKeep(t *testing.T) {
	doc := map[string]bool{}
	for _, s := range sources(t) {
		doc[s.room] = doc[s.room] || s.file.Doc != nil
	}
	for name, ok := range doc {
		if !ok {
			t.Errorf("room %s has no doc comment", name)
		}
	}
}

// Only the roof may touch the world's clock, environment, flags and randomness: everything below is handed them.
func TestOnlyTheRoofReadsTheWorld(t *testing.T) {
	world := map[string][]string{
		"os":           {"Getenv", "LookupEnv", "Environ", "Args", "Exit"},
		"time":         {"Now", "Since", "Until"},
		"crypto/rand":  {"Reader", "Read", "Int", "Text"},
		"math/rand":    nil,
		"math/rand/v2": nil,
		"flag":         nil,
	}
	plan := floorPlan(t)
	for _, s := range sources(t) {
		if r := plan[s.room]; r.storey == "roof" || r.storey == "side" || outside(s.room) {
			continue
		}
		names := map[string]string{}
		for _, imp := range s.file.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			if _, ok := world[p]; !ok {
				continue
			}
			if world[p] == nil {
				t.Errorf("%s imports %s: only the roof may", s.path, p)
			}
			name := path.Base(p)
			if imp.Name != nil {
				name = imp.Name.Name
			}
			names[name] = p
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok && fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s has an init function", s.path)
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Obj == nil && slices.Contains(world[names[id.Name]], sel.Sel.Name) {
				t.Errorf("%s reads %s.%s: only the roof may", s.path, id.Name, sel.Sel.Name)
			}
			return true
		})
	}
}
