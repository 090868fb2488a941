package console_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func limited() policy.Console {
	return policy.Console{ProjectsHeader: "X-Groups", ProjectsPrefix: "kkp-", AllProjects: "ops", TrustedProxies: loopback}
}

// paths are all routes, with every cluster of the rig and one that is not there
// in each place where one can be named.
func paths() []string {
	out := []string{"/", "/?q=canary", "/?tenant=globex", "/?datacenter=dc-canary", "/?state=Missing", "/?page=2", "/explain", "/api/v1/status", "/api/v1/status?tenant=globex",
		"/api/v1/clusters", "/api/v1/", "/nonesuch", "/clusters/", "/clusters"}
	for _, id := range []string{"shopprod01", "shoptest01", "acmebare01", "acmegone01", "canaryprod", "canarybare", "canarygone", "canary-prod", "nonesuch", "globex", "*", "%2e%2e%2fcanaryprod", "acmebare01%2f..%2fcanaryprod"} {
		out = append(out, "/clusters/"+id, "/api/v1/clusters/"+id, "/explain?cluster="+id+"&address=203.0.113.200", "/api/v1/explain?cluster="+id+"&address=203.0.113.200",
			"/explain?cluster="+id+"&address=x", "/explain?cluster="+id+"&cluster=shopprod01&address=203.0.113.200", "/?q="+id)
	}
	return append(out, drafts()...)
}

// TestAnotherTenantsClustersAreNotToBeHad: nothing that a viewer asks for has a
// word of another tenant's, but what he typed himself.
func TestAnotherTenantsClustersAreNotToBeHad(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	for name, c := range map[string]struct {
		groups string
		secret []string // words of others
		sees   []string
	}{
		"acme":           {"kkp-acmeproj1,kkp-acmeproj2", []string{"canary", "globex", "203.0.113.201", "12 "}, []string{"shopprod01", "shoptest01", "acmebare01", "acmegone01"}},
		"one of acme's":  {"kkp-acmeproj1", []string{"canary", "globex", "203.0.113.201", "shoptest01", "acmeproj2", "acmegone01"}, []string{"shopprod01", "acmebare01"}},
		"globex":         {" kkp-globex , other,", []string{"vienna", "acme", "198.51.100.7", "shoptest01", "shop-"}, []string{"canaryprod", "canarybare", "canarygone"}},
		"nobody":         {"", []string{"canary", "globex", "acme", "shop", "203.0.113"}, nil},
		"another prefix": {"globex,acmeproj1", []string{"canary", "globex", "acme", "shop", "203.0.113"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range paths() {
				g := r.get(t, path, "X-Groups", c.groups)
				said := strings.ToLower(strip(g.body, path))
				for _, word := range c.secret {
					if strings.Contains(said, word) {
						t.Errorf("%s says %q", path, word)
					}
				}
			}
			for id := range clusters {
				want := http.StatusNotFound
				for _, seen := range c.sees {
					if seen == id {
						want = http.StatusOK
					}
				}
				for _, path := range []string{"/clusters/", "/api/v1/clusters/", "/explain?address=10.0.0.1&cluster=", "/api/v1/explain?address=10.0.0.1&cluster="} {
					if g := r.get(t, path+id, "X-Groups", c.groups); g.status != want {
						t.Errorf("%s%s: %d, want %d", path, id, g.status, want)
					}
				}
			}
		})
	}
}

// strip takes out what a page repeats of the question. That nothing is answered
// beside it is for TestUnknownAndForeignAreAnsweredAlike.
func strip(body, path string) string {
	address, err := url.Parse(path)
	if err != nil {
		return body
	}
	for _, values := range address.Query() {
		for _, value := range values {
			for _, form := range []string{value, url.QueryEscape(value)} {
				if form != "" {
					body = strings.ReplaceAll(body, form, "")
				}
			}
		}
	}
	return body
}

// TestUnknownAndForeignAreAnsweredAlike, to the byte.
func TestUnknownAndForeignAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	for _, path := range []string{"/clusters/ID", "/api/v1/clusters/ID", "/explain?cluster=ID&address=203.0.113.200", "/api/v1/explain?cluster=ID&address=203.0.113.200"} {
		ask := func(id string) string {
			g := r.get(t, strings.ReplaceAll(path, "ID", id), "X-Groups", "kkp-acmeproj1,kkp-acmeproj2")
			return strings.ReplaceAll(g.body, id, "ID")
		}
		unknown := ask("nonesuch00")
		for _, id := range []string{"canaryprod", "canarybare", "canarygone"} {
			if got := ask(id); got != unknown {
				t.Errorf("%s: %s is answered otherwise than one that is not there:\n%s\n%s", path, id, got, unknown)
			}
		}
	}
}

