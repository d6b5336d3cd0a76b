package checkpoint

import (
	"archive/zip"
	"io"
	"path"

	"github.com/earwitness/earwitness/evidence"
)

const (
	maxPickle  = 4 << 20 // large-v3's data.pkl has 200 kB
	maxMembers = 1 << 14 // large-v3 has about 1,300 members
)

// OpenTorch reads the table of a file of torch.save since PyTorch 1.6: an uncompressed zip with a pickle,
// data.pkl, that describes tensors, and one member data/KEY for the numbers of each storage.
func OpenTorch(file io.ReaderAt, size int64) (*Checkpoint, error) {
	z, err := zip.NewReader(file, size)
	if err != nil {
		return nil, evidence.Invalid("the .pt file is no readable zip").Because(err).
			WithHint("get the file again and compare its SHA-256")
	}
	if len(z.File) > maxMembers {
		return nil, evidence.Invalid("the .pt file has %d members", len(z.File))
	}
	members, root := map[string]*zip.File{}, ""
	for _, f := range z.File {
		if members[f.Name] != nil || f.Method != zip.Store {
			return nil, evidence.Invalid("member %.80q of the .pt file is there twice or compressed, which torch.save does not write", f.Name)
		}
		members[f.Name] = f
		if path.Base(f.Name) == "data.pkl" && root == "" {
			root = path.Dir(f.Name)
		}
	}
	pkl := members[path.Join(root, "data.pkl")]
	if pkl == nil || pkl.UncompressedSize64 > maxPickle {
		return nil, evidence.Invalid("the .pt file has no data.pkl of a size that can be").
			WithHint("files of torch.save before PyTorch 1.6 cannot be read")
	}
	if order := members[path.Join(root, "byteorder")]; order != nil {
		b, err := readMember(order, 16)
		if err != nil {
			return nil, err
		}
		if string(b) != "little" {
			return nil, evidence.Invalid("the .pt file has numbers in %.16q byte order", b)
		}
	}
	b, err := readMember(pkl, maxPickle)
	if err != nil {
		return nil, err
	}
	state, err := unpickle(b)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{File: file, Tensors: map[string]Tensor{}}
	for name, v := range state {
		m := members[path.Join(root, "data", v.key)]
		if m == nil {
			return nil, evidence.Invalid("the .pt file has no numbers for tensor %.80q", name)
		}
		at, err := m.DataOffset()
		if err != nil {
			return nil, evidence.Invalid("member %.80q of the .pt file cannot be found", m.Name).Because(err)
		}
		n, err := count(v.dims)
		if err != nil {
			return nil, err
		}
		room := int64(min(m.UncompressedSize64, 1<<62))
		skip := v.offset * v.kind.Size()
		if v.offset < 0 || v.offset > maxElements || skip+n*v.kind.Size() > room {
			return nil, evidence.Invalid("tensor %.80q of the .pt file lies outside its numbers", name)
		}
		if c.Tensors[name], err = NewTensor(name, v.dims, v.kind, at+skip, n*v.kind.Size(), size); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// readMember reads a small member, its checksum included.
func readMember(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, evidence.Invalid("member %.80q of the .pt file cannot be read", f.Name).Because(err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, evidence.Invalid("member %.80q of the .pt file cannot be read", f.Name).Because(err)
	}
	return b, nil
}
