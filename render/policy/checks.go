package policy

import (
	"strings"
	"time"

	"github.com/portcullis-gitops/portcullis/render/document"
)

func (r *configReader) checks(s *SourceDocument) Checks {
	d := &s.Checks
	out := Checks{Forge: ForgeNone, Forks: ForksAllow, PullRequests: d.PullRequests.V,
		URL: r.text("url", d.URL), Repository: r.text("repository", d.Repository),
		TokenFile: r.text("tokenFile", d.TokenFile), WebhookSecretFile: r.text("webhookSecretFile", d.WebhookSecretFile),
		Deadline: r.deadline(d.Deadline)}
	take(&out.Forge, d.Forge)
	take(&out.Forks, d.Forks)
	if !d.Forge.Set {
		return out
	}
	switch out.Forge {
	case ForgeNotes:
		r.needless(d)
	case ForgeGithub, ForgeGitlab, ForgeGitea:
		r.forge(s, &out)
	}
	return out
}

func (r *configReader) deadline(v document.Value[time.Duration]) time.Duration {
	switch {
	case !v.Set:
		return defaultDeadline
	case v.V <= 0:
		r.report(v.Pos, defaultDeadline.String(), "deadline is %s: no list could be in force by then", v.V)
	}
	return v.V
}

// forge wants what a forge cannot be spoken to without.
func (r *configReader) forge(s *SourceDocument, out *Checks) {
	d := &s.Checks
	if d.URL.Pos == (document.Pos{}) {
		out.URL = r.publicForge(d)
	} else if u := r.forgeAddress(d.URL, s.InsecureHTTP.V); u != "" {
		out.URL = u
	}
	if d.Repository.Pos == (document.Pos{}) {
		r.report(d.Or(s.Pos), "repository: owner/name", "%s needs the repository", out.Forge)
	} else if d.Repository.Set && d.Repository.V != "" && !validRepository(d.Repository.V, out.Forge) {
		r.report(d.Repository.Pos, "", "repository is %s, where owner/name belongs", quote(d.Repository.V))
	}
	app := out.Forge == ForgeGithub && s.Credentials.GithubApp.Set
	if d.TokenFile.Pos == (document.Pos{}) && !app {
		r.report(d.Or(s.Pos), "tokenFile: ...", "%s needs a token to tell it the outcome of a commit", out.Forge)
	}
}

func (r *configReader) publicForge(d *ChecksDocument) string {
	switch d.Forge.V {
	case ForgeGithub:
		return "https://github.com"
	case ForgeGitlab:
		return "https://gitlab.com"
	}
	r.report(d.Key, "url: https://...", "%s needs the forge's address", d.Forge.V)
	return ""
}

// forgeAddress checks checks.url and answers it without a slash at its end.
func (r *configReader) forgeAddress(v document.Value[string], insecure bool) string {
	if !v.Set || v.V == "" {
		return ""
	}
	u := r.address("url", v)
	if u == nil {
		return ""
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		r.report(v.Pos, "", "url is neither https nor http, by which a forge is asked")
		return ""
	}
	r.web("url", v, u, insecure)
	return strings.TrimRight(v.V, "/")
}

// validRepository: owner/name, where GitLab's owner may be a path of groups.
func validRepository(s, forge string) bool {
	parts := strings.Split(s, "/")
	for _, part := range parts {
		if strings.Trim(part, ".") == "" || strings.ContainsAny(part, " \t\\:?#%@") {
			return false
		}
	}
	return len(parts) == 2 || forge == ForgeGitlab && len(parts) > 2
}

// needless refuses what notes have no use for: whoever wrote it expects more
// of them than they do.
func (r *configReader) needless(d *ChecksDocument) {
	for _, f := range []struct {
		name  string
		key   document.Pos
		given bool
	}{
		{"url", d.URL.Key, d.URL.Set},
		{"repository", d.Repository.Key, d.Repository.Set},
		{"tokenFile", d.TokenFile.Key, d.TokenFile.Set},
		{"pullRequests", d.PullRequests.Key, d.PullRequests.Set && d.PullRequests.V},
		{"webhookSecretFile", d.WebhookSecretFile.Key, d.WebhookSecretFile.Set},
	} {
		if f.given {
			r.report(f.key, "remove it, or name the forge", "%s has no effect with forge: notes, which are written into the repository itself", f.name)
		}
	}
}
