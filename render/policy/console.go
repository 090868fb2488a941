package policy

import (
	"cmp"
	"net/netip"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

const defaultSecretHeader = "X-Portcullis-Secret"

// console reads who sees what on the pages. A header that anybody can send
// limits nobody: who sends it must be known.
func (r *configReader) console(d *ConsoleDocument) Console {
	c := Console{URL: strings.TrimRight(r.webAddress(d.URL), "/"),
		ProjectsHeader: r.header("projectsHeader", d.ProjectsHeader), ProjectsPrefix: r.text("projectsPrefix", d.ProjectsPrefix),
		AllProjects: r.text("allProjects", d.AllProjects), TrustedProxies: r.proxies(d.TrustedProxies),
		SharedSecretFile:   r.text("sharedSecretFile", d.SharedSecretFile),
		SharedSecretHeader: cmp.Or(r.header("sharedSecretHeader", d.SharedSecretHeader), defaultSecretHeader)}
	if strings.Contains(c.AllProjects, ",") {
		r.report(d.AllProjects.Pos, "", "allProjects is %s: commas stand between values, and none holds one", quote(c.AllProjects))
	}
	if d.ProjectsHeader.Pos == (document.Pos{}) {
		r.unlimited(d)
		return c
	}
	if d.TrustedProxies.Pos == (document.Pos{}) && d.SharedSecretFile.Pos == (document.Pos{}) {
		r.report(d.ProjectsHeader.Key, "trustedProxies: [...], or sharedSecretFile: ...", "projectsHeader is there, and nothing by which the proxy that sends it is known")
	}
	return c
}

// unlimited refuses what has no effect without projectsHeader: whoever wrote it
// believes that others are kept out.
func (r *configReader) unlimited(d *ConsoleDocument) {
	for _, f := range []struct {
		name string
		key  document.Pos
	}{{"projectsPrefix", d.ProjectsPrefix.Key}, {"allProjects", d.AllProjects.Key}, {"sharedSecretFile", d.SharedSecretFile.Key}} {
		if f.key != (document.Pos{}) {
			r.report(f.key, "add projectsHeader", "%s has no effect without projectsHeader: everyone sees all", f.name)
		}
	}
}

// header is the name of a header (RFC 9110, token).
func (r *configReader) header(key string, v document.Value[string]) string {
	s := r.text(key, v)
	odd := func(c rune) bool {
		return c <= ' ' || c >= 0x7F || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}
	if s != "" && strings.IndexFunc(s, odd) >= 0 {
		r.report(v.Pos, "X-Forwarded-Groups", "%s is %s, which is no name of a header", key, quote(s))
	}
	return s
}

func (r *configReader) proxies(list document.List[document.Value[netip.Prefix]]) []netip.Prefix {
	var out []netip.Prefix
	if list.Set && len(list.Items) == 0 {
		r.report(list.Pos, "leave trustedProxies out for none", "trustedProxies names none")
	}
	for _, v := range list.Items {
		if v.Set && v.V.Bits() == 0 {
			r.report(v.Pos, "", "%s is everybody, where the addresses of proxies belong", v.V)
		}
		if v.Set {
			out = append(out, v.V)
		}
	}
	return out
}
