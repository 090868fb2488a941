package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Of several replicas one leads: it polls, writes and posts. The others keep
// their informers, so that they know the seed's clusters when their time comes,
// and read the state only then.
//
// Who leads is settled by a lease, with client-go's leader election. That alone
// does not keep two from writing at once: what a leader has under way when it
// loses touch with the API server goes on until somebody ends it, and where the
// lease is given back at a clean end, client-go first tries to reach the API
// server once more, past the end of the lease. So a tenure, this replica's time
// to lead, ends on this replica's own clock, well before its lease does: what it
// has under way is cancelled then, nothing more is sent, and nothing renews it.
// With a lease of 15 seconds, counted from its last renewal:
//
//	 2 s  the next renewal is due; from here on it is tried for 10 s
//	12 s  client-go gives up, and the process ends: its next start is a standby
//	13 s  the tenure is over, or up to a second before (see seenAs)
//	15 s  a standby may take the lease, which it counts from when it saw it renewed
//
// What was sent before and carried out late by the API server is met by what
// Kubernetes has for it: the state carries a resourceVersion, a list that comes
// late is put right by the new leader's watch.

// timing is how a lease is kept, in the proportions of client-go's defaults.
type timing struct {
	lease, renew, retry time.Duration
}

// leaseOf are the times of a lease that lasts so long. However long that is, a
// standby asks often whether it was given back.
func leaseOf(lease time.Duration) timing {
	return timing{lease: lease, renew: lease * 10 / 15, retry: min(lease, usualLease) * 2 / 15}
}

// term is how long the leader counts on its lease after a renewal.
// What is left of the lease is for requests that are on their way.
func (t timing) term() time.Duration { return t.lease - t.retry }

const (
	usualLease = 15 * time.Second
	// A Lease holds whole seconds; with fewer, a slow answer would be the end.
	shortestLease = 5 * time.Second
)

// usable refuses durations that a Lease cannot hold.
func (t timing) usable() error {
	if t.lease < shortestLease || t.lease%time.Second != 0 {
		return errors.New("--leader-elect-lease-duration: whole seconds, at least " + shortestLease.String())
	}
	return nil
}

var (
	errNotLeading = errors.New("this replica does not lead")
	errTermOver   = errors.New("this replica does not lead any more")
)

// tenure is the time in which this replica leads. There is at most one in a
// process: who has lost the lease starts anew, with nothing in memory.
type tenure struct {
	length time.Duration   // zero where there is no election
	ctx    context.Context // ends with the term
	end    context.CancelCauseFunc

	mu    sync.Mutex
	until time.Time // zero before it begins
	timer *time.Timer
}

// newTenure is one that lasts so long after each renewal; with zero, always.
func newTenure(length time.Duration) *tenure {
	ctx, end := context.WithCancelCause(context.Background())
	return &tenure{length: length, ctx: ctx, end: end}
}

// renewed begins the tenure, or prolongs it: from that moment on, at the
// earliest, a standby waits for the lease to end. It fails where the tenure is
// over.
func (t *tenure) renewed(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return errTermOver
	}
	t.until = at.Add(t.length)
	left := time.Until(t.until)
	switch {
	case left <= 0:
		t.end(errTermOver)
		return errTermOver
	case t.timer == nil:
		t.timer = time.AfterFunc(left, t.expire)
	default:
		t.timer.Reset(left)
	}
	return nil
}

// expire ends the term, unless it was renewed just now.
func (t *tenure) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !time.Now().Before(t.until) {
		t.end(errTermOver)
	}
}

// close ends the term for good: another replica may begin.
func (t *tenure) close() { t.end(errTermOver) }

// leads fails unless this replica leads now. The clock is asked, not only the
// timer: a process that was stopped goes on before its timers do.
func (t *tenure) leads() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ctx.Err() != nil:
		return errTermOver
	case t.length == 0:
		return nil
	case t.until.IsZero():
		return errNotLeading
	case !time.Now().Before(t.until):
		return errTermOver
	}
	return nil
}

// bound is a context that also ends with the term.
func (t *tenure) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.ctx, func() { cancel(errTermOver) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}
