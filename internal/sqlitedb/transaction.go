package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// Transaction runs do between BEGIN IMMEDIATE and COMMIT on a connection of DB.Write, and rolls back where either fails.
// What was done is on the disk when it returns without an error.
//
// After an error for which SyncFailed holds, nobody knows what is on the disk: whoever writes has to stop. After any
// other, nothing was kept, unless reading shows otherwise.
func Transaction(ctx context.Context, conn *sql.Conn, do func() error) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err == nil {
		return nil
	}
	open := false // after some errors SQLite has rolled back by itself
	rawErr := conn.Raw(func(c any) error {
		own, ok := c.(driver.Conn)
		if !ok {
			return fmt.Errorf("%T is no connection of ours", c)
		}
		open = !own.Raw().GetAutocommit()
		return nil
	})
	if open {
		_, rawErr = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return errors.Join(err, rawErr)
}

// SyncFailed reports whether err says that a sync went wrong.
func SyncFailed(err error) bool {
	return errors.Is(err, sqlite3.IOERR_FSYNC) || errors.Is(err, sqlite3.IOERR_DIR_FSYNC)
}
