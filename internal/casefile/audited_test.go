package casefile_test

import (
	"context"
	"strings"
	"testing"

	"github.com/earwitness/earwitness/internal/audit"
)

// audited lets the independent verifier look at a case, and fails the test where it finds damage, or notices something
// that the test does not expect.
func audited(t testing.TB, dir string, expected ...string) {
	t.Helper()
	rep, err := audit.Verify(context.Background(), dir, audit.Options{})
	if err != nil {
		t.Errorf("verify %s: %v", dir, err)
	}
	for _, f := range rep.Findings {
		t.Errorf("verify: %s in %s: %s", f.What, f.Where, f.Detail)
	}
	allowed := map[string]bool{audit.NoticeKeyUntrusted: true}
	for _, e := range expected {
		allowed[e] = true
	}
	for _, n := range rep.Notices {
		if !allowed[n.What] && !strings.HasSuffix(n.Where, ".tmp") {
			t.Errorf("verify notices %s in %s: %s", n.What, n.Where, n.Detail)
		}
	}
}
