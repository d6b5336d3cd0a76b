package audit

import (
	"io/fs"
	"path"
	"strings"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// readLog reads the published checkpoint and the names of the tiles, before case.db is read.
func (a *audit) readLog() {
	b, err := a.readFile("log/checkpoint", raw.MaxNote+1)
	switch {
	case err == nil:
		a.published = b
		if b == nil {
			a.published = []byte{}
		}
	case !absent(err):
		a.find(CheckpointForm, "log/checkpoint", "read: %v", err)
		a.published = []byte{}
	}
	a.walk("log/tile", func(name string, d fs.DirEntry) { a.tiles = append(a.tiles, name) })
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
	a.checkPublished()
	have := map[raw.TilePath]bool{}
	for _, name := range a.tiles {
		p, err := raw.ParseTilePath(strings.TrimPrefix(name, "log/tile/"))
		if err != nil {
			a.notice(NoticeFileUnexpected, name, "%v", err)
			continue
		}
		have[p] = true
		limit := int64(raw.TileWidth * raw.RecordSize)
		b, err := a.readFile(name, limit+1)
		if err != nil {
			a.find(TileRead, name, "%v", err)
			continue
		}
		if code, detail := a.tree.checkTile(p, b); code != "" {
			a.find(code, name, "%s", detail)
		}
	}
	c, err := raw.ParseCheckpoint(a.published)
	if err != nil || c.Size > a.tree.size {
		return
	}
	for _, p := range raw.TilesFor(c.Size) {
		if !fuller(have, p) {
			a.find(TileMissing, "log/tile/"+p.String(), "the published checkpoint of size %d needs it, the file is absent", c.Size)
		}
	}
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
		if c.Size > a.tree.size {
			a.find(CaseOld, where, "signed for %d entries, case.db holds %d: it is older than what was signed, or was shortened", c.Size, a.tree.size)
			continue
		}
		root, err := a.tree.root(c.Size)
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
		root, _ := a.tree.root(wrong.Size)
		a.find(CheckpointRoot, checkpointPlace(wrong.Origin, wrong.Size), "signed root %s, the entries give %s; %d checkpoints disagree, the newest that agrees is of size %d: an entry from %d on was changed, added or removed after it was signed",
			wrong.Root, root, later, good, min(good, wrong.Size-1))
	}
	switch newest := a.tree.newest; {
	case len(a.tree.rows) == 0 && a.tree.size > 1:
		a.find(CheckpointMissing, "case.db, checkpoints", "%d entries, and nothing was ever signed", a.tree.size)
	case newest == nil && a.tree.size > 0 && len(a.tree.rows) == 0:
		a.notice(NoticeEntriesUnsigned, "case.db", "entry 0 is not yet under a signed checkpoint")
	case newest != nil && newest.Size < a.tree.size && wrong == nil:
		a.notice(NoticeEntriesUnsigned, "case.db", "entries %d to %d are not yet under a signed checkpoint: nothing proves that they were not changed", newest.Size, a.tree.size-1)
	}
}

func checkpointPlace(origin string, size int64) string {
	return "case.db, checkpoint " + origin + " at size " + itoa(size)
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

func (a *audit) checkPublished() {
	const where = "log/checkpoint"
	current := 0
	for _, row := range a.tree.rows {
		if row.origin == a.semantics.origin() {
			current++
		}
	}
	if a.published == nil {
		if current > 1 {
			a.find(CheckpointMissing, where, "%d checkpoints were signed, the newest published one is absent", current)
		} else if current == 1 {
			a.notice(NoticeCheckpointBehind, where, "the first checkpoint was signed and not published: the next writer publishes it")
		}
		return
	}
	c, ok := a.judge(a.published, where)
	if !ok {
		return
	}
	if c.Size > a.tree.size {
		a.find(CaseOld, where, "published for %d entries, case.db holds %d: case.db is older than what was signed", c.Size, a.tree.size)
		return
	}
	if root, err := a.tree.root(c.Size); err != nil || root != c.Hash {
		a.find(CheckpointRoot, where, "signed root %s at size %d, the entries give %s", c.Root, c.Size, root)
	}
	recorded := false
	for _, row := range a.tree.rows {
		if row.origin == c.Origin && row.size == c.Size {
			recorded = true
			if string(row.note) != string(a.published) {
				a.find(CheckpointDiffers, where, "case.db holds another checkpoint of size %d: %q, published %q", c.Size, row.note, a.published)
			}
		}
	}
	if !recorded {
		a.find(CheckpointUnrecorded, where, "signed for %d entries, but case.db does not hold it: case.db is older than what was signed, or was shortened", c.Size)
	}
	if n := a.tree.newest; n != nil && n.Size > c.Size {
		a.notice(NoticeCheckpointBehind, where, "it is of size %d, the newest signed is of size %d: the next writer publishes it", c.Size, n.Size)
	}
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
	switch {
	case a.opts.Key == "":
		if len(a.opts.Seen) == 0 {
			a.notice(NoticeKeyUntrusted, "case.db, entry 0", "the key is the one that the case states: compare it with the one you were given")
		}
	case !a.semantics.hasKey(a.opts.Key):
		a.find(CaseKey, "case.db, entry 0", "expected the key %s, the case states %s", a.opts.Key, stated)
	}
	for _, s := range a.opts.Seen {
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
	where += " at size " + itoa(c.Size)
	e, ok := a.semantics.epoch(c.Origin)
	if !ok {
		a.find(SeenOrigin, where, "it is of the log %s, the case's log is %s", c.Origin, a.semantics.origin())
		return
	}
	if c, err = raw.VerifyCheckpoint(b, e.key); err != nil {
		a.find(CheckpointSignature, where, "%v", err)
		return
	}
	root, err := a.tree.root(c.Size)
	holds := err == nil && root == c.Hash
	switch {
	case holds:
	case e.end >= 0 && c.Size > e.end:
		a.notice(NoticeSeenEarlier, where, "the log %s had gone on to %d entries; the case went on under a new log after %d of them, as entry %d says", c.Origin, c.Size, e.end, e.end)
	case c.Size > a.tree.size:
		a.find(CaseOld, where, "signed for %d entries, case.db holds %d: it is an old copy, or was shortened", c.Size, a.tree.size)
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
