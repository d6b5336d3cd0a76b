package audit

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// logFolder is what lies in log, or in what an ended epoch has left of its own.
type logFolder struct {
	name       string
	checkpoint []byte   // nil where it is absent
	tiles      []string // paths in the case
}

// readLog reads the published checkpoints and the names of the tiles, before case.db is read.
func (a *audit) readLog() {
	a.log = a.readLogFolder("log")
	a.oldLogs = map[string]logFolder{}
	for _, d := range a.readDir(".") {
		if m := oldLogForm.FindStringSubmatch(d.Name()); m != nil {
			a.oldLogs[m[1]] = a.readLogFolder(d.Name())
		}
	}
}

// oldLogForm is the folder in which the published log of an ended epoch is kept: the digits are its origin's.
var oldLogForm = regexp.MustCompile(`^log-([0-9a-f]{32})$`)

func (a *audit) readLogFolder(name string) logFolder {
	l := logFolder{name: name}
	b, err := a.readFile(name+"/checkpoint", raw.MaxNote+1)
	switch {
	case err == nil:
		l.checkpoint = append([]byte{}, b...)
	case !absent(err):
		a.find(CheckpointForm, name+"/checkpoint", "read: %v", err)
		l.checkpoint = []byte{}
	}
	a.walk(name+"/tile", func(file string, d fs.DirEntry) { l.tiles = append(l.tiles, file) })
	return l
}

