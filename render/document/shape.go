package document

import (
	"fmt"
	"net/netip"
	"strings"
)

// allowlist holds an allowlist against what tags cannot say.
func (d *decoder) allowlist(a *Allowlist) {
	spec := &a.Spec
	if !spec.Set {
		return
	}
	at := spec.Or(a.Pos)
	if d.exactlyOne(at, part{"clusters", spec.Clusters.Key, spec.Clusters.Pos}, part{"clusterSelector", spec.Selector.Key, spec.Selector.Pos}) &&
		spec.Clusters.Set && len(spec.Clusters.Items) == 0 {
		d.report(spec.Clusters.Pos, "missing-field", "clusters names no cluster", "")
	}
	d.access(spec, at)
	before := d.faults
	for i := range spec.Entries.Items {
		d.entry(&spec.Entries.Items[i])
	}
	spec.Entries.Faulty = spec.Entries.Faulty || d.faults > before
	for _, t := range spec.Tests.Items {
		if !t.Set {
			continue
		}
		d.exactlyOne(t.Pos, part{"allow", t.Allow.Key, t.Allow.Pos}, part{"deny", t.Deny.Key, t.Deny.Pos})
	}
}

// access wants entries exactly where there is something to restrict.
func (d *decoder) access(spec *AllowlistSpec, at Pos) {
	access := spec.Access.V
	if spec.Access.Pos != (Pos{}) && !spec.Access.Set {
		return // not understood: nothing can be said of the entries
	}
	if access == "open" || access == "unmanaged" {
		if spec.Entries.Set {
			d.report(later(spec.Entries.Key, spec.Access.Key), "conflicting-fields", fmt.Sprintf(
				"entries with access: %s would have no effect", access), "remove the entries, or say access: restricted")
		}
		return
	}
	switch {
	case spec.Entries.Set && len(spec.Entries.Items) == 0:
		at = spec.Entries.Pos
	case spec.Entries.Pos != Pos{}:
		return // has items, or is no list, which is said already
	case spec.Entries.Key != Pos{}:
		at = spec.Entries.Key
	}
	d.report(at, "empty-list", "a restricted list needs at least one entry of its own: a filter without entries lets everyone in",
		"add an entry; or say access: open, or access: unmanaged")
}

func (d *decoder) group(g *AddressGroup) {
	before := d.faults
	for i := range g.Spec.Entries.Items {
		e := &g.Spec.Entries.Items[i]
		if !e.Set {
			continue
		}
		d.someAddress(e.CIDRs)
		d.exactlyOne(e.Pos, part{"cidr", e.CIDR.Key, e.CIDR.Pos}, part{"cidrs", e.CIDRs.Key, e.CIDRs.Pos})
	}
	g.Spec.Entries.Faulty = g.Spec.Entries.Faulty || d.faults > before
}

// someAddress wants an address in a list of them.
func (d *decoder) someAddress(list List[Value[netip.Prefix]]) {
	if list.Set && len(list.Items) == 0 {
		d.report(list.Pos, "missing-field", "cidrs holds no address", "")
	}
}

func (d *decoder) entry(e *Entry) {
	d.someAddress(e.CIDRs)
	if !e.Set {
		return // no mapping, which is said already
	}
	d.exactlyOne(e.Pos, part{"cidr", e.CIDR.Key, e.CIDR.Pos}, part{"cidrs", e.CIDRs.Key, e.CIDRs.Pos},
		part{"group", e.Group.Key, e.Group.Pos})
}

// part is one of several fields of which exactly one belongs in a mapping.
type part struct {
	name string
	key  Pos
	pos  Pos // of the value; zero where it is absent or null
}

func (d *decoder) exactlyOne(at Pos, parts ...part) bool {
	var names []string
	var given, null []part
	for _, p := range parts {
		names = append(names, p.name)
		switch {
		case p.pos != Pos{}:
			given = append(given, p)
		case p.key != Pos{}:
			null = append(null, p)
		}
	}
	if len(given) == 0 && len(null) > 0 {
		d.report(null[0].key, "missing-field", null[0].name+" has no value", "")
		return false
	}
	switch len(given) {
	case 0:
		d.report(at, "missing-field", "one of "+strings.Join(names, ", ")+" is missing", "")
	case 1:
		return true
	default:
		a, b := given[0], given[1]
		if later(a.key, b.key) == a.key {
			a, b = b, a
		}
		d.report(b.key, "conflicting-fields", fmt.Sprintf("%s is there beside %s, at %s: only one of them can be meant", b.name, a.name, a.key), "remove one of the two")
	}
	return false
}

func later(a, b Pos) Pos {
	if a.Line > b.Line || a.Line == b.Line && a.Column > b.Column {
		return a
	}
	return b
}
