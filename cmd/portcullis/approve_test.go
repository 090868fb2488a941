package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/portcullis-gitops/portcullis/apply"
)

// Approving what is of no use says so, and what is held instead; what a pull
// request announces can be approved before anybody else knows the commit.
func TestWhatAnApprovalIsOf(t *testing.T) {
	t.Parallel()
	held := &apply.HeldCommit{Commit: "head", Reason: "rewinds old to head"}
	tenants := []apply.TenantHold{{Tenant: "acme", Commit: "asked", Reason: "opens 12 of 20"}}
	for name, c := range map[string]struct {
		state  apply.SourceState
		commit string
		done   bool
		words  []string
	}{
		"a held head":                    {state: apply.SourceState{Accepted: "old", Held: held}, commit: "head"},
		"what a tenant asks for":         {state: apply.SourceState{Accepted: "new", Holds: tenants}, commit: "asked"},
		"all up to what is accepted":     {state: apply.SourceState{Accepted: "new", Holds: tenants}, commit: "new"},
		"nothing is held":                {state: apply.SourceState{Accepted: "new"}, commit: "new", done: true, words: []string{"is accepted already"}},
		"accepted before":                {state: apply.SourceState{Accepted: "new", Commits: []apply.CommitRecord{{SHA: "old"}}}, commit: "old", done: true, words: []string{"is accepted already"}},
		"accepted, another head is held": {state: apply.SourceState{Accepted: "old", Held: held}, commit: "old", done: true, words: []string{"is accepted already", "what is held:\n  portcullis approve customers@head", "rewinds old to head"}},
		"to be merged":                   {state: apply.SourceState{Accepted: "old"}, commit: "next", words: []string{"is not held now", "within the hour"}},
		"to be merged, others are held":  {state: apply.SourceState{Accepted: "new", Holds: tenants}, commit: "next", words: []string{"is not held now", "portcullis approve customers@asked", "opens 12 of 20"}},
		"below the head that is held":    {state: apply.SourceState{Accepted: "old", Held: held, Commits: []apply.CommitRecord{{SHA: "below", Held: "opens 12 of 20"}, {SHA: "head", Held: held.Reason}}}, commit: "below", words: []string{"is not the head of the branch any more", "judged by itself", "portcullis approve customers@head"}},
		"held once, and passed":          {state: apply.SourceState{Accepted: "new", Commits: []apply.CommitRecord{{SHA: "old", Superseded: "new"}}}, commit: "old", words: []string{"is not held now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.state.Name = "customers"
			done, words := standingOf(c.state, c.commit)
			if done != c.done || (words == "") != (len(c.words) == 0) {
				t.Errorf("done %v: %q", done, words)
			}
			for _, part := range c.words {
				if !strings.Contains(words, part) {
					t.Errorf("%q does not say %q", words, part)
				}
			}
		})
	}
}

// An approval that would not count, for its clock is behind, is refused while
// somebody looks.
func TestApprovalByAClockThatIsBehind(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	began := func(ago time.Duration) time.Time { return now.Add(-ago) }
	holds := func(ago ...time.Duration) (out []apply.TenantHold) {
		for _, d := range ago {
			out = append(out, apply.TenantHold{Tenant: "acme", Commit: "asked", Since: began(d)})
		}
		return out
	}
	for name, c := range map[string]struct {
		state   apply.SourceState
		commit  string
		refused bool
	}{
		"held before":                {state: apply.SourceState{Held: &apply.HeldCommit{Commit: "head", Since: began(time.Minute)}}, commit: "head"},
		"held within the hour":       {state: apply.SourceState{Held: &apply.HeldCommit{Commit: "head", Since: began(-59 * time.Minute)}}, commit: "head"},
		"held an hour from now":      {state: apply.SourceState{Held: &apply.HeldCommit{Commit: "head", Since: began(-time.Hour)}}, commit: "head", refused: true},
		"another is held":            {state: apply.SourceState{Held: &apply.HeldCommit{Commit: "head", Since: began(-time.Hour)}}, commit: "next"},
		"a tenant's, two hours away": {state: apply.SourceState{Accepted: "new", Holds: holds(-2 * time.Hour)}, commit: "asked", refused: true},
		"all, two hours away":        {state: apply.SourceState{Accepted: "new", Holds: holds(-2 * time.Hour)}, commit: "new", refused: true},
		"one of two counts":          {state: apply.SourceState{Accepted: "new", Holds: holds(-2*time.Hour, time.Hour)}, commit: "new"},
		"nothing is held":            {state: apply.SourceState{Accepted: "new"}, commit: "next"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			why := tooEarly(c.state, apply.Approval{Commit: c.commit, At: now})
			if (why != "") != c.refused {
				t.Errorf("refused: %q", why)
			}
			if c.refused && !strings.Contains(why, "clock says 2026-11-23T12:00:00Z, and the hold began at 2026-11-23T1") {
				t.Errorf("it does not say why: %q", why)
			}
		})
	}
}

// One that is too old for a hold is told once, and another one again.
func TestIgnoredApprovalIsTold(t *testing.T) {
	t.Parallel()
	var lines []string
	f := &follower{log: funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, a := range []apply.Approval{{Commit: "a", At: at, By: "ops"}, {Commit: "a", At: at, By: "ops"}, {Commit: "a", At: at.Add(time.Minute)}, {Commit: "b", At: at}} {
		f.ignore(a, at.Add(2*time.Hour))
	}
	if len(lines) != 3 || !strings.Contains(lines[0], `"by"="ops" "approved"="2026-11-23T12:00:00Z" "held"="2026-11-23T14:00:00Z"`) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

// A check that says how to approve its commit keeps its word when others are
// pushed on top: the commit is approved, and nothing above it.
func TestApprovalBelowTheHead(t *testing.T) {
	t.Parallel()
	s := newSigning(t)
	f := s.follower("")
	accepted := s.commit("", false)
	far := s.commit(accepted, false)
	above := s.commit(far, false)
	head := s.commit(above, false)
	if _, err := f.repo.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	aside := strings.Repeat("a", 40)
	records := []apply.CommitRecord{{SHA: accepted}, {SHA: far, Held: "opens 12"}, {SHA: above}, {SHA: aside, Held: "opens 12"}, {SHA: head, Held: "opens 12"}}
	rewind := "rewinds " + short(head) + " to " + short(far)
	for name, c := range map[string]struct {
		accepted, commit, reason string
		mass, of                 bool
	}{
		"the head":                           {accepted: accepted, commit: head, mass: true, of: true},
		"below, for what it changes":         {accepted: accepted, commit: far, mass: true, of: true},
		"below, never held":                  {accepted: accepted, commit: above},
		"held, and not on the branch":        {accepted: accepted, commit: aside},
		"below, a rewind":                    {accepted: head, commit: far, reason: rewind, of: true},
		"below, a rewind that was not there": {accepted: head, commit: far},
	} {
		f.held = head
		f.state.Accepted, f.state.Held, f.state.Commits = c.accepted, &apply.HeldCommit{Commit: head, Mass: true}, slices.Clone(records)
		if c.reason != "" {
			f.state.Commits[1].Held = c.reason
		}
		mass, of, err := f.approves(t.Context(), apply.Approval{Commit: c.commit}, time.Now())
		if err != nil || of != c.of || (len(mass) == 1) != c.mass {
			t.Errorf("%s: %v %v %v", name, mass, of, err)
		}
	}
	f.held, f.state.Held = "", nil
	if _, of, err := f.approves(t.Context(), apply.Approval{Commit: far}, time.Now()); of || err != nil {
		t.Errorf("with nothing held: %v %v", of, err)
	}
}
