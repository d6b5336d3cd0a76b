package audit_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/audit"
	"github.com/earwitness/earwitness/internal/audit/raw"
)

// edit changes case.db as an insider with SQL would: triggers out of the way, page checksums right again.
func edit(t testing.TB, dir string, change func(c *sqlite3.Conn)) {
	t.Helper()
	c := openDB(t, filepath.Join(dir, "case.db"))
	defer c.Close()
	names := query(t, c, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
	bodies := query(t, c, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
	for _, name := range names {
		must(t, c.Exec("DROP TRIGGER "+name))
	}
	change(c)
	for _, sql := range bodies {
		must(t, c.Exec(sql))
	}
}

func query(t testing.TB, c *sqlite3.Conn, sql string) []string {
	t.Helper()
	s, _, err := c.Prepare(sql)
	must(t, err)
	defer s.Close()
	var out []string
	for s.Step() {
		var row []string
		for i := range s.ColumnCount() {
			row = append(row, s.ColumnText(i))
		}
		out = append(out, strings.Join(row, "|"))
	}
	must(t, s.Err())
	return out
}

// rebuild makes table hash follow from the entries again, as an insider who knows the format would.
func rebuild(t testing.TB, c *sqlite3.Conn) {
	t.Helper()
	m := &maker{t: t}
	s, _, err := c.Prepare("SELECT salt, bytes FROM entry ORDER BY idx")
	must(t, err)
	for s.Step() {
		m.salts, m.entries = append(m.salts, s.ColumnBlob(0, nil)), append(m.entries, s.ColumnBlob(1, nil))
	}
	must(t, s.Close())
	must(t, c.Exec("DELETE FROM hash"))
	for i, h := range m.hashes() {
		exec(t, c, "INSERT INTO hash VALUES (?, ?)", i, h[:])
	}
}

func TestInsiderWithSQL(t *testing.T) {
	t.Parallel()
	other, otherKey, _ := logKey(t, "other")
	m := sample(t)
	changeText := "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'stated', 'proven') AS BLOB) WHERE idx = 1"
	for _, tc := range []struct {
		name    string
		sql     string
		rebuild bool
		code    string
		where   string
	}{
		{"a word of an entry", changeText, false, audit.EntryCommitment, "entry 1"},
		{"a word of an entry, hashes rebuilt", changeText, true, audit.CheckpointRoot, "at size 4"},
		{"and its checkpoints gone", changeText + "; DELETE FROM checkpoint WHERE size > 1", true, audit.CheckpointRoot, "log/checkpoint"},
		{"and all checkpoints gone", changeText + "; DELETE FROM checkpoint", true, audit.CheckpointMissing, "checkpoints"},
		{"a salt", "UPDATE entry SET salt = randomblob(32) WHERE idx = 2", true, audit.TileEntry, "entries/000"},
		{"first entry gone", "DELETE FROM entry WHERE idx = 0", false, audit.EntryGap, "entry 0"},
		{"middle entry gone", "DELETE FROM entry WHERE idx = 5", false, audit.EntryGap, "entry 5"},
		{"last entry gone", "DELETE FROM entry WHERE idx = 8; DELETE FROM hash WHERE idx >= (SELECT max(idx) FROM hash)", false, audit.CaseOld, "size 9"},
		{"all entries gone", "DELETE FROM entry", true, audit.EntryRule, "entry 0"},
		{"middle entry gone, the rest moved up", "DELETE FROM entry WHERE idx = 2; UPDATE entry SET idx = idx - 1 WHERE idx > 2", true, audit.CheckpointRoot, "at size 4"},
		{"entry put in between", "UPDATE entry SET idx = -idx - 2 WHERE idx >= 7", false, audit.EntryGap, "entry 0"},
		{"two entries swapped", "UPDATE entry SET idx = 100 WHERE idx = 7; UPDATE entry SET idx = 7 WHERE idx = 8; UPDATE entry SET idx = 8 WHERE idx = 100", true, audit.CheckpointRoot, "at size 9"},
		{"an old copy, the published checkpoint kept", "DELETE FROM entry WHERE idx >= 4; DELETE FROM checkpoint WHERE size > 4", true, audit.CaseOld, "log/checkpoint"},
		{"newest checkpoint gone", "DELETE FROM checkpoint WHERE size = 9", false, audit.CheckpointUnrecorded, "log/checkpoint"},
		{"checkpoint without a signature", "UPDATE checkpoint SET note = CAST(replace(CAST(note AS TEXT), char(10, 10), char(10)) AS BLOB) WHERE size = 4", false, audit.CheckpointForm, "size 4"},
		{"checkpoint moved to another size", "UPDATE checkpoint SET size = 5 WHERE size = 4", false, audit.CheckpointForm, "size 5"},
		{"a hash", "UPDATE hash SET hash = randomblob(32) WHERE idx = 2", false, audit.HashTree, "hash 2"},
		{"a leaf hash", "UPDATE hash SET hash = randomblob(32) WHERE idx = 3", false, audit.EntryCommitment, "entry 2"},
		{"a hash gone", "DELETE FROM hash WHERE idx = 2", false, audit.HashMissing, "hash 2"},
		{"last hash gone", "DELETE FROM hash WHERE idx = (SELECT max(idx) FROM hash)", false, audit.HashMissing, "hash 15"},
		{"one hash more", "INSERT INTO hash VALUES (16, zeroblob(32))", false, audit.HashTree, "hash 16"},
		{"one hash far off", "INSERT INTO hash VALUES (9223372036854775807, zeroblob(32))", false, audit.HashMissing, "hash 16"},
		{"one entry far off", "INSERT INTO entry VALUES (9223372036854775807, zeroblob(32), x'7b7d')", false, audit.EntryGap, "entry 9"},
		{"another table", "CREATE TABLE extra (a)", false, audit.DBSchema, "table extra"},
		{"an index", "CREATE INDEX i ON entry (length(bytes))", false, audit.DBSchema, "index i"},
		{"a view", "CREATE VIEW v AS SELECT 1", false, audit.DBSchema, "view v"},
		{"a column", "ALTER TABLE entry ADD COLUMN more TEXT", false, audit.DBSchema, "table entry"},
		{"another application", "PRAGMA application_id = 1", false, audit.DBHeader, "page 1"},
		{"an older format", "PRAGMA user_version = 0", false, audit.DBHeader, "page 1"},
		{"rollback journal", "PRAGMA journal_mode = DELETE", false, audit.DBHeader, "page 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := m.write()
			edit(t, dir, func(c *sqlite3.Conn) {
				if tc.name == "entry put in between" { // what CHECK refuses
					must(t, c.Exec("PRAGMA ignore_check_constraints = ON"))
				}
				must(t, c.Exec(tc.sql))
				if tc.rebuild {
					rebuild(t, c)
				}
			})
			wantFinding(t, verify(t, dir, audit.Options{}), tc.code, tc.where)
		})
	}

	t.Run("checkpoint signed with another key", func(t *testing.T) {
		dir := m.write()
		edit(t, dir, func(c *sqlite3.Conn) {
			exec(t, c, "UPDATE checkpoint SET note = ? WHERE size = 4", m.sign(4, other, otherKey))
		})
		wantFinding(t, verify(t, dir, audit.Options{}), audit.CheckpointSignature, "size 4")
	})
	t.Run("a newer format", func(t *testing.T) {
		dir := m.write()
		edit(t, dir, func(c *sqlite3.Conn) { must(t, c.Exec("PRAGMA user_version = 2")) })
		if _, err := audit.Verify(context.Background(), dir, audit.Options{}); evidence.KindOf(err) != evidence.KindInvalid || evidence.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	})
	for name, triggers := range map[string]string{
		"no triggers":               "",
		"a trigger that does less":  strings.Replace(triggers, "BEFORE UPDATE ON entry BEGIN", "BEFORE UPDATE OF salt ON entry BEGIN", 1),
		"a trigger that does none":  strings.Replace(triggers, "BEGIN SELECT RAISE(ABORT, 'kept'); END;\nCREATE TRIGGER hash", "WHEN 0 BEGIN SELECT RAISE(ABORT, 'kept'); END;\nCREATE TRIGGER hash", 1),
		"a trigger that does more":  triggers + "CREATE TRIGGER more AFTER INSERT ON hash WHEN NEW.idx >= 1000 BEGIN SELECT random(); END;",
		"a trigger without an end":  triggers + "CREATE TRIGGER more AFTER INSERT ON hash WHEN NEW.idx >= 1000 BEGIN SELECT count(*) FROM (WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT x FROM r); END;",
		"a trigger that refuses":    triggers + "CREATE TRIGGER more BEFORE INSERT ON entry WHEN NEW.idx = 0 AND 0 BEGIN SELECT 1; END; CREATE TRIGGER never BEFORE INSERT ON checkpoint WHEN NEW.size = 1 AND NEW.origin = 'o' BEGIN SELECT RAISE(ABORT, 'no'); END;",
		"a gap trigger that is off": strings.Replace(triggers, "NEW.idx <> (SELECT count(*) FROM entry)", "NEW.idx < (SELECT count(*) FROM entry)", 1),
	} {
		t.Run(name, func(t *testing.T) {
			m := sample(t)
			m.schema = schema + triggers
			wantFinding(t, verify(t, m.write(), audit.Options{}), audit.DBSchema, "triggers")
		})
	}
}

// TestWhatASignatureDoesNotCover states the limits: what no check of the case alone can find, and that a
// checkpoint or a key kept elsewhere finds it.
func TestWhatASignatureDoesNotCover(t *testing.T) {
	m := sample(t)
	newest := string(m.sign(9, m.origin, m.skey))

	t.Run("entries after the newest checkpoint", func(t *testing.T) {
		m := sample(t)
		m.add(evidence.EntryIntakeRefused, person, evidence.IntakeRefused{Name: "later", Reason: "added by hand"})
		r := verify(t, m.write(), audit.Options{})
		wantClean(t, r)
		if !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool {
			return n.What == audit.NoticeEntriesUnsigned && strings.Contains(n.Detail, "entries 9 to 9")
		}) {
			t.Error(show(r))
		}
	})
	t.Run("an old copy of the whole folder", func(t *testing.T) {
		old := sample(t)
		old.entries, old.salts, old.sizes = old.entries[:4], old.salts[:4], []int64{1, 4}
		dir := old.write()
		wantClean(t, verify(t, dir, audit.Options{}))
		wantFinding(t, verify(t, dir, audit.Options{Seen: []string{newest}}), audit.CaseOld, "elsewhere at size 9")
	})
	t.Run("all of it written again with the stolen key", func(t *testing.T) {
		forged := sample(t)
		forged.entries[1] = []byte(strings.Replace(string(forged.entries[1]), "stated", "proven", 1))
		dir := forged.write()
		wantClean(t, verify(t, dir, audit.Options{Key: m.vkey}))
		wantFinding(t, verify(t, dir, audit.Options{Seen: []string{newest}}), audit.CheckpointRoot, "elsewhere at size 9")
	})
	t.Run("another case in its place", func(t *testing.T) {
		forged := sample(t)
		forged.origin, forged.skey, forged.vkey = logKey(t, "forger")
		forged.entries[0] = []byte(strings.ReplaceAll(string(forged.entries[0]), m.vkey, forged.vkey))
		forged.entries[0] = []byte(strings.ReplaceAll(string(forged.entries[0]), m.origin, forged.origin))
		dir := forged.write()
		wantClean(t, verify(t, dir, audit.Options{}))
		wantFinding(t, verify(t, dir, audit.Options{Key: m.vkey}), audit.CaseKey, "entry 0")
		wantFinding(t, verify(t, dir, audit.Options{Seen: []string{newest}}), audit.SeenOrigin, "elsewhere")
	})
	t.Run("a broken checkpoint from elsewhere", func(t *testing.T) {
		dir := m.write()
		wantFinding(t, verify(t, dir, audit.Options{Seen: []string{"x"}}), audit.CheckpointForm, "elsewhere")
		_, forger, _ := namedKey(t, "forger", m.origin)
		wantFinding(t, verify(t, dir, audit.Options{Seen: []string{string(m.sign(9, m.origin, forger))}}), audit.CheckpointSignature, "elsewhere")
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	rec := func(n string, d evidence.Digest) evidence.RecordingReceived {
		return evidence.RecordingReceived{Digest: d, Name: "n", Recording: n, Size: 1}
	}
	heard := func(words ...evidence.Word) evidence.Heard {
		return evidence.Heard{Languages: []evidence.Language{}, State: evidence.HeardWords, Words: words}
	}
	received := evidence.EntryRecordingReceived
	for name, tc := range map[string]struct {
		add  func(m *maker)
		code string
	}{
		"opened twice":                {func(m *maker) { m.addBytes(m.entries[0]) }, audit.EntryRule},
		"number left out":             {func(m *maker) { m.add(received, person, rec("REC-0003", m.blob("1"))) }, audit.EntryRule},
		"number in another form":      {func(m *maker) { m.add(received, person, rec("REC-2", m.blob("1"))) }, audit.EntryRule},
		"digest twice":                {func(m *maker) { m.add(received, person, rec("REC-0002", evidence.DigestOf(m.blobs[0]))) }, audit.EntryRule},
		"size that is not the blob's": {func(m *maker) { m.add(received, person, rec("REC-0002", m.blob("12"))) }, audit.BlobSize},
		"blob that is not there":      {func(m *maker) { m.add(received, person, rec("REC-0002", evidence.DigestOf(nil))) }, audit.BlobMissing},
		"unknown kind":                {func(m *maker) { m.add("recording.lost", person, rec("REC-0002", evidence.Digest{})) }, audit.EntryRule},
		"not an entry":                {func(m *maker) { m.addBytes([]byte("{}")) }, audit.EntryForm},
		"not JSON":                    {func(m *maker) { m.addBytes([]byte{0xff, 0x00}) }, audit.EntryForm},
		"field in another case":       {func(m *maker) { m.addBytes([]byte(strings.Replace(string(m.entries[2]), `"author"`, `"Author"`, 1))) }, audit.EntryForm},
		"body field in another case":  {func(m *maker) { m.addBytes([]byte(strings.Replace(string(m.entries[2]), `"reason"`, `"reaSon"`, 1))) }, audit.EntryForm},
		"body without a field": {func(m *maker) {
			m.addBytes([]byte(strings.Replace(string(m.entries[2]), `"reason":"not a recording",`, ``, 1)))
		}, audit.EntryBody},
		"body with an unknown field": {func(m *maker) {
			m.addBytes([]byte(strings.Replace(string(m.entries[2]), `"reason"`, `"oops":1,"reason"`, 1)))
		}, audit.EntryBody},
		"body with an empty field": {func(m *maker) { m.addBytes([]byte(strings.Replace(string(m.entries[2]), `"size":3`, `"size":0`, 1))) }, audit.EntryBody},
		"described before it came": {func(m *maker) {
			m.add(evidence.EntryRecordingDescribed, person, evidence.RecordingDescribed{Recording: "REC-0002", Replaces: 1})
		}, audit.EntryRule},
		"replaces what states nothing": {func(m *maker) {
			m.add(evidence.EntryRecordingDescribed, person, evidence.RecordingDescribed{Recording: "REC-0001", Replaces: 0})
		}, audit.EntryRule},
		"failure of nothing": {func(m *maker) {
			m.add(evidence.EntryFailure, program, evidence.Failure{Engine: engine, Kind: "internal", Recording: "REC-0009", Stage: "hear"})
		}, audit.EntryRule},
		"export of nothing": {func(m *maker) {
			m.add(evidence.EntryOriginalExported, person, evidence.OriginalExported{Recording: "REC-0009"})
		}, audit.EntryRule},
		"export of another digest": {func(m *maker) {
			m.add(evidence.EntryOriginalExported, person, evidence.OriginalExported{Recording: "REC-0001"})
		}, audit.EntryRule},
		"result of nothing": {func(m *maker) { m.result("REC-0009", "decode", evidence.Digest{}, nil, evidence.Decoded{}) }, audit.EntryRule},
		"result twice":      {func(m *maker) { m.addBytes(m.entries[4]) }, audit.EntryRule},
		"result with another key": {func(m *maker) {
			m.addBytes([]byte(strings.Replace(string(m.entries[4]), `"version":1},"kind"`, `"version":2},"kind"`, 1)))
		}, audit.EntryRule},
		"result of an unknown stage": {func(m *maker) { m.result("REC-0001", "guess", evidence.Digest{}, nil, evidence.Decoded{}) }, audit.EntryBody},
		"result with another's output": {func(m *maker) {
			m.result("REC-0001", "decode", evidence.Digest{}, nil, evidence.Detected{Transmissions: []evidence.Transmission{}})
		}, audit.EntryBody},
		"copy that is not there": {func(m *maker) {
			m.result("REC-0001", "decode", evidence.Digest{}, nil, evidence.Decoded{Copy: &evidence.Digest{}})
		}, audit.BlobMissing},
		"span beyond the end": {func(m *maker) {
			m.result("REC-0001", "hear", evidence.Digest{}, &evidence.Span{From: 0, To: 64001}, heard())
		}, audit.EntryRule},
		"voice of no length": {func(m *maker) {
			m.result("REC-0001", "voice", evidence.Digest{}, &evidence.Span{From: 0, To: 100}, evidence.Voice{Samples: 100, VectorE4: []int{1, 0, 0, 0, 0, 0, 0, 0}})
		}, audit.EntryRule},
		"translation into another language": {func(m *maker) {
			m.result("REC-0001", "translate", evidence.Digest{}, &evidence.Span{From: 0, To: 100}, evidence.Translated{From: m.entryKey(4), Language: "de", State: evidence.TranslatedWords, Text: "ja"})
		}, audit.EntryRule},
		"translation of no hearing": {func(m *maker) {
			m.result("REC-0001", "translate", evidence.Digest{}, &evidence.Span{From: 0, To: 100}, evidence.Translated{From: evidence.DigestOf(nil), Language: "en", State: evidence.TranslatedWords, Text: "yes"})
		}, audit.EntryRule},
		"translation beyond the end": {func(m *maker) {
			m.result("REC-0001", "translate", evidence.Digest{}, &evidence.Span{From: 0, To: 64001}, evidence.Translated{From: m.entryKey(4), Language: "en", State: evidence.TranslatedWords, Text: "yes"})
		}, audit.EntryRule},
		"span backwards": {func(m *maker) {
			m.result("REC-0001", "hear", evidence.Digest{}, &evidence.Span{From: 9, To: 8}, heard())
		}, audit.EntryRule},
		"word beyond the end": {func(m *maker) {
			m.result("REC-0001", "hear", evidence.Digest{}, nil, heard(evidence.Word{Span: evidence.Span{From: 64000, To: 64001}}))
		}, audit.EntryRule},
		"word backwards": {func(m *maker) {
			m.result("REC-0001", "hear", evidence.Digest{}, nil, heard(evidence.Word{Span: evidence.Span{From: 9, To: 8}}))
		}, audit.EntryRule},
		"transmission beyond the end": {func(m *maker) {
			m.result("REC-0001", "detect", evidence.Digest{}, nil, evidence.Detected{Transmissions: []evidence.Transmission{{Span: evidence.Span{From: 0, To: 1 << 40}}}})
		}, audit.EntryRule},
		"call outside its transmission": {func(m *maker) {
			m.result("REC-0001", "detect", evidence.Digest{}, nil, evidence.Detected{Transmissions: []evidence.Transmission{{
				Span: evidence.Span{From: 0, To: 100}, Calls: []evidence.SelectiveCall{{System: "DTMF", Code: "123", Span: evidence.Span{From: 50, To: 101}}}}}})
		}, audit.EntryRule},
		"epoch of another log":          {func(m *maker) { m.epoch(func(e *evidence.EpochStarted) { e.OldOrigin = "x" }) }, audit.EntryRule},
		"epoch that nobody agreed to":   {func(m *maker) { m.epoch(func(e *evidence.EpochStarted) { e.AgreedBy = "" }) }, audit.EntryRule},
		"epoch with another checkpoint": {func(m *maker) { m.epoch(func(e *evidence.EpochStarted) { e.LastCheckpoint = e.LastCheckpoint[1:] }) }, audit.EntryRule},
		"epoch under the old key":       {func(m *maker) { m.epoch(func(e *evidence.EpochStarted) { e.Key = m.vkey }) }, audit.EntryRule},
		"epoch under the old origin":    {func(m *maker) { m.epoch(func(e *evidence.EpochStarted) { e.Key, e.Origin = m.vkey, m.origin }) }, audit.EntryRule},
		"epoch with a key in upper case": {func(m *maker) {
			m.epoch(func(e *evidence.EpochStarted) {
				i := len(e.Origin) + 1
				e.Key = e.Key[:i] + strings.ToUpper(e.Key[i:i+8]) + e.Key[i+8:]
			})
		}, audit.EntryRule},
	} {
		t.Run(name, func(t *testing.T) {
			m := sample(t)
			tc.add(m)
			m.sizes = append(m.sizes, int64(len(m.entries)))
			where := "entry "
			if strings.HasPrefix(tc.code, "blob") {
				where = "blobs/"
			}
			r := verify(t, m.write(), audit.Options{})
			wantFinding(t, r, tc.code, where)
			if len(r.Findings) != 1 && !strings.HasPrefix(name, "epoch") {
				t.Errorf("expected one finding alone: %s", show(r))
			}
		})
	}
}

func (m *maker) epoch(change func(e *evidence.EpochStarted)) (skey string) {
	origin, skey, vkey := logKey(m.t, "second")
	e := evidence.EpochStarted{AgreedBy: "Ігор", Key: vkey, LastCheckpoint: string(m.sign(9, m.origin, m.skey)), OldOrigin: m.origin, Origin: origin, Reason: "restored from a backup"}
	change(&e)
	m.add(evidence.EntryEpochStarted, person, e)
	return skey
}

func TestEpochs(t *testing.T) {
	old := sample(t)
	old.add(evidence.EntryIntakeRefused, person, evidence.IntakeRefused{Name: "lost", Reason: "the copy is older"})
	lost := string(old.sign(10, old.origin, old.skey))

	m := sample(t) // the older copy, restored
	oldOrigin, oldKey, oldVerifier := m.origin, m.skey, m.vkey
	for _, size := range m.sizes {
		m.signed[size] = signedNote{oldOrigin, m.sign(size, oldOrigin, oldKey)}
	}
	m.skey = m.epoch(func(e *evidence.EpochStarted) { e.LastCheckpoint = lost })
	m.origin, _, m.vkey = logKey(t, "second")
	m.sizes = []int64{10}
	r := verify(t, m.write(), audit.Options{Seen: []string{lost}, Key: oldVerifier})
	wantClean(t, r)
	if r.Checkpoint.Origin != m.origin || !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == audit.NoticeEpochDiffers }) || !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == audit.NoticeSeenEarlier }) {
		t.Error(show(r))
	}
	// The old log may not be signed on, nor the new one backwards.
	m.signed[10] = signedNote{oldOrigin, m.sign(10, oldOrigin, oldKey)}
	wantFinding(t, verify(t, m.write(), audit.Options{}), audit.CheckpointForm, oldOrigin+" at size 10")
	delete(m.signed, 10)
	m.sizes = []int64{8, 10}
	wantFinding(t, verify(t, m.write(), audit.Options{}), audit.CheckpointForm, m.origin+" at size 8")
	// The key of the old log does not belong to the new one.
	m.sizes = []int64{10}
	dir := m.write()
	put(t, filepath.Join(dir, "key"), []byte(oldKey+"\n"))
	wantFinding(t, verify(t, dir, audit.Options{}), audit.KeyDiffers, "key")
}

