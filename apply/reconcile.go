package apply

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/portcullis-gitops/portcullis/render"
)

// Reconcile looks at one cluster and does what is to be done. It is called by
// the manager, for one cluster once at a time.
func (c *Controller) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	w := c.take(req.Name)
	if w == nil {
		c.forget(req.Name)
		return reconcile.Result{}, nil
	}
	m := c.remember(req.Name)
	cl, err := c.cluster(ctx, req.Name, m)
	if err != nil {
		return reconcile.Result{}, err
	}
	m.notAhead(c.clock.Now())
	m.kept = m.kept || c.wroteOver(cl)
	d := decide(w, cl, c.seed.last())
	if d.verb != leave {
		return c.restore(ctx, d.verb, w, cl, m)
	}
	m.failures, m.refused = 0, nil
	return c.conclude(ctx, d, w, cl, m)
}

// take begins to look at a cluster, and answers what is wanted of it.
func (c *Controller) take(id string) *render.Wanted {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order.took(id)
	return c.wanted[id]
}

// restore puts a cluster right, unless somebody may keep what is there for a
// time, or it is fought over and was put right a moment ago.
func (c *Controller) restore(ctx context.Context, v verb, w *render.Wanted, cl *Cluster, m *memory) (reconcile.Result, error) {
	now := c.clock.Now()
	g := c.mayStay(w, cl, m, now)
	if !g.until.IsZero() {
		c.record(w.Cluster, w, c.letStay(w, cl, m, g.until, now))
		return after(g.until, now), nil
	}
	c.endByHand(w, cl, m, orElse(g.refused, "nobody asks for it any more"))
	if due := m.due(w, cl, c.seed.last()); now.Before(due) {
		c.record(w.Cluster, w, contested(m.standing.Foreign))
		return after(due, now), nil
	}
	return c.carryOut(ctx, v, w, cl, m)
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// cluster is the newest that is known of a Cluster; nil if it is not there.
func (c *Controller) cluster(ctx context.Context, id string, m *memory) (*Cluster, error) {
	cached := &Cluster{}
	err := c.client.Get(ctx, request(id).NamespacedName, cached)
	if apierrors.IsNotFound(err) {
		*m = memory{}
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get cluster %s from the cache: %w", id, err)
	}
	return m.freshest(cached), nil
}

// conclude records the state of a cluster to which nothing is to be done, and
// answers when it will be another by time alone.
func (c *Controller) conclude(ctx context.Context, d decision, w *render.Wanted, cl *Cluster, m *memory) (reconcile.Result, error) {
	if d.replan {
		c.news.signal()
	}
	if !d.settled {
		return c.notKept(d, w, cl, m), nil
	}
	st, err := c.settledState(ctx, w, cl, m)
	if err != nil {
		return reconcile.Result{}, err
	}
	now := c.clock.Now()
	m.kept, m.seen, m.looked = true, sightOf(cl), true
	if m.sent != nil && sameLive(*m.sent, m.seen.live) {
		m.sent = &m.seen.live // one text is enough
	}
	c.tellEnded(w)
	c.inForce(w, cl, m, st)
	next := m.calm(now)
	if f := m.standing.Foreign; f != nil && f.Contested {
		st = contestedOver(st, contested(f))
	}
	c.record(w.Cluster, w, st)
	return after(next, now), nil
}

// notKept records the state of a cluster of which nothing is kept, so that
// what is said of its list does not stand any more.
func (c *Controller) notKept(d decision, w *render.Wanted, cl *Cluster, m *memory) reconcile.Result {
	m.kept, m.standing = false, m.standing.lasting()
	if cl == nil || cl.DeletionTimestamp != nil { // it does not come back
		m.standing = Standing{}
	}
	if w.Access == render.Unmanaged { // what was put right once is anybody's to set now
		m.standing.Foreign = nil
	}
	now := c.clock.Now()
	next := m.calm(now)
	c.record(w.Cluster, w, d.state)
	return after(next, now)
}

// carryOut writes, unless the same write was refused a short while ago.
func (c *Controller) carryOut(ctx context.Context, v verb, w *render.Wanted, cl *Cluster, m *memory) (reconcile.Result, error) {
	if now := c.clock.Now(); m.refused.stands(w, cl, now) {
		c.record(w.Cluster, w, m.refused.state)
		return after(m.refused.next, now), nil
	}
	cidrs, err := c.prepare(v, w)
	if err != nil {
		c.log.Error(err, "list is not written", "cluster", w.Cluster)
		st := say(Rejected, "%v", err)
		m.refuse(w, cl, st, false, c.clock.Now())
		c.record(w.Cluster, w, st)
		return reconcile.Result{}, nil
	}
	if c.options.DryRun {
		c.pretend(v, w, cl, cidrs)
		return reconcile.Result{}, nil
	}
	if err := c.limiter.Wait(ctx); err != nil {
		return reconcile.Result{}, nil // ended; nothing was written
	}
	if now := c.wantedOf(w.Cluster); now == nil || !sameWanted(now, w) {
		return reconcile.Result{}, nil // the new plan has put it in the queue
	}
	return c.send(ctx, v, w, cl, m)
}

// prepare answers the text of the list, or why it must not be written; nothing
// for a removal.
func (c *Controller) prepare(v verb, w *render.Wanted) ([]string, error) {
	if v == remove {
		return nil, nil
	}
	return blocks(w.List)
}

func (c *Controller) send(ctx context.Context, v verb, w *render.Wanted, cl *Cluster, m *memory) (reconcile.Result, error) {
	var written *Cluster
	var err error
	by, foreign := m.foreign(cl)
	m.sent = &render.Live{}
	if v == remove {
		written, err = c.sendRemoval(ctx, cl)
	} else {
		m.sent = &render.Live{Set: true, CIDRs: texts(w)}
		written, err = c.sendList(ctx, cl, w.List)
	}
	if err != nil {
		return c.failed(ctx, err, w, cl, m), nil
	}
	if foreign {
		c.tellForeign(w, cl, m, by)
	} else {
		c.tellAdopted(w, cl, m)
	}
	m.written, m.failures = written, 0
	return c.verify(ctx, w, written, m)
}

// verify looks at what a write left: a mutating webhook, such as KKP's with a
// Seed's cluster template, may have stored something else, and writing again
// at once would only start a race with it.
func (c *Controller) verify(ctx context.Context, w *render.Wanted, written *Cluster, m *memory) (reconcile.Result, error) {
	d := decide(w, written, c.seed.last())
	if d.verb == leave {
		m.refused = nil
		c.log.Info("list written", "cluster", w.Cluster, "access", w.Access, "prefixes", len(w.List))
		return c.conclude(ctx, d, w, written, m)
	}
	m.kept = false // what is there now is no overwrite, but an answer
	st := say(Rejected, "the API server stored something else than was sent: %s; %s", shown(liveList(written)), c.refilledBy(w))
	wait := m.refuse(w, written, st, true, c.clock.Now())
	c.record(w.Cluster, w, st)
	return reconcile.Result{RequeueAfter: wait}, nil
}

// failed records why a write did not succeed, and when it is tried again.
func (c *Controller) failed(ctx context.Context, err error, w *render.Wanted, cl *Cluster, m *memory) reconcile.Result {
	if ctx.Err() != nil {
		return reconcile.Result{}
	}
	what, words, asked := judge(err)
	c.log.V(1).Info("write failed", "cluster", w.Cluster, "reason", words)
	switch what {
	case planAgain:
		c.record(w.Cluster, w, say(Missing, "%s", words))
		c.news.signal()
		return reconcile.Result{RequeueAfter: max(m.backoff(), time.Second)}
	case tryAgain:
		c.record(w.Cluster, w, say(Pending, "not written yet: %s", words))
		return reconcile.Result{RequeueAfter: max(m.backoff(), asked)}
	}
	st := say(Rejected, "%s", words)
	wait := m.refuse(w, cl, st, what == trySlowly, c.clock.Now())
	c.record(w.Cluster, w, st)
	return reconcile.Result{RequeueAfter: wait}
}

func after(next, now time.Time) reconcile.Result {
	if next.IsZero() {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: next.Sub(now)}
}

// remember answers a cluster's memory, a new one if there is none.
func (c *Controller) remember(id string) *memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.memories[id]
	if m == nil {
		m = recall(c.restored[id])
		delete(c.restored, id)
		c.memories[id] = m
	}
	return m
}

// forget drops the memory of a cluster that is in no plan any more, all but
// what must not begin anew when it comes back.
func (c *Controller) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.memories[id]
	if m == nil {
		return
	}
	delete(c.memories, id)
	m.standing = m.standing.lasting()
	if s := m.publish(); s != nil {
		c.restored[id] = *s
		c.outcomes.signal() // it is to be written down
	}
}

// gone drops what is left of a Cluster that was deleted.
func (c *Controller) gone(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.restored, id)
}
