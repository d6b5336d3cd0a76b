// Command runpath sets the folder in which an ELF program looks for its shared libraries, in place:
//
//	go run ./tools/runpath bin/earwitness-engine '$ORIGIN/lib'
//
// The cgo package of sherpa-onnx has the linker write the path of the module cache there, which is not there
// on another machine. The new value must not be longer than the old one; what is left of the old one is
// cleared, so that no path of the building machine remains.
package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: runpath FILE VALUE")
		os.Exit(2)
	}
	if err := set(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "runpath: error: %v\n", err)
		os.Exit(1)
	}
}

func set(path, value string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	e, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	at, old, err := find(e)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if len(value) > len(old) {
		return fmt.Errorf("%s has room for %d bytes, %q has %d", path, len(old), value, len(value))
	}
	b := make([]byte, len(old))
	copy(b, value)
	if _, err := f.WriteAt(b, at); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// find returns where in the file the value is, and the value.
func find(e *elf.File) (int64, string, error) {
	table := e.Section(".dynstr")
	if table == nil {
		return 0, "", errors.New("not a dynamically linked program")
	}
	offsets := map[elf.DynTag][]uint64{}
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH, elf.DT_NEEDED, elf.DT_SONAME} {
		v, err := e.DynValue(tag)
		if err != nil {
			return 0, "", err
		}
		offsets[tag] = v
	}
	mine := append(offsets[elf.DT_RUNPATH], offsets[elf.DT_RPATH]...)
	if len(mine) != 1 {
		return 0, "", fmt.Errorf("the program has %d search paths, not one", len(mine))
	}
	all, err := table.Data()
	if err != nil {
		return 0, "", err
	}
	from := mine[0]
	to := from
	for to < uint64(len(all)) && all[to] != 0 {
		to++
	}
	if to >= uint64(len(all)) {
		return 0, "", io.ErrUnexpectedEOF
	}
	// A linker may keep one string inside another that ends alike: then this one cannot be changed alone.
	used := append(offsets[elf.DT_NEEDED], offsets[elf.DT_SONAME]...)
	names, err := symbolNames(e)
	if err != nil {
		return 0, "", err
	}
	for _, o := range append(used, names...) {
		if o >= from && o < to {
			return 0, "", fmt.Errorf("the name %q shares the bytes of the search path", all[o:to])
		}
	}
	return int64(table.Offset + from), string(all[from:to]), nil
}

// symbolNames returns where in .dynstr the dynamic symbols' names begin.
func symbolNames(e *elf.File) ([]uint64, error) {
	s := e.Section(".dynsym")
	if s == nil {
		return nil, nil
	}
	b, err := s.Data()
	if err != nil {
		return nil, err
	}
	size := elf.Sym64Size // st_name is the first word in both classes
	if e.Class == elf.ELFCLASS32 {
		size = elf.Sym32Size
	}
	var out []uint64
	for ; len(b) >= size; b = b[size:] {
		out = append(out, uint64(e.ByteOrder.Uint32(b)))
	}
	return out, nil
}
