package pulls

import (
	"context"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// entry is a pull request as the desk knows it.
type entry struct {
	Record
	number int
	pr     forge.PullRequest // without a number until the Git host told of it

	against  *World // that result is of
	judged   string // head that it is of
	judgedAt time.Time
	result   Result
	check    string // content of the check that was offered

	fetched  *source.Pull
	failures int
	retry    time.Time // nothing is tried before
}

// drop forgets what was fetched of it.
func (e *entry) drop() {
	if e.fetched != nil {
		e.fetched.Close()
		e.fetched = nil
	}
}

func (e *entry) failed(d *Desk, err error) {
	e.failures++
	e.retry = d.Now().Add(pause(e.failures, err))
}

func (e *entry) worked() { e.failures, e.retry = 0, time.Time{} }

// mustList tells whether the Git host has to be asked which pull requests are
// open: closing, reopening and retargeting one moves no head.
func (d *Desk) mustList() bool {
	d.mu.Lock()
	stale, target := d.stale, d.world.Target
	d.mu.Unlock()
	again := len(d.again) > 0 && !d.Now().Before(d.again[0])
	return stale || again || d.listed.IsZero() || target != d.target || d.Now().Sub(d.listed) >= listEvery ||
		len(d.Repository.Pulls().Moved(d.seen)) > 0
}

// list asks the Git host. Those that are open no more are looked at one by one.
func (d *Desk) list(ctx context.Context) {
	d.mu.Lock()
	seen, target := d.Repository.Pulls(), d.world.Target
	d.stale = false
	d.mu.Unlock()
	open, err := d.Forge.OpenPullRequests(ctx, d.Branch)
	if err != nil {
		d.failures++
		d.retry = d.Now().Add(pause(d.failures, err))
		d.Log.Error(err, "Cannot list the open pull requests, trying again later")
		d.mu.Lock()
		d.stale = true
		d.mu.Unlock()
		return
	}
	d.schedule(target)
	d.seen, d.target, d.listed, d.failures, d.retry = seen, target, d.Now(), 0, time.Time{}
	still := map[int]bool{}
	for _, pr := range open {
		still[pr.Number] = true
		d.take(pr)
	}
	for number, e := range d.open {
		if !still[number] {
			d.lookUp(ctx, e)
		}
	}
}

// schedule notes when to ask once more because the branch moved.
func (d *Desk) schedule(target string) {
	now := d.Now()
	for len(d.again) > 0 && !now.Before(d.again[0]) {
		d.again = d.again[1:]
	}
	if target == d.target || d.target == "" {
		return
	}
	d.moved, d.again = now, nil
	for _, wait := range afterMove {
		d.again = append(d.again, now.Add(wait))
	}
}

func (d *Desk) take(pr forge.PullRequest) {
	e := d.open[pr.Number]
	if e == nil {
		e = &entry{number: pr.Number}
		d.open[pr.Number] = e
		delete(d.merged, pr.Number) // it cannot be: but the host knows best
	}
	if head, known := d.Repository.Pulls().Head(pr.Number); known && head != pr.Head {
		pr.Head = head // the host's listing lags behind its Git
	}
	if e.pr.Head != pr.Head {
		e.drop()
		e.worked()
	}
	e.pr = pr
}

// lookUp finds out why a pull request is not open any more.
func (d *Desk) lookUp(ctx context.Context, e *entry) {
	pr, err := d.Forge.PullRequest(ctx, e.number)
	switch {
	case err != nil && !isGone(err):
		d.Log.Error(err, "Cannot ask for a pull request, trying again later", "pullRequest", e.number)
		d.mu.Lock()
		d.stale = true
		d.mu.Unlock()
		d.retry = d.Now().Add(pause(1, err))
		return
	case err == nil && pr.State == forge.PullRequestMerged && pr.Target == d.Branch:
		e.Merged = pr.MergeCommit
		if e.Merged == "" {
			e.Merged = pr.Head
		}
		d.merged[e.number] = e
	}
	e.drop()
	e.worked()
	delete(d.open, e.number)
}
