package forge

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
)

// Comment is the one that a pull request should carry. There is one of each
// mark, found again by the mark and its author, and edited.
type Comment struct {
	PullRequest int
	Mark        string // see Mark
	Body        string // Markdown, without the mark
	// OnlyEdit leaves a pull request without such a comment as it is.
	OnlyEdit bool
}

// Mark is what a comment of this context begins with: invisible in Markdown.
func Mark(context string) string { return "<!-- " + context + " -->" }

// Said is a comment as a host has it.
type Said struct {
	ID     int64
	Author string // as Thread.Me tells it
	Body   string
	URL    string
}

// Thread is the comments of one pull request, as a forge reads and writes
// them. Edit answers an error that wraps ErrRefused where the comment is gone.
type Thread interface {
	// Me is who the credentials belong to, in the words of Said.Author.
	Me(ctx context.Context) (string, error)
	// All are the comments, oldest first, asked for page by page.
	All(ctx context.Context) iter.Seq2[Said, error]
	Create(ctx context.Context, body string) (Said, error)
	Edit(ctx context.Context, id int64, body string) (Said, error)
}

// maxKept bounds the comments whose place is remembered. Others are searched
// for again.
const maxKept = 10_000

// Comments keeps comments as they should be. The zero value is fit for use, by
// many at once.
type Comments struct {
	mu   sync.Mutex
	kept map[place]kept
	busy map[place]chan struct{} // closed when the place is free
}

type place struct {
	pullRequest int
	mark        string
}

// kept is a comment of ours as it was last seen.
type kept struct {
	id   int64
	by   string
	body [sha256.Size]byte
	url  string
}

// Keep sees to it that the thread has the comment, and asks and writes no more
// than that takes. The thread is the pull request's that the comment is for.
func (k *Comments) Keep(ctx context.Context, thread Thread, c Comment) (url string, err error) {
	if c.Mark == "" || c.PullRequest <= 0 {
		return "", fmt.Errorf("comment on pull request %d: a number and a mark are required: %w", c.PullRequest, ErrRefused)
	}
	body := c.Mark + "\n" + c.Body
	at := place{c.PullRequest, c.Mark}
	free, err := k.enter(ctx, at)
	if err != nil {
		return "", err
	}
	defer free()
	me, err := thread.Me(ctx)
	if err != nil {
		return "", err
	}
	if old, ok := k.get(at); ok && old.by == me { // else it is an account's that was ours
		if old.body == sha256.Sum256([]byte(body)) {
			return old.url, nil
		}
		said, err := thread.Edit(ctx, old.id, body)
		if !errors.Is(err, ErrRefused) {
			return k.keep(at, me, said, body, err)
		}
		k.forget(at) // somebody deleted it
	}
	return k.search(ctx, thread, me, c, body)
}

// enter waits until nobody else keeps the same comment: two who find none
// would make two.
func (k *Comments) enter(ctx context.Context, at place) (free func(), err error) {
	for {
		k.mu.Lock()
		taken, busy := k.busy[at]
		if !busy {
			break
		}
		k.mu.Unlock()
		select {
		case <-taken:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer k.mu.Unlock()
	if k.busy == nil {
		k.busy = map[place]chan struct{}{}
	}
	mine := make(chan struct{})
	k.busy[at] = mine
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.busy, at)
		close(mine)
	}, nil
}

// search finds the comment among all, and makes it if need be.
func (k *Comments) search(ctx context.Context, thread Thread, me string, c Comment, body string) (string, error) {
	at := place{c.PullRequest, c.Mark}
	old, found, err := find(ctx, thread, me, c.Mark)
	switch {
	case err != nil:
		return "", err
	case found && sameText(old.Body, body):
		return k.keep(at, me, old, body, nil)
	case found:
		said, err := thread.Edit(ctx, old.ID, body)
		return k.keep(at, me, said, body, err)
	case c.OnlyEdit:
		return "", nil
	}
	said, err := thread.Create(ctx, body)
	return k.keep(at, me, said, body, err)
}

// find is the oldest comment that begins with the mark and is by ourselves.
// The mark alone proves nothing, as anybody can write it. Nor does it further
// down in a text of our own, which may quote what others wrote.
func find(ctx context.Context, thread Thread, me, mark string) (Said, bool, error) {
	for said, err := range thread.All(ctx) {
		if err != nil {
			return Said{}, false, err
		}
		if said.Author == me && strings.HasPrefix(said.Body, mark) {
			return said, true, nil
		}
	}
	return Said{}, false, nil
}

// sameText compares as hosts keep texts: some turn line ends, or drop those at
// the end.
func sameText(a, b string) bool {
	plain := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n ") }
	return plain(a) == plain(b)
}

func (k *Comments) get(at place) (kept, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old, ok := k.kept[at]
	return old, ok
}

func (k *Comments) keep(at place, me string, said Said, body string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= maxKept {
		k.kept = map[place]kept{}
	}
	k.kept[at] = kept{said.ID, me, sha256.Sum256([]byte(body)), said.URL}
	return said.URL, nil
}

func (k *Comments) forget(at place) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.kept, at)
}
