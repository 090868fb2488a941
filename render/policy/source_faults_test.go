package policy_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

// source is a Config with one source, whose fields begin on line 6.
func source(fields ...string) string {
	return leastConfig + "sources:\n  - " + strings.Join(fields, "\n    ") + "\n"
}

const named, https, path = "name: a", "url: https://git.example.com/o/n.git", "path: t"

func TestSourceFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []fault{
		{"no sources", leastConfig + "sources: []\n", nil},
		{"an empty source", leastConfig + "sources: [{}]\n",
			[]string{"5:11: name is missing", "5:11: one of path, tenant is missing", "5:11: url is missing"}},
		{"a source that is nothing", leastConfig + "sources: [~]\n", []string{"5:11: an item without a value"}},
		{"path and tenant", source(named, https, path, "tenant: b"), []string{"9:5: tenant is there beside path, at 8:5: only one of them can be meant"}},
		{"a name that is none", source("name: A b", https, path), []string{`6:11: "A b" is no name for a source`}},
		{"a name twice", leastConfig + "sources:\n- {name: a, url: file:///a, tenant: b}\n- {name: a, url: file:///c, tenant: d}\n",
			[]string{"7:10: a source a is there already, at 6:10"}},
		{"an empty branch", source(named, https, path, `branch: ""`), []string{"9:13: branch is empty"}},
		{"a whole ref", source(named, https, path, "branch: refs/heads/x"), []string{"9:13: branch is a whole ref, where a branch's name belongs [x]"}},
		{"no branch's name", source(named, https, path, "branch: a..b"), []string{`9:13: "a..b" is no name that a branch can have`}},
		{"a branch in a folder", source(named, https, path, "branch: release/1.0"), nil},
		{"a path from the root", source(named, https, "path: /t"), []string{`8:11: path is "/t", where a folder of the repository belongs, from its root [t]`}},
		{"a path that leaves", source(named, https, "path: t/../../u"), []string{`8:11: path is "t/../../u"`}},
		{"an empty path", source(named, https, `path: ""`), []string{"8:11: path is empty"}},
		{"a tenant that is no folder", source(named, https, "tenant: a/b"), []string{`8:13: "a/b" is no name for a tenant`}},
		{"a hidden tenant", source(named, https, "tenant: .git"), []string{`8:13: ".git" is no name for a tenant`}},
		{"tenants beside tenant", source(named, https, "tenant: b", "tenants: [c]"), []string{"9:5: tenants is there beside tenant, at 8:5"}},
		{"no tenants", source(named, https, path, "tenants: []"), []string{"9:14: tenants names none"}},
		{"a tenant twice", source(named, https, path, "tenants: [b, b]"), []string{`9:18: the tenant "b" is there already, at 9:15`}},

		{"several sources, tenants not said", leastConfig + "sources:\n- {name: a, url: file:///a, path: b}\n- {name: b, url: file:///c, tenant: d}\n",
			[]string{"6:29: with several sources each says whose tenants are below its path"}},
		{"a tenant in two sources", leastConfig + "sources:\n- {name: a, url: file:///a, path: b, tenants: [c, d]}\n- {name: b, url: file:///c, tenant: d}\n",
			[]string{`7:37: the tenant "d" is in another source already, at 6:51`}},

		{"two sources on one repository", leastConfig + "sources:\n" +
			"- {name: a, url: https://h/o/n, path: b, tenants: [c], checks: {forge: gitea, url: https://h, repository: o/n, tokenFile: t}}\n" +
			"- {name: b, url: https://h/o/n.git, tenant: d, checks: {forge: gitea, url: https://H/, repository: O/n, tokenFile: t}}\n",
			[]string{`7:48: the repository of the checks is that of source "a", at 6:10: both would be the one check of the seed`}},
		{"two sources on one repository, notes", leastConfig + "sources:\n" +
			"- {name: a, url: file:///n.git, path: b, tenants: [c], checks: {forge: notes}}\n- {name: b, url: file:///n, tenant: d, checks: {forge: notes}}\n",
			[]string{`7:40: the repository of the checks is that of source "a", at 6:10`}},
		{"two sources on one repository, of which one tells", leastConfig + "sources:\n" +
			"- {name: a, url: file:///n, path: b, tenants: [c], checks: {forge: notes}}\n- {name: b, url: file:///n, tenant: d, checks: {forge: none}}\n", nil},
		{"two sources that tell nothing", leastConfig + "sources:\n- {name: a, url: file:///n, path: b, tenants: [c]}\n- {name: b, url: file:///n, tenant: d}\n", nil},
		{"two repositories of one host", leastConfig + "sources:\n" +
			"- {name: a, url: https://h/o/n, tenant: c, checks: {forge: gitea, url: https://h, repository: o/n, tokenFile: t}}\n" +
			"- {name: b, url: https://h/o/m, tenant: d, checks: {forge: gitea, url: https://h, repository: o/m, tokenFile: t}}\n", nil},

		{"ssh in full", source(named, "url: ssh://git@h:22/o/n", path, "credentials: {sshKeyFile: k, knownHostsFile: h}"), nil},
		{"ssh in short", source(named, "url: git@h:o/n", path, "credentials: {sshKeyFile: k, knownHostsFile: h}"), nil},
		{"ssh without a key", source(named, "url: git@h:o/n", path), []string{"6:5: ssh needs a key, and the host keys that are trusted"}},
		{"ssh with a password", source(named, "url: ssh://git:s3cret@h/o/n", path), []string{"7:10: url holds a password"}},
		{"file", source(named, "url: file:///srv/n.git", path), nil},
		{"file on a host", source(named, "url: file://h/n.git", path), []string{"7:10: url is file, and names a host or no absolute path"}},
		{"a folder's name", source(named, "url: /srv/n.git", path), []string{"7:10: url is neither https, ssh nor file [file:///srv/n.git]"}},
		{"git's own protocol", source(named, "url: git://h/n.git", path), []string{"7:10: url is neither https, ssh nor file"}},
		{"http on loopback", source(named, "url: http://127.0.0.1:3000/o/n", path), nil},
		{"http on loopback, IPv6", source(named, `url: "http://[::1]:3000/o/n"`, path), nil},
		{"http on localhost", source(named, "url: http://localhost/o/n", path), nil},
		{"http elsewhere", source(named, "url: http://h/o/n", path), []string{"7:10: url is http to another host: whoever is on the way could change every list [https, or insecureHTTP: true for the source]"}},
		{"http elsewhere, on purpose", source(named, "url: http://h/o/n", path, "insecureHTTP: true"), nil},
		{"a name that looks like loopback", source(named, "url: http://127.0.0.1.example.com/o/n", path), []string{"7:10: url is http to another host"}},
		{"a password", source(named, "url: https://u:s3cret@h/o/n", path), []string{"7:10: url holds a password [put it into a file, and name that under credentials]"}},
		{"a token for a name", source(named, "url: https://s3cret@h/o/n", path), []string{"7:10: url holds a user's name, or a token"}},
		{"a token behind it", source(named, "url: https://h/o/n?private_token=s3cret", path), []string{"7:10: url ends in a query or a fragment"}},
		{"no address", source(named, `url: "https://u:s3cret@h:port/"`, path), []string{"7:10: url is no address"}},
		{"no host", source(named, "url: https:///o/n", path), []string{"7:10: url names no host"}},
		{"no repository", source(named, "url: https://h/", path), []string{"7:10: url names a host and no repository"}},
		{"an empty url", source(named, `url: ""`, path), []string{"7:10: url is empty"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, problems := policy.ParseConfig([]byte(row.file))
			row.check(t, problems)
			for _, p := range problems {
				if strings.Contains(shown(p), "s3cret") {
					t.Errorf("tells the secret: %s", shown(p))
				}
			}
		})
	}
}

