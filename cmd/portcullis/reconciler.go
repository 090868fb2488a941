package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/metrics"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// reconciler is the one way for the data: what the sources hold becomes a
// plan, the plan goes to the seed, and what comes of it to the Git hosts.
// It runs on one goroutine; polling, applying and posting have their own, and
// hand over through channels and mailboxes.
type reconciler struct {
	config     *policy.Config
	policy     *policyFile
	controller *apply.Controller
	approvals  *apply.Approvals
	trials     *apply.Trials // of what pull requests would write
	store      stateStore
	sources    []*follower
	dryRun     bool
	log        logr.Logger
	now        func() time.Time
	memory     *collector

	base *render.Base
	plan *render.Plan

	gone         map[string]apply.SourceState // sources that the Config has no more, by name
	strangers    map[string]render.Retained
	kept         map[string]render.Retained // as last written down; nil where that is not known
	inventory    render.Inventory           // as last known
	planned      time.Time                  // when the clusters were last planned for
	outdated     bool                       // they are others since
	reported     time.Time
	telling      time.Duration // what the last report took
	unsaved      bool          // the lists that are kept are not written down yet
	unreported   bool          // there is news that commits were not told yet
	nextDeadline time.Time     // when a cluster has been Applied for too long
	lost         error         // why the loop must end

	glance   atomic.Pointer[glance] // for metrics; nil until the state was read
	recorder *metrics.Recorder
	writes   func() (done, failed uint64) // of the state; nil where none is written
}

// stateStore is what the reconciler asks of the seed's state.
type stateStore interface {
	Load(ctx context.Context) (map[string]apply.SourceState, map[string]render.Retained, error)
	SaveSource(ctx context.Context, s apply.SourceState) error
	SaveRetained(ctx context.Context, retained map[string]render.Retained) error
}

// run is the loop: whatever happens leads to the plan that fits it.
func (r *reconciler) run(ctx context.Context) error {
	if err := r.restore(ctx); err != nil {
		return err
	}
	r.show()
	results := make(chan polled)
	for _, f := range r.sources {
		go f.poll(ctx, results)
		r.openDesk(ctx, f)
	}
	policies := time.NewTicker(policyEvery)
	defer policies.Stop()
	for {
		timer := time.NewTimer(r.idle())
		select {
		case <-ctx.Done(): // a clean end: what was begun is in the state
			timer.Stop()
			return nil
		case p := <-results: // a source was asked where its branch is
			r.follow(ctx, p)
			close(p.done)
		case <-r.controller.News(): // the clusters are not what the plan was made for
			r.inTurn(func() { r.replanForNews(ctx) })
		case <-r.approvals.News(): // what was held may go ahead
			r.lookAtApprovals(ctx)
		case <-r.controller.Outcomes(): // a cluster's state is another
		case <-policies.C: // which is not in Git, and waits for no poll
			if !r.lookAtPolicy(ctx) {
				timer.Stop()
				continue
			}
		case <-timer.C: // an entry expires, a cluster's time is up, or news was gathered
			r.expire(ctx)
		}
		timer.Stop()
		if r.outdated {
			r.inTurn(func() { r.replanForNews(ctx) })
		}
		r.showPulls()
		r.reportSometimes(ctx)
		r.show()
		if r.lost != nil {
			return r.lost
		}
	}
}

// News of clusters is gathered before commits are told: a rollout over a whole
// seed has hundreds a second, and telling takes a look at all clusters. It is
// told every gather, and less often where it takes long: it gets one part of
// the time in tellingTime, and is put off by a second at most.
const (
	gather      = 200 * time.Millisecond
	tellingTime = 50
)

func (r *reconciler) reportSometimes(ctx context.Context) {
	began := r.now()
	if since := began.Sub(r.reported); 0 <= since && since < r.gathering() { // else the clock was set back
		r.unreported = true
		return
	}
	r.report(ctx)
	r.reported, r.unreported = r.now(), false
	r.telling = r.reported.Sub(began)
}

func (r *reconciler) gathering() time.Duration {
	return min(max(gather, tellingTime*r.telling), time.Second)
}

// plansApart is how far apart plans are, at the least, that are made for news of the
// clusters: anybody in a project can change labels all day, and each plan is one
// of the whole seed. What comes of Git, of time or of an approval waits for
// nothing, and counts as a plan for the news as well.
const plansApart = time.Second

// inTurn plans for news of the clusters: at once where the last plan was made a
// while ago, else when its time has come.
func (r *reconciler) inTurn(replan func()) {
	since := r.now().Sub(r.planned)
	if r.outdated = since >= 0 && since < plansApart; !r.outdated {
		replan()
	}
}

// replanForNews has what clusters kept a pull request from looked at as well.
func (r *reconciler) replanForNews(ctx context.Context) {
	r.replan(ctx)
	for _, f := range r.sources {
		if f.desk != nil {
			f.desk.Reconsider()
		}
	}
}

