package main

import (
	"context"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// report tells each commit what there is to tell it. The outbox sees to it
// that only news is posted.
func (r *reconciler) report(ctx context.Context) {
	states := r.controller.States()
	r.nextDeadline = r.deadline(states)
	for _, f := range r.sources {
		r.reportSource(ctx, f, states)
		f.saveDeviations(ctx, r, states)
		f.arrivedAt(r.now(), states, r.recorder.Applied)
	}
}

func (r *reconciler) reportSource(ctx context.Context, f *follower, states map[string]apply.ClusterState) {
	if f.outbox == nil || r.dryRun {
		return
	}
	for _, n := range r.storedFirst(ctx, f, r.newsOf(ctx, f, states)) {
		f.noteVerdict(n.record.SHA, n.verdict)
		if f.say(n.check, n.verdict.State, n.verdict.Early) {
			if err := f.Delivered(ctx, n.record.SHA, n.check.Hash()); err != nil {
				f.log.Error(err, "Cannot write down a check that was delivered", "commit", n.record.SHA)
			}
		}
		f.waiting[n.record.SHA] = waiting(n.record, states)
		f.outbox.Offer(f.superseded(ctx, r, n.record)...)
		f.outbox.Offer(n.check)
	}
}

// telling is what a commit is to be told.
type telling struct {
	record  apply.CommitRecord
	verdict outcome.Verdict
	check   forge.Check
}

// newsOf is what there is to tell a source's commits.
func (r *reconciler) newsOf(ctx context.Context, f *follower, states map[string]apply.ClusterState) []telling {
	var out []telling
	for _, record := range f.records() {
		if f.quiet(record, states, r.now()) || !f.tellable(record) {
			continue
		}
		judgement, verdict, err := r.verdict(ctx, f, record, states)
		if err != nil {
			f.log.Error(err, "Cannot tell how a commit went", "commit", record.SHA)
			continue
		}
		if verdict.State != "" {
			out = append(out, telling{record, verdict, f.check(record.SHA, verdict, judgement)})
		}
	}
	return out
}

// storedFirst are the news that may be told. Of a commit that was told its end
// before it is written down first that it is told another: a process that begins
// in between would take the host to say still what the state says, and where the
// verdict has gone back to that meanwhile, tell it nothing.
func (r *reconciler) storedFirst(ctx context.Context, f *follower, news []telling) []telling {
	reopened := map[string]string{}
	for _, n := range news {
		same := n.verdict.Early && string(n.verdict.State) == n.record.State // as drift on a cluster makes it, for a moment
		if hash := n.check.Hash(); n.record.Delivered != "" && n.record.Delivered != hash && n.record.Sending == "" && !same {
			reopened[n.record.SHA] = hash
		}
	}
	if len(reopened) == 0 {
		return news
	}
	err := f.reopen(ctx, reopened)
	if err == nil {
		return news
	}
	f.log.Error(err, "Cannot write down that commits are told something else, trying again later", "commits", len(reopened))
	r.unsaved = true
	r.lose(err)
	return slices.DeleteFunc(news, func(n telling) bool { return reopened[n.record.SHA] != "" })
}

// reopen notes the checks, by commit, that are about to take the place of what
// was delivered.
func (f *follower) reopen(ctx context.Context, checks map[string]string) error {
	return f.update(ctx, func(s *apply.SourceState) {
		for i := range s.Commits {
			if hash := checks[s.Commits[i].SHA]; hash != "" {
				s.Commits[i].Sending = hash
			}
		}
	}, func() {
		for commit := range checks {
			delete(f.arrived, commit)
		}
	})
}

// noteVerdict keeps what a commit was told for the pull request that it brought
// in.
func (f *follower) noteVerdict(commit string, v outcome.Verdict) {
	f.mu.Lock()
	before, desk := f.verdicts[commit], f.desk
	f.verdicts[commit] = v
	f.mu.Unlock()
	if desk != nil && (before.State != v.State || before.Identity != v.Identity || before.Waits != v.Waits) {
		desk.Wake()
	}
}

func (f *follower) records() []apply.CommitRecord {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.state.Commits)
}

// quiet tells whether nothing about the commit can have changed: it was told
// success, none of the clusters that it set fails, is late or is exposed
// otherwise by now, and as many wait for KKP as it was told.
func (f *follower) quiet(record apply.CommitRecord, states map[string]apply.ClusterState, now time.Time) bool {
	if record.Delivered == "" || record.Sending != "" || record.State != string(outcome.Success) {
		return false
	}
	if f.waiting[record.SHA] != waiting(record, states) {
		return false
	}
	for _, id := range record.Clusters {
		if s := states[id]; s.Trouble != nil || s.ByHand || s.Unsupported || onItsWay(s) && now.Sub(s.Since) >= f.conf.Checks.Deadline { // some of which only wait
			return false
		}
		switch states[id].State {
		case apply.Synced, apply.Applied, apply.Pending, apply.Held, apply.Waiting, "":
		default:
			return false
		}
	}
	return true
}

// onItsWay tells of a list that the Cluster carries and its load balancer has
// not got yet, whatever is to come after it.
func onItsWay(s apply.ClusterState) bool {
	return s.State == apply.Applied || s.State == apply.Held && s.Beneath == apply.Applied
}