func TestCredentialFaults(t *testing.T) {
	t.Parallel()
	const ssh, local = "url: git@h:o/n", "url: file:///n"
	for _, row := range []fault{
		{"a name and a password", source(named, https, path, "credentials: {username: u, passwordFile: p}"), nil},
		{"a name alone", source(named, https, path, "credentials: {username: u}"), []string{"9:19: username is there without passwordFile"}},
		{"a password alone", source(named, https, path, "credentials: {passwordFile: p}"), []string{"9:19: passwordFile is there without username"}},
		{"a key alone", source(named, ssh, path, "credentials: {sshKeyFile: k}"), []string{"9:19: sshKeyFile is there without knownHostsFile"}},
		{"two ways", source(named, https, path, "credentials: {tokenFile: t, username: u, passwordFile: p}"),
			[]string{"9:33: username with passwordFile is there beside tokenFile, at 9:19: only one of them can be meant"}},
		{"a token for ssh", source(named, ssh, path, "credentials: {tokenFile: t}"),
			[]string{"9:5: ssh needs a key", "9:19: tokenFile has no effect on a ssh address"}},
		{"a key for https", source(named, https, path, "credentials: {sshKeyFile: k, knownHostsFile: h}"), []string{"9:19: sshKeyFile with knownHostsFile has no effect on a https address"}},
		{"a token for a file", source(named, local, path, "credentials: {tokenFile: t}"), []string{"9:19: tokenFile has no effect on a file address"}},
		{"a password in the file itself", source(named, https, path, "credentials: {password: s3cret}"), []string{`9:19: "password" is not known here`}},
		{"an App", source(named, https, path, "credentials: {githubApp: {appID: 1, installationID: 2, privateKeyFile: k}}"), nil},
		{"half an App", source(named, https, path, "credentials: {githubApp: {appID: 0}}"),
			[]string{"9:19: installationID is missing", "9:19: privateKeyFile is missing", "9:38: appID is 0, where a number from 1 to"}},
		{"certificates for ssh", source(named, ssh, path, "credentials: {sshKeyFile: k, knownHostsFile: h, caFile: c}"), []string{"9:53: caFile has no effect on a ssh address"}},
		{"a proxy for a file", source(named, local, path, "credentials: {proxy: http://h:1}"), []string{"9:19: proxy has no effect on a file address"}},
		{"a proxy with a password", source(named, https, path, "credentials: {proxy: http://u:s3cret@h:1}"), []string{"9:26: proxy holds a password"}},
		{"a proxy that is none", source(named, https, path, "credentials: {proxy: ftp://h}"), []string{"9:26: proxy is neither http, https nor socks5"}},
		{"an empty file name", source(named, https, path, `credentials: {tokenFile: ""}`), []string{"9:30: tokenFile is empty"}},
		{"verify by nobody's keys", source(named, https, path, "verify: {}"), []string{"9:5: verify says nothing of whose signatures count"}},
		{"verify, and null", source(named, https, path, "verify:"), []string{"9:5: verify says nothing of whose signatures count"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, problems := policy.ParseConfig([]byte(row.file))
			row.check(t, problems)
		})
	}
}

func TestCheckFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []fault{
		{"notes", source(named, https, path, "checks: {forge: notes}"), nil},
		{"none, the rest kept", source(named, https, path, "checks: {forge: none, url: https://h, repository: o/n, tokenFile: t}"), nil},
		{"no forge", source(named, https, path, "checks: {}"), []string{"9:5: forge is missing"}},
		{"a misspelt forge", source(named, https, path, "checks: {forge: gitaea}"), []string{`9:21: "gitaea" is none of: github, gitlab, gitea, notes, none [gitea]`}},
		{"gitea without anything", source(named, https, path, "checks: {forge: gitea}"),
			[]string{"9:5: gitea needs a token", "9:5: gitea needs the forge's address", "9:5: gitea needs the repository"}},
		{"github with an App", source(named, https, path, "credentials: {githubApp: {appID: 1, installationID: 2, privateKeyFile: k}}", "checks: {forge: github, repository: o/n}"), nil},
		{"gitlab with subgroups", source(named, https, path, "checks: {forge: gitlab, repository: a/b/c, tokenFile: t}"), nil},
		{"github with subgroups", source(named, https, path, "checks: {forge: github, repository: a/b/c, tokenFile: t}"), []string{`9:41: repository is "a/b/c", where owner/name belongs`}},
		{"a repository's address", source(named, https, path, "checks: {forge: github, repository: https://h/o/n, tokenFile: t}"), []string{"9:41: repository is"}},
		{"http elsewhere", source(named, https, path, "checks: {forge: gitea, url: http://h, repository: o/n, tokenFile: t}"), []string{"9:33: url is http to another host"}},
		{"http elsewhere, on purpose", source(named, https, path, "insecureHTTP: true", "checks: {forge: gitea, url: http://h, repository: o/n, tokenFile: t}"), nil},
		{"http on loopback", source(named, https, path, "checks: {forge: gitea, url: http://127.0.0.1:3000, repository: o/n, tokenFile: t}"), nil},
		{"a forge by ssh", source(named, https, path, "checks: {forge: gitea, url: ssh://h, repository: o/n, tokenFile: t}"), []string{"9:33: url is neither https nor http, by which a forge is asked"}},
		{"what notes cannot do", source(named, https, path, "checks: {forge: notes, url: https://h, pullRequests: true}"),
			[]string{"9:28: url has no effect with forge: notes", "9:44: pullRequests has no effect with forge: notes"}},
		{"a misspelt word", source(named, https, path, "checks: {forge: notes, forks: alow}"), []string{`9:35: "alow" is none of: allow, deny [allow]`}},
		{"no deadline", source(named, https, path, "checks: {forge: notes, deadline: 0s}"), []string{"9:38: deadline is 0s: no list could be in force by then"}},
		{"a deadline without a unit", source(named, https, path, "checks: {forge: notes, deadline: 15}"), []string{`9:38: "15", where a duration such as 15m belongs`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, problems := policy.ParseConfig([]byte(row.file))
			row.check(t, problems)
		})
	}
}
