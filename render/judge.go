package render

import (
	"slices"

	"github.com/portcullis-gitops/portcullis/render/lint"
)

// find files what a rule found, in whichever of the tenant's files it is.
func (r *rendering) find(f *File, p lint.Problem) {
	if other := r.fileAt(f, p.Path); other != nil {
		f = other
	}
	severity := p.SeverityFor(r.Policy.Rules)
	r.weigh(f.ID(), p.Problem, severity)
	if p.Rule == "expired" && severity == lint.Error {
		r.overdue[f.ID()] = true
	}
	if r.concerns(f, p.Problem, severity) {
		r.reportAs(f.ID(), p.Problem, severity, "")
	}
}

func (r *rendering) fileAt(f *File, path string) *File {
	if path == "" || path == f.Path {
		return nil
	}
	for _, other := range r.byName[f.Tenant].files {
		if other.Path == path {
			return other
		}
	}
	return nil
}

// judgeGroups holds the tenant's groups against the rules about one.
func (r *rendering) judgeGroups(t *tenant) {
	whole := !slices.ContainsFunc(t.files, func(f *File) bool { return f.Parsed.Unread })
	for name, g := range t.groups {
		for _, p := range lint.CheckGroup(&lint.Group{Doc: g.doc, Unused: whole && !t.used[name], Added: r.added(t), Now: r.Now}) {
			r.find(g.file, p)
		}
	}
}

// index notes which groups and clusters the tenant's lists name.
func (t *tenant) index() {
	t.used, t.shared, t.named = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, l := range t.lists {
		for _, c := range l.doc.Spec.Clusters.Items {
			t.named[c.V] = true
		}
		names := map[string]bool{}
		for i := range l.doc.Spec.Entries.Items {
			if g := l.doc.Spec.Entries.Items[i].Group; g.Set {
				names[g.V] = true
			}
		}
		for name := range names {
			t.shared[name] = t.used[name]
			t.used[name] = true
		}
	}
}

// egress is what is known of where a list's nodes come from. A datacenter that
// is not known is given the benefit of the doubt: a range may be meant for it.
func (r *rendering) egress(l *list) lint.Egress {
	ids := r.namedBy(l)
	if len(ids) == 0 {
		return lint.Egress{Provided: r.egressProvided(l.seed, "")}
	}
	e := lint.Egress{Provided: true}
	standing := r.Base.accepted[l.file.ID()] == r.fingerprint(l.file)
	for _, id := range ids {
		c := r.Inventory.Clusters[id]
		if r.egressProvided(l.seed, c.Datacenter) {
			continue
		}
		e.Provided = false
		if !standing && !r.restrictedBefore(id) {
			e.First = append(e.First, Cluster{ID: id, Name: c.Name}.Title())
		}
	}
	return e
}

func (r *rendering) egressProvided(seed, datacenter string) bool {
	for _, p := range r.Policy.Seeds[seed].Platform {
		if p.NodeEgress && (datacenter == "" || len(p.Datacenters) == 0 || slices.Contains(p.Datacenters, datacenter)) {
			return true
		}
	}
	return false
}

// restrictedBefore tells whether a cluster has a list already: by what was
// accepted, or by what it carries. An empty one lets everyone in, unless the
// Seed adds something to it.
// Without a seed only what was accepted to be open is known to be so.
func (r *rendering) restrictedBefore(id string) bool {
	w := r.Base.wanted[id]
	if w != nil && w.Access == Restricted && len(w.List) > 0 {
		return true
	}
	if !r.Inventory.Known {
		return w == nil || w.Access != Open
	}
	live := r.Inventory.Clusters[id].Live
	return live.Set && len(live.CIDRs)+len(r.Inventory.Seed.Default) > 0
}

// namedBy are the clusters that a list may have: those of other tenants are
// not its business, and those that another list names beat its selector.
func (r *rendering) namedBy(l *list) []string {
	if r.elsewhere(l) {
		return nil
	}
	var out []string
	for _, c := range l.doc.Spec.Clusters.Items {
		known, exists := r.Inventory.Clusters[c.V]
		if c.Set && (!exists || r.owns(l.tenant.name, known.Project)) {
			out = append(out, c.V)
		}
	}
	if s := l.doc.Spec.Selector; s.Set {
		ids, _ := r.withinReach(l, &l.tenant.judged)
		for _, id := range ids {
			if matches(r.Inventory.Clusters[id], s.MatchLabels) && !l.tenant.named[id] {
				out = append(out, id)
			}
		}
	}
	return out
}
