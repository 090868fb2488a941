package pulls

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// entry is a pull request as the desk knows it.
type entry struct {
	Record
	number int
	pr     forge.PullRequest // without a number until the Git host told of it
	before string            // head that it had before this one
	away   bool              // it goes to another branch by now, and is told so once

	against  *World // that result is of
	judged   string // head that it is of
	judgedAt time.Time
	result   Result
	said     string      // identity of what the comment is to say
	made     forge.Check // of the result
	hash     string      // content of made
	check    string      // content of the check that was offered

	fine bool // merged, and last told to be in force

	unanswered int       // times in a row that KKP did not answer about it
	askAt      time.Time // when to ask again; zero: not at all

	fetched  Fetched
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
	heads, target := d.Repository.Pulls(), d.now().Target
	d.setStale(false)
	open, err := d.Forge.OpenPullRequests(ctx, d.Branch)
	if err != nil {
		d.unlisted(err, "Cannot list the open pull requests, trying again later")
		return
	}
	still := map[int]bool{}
	for _, pr := range open {
		still[pr.Number] = true
		d.take(pr, heads)
	}
	d.Repository.Follow(slices.Collect(maps.Keys(still)))
	d.schedule(target, d.lags(heads))
	d.seen, d.target, d.listed = heads, target, d.Now()
	for _, e := range byNumber(d.open) {
		if still[e.number] || e.away {
			continue
		}
		if err := d.lookUp(ctx, e); err != nil {
			d.unlisted(err, "Cannot ask for a pull request, trying again later")
			return
		}
	}
	d.failures, d.retry = 0, time.Time{}
}

// mostNotYet bounds how often a host is asked each second that is only a moment
// behind.
const mostNotYet = 10

func (d *Desk) unlisted(err error, what string) {
	d.failures++
	d.retry = d.Now().Add(pause(d.failures, err))
	if errors.Is(err, forge.ErrNotYet) && d.failures <= mostNotYet {
		d.retry = d.Now().Add(time.Second)
	}
	d.heed(err)
	d.setStale(true)
	d.Log.Error(err, what)
}

// lags tells whether a head moved in Git that the listing says nothing of: of a
// new pull request, say, which hosts list a moment later.
func (d *Desk) lags(heads source.Pulls) bool {
	if d.listed.IsZero() {
		return false // all of them moved
	}
	for _, number := range heads.Moved(d.seen) {
		if e := d.open[number]; e == nil {
			return true
		}
	}
	return false
}

// schedule notes when to ask once more because the branch or a head moved. At
// start, merges of just before may not be told yet.
func (d *Desk) schedule(target string, lags bool) {
	now := d.Now()
	for len(d.again) > 0 && !now.Before(d.again[0]) {
		d.again = d.again[1:]
	}
	moved := target != d.target && (d.target != "" || len(d.saved) > 0)
	if moved {
		d.moved = now
	}
	if !moved && !lags {
		return
	}
	d.again = nil
	for _, wait := range afterMove {
		d.again = append(d.again, now.Add(wait))
	}
}

func (d *Desk) take(pr forge.PullRequest, heads source.Pulls) {
	e := d.open[pr.Number]
	if e == nil {
		e = &entry{number: pr.Number}
		d.open[pr.Number] = e
		delete(d.merged, pr.Number) // it cannot be: but the host knows best
	}
	pr.Head = d.newer(e, pr, heads)
	if e.pr.Head != pr.Head {
		e.drop()
		e.worked()
		e.before = e.pr.Head
	}
	if e.away {
		e.away, e.judged = false, ""
	}
	e.pr = pr
}

// newer is the head of a pull request where the listing and the last poll tell
// two: what was just seen to move in Git, and what the listing told before, is
// newer than the listing; else the listing is newer than the poll.
func (d *Desk) newer(e *entry, pr forge.PullRequest, heads source.Pulls) string {
	head, known := heads.Head(pr.Number)
	if !known || head == pr.Head {
		return pr.Head
	}
	last, was := d.seen.Head(pr.Number)
	if !was || last != head || pr.Head == e.before {
		return head
	}
	return pr.Head
}

// lookUp finds out why a pull request is not open any more.
func (d *Desk) lookUp(ctx context.Context, e *entry) error {
	pr, err := d.Forge.PullRequest(ctx, e.number)
	switch {
	case err != nil && !isGone(err):
		return err
	case err == nil && pr.State == forge.PullRequestMerged && pr.Target == d.Branch:
		d.follows(e, pr)
	case err == nil && pr.State != forge.PullRequestClosed && pr.Target != d.Branch:
		if e.Comment != "" {
			d.leave(e, pr)
			return nil
		}
	}
	d.remove(e)
	return nil
}

// follows has the merged pull request told how its commit goes, if it concerns
// this seed: one that was never judged does if it has a comment.
func (d *Desk) follows(e *entry, pr forge.PullRequest) {
	if e.judged == "" && (e.Comment == "" || e.Comment == digest(nothing(Input{Seed: d.Seed}).Same)) || e.judged != "" && e.result.Nothing {
		return
	}
	if e.Merged = pr.MergeCommit; e.Merged == "" {
		e.Merged = pr.Head
	}
	e.worked()
	d.place(e)
	d.merged[e.number] = e
	for len(d.merged) > mostMerged {
		delete(d.merged, d.leastWanted().number)
	}
}

// leastWanted is the merged pull request to give up: the oldest of those that
// are in force, else the oldest.
func (d *Desk) leastWanted() *entry {
	return slices.MinFunc(byNumber(d.merged), func(a, b *entry) int {
		if a.fine != b.fine {
			return map[bool]int{true: -1, false: 1}[a.fine]
		}
		return a.number - b.number
	})
}

// leave takes back what the comment says of a pull request that goes to another
// branch by now, or went there; after that nothing is known of it. The check stays: made green
// here, it would let the pull request into this branch the moment it goes there
// again.
func (d *Desk) leave(e *entry, pr forge.PullRequest) {
	e.drop()
	e.worked()
	e.away, e.pr = true, pr
	d.settle(e, nothing(Input{Seed: d.Seed}), d.now())
}

func (d *Desk) remove(e *entry) {
	e.drop()
	delete(d.open, e.number)
}
