package policy

import (
	"path"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func (r *configReader) sources() {
	names := map[string]document.Pos{}
	for i := range r.doc.Sources.Items {
		d := &r.doc.Sources.Items[i]
		if !d.Set {
			continue // no mapping, which is said already
		}
		r.uniqueName(d.Name, names)
		r.out.Sources = append(r.out.Sources, r.source(d))
	}
	r.apart()
	r.toldOnce()
}

func (r *configReader) uniqueName(v document.Value[string], names map[string]document.Pos) {
	if !v.Set || !r.name("source", v.V, v.Pos) {
		return
	}
	if first, twice := names[v.V]; twice {
		r.report(v.Pos, "", "a source %s is there already, at %s", v.V, first)
		return
	}
	names[v.V] = v.Pos
}

func (r *configReader) source(d *SourceDocument) Source {
	s := Source{Name: d.Name.V, URL: d.URL.V, Branch: r.branch(d.Branch), InsecureHTTP: d.InsecureHTTP.V}
	scheme := r.repositoryURL(d)
	r.reads(d, &s)
	s.Credentials = r.credentials(d, scheme)
	s.Verify = r.verify(d.Verify)
	s.Checks = r.checks(d)
	return s
}

// reads finds out whose files a source holds.
func (r *configReader) reads(d *SourceDocument, s *Source) {
	if !r.exactlyOne(d.Pos, choice{"path", d.Path.Key, d.Path.Pos}, choice{"tenant", d.Tenant.Key, d.Tenant.Pos}) {
		return
	}
	if d.Path.Set {
		s.Path = r.path(d.Path)
	}
	if d.Tenant.Set && r.folder(d.Tenant.V, d.Tenant.Pos) {
		s.Tenant = d.Tenant.V
	}
	s.Tenants = r.distinct("tenant", d.Tenants)
	switch {
	case d.Tenants.Pos == document.Pos{}:
	case d.Tenant.Pos != document.Pos{}:
		r.report(d.Tenants.Key, "remove one of the two", "tenants is there beside tenant, at %s: only one of them can be meant", d.Tenant.Key)
	case d.Tenants.Set && len(d.Tenants.Items) == 0:
		r.report(d.Tenants.Pos, "leave tenants out for all", "tenants names none")
	}
	for _, v := range d.Tenants.Items {
		if v.Set && v.V != "" {
			r.folder(v.V, v.Pos)
		}
	}
}

// path is a folder of the repository, by slashes.
func (r *configReader) path(v document.Value[string]) string {
	s := r.text("path", v)
	outside := strings.HasPrefix(s, "/") || strings.Contains(s, `\`)
	for _, part := range strings.Split(s, "/") {
		outside = outside || part == ".." || part == ".git"
	}
	if outside {
		r.report(v.Pos, strings.Trim(path.Clean("/"+s), "/"), "path is %s, where a folder of the repository belongs, from its root", quote(s))
	}
	return path.Clean(s)
}

// branch is a branch's short name, as git-check-ref-format(1) has it.
func (r *configReader) branch(v document.Value[string]) string {
	s := r.text("branch", v)
	if s == "" {
		return defaultBranch
	}
	if short, ok := strings.CutPrefix(s, "refs/heads/"); ok {
		r.report(v.Pos, short, "branch is a whole ref, where a branch's name belongs")
		return short
	}
	if !validBranch(s) {
		r.report(v.Pos, "", "%s is no name that a branch can have", quote(s))
	}
	return s
}

func validBranch(s string) bool {
	for _, part := range strings.Split(s, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	odd := func(c rune) bool { return c <= ' ' || c == 0x7F || strings.ContainsRune(`~^:?*[\`, c) }
	return strings.IndexFunc(s, odd) < 0 && s[0] != '-' && s != "@" &&
		!strings.Contains(s, "..") && !strings.Contains(s, "@{") && !strings.HasSuffix(s, ".")
}

// apart sees to it that no tenant is in two sources. Projects are held against
// each other by Validate: which they are is the Policy's to say.
func (r *configReader) apart() {
	if len(r.doc.Sources.Items) < 2 {
		return
	}
	seen := map[string]document.Pos{}
	for i := range r.doc.Sources.Items {
		d := &r.doc.Sources.Items[i]
		if d.Path.Set && d.Tenants.Pos == (document.Pos{}) {
			r.report(d.Path.Key, "tenants: [...]", "with several sources each says whose tenants are below its path, or a project could be reached twice")
		}
		once := map[string]bool{}
		for _, v := range append([]document.Value[string]{d.Tenant}, d.Tenants.Items...) {
			if !v.Set || v.V == "" || once[v.V] {
				continue // of one source, said already
			}
			once[v.V] = true
			if first, twice := seen[v.V]; twice {
				r.report(v.Pos, "", "the tenant %s is in another source already, at %s", quote(v.V), first)
				continue
			}
			seen[v.V] = v.Pos
		}
	}
}