// expire makes the plan anew when an entry's time is up, and tries again what
// could not be written down.
func (r *reconciler) expire(ctx context.Context) {
	if r.unsaved {
		r.keep(ctx)
	}
	if next := r.plan.Next; !next.IsZero() && !r.now().Before(next) {
		r.replan(ctx)
	}
}

// idle is how long nothing has to be done if nothing happens.
func (r *reconciler) idle() time.Duration {
	const longest = time.Hour // a clock that was set is noticed by then
	wait := longest
	if r.unreported {
		wait = r.gathering()
	}
	if r.unsaved {
		wait = min(wait, retrySave)
	}
	at := []time.Time{r.plan.Next, r.nextDeadline}
	if r.outdated {
		at = append(at, r.planned.Add(plansApart))
	}
	for _, f := range r.sources {
		at = append(at, f.saveAt)
	}
	for _, at := range at {
		if !at.IsZero() {
			wait = min(wait, at.Sub(r.now()))
		}
	}
	return max(wait, 10*time.Millisecond)
}

// lose ends the loop where somebody else writes the state: two reconcilers on
// one seed would undo each other's work.
func (r *reconciler) lose(err error) {
	if errors.Is(err, apply.ErrConflict) {
		r.lost = err
	}
}

// restore takes up what an earlier process left: the accepted commits, as far
// as the mirrors on disk have them, and the lists that were kept. It reads all of
// it now: as a standby, this process may have been there for long.
func (r *reconciler) restore(ctx context.Context) error {
	if r.policy.reread(r.log) {
		r.controller.SetBalancer(r.policy.balancer())
	}
	states, retained, err := r.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	r.controller.Recall(lastRanges(states))
	r.base, r.plan = &render.Base{}, &render.Plan{}
	r.strangers = r.unclaimed(retained)
	r.controller.Restore(standing(states))
	for _, f := range r.sources {
		f.tenants = r.tenants()
		f.take(states[f.conf.Name], retained)
		if f.known().Accepted != "" && f.repo.Has(f.known().Accepted) {
			if err := r.load(ctx, f); err != nil {
				f.log.Error(err, "Cannot read the accepted commit yet")
			}
		}
		if !f.loaded {
			r.keepOld(f)
		}
		r.find(ctx, f)
	}
	r.findGone(ctx, states)
	r.replan(ctx)
	return nil
}

// unclaimed are the kept lists of sources that the Config does not have now:
// they stay written down, for it may have them again.
func (r *reconciler) unclaimed(retained map[string]render.Retained) map[string]render.Retained {
	out := map[string]render.Retained{}
	for id, kept := range retained {
		if !slices.ContainsFunc(r.sources, func(f *follower) bool { return f.conf.Name == kept.Claim.Source }) {
			out[id] = kept
		}
	}
	if len(out) > 0 {
		r.log.Info("Keeping lists of sources that are not in the Config", "clusters", len(out))
	}
	return out
}

// load takes up a source's accepted commit.
func (r *reconciler) load(ctx context.Context, f *follower) error {
	snapshot, files, err := f.read(ctx, f.cache, f.known().Accepted)
	if err != nil {
		return err
	}
	f.snapshot, f.files, f.loaded = snapshot, files, true
	base := render.Restore(f.conf.Name, files, f.refused(), f.overdue(), f.known().Claims, f.retained)
	r.base = r.base.With(base.Trust(f.conf.Name, f.known().Force))
	f.log.Info("Took up the accepted commit", "commit", f.known().Accepted, "files", len(files))
	return nil
}

// replan makes the plan anew from the files that were accepted.
func (r *reconciler) replan(ctx context.Context) {
	if r.replanUnseen(ctx) {
		r.controller.SetPlan(r.plan)
	}
}

// replanUnseen does so, and leaves it to the caller to hand the plan over; false
// where none can be made.
func (r *reconciler) replanUnseen(ctx context.Context) bool {
	plan, err := r.render(ctx)
	if err != nil {
		r.log.Error(err, "Cannot make the plan")
		return false
	}
	r.take(plan)
	r.keep(ctx)
	return true
}

// render makes the plan of the files that were accepted. What is approved goes
// ahead, however far it goes.
func (r *reconciler) render(ctx context.Context, approved ...render.Approved) (*render.Plan, error) {
	in, err := r.input(ctx)
	if err != nil {
		return nil, err
	}
	in.Guard.Approved = approved
	return render.Render(in), nil
}

