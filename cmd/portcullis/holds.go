package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// goesTooFar tells whether a plan holds what all tenants change together.
func goesTooFar(p *render.Plan) bool {
	_, far := p.SeedHold()
	return far
}

// approves tells whether an approval is of the head that is held, or of a commit
// below it that was held as well: its check says how to approve it, whatever was
// pushed since. Mass is all of the source, where that was held for going too far.
// What was held for something else may go too far besides: that was not asked when
// it was approved, and is held by itself.
func (f *follower) approves(ctx context.Context, a apply.Approval, now time.Time) (mass []render.Approved, of bool, err error) {
	far := f.heldForMass(a.Commit)
	switch {
	case f.held == "" || !f.repo.Has(f.held):
		return nil, false, nil
	case a.Commit != f.held:
		if far, of, err = f.approvesBelow(ctx, a.Commit, now); err != nil || !of {
			return nil, false, err
		}
	}
	if far {
		mass = []render.Approved{{Source: f.conf.Name}}
	}
	return mass, true, nil
}

// approvesBelow tells whether a commit was held before the head that is held now,
// which goes on from it, and whether for going too far: nothing else is against it
// then. What is against it by now and was not then, nobody approved.
func (f *follower) approvesBelow(ctx context.Context, commit string, now time.Time) (mass, held bool, err error) {
	records := f.records()
	i := slices.IndexFunc(records, func(r apply.CommitRecord) bool { return r.SHA == commit && r.Held != "" })
	if i < 0 || !f.repo.Has(commit) {
		return false, false, nil
	}
	below, err := f.repo.IsAncestor(ctx, commit, f.held)
	if err != nil || !below {
		return false, false, err
	}
	reason, err := f.objection(ctx, commit, now)
	return reason == "", reason == "" || reason == records[i].Held, err
}

// holdMass keeps to the accepted commit because the head changes too much on
// the seed at once. It waits for an approval, or for another head: what is live
// or how many clusters there are may change by a tenant's doing.
func (r *reconciler) holdMass(ctx context.Context, f *follower, head, reason string) error {
	if err := r.hold(ctx, f, apply.HeldCommit{Commit: head, Reason: reason, Mass: true}); err != nil {
		return err
	}
	return r.approved(ctx, f)
}

// heldForMass tells whether a head is held for what it changes.
func (f *follower) heldForMass(head string) bool {
	held := f.known().Held
	return held != nil && held.Mass && held.Commit == head
}

// reasonOf is why all that a plan holds is held: who approves it approves all.
func reasonOf(holds []render.MassHold) string {
	const shown = 3
	var out []string
	for _, h := range holds[:min(len(holds), shown)] {
		out = append(out, h.Reason)
	}
	if more := len(holds) - shown; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "; ")
}

// letTenants lets tenants' lists go ahead that an approval is of: up to its
// commit, nothing that came later.
func (r *reconciler) letTenants(ctx context.Context, f *follower, a apply.Approval) error {
	var approved []render.Approved
	for _, h := range f.known().Holds {
		covers, err := f.covers(ctx, a.Commit, h.Commit)
		if err != nil {
			return err
		}
		if covers && !timely(a, h.Since) {
			f.ignore(a, h.Since)
		} else if covers {
			approved = append(approved, render.Approved{Source: f.conf.Name, Tenant: h.Tenant, Rest: h.Tenant == ""})
		}
	}
	if len(approved) == 0 || !f.loaded {
		return nil
	}
	plan, err := r.render(ctx, approved...)
	if err != nil {
		return err
	}
	// First the lists: with those safe, an approval that is not written down
	// is only carried out again.
	if err := r.saveRetained(ctx, plan); err != nil {
		return err
	}
	err = f.update(ctx, func(s *apply.SourceState) {
		s.Approved = &a
		f.holdsInto(s, plan, nil, r.now())
		s.Stale = r.stale(f, plan)
	})
	if err != nil {
		return err
	}
	f.log.Info("Letting lists that were held go ahead", "commit", a.Commit, "by", a.By, "reason", a.Reason)
	r.adopt(ctx, plan)
	r.controller.Approved(r.approvals, a)
	return nil
}

// earliest is how long before a hold its approval may have been given: a hold is
// announced on the pull request. An older one was of another hold, even where
// the state that knew it is lost.
const earliest = time.Hour

func timely(a apply.Approval, since time.Time) bool { return a.At.After(since.Add(-earliest)) }

// ignore says once of an approval that it is too old for a hold that it names:
// it was given too far ahead, or by a clock that is behind.
func (f *follower) ignore(a apply.Approval, since time.Time) {
	if f.ignored.Commit == a.Commit && f.ignored.At.Equal(a.At) {
		return
	}
	f.ignored = a
	f.log.Error(nil, "Ignoring an approval that is dated more than an hour before the hold: approve again",
		"commit", a.Commit, "by", a.By, "approved", a.At.UTC().Format(time.RFC3339), "held", since.UTC().Format(time.RFC3339))
}

