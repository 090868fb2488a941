package main

import (
	"strings"
	"testing"

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
