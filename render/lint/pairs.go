package lint

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// A pair is an entry that another one makes superfluous.
type pair struct {
	spare, by *Entry
	same      bool // of one prefix
}

// pairs finds them among the tenant's own choices. Node egress and the
// platform's ranges are left out: they say something else than who gets in, and
// come and go for reasons of their own.
func (a *Allowlist) pairs() []pair {
	sorted := a.inOrder()
	var out []pair
	var outer []*Entry // those that hold the current one, the widest first
	for len(sorted) > 0 {
		p := sorted[0].Prefix
		n := 1
		for n < len(sorted) && sorted[n].Prefix == p {
			n++
		}
		run := sorted[:n]
		sorted = sorted[n:]
		for len(outer) > 0 && !outer[len(outer)-1].Prefix.Overlaps(p) {
			outer = outer[:len(outer)-1]
		}
		out = append(out, within(outer, run[0])...)
		for _, e := range run[1:] {
			out = append(out, pair{e, run[0], true})
		}
		outer = append(outer, longest(run))
	}
	return out
}

// inOrder sorts so that a prefix comes before those within it; of equal ones
// the provider's first, which the tenant cannot change, then by place. Rules
// share them, and change nothing.
func (a *Allowlist) inOrder() []*Entry {
	if a.sorted != nil {
		return a.sorted
	}
	out := make([]*Entry, 0, len(a.Entries))
	for i := range a.Entries {
		if e := &a.Entries[i]; e.Own() && e.counts(a.Now) {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(x, y *Entry) int {
		return cmp.Or(x.Prefix.Compare(y.Prefix), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	a.sorted = out
	return out
}

// within pairs an entry with the widest that lives as long.
func within(outer []*Entry, e *Entry) []pair {
	for _, o := range outer {
		if !outlives(e, o) {
			return []pair{{e, o, false}}
		}
	}
	return nil
}

// outlives tells whether e is still there when o no longer is.
func outlives(e, o *Entry) bool {
	return !o.Expires.IsZero() && (e.Expires.IsZero() || e.Expires.After(o.Expires))
}

func longest(run []*Entry) *Entry {
	best := run[0]
	for _, e := range run[1:] {
		if outlives(e, best) {
			best = e
		}
	}
	return best
}

func duplicateEntry(a *Allowlist) []Problem {
	var out []Problem
	for _, p := range a.pairs() {
		if p.same && p.spare.Path != "" && !a.sharedWithOthers(p) {
			why, fix := "whoever removes one of them locks nobody out", "remove one of the two"
			if !p.spare.Expires.Equal(p.by.Expires) {
				why, fix = "the one that lasts longer counts", "remove the other"
			}
			out = append(out, problemAt(p, fmt.Sprintf("%s is there already, at %s: %s", p.spare.Prefix, a.place(p.by), why), fix))
		}
	}
	return out
}

// groupTwice finds groups that a list names more than once.
func groupTwice(a *Allowlist) []Problem {
	var out []Problem
	seen, missing := map[string]document.Pos{}, map[string]bool{}
	for _, g := range a.MissingGroups {
		missing[g.V] = true
	}
	for i := range a.Doc.Spec.Entries.Items {
		e := &a.Doc.Spec.Entries.Items[i]
		if over := !e.End().IsZero() && !a.Now.Before(e.End()); !e.Group.Set || over || missing[e.Group.V] {
			continue
		}
		if first, twice := seen[e.Group.V]; twice {
			out = append(out, Problem{Problem: document.Problem{Pos: e.Group.Pos, Message: fmt.Sprintf(
				"group %s is there already, at %s:%s: the one that lasts longer counts", e.Group.V, a.Path, first), Fix: "remove one of the two"}})
			continue
		}
		seen[e.Group.V] = e.Group.Pos
	}
	return out
}

// clusterTwice finds clusters that a list names more than once.
func clusterTwice(a *Allowlist) []Problem {
	return twice(a, a.Doc.Spec.Clusters.Items, func(id string) string { return fmt.Sprintf("the cluster %q", id) })
}

// egressTwice finds prefixes that a list's node egress names more than once.
func egressTwice(a *Allowlist) []Problem {
	return twice(a, a.Doc.Spec.NodeEgress.Else.Items, netip.Prefix.String)
}

// twice finds values that are in a list more than once, each but the first.
func twice[T comparable](a *Allowlist, items []document.Value[T], shown func(T) string) []Problem {
	var out []Problem
	seen := map[T]document.Pos{}
	for _, v := range items {
		if !v.Set {
			continue
		}
		if first, known := seen[v.V]; known {
			out = append(out, Problem{Problem: document.Problem{Pos: v.Pos, Message: fmt.Sprintf("%s is there already, at %s:%s", shown(v.V), a.Path, first), Fix: "remove one of the two"}})
			continue
		}
		seen[v.V] = v.Pos
	}
	return out
}

func coveredEntry(a *Allowlist) []Problem {
	var out []Problem
	for _, p := range a.pairs() {
		if !p.same && p.spare.Path != "" && !a.sharedWithOthers(p) {
			out = append(out, problemAt(p, fmt.Sprintf("%s is within %s, at %s, which lives as long: whoever removes this one locks nobody out", p.spare.Prefix, p.by.Prefix, a.place(p.by)),
				"remove it, or the wider one"))
		}
	}
	return out
}

// sharedWithOthers: an entry of a group that other lists use is not superfluous
// because of what is in this list.
func (a *Allowlist) sharedWithOthers(p pair) bool {
	return p.spare.Kind == FromGroup && p.spare.Group != p.by.Group && a.SharedGroups[p.spare.Group]
}

// problemAt points at the entry itself: the provider's, which the tenant cannot
// change, are no spare ones.
func problemAt(p pair, message, fix string) Problem {
	e := p.spare
	return Problem{Path: e.Path, Problem: document.Problem{Pos: document.Pos{Line: e.Line, Column: e.Column}, Message: message, Fix: fix}}
}

// place says where an entry is, in which group, and whose it is.
func (a *Allowlist) place(e *Entry) string {
	if e.Path == "" {
		return fmt.Sprintf("%s (the provider's)", e.Group)
	}
	out := e.at()
	if e.Group != "" {
		out += ", group " + e.Group
	}
	if e.Owner != "" {
		out += ", owner " + e.Owner
	}
	return out
}
