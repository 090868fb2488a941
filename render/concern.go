package render

import (
	"github.com/portcullis-gitops/portcullis/render/document"
)

// concerns tells whether a finding is this seed's to report: that of an
// allowlist for the seed, of a group that such a list uses or that none uses,
// and of whatever cannot be read that far.
func (r *rendering) concerns(f *File, p document.Problem) bool {
	if r.Seed == "" || p.Rule == "yaml-syntax" {
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
	var start document.Pos
	for _, s := range p.Starts {
		if s.Line < at.Line || s.Line == at.Line && s.Column <= at.Column {
			start = s
		}
	}
	return start
}
