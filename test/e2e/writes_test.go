package e2e_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestAMixedCommitTakesThreeWritesToTheState: it breaks one list, and changes
// another.
func TestAMixedCommitTakesThreeWritesToTheState(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure))
	p.settled()
	before := len(p.requests(toState))
	broken, err := p.Read("acme/production.yaml")
	p.must(err)
	staging, err := p.Read("acme/staging.yaml")
	p.must(err)
	sha := p.push(stage.Commit{Message: "Two files", Write: map[string]string{
		"acme/production.yaml": broken + "# one more\nx: 1\n",
		"acme/staging.yaml":    staging + "    - {description: Graz office, cidr: 192.0.2.96/28}\n",
	}})
	p.await("the check", p.Noted(sha, stage.Failure, "unknown-field", "shop-staging", "Synced"))
	p.settled()
	p.morePolls(2)
	if writes := p.requests(toState)[before:]; len(writes) > 3 {
		t.Errorf("%d writes to the state:\n%s", len(writes), describe(writes))
	}
}

// TestACommitThatMendsAndBreaksTakesThreeWritesToTheState, of which one is for
// what is kept: a list comes to it, and another goes.
func TestACommitThatMendsAndBreaksTakesThreeWritesToTheState(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure))
	p.settled()
	production, err := p.Read("acme/production.yaml")
	p.must(err)
	staging, err := p.Read("acme/staging.yaml")
	p.must(err)
	broken := p.write("acme/production.yaml", production+"# one more\nx: 1\n")
	p.await("the check", p.Noted(broken, stage.Failure, "unknown-field"))
	p.settled()
	before := len(p.requests(toState))
	sha := p.push(stage.Commit{Message: "Mend one, break another", Write: map[string]string{
		"acme/production.yaml": production + "# one more\n",
		"acme/staging.yaml":    staging + "# one more\nx: 1\n",
	}})
	p.await("the check", p.Noted(sha, stage.Failure, "unknown-field"))
	p.settled()
	p.morePolls(2)
	if writes := p.requests(toState)[before:]; len(writes) > 3 {
		t.Errorf("%d writes to the state:\n%s", len(writes), describe(writes))
	}
}

func toState(e servers.AuditEvent) bool { return written(e) && e.ObjectRef.Resource == "configmaps" }
