package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// fleet is how many clusters a rollout goes to; it takes fleetSeconds at the
// rate that the Config sets.
const (
	fleet        = 60
	fleetSeconds = 4
)

// TestKillInTheMiddleOfARollout kills the reconciler while it goes from one
// list to another on many clusters.
func TestKillInTheMiddleOfARollout(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{
		Config: func(d stage.Document) { d["apply"] = map[string]any{"rate": fleet / fleetSeconds} },
		Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 1000, "percent": 100} },
	})
	ids := p.fleet()
	list := func(cidr string) []string { return []string{cidr, "192.0.2.0/28"} }
	old, next := list("203.0.113.0/24"), list("203.0.113.0/25")
	p.write("acme/fleet.yaml", fleetFile(ids, "203.0.113.0/24"))
	p.start()
	p.await("the first list", p.everywhere(ids, old))

	seen := p.watch()
	sha := p.write("acme/fleet.yaml", fleetFile(ids, "203.0.113.0/25"))
	p.await("a part of the rollout", func(ctx context.Context) error {
		if n, err := p.carry(ctx, ids, next); err != nil || n < fleet/6 {
			return fmt.Errorf("%d clusters: %w", n, err)
		}
		return nil
	})
	p.must(p.Run.Kill())
	n, err := p.carry(p.ctx, ids, next)
	p.must(err)
	before, err := p.carry(p.ctx, ids, old)
	p.must(err)
	t.Logf("killed with the new list on %d clusters, the old one on %d", n, before)
	if n == 0 || n == fleet || n+before != fleet {
		t.Errorf("the new list is on %d clusters, the old one on %d, of %d", n, before, fleet)
	}
	p.start()
	p.await("the end of the rollout", p.everywhere(ids, next), p.Noted(sha, stage.Success, "60 lists in force"))
	p.holds(p.InForce(ids[0], next...), p.InForce(ids[fleet-1], next...))
	lists := seen()
	delete(lists, lineOf(old))
	delete(lists, lineOf(next))
	if len(lists) > 0 {
		t.Errorf("on the way there were other lists: %v", lists)
	}
}

// TestKilledAtAnyMomentTellsEachCommit kills the reconciler as soon as a commit
// is pushed, accepted, applied, and while it was on its way to a next one. In
// the end each commit was told something final.
func TestKilledAtAnyMomentTellsEachCommit(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	seen := p.watch()
	commits := []string{first}
	var list []string
	for i := range 12 {
		prefix := fmt.Sprintf("203.0.113.%d/32", i)
		list = append(slices.Clone(stage.ProdList()), prefix)
		list = slices.DeleteFunc(list, func(s string) bool { return s == "203.0.113.0/24" })
		commits = append(commits, p.write("acme/production.yaml", strings.Replace(production, "203.0.113.0/24", prefix, 1)))
		moment := []string{"", "Accepted a commit", "list written"}[i%3]
		p.logged(commits[len(commits)-1], moment)
		p.must(p.Run.Kill())
		p.start()
	}
	p.await("the last list", p.InForce(stage.ShopProd, list...))
	for _, sha := range commits[1:] {
		p.await("the check of each commit", p.Noted(sha, stage.Success))
	}
	p.await("the first check", p.Noted(first, stage.Failure, "unsupported-expose-strategy"))
	if lists := seen(); lists["none"] > 0 || lists[lineOf(nil)] > 0 {
		t.Errorf("something was open on the way: %v", lists)
	}
}

// logged waits until the log tells, after the word of this commit, of a moment.
func (p *play) logged(sha, moment string) {
	p.t.Helper()
	if moment == "" {
		return
	}
	p.await("the moment", func(context.Context) error {
		_, since, ok := strings.Cut(p.Run.Log(), sha)
		if !ok || moment != "Accepted a commit" && !strings.Contains(since, moment) {
			return fmt.Errorf("not yet %q", moment)
		}
		return nil
	})
}

// production is the list of shop-prod, with a place for one more prefix.
const production = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: production}
spec:
  seed: eu-west
  clusters: [` + stage.ShopProd + `]
  nodeEgress: [198.51.100.40]
  entries:
    - {description: offices, cidrs: [203.0.113.0/24, "2001:db8:17::/48", 192.0.2.77]}
    - group: vpn
    - group: provider/noc
`
