package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// refuse settles which files are refused. A file that stands, with the groups
// it uses, as it was accepted is not: what a stricter policy, time or the seed
// make of it is a standing problem, reported and not acted upon.
func (r *rendering) refuse() {
	for _, t := range r.tenants {
		for _, f := range t.files {
			_, severe := r.severe[f.ID()]
			if severe && (r.Base.accepted[f.ID()] != r.fingerprint(f) || r.misread(f)) {
				r.refused[f.ID()] = true
			}
		}
	}
	for _, l := range r.lists {
		for _, g := range l.groups {
			if r.refused[g.file.ID()] && g.file.Path != l.file.Path {
				r.blocked[l.file.ID()] = r.byGroup(g.file, fmt.Sprintf("the group %s is in %s, which is refused", g.doc.Metadata.Name.V, g.file.Path))
			}
		}
	}
}

// byGroup is why a list is held whose group's file is refused: by what that is
// refused for.
func (r *rendering) byGroup(f *File, message string) *Hold {
	if why, known := r.severe[f.ID()]; known {
		return &Hold{Rule: why.Rule, Message: message + ": " + why.String()}
	}
	return &Hold{Rule: "unknown-group", Message: message}
}

// misread tells of a fault of form: neither time nor the policy nor the seed can
// make one of a file that was accepted, and what was misread is missing from it.
func (r *rendering) misread(f *File) bool {
	return slices.ContainsFunc(f.Parsed.Problems, func(p document.Problem) bool {
		return lint.SeverityOf(p.Rule, r.Policy.Rules) == lint.Error
	})
}

// fingerprint stands for a file and the groups it uses.
func (r *rendering) fingerprint(f *File) string {
	if p, ok := r.prints[f.ID()]; ok {
		return p
	}
	r.prints[f.ID()] = r.newFingerprint(f)
	return r.prints[f.ID()]
}

func (r *rendering) newFingerprint(f *File) string {
	groups := groupsOf(f)
	if len(groups) == 0 {
		return f.Hash
	}
	h := sha256.New()
	fmt.Fprintln(h, f.Hash)
	for _, name := range groups {
		if g := r.byName[f.Tenant].groups[name]; g != nil {
			fmt.Fprintln(h, name, g.file.Hash)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// groupsOf are the names of the tenant's groups that a file uses, sorted.
func groupsOf(f *File) []string {
	var out []string
	for _, a := range f.Parsed.Allowlists {
		for _, e := range a.Spec.Entries.Items {
			if e.Group.Set && !strings.HasPrefix(e.Group.V, providerPrefix) {
				out = append(out, e.Group.V)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// good tells whether a list may say what its clusters get.
func (r *rendering) good(l *list) bool {
	return !r.refused[l.file.ID()] && !r.elsewhere(l) && !l.missing && r.blocked[l.file.ID()] == nil && l.doc.Metadata.Name.Set && !l.duplicate
}
