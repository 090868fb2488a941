package forge

import (
	"context"
	"errors"
	"time"
)

// Run delivers until ctx ends, then tries once more what has not failed yet,
// within Options.Grace, and returns nil. What is undelivered then is offered
// again by the next process, from its state. Run fails only when it is running
// already.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.running.CompareAndSwap(false, true) {
		return errors.New("run the outbox: it is running already")
	}
	defer o.running.Store(false)
	work, cancel := o.graceful(ctx)
	defer cancel()
	for ctx.Err() == nil {
		posted := o.deliver(work)
		if told := o.tellStore(work, false); !posted && !told {
			o.wait(ctx)
		}
	}
	o.deliver(work)
	o.tellStore(work, true)
	return nil
}

// graceful is a context that outlives another by Options.Grace, so that a post
// under way is not cut off in the middle: whether the host took it would not
// be known.
func (o *Outbox) graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-o.opts.Clock.After(o.opts.Grace):
			cancel()
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel() }
}

// wait returns when something is due, something was offered, or ctx ended.
func (o *Outbox) wait(ctx context.Context) {
	var timer <-chan time.Time
	if next := o.next(); !next.IsZero() {
		timer = o.opts.Clock.After(max(0, next.Sub(o.opts.Clock.Now())))
	}
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-timer:
	}
}

// next is when something becomes due; zero if nothing will.
func (o *Outbox) next() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, e := range o.queue {
		earlier(later(later(e.due, o.paused), e.since))
	}
	for _, r := range o.unstored {
		earlier(r.due)
	}
	return next
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
