package decoder

import "bytes"

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
