package policy

import (
	"net/url"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// toldOnce sees to it that the commits of a repository are told by one source:
// a seed has one check on a commit and one comment on a pull request, and with
// two sources the verdict of one would hide the other's.
func (r *configReader) toldOnce() {
	seen := map[string]document.Value[string]{}
	next := 0
	for i := range r.doc.Sources.Items {
		d := &r.doc.Sources.Items[i]
		if !d.Set {
			continue
		}
		s := r.out.Sources[next]
		next++
		where := toldAt(s)
		if where == "" {
			continue
		}
		first, twice := seen[where]
		if !twice {
			seen[where] = d.Name
			continue
		}
		r.report(d.Checks.Or(d.Pos), "put both below one path, or say checks: {forge: none} in one of them",
			"the repository of the checks is that of source %s, at %s: both would be the one check of the seed, and the one's verdict would hide the other's",
			quote(first.V), first.Pos)
	}
}

// toldAt is the repository that the commits of a source are told in; "" where
// they are told nothing, or it is not known for a fault that is reported.
func toldAt(s Source) string {
	switch {
	case s.Checks.Forge == ForgeNone:
		return ""
	case s.Checks.Forge == ForgeNotes && s.URL != "":
		return "notes " + sameRepository(s.URL)
	case s.Checks.Forge != ForgeNotes && s.Checks.URL != "" && s.Checks.Repository != "":
		return "forge " + sameRepository(s.Checks.URL+"/"+s.Checks.Repository)
	}
	return ""
}

// sameRepository spells a repository's address in one way: hosts and, on the
// forges, names have no case, and .git at the end may be left out. That one
// address with ssh and one with https are of the same repository cannot be
// known: paths, ports and user names differ from host to host.
func sameRepository(address string) string {
	address = strings.TrimSuffix(strings.TrimRight(address, "/"), ".git")
	if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
		return address
	}
	return strings.ToLower(address)
}
