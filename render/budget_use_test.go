package render

import (
	"net/netip"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/profile"
)

func TestBudgetUse(t *testing.T) {
	t.Parallel()
	list := func(cidrs ...string) (out []netip.Prefix) {
		for _, c := range cidrs {
			out = append(out, netip.MustParsePrefix(c))
		}
		return out
	}
	exposed := func(live ...string) Cluster {
		return Cluster{ExposeStrategy: ExposeLoadBalancer, Live: Live{Set: len(live) > 0, CIDRs: live}}
	}
	inventory := Inventory{Known: true, Seed: SeedRanges{Known: true, Source: []string{"192.0.2.0/28"}, Default: []string{"192.0.2.16/28"}},
		Clusters: map[string]Cluster{
			"wanted":     exposed("198.51.100.1/32"),                           // 3, whatever is live yet, and 2 of the Seed's
			"foreign":    exposed("198.51.100.1/32", "192.0.2.0/28"),           // nobody's: 2 that are live, 1 alike, 1 more of the Seed's
			"open":       exposed("198.51.100.1/32"),                           // no list: the Seed's source range alone
			"tunnelling": {ExposeStrategy: "Tunneling", Live: Live{Set: true}}, // has no load balancer
		}}
	plan := &Plan{Clusters: map[string]*Wanted{
		"wanted":     {Cluster: "wanted", Access: Restricted, List: list("203.0.113.0/24", "203.0.114.0/24", "203.0.115.0/24")},
		"open":       {Cluster: "open", Access: Open},
		"tunnelling": {Cluster: "tunnelling", Access: Restricted, List: list("203.0.113.0/24")},
	}}
	for name, c := range map[string]struct {
		budget profile.Budget
		want   int
	}{
		"not known":       {profile.Budget{PerEntry: 3, SharedBy: profile.PerSeed}, 0},
		"of the seed":     {profile.Budget{Rules: 60, PerEntry: 3, SharedBy: profile.PerSeed}, 3 * (5 + 3 + 1)},
		"of each cluster": {profile.Budget{Rules: 60, SharedBy: profile.PerCluster}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := plan.BudgetUse(c.budget, inventory); got != c.want {
				t.Errorf("%d rules, not %d", got, c.want)
			}
		})
	}
}
