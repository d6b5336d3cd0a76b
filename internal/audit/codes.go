package audit

// The codes of findings. They are stable: scripts may compare them.
const (
	AuditPanic = "audit.panic" // the auditor broke off; a fault of ours, and a reason to look at the case

	BlobDigest  = "blob.digest"  // bytes differ from the digest that names them
	BlobMissing = "blob.missing" // an entry names a blob that is not there
	BlobRead    = "blob.read"    // a blob cannot be read
	BlobSize    = "blob.size"    // an entry states another number of bytes

	CaseKey = "case.key" // the case's log has another key than the one known from elsewhere
	CaseOld = "case.old" // case.db holds less than, or something else than, what was signed

	CheckpointDiffers    = "checkpoint.differs"    // two checkpoints for one size
	CheckpointForm       = "checkpoint.form"       // not a signed checkpoint of this format
	CheckpointMissing    = "checkpoint.missing"    // entries, but nothing signed or published
	CheckpointRoot       = "checkpoint.root"       // signed for other entries than those in case.db
	CheckpointSignature  = "checkpoint.signature"  // not signed by the case's key
	CheckpointUnrecorded = "checkpoint.unrecorded" // published, but not in case.db

	DBHeader    = "db.header"    // case.db's header is not that of format 1
	DBIntegrity = "db.integrity" // SQLite's own integrity check objects
	DBLength    = "db.length"    // case.db is shorter or longer than its header says
	DBMissing   = "db.missing"   // case.db is not there or cannot be read
	DBPage      = "db.page"      // a page's checksum is wrong
	DBRead      = "db.read"      // SQLite cannot read it
	DBSchema    = "db.schema"    // tables or triggers are not the documented ones

	EntryBody       = "entry.body"       // the body is not that of its kind
	EntryCommitment = "entry.commitment" // entry and salt do not give the commitment that the log holds
	EntryForm       = "entry.form"       // not a canonical entry
	EntryGap        = "entry.gap"        // rows are not numbered 0, 1, 2, ...
	EntryRule       = "entry.rule"       // breaks a rule of docs/format/entries.md

	HashMissing = "hash.missing" // a row of the tree is missing
	HashTree    = "hash.tree"    // a row of the tree does not follow from the entries

	KeyForm    = "key.form"    // the key file is not a signer key in its one form
	KeyDiffers = "key.differs" // the key file belongs to another log

	LockContent = "lock.content" // the lock file is not empty

	SeenOrigin = "seen.origin" // a checkpoint known from elsewhere is of another log

	TileAhead   = "tile.ahead"   // commits to entries that case.db does not hold
	TileEntry   = "tile.entry"   // a record differs from the entry's commitment
	TileHash    = "tile.hash"    // a hash differs from the tree
	TileLength  = "tile.length"  // too short or too long
	TileMissing = "tile.missing" // absent, though the published checkpoint needs it
	TileRead    = "tile.read"    // cannot be read

	WALFrame  = "wal.frame"  // a bad frame before the last transaction
	WALHeader = "wal.header" // the write-ahead log's header is damaged
)

// The codes of notices.
const (
	NoticeBlobUnnamed      = "blob.unnamed"         // no entry names it: left over from an interrupted intake
	NoticeCheckpointBehind = "checkpoint.behind"    // signed, not yet published
	NoticeDBFree           = "db.free"              // pages that hold nothing: something was removed
	NoticeEntriesUnsigned  = "entries.unsigned"     // not yet under a signed checkpoint
	NoticeFileUnexpected   = "file.unexpected"      // the format does not know it
	NoticeFileLeft         = "file.left"            // left over from an interrupted write
	NoticeKeyAbsent        = "key.absent"           // this copy cannot sign
	NoticeKeyMode          = "key.mode"             // others may read the key
	NoticeKeyUntrusted     = "key.self-stated"      // no key from elsewhere was given
	NoticeLockAbsent       = "lock.absent"          // nobody has opened it for writing
	NoticeSeenEarlier      = "seen.earlier-epoch"   // of a log that this case has left
	NoticeWALPending       = "wal.pending"          // committed but not yet in case.db
	NoticeWALTail          = "wal.tail"             // an interrupted last transaction
	NoticeEpochDiffers     = "epoch.old-checkpoint" // the old log had gone on, or another way
)