// TestWhoIsBelieved has requests that do not come by way of the proxy.
func TestWhoIsBelieved(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	write := func(text string) {
		if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("canary-of-a-shared-secret\n")
	elsewhere := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	bySecret := policy.Console{ProjectsHeader: "X-Groups", AllProjects: "ops", SharedSecretFile: secret, SharedSecretHeader: "X-Portcullis-Secret"}
	both := bySecret
	both.TrustedProxies = elsewhere
	nobody := policy.Console{ProjectsHeader: "X-Groups"}
	for name, c := range map[string]struct {
		conf    policy.Console
		headers []string
		status  int
	}{
		"from the proxy":             {limited(), []string{"X-Groups", "ops"}, 200},
		"from elsewhere":             {policy.Console{ProjectsHeader: "X-Groups", AllProjects: "ops", TrustedProxies: elsewhere}, []string{"X-Groups", "ops"}, 403},
		"from elsewhere, forwarded":  {policy.Console{ProjectsHeader: "X-Groups", AllProjects: "ops", TrustedProxies: elsewhere}, []string{"X-Groups", "ops", "X-Forwarded-For", "192.0.2.1", "Forwarded", "for=192.0.2.1"}, 403},
		"with the secret":            {bySecret, []string{"X-Groups", "ops", "X-Portcullis-Secret", "canary-of-a-shared-secret"}, 200},
		"without the secret":         {bySecret, []string{"X-Groups", "ops"}, 403},
		"with an empty secret":       {bySecret, []string{"X-Groups", "ops", "X-Portcullis-Secret", ""}, 403},
		"with the beginning of it":   {bySecret, []string{"X-Groups", "ops", "X-Portcullis-Secret", "canary-of-a-shared"}, 403},
		"with two secrets":           {bySecret, []string{"X-Groups", "ops", "X-Portcullis-Secret", "x", "X-Portcullis-Secret", "canary-of-a-shared-secret"}, 403},
		"with the secret, elsewhere": {both, []string{"X-Groups", "ops", "X-Portcullis-Secret", "canary-of-a-shared-secret"}, 403},
		"nobody is trusted":          {nobody, []string{"X-Groups", "ops"}, 403},
		"the header twice":           {limited(), []string{"X-Groups", "kkp-globex", "X-Groups", "ops"}, 403},
		"no file":                    {policy.Console{ProjectsHeader: "X-Groups", SharedSecretFile: secret + "-not", SharedSecretHeader: "X-S"}, []string{"X-Groups", "ops", "X-S", ""}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, c.conf)
			for _, path := range []string{"/", "/clusters/canaryprod", "/api/v1/status", "/explain?cluster=canaryprod&address=10.0.0.1"} {
				g := r.get(t, path, c.headers...)
				if g.status != c.status {
					t.Errorf("%s: %d, want %d", path, g.status, c.status)
				}
				if c.status != 200 {
					silent(t, g, "canary", "globex", "shop", "eu-west")
				}
			}
		})
	}
	write("short\n")
	if g := serve(t, bySecret).get(t, "/", "X-Groups", "ops", "X-Portcullis-Secret", "short"); g.status != 500 {
		t.Errorf("a secret of 5 bytes is taken: %d", g.status)
	}
}

// TestOperatorsSeeEverything, by the value that the Config names.
func TestOperatorsSeeEverything(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	mentions(t, r.get(t, "/", "X-Groups", "kkp-globex, ops"), "canary-prod", "shop-prod", "5 clusters")
	mentions(t, r.get(t, "/", "X-Groups", "kkp-ops"), "0 clusters")
}

// TestLimitedNeverSeesMore: whatever is asked for in whatever words, the canary
// is not in the answer.
func TestLimitedNeverSeesMore(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	word := rapid.SampledFrom([]string{"canaryprod", "canarybare", "canarygone", "canary-prod", "globex", "dc-canary", "203.0.113.200", "203.0.113.0/24", "Missing", "shopprod01", "customers", accepted, "main", "tenants/globex/canary.yaml", ""})
	key := rapid.SampledFrom([]string{"cluster", "address", "q", "tenant", "datacenter", "state", "page", "source", "path"})
	place := rapid.SampledFrom([]string{"/", "/explain", "/draft", "/clusters/shopprod01", "/api/v1/status", "/api/v1/explain", "/clusters/canaryprod"})
	rapid.Check(t, func(rt *rapid.T) {
		path := place.Draw(rt, "place") + "?"
		for range rapid.IntRange(0, 4).Draw(rt, "n") {
			value := word.Draw(rt, "value")
			path += key.Draw(rt, "key") + "=" + url.QueryEscape(value) + "&"
		}
		body := r.get(t, path, "X-Groups", "kkp-acmeproj1,kkp-acmeproj2").body
		body = strip(body, path)
		for _, secret := range []string{"canary office", "CANARY-1", "canary@globex", "203.0.113.201", "uid-canary", "canary-prod", "dc-canary"} {
			if strings.Contains(body, secret) {
				rt.Errorf("%s says %q", path, secret)
			}
		}
	})
}
