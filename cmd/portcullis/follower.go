package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/source"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// follower is one source: where its branch is, what was accepted of it, and
// what its commits are to be told.
type follower struct {
	conf   policy.Source
	cache  *render.Cache
	repo   *source.Repository
	pacer  *source.Pacer
	hooked chan struct{} // a webhook came; one slot
	// verifier knows whose commits are followed; nil where anybody's are.
	verifier *source.Verifier
	outbox   *forge.Outbox      // nil where commits are told nothing
	host     forge.PullRequests // nil where the host has none
	log      logr.Logger
	context  string // of its checks: portcullis/<seed>
	console  string // URL of the pages; empty where they have none
	detailed bool   // checks hold Markdown and annotations

	head     string           // of the branch, as last polled
	found    time.Time        // when the poll began that found it there
	polled   time.Time        // when a poll last went well
	rollouts []rollout        // commits on their way to their clusters
	shown    pullWorld        // that pull requests are judged against
	snapshot *source.Snapshot // of the accepted commit; nil until it was read
	files    []render.File
	loaded   bool              // what a restart left was taken up
	silent   bool              // a poll did not bring what was accepted before
	held     string            // head that is not followed
	ignored  apply.Approval    // that was said to be too old
	tenants  map[string]string // by project, where they differ: for status

	retained map[string]render.Retained   // lists that a restart left
	judged   map[string]outcome.Judgement // by commit, as far as they were needed
	meant    heldMeaning                  // of the head that is held
	waiting  map[string]int               // clusters that wait for KKP, as each commit was told
	between  map[string][]string          // commits that one superseded

	mu    sync.Mutex // guards what follows: the outbox reports from its own goroutine
	state apply.SourceState
	save  func(context.Context, apply.SourceState) error
	// desk is for pull requests; nil where none are looked at. verdicts are what
	// commits were told last.
	desk     *pulls.Desk
	verdicts map[string]outcome.Verdict
	last     lastWords
	// owed are the commits that another one superseded, by that one; arrived
	// are the contents of the final checks that were delivered, by commit.
	owed    map[string][]string
	arrived map[string]string
	// said are the states of the checks that were offered, by their content;
	// offered their contents, by commit.
	said    map[string]outcome.State
	offered map[string][]string
	// early are the contents of checks that will say more; true once they were
	// delivered. Nobody is told of those before.
	early   map[string]bool
	latest  *observation // nil until all clusters were looked at
	busy    time.Time    // since when a check is under way; zero if none is
	blind   time.Time    // since when some cluster was not looked at
	savedAt time.Time    // when the observation was last written down by itself
	saveAt  time.Time    // when it is to be, again; zero: when there is news
}

// pollEvery is how often webhooks can have a source polled, however many come.
const pollEvery = time.Second

// poll asks the remote where the branch is, again and again, until ctx ends.
// A result is handed over and answered before the next is asked for, so that
// nobody else uses the repository meanwhile.
func (f *follower) poll(ctx context.Context, results chan<- polled) {
	failures, began := 0, time.Time{}
	for due := time.Now(); ; due = f.pacer.Next(time.Now(), failures) {
		hooked, ok := f.sleepUntil(ctx, due)
		if !ok || hooked && !sleepUntil(ctx, began.Add(pollEvery)) {
			return
		}
		began = time.Now()
		head, err := f.repo.Poll(ctx)
		if failures++; err == nil {
			failures = 0
		}
		if !f.handOver(ctx, results, polled{f, head, err, time.Since(began), make(chan struct{})}) {
			return
		}
		if desk := f.pullDesk(); hooked && desk != nil {
			desk.Hint() // after the poll, so that Git is known to be no older than the listing
		}
	}
}

func (f *follower) handOver(ctx context.Context, results chan<- polled, p polled) bool {
	select {
	case results <- p:
	case <-ctx.Done():
		return false
	}
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// sleepUntil waits for a time or a webhook.
func (f *follower) sleepUntil(ctx context.Context, due time.Time) (hooked, ok bool) {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return false, true
	case <-f.hooked:
		f.log.V(1).Info("Polling for a webhook")
		return true, true
	case <-ctx.Done():
		return false, false
	}
}

