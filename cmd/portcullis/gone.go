package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// A source that is taken out of the Config, or is called otherwise there, leaves
// its clusters to nobody. What the state says of it is kept up: on each of its
// clusters that no other source claims the last list stays, is put right where it
// is known, and is told as held; `portcullis approve` of the commit that was
// accepted last lets go of them, and leaves what they carry.

// findGone takes up the sources that the Config does not have any more. What was
// found of those that it has counts for more.
func (r *reconciler) findGone(ctx context.Context, states map[string]apply.SourceState) {
	r.gone = map[string]apply.SourceState{}
	for _, name := range r.goneIn(states) {
		state := states[name]
		inventory, err := r.controller.Inventory(ctx)
		if err != nil {
			r.log.Error(err, "Cannot look for the lists that were kept", "source", name)
			return
		}
		found := render.Find(state.Kept, home(name, state), inventory, true).Gone()
		known, unknown := found.Found(name)
		r.base, r.gone[name] = found.With(r.base), state
		if known+unknown > 0 {
			r.log.Error(nil, "A source is not in the Config any more; its clusters keep their last lists until another source claims them",
				"source", name, "clusters", known+unknown, "approve", approveLine(name, state.Accepted))
		}
	}
}

// goneIn are the sources of the state that the Config does not have any more, and
// that still have clusters, sorted.
func (r *reconciler) goneIn(states map[string]apply.SourceState) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if state := states[name]; !r.inConfig(name) && state.Accepted != "" && len(state.Kept) > 0 {
			out = append(out, name)
		}
	}
	return out
}

func (r *reconciler) inConfig(source string) bool {
	return slices.ContainsFunc(r.sources, func(f *follower) bool { return f.conf.Name == source })
}

// saveGone writes down what a plan keeps of sources that are gone.
func (r *reconciler) saveGone(ctx context.Context, plan *render.Plan) error {
	for _, name := range slices.Sorted(maps.Keys(r.gone)) {
		if err := r.updateGone(ctx, stillOf(r.gone[name], plan, r.now())); err != nil {
			return err
		}
	}
	return nil
}

func (r *reconciler) updateGone(ctx context.Context, next apply.SourceState) error {
	if reflect.DeepEqual(next, r.gone[next.Name]) {
		return nil
	}
	if err := r.store.SaveSource(ctx, next); err != nil {
		return fmt.Errorf("write down the state of source %s: %w", next.Name, err)
	}
	r.gone[next.Name] = next
	return nil
}

// stillOf is the state of a source that is gone, with what a plan keeps of it. A
// head that was held is not followed by anybody: if the source comes back, it is
// judged anew.
func stillOf(s apply.SourceState, plan *render.Plan, now time.Time) apply.SourceState {
	since := now.UTC().Truncate(time.Second)
	if len(s.Holds) == 1 && s.Holds[0].Reason == goneReason {
		since = s.Holds[0].Since
	}
	s.Kept, s.Held, s.Holds, s.Deviations = plan.Kept(s.Name), nil, nil, nil
	s.Balancer, s.Tenants = apply.Balancer{}, nil // as the policy had them once
	n := 0
	for _, id := range slices.Sorted(maps.Keys(plan.Clusters)) {
		w := plan.Clusters[id]
		if w.Claim.Source != s.Name || w.Held == nil {
			continue
		}
		if n++; n > mostDeviations {
			continue
		}
		if s.Deviations == nil {
			s.Deviations = map[string]apply.Deviation{}
		}
		s.Deviations[id] = apply.Deviation{State: apply.Held, Message: cut(w.Held.Message, 200), Since: since, Tenant: w.Claim.Tenant}
	}
	if n > 0 {
		s.Holds = []apply.TenantHold{{Commit: s.Accepted, Reason: goneReason, Since: since, Clusters: n}}
	}
	return s
}

const goneReason = "the source is not in the Config any more, and no other claims clusters that it had: their last lists are kept"

// letGone lets go of the clusters of sources that are gone, where that is
// approved.
func (r *reconciler) letGone(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(r.gone)) {
		a, found := r.approvals.Of(ctx, name)
		if !found || !letsGo(r.gone[name], a) {
			continue
		}
		next := stillOf(r.gone[name], &render.Plan{}, r.now())
		next.Approved = &a
		if err := r.updateGone(ctx, next); err != nil {
			r.log.Error(err, "Cannot let go of a source's clusters", "source", name)
			r.lose(err)
			continue
		}
		r.log.Info("Letting go of the clusters of a source that is not in the Config", "source", name, "by", a.By, "reason", a.Reason)
		r.base = r.base.LetGo(name)
		r.replan(ctx)
		r.controller.Approved(r.approvals, a)
	}
}

// letsGo tells whether an approval is of what is held of a source that is gone,
// and was not acted upon before.
func letsGo(s apply.SourceState, a apply.Approval) bool {
	if done := s.Approved; done != nil && done.Commit == a.Commit && done.At.Equal(a.At) {
		return false
	}
	return len(s.Holds) == 1 && s.Holds[0].Reason == goneReason && s.Holds[0].Commit == a.Commit && timely(a, s.Holds[0].Since)
}
