package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/audit"
)

// campaign says whether the long forms of the tests are asked for.
func campaign() bool { return os.Getenv("EARWITNESS_CAMPAIGN") != "" }

// TestSampleFlipped changes bytes of a case by the test's own writer, every one under EARWITNESS_CAMPAIGN.
func TestSampleFlipped(t *testing.T) {
	t.Parallel()
	flipAll(t, sample(t).write(), 11)
}

// flipAll changes each byte of each file of a sound case in turn, and demands a finding that names the file,
// and for case.db the page. Without EARWITNESS_CAMPAIGN it takes every step-th byte, and of case.db the header
// and every 151st.
func flipAll(t *testing.T, dir string, step int) {
	t.Helper()
	wantClean(t, verify(t, dir, audit.Options{Workers: 1}))
	flips := 0
	for _, name := range files(t, dir) {
		if strings.HasPrefix(name, "derived.db") {
			continue // not evidence: it may be deleted at any time
		}
		path := filepath.Join(dir, name)
		sound, err := os.ReadFile(path)
		must(t, err)
		for i := range sound {
			if !campaign() && (i%step != 0 || name == "case.db" && i >= 100 && i%151 != 0) {
				continue
			}
			b := slices.Clone(sound)
			b[i] ^= 1 << (i % 8)
			must(t, os.WriteFile(path, b, 0o600))
			r, err := audit.Verify(context.Background(), dir, audit.Options{Workers: 1})
			where := name
			if name == "case.db" {
				where = fmt.Sprintf("case.db, page %d", i/4096+1)
			}
			if err != nil || !names(r, where) || slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.What == audit.AuditPanic }) {
				t.Errorf("%s, byte %d of %d: %v, %s", name, i, len(sound), err, show(r))
			}
			if flips++; t.Failed() {
				break
			}
		}
		must(t, os.WriteFile(path, sound, 0o600))
	}
	t.Logf("%d flips, each found", flips)
}

// names reports whether a finding names the place exactly.
func names(r audit.Report, where string) bool {
	return slices.ContainsFunc(r.Findings, func(f audit.Finding) bool {
		return f.Where == where || strings.HasPrefix(f.Where, where+",")
	})
}

func TestEveryFileDeletedCutOrGrown(t *testing.T) {
	m := sample(t)
	src := m.write()
	harmless := map[string]string{"key": audit.NoticeKeyAbsent, "lock": audit.NoticeLockAbsent} // without them the case can be read as before
	for _, name := range files(t, src) {
		for what, change := range map[string]func(path string, b []byte){
			"deleted":     func(path string, b []byte) { must(t, os.Remove(path)) },
			"emptied":     func(path string, b []byte) { must(t, os.WriteFile(path, nil, 0o600)) },
			"halved":      func(path string, b []byte) { must(t, os.WriteFile(path, b[:len(b)/2], 0o600)) },
			"one shorter": func(path string, b []byte) { must(t, os.WriteFile(path, b[:max(0, len(b)-2)], 0o600)) },
			"one longer":  func(path string, b []byte) { must(t, os.WriteFile(path, append(bytes.Clone(b), 'x'), 0o600)) },
			"a folder":    func(path string, b []byte) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) },
			"a link": func(path string, b []byte) {
				must(t, os.Rename(path, path+".away"))
				must(t, os.Symlink(path+".away", path))
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "b.case")
				must(t, os.CopyFS(dir, os.DirFS(src)))
				must(t, os.Chmod(filepath.Join(dir, "key"), 0o600))
				path := filepath.Join(dir, name)
				b, err := os.ReadFile(path)
				must(t, err)
				if len(b) == 0 && what != "deleted" && what != "one longer" && what != "a folder" && what != "a link" {
					return
				}
				change(path, b)
				r := verify(t, dir, audit.Options{})
				if notice := harmless[name]; what == "deleted" && notice != "" {
					if !r.OK() || !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == notice }) {
						t.Errorf("expected the notice %s alone: %s", notice, show(r))
					}
					return
				}
				if !names(r, name) && !(what == "a folder" && names(r, filepath.Dir(name))) {
					t.Errorf("%s", show(r))
				}
			})
		}
	}
}

func TestFilesSwapped(t *testing.T) {
	m := sample(t)
	src := m.write()
	list := files(t, src)
	for i, x := range list {
		for _, y := range list[i+1:] {
			dir := filepath.Join(t.TempDir(), "b.case")
			must(t, os.CopyFS(dir, os.DirFS(src)))
			must(t, os.Rename(filepath.Join(dir, x), filepath.Join(dir, "swap")))
			must(t, os.Rename(filepath.Join(dir, y), filepath.Join(dir, x)))
			must(t, os.Rename(filepath.Join(dir, "swap"), filepath.Join(dir, y)))
			r := verify(t, dir, audit.Options{})
			// Where case.db cannot be read there is nothing that tiles could be compared with.
			if !names(r, x) || !names(r, y) && !(x == "case.db" && strings.HasPrefix(y, "log/tile/")) {
				t.Errorf("%s and %s: %s", x, y, show(r))
			}
		}
	}
}
