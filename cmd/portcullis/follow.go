package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/source"
)

// take takes up what the state says of the source.
func (f *follower) take(state apply.SourceState, retained map[string]render.Retained) {
	f.mu.Lock()
	f.state = state
	f.state.Name = f.conf.Name
	f.state.Seed = strings.TrimPrefix(f.context, "portcullis/")
	f.mu.Unlock()
	f.retained = map[string]render.Retained{}
	for id, kept := range retained {
		if kept.Claim.Source == f.conf.Name && !slices.Contains(state.Stale, id) {
			f.retained[id] = kept
		}
	}
	if state.Held != nil {
		f.held = state.Held.Commit
	}
	f.remind()
}

// refused are the files that were refused when they were judged.
func (f *follower) refused() []render.FileID { return filesAt(f.conf.Name, f.known().Refused) }

// overdue are those of them with lines that had expired when they were added.
func (f *follower) overdue() []render.FileID { return filesAt(f.conf.Name, f.known().Overdue) }

func filesAt(source string, paths []string) []render.FileID {
	var out []render.FileID
	for _, path := range paths {
		out = append(out, render.FileID{Source: source, Path: path})
	}
	return out
}

// follow acts on what a poll found. A poll that failed changes nothing.
func (r *reconciler) follow(ctx context.Context, p polled) {
	f := p.follower
	r.followPolicy(ctx)
	if p.err != nil {
		f.log.Error(p.err, "Cannot poll the source")
		r.silence(ctx, f)
		return
	}
	if f.polled = r.now(); f.head != p.head {
		f.head, f.found = p.head, f.polled.Add(-p.took)
	}
	if f.desk != nil {
		f.desk.Wake() // a pull request's head may have moved
	}
	if err := r.move(ctx, f, p.head); err != nil {
		f.log.Error(err, "Cannot follow the branch", "commit", p.head)
		r.lose(err)
	}
	r.silence(ctx, f)
}

// move brings a source to the head of its branch.
func (r *reconciler) move(ctx context.Context, f *follower, head string) error {
	if !f.loaded && f.known().Accepted != "" && f.repo.Has(f.known().Accepted) {
		if err := r.load(ctx, f); err != nil {
			return err
		}
		// Where a newer commit follows at once, as after a state from a backup, the
		// lists of this one are not written for the moment in between.
		if r.replanUnseen(ctx) {
			defer func() { r.controller.SetPlan(r.plan) }()
		}
	}
	switch {
	case head == f.known().Accepted:
		if err := r.release(ctx, f); err != nil {
			return err
		}
		return r.approved(ctx, f) // of what is held of it
	case head == f.held && (f.verifier == nil || f.heldForMass(head)): // nothing but an approval can change that
		return r.approved(ctx, f)
	}
	reason, err := f.objection(ctx, head, r.now())
	switch {
	case err != nil:
		return err
	case reason == "":
		return r.accept(ctx, f, head, nil)
	case head != f.held || reason != f.heldFor():
		if err := r.hold(ctx, f, apply.HeldCommit{Commit: head, Reason: reason}); err != nil {
			return err
		}
	}
	return r.approved(ctx, f)
}

// lookAtApprovals lets go ahead what was held and is approved by now.
func (r *reconciler) lookAtApprovals(ctx context.Context) {
	for _, f := range r.sources {
		if err := r.approved(ctx, f); err != nil {
			f.log.Error(err, "Cannot follow the branch", "commit", f.held)
			r.lose(err)
		}
	}
	r.letGone(ctx)
}

// approved lets what is held of a source go ahead if it is approved: a head,
// or tenants of the accepted commit. An approval counts once: the same head,
// held again, is another case.
func (r *reconciler) approved(ctx context.Context, f *follower) error {
	a, found := r.approvals.Of(ctx, f.conf.Name)
	if done := f.known().Approved; !found || done != nil && done.Commit == a.Commit && done.At.Equal(a.At) {
		return nil
	}
	mass, of, err := f.approves(ctx, a, r.now())
	switch {
	case err != nil:
		return err
	case !of:
		return r.letTenants(ctx, f, a)
	}
	if since := f.known().Held.Since; !timely(a, since) {
		f.ignore(a, since)
		return nil
	}
	head := f.held
	f.log.Info("Following a commit that was held", "commit", a.Commit, "by", a.By, "reason", a.Reason)
	if err := r.accept(ctx, f, a.Commit, &a, mass...); err != nil {
		return err
	}
	r.controller.Approved(r.approvals, a)
	if head == a.Commit {
		return nil
	}
	return r.move(ctx, f, head) // what came after is judged by itself
}

