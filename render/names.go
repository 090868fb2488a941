package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// named is a name with its place.
type named struct {
	docName
	at document.Pos
}

func namesIn(f *File) []docName {
	var out []docName
	for _, n := range namedIn(f) {
		out = append(out, n.docName)
	}
	return out
}

func namedIn(f *File) []named {
	var out []named
	for _, a := range f.Parsed.Allowlists {
		if a.Metadata.Name.Set {
			out = append(out, named{docName{f.Tenant, document.KindAllowlist, a.Metadata.Name.V}, a.Metadata.Name.Pos})
		}
	}
	for _, g := range f.Parsed.Groups {
		if g.Metadata.Name.Set {
			out = append(out, named{docName{f.Tenant, document.KindAddressGroup, g.Metadata.Name.V}, g.Metadata.Name.Pos})
		}
	}
	return out
}

// owner is the file that has a name, where, and whether it has made use of it.
type owner struct {
	file *File
	at   document.Pos
	used bool
}

// owners are the files that had a name before and still say it, by name: a
// file does not get at another's name by having one of its own.
func (r *rendering) owners(t *tenant) map[docName]owner {
	out := map[docName]owner{}
	for _, f := range t.files {
		for _, name := range namedIn(f) {
			if _, found := out[name.docName]; !found && r.Base.names[name.docName] == f.Path {
				out[name.docName] = owner{file: f, at: name.at}
			}
		}
	}
	return out
}

func (r *rendering) takeName(names map[docName]owner, t *tenant, f *File, kind string, name document.Value[string]) bool {
	if !name.Set {
		return false
	}
	key := docName{t.name, kind, name.V}
	if other, taken := names[key]; taken && (other.used || other.file != f) {
		t.rivals = append(t.rivals, rivals{key, other, f, name.Pos})
		return false
	}
	names[key] = owner{f, name.Pos, true}
	return true
}

// rivals are two documents of one name: who has it, and who asks for it too.
type rivals struct {
	docName
	winner owner
	loser  *File
	at     document.Pos
}

func (r *rendering) reportRivals(t *tenant) {
	for _, v := range t.rivals {
		r.report(v.loser, document.Problem{Pos: v.at, Rule: "duplicate-name", Message: fmt.Sprintf(
			"%s %q is there already, at %s:%s", v.kind, v.name, v.winner.file.Path, v.winner.at), Fix: "give it another name"})
	}
}

// yielding are the files that must not keep a name from another because they
// come first by path: they are refused, never had it, and the other would pass.
func (r *rendering) yielding() map[FileID]bool {
	out := map[FileID]bool{}
	maps.Copy(out, r.late)
	for _, t := range r.tenants {
		for _, v := range t.rivals {
			id := v.winner.file.ID()
			if v.loser != v.winner.file && r.refused[id] && !r.unsound[v.loser.ID()] && r.Base.names[v.docName] != v.winner.file.Path {
				out[id] = true
			}
		}
	}
	return out
}

// byPrecedence puts the files that are known to be refused last, as it is after
// a restart.
func (r *rendering) byPrecedence(t *tenant) []*File {
	out := slices.Clone(t.files)
	slices.SortStableFunc(out, func(a, b *File) int {
		return cmp.Compare(r.precedence(a), r.precedence(b))
	})
	return out
}

func (r *rendering) precedence(f *File) int {
	if r.refused[f.ID()] || r.late[f.ID()] {
		return 1
	}
	return 0
}
