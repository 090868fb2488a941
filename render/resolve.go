package render

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// providerPrefix is how tenants name the provider's groups.
const providerPrefix = "provider/"

// judge resolves each list and holds it against the rules.
func (r *rendering) judge() {
	for _, l := range r.lists {
		l.entries = r.scratch[:0]
		missing := r.resolve(l)
		r.scratch = l.entries
		l.everywhere = r.withPlatform(l, "")
		l.entries = l.everywhere[:len(l.entries):len(l.entries)]
		problems := lint.CheckAllowlist(&lint.Allowlist{
			Doc: l.doc, Path: l.file.Path, Seeds: r.Policy.SeedNames(), Seed: l.seed,
			Egress: r.egress(l), SharedGroups: l.tenant.shared, Added: r.added(l.tenant),
			Entries: l.everywhere, MissingGroups: missing, KnownGroups: r.knownGroups(l.tenant, len(missing)),
			Policy:     r.Policy,
			Partial:    l.partial,
			JudgeTests: r.judgesTests(l), Extra: r.seedAdds(), Now: r.Now,
		})
		for _, p := range problems {
			r.find(l.file, p)
		}
	}
	for _, t := range r.tenants {
		r.judgeGroups(t)
	}
}

// judgesTests: a test is judged when its file or its groups change, so that
// what was accepted is not refused by time or by the seed.
func (r *rendering) judgesTests(l *list) bool {
	return r.Base.accepted[l.file.ID()] != r.fingerprint(l.file)
}

// seedAdds are the ranges that KKP adds to a list that is set.
func (r *rendering) seedAdds() []netip.Prefix {
	s := r.Inventory.Seed
	return append(Prefixes(s.Source), Prefixes(s.Default)...)
}

// mostCompared is how many names are held against each other for one tenant, so
// that a hint can be given: a file of misspelt names beside a file of others would
// take the time of all tenants. People get theirs long before.
const mostCompared = 100_000

// mayCompare tells whether a tenant's words may be held against so many known ones.
func (t *tenant) mayCompare(words, known int) bool {
	t.compared += words * known
	return t.compared <= mostCompared
}

// knownGroups are the names that can be meant by those that are missing.
func (r *rendering) knownGroups(t *tenant, missing int) []string {
	if missing == 0 || !t.mayCompare(missing, len(t.groups)+len(r.Policy.Groups)) {
		return nil
	}
	var out []string
	for name := range t.groups {
		out = append(out, name)
	}
	for name := range r.Policy.Groups {
		out = append(out, providerPrefix+name)
	}
	slices.Sort(out)
	return out
}

// resolve fills in the list's entries but for the platform's, which depend on
// the cluster's datacenter, and answers the groups that are not there.
func (r *rendering) resolve(l *list) (missing []document.Value[string]) {
	spec := &l.doc.Spec
	l.partial = !spec.Set || spec.Entries.Faulty || spec.NodeEgress.Faulty
	counting := references(spec.Entries.Items)
	for i := range spec.Entries.Items {
		e := &spec.Entries.Items[i]
		for _, p := range e.Prefixes() {
			l.entries = append(l.entries, Entry{Prefix: p.V, Expires: e.End(), Undated: e.Undated(), Kind: lint.FromEntry,
				Description: e.Description.V, Owner: e.Owner.V, Ticket: e.Ticket.V,
				Path: l.file.Path, Line: p.Pos.Line, Column: p.Pos.Column, At: p.Pos})
		}
		if !e.Group.Set || r.resolveGroup(l, e, counting[e.Group.V] == e) {
			continue
		}
		if l.partial = true; !r.awaits(l, e.Group.V) {
			missing = append(missing, e.Group)
			l.missing = true
		}
	}
	for _, p := range spec.NodeEgress.Else.Items {
		if p.Set {
			l.entries = append(l.entries, Entry{Prefix: p.V, Kind: lint.FromNodeEgress,
				Path: l.file.Path, Line: p.Pos.Line, Column: p.Pos.Column, At: p.Pos})
		}
	}
	return missing
}

// awaits tells whether a group that is not seen is, or may be, in a file that
// cannot be read now: then that file is at fault, not this one. After a restart
// only that this file was accepted tells that the group was there.
func (r *rendering) awaits(l *list, name string) bool {
	path, known := r.Base.names[docName{l.tenant.name, document.KindAddressGroup, name}]
	accepted := r.Base.accepted[l.file.ID()] == r.fingerprint(l.file)
	for _, f := range l.tenant.files {
		if f.Parsed.Unread && (known && f.Path == path || !known && accepted) {
			r.blocked[l.file.ID()] = r.byGroup(f, "the group "+name+" is not to be had: "+f.Path+" cannot be read")
			return true
		}
	}
	return false
}

// references are, of each group that entries name, the one that counts: the one
// that lets it in the longest. The others add nothing but length: naming a large
// group time and again must not make a small file a large list.
func references(entries []document.Entry) map[string]*document.Entry {
	out := map[string]*document.Entry{}
	for i := range entries {
		e := &entries[i]
		if before := out[e.Group.V]; e.Group.Set && (before == nil || outlasts(e, before)) {
			out[e.Group.V] = e
		}
	}
	return out
}

// outlasts tells whether a ends after b. What has no end lasts for good, and an
// end that cannot be read is not counted on.
func outlasts(a, b *document.Entry) bool {
	switch {
	case a.Undated() || b.Undated():
		return b.Undated() && !a.Undated()
	case a.End().IsZero() || b.End().IsZero():
		return a.End().IsZero() && !b.End().IsZero()
	}
	return a.End().After(b.End())
}

