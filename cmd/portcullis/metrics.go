package main

import (
	"maps"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/metrics"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// glance is what the loop shows of itself after whatever it did: values that
// nobody changes afterwards, so that a scrape or a page waits for no lock, above
// all for none that is held while the API server is asked.
type glance struct {
	plan           *render.Plan
	policy         *policy.Policy
	inventory      render.Inventory
	sources        []metrics.Source
	gone           []metrics.Source // that the Config has no more
	files          [][]render.File  // of each source, as they were accepted
	stale, unsaved bool
}

// show leaves a glance for the next scrape.
func (r *reconciler) show() {
	g := &glance{plan: r.plan, policy: r.policy.current, inventory: r.inventory, stale: r.policy.stale(), unsaved: r.unsaved}
	for _, f := range r.sources {
		g.sources = append(g.sources, metrics.Source{Name: f.conf.Name, State: f.known(), Head: f.head, Found: f.found, Polled: f.polled})
		g.files = append(g.files, f.files)
	}
	for _, name := range slices.Sorted(maps.Keys(r.gone)) {
		g.gone = append(g.gone, metrics.Source{Name: name, State: r.gone[name], Gone: true})
	}
	r.glance.Store(g)
}

// view is the reconciler at the moment of a scrape. leads fails where this
// replica stands by.
func (r *reconciler) view(leads func() error) metrics.View {
	v := metrics.View{Version: version, Seed: r.config.Seed, Now: r.now()}
	g := r.glance.Load()
	if g == nil || leads() != nil {
		return v
	}
	v.Leading, v.Plan, v.PolicyStale, v.Unsaved = true, g.plan, g.stale, g.unsaved
	v.SeedRangesKnown = g.inventory.Seed.Known
	v.States, v.PutRight = r.controller.States(), r.controller.PutRight()
	v.Sources = slices.Clone(g.sources)
	for i, f := range r.sources {
		if f.outbox != nil {
			stats := f.outbox.Stats()
			v.Sources[i].Checks = &stats
		}
	}
	v.Sources = append(v.Sources, g.gone...)
	if balancer := g.policy.Seeds[r.config.Seed].Profile; balancer.Budget.Known() {
		v.Budget = metrics.Budget{Balancer: balancer.Name, SharedBy: string(balancer.Budget.SharedBy),
			Used: g.plan.BudgetUse(balancer.Budget, g.inventory), Limit: balancer.Budget.Rules}
	}
	if r.writes != nil {
		v.StateWrites, v.StateFailures = r.writes()
	}
	return v
}

// addMetrics shows the reconciler to Prometheus, where somebody asks.
func (o *runOptions) addMetrics(r *reconciler, term *tenure) error {
	if o.registry == nil {
		return nil
	}
	return o.registry.Register(metrics.NewCollector(func() metrics.View { return r.view(term.leads) }, r.recorder))
}

// rollout is a commit on its way to the clusters whose list it set.
type rollout struct {
	found    time.Time
	clusters []string
}

// setOut begins to measure a commit that was accepted, unless it was held: what
// somebody had to look at first says nothing of how quick the way is. A cluster
// whose list is set anew, one of the sorted set, is the newer commit's.
func (f *follower) setOut(head string, set []string, held bool) {
	for i := range f.rollouts {
		f.rollouts[i].clusters = slices.DeleteFunc(f.rollouts[i].clusters, func(id string) bool { return has(set, id) })
	}
	f.rollouts = slices.DeleteFunc(f.rollouts, func(o rollout) bool { return len(o.clusters) == 0 })
	if !held && head == f.head && len(set) > 0 {
		f.rollouts = append(f.rollouts, rollout{f.found, slices.Clone(set)})
	}
}

// has tells whether sorted IDs hold one.
func has(sorted []string, id string) bool {
	_, there := slices.BinarySearch(sorted, id)
	return there
}

// arrivedAt measures the commits that have come to all of their clusters, or to
// as many as they can.
func (f *follower) arrivedAt(now time.Time, states map[string]apply.ClusterState, note func(source string, took time.Duration)) {
	f.rollouts = slices.DeleteFunc(f.rollouts, func(o rollout) bool {
		reached := 0
		for _, id := range o.clusters {
			switch states[id].State {
			case apply.Pending:
				return false
			case apply.Applied, apply.Synced:
				reached++
			}
		}
		if reached > 0 {
			note(f.conf.Name, now.Sub(o.found))
		}
		return true
	})
}
