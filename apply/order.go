package apply

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// order says whose turn it is, when there is more to write than the seed takes
// at once. It is fair queueing, by start time: what is due at one moment gets
// turns from the present one on, so that
//
//	a few clusters     do not wait behind many: those of two plans take turns,
//	                   and so do the tenants of one
//	a tightening       goes ahead of whatever widens and was not yet due
//	a widening         is passed by share tightenings at most, and never by
//	                   more than those of its own tenant in the same plan
//	what needs a look  and no write goes at once, and takes nobody's turn
type order struct {
	now   int64            // the turn of what was taken last
	turns map[string]int64 // of the clusters that wait for theirs
}

// share is how many tightenings there are to one widening, while there are both.
const share = 8

// due is a cluster that is to be looked at.
type due struct {
	cluster, tenant string
	writes          bool // else a look is all it takes, as far as can be told
	widens          bool // the write lets nobody in less
}

// turn is when a cluster's is: lower ones are earlier.
type turn struct {
	cluster string
	at      int64
}

func newOrder() order { return order{turns: map[string]int64{}} }

// rank gives turns to what is due at one moment, the earliest first. One that
// waits already keeps its turn if that is earlier.
func (o *order) rank(all []due) []turn {
	var out []turn
	var tightening, widening []due
	for _, d := range all {
		switch {
		case !d.writes:
			out = append(out, turn{d.cluster, o.atOnce(d.cluster)})
		case d.widens:
			widening = append(widening, d)
		default:
			tightening = append(tightening, d)
		}
	}
	last := map[string]int64{} // of a tenant's tightenings
	for i, d := range alternate(tightening) {
		last[d.tenant] = o.now + 1 + int64(i)
		out = append(out, o.wait(d.cluster, last[d.tenant]))
	}
	for i, d := range alternate(widening) {
		out = append(out, o.wait(d.cluster, max(o.now+share*int64(i+1), last[d.tenant])))
	}
	slices.SortStableFunc(out, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	return out
}

func (o *order) wait(cluster string, at int64) turn {
	if before, waits := o.turns[cluster]; waits {
		at = min(at, before)
	}
	o.turns[cluster] = at
	return turn{cluster, at}
}

// atOnce takes a cluster out of the line, for a look before all that wait.
func (o *order) atOnce(cluster string) int64 {
	delete(o.turns, cluster)
	return o.now
}

// took says that a cluster is being looked at: it is past its turn.
func (o *order) took(cluster string) {
	if at, waited := o.turns[cluster]; waited {
		o.now = max(o.now, at)
		delete(o.turns, cluster)
	}
}

// alternate has the tenants take turns, those with the fewest clusters first.
func alternate(all []due) []due {
	tenants := map[string][]due{}
	for _, d := range all {
		tenants[d.tenant] = append(tenants[d.tenant], d)
	}
	names := slices.SortedFunc(maps.Keys(tenants), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(tenants[a]), len(tenants[b])), cmp.Compare(a, b))
	})
	out := make([]due, 0, len(all))
	for i := 0; len(out) < len(all); i++ {
		for _, name := range names {
			if of := tenants[name]; i < len(of) {
				out = append(out, of[i])
			}
		}
	}
	return out
}

// enqueue puts clusters into the queue, each for its turn. Before there is a
// queue it does nothing: everything is put in it then.
func (c *Controller) enqueue(ids []string) {
	if !c.started() {
		return
	}
	all := make([]due, 0, len(ids))
	for _, id := range ids {
		all = append(all, c.due(id))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.order.rank(all) {
		c.put(t)
	}
}

// started tells whether there is a queue.
func (c *Controller) started() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue != nil
}

// lookAt has a cluster of the plan looked at before all that wait: something
// happened to it. If it comes into the plan later, SetPlan sees to that.
func (c *Controller) lookAt(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue != nil && c.wanted[id] != nil {
		c.put(turn{id, c.order.atOnce(id)})
	}
}

func (c *Controller) put(t turn) {
	priority := -int(t.at) // the queue has the highest first
	c.queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request(t.cluster))
}

// due tells what a cluster is in for, as the cache has it. Where that lags
// behind, the cluster is only early or late.
func (c *Controller) due(id string) due {
	d := due{cluster: id}
	w := c.wantedOf(id)
	if w == nil {
		return d
	}
	cl := &Cluster{}
	if err := c.client.Get(context.Background(), client.ObjectKey{Name: id}, cl); err != nil {
		return d // not there, or soon to be seen
	}
	seed := c.seed.last()
	d.tenant, d.writes = w.Claim.Tenant, decide(w, cl, seed).verb != leave
	d.widens = d.writes && !wider(w, liveList(cl), seed)
	return d
}
