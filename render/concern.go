package render

import (
	"cmp"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// concerns tells whether a finding is this seed's to report: that of an
// allowlist for the seed, of a group that such a list uses or that none uses,
// of whatever cannot be read that far, and of what refuses a file with
// something for the seed in it.
func (r *rendering) concerns(f *File, p document.Problem, severity lint.Severity) bool {
	if r.Seed == "" || p.Rule == "yaml-syntax" {
		return true
	}
	if rule, _ := lint.Lookup(p.Rule); severity == lint.Error && rule.Scope == lint.File && r.holds(f) {
		return true
	}
	start := documentAt(f.Parsed, p.Pos)
	for _, l := range r.listsOf(f.Tenant) {
		if l.file == f && l.doc.Pos == start {
			return !r.elsewhere(l)
		}
	}
	for _, g := range f.Parsed.Groups {
		if g.Pos == start {
			return r.groupConcerns(f, g.Metadata.Name.V)
		}
	}
	return true
}

// holds tells whether a list for this seed is in the file, or a group that one
// uses: then the file's refusal keeps the list from what it says, whichever of
// its documents is at fault.
func (r *rendering) holds(f *File) bool {
	for _, l := range r.listsOf(f.Tenant) {
		if l.file == f && !r.elsewhere(l) {
			return true
		}
	}
	t := r.byName[f.Tenant]
	return t != nil && slices.ContainsFunc(f.Parsed.Groups, func(g *document.AddressGroup) bool {
		return t.used[g.Metadata.Name.V] && r.groupConcerns(f, g.Metadata.Name.V)
	})
}

func (r *rendering) groupConcerns(f *File, name string) bool {
	used := false
	for _, l := range r.listsOf(f.Tenant) {
		for _, e := range l.doc.Spec.Entries.Items {
			if e.Group.V != name {
				continue
			}
			if !r.elsewhere(l) {
				return true
			}
			used = true
		}
	}
	return !used
}

// documentAt is the start of the document that a place is in.
func documentAt(p *document.Parsed, at document.Pos) document.Pos {
	i, found := slices.BinarySearchFunc(p.Starts, at, func(a, b document.Pos) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	switch {
	case found:
		return at
	case i == 0:
		return document.Pos{}
	}
	return p.Starts[i-1]
}
