// Command speed measures the real program as a user meets it: how fast it starts, scans, hears and verifies, and
// how much memory it and its engine take. One run gives one table, so that its figures belong together.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/earwitness/earwitness/internal/audio"
)

func main() {
	log.SetFlags(0)
	b := bench{}
	flag.StringVar(&b.bin, "bin", "bin", "folder of the two programs")
	flag.StringVar(&b.shared, "shared", "../shared/data", "folder of the reference data")
	flag.StringVar(&b.hours, "hours", "6", "lengths of the recordings to scan")
	flag.StringVar(&b.forms, "forms", "wav,mp3,m4a,opus", "forms of the recordings to scan; all but wav are made by the installed ffmpeg")
	only := flag.String("only", "", "one of start, verify, scan, first, bursts")
	flag.Parse()
	var err error
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		log.Fatal(err)
	}
	if b.dir, err = os.MkdirTemp("", "earwitness-speed"); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpuName())
	fmt.Println("| what | figure | aim |")
	fmt.Println("|---|---|---|")
	for _, m := range []struct {
		name string
		run  func() error
	}{{"start", b.start}, {"verify", b.verify}, {"bursts", b.bursts}, {"scan", b.scan}, {"first", b.first}} {
		if *only == "" || *only == m.name {
			err = errors.Join(err, m.run())
		}
	}
	if err = errors.Join(err, os.RemoveAll(b.dir)); err != nil {
		log.Fatal("speed: ", err)
	}
}

type bench struct{ bin, shared, dir, hours, forms string }

// usage is what a run of the program took.
type usage struct {
	wall, cpu    time.Duration
	main, engine int64 // greatest resident memory, bytes
}

// program runs earwitness and watches its memory and its engine's.
func (b *bench) program(want int, env []string, args ...string) (usage, error) {
	cmd := exec.Command(filepath.Join(b.bin, "earwitness"), args...)
	cmd.Env = append(os.Environ(), env...)
	out := &strings.Builder{}
	cmd.Stderr = out
	var u usage
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return u, err
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for t := time.NewTicker(20 * time.Millisecond); ; {
			u.main, u.engine = max(u.main, resident(cmd.Process.Pid)), max(u.engine, residentEngine(cmd.Process.Pid))
			select {
			case <-stop:
				t.Stop()
				return
			case <-t.C:
			}
		}
	}()
	err := cmd.Wait()
	close(stop)
	<-done
	u.wall = time.Since(begun)
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if cmd.ProcessState.ExitCode() != want {
		return u, fmt.Errorf("earwitness %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return u, nil
}

func resident(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.ParseInt(f[1], 10, 64) // a process that has just ended reads as nothing
	return n * int64(os.Getpagesize())
}

func residentEngine(parent int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		return 0
	}
	children := strings.Fields(string(b))
	// Threads of the parent start children, too.
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, t := range tasks {
		if b, err := os.ReadFile(t); err == nil {
			children = append(children, strings.Fields(string(b))...)
		}
	}
	most := int64(0)
	for _, c := range children {
		pid, err := strconv.Atoi(c)
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%s/comm", c)) // as above
		if err == nil && strings.HasPrefix(string(name), "earwitness-engi") {
			most = max(most, resident(pid))
		}
	}
	return most
}

