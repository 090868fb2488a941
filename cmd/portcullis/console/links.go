package console

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

// links are where a source's files, commits and editor are on its Git host;
// empty where the host is of no kind that is known.
type links struct{ kind, base, branch string }

// linksOf knows the host from the checks, or from the repository's own address
// at one of the two public hosts.
func linksOf(c policy.Source) links {
	l := links{kind: c.Checks.Forge, branch: c.Branch}
	switch c.Checks.Forge {
	case policy.ForgeGitea, policy.ForgeGithub, policy.ForgeGitlab:
		l.base = pagesOf(c.Checks) + "/" + escapePath(c.Checks.Repository)
		return l
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" {
		return links{}
	}
	kind, known := map[string]string{"github.com": policy.ForgeGithub, "gitlab.com": policy.ForgeGitlab}[u.Hostname()]
	if !known {
		return links{}
	}
	return links{kind, "https://" + u.Host + strings.TrimSuffix(u.EscapedPath(), ".git"), c.Branch}
}

// pagesOf is where a host's pages are: of GitHub the Config may name the host of
// the API as well.
func pagesOf(c policy.Checks) string {
	if api, ok := strings.CutPrefix(c.URL, "https://api."); ok && c.Forge == policy.ForgeGithub {
		return "https://" + api
	}
	return c.URL
}

// escapePath escapes each part of a path, and leaves the slashes.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// file is a line of a file in a commit; line 0 is the whole file. The forms are
// those that the hosts' own pages have.
func (l links) file(commit, path string, line int) string {
	if l.base == "" || commit == "" || path == "" {
		return ""
	}
	form := map[string]string{policy.ForgeGithub: "%s/blob/%s/%s", policy.ForgeGitlab: "%s/-/blob/%s/%s", policy.ForgeGitea: "%s/src/commit/%s/%s"}[l.kind]
	out := fmt.Sprintf(form, l.base, url.PathEscape(commit), escapePath(path))
	if line > 0 {
		out += fmt.Sprintf("#L%d", line)
	}
	return out
}

func (l links) commit(sha string) string {
	if l.base == "" || sha == "" {
		return ""
	}
	form := map[string]string{policy.ForgeGithub: "%s/commit/%s", policy.ForgeGitlab: "%s/-/commit/%s", policy.ForgeGitea: "%s/commit/%s"}[l.kind]
	return fmt.Sprintf(form, l.base, url.PathEscape(sha))
}

// edit is the host's own editor with a file of the branch.
func (l links) edit(file string) string {
	if l.base == "" {
		return ""
	}
	form := map[string]string{policy.ForgeGithub: "%s/edit/%s/%s", policy.ForgeGitlab: "%s/-/edit/%s/%s", policy.ForgeGitea: "%s/_edit/%s/%s"}[l.kind]
	return fmt.Sprintf(form, l.base, escapePath(l.branch), escapePath(file))
}

// mostPrefilled bounds the text that goes into an address, in bytes: hosts and
// proxies refuse addresses over 8 KiB.
const mostPrefilled = 6000

// create is the host's own editor with a file that is not there yet. GitHub takes
// the content with it, GitLab the name alone. Gitea 1.26 takes neither: a file
// that is named to it becomes a folder (routers/web/repo/editor.go, EditFile).
func (l links) create(file, content string) (to string, named, filled bool) {
	if l.base == "" {
		return "", false, false
	}
	form := map[string]string{policy.ForgeGithub: "%s/new/%s/%s", policy.ForgeGitlab: "%s/-/new/%s/%s", policy.ForgeGitea: "%s/_new/%s/%s"}[l.kind]
	to = fmt.Sprintf(form, l.base, escapePath(l.branch), escapePath(path.Dir(file)))
	query := url.Values{}
	switch l.kind {
	case policy.ForgeGitea:
		return to, false, false
	case policy.ForgeGitlab:
		query.Set("file_name", path.Base(file))
	default:
		query.Set("filename", path.Base(file))
		if filled = len(url.QueryEscape(content)) <= mostPrefilled; filled {
			query.Set("value", content)
		}
	}
	return to + "?" + query.Encode(), true, filled
}

// hostOf is the host of an address, without its port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// queryOf is a query of names and values in turn.
func queryOf(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values.Encode()
}