// waiting counts the commit's clusters that wait for KKP.
func waiting(record apply.CommitRecord, states map[string]apply.ClusterState) int {
	n := 0
	for _, id := range record.Clusters {
		if states[id].State == apply.Waiting {
			n++
		}
	}
	return n
}

// tellable tells whether a commit can be judged without asking the Git host,
// which may be away: the loop waits for nobody.
func (f *follower) tellable(record apply.CommitRecord) bool {
	_, judged := f.judged[record.SHA]
	return judged || f.loaded || record.Held != "" || record.Superseded != ""
}

// say notes what a commit is told, and whether more is to follow. It answers
// whether the very same was delivered early, and nothing more follows after
// all.
func (f *follower) say(check forge.Check, state outcome.State, early bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	hash := check.Hash()
	arrived := f.early[hash]
	if early {
		f.early[hash] = arrived
	} else {
		delete(f.early, hash)
	}
	f.said[hash] = state
	f.offer(check.Commit, hash)
	return arrived && !early
}

// mostOffered bounds what is known of the checks that a commit was offered: of
// older ones no delivery is heard any more.
const mostOffered = 20

// offer notes the newest check of a commit, and forgets the oldest of many. The
// caller holds the lock.
func (f *follower) offer(commit, hash string) {
	hashes := slices.DeleteFunc(f.offered[commit], func(h string) bool { return h == hash })
	hashes = append(hashes, hash)
	if len(hashes) > mostOffered {
		delete(f.said, hashes[0])
		delete(f.early, hashes[0])
		hashes = slices.Delete(hashes, 0, 1)
	}
	f.offered[commit] = hashes
}

func (r *reconciler) verdict(ctx context.Context, f *follower, record apply.CommitRecord, states map[string]apply.ClusterState) (j outcome.Judgement, v outcome.Verdict, err error) {
	if record.Superseded != "" {
		title := "superseded by " + record.Superseded
		return j, outcome.Verdict{State: outcome.Success, Title: title, Identity: title}, nil
	}
	if j, err = r.judgement(ctx, f, record); err != nil {
		return j, v, err
	}
	return j, j.Verdict(outcome.Moment{Plan: r.plan, States: states, Now: r.now(), Deadline: f.conf.Checks.Deadline, Approve: f.approveLine(r.plan, record),
		Set: record.Clusters, Tenants: record.Tenants, Settled: record.Delivered != ""}), nil
}

func (r *reconciler) judgement(ctx context.Context, f *follower, record apply.CommitRecord) (outcome.Judgement, error) {
	if record.Held != "" {
		return outcome.Judgement{Hold: record.Held + "; to follow it all the same: " + approveLine(f.conf.Name, record.SHA),
			Meaning: r.explainHeld(ctx, f, record)}, nil
	}
	if j, ok := f.judged[record.SHA]; ok {
		return j, nil
	}
	if record.Delivered != "" && record.State == string(outcome.Success) {
		// What its files were found to be stays, whatever the policy says by now.
		return outcome.Judgement{Set: record.Clusters}, nil
	}
	j, err := r.rejudge(ctx, f, record)
	if err == nil {
		f.judged[record.SHA] = j
	}
	return j, err
}

// superseded are the checks of the commits between this one and the one that
// was judged before it: nobody else will tell them anything.
func (f *follower) superseded(ctx context.Context, r *reconciler, record apply.CommitRecord) []forge.Check {
	if record.Base == "" || record.Delivered != "" || record.Held != "" || !f.repo.Has(record.Base) {
		return nil
	}
	skipped, known := f.between[record.SHA]
	if !known {
		var err error
		if skipped, err = f.repo.Skipped(ctx, record.Base, record.SHA); err != nil {
			f.log.Error(err, "Cannot list the commits in between", "from", record.Base, "to", record.SHA)
			return nil
		}
		f.between[record.SHA] = skipped
		f.owe(record.SHA, skipped)
	}
	var out []forge.Check
	for _, commit := range skipped {
		title := "superseded by " + record.SHA
		out = append(out, f.check(commit, outcome.Verdict{State: outcome.Success, Title: title, Identity: title}, outcome.Judgement{}))
	}
	return out
}

func (f *follower) owe(newer string, skipped []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed[newer] = skipped
}

// remind tells the outbox what was delivered before, and forgets what nobody
// asks about any more.
func (f *follower) remind() {
	known := map[string]bool{}
	for _, record := range f.records() {
		known[record.SHA] = true
		if f.outbox != nil && record.Delivered != "" && record.Sending == "" {
			f.outbox.Known(record.SHA, f.context, record.Delivered)
		}
	}
	for commit := range f.judged {
		if !known[commit] {
			delete(f.judged, commit)
			delete(f.waiting, commit)
			delete(f.between, commit)
			f.mu.Lock()
			if v, told := f.verdicts[commit]; told {
				f.last.keep(commit, v)
			}
			delete(f.verdicts, commit)
			f.forget(commit)
			f.mu.Unlock()
		}
	}
}

// deadline is when the first cluster will have been Applied for too long.
func (r *reconciler) deadline(states map[string]apply.ClusterState) time.Time {
	var next time.Time
	for _, f := range r.sources {
		for _, record := range f.records() {
			for _, id := range record.Clusters {
				s := states[id]
				if at := s.Since.Add(f.conf.Checks.Deadline); onItsWay(s) && at.After(r.now()) && (next.IsZero() || at.Before(next)) {
					next = at
				}
			}
		}
	}
	return next
}
