package meaning

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render"
)

// Group is a group that a change edits, and how far that reaches.
type Group struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	// Lists that name it, in the order of path and line.
	Lists []render.Claim `json:"lists"`
	// Clusters that have one of the lists; a selector counts as one.
	Clusters int `json:"clusters"`
}

type groupName struct{ tenant, name string }

// groups are the groups whose addresses or times are edited. One that comes or
// goes is not edited: the lists that name it are.
func (in Input) groups() []Group {
	before, after := contents(in.Before.Files), contents(in.After.Files)
	out := []Group{}
	for name, content := range after {
		if was, there := before[name]; there && was != content {
			out = append(out, in.reach(name))
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name)) })
	return out
}

// contents is what each group lets in and until when, whatever its order.
func contents(files []render.File) map[groupName]string {
	out := map[groupName]string{}
	for _, f := range files {
		for _, g := range f.Parsed.Groups {
			var lines []string
			for i := range g.Spec.Entries.Items {
				e := &g.Spec.Entries.Items[i]
				for _, p := range e.Prefixes() {
					lines = append(lines, fmt.Sprint(p.V, e.End().UTC()))
				}
			}
			slices.Sort(lines)
			out[groupName{f.Tenant, g.Metadata.Name.V}] = strings.Join(slices.Compact(lines), "\n")
		}
	}
	return out
}

func (in Input) reach(name groupName) Group {
	g := Group{Tenant: name.tenant, Name: name.name}
	lists := map[render.Claim]bool{}
	for _, w := range in.After.Clusters {
		names := slices.ContainsFunc(w.Entries, func(e render.Entry) bool { return e.Group == name.name })
		if w.Claim.Tenant == name.tenant && names {
			g.Clusters++
			list := w.Claim
			list.Line = 0 // that of the cluster's ID
			lists[list] = true
		}
	}
	g.Lists = slices.SortedFunc(maps.Keys(lists), func(a, b render.Claim) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Name, b.Name))
	})
	return g
}
