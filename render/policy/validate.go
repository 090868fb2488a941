package policy

import (
	"github.com/portcullis-gitops/portcullis/render/document"
)

// Validate holds a Config and a Policy, both free of faults of their own,
// against each other. The problems are the Policy's, and so are their places:
// the Config takes a restart, the Policy is what comes and goes beside it.
func Validate(c *Config, p *Policy) []document.Problem {
	r := &reporter{}
	if _, known := p.Seeds[c.Seed]; !known && p.Seeds != nil && c.Seed != "" {
		r.report(p.at(), seedFix(c.Seed, p), "seeds does not have %s, the seed of the Config", quote(c.Seed))
	}
	r.reachedTwice(c, p)
	return r.finish()
}

// at is where something is missing from the seeds.
func (p *Policy) at() document.Pos {
	if p.places.seeds == (document.Pos{}) {
		return document.Start
	}
	return p.places.seeds
}

func seedFix(seed string, p *Policy) string {
	if near, ok := document.Nearest(seed, p.SeedNames()); ok {
		return "add it, or write seed: " + near + " in the Config"
	}
	return seed + ": {}"
}

// reachedTwice finds projects that two tenants of the Config's sources have:
// by the Policy, or one of them by its name.
func (r *reporter) reachedTwice(c *Config, p *Policy) {
	owners := map[string]string{}
	for _, s := range c.Sources {
		for _, tenant := range append([]string{s.Tenant}, s.Tenants...) {
			if tenant == "" {
				continue
			}
			for _, project := range p.named(tenant) {
				other, taken := owners[project]
				if taken && other != tenant {
					r.report(p.place(project), "", "the project %s is reached by the sources' tenants %s and %s", quote(project), quote(other), quote(tenant))
					continue
				}
				owners[project] = tenant
			}
		}
	}
}

// named are a tenant's projects without a look at whose else they are.
func (p *Policy) named(tenant string) []string {
	if projects, ok := p.Tenants[tenant]; ok {
		return projects
	}
	return []string{tenant}
}

func (p *Policy) place(project string) document.Pos {
	if at, ok := p.places.projects[project]; ok {
		return at
	}
	return document.Start
}
