package meaning

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// Class is how much a change deserves a reviewer's eye. It decides nothing.
type Class string

// The classes.
const (
	Routine Class = "routine" // nothing but what happens every day
	Review  Class = "review"
	Hold    Class = "hold" // will be held after the merge, until approved
)

// Reason is why a change is not routine.
type Reason struct {
	Tenant string `json:"tenant,omitempty"` // whose change it is, where that matters
	Text   string `json:"text"`
}

// classify says what class the change is of, and why.
func (in Input) classify(d *Diff) {
	d.Class = Routine
	why := in.held(d)
	if len(why) > 0 {
		d.Class = Hold
	}
	for _, text := range slices.Concat(in.ofFindings(d), ofClusters(d.Clusters), in.ofLists()) {
		why = append(why, Reason{Text: text})
	}
	if text := in.unseen(); text != "" && len(why) == 0 {
		why = append(why, Reason{Text: text})
	}
	if d.Class == Routine && len(why) > 0 {
		d.Class = Review
	}
	d.Why = append(d.Why, why...)
}

// held says what of the change will wait for approval. The seed measures that
// against what is live; where nothing of it is known, the base stands for it.
func (in Input) held(d *Diff) []Reason {
	if !in.Inventory.Known {
		return in.heldByBase(d)
	}
	var out []Reason
	for _, h := range in.After.Holds {
		out = append(out, Reason{h.Tenant, h.Reason + ", so it waits for an operator's approval"})
	}
	return out
}

// limited tells whether a change of a cluster counts against what may change at
// once.
func (c *Cluster) limited() bool { return c.Opened() || c.FirstRestricted() || len(c.Lost) > 0 }

// heldByBase compares what changes with what may change at once without
// approval: on each seed of each tenant, and of all. What is not known before
// counts as a first restriction, as it most likely is.
func (in Input) heldByBase(d *Diff) (out []Reason) {
	hit, all := map[part]int{}, map[part]int{}
	for i := range d.Clusters {
		if c := &d.Clusters[i]; c.limited() {
			hit[part{c.Seed, c.Tenant}]++
			hit[part{seed: c.Seed}]++
		}
	}
	for key, w := range in.After.Clusters {
		all[part{seedOf(key), w.Claim.Tenant}]++
		all[part{seed: seedOf(key)}]++
	}
	held := map[string]bool{} // seeds, for a tenant's part
	for _, p := range slices.SortedFunc(maps.Keys(hit), byTenant) {
		if in.Policy.BlastRadius.Exceeded(hit[p], all[p]) && (p.tenant != "" || !held[p.seed]) {
			out = append(out, Reason{p.tenant, in.holds(hit[p])})
			held[p.seed] = true
		}
	}
	return out
}

// part is a tenant's share of a seed; all of it without a tenant.
type part struct{ seed, tenant string }

// byTenant orders parts, those of all tenants last.
func byTenant(a, b part) int {
	if (a.tenant == "") != (b.tenant == "") {
		return cmp.Compare(b.tenant, a.tenant)
	}
	return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.seed, b.seed))
}

func (in Input) holds(n int) string {
	return fmt.Sprintf("%d clusters are opened, restricted for the first time or lose access: more than %d and %d %%, so it waits for an operator's approval",
		n, in.Policy.BlastRadius.Clusters, in.Policy.BlastRadius.Percent)
}

func (in Input) ofFindings(d *Diff) []string {
	special := map[place]bool{}
	for _, f := range in.After.Findings { // older ones too: a list may come to name such a group
		if f.Rule == "special-range" {
			special[place{f.Path, int32(f.Line), int32(f.Column)}] = true
		}
	}
	var out []string
	if slices.ContainsFunc(d.Findings, func(f lint.Finding) bool { return f.Severity == lint.Error }) {
		out = append(out, "files do not pass the rules")
	}
	if slices.ContainsFunc(d.Clusters, func(c Cluster) bool { return c.gainsAt(special) }) {
		out = append(out, "a prefix gained is not of the public Internet")
	}
	return out
}

// place is where a finding points.
type place struct {
	path         string
	line, column int32
}

// gainsAt tells whether an entry that brings in something new is at one of the
// places: its own, or that where the list names its group.
func (c *Cluster) gainsAt(places map[place]bool) bool {
	return slices.ContainsFunc(c.Gains, func(s Share) bool {
		return places[place{s.Entry.Path, s.Entry.Line, s.Entry.Column}] || places[place{c.Claim.Path, s.Entry.At.Line, s.Entry.At.Column}]
	})
}

