package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/gallery"
	"github.com/earwitness/earwitness/internal/people"
	"github.com/earwitness/earwitness/internal/picture"
	"github.com/earwitness/earwitness/internal/sound"
	"github.com/earwitness/earwitness/internal/transcript"
)

// longestClip is how much sound one clip may hold: an hour.
const longestClip = 3600 * evidence.Rate

// openSound opens the working sound of a recording.
func (s *Server) openSound(id string) (*sound.Sound, transcript.Sound, error) {
	r, err := s.desk.sound(id)
	if err != nil {
		return nil, r, err
	}
	if r.Decoded == nil {
		return nil, r, evidence.NotFound("%s has not been decoded yet", id).WithHint("start the work on the Jobs screen")
	}
	snd, err := sound.Open(s.o.Case, r.Digest, *r.Decoded)
	return snd, r, err
}

// getSound gives the working sound of a recording as one WAV file, any part of it by ranges, each exact.
func (s *Server) getSound(w http.ResponseWriter, r *http.Request, _ *people.Session) (err error) {
	snd, rec, err := s.openSound(r.PathValue("id"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snd.Close()) }()
	f, err := sound.NewFile(snd)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	w.Header().Set("ETag", `"`+gallery.Key(rec.Digest, *rec.Decoded)+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// getClip gives exactly the samples asked for.
func (s *Server) getClip(w http.ResponseWriter, r *http.Request, _ *people.Session) (err error) {
	q := r.URL.Query()
	sp, err := parseSpan(q.Get("from") + "-" + q.Get("to"))
	if err != nil {
		return err
	}
	if sp.Len() > longestClip {
		return evidence.Invalid("a clip lasts at most an hour")
	}
	snd, rec, err := s.openSound(r.PathValue("id"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snd.Close()) }()
	if err := sp.Validate(snd.Len()); err != nil {
		return err
	}
	f, err := sound.NewFile(sound.Part(snd, sp))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	w.Header().Set("ETag", fmt.Sprintf(`"%s-%d-%d"`, gallery.Key(rec.Digest, *rec.Decoded), sp.From, sp.To))
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}

// getTile gives a tile of a picture of sound; no content where it is not drawn yet.
func (s *Server) getTile(w http.ResponseWriter, r *http.Request, _ *people.Session) error {
	level, err1 := strconv.Atoi(r.PathValue("level"))
	tile, err2 := strconv.Atoi(r.PathValue("tile"))
	if err1 != nil || err2 != nil {
		return evidence.Invalid("level and tile are numbers")
	}
	rec, err := s.desk.sound(r.PathValue("id"))
	if err != nil {
		return err
	}
	if rec.Decoded == nil {
		return evidence.NotFound("%s has not been decoded yet", rec.ID)
	}
	kind := picture.Peaks
	if strings.Contains(r.URL.Path, "/spectrogram/") {
		kind = picture.Spectrogram
	}
	b, err := s.pictures.Tile(r.Context(), rec.Digest, *rec.Decoded, kind, level, tile)
	if _, ok := errors.AsType[*picture.NotDrawn](err); ok {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if _, err := w.Write(b); err != nil {
		return nil // the browser has gone
	}
	return nil
}
