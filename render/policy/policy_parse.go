package policy

import (
	"net/netip"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

// ParsePolicy reads a Policy. It is to be used only where there are no
// problems. changeable tells which rules there are, and of which the severity
// can be set.
func ParsePolicy(content []byte, changeable func(rule string) (known, canChange bool)) (*Policy, []document.Problem) {
	doc, problems := document.DecodeKind[PolicyDocument](content, KindPolicy)
	r := &policyReader{reporter: reporter{problems}, doc: &doc, out: Default()}
	r.seeds()
	r.tenants()
	r.groups()
	r.limits()
	r.requirements()
	r.blastRadius()
	r.tests()
	r.rules(changeable)
	return r.out, r.finish()
}

// policyReader turns a document into a Policy, gathering what is wrong.
type policyReader struct {
	reporter
	doc *PolicyDocument
	out *Policy
}

func (r *policyReader) seeds() {
	r.out.Seeds = map[string]Seed{}
	r.out.places.seeds = r.doc.Seeds.Or(r.doc.Or(document.Start))
	if r.doc.Seeds.Set && len(r.doc.Seeds.Items) == 0 {
		r.report(r.out.places.seeds, "", "seeds names no seed")
	}
	for _, name := range sortedKeys(r.doc.Seeds.Items) {
		s := r.doc.Seeds.Items[name]
		r.name("seed", name, s.Key)
		seed := Seed{Profile: r.loadBalancer(s.LoadBalancer), Platform: r.platform(s)}
		r.families(name, s, seed.Profile)
		r.out.Seeds[name] = seed
	}
}

// families refuses platform ranges for which the load balancer would refuse
// every list of the seed.
func (r *policyReader) families(name string, s SeedDocument, balancer profile.Profile) {
	for _, p := range s.Platform.Items {
		if p.CIDR.Set && p.CIDR.V.Addr().Is6() && balancer.IPv6 == profile.No {
			r.report(p.CIDR.Pos, "remove it", "%s is IPv6, and the load balancer of seed %s (%s) takes IPv4 alone: it would refuse every list of the seed", p.CIDR.V, name, balancer.Name)
		}
	}
}

func (r *policyReader) platform(s SeedDocument) []Platform {
	var out []Platform
	var prefixes []netip.Prefix
	for _, p := range s.Platform.Items {
		if !p.CIDR.Set {
			continue // said already
		}
		prefixes = append(prefixes, p.CIDR.V)
		out = append(out, Platform{Prefix: p.CIDR.V, Description: p.Description.V,
			Datacenters: r.datacenters(p), NodeEgress: p.NodeEgress.V})
	}
	for _, world := range worlds {
		if share(prefixes, world.whole) >= 0.5 {
			r.report(widestOf(s.Platform.Items, world.whole).Pos, "", "these ranges let half of all %s addresses or more in to every cluster of the seed: a list would be no restriction", world.family)
		}
	}
	return out
}

func (r *policyReader) datacenters(p PlatformDocument) []string {
	if p.Datacenters.Set && len(p.Datacenters.Items) == 0 {
		r.report(p.Datacenters.Pos, "leave datacenters out for all", "datacenters names none")
	}
	return r.distinct("datacenter", p.Datacenters)
}

// distinct are the words of a list, none empty and none there twice.
func (r *reporter) distinct(what string, list document.List[document.Value[string]]) []string {
	var out []string
	seen := map[string]document.Pos{}
	for _, v := range list.Items {
		if !v.Set || r.text("the name of a "+what, v) == "" {
			continue
		}
		if first, twice := seen[v.V]; twice {
			r.report(v.Pos, "remove one of the two", "the %s %s is there already, at %s", what, quote(v.V), first)
			continue
		}
		seen[v.V] = v.Pos
		out = append(out, v.V)
	}
	return out
}

func (r *policyReader) tenants() {
	owners := map[string]string{}
	r.out.places.projects = map[string]document.Pos{}
	for _, tenant := range inFileOrder(r.doc.Tenants.Items, func(t TenantDocument) document.Pos { return t.Key }) {
		t := r.doc.Tenants.Items[tenant]
		r.folder(tenant, t.Key)
		if !t.Set && t.Pos == (document.Pos{}) || t.Projects.Set && len(t.Projects.Items) == 0 {
			r.report(t.Projects.Or(t.Key), "projects: [...]", "the tenant %s has no projects", quote(tenant))
		}
		r.out.Tenants[tenant] = r.distinct("project", t.Projects)
		for _, v := range t.Projects.Items {
			r.project(tenant, v, owners)
		}
	}
}

// project wants a name that KKP can have given, of one tenant alone: two who
// share a project could take each other's clusters.
func (r *policyReader) project(tenant string, v document.Value[string], owners map[string]string) {
	if !v.Set || v.V == "" || !r.name("project", v.V, v.Pos) {
		return
	}
	other, taken := owners[v.V]
	if taken && other != tenant {
		r.report(v.Pos, "remove one of the two", "the project %s is the tenant %s's already, at %s", v.V, quote(other), r.out.places.projects[v.V])
	}
	if !taken {
		owners[v.V], r.out.places.projects[v.V] = tenant, v.Pos
	}
}

func (r *policyReader) groups() {
	for _, name := range sortedKeys(r.doc.Groups.Items) {
		list := r.doc.Groups.Items[name]
		r.name("group", name, list.Key)
		if len(list.Items) == 0 && (list.Set || list.Pos == (document.Pos{})) {
			r.report(list.Key, "", "the group %s has no entries", quote(name))
		}
		r.out.Groups[name] = nil
		for _, e := range list.Items {
			r.out.Groups[name] = append(r.out.Groups[name], r.groupEntries(e)...)
		}
	}
}

func (r *policyReader) groupEntries(e GroupEntryDocument) []GroupEntry {
	if !e.Set || !r.exactlyOne(e.Pos, choice{"cidr", e.CIDR.Key, e.CIDR.Pos}, choice{"cidrs", e.CIDRs.Key, e.CIDRs.Pos}) {
		return nil
	}
	if e.CIDRs.Set && len(e.CIDRs.Items) == 0 {
		r.report(e.CIDRs.Pos, "", "cidrs holds no prefix")
	}
	var out []GroupEntry
	for _, v := range append([]document.Value[netip.Prefix]{e.CIDR}, e.CIDRs.Items...) {
		if v.Set {
			out = append(out, GroupEntry{Prefix: v.V, Description: e.Description.V})
		}
	}
	return out
}

func (r *policyReader) tests() {
	for _, t := range r.doc.Tests.Items {
		if !t.Set || !r.exactlyOne(t.Pos, choice{"allow", t.Allow.Key, t.Allow.Pos}, choice{"deny", t.Deny.Key, t.Deny.Pos}) {
			continue
		}
		if t.Allow.Set {
			r.out.Tests = append(r.out.Tests, Test{Allow: true, Prefix: t.Allow.V})
		}
		if t.Deny.Set {
			r.out.Tests = append(r.out.Tests, Test{Prefix: t.Deny.V})
		}
	}
}

func (r *policyReader) rules(changeable func(string) (known, canChange bool)) {
	for _, rule := range sortedKeys(r.doc.Rules.Items) {
		v := r.doc.Rules.Items[rule]
		switch known, can := changeable(rule); {
		case !known:
			r.report(v.Key, "", "there is no rule %s", quote(rule))
		case !can:
			r.report(v.Key, "remove it", "the severity of %s cannot be changed: what it finds is never safe", rule)
		case v.Set:
			r.out.Rules[rule] = v.V
		}
	}
}

// loadBalancer is a profile by name, or as described.
func (r *policyReader) loadBalancer(lb document.Either[LoadBalancerDocument]) profile.Profile {
	if lb.Word.Set {
		p, ok := profile.Get(lb.Word.V)
		if !ok {
			r.report(lb.Word.Pos, nearest(lb.Word.V, profile.Names()), "there is no load balancer %s", quote(lb.Word.V))
		}
		return p
	}
	p := profile.Generic()
	if d := lb.Else; d.Set {
		p.Name = profile.Custom
		set(&p.Enforces, d.Enforces)
		set(&p.IPv6, d.IPv6)
		set(&p.AbsentFamily, d.AbsentFamily)
		set(&p.Merge, d.Merge)
		p.Budget = r.budget(d.Budget)
	}
	return p
}

func (r *policyReader) budget(b BudgetDocument) profile.Budget {
	if !b.Set {
		return profile.Budget{}
	}
	out := profile.Budget{SharedBy: profile.PerSeed,
		Rules:    r.between("rules", b.Rules, 1, most, 0),
		PerEntry: r.between("perEntry", b.PerEntry, 1, most, 1)}
	set(&out.SharedBy, b.SharedBy)
	return out
}

// set takes a word over where the file has one.
func set[T ~string](to *T, v document.Value[string]) {
	if v.Set {
		*to = T(v.V)
	}
}