// clusterReasons are why a cluster's change is not routine, one a line.
var clusterReasons = []struct {
	why string
	is  func(*Cluster) bool
}{
	{"everyone is let in", func(c *Cluster) bool { return c.Opened() }},
	{"a cluster is restricted for the first time, as far as known", func(c *Cluster) bool { return c.FirstRestricted() }},
	{"a cluster is left as it is", func(c *Cluster) bool { return c.After == render.Unmanaged && c.Before != render.Unmanaged }},
	{"a cluster keeps its last good list", func(c *Cluster) bool { return c.NewlyHeld() }},
	{"which list has a cluster now is not known without the seed", func(c *Cluster) bool { return c.untold() }},
	{"a group of the provider's comes or goes, whose addresses are not known without a policy", func(c *Cluster) bool { return len(c.Groups) > 0 }},
	{"a cluster goes to another tenant", func(c *Cluster) bool { return c.MovedFrom != nil && c.MovedFrom.Tenant != c.Claim.Tenant }},
	{"node egress is taken away", func(c *Cluster) bool { return c.egressLost }},
	{"a prefix is wider than routine ones and stays for good", func(c *Cluster) bool { return len(c.wide) > 0 }},
}

func ofClusters(clusters []Cluster) []string {
	var out []string
	for _, r := range clusterReasons {
		for i := range clusters {
			if r.is(&clusters[i]) {
				out = append(out, r.why)
				break
			}
		}
	}
	return out
}

// said is what an allowlist says besides its addresses.
type said struct {
	seed, access, clusters, selector, tests string
	selects                                 bool
}

// ofLists looks at what the lists of both sides say besides their addresses.
func (in Input) ofLists() []string {
	before, after := sayings(in.Before.Files), sayings(in.After.Files)
	found := map[string]bool{}
	for name, was := range before {
		is, there := after[name]
		if !there { // its clusters are held, or another list's by now
			found["a list goes, or has another name"] = true
			continue
		}
		found["seed is changed"] = found["seed is changed"] || was.seed != is.seed
		found["access is changed"] = found["access is changed"] || was.access != is.access
		found["clusters are changed"] = found["clusters are changed"] || was.clusters != is.clusters
		found["clusterSelector is changed"] = found["clusterSelector is changed"] || was.selector != is.selector
		found["a test is taken away"] = found["a test is taken away"] || testsGone(was.tests, is.tests)
	}
	var out []string
	for _, reason := range slices.Sorted(maps.Keys(found)) {
		if found[reason] {
			out = append(out, reason)
		}
	}
	return out
}

// unseen says what a change does that shows at no cluster yet: a selector picks
// those made tomorrow, too.
func (in Input) unseen() string {
	before, after := sayings(in.Before.Files), sayings(in.After.Files)
	has := map[groupName]bool{}
	for _, w := range in.After.Clusters {
		has[groupName{w.Claim.Tenant, w.Claim.Name}] = true
	}
	touched, new, silent := in.touchedTenants(), false, false
	for name, is := range after {
		_, there := before[name]
		new = new || is.selects && !there
		silent = silent || is.selects && !has[name] && touched[name.tenant]
	}
	switch {
	case new:
		return "a list with a clusterSelector is new"
	case silent:
		return "a list that selects no cluster yet may let in others"
	}
	return ""
}

func (in Input) touchedTenants() map[string]bool {
	touched, out := in.touched(), map[string]bool{}
	for _, f := range slices.Concat(in.Before.Files, in.After.Files) {
		out[f.Tenant] = out[f.Tenant] || touched[f.ID()]
	}
	return out
}

func testsGone(before, after string) bool {
	left := strings.Split(after, " ")
	return slices.ContainsFunc(strings.Fields(before), func(t string) bool { return !slices.Contains(left, t) })
}

func sayings(files []render.File) map[groupName]said {
	out := map[groupName]said{}
	for _, f := range files {
		for _, a := range f.Parsed.Allowlists {
			out[groupName{f.Tenant, a.Metadata.Name.V}] = saying(a)
		}
	}
	return out
}

func saying(a *document.Allowlist) said {
	var clusters, selector, tests []string
	for _, c := range a.Spec.Clusters.Items {
		clusters = append(clusters, c.V)
	}
	for label, v := range a.Spec.Selector.MatchLabels {
		selector = append(selector, label+"="+v.V)
	}
	for _, t := range a.Spec.Tests.Items {
		if t.Allow.Set {
			tests = append(tests, "allow:"+t.Allow.V.String())
		}
		if t.Deny.Set {
			tests = append(tests, "deny:"+t.Deny.V.String())
		}
	}
	slices.Sort(clusters)
	slices.Sort(selector)
	access := a.Spec.Access.V
	if access == "" {
		access = string(render.Restricted)
	}
	return said{a.Spec.Seed.V, access, strings.Join(slices.Compact(clusters), " "),
		fmt.Sprint(a.Spec.Selector.Set, selector), strings.Join(tests, " "), a.Spec.Selector.Set}
}
