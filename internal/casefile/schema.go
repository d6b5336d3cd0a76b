package casefile

// applicationID marks a case.db: "EARW".
const applicationID = 0x45415257

// migrations make a case.db; docs/format/case.md, "case.db", is normative. The checks and triggers refuse what must never be.
func migrations() []string {
	return []string{`
CREATE TABLE entry (
  idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
  salt  BLOB NOT NULL CHECK (length(salt) = 32),
  bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 2 AND 16777216)
) STRICT;
CREATE TABLE hash (
  idx  INTEGER PRIMARY KEY CHECK (idx >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE checkpoint (
  origin TEXT NOT NULL,
  size   INTEGER NOT NULL CHECK (size > 0),
  note   BLOB NOT NULL,
  PRIMARY KEY (origin, size)
) STRICT;
CREATE TRIGGER entry_gap BEFORE INSERT ON entry
WHEN NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM entry)
BEGIN SELECT RAISE(ABORT, 'an entry is only ever added after the last one'); END;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END;
CREATE TRIGGER hash_update BEFORE UPDATE ON hash BEGIN SELECT RAISE(ABORT, 'a hash is never changed'); END;
CREATE TRIGGER hash_delete BEFORE DELETE ON hash BEGIN SELECT RAISE(ABORT, 'a hash is never removed'); END;
CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;
CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'a checkpoint is never removed'); END;
`}
}
