package render

import "github.com/portcullis-gitops/portcullis/render/profile"

// BudgetUse is how many rules of a load balancer's budget a plan's lists take
// with what is live besides: of all clusters of the seed, or where each has a
// budget of its own, of the one that takes most. 0 where no limit is known.
func (p *Plan) BudgetUse(b profile.Budget, inventory Inventory) int {
	if !b.Known() {
		return 0
	}
	r := &rendering{Input: Input{Inventory: inventory}}
	total, most := 0, 0
	for id := range inventory.Clusters {
		if r.takesRules(id) {
			n := r.entriesNow(p.Clusters[id], id)
			total, most = total+n, max(most, n)
		}
	}
	if b.SharedBy == profile.PerCluster {
		return b.Used(most)
	}
	return b.Used(total)
}