// TestChecksumsRecomputed changes bytes of case.db and makes the page checksums right again. What is not
// found then must mean nothing: the rows are the same.
func TestChecksumsRecomputed(t *testing.T) {
	t.Parallel()
	dir := sample(t).write()
	path := filepath.Join(dir, "case.db")
	sound, err := os.ReadFile(path)
	must(t, err)
	dump := func() string {
		c := openDB(t, "file:"+path+"?immutable=1")
		defer c.Close()
		return strings.Join(query(t, c, "SELECT idx, hex(salt), hex(bytes) FROM entry"), "\n") +
			strings.Join(query(t, c, "SELECT idx, hex(hash) FROM hash"), "\n") + strings.Join(query(t, c, "SELECT origin, size, hex(note) FROM checkpoint ORDER BY rowid"), "\n")
	}
	want := dump()
	found, free := 0, 0
	step := 199
	if campaign() {
		step = 1
	}
	for i := 0; i < len(sound); i += step {
		if i%4096 >= 4088 {
			continue
		}
		b := slices.Clone(sound)
		b[i] ^= 0xff
		page := b[i/4096*4096:][:4096]
		sum := raw.PageChecksum(page)
		copy(page[4088:], sum[:])
		must(t, os.WriteFile(path, b, 0o600))
		r, err := audit.Verify(context.Background(), dir, audit.Options{})
		if err != nil && evidence.KindOf(err) != evidence.KindInvalid || slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.What == audit.AuditPanic || f.What == audit.DBPage }) {
			t.Fatalf("byte %d: %v %s", i, err, show(r))
		}
		if err != nil || !r.OK() {
			found++
		} else if free++; dump() != want {
			t.Fatalf("byte %d changes what is read, and is not found", i)
		}
	}
	t.Logf("%d changes found, %d in bytes that mean nothing", found, free)
}

