package meaning

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Input is everything that a comparison depends on.
type Input struct {
	Before, After Side
	Policy        *policy.Policy
	Inventory     render.Inventory
	Now           time.Time
}

// Diff is what a change means.
type Diff struct {
	Class Class `json:"class"`
	// Why it is not routine, a sentence each; none where it is.
	Why []Reason `json:"why"`
	// Clusters that the change concerns, the worst first.
	Clusters []Cluster `json:"clusters"`
	// Groups whose addresses the change edits, with how far that reaches.
	Groups []Group `json:"groups"`
	// Budgets that the change uses more or less of.
	Budgets []Budget `json:"budgets"`
	// NotFromFiles is let in besides what the files say.
	NotFromFiles []Added `json:"notFromFiles"`
	// NotCompared is what could not be told, and why.
	NotCompared []string `json:"notCompared"`
	// Findings in files that the change touches, and new ones elsewhere.
	Findings []lint.Finding `json:"findings"`
	// Standing counts the other findings, which are not from this change.
	Standing int `json:"standing"`
}

// Changed tells whether anybody's access changes: now, with time, or in who
// decides about it.
func (d *Diff) Changed() bool {
	return slices.ContainsFunc(d.Clusters, func(c Cluster) bool { return c.Changed() })
}

// Added is a range that is let in without a file saying so.
type Added struct {
	Seed        string       `json:"seed"`
	Prefix      netip.Prefix `json:"prefix"`
	By          string       `json:"by"` // platform, or seed: KKP adds the Seed's own ranges
	Description string       `json:"description,omitempty"`
}

// Compare says what the change from one plan to the other means.
func Compare(in Input) *Diff {
	d := &Diff{Why: []Reason{}, Clusters: []Cluster{}, Findings: []lint.Finding{}}
	for _, key := range keys(in.Before.Clusters, in.After.Clusters) {
		c, differs := in.compare(key)
		if differs {
			d.Clusters = append(d.Clusters, c)
		}
	}
	slices.SortStableFunc(d.Clusters, byWeight)
	d.Groups = in.groups()
	d.Budgets = in.budgets()
	d.NotFromFiles = in.added(d.Clusters)
	d.NotCompared = in.notCompared(d.Clusters)
	d.Findings, d.Standing = in.findings()
	in.classify(d)
	return d
}

func keys(a, b map[string]*render.Wanted) []string {
	out := slices.Collect(maps.Keys(a))
	for key := range b {
		if a[key] == nil {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// byWeight puts the worst first; what weighs the same goes by tenant and ID.
func byWeight(a, b Cluster) int {
	return cmp.Or(cmp.Compare(a.weight(), b.weight()), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID))
}

// seedOf is the seed of a plan's key; the ID is what comes last.
func seedOf(key string) string {
	seed, _, _ := strings.Cut(key, "/")
	return seed
}

// seedAdds are the ranges that KKP adds to a list that is set.
func (in Input) seedAdds() []netip.Prefix {
	s := in.Inventory.Seed
	return append(render.Prefixes(s.Source), render.Prefixes(s.Default)...)
}

// added are the ranges besides the files', of the seeds whose lists change.
func (in Input) added(clusters []Cluster) []Added {
	out := []Added{}
	seeds := map[string]bool{}
	for _, c := range clusters {
		if c.After == render.Restricted && !c.NewlyHeld() {
			seeds[c.Seed] = true
		}
	}
	for _, seed := range slices.Sorted(maps.Keys(seeds)) {
		for _, p := range in.Policy.Seeds[seed].Platform {
			if len(p.Datacenters) == 0 || in.Inventory.Known {
				out = append(out, Added{Seed: seed, Prefix: p.Prefix, By: "platform", Description: p.Description})
			}
		}
		for _, p := range in.seedAdds() {
			out = append(out, Added{Seed: seed, Prefix: p, By: "seed"})
		}
	}
	return out
}

func (in Input) notCompared(clusters []Cluster) []string {
	out := []string{}
	restricted := slices.ContainsFunc(clusters, func(c Cluster) bool { return c.After == render.Restricted && !c.NewlyHeld() })
	if !in.Inventory.Seed.Known && restricted {
		out = append(out, "the Seed's own ranges, which KKP adds to every list")
	}
	if !in.Inventory.Known && slices.ContainsFunc(clusters, func(c Cluster) bool { return c.limited() }) {
		out = append(out, "what is live, by which a change is held: here the base counts")
	}
	if slices.ContainsFunc(clusters, func(c Cluster) bool { return isTarget(c.ID) || c.untold() }) {
		out = append(out, "which clusters a clusterSelector selects")
	}
	if in.Policy.SeedNames() == nil && restricted {
		out = append(out, "platform ranges and the provider's groups, without a policy")
	}
	if !in.Inventory.Known && in.datacenters(clusters) {
		out = append(out, "platform ranges of some datacenters only")
	}
	return out
}

func (in Input) datacenters(clusters []Cluster) bool {
	for _, c := range clusters {
		for _, p := range in.Policy.Seeds[c.Seed].Platform {
			if len(p.Datacenters) > 0 {
				return true
			}
		}
	}
	return false
}

// findings are those that the change answers for: in the files it touches, and
// new ones in others, which an edited group can cause.
func (in Input) findings() (own []lint.Finding, standing int) {
	touched := in.touched()
	older := map[lint.Finding]int{}
	for _, f := range in.Before.Findings {
		older[placeless(f)]++
	}
	own = []lint.Finding{}
	for _, f := range in.After.Findings {
		known := older[placeless(f)] > 0
		older[placeless(f)]--
		if known && !touched[render.FileID{Source: f.Source, Path: f.Path}] {
			standing++
			continue
		}
		own = append(own, f)
	}
	return own, standing
}

// placeless is a finding without its place in the file, which lines above move,
// and without its severity, which what was accepted before changes.
func placeless(f lint.Finding) lint.Finding {
	f.Line, f.Column, f.Severity = 0, 0, ""
	return f
}

// touched are the files that are not on both sides alike.
func (in Input) touched() map[render.FileID]bool {
	out := map[render.FileID]bool{}
	for _, f := range in.Before.Files {
		out[f.ID()] = true
	}
	before := map[render.FileID]string{}
	for _, f := range in.Before.Files {
		before[f.ID()] = f.Hash
	}
	for _, f := range in.After.Files {
		hash, there := before[f.ID()]
		out[f.ID()] = !there || hash != f.Hash
	}
	return out
}
