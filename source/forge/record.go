package forge

import (
	"context"
	"time"
)

// record is a delivered final check that the store does not know of yet.
type record struct {
	hash     string
	failures int
	due      time.Time
}

// tellStore tells the store of one delivered check that is due (all: whether
// due or not, of every one) and answers whether there was any.
func (o *Outbox) tellStore(ctx context.Context, all bool) bool {
	due := o.dueRecords(all)
	for k, hash := range due {
		if ctx.Err() != nil {
			return false
		}
		o.recorded(k, hash, o.tell(ctx, k.commit, hash))
	}
	return len(due) > 0
}

func (o *Outbox) tell(ctx context.Context, commit, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, o.opts.StoreTimeout)
	defer cancel()
	return o.store.Delivered(ctx, commit, hash)
}

func (o *Outbox) dueRecords(all bool) map[key]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	now, due := o.opts.Clock.Now(), map[key]string{}
	for k, r := range o.unstored {
		if all || !now.Before(r.due) {
			due[k] = r.hash
		}
	}
	return due
}

func (o *Outbox) recorded(k key, hash string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.unstored[k]
	if err == nil {
		delete(o.unstored, k)
		return
	}
	r.failures++
	r.due = o.opts.Clock.Now().Add(backoff(r.failures, o.opts.Random()))
	o.opts.Log.Error(err, "delivered check not remembered, trying again later", "commit", k.commit, "content", hash)
}
