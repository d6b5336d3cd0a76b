package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/earwitness/earwitness/evidence"
)

// A file of torch.save before PyTorch 1.6 is five pickles and the numbers, one after the other: a magic number, the
// version of the protocol, what the writer's machine was like, the object, the keys of its storages; then, in the
// order of those keys, each storage as its number of elements (u64) and its elements.

// legacyMagic is how every such file begins: the pickles of the magic number and of protocol 1001.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e" + "\x80\x02M\xe9\x03."

// IsLegacyTorch reports whether a file that begins with b is one of torch.save before PyTorch 1.6.
func IsLegacyTorch(b []byte) bool {
	return len(b) > 0 && string(b[:min(len(b), len(legacyMagic))]) == legacyMagic[:min(len(b), len(legacyMagic))]
}

// OpenLegacyTorch reads the table of such a file.
func OpenLegacyTorch(file io.ReaderAt, size int64) (*Checkpoint, error) {
	head := make([]byte, min(size, maxPickle))
	if n, err := file.ReadAt(head, 0); n < len(head) {
		return nil, fmt.Errorf("read .pt file: %w", err)
	}
	if len(head) <= len(legacyMagic) || !IsLegacyTorch(head) {
		return nil, evidence.Invalid("the file is no .pt of torch.save before PyTorch 1.6")
	}
	at := len(legacyMagic)
	// next runs the pickle that comes now.
	next := func() (any, *unpickler, error) {
		u := newUnpickler(head[at:])
		v := u.run()
		at += u.at
		return v, u, u.bad
	}
	machine, _, err := next()
	if err != nil {
		return nil, err
	}
	if d, ok := machine.(*pyDict); !ok || d.items["little_endian"] != true {
		return nil, evidence.Invalid("the .pt file was not written on a little-endian machine")
	}
	object, u, err := next()
	if err != nil {
		return nil, err
	}
	tensors, err := named(object)
	if err != nil {
		return nil, err
	}
	list, _, err := next()
	if err != nil {
		return nil, err
	}
	keys, ok := list.(*pyList)
	if !ok || len(keys.items) > maxMembers {
		return nil, evidence.Invalid("the .pt file has no list of its storages")
	}
	begins, err := storages(file, size, int64(at), keys.items, u.storages)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{File: file, Tensors: map[string]Tensor{}}
	for name, v := range tensors {
		begin, ok := begins[v.key]
		if !ok {
			return nil, evidence.Invalid("the .pt file has no numbers for tensor %.80q", name)
		}
		n, err := count(v.dims)
		if err != nil {
			return nil, err
		}
		if v.offset < 0 || v.offset > v.count || n > v.count-v.offset {
			return nil, evidence.Invalid("tensor %.80q of the .pt file lies outside its numbers", name)
		}
		if c.Tensors[name], err = NewTensor(name, v.dims, v.kind, begin+v.offset*v.kind.Size(), n*v.kind.Size(), size); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// storages finds where each storage's elements begin, from the first one's count at byte at on.
func storages(file io.ReaderAt, size, at int64, keys []any, known map[string]pyStorage) (map[string]int64, error) {
	begins := map[string]int64{}
	for _, k := range keys {
		key, _ := k.(string)
		s, ok := known[key]
		if _, twice := begins[key]; !ok || twice {
			return nil, evidence.Invalid("the .pt file lists a storage %.40q that nothing refers to, or lists it twice", key)
		}
		var n [8]byte
		if k, err := file.ReadAt(n[:], at); k < len(n) {
			if err == io.EOF {
				return nil, evidence.Invalid("the .pt file is cut short at byte %d", at).WithHint("get the file again and compare its SHA-256")
			}
			return nil, fmt.Errorf("read .pt file at byte %d: %w", at, err)
		}
		if got := binary.LittleEndian.Uint64(n[:]); s.count < 0 || s.count > size || got != uint64(s.count) {
			return nil, evidence.Invalid("storage %.40q of the .pt file has %d elements where its description says %d", key, got, s.count)
		}
		begins[key] = at + 8
		at += 8 + s.count*s.kind.Size()
	}
	if at > size {
		return nil, evidence.Invalid("the .pt file is cut short").WithHint("get the file again and compare its SHA-256")
	}
	return begins, nil
}
