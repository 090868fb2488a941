package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// letter is a check on its way: what an entry held when it was taken. The
// entry may change meanwhile.
type letter struct {
	key
	check Check
	hash  string
}

// deliver posts what is due, a batch at most, and tells whether there was any.
func (o *Outbox) deliver(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	letters := o.take()
	if len(letters) == 0 {
		return false
	}
	errs := o.post(ctx, letters)
	o.settle(letters, errs)
	return true
}

// take answers what is due, oldest first. What the host says of these is in
// doubt from now on.
func (o *Outbox) take() []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.opts.Clock.Now()
	if now.Before(o.paused) {
		return nil
	}
	var due []*entry
	for _, e := range o.queue {
		if !now.Before(e.due) {
			due = append(due, e)
		}
	}
	slices.SortFunc(due, func(a, b *entry) int { return cmp.Compare(a.sequence, b.sequence) })
	letters := make([]letter, 0, min(len(due), o.opts.Batch))
	for _, e := range due[:min(len(due), o.opts.Batch)] {
		k := key{e.check.Commit, e.check.Context}
		letters = append(letters, letter{k, e.check, e.hash})
		o.standing.doubt(k)
		o.flying[k] = true
	}
	return letters
}

// post hands letters to the forge and answers exactly one error for each.
func (o *Outbox) post(ctx context.Context, letters []letter) []error {
	ctx, cancel := context.WithTimeout(ctx, o.opts.PostTimeout)
	defer cancel()
	checks := make([]Check, len(letters))
	for i, l := range letters {
		checks[i] = l.check
	}
	errs := o.forge.Post(ctx, checks)
	if len(errs) == len(letters) {
		return errs
	}
	err := fmt.Errorf("post %d checks: the forge gave %d answers", len(letters), len(errs))
	return slices.Repeat([]error{err}, len(letters))
}

// settle draws the consequences of a post.
func (o *Outbox) settle(letters []letter, errs []error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.flying)
	now, random := o.opts.Clock.Now(), o.opts.Random()
	var failed []error
	for i, l := range letters {
		switch err := errs[i]; {
		case err == nil:
			o.posts++
			o.settled(l, now)
		case errors.Is(err, ErrRefused) && !o.mayCome(l, err):
			o.refusals++
			o.opts.Log.Error(err, "check refused by the Git host", "commit", l.commit, "check", l.context)
			o.settled(l, now)
		default:
			failed = append(failed, err)
			o.failed(l, err, now, random)
		}
	}
	o.weigh(letters, failed)
}

// mostAbsent is how often a commit may be missing before it is taken for gone:
// after 1, 2 and 4 seconds.
const mostAbsent = 3

// mayCome tells whether the commit is missing because the host's API is a
// moment behind its Git.
func (o *Outbox) mayCome(l letter, err error) bool {
	return errors.Is(err, ErrNoCommit) && o.queue[l.key].failures < mostAbsent
}

// settled notes that the host has, or will never have, a letter.
func (o *Outbox) settled(l letter, now time.Time) {
	o.standing.set(l.key, l.hash)
	if l.check.Final() && o.store != nil {
		o.unstored[l.key] = &record{hash: l.hash}
	}
	e := o.queue[l.key]
	if e.hash == l.hash {
		delete(o.queue, l.key)
		return
	}
	e.since, e.failures, e.due, e.outage = now, 0, time.Time{}, false
}

func (o *Outbox) failed(l letter, err error, now time.Time, random float64) {
	o.failures++
	e := o.queue[l.key]
	e.failures++
	// One random number for the batch: what failed together is tried again
	// together, which is one push instead of many.
	e.due = now.Add(backoff(e.failures, random))
	if pause, ok := errors.AsType[RetryAfterError](err); ok {
		o.paused = later(o.paused, now.Add(pause.Pause()))
	}
}

// weigh tells an outage from a single commit's trouble, and says once a batch
// what went wrong.
func (o *Outbox) weigh(letters []letter, failed []error) {
	if len(failed) < len(letters) {
		o.outageOver()
	}
	o.lastError = nil
	if len(failed) == 0 {
		return
	}
	o.lastError = failed[0]
	o.opts.Log.Error(failed[0], "checks not delivered, trying again later", "checks", len(failed))
	if len(failed) < len(letters) {
		return
	}
	for _, l := range letters {
		o.queue[l.key].outage = true
	}
	// A forge may stop at the first failure. Should that be the commit's own,
	// the others have to come before it next time.
	o.sequence++
	o.queue[letters[0].key].sequence = o.sequence
}

// outageOver makes due at once what only waited for the host to come back.
func (o *Outbox) outageOver() {
	for _, e := range o.queue {
		if e.outage {
			e.outage, e.due = false, time.Time{}
		}
	}
}
