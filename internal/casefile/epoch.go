package casefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/earwitness/earwitness/evidence"
	"github.com/earwitness/earwitness/internal/merklelog"
)

// EpochOptions say why a case goes on under a new log.
type EpochOptions struct {
	Author   evidence.Author // who asks for it
	AgreedBy string          // another person, who agreed
	Reason   string
	Now      func() time.Time
	Rand     io.Reader
	SeenDir  string
	Disk     Disk
}

// StartEpoch opens a case for writing that cannot be signed under its log any more, because it is an old copy or its key
// is lost, and goes on under a new key and origin. The entry epoch.started says so. What was published under the old log
// is kept as it stood, in log-DIGITS, and proofs under it still verify.
func StartEpoch(ctx context.Context, dir string, o EpochOptions) (*Case, error) {
	if o.Reason == "" || o.AgreedBy == "" {
		return nil, evidence.Invalid("a new epoch names its reason and the second person who agreed")
	}
	if strings.EqualFold(strings.TrimSpace(o.AgreedBy), strings.TrimSpace(o.Author.Name)) {
		return nil, evidence.Invalid("the person who agrees to a new epoch is another one than %s, who asks for it", o.Author.Name)
	}
	c, err := open(ctx, dir, OpenOptions{Now: o.Now, Rand: o.Rand, SeenDir: o.SeenDir, Disk: o.Disk}, &o)
	if err != nil {
		return nil, err
	}
	if err := c.Publish(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// beginEpoch makes the new key durable under another name and then states the epoch: from that entry on the new log is
// the case's, and finishEpoch does the rest, now or after a crash.
func (c *Case) beginEpoch(ctx context.Context, o EpochOptions) error {
	w, old := c.writer, c.Info()
	signed, err := c.lastSigned(ctx, old)
	if err != nil && evidence.KindOf(err) != evidence.KindDamaged {
		return err
	}
	var last found
	for _, s := range signed {
		if s.Size > last.Size {
			last = s
		}
	}
	origin, err := merklelog.NewOrigin(c.world.rand)
	if err != nil {
		return err
	}
	signerKey, verifierKey, err := merklelog.NewKey(c.world.rand, origin)
	if err != nil {
		return err
	}
	e, err := evidence.NewEntry(evidence.EntryEpochStarted, o.Author, c.world.now(), evidence.EpochStarted{
		AgreedBy: o.AgreedBy, Key: verifierKey, LastCheckpoint: string(last.note), OldOrigin: old.Origin, Origin: origin, Reason: o.Reason})
	if err != nil {
		return err
	}
	p, err := prepare(e)
	if err != nil {
		return err
	}
	if err := c.folder.WriteFile("key.new", []byte(signerKey+"\n"), 0o600); err != nil {
		return err
	}
	if w.edge, err = w.insert(ctx, w.edge, []*prepared{p}); err != nil {
		return c.explain(fmt.Errorf("start epoch: %w", err))
	}
	if err := c.refresh(ctx); err != nil {
		return err
	}
	return c.lockOrigin()
}

// finishEpoch puts the key of the present log in place and the published log of an ended one aside, where that has not
// been done.
func (c *Case) finishEpoch() error {
	if _, err := os.Lstat(filepath.Join(c.dir, "key.new")); err == nil {
		if _, err := c.readKey("key.new"); err == nil {
			if err := c.folder.Place("key.new", "key"); err != nil {
				return err
			}
		} else if err := c.folder.Remove("key.new"); err != nil { // the epoch it was made for never started
			return fmt.Errorf("remove unused key: %w", err)
		}
	}
	info := c.Info()
	if len(info.Epochs) == 0 {
		return nil
	}
	signed, ok, err := c.log.Published()
	if err != nil || !ok {
		return err
	}
	origin, _, _ := strings.Cut(string(signed), "\n")
	if origin == info.Origin {
		return nil
	}
	for _, e := range info.Epochs {
		if e.OldOrigin != origin {
			continue
		}
		digits, err := merklelog.OriginDigits(origin)
		if err != nil {
			return err
		}
		if err := c.folder.Place("log", "log-"+digits); err != nil {
			return err
		}
		c.log = merklelog.Publisher{Folder: c.folder.Below("log")}
		return nil
	}
	return nil // checkCopy says what is wrong with it
}
