package policy

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/document"
)

// scpLike is git@host:path, Git's short form of an ssh address: no slash
// before the first colon (git-clone(1), GIT URLS).
var scpLike = regexp.MustCompile(`^(?:([^@/:\s]+)@)?([^@/:\s]+|\[[0-9A-Fa-f:]+\]):([^/\s].*|/[^/\s].*)$`)

// repositoryURL checks a source's address and answers its scheme, empty where
// it cannot be told.
func (r *configReader) repositoryURL(d *SourceDocument) string {
	s := r.text("url", d.URL)
	if s == "" {
		return ""
	}
	if !strings.Contains(s, "://") && scpLike.MatchString(s) && !windowsPath(s) {
		return "ssh"
	}
	u := r.address("url", d.URL)
	if u == nil {
		return ""
	}
	switch u.Scheme {
	case "https", "http":
		r.web("url", d.URL, u, d.InsecureHTTP.V)
		r.wantsPath(d.URL, u)
	case "ssh":
		r.wantsHost("url", d.URL, u)
		r.wantsPath(d.URL, u)
	case "file":
		r.local(d.URL, u)
	default:
		r.report(d.URL.Pos, urlFix(s), "url is neither https, ssh nor file")
		return ""
	}
	return u.Scheme
}

// urlFix offers what a bare name of a folder most likely means.
func urlFix(s string) string {
	if strings.HasPrefix(s, "/") {
		return "file://" + s
	}
	return "https://host/owner/name.git"
}

func windowsPath(s string) bool { return len(s) > 1 && s[1] == ':' }

// address takes an address apart. It is never repeated where it could hold a
// password.
func (r *configReader) address(name string, v document.Value[string]) *url.URL {
	u, err := url.Parse(v.V)
	if err != nil {
		r.report(v.Pos, "", "%s is no address", name)
		return nil
	}
	if _, secret := u.User.Password(); secret {
		r.report(v.Pos, "put it into a file, and name that under credentials", "%s holds a password", name)
		return nil
	}
	if u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		r.report(v.Pos, "", "%s ends in a query or a fragment, which no repository or forge has", name)
	}
	return u
}

// web checks an address that is spoken to by HTTP.
func (r *configReader) web(name string, v document.Value[string], u *url.URL, insecure bool) {
	r.wantsHost(name, v, u)
	if u.User != nil {
		r.report(v.Pos, "name the files with the name's password or token under credentials", "%s holds a user's name, or a token", name)
	}
	if u.Scheme == "http" && !insecure && !loopback(u.Hostname()) {
		r.report(v.Pos, "https, or insecureHTTP: true for the source", "%s is http to another host: whoever is on the way could change every list", name)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (r *configReader) wantsHost(name string, v document.Value[string], u *url.URL) {
	if u.Hostname() == "" {
		r.report(v.Pos, "", "%s names no host", name)
	}
}

func (r *configReader) wantsPath(v document.Value[string], u *url.URL) {
	if strings.Trim(u.Path, "/") == "" {
		r.report(v.Pos, "", "url names a host and no repository")
	}
}

func (r *configReader) local(v document.Value[string], u *url.URL) {
	if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		r.report(v.Pos, "file:///srv/git/allowlists.git", "url is file, and names a host or no absolute path")
	}
}

// webAddress is an address that people open.
func (r *configReader) webAddress(v document.Value[string]) string {
	if !v.Set || v.V == "" {
		return ""
	}
	if u := r.address("url", v); u != nil {
		if u.Scheme != "https" && u.Scheme != "http" {
			r.report(v.Pos, "", "url is neither https nor http")
			return v.V
		}
		r.web("url", v, u, true)
	}
	return v.V
}
