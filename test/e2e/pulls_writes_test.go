package e2e_test

import (
	"context"
	"fmt"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestAMergedPullRequestTakesThreeWritesToTheState: those of its commit, with
// what is known of the pull request itself.
func TestAMergedPullRequestTakesThreeWritesToTheState(t *testing.T) {
	t.Parallel()
	var gate *stage.Gate
	p := onGiteaWithPullsBy(t, func(server string) (string, string) {
		gate = gateTo(t, server)
		return gate.URL, gate.URL
	})
	first := p.populate()
	p.start()
	p.await("the first status", p.status(first, stage.Failure))
	pr := p.propose("graz", "acme/staging.yaml", p.stagingWith("{description: Graz office, cidr: 192.0.2.96/28}"))
	p.await("its check", p.status(pr.Head.Sha, stage.Success, "routine"), p.commented(pr.Index, "**routine**"))
	p.restsBehind(gate)
	before := len(p.requests(toState))
	p.merge(pr.Index, sdk.MergeStyleMerge)
	p.await("the word on it", p.commented(pr.Index, "in force on `eu-west`"))
	p.restsBehind(gate)
	if writes := p.requests(toState)[before:]; len(writes) > 3 {
		t.Errorf("%d writes to the state:\n%s", len(writes), describe(writes))
	}
}

// restsBehind waits until some polls went by, through a gate, without a write to
// the seed.
func (p *withPulls) restsBehind(gate *stage.Gate) {
	p.t.Helper()
	polls := func() (n int) {
		for _, r := range gate.Requests() {
			if isListing(r) {
				n++
			}
		}
		return n
	}
	for before := -1; before != len(p.requests(written)); {
		before = len(p.requests(written))
		from := polls()
		p.await("more polls", func(context.Context) error {
			if n := polls() - from; n < 6 {
				return fmt.Errorf("%d polls", n)
			}
			return nil
		})
	}
}
