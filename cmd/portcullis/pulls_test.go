package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/source/forge"
)

// nowhere is a Git host that is never asked.
type nowhere struct{ forge.Forge }

// TestTheBranchsVerdictWins: of a commit that is the branch's by now nothing is
// offered that its pull request is told, whatever became of it there.
func TestTheBranchsVerdictWins(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		records []apply.CommitRecord
		offered bool
	}{
		"no commit of the branch": {[]apply.CommitRecord{{SHA: "another"}}, true},
		"its newest":              {[]apply.CommitRecord{{SHA: "another"}, {SHA: "head"}}, false},
		"an older one":            {[]apply.CommitRecord{{SHA: "head", Clusters: []string{"x"}}, {SHA: "another"}}, false},
		"one that is held":        {[]apply.CommitRecord{{SHA: "another"}, {SHA: "head", Held: "rewinds"}}, false},
	} {
		f, _ := newTestFollower(tt.records...)
		f.outbox = forge.NewOutbox(nowhere{}, nil, forge.Options{})
		told := f.offerPull(forge.Check{Commit: "head", Context: "portcullis/eu-west", State: forge.Success, Title: "nothing here"})
		if queued := f.outbox.Stats().Undelivered == 1; told != tt.offered || queued != tt.offered {
			t.Errorf("%s: offered %v, and told %v", name, queued, told)
		}
	}
}

// changedLists is a plan with so many lists that a change makes others of.
func changedLists(n int) ([]string, *render.Plan) {
	plan := &render.Plan{Clusters: map[string]*render.Wanted{}}
	var ids []string
	for i := range n {
		id := fmt.Sprintf("c%03d", i)
		ids = append(ids, id)
		plan.Clusters[id] = &render.Wanted{Cluster: id, Access: render.Restricted, Exposed: true}
	}
	return ids, plan
}

// TestFiftyListsOfAPullRequestAreTried at most: the rest, and those that the
// seed could not be asked about, are counted.
func TestFiftyListsOfAPullRequestAreTried(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lists, asked, untried, unanswered, refused int
		change                                     func(*render.Plan)
		try                                        func(w *render.Wanted) (string, error)
	}{
		"none":  {},
		"fifty": {lists: 50, asked: 50},
		"more":  {lists: 73, asked: 50, untried: 23},
		"some without a list to try": {lists: 53, asked: 50, change: func(p *render.Plan) {
			p.Clusters["c000"].Access = render.Open
			p.Clusters["c001"].Exposed = false
			p.Clusters["c002"].Held = &render.Hold{}
		}},
		"refused": {lists: 60, asked: 50, untried: 10, refused: 2, try: func(w *render.Wanted) (string, error) {
			if w.Cluster == "c007" || w.Cluster == "c049" || w.Cluster == "c050" {
				return "no", nil
			}
			return "", nil
		}},
		"the seed is away": {lists: 60, asked: 50, untried: 10, unanswered: 50, try: func(*render.Wanted) (string, error) { return "", errors.New("away") }},
		"away for a moment": {lists: 3, asked: 3, unanswered: 1, refused: 1, try: func(w *render.Wanted) (string, error) {
			return map[string]string{"c002": "no"}[w.Cluster], map[string]error{"c001": errors.New("busy")}[w.Cluster]
		}},
	} {
		ids, plan := changedLists(tt.lists)
		if tt.change != nil {
			tt.change(plan)
		}
		asked := 0
		got, err := tryAll(t.Context(), ids, plan, func(w *render.Wanted) (string, error) {
			asked++
			if tt.try == nil {
				return "", nil
			}
			return tt.try(w)
		})
		if asked != tt.asked || got.untried != tt.untried || got.unanswered != tt.unanswered || len(got.refused) != tt.refused || err != nil {
			t.Errorf("%s: asked about %d, %+v, %v; want %+v", name, asked, got, err, tt)
		}
	}
}

// TestTrialsEndWithTheProcess: then there is no judgement at all.
func TestTrialsEndWithTheProcess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ids, plan := changedLists(3)
	asked := 0
	_, err := tryAll(ctx, ids, plan, func(*render.Wanted) (string, error) {
		asked++
		cancel()
		return "", fmt.Errorf("wait: %w", ctx.Err())
	})
	if !errors.Is(err, context.Canceled) || asked != 1 {
		t.Errorf("%v after %d", err, asked)
	}
}