// renderBoth makes the plan as it is, and as it is with other files of one
// source, at the same moment of the same seed: those alone make the difference.
func (r *reconciler) renderBoth(ctx context.Context, f *follower, files []render.File, approved ...render.Approved) (before, after *render.Plan, err error) {
	in, err := r.input(ctx)
	if err != nil {
		return nil, nil, err
	}
	var group sync.WaitGroup
	group.Go(func() { before = render.Render(in) }) // lists wait for both
	with := in
	with.Files, with.Sources = r.filesWith(f, files)
	with.Guard = &render.Guard{Approved: approved, Freeze: r.config.Freeze}
	after = render.Render(with)
	group.Wait()
	return before, after, nil
}

// input is what a plan depends on, as it is now.
func (r *reconciler) input(ctx context.Context) (render.Input, error) {
	r.memory.work()
	inventory, err := r.controller.Inventory(ctx)
	if err != nil {
		return render.Input{}, fmt.Errorf("list the clusters: %w", err)
	}
	r.inventory = inventory
	files, read := r.filesWith(nil, nil)
	return render.Input{Files: files, Sources: read, Base: r.base, Policy: r.policy.current,
		Inventory: inventory, Seed: r.config.Seed, Now: r.now(),
		Guard: &render.Guard{Freeze: r.config.Freeze}}, nil
}

// filesWith are those of all sources that were read, and which those are; of one
// of them others can be given than were accepted.
func (r *reconciler) filesWith(instead *follower, files []render.File) (all []render.File, read []string) {
	for _, f := range r.sources {
		if f == instead || f.loaded {
			read = append(read, f.conf.Name)
		}
		if f == instead {
			all = append(all, files...)
		} else {
			all = append(all, f.files...)
		}
	}
	return all, read
}

// keepOld has the lists that an earlier process left put right, although the
// files that they are from cannot be read, or not yet.
func (r *reconciler) keepOld(f *follower) {
	if f.known().Accepted == "" {
		return
	}
	r.base = r.base.With(render.Restore(f.conf.Name, nil, f.refused(), f.overdue(), f.known().Claims, f.retained))
}

// adopt makes a plan the one that holds.
func (r *reconciler) adopt(ctx context.Context, plan *render.Plan) {
	r.take(plan)
	r.keep(ctx)
	r.controller.SetPlan(plan)
}

// adoptAccepted makes the plan of a commit the one that holds, all of which is written
// down already. Lists that are kept no more stay there until the next write:
// where the files are good again, they count.
func (r *reconciler) adoptAccepted(ctx context.Context, plan *render.Plan) {
	r.take(plan)
	if len(r.sources)+len(r.gone) > 1 { // what it makes of the others' clusters
		if err := r.saveHolds(ctx); err != nil {
			r.unsaved = true
			r.log.Error(err, "Cannot write down what is held, trying again later")
		}
	}
	r.controller.SetPlan(plan)
}

func (r *reconciler) take(plan *render.Plan) {
	r.announce(plan)
	r.plan, r.base = plan, plan.Base()
	r.planned, r.outdated = r.now(), false
}

// retrySave is when a write of the state that failed is tried again.
const retrySave = 5 * time.Second

// keep writes down what a restart could not tell from the files: the lists that
// are kept, and whose they are.
func (r *reconciler) keep(ctx context.Context) {
	var err error
	if !r.keptAlready() {
		err = r.saveRetained(ctx, r.plan)
	}
	if err == nil {
		err = r.saveHolds(ctx)
	}
	if r.unsaved = err != nil; r.unsaved {
		r.log.Error(err, "Cannot write down the lists that are kept, trying again later")
		r.lose(err)
	}
}

// saveRetained writes down what several plans keep, the last one's word
// counting. A commit is accepted only after both its own and the old lists are
// safe: whatever happens in between, none is lost, and a good list beats one
// that is kept.
func (r *reconciler) saveRetained(ctx context.Context, plans ...*render.Plan) error {
	retained := maps.Clone(r.strangers)
	for _, f := range r.sources {
		if !f.loaded {
			maps.Copy(retained, f.retained)
		}
	}
	for _, plan := range plans {
		maps.Copy(retained, plan.Retained())
	}
	err := r.store.SaveRetained(ctx, retained)
	if r.kept = nil; err == nil {
		r.kept = retained
	}
	return err
}

// stale are a source's clusters of which a list is written down that a plan does
// not keep any more.
func (r *reconciler) stale(f *follower, plan *render.Plan) []string {
	var out []string // nil where there are none, as it is read back
	still := plan.Retained()
	for id, kept := range r.kept {
		if _, there := still[id]; !there && kept.Claim.Source == f.conf.Name && f.loaded {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// keptAlready tells whether what the plan keeps is written down. What is there
// besides goes with the next write, and not by one of its own: until then it is
// known to be stale.
func (r *reconciler) keptAlready() bool {
	if r.kept == nil {
		return false
	}
	for id, kept := range r.plan.Retained() {
		if before, there := r.kept[id]; !there || !reflect.DeepEqual(before, kept) {
			return false
		}
	}
	return true
}
