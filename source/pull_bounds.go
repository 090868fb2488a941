package source

import (
	"errors"
	"fmt"
	"time"
)

// Bounds on one pull request, whose content anybody may have written. What is
// over one is a *TooLargeError.
const (
	// MaxPullBytes is what may be sent for it, in bytes.
	MaxPullBytes = 50 << 20
	// MaxPullTime is how long sending and unpacking may take together.
	MaxPullTime = 30 * time.Second
	// MaxPullObjects is how many commits, folders and files it may bring.
	MaxPullObjects = 250_000
	// MaxPullEntries is how many lines of folders may be read that are not in
	// the merge base at the same place.
	MaxPullEntries = 200_000
	// MaxPullContent is how many bytes of files there may be to read that are not
	// in the merge base in the same folder, each as often as it is there: in memory
	// they are many times that.
	MaxPullContent = 16 << 20

	// maxPullWork is how many bytes unpacking may make of what was sent, all
	// objects together; it bounds time, for they are not kept.
	maxPullWork = 512 << 20
	// maxPullObject is how large an object may be that has to be in memory as a
	// whole. Larger files are measured and never looked into.
	maxPullObject = maxTree
	// maxPullDepth is how many deltas may follow each other; Git makes 50.
	maxPullDepth = 250
	// maxPullPaths is how long all paths that are read may be together, in bytes.
	maxPullPaths = 32 << 20
	// pullCache is for bases of deltas, in bytes.
	pullCache = 16 << 20
)

// What can be wrong with a pull request, for errors.Is. Asking again for the
// same head does not help.
var (
	// ErrNoPull: the remote has no head of that pull request.
	ErrNoPull = errors.New("no such pull request on the remote")
	// ErrUnrelated: head and target have no commit in common, so there is
	// nothing that a change could be told from.
	ErrUnrelated = errors.New("no common ancestor with the target branch")
	// ErrMalformed: it holds what no Git makes.
	ErrMalformed = errors.New("malformed Git objects")
)

// TooLargeError says which bound a pull request is over. It is ErrTooLarge for
// errors.Is.
type TooLargeError struct {
	What  string // as in "more than <Limit> <What>"
	Limit int64
}

// Error names the bound.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("too large: more than %d %s", e.Limit, e.What)
}

// Is makes it an ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