// forward tells whether the head follows from the accepted commit. One that
// the history no longer has was rewound away.
func (f *follower) forward(ctx context.Context, head string) (bool, error) {
	switch {
	case f.known().Accepted == "":
		return true, nil
	case !f.repo.Has(f.known().Accepted):
		return false, nil
	}
	return f.repo.IsAncestor(ctx, f.known().Accepted, head)
}

// hold keeps to the accepted commit, and says so on the head.
func (r *reconciler) hold(ctx context.Context, f *follower, held apply.HeldCommit) error {
	head, reason := held.Commit, held.Reason
	held.Since = r.now().UTC().Truncate(time.Second)
	f.log.Info("Not following the branch", "commit", head, "accepted", f.known().Accepted, "reason", reason)
	err := f.update(ctx, func(s *apply.SourceState) {
		s.Held = &held
		for i := range s.Commits {
			if r := &s.Commits[i]; r.SHA == head { // it was followed or passed before, and answers for its lists still
				r.Held, r.Delivered, r.State, r.Superseded = reason, "", "", ""
				return
			}
		}
		s.Commits = tidy(append(s.Commits, apply.CommitRecord{SHA: head, Held: reason}), f.outbox != nil)
	}, func() { f.forget(head) })
	if err == nil {
		f.held = head
	}
	return err
}

// release forgets a head that was held: the branch is back where it was.
func (r *reconciler) release(ctx context.Context, f *follower) error {
	if f.held == "" {
		return nil
	}
	held, accepted := f.held, f.known().Accepted
	passed, err := f.repo.IsAncestor(ctx, held, accepted)
	if err != nil {
		return err
	}
	err = f.update(ctx, func(s *apply.SourceState) {
		s.Held = nil
		for i := range s.Commits {
			r := &s.Commits[i]
			switch {
			case r.SHA != held || r.Held == "":
			case r.Base != "" || len(r.Clusters) > 0: // it was followed before, and has its own verdict back
				r.Held, r.Delivered, r.State = "", "", ""
			case passed: // long ago, when nobody remembers
				r.Held, r.Delivered, r.State, r.Superseded = "", "", "", accepted
			}
		}
	}, func() { f.forget(held) })
	if err == nil {
		f.held = ""
	}
	return err
}

// forget drops what was said of a commit that is to be told something else.
// The caller holds the lock.
func (f *follower) forget(commit string) {
	for _, hash := range f.offered[commit] {
		delete(f.said, hash)
		delete(f.early, hash)
	}
	delete(f.offered, commit)
	delete(f.arrived, commit)
	delete(f.owed, commit)
}

// accept judges a commit against the one that was judged before it, writes
// down that it is accepted, and makes its plan the one that holds. An approval is
// of what goes too far, too, where it says so.
func (r *reconciler) accept(ctx context.Context, f *follower, head string, approval *apply.Approval, mass ...render.Approved) error {
	snapshot, files, err := f.read(ctx, f.cache, head)
	if err != nil {
		return err
	}
	if !f.loaded {
		r.keepOld(f)
	}
	before, after, err := r.renderBoth(ctx, f, files, mass...)
	if err != nil {
		return err
	}
	if approval == nil && goesTooFar(after) && !goesTooFar(before) {
		return r.holdMass(ctx, f, head, reasonOf(after.Holds))
	}
	judgement := r.explain(f, step{f.known().Accepted, head, before, after, f.files, files}, r.policy.current,
		outcome.Judge(before, after, f.conf.Name, source.Changed(f.snapshot, snapshot)))
	passed, err := f.passed(ctx, head)
	if err != nil {
		return err
	}
	forward, err := f.forward(ctx, head)
	if err != nil {
		return err
	}
	if err := r.saveRetained(ctx, r.plan, after); err != nil {
		return err
	}
	err = f.update(ctx, func(s *apply.SourceState) {
		supersede(s, passed, head)
		if !forward {
			s.Holds = heldOf(s.Holds, head)
		}
		f.acceptInto(s, head, r.now(), after, judgement)
		f.holdsInto(s, after, judgement.Set, r.now())
		s.Stale = r.stale(f, after)
		if approval != nil {
			s.Approved = approval
		}
	}, func() {
		for _, commit := range append(passed, head) {
			f.forget(commit)
		}
	})
	if err != nil {
		return err
	}
	r.pin(f, head)
	f.setOut(head, judgement.Set, approval != nil || f.held == head)
	f.judged[head] = judgement
	delete(f.between, head)
	f.snapshot, f.files, f.loaded, f.held = snapshot, files, true, ""
	f.cache.Forget()
	f.log.Info("Accepted a commit", "commit", head, "files", len(files), "changed", judgement.Files,
		"clusters", len(judgement.Set), "errors", len(judgement.Errors))
	for _, finding := range judgement.Errors[:min(len(judgement.Errors), mostErrors)] {
		f.log.Info("Found an error", "commit", head, "finding", finding.String())
	}
	r.adoptAccepted(ctx, after)
	f.remind()
	return nil
}