// polled is what a poll found.
type polled struct {
	follower *follower
	head     string
	err      error
	took     time.Duration
	done     chan struct{}
}

func sleepUntil(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// read is the snapshot of a commit, taken apart.
func (f *follower) read(ctx context.Context, cache *render.Cache, commit string) (*source.Snapshot, []render.File, error) {
	snapshot, err := f.repo.Snapshot(ctx, commit)
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s of source %s: %w", commit, f.conf.Name, err)
	}
	snapshot = f.own(snapshot)
	files, err := parseAll(ctx, cache, f.conf.Name, snapshot, f.repo.Read)
	if err != nil {
		return nil, nil, fmt.Errorf("read commit %s of source %s: %w", commit, f.conf.Name, err)
	}
	return snapshot, files, nil
}

// own leaves out the tenants that this source does not speak for.
func (f *follower) own(s *source.Snapshot) *source.Snapshot {
	if len(f.conf.Tenants) == 0 {
		return s
	}
	own := &source.Snapshot{Commit: s.Commit, Missing: s.Missing}
	for _, e := range s.Files {
		if slices.Contains(f.conf.Tenants, e.Tenant) {
			own.Files = append(own.Files, e)
		}
	}
	return own
}

// Delivered implements forge.Store: it writes down that a commit's check
// arrived, once those of the commits that it superseded did too.
func (f *follower) Delivered(ctx context.Context, commit, hash string) error {
	if desk := f.pullDesk(); desk != nil && desk.Delivered(hash) || !f.arrive(commit, hash) {
		return nil
	}
	return f.update(ctx, func(s *apply.SourceState) {
		settled := false
		for i := range s.Commits {
			settled = f.settle(&s.Commits[i]) || settled
		}
		if settled { // one write tells both how it went and where it did not
			s.Commits = tidy(s.Commits, true)
			f.observed(s)
		}
	})
}

func (f *follower) pullDesk() *pulls.Desk {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.desk
}

// speaksFor tells whether a path is of a tenant that this source speaks for.
func (f *follower) speaksFor(path string) bool {
	tenant, _, _ := strings.Cut(strings.TrimPrefix(path, f.conf.Path+"/"), "/")
	return slices.Contains(f.conf.Tenants, tenant)
}

// arrive notes that a check is there, and tells whether that is to be written
// down: one that will say more is not, for the write that it would take.
func (f *follower) arrive(commit, hash string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, early := f.early[hash]; early {
		f.early[hash] = true
		return false
	}
	f.arrived[commit] = hash
	return true
}

// settle notes that a commit and all that it superseded were told their end.
func (f *follower) settle(r *apply.CommitRecord) bool {
	hash := f.arrived[r.SHA]
	if hash == "" || hash == r.Delivered && r.Sending == "" {
		return false
	}
	for _, skipped := range f.owed[r.SHA] {
		if f.arrived[skipped] == "" {
			return false
		}
	}
	state, known := f.said[hash]
	if !known { // of a verdict that was taken back while it was on its way
		delete(f.arrived, r.SHA)
		return false
	}
	r.Delivered, r.Sending, r.State = hash, "", string(state)
	return true
}

// mostRecords bounds the commits that can have news.
const mostRecords = 100

// mostUndelivered bounds the commits that a Git host which refuses every check
// can pile up, and those that failed and may recover.
const mostUndelivered = 1000

// tidy drops the records that nothing can happen to any more: delivered, and
// every list that they set was set again since. One that is held has news once
// the branch goes on from it. Where commits are told nothing, only the newest
// is of use. What is never delivered has a bound as well.
func tidy(records []apply.CommitRecord, told bool) []apply.CommitRecord {
	newest := len(records) - 1
	out := records[:0:0]
	for i, r := range records {
		open := told && newest-i < mostUndelivered && (r.Delivered == "" || len(r.Clusters) > 0 && r.State != string(outcome.Success))
		if i == newest || open || told && (len(r.Clusters) > 0 || r.Held != "") && newest-i < mostRecords {
			out = append(out, r)
		}
	}
	return out
}

func cloneState(s apply.SourceState) apply.SourceState {
	s.Commits = slices.Clone(s.Commits)
	for i := range s.Commits {
		s.Commits[i].Clusters = slices.Clone(s.Commits[i].Clusters)
	}
	return s
}
