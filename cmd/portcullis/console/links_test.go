package console

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

// TestLinks are those that the pages of each host have. Gitea's are followed on
// a real one, see test/e2e.
func TestLinks(t *testing.T) {
	t.Parallel()
	source := func(forge, url string) policy.Source {
		return policy.Source{Branch: "release/main", Checks: policy.Checks{Forge: forge, URL: url, Repository: "hosting/allow lists"}}
	}
	for name, c := range map[string]struct {
		conf                       policy.Source
		file, commit, edit, create string
	}{
		"Gitea": {source(policy.ForgeGitea, "https://git.example.com/gitea"),
			"https://git.example.com/gitea/hosting/allow%20lists/src/commit/0123/tenants/a%20%23.yaml#L7", "https://git.example.com/gitea/hosting/allow%20lists/commit/0123",
			"https://git.example.com/gitea/hosting/allow%20lists/_edit/release/main/tenants/a%20%23.yaml",
			"https://git.example.com/gitea/hosting/allow%20lists/_new/release/main/tenants"},
		"GitHub": {source(policy.ForgeGithub, "https://github.com"),
			"https://github.com/hosting/allow%20lists/blob/0123/tenants/a%20%23.yaml#L7", "https://github.com/hosting/allow%20lists/commit/0123",
			"https://github.com/hosting/allow%20lists/edit/release/main/tenants/a%20%23.yaml",
			"https://github.com/hosting/allow%20lists/new/release/main/tenants?filename=a+%23.yaml&value=x%3A+1"},
		"GitHub, by its API's host": {source(policy.ForgeGithub, "https://api.acme.ghe.com"),
			"https://acme.ghe.com/hosting/allow%20lists/blob/0123/tenants/a%20%23.yaml#L7", "https://acme.ghe.com/hosting/allow%20lists/commit/0123",
			"https://acme.ghe.com/hosting/allow%20lists/edit/release/main/tenants/a%20%23.yaml",
			"https://acme.ghe.com/hosting/allow%20lists/new/release/main/tenants?filename=a+%23.yaml&value=x%3A+1"},
		"GitLab": {source(policy.ForgeGitlab, "https://gitlab.com"),
			"https://gitlab.com/hosting/allow%20lists/-/blob/0123/tenants/a%20%23.yaml#L7", "https://gitlab.com/hosting/allow%20lists/-/commit/0123",
			"https://gitlab.com/hosting/allow%20lists/-/edit/release/main/tenants/a%20%23.yaml",
			"https://gitlab.com/hosting/allow%20lists/-/new/release/main/tenants?file_name=a+%23.yaml"},
		"without checks, on GitHub": {policy.Source{URL: "https://user@github.com/hosting/lists.git", Branch: "main"},
			"https://github.com/hosting/lists/blob/0123/tenants/a%20%23.yaml#L7", "https://github.com/hosting/lists/commit/0123",
			"https://github.com/hosting/lists/edit/main/tenants/a%20%23.yaml", "https://github.com/hosting/lists/new/main/tenants?filename=a+%23.yaml&value=x%3A+1"},
		"without checks, elsewhere": {conf: policy.Source{URL: "https://git.example.com/hosting/lists.git", Branch: "main"}},
		"by ssh":                    {conf: policy.Source{URL: "ssh://git@github.com/hosting/lists.git", Branch: "main"}},
	} {
		l := linksOf(c.conf)
		create, _, _ := l.create("tenants/a #.yaml", "x: 1")
		for what, got := range map[string][2]string{"file": {l.file("0123", "tenants/a #.yaml", 7), c.file}, "commit": {l.commit("0123"), c.commit},
			"edit": {l.edit("tenants/a #.yaml"), c.edit}, "create": {create, c.create}} {
			if got[0] != got[1] {
				t.Errorf("%s: %s is\n%s, want\n%s", name, what, got[0], got[1])
			}
		}
	}
}
