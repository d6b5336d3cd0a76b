package decoder

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain makes the test binary its own child, in the ways that a real child may behave.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case Verb:
			os.Exit(ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "hang":
			time.Sleep(time.Hour)
		case "eat":
			var held [][]byte
			for range 1 << 12 {
				b := make([]byte, 8<<20)
				for i := 0; i < len(b); i += 4096 {
					b[i] = 1
				}
				held = append(held, b)
				time.Sleep(2 * time.Millisecond)
			}
			fmt.Println(len(held))
		case "flood":
			for b := make([]byte, 1<<20); ; {
				if _, err := os.Stdout.Write(b); err != nil {
					os.Exit(1)
				}
			}
		case "babble":
			for {
				fmt.Fprintln(os.Stderr, `{"facts":{}}`, "what a long line this is, and never the last")
			}
		case "crash":
			panic("a decoder that crashes")
		case "silent":
			os.Exit(0)
		case "breed":
			breed()
		case "peek":
			peek(os.Args[2], os.Args[3])
			os.Exit(0)
		}
	}
	dir, err := os.MkdirTemp("", "earwitness-decoder-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compiled = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// cacheDir keeps the compiled decoder between the tests of one run: compiling it takes longer than most of them.
func cacheDir(testing.TB) string { return compiled }

var compiled string

// breed starts a child of its own, says which, and waits.
func breed() {
	cmd := exec.Command("/proc/self/exe", "hang")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	fmt.Printf("%-65536d", cmd.Process.Pid)
	time.Sleep(time.Hour)
}

// peek tries out what a native decoder may do.
func peek(native, secret string) {
	if _, err := openNative(request{Engine: engineNative, Native: native, Memory: 256 << 20, CPUSeconds: 60}, os.Stdin); err != nil {
		panic(err)
	}
	say := func(what string, err error) {
		switch {
		case err == nil:
			fmt.Println(what, "ok")
		case errors.Is(err, os.ErrPermission):
			fmt.Println(what, "permission denied")
		default:
			fmt.Println(what, err)
		}
	}
	_, err := os.ReadFile(stdinPath)
	say("recording", err)
	_, err = os.ReadFile(secret)
	say("other", err)
	_, err = os.ReadFile("/etc/passwd")
	say("passwd", err)
	say("write", os.WriteFile(secret+".new", nil, 0o600))
	var dialer net.Dialer
	dialer.SetMultipathTCP(false)
	_, err = dialer.Dial("tcp", "127.0.0.1:9")
	say("tcp", err)
}
