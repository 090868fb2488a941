package forge

import (
	"sync"
	"sync/atomic"
	"time"
)

// Outbox holds the newest undelivered check of each commit and context until
// the host has it. There is one for each repository; it is safe for use by
// many at once.
type Outbox struct {
	forge Forge
	store Store
	opts  Options

	running atomic.Bool
	wake    chan struct{} // one slot: many offers are one reason to look

	mu       sync.Mutex
	queue    map[key]*entry
	flying   map[key]bool // what the forge holds just now
	standing *memory
	unstored map[key]*record
	paused   time.Time // nothing is posted before
	sequence uint64
	counters
}

type key struct{ commit, context string }

// entry is a check that the host does not have yet.
type entry struct {
	check    Check
	hash     string
	since    time.Time // when the host was first behind
	sequence uint64    // the order in which commits came
	failures int       // in a row
	due      time.Time // zero: at once
	// outage says that everything posted with it failed as well: then it is
	// the host, and the first success of any check is reason to try again.
	outage bool
}

// NewOutbox makes an outbox that delivers to a forge. store may be nil:
// nothing is then remembered beyond the process.
func NewOutbox(f Forge, store Store, opts Options) *Outbox {
	opts = opts.withDefaults()
	return &Outbox{
		forge: f, store: store, opts: opts,
		wake:     make(chan struct{}, 1),
		queue:    map[key]*entry{},
		flying:   map[key]bool{},
		standing: newMemory(opts.Remember),
		unstored: map[key]*record{},
	}
}

// Offer says what commits should be told from now on. It returns at once,
// whatever the host does. Checks without a commit or context are left out.
func (o *Outbox) Offer(checks ...Check) {
	o.mu.Lock()
	for _, c := range checks {
		if c.Commit != "" && c.Context != "" {
			o.offer(c)
		}
	}
	o.mu.Unlock()
	o.look()
}

func (o *Outbox) offer(c Check) {
	k, hash := key{c.Commit, c.Context}, c.Hash()
	if o.standing.get(k) == hash {
		// Back to what the host says: what was queued in between was never
		// tried, or the host's word would not be known.
		delete(o.queue, k)
		return
	}
	e, queued := o.queue[k]
	if !queued {
		o.sequence++
		o.queue[k] = &entry{check: c, hash: hash, since: o.opts.Clock.Now(), sequence: o.sequence}
		return
	}
	// The place in the queue and the delay stay: news of a commit are no
	// reason to press a host that just failed.
	e.check, e.hash = c, hash
}

// Known says what the host was told before this process began, as the store
// has it, so that the same is not posted again. What was delivered since
// weighs more. A final check that was followed by a pending one no longer
// stands: the store has to forget it when a commit is opened again, or the
// same verdict, reached a second time after a restart, would not be posted.
func (o *Outbox) Known(commit, context, hash string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := key{commit, context}
	e, queued := o.queue[k]
	if hash == "" || o.standing.get(k) != "" || o.flying[k] || queued && e.failures > 0 {
		return
	}
	o.standing.set(k, hash)
	if queued && e.hash == hash {
		delete(o.queue, k)
	}
}

// Flushed tells whether the host has all that was offered and the store knows.
func (o *Outbox) Flushed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.queue) == 0 && len(o.unstored) == 0
}

// look wakes Run.
func (o *Outbox) look() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
