package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestEntryGoesWhenItExpires, without a commit and without a word on the one
// that brought it.
func TestEntryGoesWhenItExpires(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{})
	until := time.Now().UTC().Add(8 * time.Second).Format(time.RFC3339)
	sha := p.edit("acme/staging.yaml", "    - group: vpn",
		"    - {description: contractor, cidr: 198.51.100.7, expires: "+until+"}\n    - group: vpn")
	p.await("the entry", p.InForce(stage.ShopDev, append(stage.StagingList(), "198.51.100.7/32")...))
	p.await("the check", p.Noted(sha, stage.Success))
	p.await("the list without it", p.InForce(stage.ShopDev, stage.StagingList()...), p.InForce(stage.ShopStaging, stage.StagingList()...))
	p.morePolls(2)
	p.holds(p.Noted(sha, stage.Success))
}

// TestSelectorTakesUpWhatIsMadeLater: a cluster that is made, one that gets its
// namespace, one whose pause ends.
func TestSelectorTakesUpWhatIsMadeLater(t *testing.T) {
	t.Parallel()
	const later = "n3w1d4y5cl"
	p, _ := begin(t, stage.Options{})
	p.await("the lists that wait", p.HasList(stage.Edge, stage.InitechList()...), p.HasList(stage.Lab, stage.InitechList()...))
	p.must(p.Create(p.ctx, stage.Cluster{ID: later, Project: stage.InitechProject}))
	p.await("the new cluster", p.InForce(later, stage.InitechList()...))
	sha := p.edit(stage.InitechProject+"/everything.yaml", "198.51.100.200", "198.51.100.201")
	list := strings.Split(strings.ReplaceAll(strings.Join(stage.InitechList(), " "), "198.51.100.200", "198.51.100.201"), " ")
	p.await("the new list", p.InForce(later, list...), p.HasList(stage.Edge, list...), p.HasList(stage.Lab, list...))
	p.await("the check", p.Noted(sha, stage.Success, "waiting for KKP", "edge ("+stage.Edge+"): Waiting", "lab ("+stage.Lab+"): Waiting"))
	p.must(kkp.GiveNamespace(p.ctx, p.Seed.Client, p.Own(stage.Lab)))
	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.Edge), kkp.Resumed()))
	p.await("the others", p.InForce(stage.Lab, list...), p.InForce(stage.Edge, list...))
	p.await("the check, without those that wait", p.Noted(sha, stage.Success, "edge ("+stage.Edge+"): Synced", "lab ("+stage.Lab+"): Synced"))
}

// TestPolicyIsTakenUpAsItChanges, and a broken one is not.
func TestPolicyIsTakenUpAsItChanges(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	policy, err := p.ReadPolicy()
	p.must(err)
	platform := func(cidr string) stage.Document {
		seeds, _ := policy["seeds"].(map[string]any)
		seed, _ := seeds["eu-west"].(map[string]any)
		seed["platform"] = []any{map[string]any{"cidr": cidr, "description": "NOC"}}
		return policy
	}
	p.must(p.WritePolicy(platform("192.0.2.0/29")))
	moved := func(list []string) []string {
		return strings.Split(strings.ReplaceAll(strings.Join(list, " "), "192.0.2.0/28", "192.0.2.0/29"), " ")
	}
	p.await("the new platform range", p.InForce(stage.ShopProd, moved(stage.ProdList())...),
		p.InForce(stage.ShopDev, moved(stage.StagingList())...))

	p.must(p.WritePolicy(platform("192.0.2.1/29")))
	sha := p.edit("acme/staging.yaml", "203.0.113.0/24", "203.0.113.0/25")
	want := strings.Split(strings.ReplaceAll(strings.Join(moved(stage.StagingList()), " "), "203.0.113.0/24", "203.0.113.0/25"), " ")
	p.await("a change beside the broken policy", p.InForce(stage.ShopDev, want...), p.Noted(sha, stage.Success))
	p.holds(p.InForce(stage.ShopProd, moved(stage.ProdList())...))
}

// TestPolicyWaitsForNoPoll: it counts while Git is away, and states tell of it.
func TestPolicyWaitsForNoPoll(t *testing.T) {
	t.Parallel()
	p, _ := begin(t, stage.Options{Config: func(d stage.Document) { d["schedule"] = "@every 1h" }})
	policy, err := p.ReadPolicy()
	p.must(err)
	seeds, _ := policy["seeds"].(map[string]any)
	seed, _ := seeds["eu-west"].(map[string]any)
	seed["loadBalancer"] = "hetzner"
	p.must(p.WritePolicy(policy))
	p.await("the other load balancer", p.stands(stage.ShopProd, "Synced", "not enforced by hetzner"))
}
