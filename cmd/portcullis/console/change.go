package console

import (
	"slices"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/profile"
	"github.com/portcullis-gitops/portcullis/render/report"
)

// Change is what a change of files means, for people and for programs.
type Change struct {
	Class    meaning.Class    `json:"class,omitempty"` // empty where that cannot be told
	Headline string           `json:"headline"`
	Why      []meaning.Reason `json:"why"`
	Findings []Finding        `json:"findings"`
	Errors   int              `json:"errors"`
	Warnings int              `json:"warnings"`
	Sections []report.Section `json:"sections"`
	Below    []string         `json:"notes"`
}

// mean tells what it means to have other files of a source, of some tenants. It
// is asked of their clusters alone, so that it takes no longer on a large seed:
// what all tenants together change, or use, cannot be told by that.
func (x *index) mean(source string, before, after []render.File, tenants []string, now time.Time) *meaning.Diff {
	t := meaning.Trees{Now: now}
	t.Before, t.After = ofTenants(before, tenants), ofTenants(after, tenants)
	t.Policy, t.Seed = x.Policy, x.Seed
	named := map[string]bool{}
	for _, f := range slices.Concat(t.Before, t.After) {
		for _, list := range f.Parsed.Allowlists {
			for _, c := range list.Spec.Clusters.Items {
				named[c.V] = true
			}
		}
	}
	t.Inventory = x.clustersOf(func(c render.Cluster) bool {
		return named[c.ID] || slices.Contains(tenants, x.tenancy.tenant(c.Project))
	})
	from, to := meaning.Plans(t)
	to.Holds = slices.DeleteFunc(to.Holds, func(h render.MassHold) bool { return h.Tenant == "" })
	d := meaning.Compare(meaning.Input{Before: from, After: to, Policy: t.Policy, Inventory: t.Inventory, Now: t.Now})
	for i := range d.Findings {
		d.Findings[i].Source = source
	}
	if b := x.Policy.Seeds[x.Seed].Profile.Budget; b.Known() && b.SharedBy == profile.PerSeed {
		d.Budgets = slices.DeleteFunc(d.Budgets, func(b meaning.Budget) bool { return b.Cluster == "" })
		d.NotCompared = append(d.NotCompared, "what the lists of other tenants take of the load balancers' rules")
	}
	return d
}

// ofTenants are the files of some tenants, as if they were of no source: so they
// are told apart by path alone.
func ofTenants(files []render.File, tenants []string) []render.File {
	var out []render.File
	for _, f := range files {
		if slices.Contains(tenants, f.Tenant) {
			f.Source = ""
			out = append(out, f)
		}
	}
	return out
}

// seen is a diff as the viewer may see it: nothing of clusters and tenants that
// are not his.
func (x *index) seen(d *meaning.Diff, tenantOf func(path string) string) *meaning.Diff {
	if x.scope.all {
		return d
	}
	owns := func(tenant string) bool { return x.scope.owns(tenant, x.tenancy) }
	out := &meaning.Diff{NotFromFiles: d.NotFromFiles, NotCompared: d.NotCompared}
	for _, c := range d.Clusters {
		known, exists := x.Inventory.Clusters[c.ID]
		if mine := exists && x.scope.seesCluster(known) || !exists && owns(c.Tenant); !mine || c.Tenant != x.tenancy.tenant(known.Project) && exists {
			continue
		}
		if c.MovedFrom != nil && !owns(c.MovedFrom.Tenant) {
			c.MovedFrom = nil
		}
		if c.Held != nil {
			if words, tells := telling[c.Held.Rule]; tells {
				c.Held = &render.Hold{Rule: c.Held.Rule, Message: words}
			}
		}
		out.Clusters = append(out.Clusters, c)
	}
	for _, g := range d.Groups {
		if owns(g.Tenant) {
			out.Groups = append(out.Groups, g)
		}
	}
	for _, b := range d.Budgets {
		if slices.ContainsFunc(out.Clusters, func(c meaning.Cluster) bool { return c.Title == b.Cluster }) {
			out.Budgets = append(out.Budgets, b)
		}
	}
	for _, f := range d.Findings {
		if owns(tenantOf(f.Path)) {
			out.Findings = append(out.Findings, discreetFinding(f))
		}
	}
	return out
}

// told is a diff in words.
func told(d *meaning.Diff, limited bool, url func(lint.Finding) string) Change {
	c := Change{Class: d.Class, Headline: report.Headline(d), Why: d.Why, Findings: []Finding{}}
	if limited { // it is of the whole commit
		c.Class, c.Why = "", nil
	}
	if c.Why == nil {
		c.Why = []meaning.Reason{}
	}
	for _, f := range d.Findings {
		c.Findings = append(c.Findings, Finding{f, url(f)})
		if f.Severity == lint.Error {
			c.Errors++
		} else {
			c.Warnings++
		}
	}
	c.Sections, c.Below = report.Sections(d)
	if c.Sections == nil {
		c.Sections = []report.Section{}
	}
	c.Below = orNone(c.Below)
	return c
}