// crash writes a case of which case.db has two transactions in its write-ahead log alone: the last entry,
// and its checkpoint, which is published. It is as a crash leaves it: nobody has closed case.db.
func crash(t testing.TB) (crashed string) {
	m := sample(t)
	last := m.entries[8]
	lastSalt := m.salts[8]
	m.entries, m.salts, m.sizes = m.entries[:8], m.salts[:8], []int64{1, 4, 8}
	before := len(m.hashes())
	dir := m.write()
	c := openDB(t, filepath.Join(dir, "case.db"))
	must(t, c.Exec("PRAGMA wal_autocheckpoint = 0"))
	m.entries, m.salts, m.sizes = append(m.entries, last), append(m.salts, lastSalt), append(m.sizes, 9)
	must(t, c.Exec("BEGIN"))
	exec(t, c, "INSERT INTO entry VALUES (?, ?, ?)", 8, lastSalt, last)
	for i, h := range m.hashes()[before:] {
		exec(t, c, "INSERT INTO hash VALUES (?, ?)", before+i, h[:])
	}
	must(t, c.Exec("COMMIT"))
	exec(t, c, "INSERT INTO checkpoint VALUES (?, ?, ?)", m.origin, 9, m.sign(9, m.origin, m.skey))
	m.writeLog(dir)
	crashed = filepath.Join(t.TempDir(), "crashed.case")
	must(t, os.CopyFS(crashed, os.DirFS(dir)))
	must(t, c.Close())
	must(t, os.Remove(filepath.Join(crashed, "case.db-shm")))
	return crashed
}

