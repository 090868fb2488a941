// Package forge brings the outcome of a commit to the Git host: as a commit
// status, or as a note in the repository itself. It knows nothing of
// Kubernetes and nothing of allowlists: a check is a verdict, a title and a
// text, and the outbox sees to it that the newest one of each commit arrives.
//
// # Use
//
//	box := forge.NewOutbox(host, store, forge.Options{Log: log})
//	box.Known(commit, "portcullis/eu-west", hash) // what was delivered before a restart
//	go box.Run(ctx)
//	box.Offer(check)                              // as often as one likes
//
// # What callers may rely on
//
//   - Offer never waits and never fails. A host that is away delays a check
//     and loses none.
//   - Of one commit and context the newest check wins. One that is overtaken
//     before it was delivered is dropped, and what the host says in the end is
//     what was offered last.
//   - A check that says what the host says already is not posted.
//   - One commit that the host does not take holds up no other.
//   - Final checks that were delivered, or refused for good, are told to the
//     store, so that a restart does not post them again. A store that fails is
//     asked again later; the check is not posted a second time for that.
//
// A host is one folder below this one, with the same file names in each; wire
// is what they share to speak HTTP. Those that have pull requests implement
// PullRequests too.
package forge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// State is a check's verdict. Others that forges know (warning, error,
// skipped, neutral) are never posted: hosts disagree on whether they let a
// merge through.
type State string

// The three verdicts.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure"
)

// Check is what a commit should be told. It holds no time and no counter, so
// that equal news have equal content.
type Check struct {
	Commit  string // full SHA
	Context string // portcullis/<seed>
	State   State
	Title   string // a few words, one line
	// Body is plain text, lines ending in \n: the findings that decided, then
	// "cluster: state" lines. May be empty.
	Body string

	// Identity is what is compared instead of title and body: two checks of a
	// commit with the same state and identity are the same news, whatever else
	// they say. Empty: all of it is compared.
	Identity string

	// Summary is Markdown, for hosts that show some beside the title; empty:
	// the body as it is.
	Summary string
	// Annotations are shown at their lines by hosts that can, all of them.
	Annotations []Annotation
	// URL is where the host links the check to; empty: where the forge's
	// options say.
	URL string
	// PullRequest is the number of the one that the commit was judged for, 0
	// for a commit of the branch itself, and Ref the pull request's branch.
	// They are no part of the content: some hosts need them to file a check.
	PullRequest int
	Ref         string
}

// Annotation is a finding at a line of a file of the commit.
type Annotation struct {
	Path         string // from the repository's root
	Line, Column int    // from 1; column 0: the line as a whole
	Failure      bool   // else a warning
	Title        string // error[rule]
	Message      string
}

// Hash identifies the content of a check; it is what the store keeps. What a
// check does not have leaves its hash as it was before there was such a thing.
func (c Check) Hash() string {
	h := sha256.New()
	add := func(words ...string) {
		for _, s := range words {
			h.Write([]byte(s))
			h.Write([]byte{0})
		}
	}
	if c.Identity != "" {
		add(c.Commit, c.Context, string(c.State), "=", c.Identity)
		return hex.EncodeToString(h.Sum(nil)[:12])
	}
	add(c.Commit, c.Context, string(c.State), c.Title, c.Body)
	if c.Summary != "" || c.URL != "" || len(c.Annotations) > 0 {
		add(c.Summary, c.URL)
	}
	for _, a := range c.Annotations {
		add(a.Path, fmt.Sprint(a.Line, a.Column, a.Failure), a.Title, a.Message)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// Final tells whether the check needs nothing more to come.
func (c Check) Final() bool { return c.State != Pending }

// Forge posts checks to one repository of one Git host.
type Forge interface {
	// Post delivers checks, oldest first, and answers one error for each, nil
	// where it was delivered. An error that wraps ErrRefused is final: the
	// same check is not tried again. One that wraps RetryAfterError stops all
	// posting for that long; any other is tried again with a growing delay.
	Post(ctx context.Context, checks []Check) []error
}

// ErrRefused marks an answer that trying again cannot change: a commit that
// is gone, a forge's limit of statuses for one commit.
var ErrRefused = errors.New("refused by the Git host")

// ErrNoCommit is a refusal of a commit that the host says it does not have. Its
// API may know of a push a moment later than its Git: the check is tried again
// a few times before that is final.
var ErrNoCommit = fmt.Errorf("the commit is not there: %w", ErrRefused)

// ErrNotYet marks a listing that cannot be had because the host's API does not
// know yet what its Git has: it will within seconds.
var ErrNotYet = errors.New("the Git host's API does not know of the push yet")

// Store remembers what was delivered, so that a restart posts nothing twice
// and forgets nothing. The seed's state implements it.
type Store interface {
	// Delivered records that the final check with this content was delivered
	// (or finally refused) for the commit.
	Delivered(ctx context.Context, commit, hash string) error
}
