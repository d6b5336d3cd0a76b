package casefile_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/casefile"
)

// childCase makes this test binary a child that adds to the case of that name until it is killed.
const childCase = "EARWITNESS_TEST_CHILD_CASE"

func TestMain(m *testing.M) {
	if base := os.Getenv(childCase); base != "" {
		if err := child(base); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child adds recordings from two goroutines and says of each, once it is kept, its digest and index.
func child(base string) error {
	ctx := context.Background()
	c, err := casefile.Open(ctx, filepath.Join(base, "a.case"), openOptions(filepath.Join(base, "seen")))
	if err != nil {
		return err
	}
	fmt.Println("open")
	errs := make(chan error)
	for range 2 {
		go func() {
			for {
				data := make([]byte, 1+mrand.IntN(20000))
				if _, err := rand.Read(data); err != nil {
					errs <- err
					return
				}
				d, err := putBlob(c, data)
				if err != nil {
					errs <- err
					return
				}
				_, at, _, err := c.Receive(ctx, olia, evidence.RecordingReceived{Digest: d, Name: "x", Size: int64(len(data))})
				if err != nil {
					errs <- err
					return
				}
				fmt.Printf("%s %d\n", d, at)
				if mrand.IntN(4) == 0 {
					if err := c.Publish(ctx); err != nil {
						errs <- err
						return
					}
				}
			}
		}()
	}
	return <-errs
}

// A process that adds is killed again and again. Nothing that it said was kept is lost, and the case opens by itself.
func TestKills(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	dir, seen := filepath.Join(base, "a.case"), filepath.Join(base, "seen")
	mustClose(t, create(t, dir, seen))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kept := map[evidence.Digest]int64{}
	kills := campaign(40, 1000)
	for n := range kills {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), childCase+"="+base)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if n%4 != 0 { // each fourth is killed while it opens
			if s, err := lines.ReadString('\n'); s != "open\n" {
				t.Fatalf("kill %d: the child does not open the case: %q, %v, %s", n, s, err, said.String())
			}
		}
		time.Sleep(time.Duration(mrand.IntN(60)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for {
			s, err := lines.ReadString('\n')
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				break // what follows the last line feed was not said in full
			}
			var hex string
			var at int64
			if _, err := fmt.Sscanf(s, "%s %d", &hex, &at); err != nil {
				continue // "open"
			}
			d, err := evidence.ParseDigest(hex)
			if err != nil {
				t.Fatal(err)
			}
			kept[d] = at
		}
		if err := cmd.Wait(); cmd.ProcessState.Exited() {
			t.Fatalf("kill %d: the child ended by itself: %v, %s", n, err, said.String())
		}
	}
	c := reopen(t, dir, seen)
	for d, at := range kept {
		if _, idx, ok := c.Received(d); !ok || idx != at {
			t.Errorf("blob %s is at %d (%v), and was promised at %d", d.Short(), idx, ok, at)
		}
		if err := c.CheckBlob(t.Context(), d); err != nil {
			t.Error(err)
		}
	}
	if err := c.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	audited(t, dir, audit.NoticeBlobUnnamed)
	t.Logf("%d kills, %d promised recordings, none lost", kills, len(kept))
}
