package api

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write workbench/src/api/types.ts")

// The front end's types are those of the API: one interface for each Go type, of the same name, made here.
func TestTypesOfTheFrontEnd(t *testing.T) {
	g := generator{done: map[reflect.Type]bool{}}
	for _, v := range []any{SessionView{}, CaseView{}, EntryView{}, RecordingView{}, LinesView{}, Edit{}, EditDone{}, Problem{}, SearchView{}, JobsView{}, Event{}, Presence{}, RunJobs{}, PersonView{}, Admit{}, Invitation{}, Login{}} {
		g.declare(reflect.TypeOf(v))
	}
	slices.Sort(g.out)
	got := "// Made by `go test ./internal/web/api -run Types -update` from internal/web/api/api.go, which says what each field means.\n\n" + strings.Join(g.out, "\n")
	name := filepath.Join("..", "..", "..", "workbench", "src", "api", "types.ts")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != got {
		t.Errorf("%s is not made from the API as it is: go test ./internal/web/api -run Types -update", name)
	}
}

// generator writes TypeScript.
type generator struct {
	done map[reflect.Type]bool
	out  []string
}

// declare writes the interface of a struct, and of those in it.
func (g *generator) declare(t reflect.Type) {
	if g.done[t] {
		return
	}
	g.done[t] = true
	if t == reflect.TypeFor[WordView]() {
		g.out = append(g.out, "/** text, samples from and to, probability in 1/10000, 1 where it was heard only with its odds raised */\nexport type WordView = [text: string, from: number, to: number, p: number, boosted: number];\n")
		return
	}
	var b strings.Builder
	var extends []string
	for f := range t.Fields() {
		if f.Anonymous {
			extends = append(extends, f.Type.Name())
			g.declare(f.Type)
		}
	}
	fmt.Fprintf(&b, "export interface %s", t.Name())
	if len(extends) > 0 {
		fmt.Fprintf(&b, " extends %s", strings.Join(extends, ", "))
	}
	b.WriteString(" {\n")
	for f := range t.Fields() {
		tag, ok := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous || !ok || name == "-" {
			continue
		}
		optional := ""
		if strings.Contains(options, "omitempty") {
			optional = "?"
		}
		fmt.Fprintf(&b, "  %s%s: %s;\n", name, optional, g.typeOf(f.Type))
	}
	b.WriteString("}\n")
	g.out = append(g.out, b.String())
}

func (g *generator) typeOf(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()) {
		return "string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.String:
		return "string"
	case reflect.Pointer:
		return g.typeOf(t.Elem())
	case reflect.Slice:
		return g.typeOf(t.Elem()) + "[]"
	case reflect.Map:
		return "Record<string, " + g.typeOf(t.Elem()) + ">"
	case reflect.Struct:
		g.declare(t)
		return t.Name()
	}
	panic(fmt.Sprintf("%v has no type in TypeScript", t))
}

func TestWordsAreShort(t *testing.T) {
	b, err := json.Marshal(WordView{"Кедр,", 16000, 24000, 8123, true})
	if err != nil || string(b) != `["Кедр,",16000,24000,8123,1]` {
		t.Errorf("%s, %v", b, err)
	}
}