// covers tells whether what is approved up to one commit is what another asked
// for, and nothing newer than what is accepted.
func (f *follower) covers(ctx context.Context, approved, asked string) (bool, error) {
	switch {
	case approved == asked:
		return true, nil
	case !f.repo.Has(approved) || !f.repo.Has(asked):
		return false, nil
	}
	after, err := f.repo.IsAncestor(ctx, asked, approved)
	if err != nil || !after {
		return false, err
	}
	return f.repo.IsAncestor(ctx, approved, f.known().Accepted)
}

// holdsInto is what a plan holds of the source's tenants, what is in force of it,
// and on which clusters, as it is written down. A hold is of the commit that last asked for something else: one of
// these clusters is among those, sorted, that the newest set.
func (f *follower) holdsInto(s *apply.SourceState, plan *render.Plan, set []string, now time.Time) {
	var out []apply.TenantHold // nil where there are none, as it is read back
	for _, h := range plan.Holds {
		own := f.heldBy(plan, h)
		if len(own) == 0 {
			continue
		}
		next := apply.TenantHold{Tenant: h.Tenant, Commit: s.Accepted, Reason: h.Reason, Since: now.UTC().Truncate(time.Second), Clusters: len(own)}
		i := slices.IndexFunc(s.Holds, func(old apply.TenantHold) bool { return old.Tenant == h.Tenant })
		if i >= 0 && !slices.ContainsFunc(own, func(id string) bool { return has(set, id) }) {
			next.Commit, next.Since = s.Holds[i].Commit, s.Holds[i].Since
		}
		out = append(out, next)
	}
	s.Holds = out
	if s.Force = plan.Force(f.conf.Name); len(s.Force) == 0 {
		s.Force = nil // as it is read back
	}
	s.Overdue, s.Tenants = plan.Overdue(f.conf.Name), f.tenants
	// Where the files were read goes with what they became: with the lists safe
	// that were kept from before, nothing is to be looked for at the old place.
	s.Kept, s.Path, s.Tenant = plan.Kept(f.conf.Name), f.conf.Path, f.conf.Tenant
}

// heldOf are holds as a rewind finds them: whoever asked for it is not on the
// branch any more, so an approval up to its head would not be one of that.
func heldOf(holds []apply.TenantHold, commit string) []apply.TenantHold {
	out := slices.Clone(holds)
	for i := range out {
		out[i].Commit = commit
	}
	return out
}

// heldBy are the clusters of a hold that the source speaks for.
func (f *follower) heldBy(plan *render.Plan, h render.MassHold) []string {
	if h.Tenant != "" && h.Source != f.conf.Name {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(h.Clusters), func(id string) bool { return plan.Clusters[id].Claim.Source != f.conf.Name })
}

// saveHolds writes down what the plan in force holds of each source, and what is
// in force of it.
func (r *reconciler) saveHolds(ctx context.Context) error {
	for _, f := range r.sources {
		if f.known().Accepted == "" || !f.loaded {
			continue
		}
		err := f.update(ctx, func(s *apply.SourceState) {
			f.holdsInto(s, r.plan, nil, r.now())
			s.Stale = r.stale(f, r.plan)
		})
		if err != nil {
			return err
		}
	}
	return r.saveGone(ctx, r.plan)
}

// announce logs what a plan holds that the one before did not, and the entries
// that outlive their time because nothing else would be left.
func (r *reconciler) announce(plan *render.Plan) {
	for id, w := range plan.Clusters {
		if before := r.plan.Clusters[id]; expired(w) && (before == nil || !expired(before)) {
			r.log.Error(nil, "Keeping an entry that has expired: without it the filter would let everyone in", "cluster", id, "path", w.Claim.Path)
		}
	}
	for _, h := range plan.Holds {
		known := slices.ContainsFunc(r.plan.Holds, func(old render.MassHold) bool {
			return old.Source == h.Source && old.Tenant == h.Tenant && old.Reason == h.Reason
		})
		if !known {
			r.log.Error(nil, "Holding lists that change too much at once", "source", h.Source, "tenant", h.Tenant,
				"clusters", len(h.Clusters), "reason", h.Reason)
		}
	}
}

func expired(w *render.Wanted) bool { return w.Held != nil && w.Held.Rule == "expires-to-open" }

// approveLine is what lifts what is held of a commit's clusters.
func (f *follower) approveLine(plan *render.Plan, record apply.CommitRecord) string {
	for _, id := range record.Clusters {
		w := plan.Clusters[id]
		if w == nil || w.Asked == nil {
			continue
		}
		for _, h := range f.known().Holds {
			if h.Tenant == "" || h.Tenant == w.Claim.Tenant {
				return approveLine(f.conf.Name, h.Commit)
			}
		}
	}
	return approveLine(f.conf.Name, record.SHA)
}
