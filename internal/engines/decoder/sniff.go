package decoder

import (
	"bytes"
	"encoding/binary"
	"io"
)

// pointsElsewhere names the kind of list that head begins, if what follows names other files or addresses. No decoder
// here would open them; this is for a plain refusal.
func pointsElsewhere(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	for _, k := range []struct{ begin, kind string }{
		{"#extm3u", "an M3U playlist"},
		{"ffconcat version", "an FFmpeg concat list"},
		{"[playlist]", "a PLS playlist"},
		{"[reference]", "an ASX playlist"},
		{"<asx", "an ASX playlist"},
		{"<smil", "a SMIL playlist"},
		{"<?wpl", "a WPL playlist"},
		{"rtsptext", "a stream reference"},
		{"rtmptext", "a stream reference"},
		{"v=0\r\no=", "a session description (SDP)"},
		{"v=0\no=", "a session description (SDP)"},
		{"http://", "a list of addresses"},
		{"https://", "a list of addresses"},
		{"rtsp://", "a list of addresses"},
		{"file:", "a list of addresses"},
	} {
		if bytes.HasPrefix(text, []byte(k.begin)) {
			return k.kind
		}
	}
	if bytes.HasPrefix(text, []byte("<?xml")) || bytes.HasPrefix(text, []byte("<mpd")) {
		for _, k := range []struct{ tag, kind string }{{"<mpd", "a DASH playlist"}, {"<playlist", "an XSPF playlist"}, {"<smil", "a SMIL playlist"}} {
			if bytes.Contains(text, []byte(k.tag)) {
				return k.kind
			}
		}
	}
	return ""
}

// lookslike names what people hand in by mistake, for the message that refuses it.
func lookslike(head []byte) string {
	for _, k := range []struct{ begin, kind string }{
		{"%PDF", "a PDF document"},
		{"PK\x03\x04", "a ZIP archive or an Office document"},
		{"Rar!", "a RAR archive"},
		{"7z\xbc\xaf", "a 7-Zip archive"},
		{"\x1f\x8b", "a gzip archive"},
		{"\x89PNG", "a PNG picture"},
		{"\xff\xd8\xff", "a JPEG picture"},
		{"GIF8", "a GIF picture"},
		{"{", "a text file (JSON)"},
		{"<", "a web page or XML"},
		{"SQLite format 3", "a SQLite database"},
		{"\x7fELF", "a program"},
		{"MZ", "a program"},
	} {
		if bytes.HasPrefix(head, []byte(k.begin)) {
			return k.kind
		}
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return ""
		}
	}
	return "a text file"
}

// oggEnds reports whether the last page of an Ogg file is whole and marked as its last (RFC 3533, section 6). FFmpeg does
// not say, and an Ogg file names its length nowhere else.
func oggEnds(f io.ReaderAt, size int64) (bool, error) {
	const longest = 27 + 255 + 255*255 // of a page
	tail := make([]byte, min(size, longest))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return false, err
	}
	i := bytes.LastIndex(tail, []byte("OggS"))
	if i < 0 || len(tail) < i+27 {
		return false, nil
	}
	page := tail[i:]
	segments := int(page[26])
	if len(page) < 27+segments {
		return false, nil
	}
	length := 27 + segments
	for _, n := range page[27 : 27+segments] {
		length += int(n)
	}
	return page[5]&4 != 0 && len(page) >= length, nil
}

// riffPromises returns the size that a RIFF or RF64 file says it has; 0 where it leaves that open, as live writers do.
func riffPromises(head []byte) int64 {
	switch {
	case len(head) >= 36 && string(head[:4]) == "RF64" && string(head[12:16]) == "ds64":
		return int64(min(binary.LittleEndian.Uint64(head[20:])+8, 1<<62))
	case len(head) >= 8 && string(head[:4]) == "RIFF":
		if n := binary.LittleEndian.Uint32(head[4:]); n != 0xffffffff {
			return int64(n) + 8
		}
	}
	return 0
}

// oggChained reports whether an Ogg file is several, one after the other (RFC 3533, section 4): a first page of a stream
// comes after pages of data. It reads page headers only, and stops where there is none.
func oggChained(f io.ReaderAt, size int64) bool {
	var header [27 + 255]byte
	data := false
	for at := int64(0); at < size; {
		n, err := f.ReadAt(header[:], at)
		if n < 27 || err != nil && err != io.EOF || string(header[:4]) != "OggS" {
			return false
		}
		first := header[5]&2 != 0
		if first && data {
			return true
		}
		data = data || !first
		segments := int(header[26])
		at += int64(27 + segments)
		for _, length := range header[27 : 27+segments] {
			at += int64(length)
		}
	}
	return false
}