// walk calls each for everything under dir that is not a folder. Folders that cannot be read are findings.
func (a *audit) walk(dir string, each func(name string, d fs.DirEntry)) {
	f, err := a.root.Open(dir)
	if err != nil {
		if !absent(err) {
			a.find(TileRead, dir, "%v", err)
		}
		return
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	if err != nil {
		a.find(TileRead, dir, "%v", err)
	}
	for _, d := range list {
		if name := path.Join(dir, d.Name()); d.IsDir() {
			a.walk(name, each)
		} else {
			each(name, d)
		}
	}
}

// checkLog compares what was signed and published with the entries.
func (a *audit) checkLog() {
	a.checkRows()
	if a.checkPublished() {
		a.checkTiles(a.log, &a.tree)
	}
}

// checkTiles compares every tile of a log with the tree that it belongs to, and demands those that the
// published checkpoint needs.
func (a *audit) checkTiles(l logFolder, t *tree) {
	have := map[raw.TilePath]bool{}
	for _, name := range l.tiles {
		p, err := raw.ParseTilePath(strings.TrimPrefix(name, l.name+"/tile/"))
		if err != nil {
			a.notice(NoticeFileUnexpected, name, "%v", err)
			continue
		}
		have[p] = true
		b, err := a.readFile(name, raw.TileWidth*raw.RecordSize+1)
		if err != nil {
			full := raw.TilePath{Level: p.Level, N: p.N, Width: raw.TileWidth}
			if !absent(err) || !a.exists(l.name+"/tile/"+full.String()) { // else a writer has filled the tile meanwhile
				a.find(TileRead, name, "%v", err)
			}
			continue
		}
		if code, detail := t.checkTile(p, b); code != "" {
			a.find(code, name, "%s", detail)
		}
	}
	c, err := raw.ParseCheckpoint(l.checkpoint)
	if err != nil || c.Size > t.Size {
		return
	}
	for _, p := range raw.TilesFor(c.Size) {
		if !fuller(have, p) {
			a.find(TileMissing, l.name+"/tile/"+p.String(), "the published checkpoint of size %d needs it, the file is absent", c.Size)
		}
	}
}

// checkOldLogs checks what ended epochs have left: each log against its own records, and its checkpoint
// against the key of its epoch. It may have gone on where the case did not.
func (a *audit) checkOldLogs() {
	for _, digits := range slices.Sorted(maps.Keys(a.oldLogs)) {
		l := a.oldLogs[digits]
		e, ok := a.semantics.epoch("earwitness/" + digits)
		if !ok || e.end < 0 {
			a.find(CheckpointForm, l.name, "the case has left no log of the origin earwitness/%s", digits)
			continue
		}
		a.checkOldLog(l, e)
	}
}

func (a *audit) checkOldLog(l logFolder, e epoch) {
	where := l.name + "/checkpoint"
	if l.checkpoint == nil {
		a.find(CheckpointMissing, where, "the log of an ended epoch has no checkpoint")
		return
	}
	c, err := raw.ParseCheckpoint(l.checkpoint)
	if err != nil {
		a.find(CheckpointForm, where, "%v", err)
		return
	}
	if c, err = raw.VerifyCheckpoint(l.checkpoint, e.key); err != nil || c.Origin != e.origin {
		a.find(CheckpointSignature, where, "origin %s: %v", c.Origin, err)
		return
	}
	var t tree
	for t.Size < c.Size {
		// A record that another stands for is in a fuller tile, or in the one that the checkpoint needs.
		p := raw.TilePath{Level: raw.EntriesLevel, N: t.Size / raw.TileWidth, Width: int(min(raw.TileWidth, c.Size-t.Size))}
		var b []byte
		for err = fs.ErrNotExist; absent(err) && p.Width <= raw.TileWidth; p.Width++ {
			b, err = a.readFile(l.name+"/tile/"+p.String(), raw.TileWidth*raw.RecordSize)
		}
		if p.Width--; err != nil || len(b) != p.Width*raw.RecordSize {
			a.find(TileMissing, l.name+"/tile/"+p.String(), "the checkpoint of size %d needs it: %d bytes, %v", c.Size, len(b), err)
			return
		}
		for ; len(b) > 0; b = b[raw.RecordSize:] {
			if err := t.Append([sha256.Size]byte(b[raw.RecordSize-sha256.Size : raw.RecordSize])); err != nil {
				a.find(AuditPanic, where, "tree: %v", err)
				return
			}
		}
	}
	// Up to where the case went on, the old log holds the same entries, unless this copy had gone another way.
	differs := int64(0)
	for common := min(e.end, t.Size, a.tree.Size); differs < common && t.Commitments[differs] == a.tree.Commitments[differs]; differs++ {
	}
	if root, err := t.Root(c.Size); err != nil || root != c.Hash {
		n := min(differs, t.Size-1) / raw.TileWidth
		p := raw.TilePath{Level: raw.EntriesLevel, N: n, Width: int(min(raw.TileWidth, t.Size-n*raw.TileWidth))}
		a.find(TileEntry, l.name+"/tile/"+p.String(), "the records give the root %s, signed is %s; up to number %d they are this case's entries", root, c.Root, differs)
		return
	}
	if differs < min(e.end, a.tree.Size, t.Size) {
		a.notice(NoticeEpochDiffers, l.name, "the old log's record %d is not the commitment of this case's entry %d: this copy had gone another way", differs, differs)
	}
	a.checkTiles(l, &t)
}

// fuller reports whether a tile is there, or one that holds it.
func fuller(have map[raw.TilePath]bool, p raw.TilePath) bool {
	for ; p.Width <= raw.TileWidth; p.Width++ {
		if have[p] {
			return true
		}
	}
	return false
}

// checkRows checks every checkpoint in case.db: form, key, place in its epoch, and root. Of roots that
// differ only the first is named, with the newest size at which all was well.
func (a *audit) checkRows() {
	type at struct {
		origin string
		size   int64
	}
	seen := map[at]bool{}
	var good int64
	var wrong *raw.Checkpoint
	later := 0
	for _, row := range a.tree.rows {
		where := checkpointPlace(row.origin, row.size)
		if seen[at{row.origin, row.size}] {
			a.find(CheckpointDiffers, where, "case.db holds more than one")
		}
		seen[at{row.origin, row.size}] = true
		c, ok := a.judge(row.note, where)
		if !ok {
			continue
		}
		if c.Origin != row.origin || c.Size != row.size {
			a.find(CheckpointForm, where, "the row says %s, size %d; the note %s, size %d", row.origin, row.size, c.Origin, c.Size)
			continue
		}
		if c.Size > a.tree.Size {
			a.find(CaseOld, where, "signed for %d entries, case.db holds %d: it is older than what was signed, or was shortened", c.Size, a.tree.Size)
			continue
		}
		root, err := a.tree.Root(c.Size)
		if err != nil || root != c.Hash {
			if later++; wrong == nil || c.Size < wrong.Size {
				wrong = &c
			}
			continue
		}
		good = max(good, c.Size)
		if a.tree.newest == nil || c.Size >= a.tree.newest.Size {
			a.tree.newest = &c
		}
	}
	a.report.Checkpoint = a.tree.newest
	if wrong != nil {
		root, _ := a.tree.Root(wrong.Size)
		a.find(CheckpointRoot, checkpointPlace(wrong.Origin, wrong.Size), "signed root %s, the entries give %s; %d checkpoints disagree, the newest that agrees is of size %d: an entry from %d on was changed, added or removed after it was signed",
			wrong.Root, root, later, good, min(good, wrong.Size-1))
	}
	switch newest := a.tree.newest; {
	case len(a.tree.rows) == 0 && a.tree.Size > 1:
		a.find(CheckpointMissing, "case.db, checkpoints", "%d entries, and nothing was ever signed", a.tree.Size)
	case newest == nil && a.tree.Size > 0 && len(a.tree.rows) == 0:
		a.notice(NoticeEntriesUnsigned, "case.db", "entry 0 is not yet under a signed checkpoint")
	case newest != nil && newest.Size < a.tree.Size && wrong == nil:
		a.notice(NoticeEntriesUnsigned, "case.db", "entries %d to %d are not yet under a signed checkpoint: nothing proves that they were not changed", newest.Size, a.tree.Size-1)
	}
}

func checkpointPlace(origin string, size int64) string {
	return "case.db, checkpoint " + origin + " at size " + fmt.Sprint(size)
}

// judge checks form, signature and epoch of a checkpoint.
func (a *audit) judge(b []byte, where string) (raw.Checkpoint, bool) {
	c, err := raw.ParseCheckpoint(b)
	if err != nil {
		a.find(CheckpointForm, where, "%v", err)
		return c, false
	}
	e, ok := a.semantics.epoch(c.Origin)
	if !ok {
		a.find(CheckpointSignature, where, "the case has had no log of origin %s", c.Origin)
		return c, false
	}
	if c, err = raw.VerifyCheckpoint(b, e.key); err != nil {
		a.find(CheckpointSignature, where, "%v", err)
		return c, false
	}
	// The epoch's own first entry belongs to it; the next epoch's belongs to the next alone.
	if c.Size <= e.first || e.end >= 0 && c.Size > e.end {
		a.find(CheckpointForm, where, "origin %s was in use for sizes %d to %d", c.Origin, e.first+1, e.end)
		return c, false
	}
	return c, true
}

// checkPublished checks log/checkpoint, and reports whether the tiles beside it are those of the log that is
// being written.
func (a *audit) checkPublished() bool {
	const where = "log/checkpoint"
	current := 0
	for _, row := range a.tree.rows {
		if row.origin == a.semantics.origin() {
			current++
		}
	}
	if a.log.checkpoint == nil {
		if current > 1 {
			a.find(CheckpointMissing, where, "%d checkpoints were signed, the newest published one is absent", current)
		} else if current == 1 {
			a.notice(NoticeCheckpointBehind, where, "the first checkpoint was signed and not published: the next writer publishes it")
		}
		return true
	}
	if c, err := raw.ParseCheckpoint(a.log.checkpoint); err == nil {
		if e, ok := a.semantics.epoch(c.Origin); ok && e.end >= 0 {
			a.notice(NoticeCheckpointBehind, where, "it is of the log %s that ended with entry %d: the next writer moves it aside", e.origin, e.end)
			a.checkOldLog(a.log, e)
			return false
		}
	}
	c, ok := a.judge(a.log.checkpoint, where)
	if !ok {
		return true
	}
	if c.Size > a.tree.Size {
		a.find(CaseOld, where, "published for %d entries, case.db holds %d: case.db is older than what was signed", c.Size, a.tree.Size)
		return true
	}
	if root, err := a.tree.Root(c.Size); err != nil || root != c.Hash {
		a.find(CheckpointRoot, where, "signed root %s at size %d, the entries give %s", c.Root, c.Size, root)
	}
	recorded := false
	for _, row := range a.tree.rows {
		if row.origin == c.Origin && row.size == c.Size {
			recorded = true
			if string(row.note) != string(a.log.checkpoint) {
				a.find(CheckpointDiffers, where, "case.db holds another checkpoint of size %d: %q, published %q", c.Size, row.note, a.log.checkpoint)
			}
		}
	}
	if !recorded {
		a.find(CheckpointUnrecorded, where, "signed for %d entries, but case.db does not hold it: case.db is older than what was signed, or was shortened", c.Size)
	}
	if n := a.tree.newest; n != nil && n.Size > c.Size {
		a.notice(NoticeCheckpointBehind, where, "it is of size %d, the newest signed is of size %d: the next writer publishes it", c.Size, n.Size)
	}
	return true
}

// checkKey compares the private key with the log's. A copy without the key is sound; it cannot sign.
func (a *audit) checkKey() {
	b, err := a.readFile("key", 4096)
	if absent(err) {
		a.notice(NoticeKeyAbsent, "key", "this copy has no private key: it can be read, not added to")
		return
	}
	if err != nil {
		a.find(KeyForm, "key", "%v", err)
		return
	}
	// What the file holds is secret: no finding quotes it.
	line := strings.TrimSuffix(string(b), "\n")
	spelled, verifier, err := raw.SignerKey(line)
	if err != nil || spelled != line {
		a.find(KeyForm, "key", "expected one line with a C2SP signer key; the %d bytes found are not one in its one spelling", len(b))
		return
	}
	if want := a.semantics.key(); verifier != want && want != "" {
		if fresh, err := a.readFile("key.new", 4096); err == nil {
			if _, v, err := raw.SignerKey(strings.TrimSuffix(string(fresh), "\n")); err == nil && v == want {
				a.notice(NoticeFileLeft, "key.new", "a new epoch was begun and interrupted: the next writer puts its key in place")
				return
			}
		}
		a.find(KeyDiffers, "key", "expected the private key of %s, found that of %s", want, verifier)
	}
	if fi, err := a.root.Lstat("key"); err == nil && fi.Mode().Perm()&0o077 != 0 {
		a.notice(NoticeKeyMode, "key", "mode %o: others on this machine may read the private key; expected 600", fi.Mode().Perm())
	}
}

// checkSeen compares the case with what is known of it from elsewhere.
func (a *audit) checkSeen() {
	stated := ""
	if len(a.semantics.epochs) > 0 {
		stated = a.semantics.epochs[0].key
	}
	seen := a.opts.Seen
	if a.opts.Remembered != nil {
		if s := a.opts.Remembered(a.semantics.origin()); s != "" {
			seen = append(slices.Clone(seen), s)
		}
	}
	switch {
	case a.opts.Key == "":
		if len(seen) == 0 {
			a.notice(NoticeKeyUntrusted, "case.db, entry 0", "the key is the one that the case states: compare it with the one you were given")
		}
	case !a.semantics.hasKey(a.opts.Key):
		a.find(CaseKey, "case.db, entry 0", "expected the key %s, the case states %s", a.opts.Key, stated)
	}
	for _, s := range seen {
		a.checkOneSeen([]byte(s))
	}
}

func (a *audit) checkOneSeen(b []byte) {
	c, err := raw.ParseCheckpoint(b)
	where := "checkpoint known from elsewhere"
	if err != nil {
		a.find(CheckpointForm, where, "%v", err)
		return
	}
	where += " at size " + fmt.Sprint(c.Size)
	e, ok := a.semantics.epoch(c.Origin)
	if !ok {
		a.find(SeenOrigin, where, "it is of the log %s, the case's log is %s", c.Origin, a.semantics.origin())
		return
	}
	if c, err = raw.VerifyCheckpoint(b, e.key); err != nil {
		a.find(CheckpointSignature, where, "%v", err)
		return
	}
	root, err := a.tree.Root(c.Size)
	holds := err == nil && root == c.Hash
	switch {
	case holds:
	case e.end >= 0 && c.Size > e.end:
		a.notice(NoticeSeenEarlier, where, "the log %s had gone on to %d entries; the case went on under a new log after %d of them, as entry %d says", c.Origin, c.Size, e.end, e.end)
	case c.Size > a.tree.Size:
		a.find(CaseOld, where, "signed for %d entries, case.db holds %d: it is an old copy, or was shortened", c.Size, a.tree.Size)
	default:
		a.find(CheckpointRoot, where, "signed root %s, the entries give %s: the case holds something else than what was signed", c.Root, root)
	}
}

// lastKnown checks the old log's checkpoint that an epoch.started entry carries.
func lastKnown(text string, old epoch) (raw.Checkpoint, error) {
	c, err := raw.VerifyCheckpoint([]byte(text), old.key)
	if err == nil && c.Origin != old.origin {
		return c, evidence.Invalid("the last checkpoint is of %s, not of %s", c.Origin, old.origin)
	}
	return c, err
}
