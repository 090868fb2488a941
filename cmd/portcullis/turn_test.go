package main

import (
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
)

// News of clusters is planned for at once where it is rare, and once a second
// where it never ends; what came last is never forgotten.
func TestNewsOfClustersIsPlannedForInTurn(t *testing.T) {
	t.Parallel()
	now, plans := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), 0
	r := &reconciler{now: func() time.Time { return now }, plan: &render.Plan{}}
	replan := func() { plans++; r.take(&render.Plan{}) }
	r.inTurn(replan)
	if plans != 1 || r.outdated {
		t.Fatalf("the first news: %d plans, outdated %v", plans, r.outdated)
	}
	for range 1000 { // ten seconds of news
		now = now.Add(10 * time.Millisecond)
		r.inTurn(replan)
		if wait := r.idle(); r.outdated && wait > plansApart {
			t.Fatalf("with news waiting, the loop sleeps for %s", wait)
		}
	}
	if plans != 11 {
		t.Errorf("%d plans in ten seconds of news", plans)
	}
	now = now.Add(plansApart / 2)
	if r.inTurn(replan); !r.outdated {
		t.Error("the last news is forgotten")
	}
	if r.take(&render.Plan{}); r.outdated {
		t.Error("a plan made for a commit is none for the news")
	}
	now = now.Add(-time.Hour) // a clock that was set back
	if r.inTurn(replan); plans != 12 {
		t.Errorf("%d plans once the clock was set back", plans)
	}
}