// mostResolved is how many prefixes all lists of a tenant together can bring in
// by groups: a hundred times what the largest customers have, and little enough
// that a tenant who makes them by the million takes no memory from others.
const mostResolved = 500_000

// fits tells whether a group still fits, and else refuses the list's file.
func (r *rendering) fits(l *list, e *document.Entry, size int) bool {
	if l.tenant.resolved += size; l.tenant.resolved <= mostResolved {
		return true
	}
	l.missing, l.partial = true, true
	p := document.Problem{Pos: e.Group.Pos, Rule: "too-many-entries", Message: fmt.Sprintf(
		"with group %s the lists of the tenant bring in more than %d prefixes by groups", e.Group.V, mostResolved), Fix: "name smaller groups"}
	r.weigh(l.file.ID(), p, lint.Error)
	if r.concerns(l.file, p, lint.Error) {
		r.reportAs(l.file.ID(), p, lint.Error, "")
	}
	return false
}

// resolveGroup adds a group's entries, where the reference is the one that
// counts, and tells whether the group is there.
func (r *rendering) resolveGroup(l *list, e *document.Entry, counts bool) bool {
	if name, ok := strings.CutPrefix(e.Group.V, providerPrefix); ok {
		return r.resolveProviderGroup(l, e, name, counts)
	}
	g := l.tenant.groups[e.Group.V]
	if g == nil || !counts {
		return g != nil
	}
	l.groups = append(l.groups, g)
	l.partial = l.partial || g.doc.Spec.Entries.Faulty || !g.doc.Spec.Entries.Set // what it brings in is not all known
	if !r.fits(l, e, g.size()) {
		return true
	}
	for i := range g.doc.Spec.Entries.Items {
		ge := &g.doc.Spec.Entries.Items[i]
		for _, p := range ge.Prefixes() {
			l.entries = append(l.entries, Entry{Prefix: p.V, Expires: earlier(e.End(), ge.End()), Undated: e.Undated() || ge.Undated(), Kind: lint.FromGroup,
				Description: ge.Description.V, Owner: orElse(ge.Owner.V, e.Owner.V), Ticket: orElse(ge.Ticket.V, e.Ticket.V),
				Group: e.Group.V, Path: g.file.Path, Line: p.Pos.Line, Column: p.Pos.Column, At: e.Group.Pos})
		}
	}
	return true
}

// size is how many prefixes a group has.
func (g *group) size() (n int) {
	for i := range g.doc.Spec.Entries.Items {
		e := &g.doc.Spec.Entries.Items[i]
		n += len(e.CIDRs.Items) + 1
	}
	return n
}

func (r *rendering) resolveProviderGroup(l *list, e *document.Entry, name string, counts bool) bool {
	entries, ok := r.Policy.Groups[name]
	if !ok && r.Policy.SeedNames() == nil {
		l.partial = true // no policy at hand: the group may well be there
		if counts {
			l.unresolved = append(l.unresolved, Entry{Expires: e.End(), Kind: lint.FromGroup, Owner: e.Owner.V, Ticket: e.Ticket.V, Group: e.Group.V, At: e.Group.Pos})
		}
		return true
	}
	if !counts || !r.fits(l, e, len(entries)) {
		return ok
	}
	for _, g := range entries {
		l.entries = append(l.entries, Entry{Prefix: g.Prefix, Expires: e.End(), Undated: e.Undated(), Kind: lint.FromGroup,
			Description: g.Description, Owner: e.Owner.V, Ticket: e.Ticket.V, Group: e.Group.V, At: e.Group.Pos})
	}
	return ok
}

// earlier is the end that comes first; zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// withPlatform are the list's entries and those of its seed's platform that
// hold in the datacenter; without one, those that hold in all.
func (r *rendering) withPlatform(l *list, datacenter string) []Entry {
	platform := r.platform(l.seed, datacenter)
	if l.everywhere != nil && len(l.everywhere) == len(l.entries)+len(platform) { // the datacenter has none of its own
		return l.everywhere
	}
	if r.elsewhere(l) { // no plan keeps it
		return slices.Concat(l.entries, platform)
	}
	return r.kept(l.entries, platform)
}

// together is how many entries are allocated at once, 44 KiB: more than Go puts
// among others of their size. A plan keeps them all, and is dropped as a whole;
// one by one, what is kept of a plan would stand between what was of others, and
// none of that could be given back.
const together = 256

// kept are both, as a plan keeps them.
func (r *rendering) kept(own, platform []Entry) []Entry {
	n := len(own) + len(platform)
	if cap(r.shelf)-len(r.shelf) < n {
		r.shelf = make([]Entry, 0, max(n, together))
	}
	from := len(r.shelf)
	r.shelf = append(append(r.shelf, own...), platform...)
	return r.shelf[from:len(r.shelf):len(r.shelf)]
}

func (r *rendering) platform(seed, datacenter string) []Entry {
	var out []Entry
	for _, p := range r.Policy.Seeds[seed].Platform {
		if len(p.Datacenters) == 0 || slices.Contains(p.Datacenters, datacenter) {
			out = append(out, Entry{Prefix: p.Prefix, Kind: lint.FromPlatform, Description: p.Description})
		}
	}
	return out
}
