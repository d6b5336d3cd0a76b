//go:build !unix

package durable

// SyncDir does nothing here: the system has no call for it, and its file systems keep the order of their own changes.
func (OS) SyncDir(string) error { return nil }
