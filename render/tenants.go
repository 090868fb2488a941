package render

import (
	"cmp"
	"slices"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// tenant is what belongs to one tenant, in the order of path.
type tenant struct {
	name   string
	files  []*File
	groups map[string]*group
	lists  []*list
	used   map[string]bool // groups that a list names
	shared map[string]bool // groups that several lists name
	named  map[string]bool // clusters that a list names by ID
	// resolved counts the prefixes that its lists bring in by groups.
	resolved int
	// compared counts the names held against each other to offer what was meant.
	compared int
	rivals   []rivals
	// selected counts how often its selectors pick a cluster; had are the clusters
	// that a document had, by its path and name, once that is asked for.
	selected int
	// judged and claimed count how often its selectors look at a cluster, while
	// lists are held against the rules and while they claim clusters.
	judged, claimed int
	had             map[Claim][]string
}

type group struct {
	file *File
	doc  *document.AddressGroup
}

// list is one allowlist that this plan is about.
type list struct {
	tenant  *tenant
	file    *File
	doc     *document.Allowlist
	seed    string  // the one it is for; empty where that cannot be told
	entries []Entry // all but the platform's
	// everywhere are the entries with the platform's that hold in all datacenters.
	everywhere []Entry
	groups     []*group // that it names and that are there
	partial    bool     // some of its entries are not known
	// duplicate is set where another document has its name: the one that had it
	// keeps it, and this one says nothing.
	duplicate bool
	// unresolved are groups of the provider's, of which no policy is at hand.
	unresolved []Entry
	missing    bool // a group that it names is not there: never a list without it
	byDC       map[string]*resolved
}

// docName is what must be unique: names are, in a tenant, for each kind.
type docName struct{ tenant, kind, name string }

// gather puts the files together by tenant, settles names, and reports what is
// wrong with files by themselves.
func (r *rendering) gather() {
	files := slices.Clone(r.Files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Source, b.Source)) })
	for i := range files {
		f := &files[i]
		if reason := stray(f); reason != "" {
			r.report(f, document.Problem{Pos: document.Start, Rule: "stray-file", Message: reason})
			continue
		}
		t := r.byName[f.Tenant]
		if t == nil {
			t = &tenant{name: f.Tenant, groups: map[string]*group{}}
			r.byName[f.Tenant] = t
			r.tenants = append(r.tenants, t)
		}
		t.files = append(t.files, f)
	}
	for _, t := range r.tenants {
		r.gatherTenant(t)
	}
	slices.SortStableFunc(r.lists, func(a, b *list) int { return cmp.Compare(a.file.Path, b.file.Path) })
}

// stray tells why a file is not read although its name looks as if it were.
func stray(f *File) string {
	switch {
	case !strings.HasSuffix(f.Path, ".yaml") && !strings.HasSuffix(f.Path, ".yml"):
		if p := f.Parsed.Problems; f.Parsed.Folder || len(p) > 0 && p[0].Rule == "not-a-file" {
			return "" // reported as what it is
		}
		return "the name does not end in .yaml or .yml: the file is not read"
	case f.Tenant == "":
		return "the file is in no tenant's folder: it is not read"
	}
	return ""
}

func (r *rendering) gatherTenant(t *tenant) {
	names := r.owners(t)
	for _, f := range r.byPrecedence(t) {
		for _, g := range f.Parsed.Groups {
			if r.takeName(names, t, f, document.KindAddressGroup, g.Metadata.Name) {
				t.groups[g.Metadata.Name.V] = &group{f, g}
			}
		}
		for _, a := range f.Parsed.Allowlists {
			l := r.newList(t, f, a)
			l.duplicate = !r.takeName(names, t, f, document.KindAllowlist, a.Metadata.Name)
			t.lists = append(t.lists, l)
			r.lists = append(r.lists, l)
		}
	}
	t.index() // by which it is known whose concern a place is
	r.reportRivals(t)
	for _, f := range t.files {
		for _, p := range f.Parsed.Problems {
			r.report(f, p)
		}
	}
}

func (r *rendering) newList(t *tenant, f *File, doc *document.Allowlist) *list {
	seed := doc.Spec.Seed.V
	if seeds := r.Policy.SeedNames(); seed == "" && len(seeds) == 1 {
		seed = seeds[0]
	}
	return &list{tenant: t, file: f, doc: doc, seed: seed, byDC: map[string]*resolved{}}
}

// elsewhere tells whether a list is for another seed than the one planned for.
// A seed that the policy does not know is nobody's, and so everybody's concern.
func (r *rendering) elsewhere(l *list) bool {
	if r.Policy.SeedNames() == nil { // without a policy a list says itself where it belongs
		return r.Seed != "" && l.seed != "" && l.seed != r.Seed
	}
	return r.Seed != "" && l.seed != r.Seed && r.knowsSeed(l.seed)
}

func (r *rendering) knowsSeed(seed string) bool {
	return slices.Contains(r.Policy.SeedNames(), seed)
}
