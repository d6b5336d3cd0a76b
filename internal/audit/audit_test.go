package audit_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/casetest"
)

func verify(t testing.TB, dir string, o audit.Options) audit.Report {
	t.Helper()
	r, err := audit.Verify(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantFinding demands a finding with the code, whose place contains where.
func wantFinding(t testing.TB, r audit.Report, code, where string) {
	t.Helper()
	if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.What == code && strings.Contains(f.Where, where) }) {
		t.Errorf("expected the finding %s at %s, found %s", code, where, show(r))
	}
}

func show(r audit.Report) string {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func wantClean(t testing.TB, r audit.Report) {
	t.Helper()
	if !r.OK() {
		t.Fatalf("expected no finding, found %s", show(r))
	}
}

func TestSoundCase(t *testing.T) {
	m := sample(t)
	dir := m.write()
	before := listing(t, dir)
	var progress []int64
	r := verify(t, dir, audit.Options{Key: m.vkey, Seen: []string{string(m.sign(4, m.origin, m.skey))}, Progress: func(done, total int64) { progress = append(progress, done, total) }})
	wantClean(t, r)
	if len(r.Notices) != 0 {
		t.Errorf("expected no notice: %s", show(r))
	}
	if r.Entries != 9 || r.Recordings != 1 || r.Results != 3 || r.Blobs != 3 || r.Bytes != 69 || r.Checkpoint == nil || r.Checkpoint.Size != 9 || r.Checkpoint.Origin != m.origin || r.Checkpoint.Key != m.vkey {
		t.Errorf("%s", show(r))
	}
	if n := len(progress); n == 0 || progress[n-1] != r.Bytes || progress[n-2] != r.Bytes {
		t.Errorf("progress %v", progress)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("verification changed the case: before %s, after %s", before, after)
	}
}

// listing is every file with its size, time and mode.
func listing(t testing.TB, dir string) string {
	var b strings.Builder
	for _, name := range files(t, dir) {
		fi, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		b.WriteString(name + " " + fi.ModTime().String() + " " + fi.Mode().String() + "\n")
	}
	return b.String()
}

func TestNotACase(t *testing.T) {
	for name, dir := range map[string]string{"absent": filepath.Join(t.TempDir(), "no"), "empty": t.TempDir()} {
		if _, err := audit.Verify(context.Background(), dir, audit.Options{}); evidence.KindOf(err) != evidence.KindNotFound || evidence.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := audit.Verify(ctx, sample(t).write(), audit.Options{}); evidence.KindOf(err) != evidence.KindCancelled {
		t.Errorf("%v", err)
	}
}

// TestTrustNamesEveryCode keeps docs/trust.md complete: people are sent there to learn what a code means.
func TestTrustNamesEveryCode(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(casetest.Root(t), "docs", "trust.md"))
	must(t, err)
	source, err := os.ReadFile("codes.go")
	must(t, err)
	codes := regexp.MustCompile(`= "([a-z.-]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 50 {
		t.Fatalf("%d codes in codes.go", len(codes))
	}
	for _, c := range codes {
		if !strings.Contains(string(b), "`"+c[1]+"`") {
			t.Errorf("docs/trust.md does not say what %s means", c[1])
		}
	}
}
