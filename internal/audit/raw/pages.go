// Package raw reads the bytes of a case that libraries would otherwise read for the auditor: pages and
// write-ahead log of case.db, keys, checkpoints, tile paths. It is strict: what the format would not write
// is refused, also where it means the same. It decides nothing about a case.
package raw

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The page of case.db; docs/format/case.md.
const (
	PageSize     = 4096
	PageReserved = 8
	HeaderSize   = 100
)

// PageChecksum is the checksum of SQLite's cksumvfs over all but the page's last eight bytes: two sums
// over little-endian 32-bit words, taken in pairs.
func PageChecksum(page []byte) [8]byte {
	var s1, s2 uint32
	for b := page[:len(page)-PageReserved]; len(b) >= 8; b = b[8:] {
		s1 += binary.LittleEndian.Uint32(b) + s2
		s2 += binary.LittleEndian.Uint32(b[4:]) + s1
	}
	var sum [8]byte
	binary.LittleEndian.PutUint32(sum[:], s1)
	binary.LittleEndian.PutUint32(sum[4:], s2)
	return sum
}

func PageHolds(page []byte) bool {
	return PageChecksum(page) == [8]byte(page[len(page)-PageReserved:])
}

// Header is what the first 100 bytes of case.db say; https://www.sqlite.org/fileformat2.html, 1.3.
type Header struct {
	Pages, Free uint32
	UserVersion uint32
}

// ParseHeader returns what the header says and every way in which it is not that of a case.
func ParseHeader(b []byte) (h Header, problems []string) {
	if len(b) < HeaderSize {
		return h, []string{fmt.Sprintf("the file has %d bytes, a header has %d", len(b), HeaderSize)}
	}
	want := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	be := binary.BigEndian
	field := func(name string, at int, expected uint32) {
		got := be.Uint32(b[at:])
		want(got == expected, "%s: expected %#x, found %#x", name, expected, got)
	}
	want(string(b[:16]) == "SQLite format 3\x00", "magic: found %q", b[:16])
	want(be.Uint16(b[16:]) == PageSize, "page size: expected %d, found %d", PageSize, be.Uint16(b[16:]))
	want(b[18] == 2 && b[19] == 2, "journal mode: expected WAL (2, 2), found (%d, %d)", b[18], b[19])
	want(b[20] == PageReserved, "reserved bytes of a page: expected %d, found %d", PageReserved, b[20])
	want(b[21] == 64 && b[22] == 32 && b[23] == 32, "payload fractions: expected 64, 32, 32, found %d, %d, %d", b[21], b[22], b[23])
	want(be.Uint32(b[24:]) == be.Uint32(b[92:]), "change counter %d differs from the one that the page count is valid for, %d", be.Uint32(b[24:]), be.Uint32(b[92:]))
	field("schema format", 44, 4)
	field("vacuum root page", 52, 0)
	field("text encoding", 56, 1)
	field("incremental vacuum", 64, 0)
	field("application_id", 68, 0x45415257)
	for i := 72; i < 92; i++ {
		want(b[i] == 0, "byte %d, reserved: expected 0, found %d", i, b[i])
	}
	h = Header{Pages: be.Uint32(b[28:]), Free: be.Uint32(b[36:]), UserVersion: be.Uint32(b[60:])}
	want(h.UserVersion == 1, "user_version: expected 1, found %d", h.UserVersion)
	want((be.Uint32(b[32:]) == 0) == (h.Free == 0), "freelist: first page %d, but %d pages", be.Uint32(b[32:]), h.Free)
	return h, problems
}

// The write-ahead log; https://www.sqlite.org/fileformat2.html, 4.
const (
	WALHeaderSize  = 32
	frameHeadSize  = 24
	WALFrameSize   = frameHeadSize + PageSize
	walMagicLittle = 0x377f0682 // checksums over little-endian words
	walMagicBig    = 0x377f0683
	walVersion     = 3007000

	PlaceHeader = "header" // WAL.Place
)

// WAL is what a write-ahead log holds.
type WAL struct {
	Frames    int64            // that are whole and belong to this generation, committed or not
	Committed int64            // of them
	Pages     uint32           // of the database after the last commit
	At        map[uint32]int64 // page number -> offset of its newest committed content
	Problem   string           // damage, with its proof; "" where there is none
	Place     string           // of the problem: "header" or "frame 3"
	Tail      string           // an interrupted last transaction, in words; "" where there is none
}