func walOf(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(crash(t), "case.db-wal"))
	must(t, err)
	return b
}

// TestWriteAheadLog breaks every byte of the log that a crash leaves behind.
func TestWriteAheadLog(t *testing.T) {
	t.Parallel()
	crashed := crash(t)
	before := listing(t, crashed)
	r := verify(t, crashed, audit.Options{})
	wantClean(t, r)
	if r.Entries != 9 || r.Checkpoint.Size != 9 || !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == audit.NoticeWALPending }) {
		t.Errorf("%s", show(r))
	}
	if listing(t, crashed) != before {
		t.Error("verification changed the case")
	}
	path := filepath.Join(crashed, "case.db-wal")
	sound, err := os.ReadFile(path)
	must(t, err)
	step := 101
	if campaign() {
		step = 1
	}
	for i := 0; i < len(sound); i++ {
		if (i-32)%4120 >= 24 && i%step != 0 { // headers whole, pages in samples
			continue
		}
		b := slices.Clone(sound)
		b[i] ^= 1 << (i % 8)
		must(t, os.WriteFile(path, b, 0o600))
		if r := verify(t, crashed, audit.Options{}); r.OK() {
			t.Fatalf("byte %d: not found: %s", i, show(r))
		}
	}
	frames := (len(sound) - 32) / 4120
	for n := range frames {
		must(t, os.WriteFile(path, sound[:32+n*4120], 0o600))
		if r := verify(t, crashed, audit.Options{}); r.OK() {
			t.Errorf("cut to %d of %d frames: not found", n, frames)
		}
	}
	// A transaction that was being written is no damage.
	torn := append(slices.Clone(sound), sound[32:32+4120]...)
	binary.BigEndian.PutUint32(torn[len(sound)+4:], 0)
	must(t, os.WriteFile(path, torn, 0o600))
	r = verify(t, crashed, audit.Options{})
	wantClean(t, r)
	if !slices.ContainsFunc(r.Notices, func(n audit.Notice) bool { return n.What == audit.NoticeWALTail }) {
		t.Error(show(r))
	}
	must(t, os.WriteFile(path, make([]byte, 5000), 0o600))
	wantFinding(t, verify(t, crashed, audit.Options{}), audit.CaseOld, "log/checkpoint")
}

