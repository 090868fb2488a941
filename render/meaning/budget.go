package meaning

import (
	"maps"
	"slices"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// Budget is how much of a load balancer's limit is used, in its own rules.
type Budget struct {
	Seed    string `json:"seed"`
	Cluster string `json:"cluster,omitempty"` // title; empty for one that all clusters of the seed share
	Before  int    `json:"before"`
	After   int    `json:"after"`
	Limit   int    `json:"limit"`
}

// Left is how many rules are left, below 0 where they do not fit.
func (b Budget) Left() int { return b.Limit - b.After }

// budgets are those of which the change uses more or less than before.
func (in Input) budgets() []Budget {
	out := []Budget{}
	sums := map[string]*Budget{}
	for _, key := range keys(in.Before.Clusters, in.After.Clusters) {
		seed := seedOf(key)
		limit := in.Policy.Seeds[seed].Profile.Budget
		if !limit.Known() {
			continue
		}
		own := in.budget(key, seed, limit)
		if limit.SharedBy == profile.PerCluster {
			out = append(out, own)
			continue
		}
		if sums[seed] == nil {
			sums[seed] = &Budget{Seed: seed, Limit: limit.Rules}
		}
		sums[seed].Before += own.Before
		sums[seed].After += own.After
	}
	for _, seed := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, *sums[seed])
	}
	return slices.DeleteFunc(out, func(b Budget) bool { return b.Before == b.After })
}

func (in Input) budget(key, seed string, limit profile.Budget) Budget {
	before, after := in.Before.Clusters[key], in.After.Clusters[key]
	b := Budget{Seed: seed, Limit: limit.Rules, Before: limit.Used(in.ranges(before)), After: limit.Used(in.ranges(after))}
	if after != nil {
		b.Cluster = after.Title
	} else {
		b.Cluster = before.Title
	}
	return b
}

// ranges counts what KKP hands to the load balancer: the list and the Seed's
// ranges, alike ones once.
func (in Input) ranges(w *render.Wanted) int {
	if w == nil || w.Access != render.Restricted || len(w.List) == 0 {
		return 0
	}
	all := slices.Concat(render.Strings(w.List), in.Inventory.Seed.Source, in.Inventory.Seed.Default)
	slices.Sort(all)
	return len(slices.Compact(all))
}
