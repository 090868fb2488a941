package policy_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

func TestConfigInFull(t *testing.T) {
	t.Parallel()
	got := mustConfig(t, string(read(t, "testdata/config.yaml")))
	want := &policy.Config{
		Console: policy.Console{SharedSecretHeader: "X-Portcullis-Secret"},
		Seed:    "eu-west", SeedResource: "kubermatic/eu-west", Schedule: "@every 2m", PolicyFile: "policy.yaml", ApplyRate: 2.5,
		Sources: []policy.Source{{
			Name: "customers", URL: "https://git.example.com/hosting/allowlists.git", Branch: "release",
			Path: "tenants", Tenants: []string{"acme", "k4d9x2m7pq"},
			Credentials: policy.Credentials{TokenFile: "git/token", CAFile: "/etc/ssl/ca.pem", Proxy: "http://proxy.example.com:3128"},
			Verify:      policy.Verify{PGPKeyRingFile: "keys.asc", SSHAllowedSignersFile: "signers"},
			Checks: policy.Checks{Forge: "gitea", URL: "https://git.example.com", Repository: "hosting/allowlists",
				TokenFile: "gitea/token", PullRequests: true, Forks: "deny", WebhookSecretFile: "hook", Deadline: 20 * time.Minute},
		}, {
			Name: "globex", URL: "git@git.example.com:globex/allowlist.git", Branch: "main", Tenant: "globex",
			Credentials: policy.Credentials{SSHKeyFile: "key", KnownHostsFile: "hosts"},
			Checks:      policy.Checks{Forge: "none", Forks: "allow", Deadline: 15 * time.Minute},
		}},
		Freeze: []policy.Freeze{
			{Cluster: "qvjdddt72t", Until: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC), Reason: "move"},
			{Cluster: policy.WholeSeed, Until: time.Date(2026, 12, 23, 23, 0, 0, 0, time.UTC)},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !got.Sources[0].Verify.Wanted() || got.Sources[1].Verify.Wanted() {
		t.Error("the first source's commits must be signed, the second's need not")
	}
}

const leastConfig = `apiVersion: portcullis.dev/v1alpha1
kind: Config
seed: eu-west
policyFile: policy.yaml
`

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	got := mustConfig(t, leastConfig+"sources: [{name: a, url: file:///srv/a.git, path: .}]\n")
	want := &policy.Config{Seed: "eu-west", PolicyFile: "policy.yaml", Schedule: "@every 1m", ApplyRate: 20,
		Console: policy.Console{SharedSecretHeader: "X-Portcullis-Secret"},
		Sources: []policy.Source{{Name: "a", URL: "file:///srv/a.git", Branch: "main", Path: ".",
			Checks: policy.Checks{Forge: "none", Forks: "allow", Deadline: 15 * time.Minute}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if unlimited := mustConfig(t, leastConfig+"apply: {rate: 0}\n"); unlimited.ApplyRate != 0 {
		t.Errorf("rate: 0 is no limit, got %g", unlimited.ApplyRate)
	}
}

func TestPublicForgesHaveAnAddress(t *testing.T) {
	t.Parallel()
	for forge, want := range map[string]string{"github": "https://github.com", "gitlab": "https://gitlab.com"} {
		c := mustConfig(t, leastConfig+"sources: [{name: a, url: https://h/a, path: t, checks: {forge: "+forge+", repository: o/n, tokenFile: t}}]\n")
		if got := c.Sources[0].Checks.URL; got != want {
			t.Errorf("%s: got %s, want %s", forge, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c := mustConfig(t, string(read(t, "testdata/config.yaml")))
	c.Sources[0].Credentials.GithubApp = &policy.GithubApp{PrivateKeyFile: "app.pem"}
	c.Sources[1].Credentials.PasswordFile = "password"
	c.Resolve("/etc/portcullis")
	first, second := c.Sources[0], c.Sources[1]
	for _, row := range [][2]string{
		{c.PolicyFile, "/etc/portcullis/policy.yaml"},
		{first.Credentials.TokenFile, "/etc/portcullis/git/token"},
		{first.Credentials.CAFile, "/etc/ssl/ca.pem"},
		{first.Credentials.GithubApp.PrivateKeyFile, "/etc/portcullis/app.pem"},
		{first.Credentials.PasswordFile, ""},
		{first.Verify.PGPKeyRingFile, "/etc/portcullis/keys.asc"},
		{first.Verify.SSHAllowedSignersFile, "/etc/portcullis/signers"},
		{first.Checks.TokenFile, "/etc/portcullis/gitea/token"},
		{first.Checks.WebhookSecretFile, "/etc/portcullis/hook"},
		{second.Credentials.PasswordFile, "/etc/portcullis/password"},
		{second.Credentials.SSHKeyFile, "/etc/portcullis/key"},
		{second.Credentials.KnownHostsFile, "/etc/portcullis/hosts"},
	} {
		if row[0] != row[1] {
			t.Errorf("got %q, want %q", row[0], row[1])
		}
	}
}

// The Policy is looked at as well when the Config has faults.
func TestFaultyConfigStillNamesItsPolicy(t *testing.T) {
	t.Parallel()
	c, problems := policy.ParseConfig([]byte("seed: A\npolicyFile: p.yaml\nsauces: []\n"))
	if len(problems) == 0 || c.PolicyFile != "p.yaml" {
		t.Errorf("got %q and %d problems", c.PolicyFile, len(problems))
	}
}
