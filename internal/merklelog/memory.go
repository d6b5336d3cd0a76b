package merklelog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/durable"
)

// Memory keeps, outside of every case, the newest checkpoint that was signed on this machine for each origin: one small
// file each. It is what tells an old copy of a case from the case. One process at a time may use an origin's.
type Memory struct {
	folder *durable.Folder
}

// NewMemory returns the memory that a folder holds.
func NewMemory(folder *durable.Folder) *Memory { return &Memory{folder} }

// MemoryName returns the name of the file in the memory's folder that holds an origin's newest signed checkpoint.
func MemoryName(origin string) (string, error) {
	digits, err := OriginDigits(origin)
	return digits + ".checkpoint", err
}

// Err returns the error of a sync that failed, after which nothing is remembered any more.
func (m *Memory) Err() error { return m.folder.Err() }

// Newest returns the newest checkpoint of an origin with its signed note; ok is false where none was ever signed here.
func (m *Memory) Newest(origin, verifierKey string) (c Checkpoint, signed []byte, ok bool, err error) {
	name, err := MemoryName(origin)
	if err != nil {
		return Checkpoint{}, nil, false, err
	}
	name = m.folder.Path(name)
	signed, err = os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Checkpoint{}, nil, false, nil
	}
	if err != nil {
		return Checkpoint{}, nil, false, fmt.Errorf("read newest checkpoint of %s: %w", origin, err)
	}
	c, err = OpenCheckpoint(signed, verifierKey)
	if err != nil {
		return Checkpoint{}, nil, false, evidence.Damaged("%s is no checkpoint that was signed for this case", name).Because(err).
			WithHint("if another copy of the file is at hand, put it there; else the case can go on in a new epoch")
	}
	return c, signed, true, nil
}

// Remember keeps a checkpoint that was signed, unless it knows a newer one. Conflict: another root of that size was
// signed here before.
func (m *Memory) Remember(signed []byte, verifierKey string) error {
	c, err := OpenCheckpoint(signed, verifierKey)
	if err != nil {
		return err
	}
	known, _, ok, err := m.Newest(c.Origin, verifierKey)
	if err != nil {
		return err
	}
	if ok && known.Size == c.Size && known.Root != c.Root {
		return evidence.Conflict("two checkpoints for the size %d of %s: roots %v and %v", c.Size, c.Origin, known.Root, c.Root)
	}
	if ok && known.Size >= c.Size {
		return nil
	}
	name, err := MemoryName(c.Origin)
	if err != nil {
		return err
	}
	return m.folder.WriteFile(name, signed, 0o600)
}

// Check reports that a tree is an old or altered copy of what was signed here: a Conflict where it holds less, Damaged
// where it holds something else.
func (m *Memory) Check(origin, verifierKey string, size int64, r tlog.HashReader) error {
	known, _, ok, err := m.Newest(origin, verifierKey)
	if err != nil || !ok {
		return err
	}
	return CheckCopy(known, size, r)
}

// CheckCopy reports that a tree of the given size is an old or altered copy of the one that known commits to.
func CheckCopy(known Checkpoint, size int64, r tlog.HashReader) error {
	const hint = "put the newest copy back; if it is lost, the case can go on in a new epoch, which says so in the case"
	if size < known.Size {
		return evidence.Conflict("this is an old copy of the case: it holds %d entries, and a checkpoint was signed for %d", size, known.Size).WithHint(hint)
	}
	edge, err := LoadEdge(known.Size, r)
	if err != nil {
		return err
	}
	root, err := edge.Root()
	if err != nil {
		return err
	}
	if root != known.Root {
		return evidence.Damaged("this is an altered copy of the case: the root of its first %d entries is %v, and a checkpoint was signed for %v", known.Size, root, known.Root).WithHint(hint)
	}
	return nil
}