// ParseWAL reads a write-ahead log of size bytes. A frame that does not hold ends it, as it does for
// SQLite; ParseWAL also says whether that is the end that a crash leaves, or damage in what was committed:
// SQLite starts a transaction only after the one before is on the disk, so nothing that is followed by a
// frame of a later transaction can be unfinished.
func ParseWAL(r io.ReaderAt, size int64) (WAL, error) {
	w := WAL{At: map[uint32]int64{}}
	if size == 0 {
		return w, nil
	}
	if size < WALHeaderSize {
		w.Tail = fmt.Sprintf("the file has %d bytes, a header has %d: its first write was interrupted", size, WALHeaderSize)
		return w, nil
	}
	var head [WALHeaderSize]byte
	if err := readFull(r, head[:], 0); err != nil {
		return w, err
	}
	if head == [WALHeaderSize]byte{} {
		w.Tail = "the header is all zero: its first write was interrupted"
		return w, nil
	}
	be := binary.BigEndian
	magic := be.Uint32(head[:])
	var order binary.ByteOrder = binary.LittleEndian
	if magic == walMagicBig {
		order = binary.BigEndian
	}
	s1, s2 := walSum(order, 0, 0, head[:24])
	switch {
	case magic != walMagicLittle && magic != walMagicBig:
		w.Problem = fmt.Sprintf("magic: expected %#x or %#x, found %#x", walMagicLittle, walMagicBig, magic)
	case be.Uint32(head[4:]) != walVersion:
		w.Problem = fmt.Sprintf("version: expected %d, found %d", walVersion, be.Uint32(head[4:]))
	case be.Uint32(head[8:]) != PageSize:
		w.Problem = fmt.Sprintf("page size: expected %d, found %d", PageSize, be.Uint32(head[8:]))
	case be.Uint32(head[24:]) != s1 || be.Uint32(head[28:]) != s2:
		w.Problem = fmt.Sprintf("checksum: expected %08x%08x, found %x", s1, s2, head[24:32])
	}
	if w.Problem != "" {
		w.Place = PlaceHeader
		return w, nil
	}
	salts := [8]byte(head[16:24])
	pending := map[uint32]int64{}
	total := (size - WALHeaderSize) / WALFrameSize
	frame := make([]byte, WALFrameSize)
	for n := range total {
		at := WALHeaderSize + n*WALFrameSize
		if err := readFull(r, frame, at); err != nil {
			return w, err
		}
		t1, t2 := walSum(order, s1, s2, frame[:8])
		t1, t2 = walSum(order, t1, t2, frame[frameHeadSize:])
		page := be.Uint32(frame)
		salted, summed := [8]byte(frame[8:16]) == salts, be.Uint32(frame[16:]) == t1 && be.Uint32(frame[20:]) == t2
		if !salted || !summed || page == 0 {
			return w, w.judgeEnd(r, n, total, salts, salted || summed, fmt.Sprintf("checksum: expected %08x%08x, found %x; salts: expected %x, found %x", t1, t2, frame[16:24], salts, frame[8:16]))
		}
		s1, s2 = t1, t2
		pending[page] = at + frameHeadSize
		w.Frames = n + 1
		if pages := be.Uint32(frame[4:]); pages != 0 {
			for p, off := range pending {
				w.At[p] = off
			}
			clear(pending)
			w.Committed, w.Pages = w.Frames, pages
		}
	}
	if rest := (size - WALHeaderSize) % WALFrameSize; rest != 0 {
		w.Tail = fmt.Sprintf("the file ends within frame %d, after %d bytes of it", total, rest)
	}
	w.uncommitted()
	return w, nil
}

// judgeEnd looks behind frame n, which does not hold, for frames of the same generation. Ours says whether
// frame n itself is of it; where it is not, it may be what an earlier generation left there.
func (w *WAL) judgeEnd(r io.ReaderAt, n, total int64, salts [8]byte, ours bool, proof string) error {
	var head [frameHeadSize]byte
	committed, same := false, false
	for i := n; i < total; i++ {
		if err := readFull(r, head[:], WALHeaderSize+i*WALFrameSize); err != nil {
			return err
		}
		if i > n {
			ours = [8]byte(head[8:16]) == salts
		}
		if i > n && ours && committed {
			w.Place = fmt.Sprintf("frame %d", n)
			w.Problem = fmt.Sprintf("%s; frame %d belongs to a later transaction, so this one was complete", proof, i)
			return nil
		}
		same = same || ours
		committed = committed || ours && binary.BigEndian.Uint32(head[4:]) != 0
	}
	if same {
		w.Tail = fmt.Sprintf("frame %d does not hold (%s): the last transaction was interrupted before it was acknowledged, or is damaged", n, proof)
	}
	w.uncommitted()
	return nil
}

func (w *WAL) uncommitted() {
	if w.Tail == "" && w.Frames > w.Committed {
		w.Tail = fmt.Sprintf("%d frames were never committed", w.Frames-w.Committed)
	}
}

func walSum(order binary.ByteOrder, s1, s2 uint32, b []byte) (uint32, uint32) {
	for ; len(b) >= 8; b = b[8:] {
		s1 += order.Uint32(b) + s2
		s2 += order.Uint32(b[4:]) + s1
	}
	return s1, s2
}

// Pages is case.db as its last committed transaction left it: the file with the write-ahead log's pages
// laid over it. SQLite reads it through an immutable file system of its own, so that nothing is written.
type Pages struct {
	Main  io.ReaderAt
	WAL   WAL
	Log   io.ReaderAt // the write-ahead log; may be nil where WAL is empty
	Count int64       // pages of the database
}

// Size is that of the database in bytes.
func (p *Pages) Size() (int64, error) { return p.Count * PageSize, nil }

// ReadAt reads across both files. What neither holds is an error.
func (p *Pages) ReadAt(b []byte, off int64) (int, error) {
	done := 0
	for done < len(b) {
		n, within := off/PageSize, off%PageSize
		if n >= p.Count {
			return done, io.EOF
		}
		part := b[done:min(len(b), done+int(PageSize-within))]
		if err := p.readPart(part, n, within); err != nil {
			return done, err
		}
		done += len(part)
		off += int64(len(part))
	}
	return done, nil
}

func (p *Pages) readPart(part []byte, n, within int64) error {
	at, ok := p.WAL.At[uint32(n+1)]
	if !ok {
		return readFull(p.Main, part, n*PageSize+within)
	}
	var page [PageSize]byte
	if err := readFull(p.Log, page[:], at); err != nil {
		return err
	}
	// A page in the log carries no page checksum yet: the frame's covers it. SQLite expects one.
	sum := PageChecksum(page[:])
	copy(page[PageSize-PageReserved:], sum[:])
	copy(part, page[within:])
	return nil
}

func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
