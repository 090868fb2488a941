package browser_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

func escape(s string) string { return url.QueryEscape(s) }

// secrets are words of acme's that globex may not read on any page. What acme
// gave is asked for by word in many requests below: an answer may repeat what
// was asked, so each is looked for only where it was not.
func secrets() []string {
	return []string{stage.ShopProd, stage.ShopStaging, stage.ShopDev, unlisted, "shop-prod", "shop-staging", "shop-next", "tenants/acme", "Vienna", "ACME-17",
		"netops@acme.example", stage.AcmeProject, hostile, "window.harmed", "Lisbon", stage.Edge, "198.51.100.40"}
}

// guesses are what somebody would try who knows all of acme's names.
func guesses(h *house) []string {
	return []string{"", "*", "%", "..", "acme", stage.AcmeProject, stage.ShopProd, strings.ToUpper(stage.ShopProd), "shop-prod", "shop", "tenants/acme/production.yaml",
		"tenants/" + stage.GlobexProject + "/../acme/production.yaml", "../acme/production.yaml", "203.0.113.10", "production", "customers", h.first, h.good, "Synced", "Held", "group", operators}
}

// requests are every route with every parameter that any route knows, each with
// every guess.
func requests(h *house) []string {
	var out []string
	guessed := guesses(h)
	for _, route := range []string{"/", "/explain", "/draft", "/api/v1/status", "/api/v1/explain"} {
		out = append(out, route)
		for _, name := range []string{"q", "state", "tenant", "datacenter", "page", "cluster", "address", "source", "file", "path", "yaml", "snippet", "projects", projectsHeader} {
			for _, guess := range guessed {
				out = append(out, route+"?"+name+"="+escape(guess))
			}
		}
	}
	for _, guess := range guessed {
		for _, route := range []string{"/clusters/", "/api/v1/clusters/", "/revisions/customers/", "/api/v1/revisions/customers/", "/static/", "/"} {
			out = append(out, route+url.PathEscape(guess))
		}
		for _, route := range []string{"/explain", "/api/v1/explain"} {
			out = append(out, route+"?address=203.0.113.10&cluster="+escape(guess), route+"?cluster=billing&address="+escape(guess))
		}
		for _, tenant := range []string{"acme", stage.AcmeProject, stage.GlobexProject} {
			out = append(out, "/draft?source=customers&tenant="+tenant+"&path="+escape(guess), "/draft?tenant="+tenant+"&cluster="+escape(guess)+"&snippet=group",
				"/draft?tenant="+tenant+"&file="+escape(guess)+"&yaml=a")
		}
	}
	return out
}

// TestAnotherTenantsClusters are not to be had by any path or parameter, where
// the proxy says whose the viewer is.
func TestAnotherTenantsClusters(t *testing.T) {
	t.Parallel()
	h, _ := look(t)
	globex := http.Header{projectsHeader: {stage.GlobexProject}}
	for _, path := range []string{"/", "/api/v1/status", "/clusters/" + stage.Billing, "/api/v1/clusters/" + stage.Billing} {
		if status, body, err := h.get(t.Context(), path, globex); err != nil || status != http.StatusOK || !strings.Contains(body, stage.Billing) {
			t.Fatalf("globex does not see its own at %s: %d, %v", path, status, err)
		}
	}
	known := ""
	for _, s := range sights(h) {
		_, body, err := h.get(t.Context(), s.path, http.Header{projectsHeader: {operators}})
		if err != nil {
			t.Fatal(err)
		}
		known += body
	}
	for _, word := range secrets() {
		if !strings.Contains(known, word) {
			t.Errorf("operators do not see %s: it is nothing to be kept", word)
		}
	}
	for _, path := range requests(h) {
		status, body, err := h.get(t.Context(), path, globex)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := url.QueryUnescape(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range secrets() {
			if strings.Contains(body, word) && !strings.Contains(asked, word) && !strings.Contains(path, word) {
				t.Errorf("%s tells globex of %s (%d)", path, word, status)
			}
		}
	}
	t.Logf("%d requests", len(requests(h)))
}

// TestOthersAreAsIfNotThere: the answer to a question about another tenant's
// cluster is, but for the name, that about one that nobody has.
func TestOthersAreAsIfNotThere(t *testing.T) {
	t.Parallel()
	h, _ := look(t)
	globex := http.Header{projectsHeader: {stage.GlobexProject}}
	const nobody = "aaaaaaaaaa"
	for _, route := range []string{"/clusters/%", "/api/v1/clusters/%", "/explain?address=203.0.113.10&cluster=%", "/api/v1/explain?address=203.0.113.10&cluster=%", "/?q=%",
		"/draft?tenant=" + stage.GlobexProject + "&cluster=%"} {
		_, there, err := h.get(t.Context(), strings.Replace(route, "%", stage.ShopProd, 1), globex)
		if err != nil {
			t.Fatal(err)
		}
		_, not, err := h.get(t.Context(), strings.Replace(route, "%", nobody, 1), globex)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := withoutTimes(strings.ReplaceAll(there, stage.ShopProd, nobody)), withoutTimes(not); a != b {
			t.Errorf("%s gives another's cluster away:\n%s\nagainst\n%s", route, a, b)
		}
	}
}

// TestNobodyWithoutTheProxy sees anything.
func TestNobodyWithoutTheProxy(t *testing.T) {
	t.Parallel()
	h, _ := look(t)
	paths := []string{"/api/v1/status", "/api/v1/clusters/" + stage.Billing, "/api/v1/explain?cluster=billing&address=192.0.2.64", "/api/v1/revisions/customers/" + h.first}
	for _, s := range sights(h) {
		paths = append(paths, s.path)
	}
	for name, header := range map[string]http.Header{
		"no header":        {},
		"an empty header":  {projectsHeader: {""}},
		"two headers":      {projectsHeader: {stage.GlobexProject, stage.AcmeProject}},
		"a wrong project":  {projectsHeader: {"acme"}},
		"part of the word": {projectsHeader: {"operator"}},
	} {
		for _, path := range paths {
			_, body, err := h.get(t.Context(), path, header)
			if err != nil {
				t.Fatal(err)
			}
			asked, err := url.QueryUnescape(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range append(secrets(), stage.Billing, "billing", "globex.example") {
				if strings.Contains(body, word) && !strings.Contains(asked, word) && !strings.Contains(path, word) {
					t.Errorf("with %s %s tells of %s", name, path, word)
				}
			}
		}
	}
}

// TestTenantsPages look as the others do.
func TestTenantsPages(t *testing.T) {
	t.Parallel()
	h, b := look(t)
	w := ways()[0]
	w.projects = stage.GlobexProject
	w.name += "-tenant"
	p := b.tab(t, h, w)
	for _, s := range []sight{{name: "fleet", path: "/"}, {name: "draft", path: "/draft"}, {name: "revision", path: "/revisions/customers/" + h.first}} {
		p.open(t, s.path)
		p.fits(t)
		p.keep(t, s.name)
		p.accessible(t)
		p.quiet(t)
	}
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?|\d+ (s|min)\b`)

// withoutTimes is a page as it would be at any time.
func withoutTimes(body string) string { return times.ReplaceAllString(body, "") }
