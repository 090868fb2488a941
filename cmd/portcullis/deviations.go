package main

import (
	"context"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// mostDeviations bounds what `status` is told of clusters one by one.
const mostDeviations = 2000

// saveDeviations writes down the clusters whose state cannot be told from the
// objects on the seed, for `status`. It waits until no commit is under way, so
// that a rollout is not a write for each cluster.
func (f *follower) saveDeviations(ctx context.Context, r *reconciler, states map[string]apply.ClusterState) {
	if r.dryRun || !f.loaded {
		return
	}
	latest := f.deviations(r.plan, states)
	f.mu.Lock()
	f.latest = latest
	f.mu.Unlock()
	if f.underWay() {
		return
	}
	if err := f.update(ctx, func(s *apply.SourceState) { s.Deviations = latest }); err != nil {
		f.log.Error(err, "Cannot write down the clusters that deviate")
	}
}

// underWay tells whether a commit's check is still to be told its end.
func (f *follower) underWay() bool {
	if f.outbox == nil {
		return false
	}
	for _, record := range f.records() {
		if record.Delivered == "" {
			return true
		}
	}
	return false
}

func (f *follower) deviations(plan *render.Plan, states map[string]apply.ClusterState) map[string]apply.Deviation {
	var out map[string]apply.Deviation // nil where there are none, as it is read back
	for id, w := range plan.Clusters {
		if w.Claim.Source != f.conf.Name || len(out) == mostDeviations {
			continue
		}
		s, known := states[id]
		if !known || s.State == "" || w.Access == render.Restricted && derivable(s.State) {
			continue
		}
		if out == nil {
			out = map[string]apply.Deviation{}
		}
		out[id] = apply.Deviation{State: s.State, Message: cut(s.Message, 200), Since: s.Since, Tenant: w.Claim.Tenant}
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
