package decoder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

const (
	mountName = "in"
	inputName = "recording"
	wasmPage  = 64 << 10
)

// openWASI compiles FFmpeg. What it then runs sees one read-only file, two pipes and a clock that stands still: no
// folder, no environment, no network exists for it.
func openWASI(req request, stdin *os.File) (program, error) {
	if err := limitSelf(req, req.Memory*3+512<<20); err != nil {
		return nil, err
	}
	return sandbox(req, stdin)
}

func sandbox(req request, stdin *os.File) (program, error) {
	bin, err := loadWASM()
	if err != nil {
		return nil, err
	}
	info, err := stdin.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the recording's size: %w", err)
	}
	ctx := context.Background()
	// Never WithCloseOnContextDone: it makes decoding 6-8 times slower. Whoever started this process ends it.
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(uint32(min(req.Memory/wasmPage, 65536)))
	if req.CacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(req.CacheDir)
		if err != nil {
			return nil, fmt.Errorf("open the cache of compiled code: %w", err)
		}
		config = config.WithCompilationCache(cache)
	}
	rt := wazero.NewRuntimeWithConfig(ctx, config)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, rt); err != nil {
		return nil, fmt.Errorf("prepare the sandbox: %w", err)
	}
	compiled, err := rt.CompileModule(ctx, bin)
	if err != nil {
		return nil, fmt.Errorf("compile the decoder: %w", err)
	}
	mount := wazero.NewFSConfig().WithFSMount(oneFile{stdin, info.Size()}, "/"+mountName)
	return func(args []string, stdout, stderr io.Writer) (int, error) {
		if c, ok := stderr.(io.Closer); ok {
			defer c.Close()
		}
		mod, err := rt.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").
			WithArgs(append([]string{"ffmpeg"}, args...)...).WithFSConfig(mount).WithStdout(stdout).WithStderr(stderr))
		if mod != nil {
			defer mod.Close(ctx)
		}
		var exit *sys.ExitError
		if errors.As(err, &exit) {
			return int(exit.ExitCode()), nil
		}
		if err != nil {
			return 0, fmt.Errorf("inside the sandbox: %w", err)
		}
		return 0, nil
	}, nil
}

// oneFile is a file system that holds the recording and nothing else.
type oneFile struct {
	f    io.ReaderAt
	size int64
}

// Open knows the folder itself and the recording.
func (o oneFile) Open(name string) (fs.File, error) {
	switch name {
	case ".":
		return &opened{info: info{name: ".", mode: fs.ModeDir | 0o555}}, nil
	case inputName:
		return &opened{SectionReader: io.NewSectionReader(o.f, 0, o.size), info: info{name: inputName, mode: 0o444, size: o.size}}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

type opened struct {
	*io.SectionReader
	info info
}

// Read reads the recording; a folder has no bytes.
func (o *opened) Read(p []byte) (int, error) {
	if o.SectionReader == nil {
		return 0, fs.ErrInvalid
	}
	return o.SectionReader.Read(p)
}

// Stat returns a description without times or owners.
func (o *opened) Stat() (fs.FileInfo, error) { return o.info, nil }

// Close has nothing to close: the file is the process's standard input.
func (o *opened) Close() error { return nil }

type info struct {
	name string
	mode fs.FileMode
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
