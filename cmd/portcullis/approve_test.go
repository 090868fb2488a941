package main

import (
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