// TestWhileWriting verifies while another connection appends: no false alarm.
func TestWhileWriting(t *testing.T) {
	t.Parallel()
	m := newMaker(t)
	m.sizes = []int64{1}
	dir := m.write()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		w := newMaker(t)
		c := openDB(t, filepath.Join(dir, "case.db"))
		defer c.Close()
		must(t, c.Exec("PRAGMA wal_autocheckpoint = 20; PRAGMA synchronous = FULL"))
		for {
			select {
			case <-stop:
				return
			default:
			}
			before := len(w.hashes())
			i := w.add(evidence.EntryIntakeRefused, person, evidence.IntakeRefused{Name: "x", Reason: "y"})
			must(t, c.Exec("BEGIN"))
			exec(t, c, "INSERT INTO entry VALUES (?, ?, ?)", i, w.salts[i], w.entries[i])
			for k, h := range w.hashes()[before:] {
				exec(t, c, "INSERT INTO hash VALUES (?, ?)", before+k, h[:])
			}
			must(t, c.Exec("COMMIT"))
		}
	}()
	good, busy := 0, 0
	for range 15 {
		r, err := audit.Verify(context.Background(), dir, audit.Options{})
		switch {
		case evidence.KindOf(err) == evidence.KindConflict:
			busy++
		case err != nil || !r.OK():
			t.Errorf("%v %s", err, show(r))
		default:
			good++
		}
	}
	close(stop)
	<-stopped
	t.Logf("%d sound, %d too busy", good, busy)
	wantClean(t, verify(t, dir, audit.Options{}))
}

func TestReportAsJSON(t *testing.T) {
	b, err := json.Marshal(verify(t, sample(t).write(), audit.Options{}))
	if err != nil || !strings.Contains(string(b), `"findings":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}