func (b *bench) start() error {
	var t []time.Duration
	for range 21 {
		u, err := b.program(0, nil, "--help")
		if err != nil {
			return err
		}
		t = append(t, u.wall)
	}
	slices.Sort(t)
	fmt.Printf("| `earwitness --help`, median of %d | %.1f ms | under 50 ms |\n", len(t), ms(t[len(t)/2]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *bench) verify() error {
	const n = 2 << 30
	f, err := os.Create(filepath.Join(b.dir, "big.wav"))
	if err != nil {
		return err
	}
	src := rand.NewChaCha8([32]byte{1})
	if _, err := io.CopyN(f, src, n); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	c := filepath.Join(b.dir, "verify.case")
	if _, err := b.program(0, nil, "init", c); err != nil {
		return err
	}
	add, err := b.program(0, nil, "-C", c, "add", f.Name())
	if err != nil {
		return err
	}
	u, err := b.program(0, nil, "-C", c, "verify")
	if err != nil {
		return err
	}
	fmt.Printf("| `verify` of one blob of 2 GiB | %.0f MB/s, %d MB resident | at least 500 MB/s |\n", n/1e6/u.wall.Seconds(), u.main>>20)
	fmt.Printf("| `add` of the same | %.0f MB/s, %d MB resident | |\n", n/1e6/add.wall.Seconds(), add.main>>20)
	return errors.Join(os.Remove(f.Name()), os.RemoveAll(c))
}

// speech reads the voices that recordings are made of, from WAV files of the reference data.
func (b *bench) speech() ([][]int16, error) {
	var out [][]int16
	for _, p := range []string{"en-librivox-pocketsphinx/*.wav", "ru-gigaam-example/*.wav", "en-jfk/*.wav", "ru-numbers/*.wav"} {
		files, err := filepath.Glob(filepath.Join(b.shared, "audio", p))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			wav, err := audio.OpenWAV(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				return nil, err
			}
			pcm := make([]int16, wav.Source().Len())
			if err := audio.ReadPadded(wav.Source(), pcm, 0); err != nil {
				return nil, err
			}
			out = append(out, pcm)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the reference data is not there: name its folder with -shared")
	}
	return out, nil
}

// sparse writes hours of hiss with bursts of real voices that make up a twentieth of it.
func (b *bench) sparse(name string, hours float64) error {
	voices, err := b.speech()
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	n := int64(hours * 3600 * audio.Rate)
	w, err := audio.NewWAVWriter(buffered, audio.Layout{Encoding: audio.EncodingPCM, Bits: 16, Channels: 1, Rate: audio.Rate}, n)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	hiss := make([]int16, 1<<22)
	for i := range hiss {
		hiss[i] = int16(r.NormFloat64() * 120)
	}
	part := make([]int16, 0, 1<<14)
	at, voice, next := 0, []int16(nil), int64(0)
	for i := range n {
		if i == next {
			voice = voices[r.IntN(len(voices))]
			voice = voice[:min(len(voice), 10*audio.Rate)]
			next = i + int64(float64(len(voice))*20*(0.7+0.6*r.Float64()))
		}
		v := int32(hiss[at])
		if at++; at == len(hiss) {
			at = r.IntN(1 << 20)
		}
		if len(voice) > 0 {
			v, voice = v+int32(voice[0])/2, voice[1:]
		}
		if part = append(part, int16(min(max(v, math.MinInt16), math.MaxInt16))); len(part) == cap(part) || i == n-1 {
			if err := w.WriteSamples(part); err != nil {
				return err
			}
			part = part[:0]
		}
	}
	return errors.Join(w.Close(), buffered.Flush(), f.Close())
}

// bursts measures a whole run over short recordings of speech, the start of the engine and all stages included.
func (b *bench) bursts() error {
	c := filepath.Join(b.dir, "bursts.case")
	if _, err := b.program(0, nil, "init", c); err != nil {
		return err
	}
	var paths []string
	for _, p := range []string{"ru-festvox-nsh/*.flac", "en-librivox-pocketsphinx/*.wav", "ru-deepspeech-sample/*.wav", "uk-egorsmkv/*.wav", "en-vosk-test/*.wav"} {
		files, err := filepath.Glob(filepath.Join(b.shared, "audio", p))
		if err != nil {
			return err
		}
		paths = append(paths, files...)
	}
	if _, err := b.program(0, nil, append([]string{"-C", c, "add"}, paths...)...); err != nil {
		return err
	}
	// Decoding and detection first, so that what is timed is hearing.
	if _, err := b.program(7, []string{"EARWITNESS_MODELS=" + filepath.Join(b.dir, "none")}, "-C", c, "run"); err != nil {
		return err
	}
	u, err := b.program(0, nil, "-C", c, "run", "--threads", "2")
	if err != nil {
		return err
	}
	seconds, err := b.seconds(c)
	if err != nil {
		return err
	}
	fmt.Printf("| hearing %d bursts, %.0f s, 2 threads, start of the engine included | real-time factor %.3f, main process %d MB, engine %d MB | at most 0.05, 600 MB |\n",
		len(paths), seconds, u.wall.Seconds()/seconds, u.main>>20, u.engine>>20)
	return os.RemoveAll(c)
}

// seconds sums the recordings' lengths, as the program states them.
func (b *bench) seconds(c string) (float64, error) {
	out, err := exec.Command(filepath.Join(b.bin, "earwitness"), "-C", c, "show", "--json").Output()
	if err != nil {
		return 0, err
	}
	var shown struct {
		Recordings []struct{ Decoded struct{ Samples int64 } }
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		return 0, err
	}
	total := int64(0)
	for _, r := range shown.Recordings {
		total += r.Decoded.Samples
	}
	return float64(total) / audio.Rate, nil
}

func cpuName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(v, " \t:"))
		}
	}
	return "unknown CPU"
}
