package apply

import (
	"maps"
	"reflect"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/portcullis-gitops/portcullis/render"
)

// SetPlan says what is wanted from now on. Clusters of which something else is
// wanted than before become Pending and are looked at; no other is. The plan
// must not be changed afterwards. Calls must not overlap.
func (c *Controller) SetPlan(plan *render.Plan) {
	c.mu.Lock()
	changed := c.adopt(plan)
	regranted := !c.byHand.Same(plan.ByHand)
	c.byHand = plan.ByHand
	c.mu.Unlock()

	if len(changed) > 0 {
		c.outcomes.signal()
	}
	c.enqueue(changed)
	if regranted { // a list set by hand may stay from now on, or no longer
		c.lookAtAll()
	}
}

// adopt takes a plan over and answers the clusters it changes, those that left
// it among them.
func (c *Controller) adopt(plan *render.Plan) []string {
	old := c.wanted
	c.ownStates()
	c.told.replanned(old, c.plannedAt, plan)
	c.wanted, c.plannedAt = maps.Clone(plan.Clusters), plan.Now
	var changed []string
	for id, w := range c.wanted {
		if before := old[id]; before != nil && sameWanted(before, w) {
			continue
		}
		changed = append(changed, id)
		st := say(Pending, "not looked at yet")
		st.Standing = c.states[id].Standing
		c.states[id] = c.since(id, st)
	}
	for id := range old {
		if c.wanted[id] == nil {
			changed = append(changed, id)
			delete(c.states, id)
		}
	}
	slices.Sort(changed)
	return changed
}

// sameWanted tells whether two plans want the same of a cluster, as far as
// what is written and said about it goes.
func sameWanted(a, b *render.Wanted) bool {
	return a.UID == b.UID && a.Access == b.Access && slices.Equal(a.List, b.List) &&
		a.Claim.Tenant == b.Claim.Tenant && a.Claim.Source == b.Claim.Source &&
		sameHold(a.Held, b.Held)
}

func sameHold(a, b *render.Hold) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// wantedOf answers what is wanted of a cluster now; nil if nothing is.
func (c *Controller) wantedOf(id string) *render.Wanted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted[id]
}

// States is how every cluster of the plan stands. Right after SetPlan, those
// of which something else is wanted than before are Pending: a state is always
// about the plan that is in force. It is for reading only: who asks while nothing
// changes is given the same map again.
func (c *Controller) States() map[string]ClusterState {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lent = true
	return c.states
}

// ownStates is called, with the lock held, before states change.
func (c *Controller) ownStates() {
	if c.lent {
		c.states, c.lent = maps.Clone(c.states), false
	}
}

// Outcomes wakes a reader when the state of some cluster changed.
func (c *Controller) Outcomes() <-chan struct{} { return c.outcomes }

// News wakes a reader when the plan should be made anew, because Inventory
// changed in a way that matters to it: clusters that came, went or were made
// anew, their project, labels, name, expose strategy, datacenter, pause,
// namespace, deletion; the Seed's ranges. Not for what is live.
func (c *Controller) News() <-chan struct{} { return c.news }

// record sets a cluster's state, unless the plan meanwhile wants something else
// of it than the state is about.
func (c *Controller) record(id string, w *render.Wanted, st ClusterState) {
	c.mu.Lock()
	now := c.wanted[id]
	if now == nil || !sameWanted(now, w) {
		c.mu.Unlock()
		return
	}
	before := c.states[id]
	if m := c.memories[id]; m != nil {
		st.Standing = m.publish()
	}
	c.ownStates()
	c.states[id] = c.since(id, st)
	news := c.told.news(w, st, c.clock.Now())
	c.mu.Unlock()
	if news != "" {
		c.tellState(news, w, st)
	}

	if before.State == st.State && before.Message == st.Message && before.Beneath == st.Beneath &&
		reflect.DeepEqual(before.Trouble, st.Trouble) && reflect.DeepEqual(before.Standing, st.Standing) {
		return
	}
	c.log.V(1).Info("cluster state changed", "cluster", id, "state", st.State, "message", st.Message)
	c.outcomes.signal()
}

// since dates a state: from now, or from when the cluster came into it.
func (c *Controller) since(id string, st ClusterState) ClusterState {
	st.Since = c.clock.Now()
	if before, ok := c.states[id]; ok && before.State == st.State {
		st.Since = before.Since
	}
	return st
}

func request(id string) reconcile.Request {
	var r reconcile.Request
	r.Name = id
	return r
}
