package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// openDesk has the source's pull requests followed, where that is asked for.
func (r *reconciler) openDesk(ctx context.Context, f *follower) {
	desk := r.newDesk(f)
	if desk == nil || r.dryRun {
		return
	}
	f.mu.Lock()
	f.desk = desk
	f.mu.Unlock()
	go func() { _ = desk.Run(ctx) }() // it ends with ctx, and without an error
}

// newDesk is the source's desk for pull requests; nil where it looks at none.
func (r *reconciler) newDesk(f *follower) *pulls.Desk {
	if f.host == nil || !f.conf.Checks.PullRequests || f.outbox == nil {
		return nil
	}
	records := f.known().Pulls
	for _, p := range records {
		if p.Check != "" {
			f.outbox.Known(p.Head, f.context, p.Check)
		}
	}
	return pulls.NewDesk(pulls.Options{
		Forge: f.host, Repository: proposals{f.repo}, Context: f.context, Seed: r.config.Seed, Branch: f.conf.Branch,
		DenyForks: f.conf.Checks.Forks == policy.ForksDeny, Offer: f.offerPull, Verdict: f.verdictOn,
		Page: f.page, Save: f.savePulls, Now: r.now, Log: f.log.WithName("pulls"),
	}, records)
}

// proposals is a source's repository as a desk reads it.
type proposals struct{ *source.Repository }

func (p proposals) Pull(ctx context.Context, number int, head string) (pulls.Fetched, error) {
	pull, err := p.Repository.Pull(ctx, number, head)
	if err != nil {
		return nil, err
	}
	return pull, nil
}

// offerPull offers a pull request's check, unless the commit is one of the
// branch that has a verdict of its own. A commit becomes that under the same
// lock, and its verdict is offered afterwards.
func (f *follower) offerPull(check forge.Check) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.state.Commits, func(r apply.CommitRecord) bool { return r.SHA == check.Commit }) {
		return false
	}
	f.outbox.Offer(check)
	return true
}

func (f *follower) savePulls(ctx context.Context, records map[string]pulls.Record) error {
	return f.update(ctx, func(s *apply.SourceState) {
		s.Pulls = records
		if len(records) == 0 {
			s.Pulls = nil // as it is read back
		}
	})
}

// verdictOn is how it went with the commit that brought a pull request in: its
// own, or that of the first one after it that was judged. Once one of them was
// told, it is that one's, and no later one's.
func (f *follower) verdictOn(ctx context.Context, merge, told string) (pulls.Verdict, bool) {
	records, own := f.records(), cmp.Or(told, merge)
	for _, r := range records {
		if r.SHA == own && r.Superseded == "" {
			v, told := f.toldLast(r)
			return verdictOf(r, v), told
		}
	}
	if v, was := f.lastOf(own); was || told != "" {
		return v, true
	}
	for _, r := range records {
		if within, err := f.repo.IsAncestor(ctx, merge, r.SHA); err != nil || !within || r.Superseded != "" {
			continue
		}
		v, told := f.toldLast(r)
		return verdictOf(r, v), told
	}
	return pulls.Verdict{}, false
}

// lastWords are what commits were told last, of those that were forgotten a
// while ago: the Git host may say late which pull request one brought in.
type lastWords struct {
	of    map[string]outcome.Verdict
	order []string
}

const mostLastWords = 100

func (l *lastWords) keep(commit string, v outcome.Verdict) {
	if l.of == nil {
		l.of = map[string]outcome.Verdict{}
	}
	if _, there := l.of[commit]; !there {
		l.order = append(l.order, commit)
	}
	v.Body = ""
	l.of[commit] = v
	if len(l.order) > mostLastWords {
		delete(l.of, l.order[0])
		l.order = l.order[1:]
	}
}

func verdictOf(r apply.CommitRecord, v outcome.Verdict) pulls.Verdict {
	out := pulls.Verdict{Commit: r.SHA, Final: v.State != outcome.Pending && !v.Early, Good: v.State == outcome.Success, Waits: v.Waits,
		Title: v.Title, Findings: v.Findings, Lines: v.Lines, Identity: v.Identity, Held: r.Held != ""}
	out.Over = len(r.Clusters) == 0 && !out.Held && out.Good && !out.Waits
	return out
}

// lastOf is what a commit was told last of which there can be no news any more;
// without a commit where that is not known.
func (f *follower) lastOf(commit string) (pulls.Verdict, bool) {
	f.mu.Lock()
	v, was := f.verdicts[commit]
	if !was {
		v, was = f.last.of[commit]
	}
	f.mu.Unlock()
	if !was || v.State == outcome.Pending {
		return pulls.Verdict{Over: true}, false
	}
	out := verdictOf(apply.CommitRecord{SHA: commit}, v)
	out.Over = true
	return out, true
}

// toldLast is what a commit was told last. What it was told before a restart
// holds once its clusters were looked at, for then news would be known.
func (f *follower) toldLast(r apply.CommitRecord) (outcome.Verdict, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	v, told := f.verdicts[r.SHA]
	if !told && f.latest != nil && r.Sending == "" && r.State == string(outcome.Success) {
		return outcome.Verdict{State: outcome.Success, Title: "lists in force"}, true
	}
	return v, told
}

// showPulls gives desks another world to judge against where one of its parts
// is another: the branch, what is accepted of it, or the policy.
func (r *reconciler) showPulls() {
	for _, f := range r.sources {
		w := pullWorld{head: f.head, accepted: f.known().Accepted, policy: r.policy.current}
		if f.desk == nil || !f.loaded || f.head == "" || w == f.shown {
			continue
		}
		f.shown = w
		f.desk.Look(&pulls.World{Target: f.head, Judge: r.judging(f, w)})
	}
}

