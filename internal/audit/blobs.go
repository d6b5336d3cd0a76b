package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/earwitness/earwitness/evidence"
)

// blobBuffer is what one worker reads at a time: large enough that reading and hashing, not calls, take
// the time.
const blobBuffer = 1 << 20

type blob struct {
	name   string // path in the case
	digest evidence.Digest
	size   int64
}

// checkBlobs hashes every blob, several at a time, and compares them with what the entries name.
func (a *audit) checkBlobs(ctx context.Context) error {
	list := a.listBlobs()
	have := map[evidence.Digest]int64{}
	var total, done int64
	for _, b := range list {
		have[b.digest] = b.size
		total += b.size
	}
	a.checkNeeds(have)
	workers := a.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var mu sync.Mutex // guards done, the report and Progress
	advance := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		if done += n; a.opts.Progress != nil {
			a.opts.Progress(done, total)
		}
	}
	buffers := sync.Pool{New: func() any { b := make([]byte, blobBuffer); return &b }}
	bad := make([]Finding, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, b := range list {
		g.Go(func() error {
			buf := buffers.Get().(*[]byte)
			defer buffers.Put(buf)
			got, err := a.hashBlob(ctx, b.name, *buf, advance)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				bad[i] = Finding{BlobRead, b.name, fmt.Sprintf("%v", err)}
			case got != b.digest:
				bad[i] = Finding{BlobDigest, b.name, fmt.Sprintf("expected %s, found %s", b.digest, got)}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, f := range bad {
		if f.What != "" {
			a.find(f.What, f.Where, "%s", f.Detail)
		}
	}
	a.report.Blobs, a.report.Bytes = int64(len(list)), total
	return nil
}

// checkNeeds compares the blobs that are there with those that entries name.
func (a *audit) checkNeeds(have map[evidence.Digest]int64) {
	type missing struct {
		digest evidence.Digest
		need
	}
	var list []missing
	for d, n := range a.semantics.needed {
		list = append(list, missing{d, n})
	}
	slices.SortFunc(list, func(x, y missing) int { return int(x.entry - y.entry) })
	for _, m := range list {
		size, ok := have[m.digest]
		switch {
		case !ok:
			a.find(BlobMissing, blobPath(m.digest), "entry %d names it as its %s, the file is absent", m.entry, m.field)
		case m.size >= 0 && size != m.size:
			a.find(BlobSize, blobPath(m.digest), "entry %d states %d bytes, the file has %d", m.entry, m.size, size)
		}
	}
	var unnamed []string
	for d := range have {
		if _, ok := a.semantics.needed[d]; !ok {
			unnamed = append(unnamed, blobPath(d))
		}
	}
	slices.Sort(unnamed)
	for _, name := range unnamed {
		a.notice(NoticeBlobUnnamed, name, "no entry names it: left over from an interrupted intake, or its entry is gone")
	}
}

func blobPath(d evidence.Digest) string { return "blobs/" + d.String()[:2] + "/" + d.String() }

// listBlobs returns what is named as a blob, in the order of names. Everything else is a notice.
func (a *audit) listBlobs() []blob {
	var list []blob
	for _, top := range a.readDir("blobs") {
		dir := path.Join("blobs", top.Name())
		if !top.IsDir() {
			a.notice(NoticeFileUnexpected, dir, "only folders have a place here")
			continue
		}
		for _, d := range a.readDir(dir) {
			name := path.Join(dir, d.Name())
			if dir == "blobs/tmp" {
				a.notice(NoticeFileLeft, name, "left over from an interrupted write, or being written: the next writer removes it")
				continue
			}
			digest, err := evidence.ParseDigest(d.Name())
			if err != nil || blobPath(digest) != name {
				a.notice(NoticeFileUnexpected, name, "it is not named as a blob in its folder")
				continue
			}
			if !d.Type().IsRegular() {
				a.find(BlobRead, name, "it is not a regular file but %s", d.Type())
				continue
			}
			fi, err := d.Info()
			if err != nil {
				a.find(BlobRead, name, "%v", err)
				continue
			}
			list = append(list, blob{name, digest, fi.Size()})
		}
	}
	slices.SortFunc(list, func(x, y blob) int { return strings.Compare(x.name, y.name) })
	return list
}

func (a *audit) readDir(dir string) []fs.DirEntry {
	f, err := a.root.Open(dir)
	if err != nil {
		if !absent(err) {
			a.find(BlobRead, dir, "%v", err)
		}
		return nil
	}
	defer f.Close()
	list, err := f.ReadDir(-1)
	if err != nil {
		a.find(BlobRead, dir, "%v", err)
	}
	return list
}

func (a *audit) hashBlob(ctx context.Context, name string, buf []byte, advance func(int64)) (d evidence.Digest, err error) {
	f, _, err := a.openRegular(name)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		advance(int64(n))
		if err == io.EOF {
			return evidence.Digest(h.Sum(nil)), nil
		}
		if err != nil {
			return d, err
		}
	}
}

// checkFolder looks at what else lies in the case.
func (a *audit) checkFolder() {
	for _, d := range a.readDir(".") {
		switch d.Name() {
		case "case.db", "case.db-wal", "case.db-shm", "key", "blobs", "log":
		case "derived.db", "derived.db-wal", "derived.db-shm", "derived.db-journal": // not evidence; may be anything
		case "lock":
			if fi, err := d.Info(); err == nil && (fi.Size() != 0 || !fi.Mode().IsRegular()) {
				a.find(LockContent, "lock", "expected an empty file, found %s of %d bytes", kindOf(fi), fi.Size())
			}
		case "key.new":
			a.notice(NoticeFileLeft, "key.new", "the key of an epoch that was begun and interrupted")
		default:
			if oldLogForm.MatchString(d.Name()) {
				continue // the log of an ended epoch
			}
			a.notice(NoticeFileUnexpected, d.Name(), "the format does not know it")
		}
	}
	if !a.exists("lock") {
		a.notice(NoticeLockAbsent, "lock", "it comes back when the case is opened for writing")
	}
	logs := []string{"log"}
	for digits := range a.oldLogs {
		logs = append(logs, "log-"+digits)
	}
	slices.Sort(logs)
	for _, log := range logs {
		for _, d := range a.readDir(log) {
			if d.Name() != "checkpoint" && d.Name() != "tile" {
				a.notice(NoticeFileUnexpected, log+"/"+d.Name(), "the format does not know it")
			}
		}
	}
}

func kindOf(fi os.FileInfo) string {
	if fi.Mode().IsRegular() {
		return "a file"
	}
	return fi.Mode().Type().String()
}