func (r *reconciler) pin(f *follower, head string) {
	if err := f.repo.Pin(head); err != nil {
		f.log.Error(err, "Cannot pin the accepted commit in the mirror", "commit", head)
	}
}

// acceptInto is the source's state once the commit is accepted. Lists that it
// sets are no other commit's news any more.
func (f *follower) acceptInto(s *apply.SourceState, head string, now time.Time, plan *render.Plan, j outcome.Judgement) {
	set := map[string]bool{}
	for _, id := range j.Set {
		set[id] = true
	}
	for i := range s.Commits {
		s.Commits[i].Clusters = slices.DeleteFunc(s.Commits[i].Clusters, func(id string) bool {
			return set[id] || plan.Clusters[id] == nil
		})
	}
	s.Commits = slices.DeleteFunc(s.Commits, func(r apply.CommitRecord) bool { return r.SHA == head }) // it was held before
	s.Commits = tidy(append(s.Commits, apply.CommitRecord{SHA: head, Base: s.Accepted, Clusters: j.Set, Tenants: j.Tenants}), f.outbox != nil)
	s.Accepted, s.Since, s.Held, s.Refused = head, now.UTC().Truncate(time.Second), nil, nil
	s.URL, s.Branch = f.repo.Remote().URL(), f.conf.Branch
	for id := range plan.Refused {
		if id.Source == f.conf.Name {
			s.Refused = append(s.Refused, id.Path)
		}
	}
	slices.Sort(s.Refused)
	s.Claims = plan.Contested(f.conf.Name)
	if len(s.Claims) == 0 {
		s.Claims = nil // as it is read back
	}
}

// known is the state as it is now. What it refers to is never changed, only
// replaced, so it can be read while the outbox reports.
func (f *follower) known() apply.SourceState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// update changes the state, and takes the change for done once it is written
// down.
func (f *follower) update(ctx context.Context, change func(*apply.SourceState), then ...func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := cloneState(f.state)
	change(&next)
	if reflect.DeepEqual(next, f.state) {
		return nil
	}
	if err := f.save(ctx, next); err != nil {
		return fmt.Errorf("write down the state of source %s: %w", f.conf.Name, err)
	}
	f.state = next
	for _, do := range then {
		do()
	}
	return nil
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

// rejudge makes a commit's judgement anew, after a restart.
func (r *reconciler) rejudge(ctx context.Context, f *follower, record apply.CommitRecord) (outcome.Judgement, error) {
	base := record.Base
	if !f.repo.Has(base) {
		base = "" // rewritten away: the commit answers for all of its files
	}
	before, old, oldFiles, err := r.past(ctx, f, base, nil)
	if err != nil {
		return outcome.Judgement{}, err
	}
	after, new, newFiles, err := r.past(ctx, f, record.SHA, before.Base())
	if err != nil {
		return outcome.Judgement{}, err
	}
	j := r.explain(f, step{base, record.SHA, before, after, oldFiles, newFiles}, r.policy.current,
		outcome.Judge(before, after, f.conf.Name, source.Changed(old, new)))
	j.Set = record.Clusters
	return j, nil
}

// past is the plan of a commit of long ago; without a base as it is after a
// restart.
func (r *reconciler) past(ctx context.Context, f *follower, commit string, base *render.Base) (*render.Plan, *source.Snapshot, []render.File, error) {
	var snapshot *source.Snapshot
	var files []render.File
	if commit != "" {
		var err error
		if snapshot, files, err = f.read(ctx, f.cache, commit); err != nil {
			return nil, nil, nil, err
		}
	}
	if base == nil {
		base = render.Restore(f.conf.Name, files, f.refused(), f.overdue(), f.known().Claims, maps.Clone(f.retained))
	}
	inventory, err := r.controller.Inventory(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	return render.Render(render.Input{Files: files, Base: base, Policy: r.policy.current,
		Inventory: inventory, Seed: r.config.Seed, Now: r.now()}), snapshot, files, nil
}