// pullWorld is what makes pull requests be judged anew.
type pullWorld struct {
	head, accepted string
	policy         *policy.Policy
}

// judging is how pull requests are judged against the branch and the policy of
// now. It holds on to values that nobody changes: it runs beside the loop.
func (r *reconciler) judging(f *follower, w pullWorld) func(context.Context, *source.Laid, pulls.Fetched) (pulls.Result, error) {
	base, accepted := r.base, f.files
	var others []render.File
	read := []string{f.conf.Name}
	for _, other := range r.sources {
		if other != f {
			others = append(others, other.files...)
		}
		if other != f && other.loaded {
			read = append(read, other.conf.Name)
		}
	}
	plan := func(files []render.File, base *render.Base, guard *render.Guard, inventory render.Inventory) *render.Plan {
		return render.Render(render.Input{Files: slices.Concat(others, files), Sources: read, Base: base, Policy: w.policy, Inventory: inventory,
			Seed: r.config.Seed, Now: r.now(), Guard: guard})
	}
	return func(ctx context.Context, laid *source.Laid, pull pulls.Fetched) (pulls.Result, error) {
		return r.judgePull(ctx, f, w, laid, pull, base, accepted, plan)
	}
}

// renderer makes a plan of files of the source, beside those of the others.
type renderer func([]render.File, *render.Base, *render.Guard, render.Inventory) *render.Plan

func (r *reconciler) judgePull(ctx context.Context, f *follower, w pullWorld, laid *source.Laid, pull pulls.Fetched, base *render.Base, accepted []render.File, plan renderer) (pulls.Result, error) {
	in := pulls.Input{Seed: r.config.Seed, Source: f.conf.Name, Target: f.conf.Branch, Base: w.head, Head: laid.Commit,
		Changed: f.ownPaths(laid, laid.Changed), Conflicts: f.ownPaths(laid, laid.Conflicts), Policy: w.policy, Now: r.now()}
	if len(in.Changed)+len(in.Conflicts) == 0 {
		return pulls.Judge(in), nil
	}
	var err error
	if in.Inventory, err = r.controller.Inventory(ctx); err != nil {
		return pulls.Result{}, err
	}
	if in.BeforeFiles, err = f.branchFiles(ctx, w, accepted); err != nil {
		return pulls.Result{}, err
	}
	if in.AfterFiles, err = parseAll(ctx, render.CacheOf(in.BeforeFiles), f.conf.Name, f.own(laid.Snapshot), pull.Read); err != nil {
		return pulls.Result{}, err
	}
	in.Before = plan(in.BeforeFiles, base, nil, in.Inventory)
	in.After = plan(in.AfterFiles, in.Before.Base(), nil, in.Inventory)
	guarded := plan(in.AfterFiles, in.Before.Base(), &render.Guard{Freeze: r.config.Freeze}, in.Inventory)
	in.Holds = pulls.Holds(in.After, guarded)
	tried, err := r.tryLists(ctx, f, in.Before, in.After)
	if err != nil {
		return pulls.Result{}, err
	}
	in.Refused, in.Untried, in.Unanswered = tried.refused, tried.untried, tried.unanswered
	return pulls.Judge(in), nil
}

// branchFiles are the files of the branch as it is, be it followed or not.
func (f *follower) branchFiles(ctx context.Context, w pullWorld, accepted []render.File) ([]render.File, error) {
	if w.head == w.accepted {
		return accepted, nil
	}
	_, files, err := f.read(ctx, render.CacheOf(accepted), w.head)
	return files, err
}

// ownPaths leaves out what other sources speak for.
func (f *follower) ownPaths(laid *source.Laid, paths []string) []string {
	if len(f.conf.Tenants) == 0 {
		return paths
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !f.speaksFor(path) })
}

// mostTried bounds the clusters of one pull request that KKP is asked about.
const mostTried = 50

// longestTrial bounds how long one pull request waits for the seed's answers:
// others wait behind it.
const longestTrial = 2 * time.Minute

// tryLists asks the seed about the lists that a change makes others of.
func (r *reconciler) tryLists(ctx context.Context, f *follower, before, after *render.Plan) (trial, error) {
	ids := outcome.Judge(before, after, f.conf.Name, nil).Set
	asking, done := context.WithTimeout(ctx, longestTrial)
	defer done()
	return tryAll(ctx, ids, after, func(w *render.Wanted) (string, error) {
		words, err := r.trials.Try(asking, w)
		if err != nil && asking.Err() == nil {
			f.log.Error(err, "Cannot ask the seed about a list", "cluster", w.Cluster)
		}
		return words, err
	})
}

// trial is what the seed says against lists, by cluster, and of how many it was
// not asked, for they are too many, or did not answer.
type trial struct {
	refused             map[string]string
	untried, unanswered int
}

// tryAll tries the lists of these clusters. The change is judged all the same
// where the seed does not answer.
func tryAll(ctx context.Context, ids []string, plan *render.Plan, try func(*render.Wanted) (string, error)) (trial, error) {
	out, tried := trial{refused: map[string]string{}}, 0
	for _, id := range ids {
		w := plan.Clusters[id]
		if w.Held != nil || w.Access != render.Restricted || !w.Exposed {
			continue
		}
		if tried == mostTried {
			out.untried++
			continue
		}
		tried++
		words, err := try(w)
		switch {
		case ctx.Err() != nil:
			return trial{}, ctx.Err()
		case err != nil:
			out.unanswered++
		case words != "":
			out.refused[id] = words
		}
	}
	return out, nil
}
