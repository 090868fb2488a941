package main

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// mostDeviations bounds what `status` is told of clusters one by one.
const mostDeviations = 2000

// observation is what `status` cannot see for itself.
type observation struct {
	deviations map[string]apply.Deviation
	resting    map[string]apply.Standing
	seed       render.SeedRanges
	balancer   apply.Balancer
	notices    []string
}

// observed takes the latest observation into a state that is to be written.
func (f *follower) observed(s *apply.SourceState) {
	if f.latest != nil {
		s.Deviations, s.SeedRanges, s.Notices = f.latest.deviations, f.latest.seed, f.latest.notices
		s.Resting, s.Balancer = f.latest.resting, f.latest.balancer
	}
}

// saveDeviations writes down the clusters whose state cannot be told from the
// objects on the seed, for `status`. It waits until no commit is under way, so
// that a rollout is not a write for each cluster.
func (f *follower) saveDeviations(ctx context.Context, r *reconciler, states map[string]apply.ClusterState) {
	if r.dryRun || !f.loaded && !f.silent || f.known().Accepted == "" || f.wait(&f.blind, !f.lookedAt(r.plan, states), r.now()) {
		return
	}
	f.mu.Lock()
	f.latest = &observation{f.deviations(r.plan, states), r.resting(f), r.inventory.Seed, r.policy.balancer(), r.controller.Notices()}
	f.mu.Unlock()
	if f.underWay(r.now()) || f.tooSoon(r.now()) {
		return
	}
	if err := f.update(ctx, f.observed, func() { f.savedAt = r.now() }); err != nil {
		f.log.Error(err, "Cannot write down the clusters that deviate")
		r.lose(err)
	}
}

// apart is the least time between two writes of nothing but what stands besides
// the states: load balancers and KKP can find fault with a whole seed, one
// cluster after the other.
const apart = 10 * time.Second

// tooSoon tells whether to write down later what there is to write, and when.
func (f *follower) tooSoon(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saveAt = time.Time{}
	before, after := f.state.Deviations, f.latest.deviations
	if next := f.savedAt.Add(apart); !now.Before(f.savedAt) && now.Before(next) && !reflect.DeepEqual(before, after) && reflect.DeepEqual(statesOf(before), statesOf(after)) {
		f.saveAt = next
		return true
	}
	return false
}

// statesOf are deviations without what stands besides.
func statesOf(all map[string]apply.Deviation) map[string]apply.Deviation {
	out := map[string]apply.Deviation{}
	for id, d := range all {
		if d.Standing = nil; d.State != "" {
			out[id] = d
		}
	}
	return out
}

// lookedAt tells whether the state of each of the source's clusters is known:
// after a start it takes a moment.
func (f *follower) lookedAt(plan *render.Plan, states map[string]apply.ClusterState) bool {
	for id, w := range plan.Clusters {
		if w.Claim.Source != f.conf.Name {
			continue
		}
		if s, known := states[id]; !known || s.State == apply.Pending {
			return false
		}
	}
	return true
}

// patience is how long `status` waits for clusters to be looked at, and for a
// commit's check: an API server that is busy, or a Git host that is away, must
// not hide how the others stand.
const patience = 30 * time.Second

// wait tells whether to wait on, where there is something to wait for; since
// says since when, and once in a while it goes on all the same.
func (f *follower) wait(since *time.Time, waiting bool, now time.Time) bool {
	switch {
	case !waiting:
		*since = time.Time{}
	case since.IsZero(), now.Before(*since): // or the clock was set back
		*since = now
	case now.Sub(*since) > patience:
		*since = now
		return false
	}
	return waiting
}

// underWay tells whether a commit's check is still to be told its end, and may
// be soon.
func (f *follower) underWay(now time.Time) bool {
	waiting := f.outbox != nil && slices.ContainsFunc(f.records(), func(r apply.CommitRecord) bool { return r.Delivered == "" })
	return f.wait(&f.busy, waiting, now)
}

// deviations are the source's clusters of which a restart could not tell how they
// stand. Before the source is read, what was known of the others counts still.
func (f *follower) deviations(plan *render.Plan, states map[string]apply.ClusterState) map[string]apply.Deviation {
	var out map[string]apply.Deviation // nil where there are none, as it is read back
	if !f.loaded {
		out = maps.Clone(f.state.Deviations)
		maps.DeleteFunc(out, func(id string, _ apply.Deviation) bool { return plan.Clusters[id] != nil })
	}
	for _, id := range f.deviating(plan, states) {
		if len(out) >= mostDeviations {
			break
		}
		w, s := plan.Clusters[id], states[id]
		if out == nil {
			out = map[string]apply.Deviation{}
		}
		d := apply.Deviation{Tenant: w.Claim.Tenant, Standing: s.Standing}
		if !seen(w, s) {
			d.State, d.Message, d.Since = s.State, cut(s.Message, 200), s.Since.UTC().Truncate(time.Second)
		}
		if was, ok := f.state.Deviations[id]; ok && was.State == d.State { // as before a restart
			d.Since = was.Since
		}
		out[id] = d
	}
	return out
}

// deviating are the source's clusters that have something to be written down, in
// an order, so that it is the same ones each time.
func (f *follower) deviating(plan *render.Plan, states map[string]apply.ClusterState) []string {
	var out []string
	for id, w := range plan.Clusters {
		if s := states[id]; w.Claim.Source == f.conf.Name && s.State != "" && (!seen(w, s) || s.Standing != nil) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// seen tells whether a state can be told from the objects.
func seen(w *render.Wanted, s apply.ClusterState) bool {
	return w.Access == render.Restricted && derivable(s.State)
}

// standing is what an earlier process knew of clusters besides their states.
func standing(sources map[string]apply.SourceState) map[string]apply.Standing {
	out := map[string]apply.Standing{}
	for _, s := range sources {
		maps.Copy(out, s.Resting)
	}
	for _, s := range sources {
		for id, d := range s.Deviations {
			if d.Standing != nil {
				out[id] = *d.Standing
			}
		}
	}
	return out
}

// resting are the times by hand that go on while no plan has their cluster. They
// are nobody's for that time, and written down with the first source. Until all
// sources are read it is not known which those are.
func (r *reconciler) resting(f *follower) map[string]apply.Standing {
	if f != r.sources[0] || slices.ContainsFunc(r.sources, func(other *follower) bool { return !other.loaded }) {
		return f.state.Resting
	}
	out := r.controller.Resting()
	for _, id := range slices.Sorted(maps.Keys(out))[min(len(out), mostDeviations):] {
		delete(out, id)
	}
	return out
}

// derivable states are seen on the Cluster and its Service.
func derivable(s apply.State) bool { return s == apply.Synced || s == apply.Applied }

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
