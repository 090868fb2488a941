package forge

import "time"

// Stats are an outbox's figures, of this process.
type Stats struct {
	Undelivered int           // commits the host is behind on
	Oldest      time.Duration // for how long it is behind on the first of them; 0 if on none
	Unstored    int           // delivered, and the store does not know yet
	Posts       uint64        // checks delivered
	Failures    uint64        // attempts that failed and are tried again
	Refusals    uint64        // checks refused for good
	LastError   error         // of the last post; nil once one went well
}

// counters are guarded by the outbox's mutex.
type counters struct {
	posts, failures, refusals uint64
	lastError                 error
}

// Stats reads the figures as they are now.
func (o *Outbox) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := Stats{
		Undelivered: len(o.queue), Unstored: len(o.unstored),
		Posts: o.posts, Failures: o.failures, Refusals: o.refusals, LastError: o.lastError,
	}
	now := o.opts.Clock.Now()
	for _, e := range o.queue {
		s.Oldest = max(s.Oldest, now.Sub(e.since))
	}
	return s
}
