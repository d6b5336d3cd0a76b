package decoder

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Inside the native sandbox the recording can be read, another file cannot, nothing can be written and no TCP
// connection made.
func TestNativeSandboxHolds(t *testing.T) {
	d := nativeDecoder(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/opus.ogg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	secret := write(t, "secret", []byte("x"))
	cmd := exec.Command(self, "peek", d.cfg.Native, secret)
	cmd.Stdin = f
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := string(bytes.TrimSpace(out))
	if want := "recording ok\nother permission denied\npasswd permission denied\nwrite permission denied\ntcp permission denied"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Count(got, "\n") != 4 {
		t.Error("a probe is missing")
	}
}
