package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/portcullis-gitops/portcullis/source/forge"
)

// memoryForge is a Git host that keeps the newest check of each commit.
type memoryForge struct {
	mu     sync.Mutex
	checks map[string]forge.Check
}

// Post implements forge.Forge.
func (f *memoryForge) Post(_ context.Context, checks []forge.Check) []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range checks {
		f.checks[c.Commit] = c
	}
	return make([]error, len(checks))
}

func (f *memoryForge) of(commit string) forge.Check {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.checks[commit]
}

// mJudgement is what a commit answers for.
type mJudgement struct {
	fails bool // for good: an error in what it changes
	// foreign are the clusters of others that it names. Where one of them was made
	// anew since, it may be judged with that, as after a restart.
	foreign map[string]*mCluster
	// unsure says that it depends on more than is modelled here.
	unsure bool
	sets   map[string]*mCluster // whose list it is the one to have asked for
	files  map[string]bool      // that it changes
}

// judge compares what is followed with what is to be.
func (m *model) judge(after tree) *mJudgement {
	j := &mJudgement{foreign: map[string]*mCluster{}, sets: map[string]*mCluster{}, files: map[string]bool{}}
	for _, path := range slices.Concat(slices.Collect(maps.Keys(m.accepted)), slices.Collect(maps.Keys(after))) {
		before, was := m.accepted[path]
		now, is := after[path]
		if was && is && before.text(path) == now.text(path) {
			continue
		}
		j.files[path] = true
		j.look(m, path, before, now, is, after)
	}
	then, now := m.asks(m.accepted), m.asks(after)
	for id, good := range now {
		if was := then[id]; good.access == "restricted" && (was == nil || was.access != good.access || !slices.Equal(m.listOf(was), m.listOf(good))) {
			j.sets[id] = m.clusters[id]
		}
	}
	return j
}

// look judges one file that a commit changes.
func (j *mJudgement) look(m *model, path string, before, now mFile, is bool, after tree) {
	switch {
	case !is, now.group, now.uses == tenantGroup && after.wrong(now):
		j.unsure = true
	case now.broken:
		j.fails = true
	}
	for _, id := range now.clusters {
		if c := m.clusters[id]; c.tenant != now.tenant {
			j.foreign[id] = c
		}
	}
	for id, c := range m.clusters { // one that it does not name any more, now or earlier
		names := slices.Contains(now.clusters, id) || now.selects && (now.env == "" || now.env == c.env)
		if !names && (slices.Contains(before.clusters, id) || hadBy(c, path) > 0) {
			j.unsure = true
		}
	}
	if before.selects && before.env != now.env {
		j.unsure = true
	}
}

// told compares the check of the branch's head with what the promises say.
func (h *history) told() error {
	check := h.forge.of(h.head)
	if check.State != forge.Success && check.State != forge.Failure {
		return fmt.Errorf("the check of %.8s is %q: %s", h.head, check.State, check.Title)
	}
	want := forge.State("")
	switch j := h.judged[h.head]; {
	case h.held():
		want = forge.Failure
		if !strings.HasPrefix(check.Title, "held: ") {
			return fmt.Errorf("the check of %.8s, which is not followed, is %q", h.head, check.Title)
		}
	case j == nil || (j.unsure || len(j.foreign) > 0) && !h.fails(j):
	case h.fails(j), h.owes(j):
		want = forge.Failure
	case h.fine(j):
		want = forge.Success
	}
	if want != "" && want != check.State {
		return fmt.Errorf("the check of %.8s is %s, not %s: %s\n%s", h.head, check.State, want, check.Title, check.Body)
	}
	return nil
}

// owes tells whether a list that a commit asked for is not what is in force.
func (h *history) owes(j *mJudgement) bool {
	for id, c := range j.sets {
		if h.clusters[id] == c && (c.kept || c.byHand != nil || c.fought || !c.exposed && c.good != nil && c.good.access == "restricted") {
			return true
		}
	}
	return false
}

// fine tells whether nothing can be said against any cluster of the files that
// a commit changes. Whose news a cluster is that was made anew is not promised.
func (h *history) fine(j *mJudgement) bool {
	for id, c := range j.sets {
		if h.clusters[id] != c {
			return false
		}
	}
	for _, c := range h.clusters {
		if c.good != nil && !j.files[c.good.path] {
			continue
		}
		if c.good == nil || !c.exposed || c.kept || c.byHand != nil || c.fought {
			return false
		}
	}
	return true
}

// fails tells whether an error is in what a commit changes, whatever happens on
// the seed.
func (h *history) fails(j *mJudgement) bool {
	for id, c := range j.foreign {
		if h.clusters[id] == c {
			return true
		}
	}
	return j.fails
}

// failed goes through the commits that were followed: who was to blame is, for
// good.
func (h *history) failed() error {
	for commit, j := range h.judged {
		if check := h.forge.of(commit); h.fails(j) && commit != h.head && check.State == forge.Success && !strings.HasPrefix(check.Title, "superseded by ") {
			return fmt.Errorf("the check of %.8s, which holds an error, is %s: %s", commit, check.State, check.Title)
		}
	}
	return nil
}
