package console_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// TestLinksLeadSomewhere: what a page links to of ours is there, for everybody
// who sees the link.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	w := world(t, files)
	w.Sources[0].State.Held.Commit = others
	w.Sources[0].Head = others
	delete(w.Plan.Clusters, "canarygone") // of a file that is gone below
	gone := parse(t, files)
	w.Files = nil
	for _, f := range gone {
		if f.Path != "tenants/acme/gone.yaml" {
			w.Files = append(w.Files, f)
		}
	}
	r.world.Store(&w)
	links := regexp.MustCompile(`(?:href|action)="(/[^"]*)"`)
	for _, groups := range []string{"ops", "kkp-acmeproj1,kkp-acmeproj2", "kkp-acmeproj1", "kkp-globex", ""} {
		seen, ahead := map[string]bool{}, []string{"/"}
		for len(ahead) > 0 {
			path := ahead[0]
			ahead = ahead[1:]
			g := r.get(t, path, "X-Groups", groups)
			if g.status != http.StatusOK {
				t.Errorf("%s: %s is linked to, and is %d", groups, path, g.status)
			}
			for _, link := range links.FindAllStringSubmatch(g.body, -1) {
				if to := html.UnescapeString(link[1]); !seen[to] {
					seen[to] = true
					ahead = append(ahead, to)
				}
			}
		}
		if groups == "ops" && (!seen["/clusters/shopprod01"] || !seen["/revisions/customers/"+accepted] || !seen["/draft?path=tenants%2Facme%2Fprod.yaml&source=customers"] ||
			!seen["/draft?cluster=acmegone01&source=customers&tenant=acme"]) {
			t.Errorf("links: %v", seen)
		}
	}
}

// TestBeginsAList: where none has the cluster, its page leads to one.
func TestBeginsAList(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	for groups, begins := range map[string]bool{"ops": true, "kkp-acmeproj1,kkp-acmeproj2": true, "kkp-acmeproj1": false} {
		g := r.get(t, "/clusters/acmebare01", "X-Groups", groups)
		if got := strings.Contains(g.body, `<a href="/draft?cluster=acmebare01&amp;tenant=acme">Draft a list for it</a>`); got != begins {
			t.Errorf("%s: a list can be begun: %t", groups, got)
		}
	}
	mentions(t, r.get(t, "/explain?cluster=shopprod01&address=192.0.2.99", "X-Groups", "ops"), "not let in", `path=tenants%2Facme%2Fprod.yaml&amp;source=customers">Draft a change</a>`)
}

// TestLinesOfListsThatAreKept are those of the commit that set the list, not of
// the one in force, in which they are others or none.
func TestLinesOfListsThatAreKept(t *testing.T) {
	t.Parallel()
	set := []apply.CommitRecord{{SHA: before, Clusters: []string{"shopprod01"}}, {SHA: others, Clusters: []string{"shopprod01"}}, {SHA: accepted, Clusters: []string{"canaryprod"}}}
	const inForce = "/src/commit/" + accepted + "/tenants/acme/prod.yaml"
	for name, c := range map[string]struct {
		change  func(w *console.World)
		in, out []string
	}{
		"in force": {func(*console.World) {}, []string{inForce + "#L8", "_edit/main/tenants/acme/prod.yaml", "Draft a change"}, nil},
		"refused": {func(w *console.World) {
			w.Sources[0].State.Refused, w.Sources[0].State.Commits = []string{"tenants/acme/prod.yaml"}, set
		}, []string{"/src/commit/" + others + "/tenants/acme/prod.yaml#L8", `revision <a href="/revisions/customers/` + others, "_edit/main/tenants/acme/prod.yaml"}, []string{inForce + "#L8"}},
		"refused, long ago": {func(w *console.World) {
			w.Sources[0].State.Refused = []string{"tenants/acme/prod.yaml"}
		}, []string{"<code>tenants/acme/prod.yaml:8</code>", "as it was before"}, []string{"prod.yaml#L8"}},
		"gone": {func(w *console.World) {
			w.Files, w.Sources[0].State.Commits = w.Files[:1], set
		}, []string{"/src/commit/" + others + "/tenants/acme/prod.yaml#L8", "Draft a list"}, []string{"_edit/main/tenants/acme/prod.yaml", "Draft a change"}},
		"held back": {func(w *console.World) {
			held := *w.Plan.Clusters["shopprod01"]
			held.Held, held.Asked, w.Sources[0].State.Commits = &render.Hold{Rule: "blast-radius", Message: "too much"}, &render.Wanted{}, set
			w.Plan.Clusters["shopprod01"] = &held
		}, []string{"<code>tenants/acme/prod.yaml:8</code>", "too much"}, []string{"prod.yaml#L8"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, policy.Console{})
			w := world(t, files)
			c.change(&w)
			r.world.Store(&w)
			g := r.get(t, "/clusters/shopprod01")
			mentions(t, g, c.in...)
			silent(t, g, c.out...)
			explained := r.get(t, "/explain?cluster=shopprod01&address=203.0.113.10")
			mentions(t, explained, c.in[0])
		})
	}
}

// TestProvidersEntries say whose they are, for there is no line to lead to.
func TestProvidersEntries(t *testing.T) {
	t.Parallel()
	g := serve(t, policy.Console{}).get(t, "/clusters/shopprod01")
	if n := strings.Count(g.body, "the provider's Policy"); n != 2 {
		t.Errorf("%d entries are the provider's, not the platform's and the group's", n)
	}
}

// TestWhatNoListMeans, by the table of KKP's formula.
func TestWhatNoListMeans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		live render.Live
		seed render.SeedRanges
		want string
	}{
		"none":                         {render.Live{}, render.SeedRanges{Known: true}, "No list: everyone is let in."},
		"none, and default ranges":     {render.Live{}, render.SeedRanges{Known: true, Default: []string{"192.0.2.0/28"}}, "No list: everyone is let in."},
		"none, and source ranges":      {render.Live{}, render.SeedRanges{Known: true, Source: []string{"192.0.2.0/28"}}, "No list: the Seed's source ranges alone are let in."},
		"none, of a Seed not known":    {render.Live{}, render.SeedRanges{}, "No list: everyone is let in, unless the Seed has source ranges."},
		"an empty one":                 {render.Live{Set: true}, render.SeedRanges{Known: true}, "An empty list: everyone is let in."},
		"an empty one, and ranges":     {render.Live{Set: true}, render.SeedRanges{Known: true, Default: []string{"192.0.2.0/28"}}, "An empty list: the Seed's own ranges alone are let in."},
		"an empty one, Seed not known": {render.Live{Set: true}, render.SeedRanges{}, "An empty list: everyone is let in, unless the Seed has ranges of its own."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, policy.Console{})
			w := world(t, files)
			bare := w.Inventory.Clusters["acmebare01"]
			bare.Live, w.Inventory.Seed = c.live, c.seed
			w.Inventory.Clusters["acmebare01"] = bare
			r.world.Store(&w)
			mentions(t, r.get(t, "/clusters/acmebare01"), "<p>"+html.EscapeString(c.want)+"</p>")
		})
	}
}

// TestSourcesThatAreGone hold lists still: the page says so, and how they are
// let go; nothing is drafted for them, and of a tenant they say what is his.
func TestSourcesThatAreGone(t *testing.T) {
	t.Parallel()
	r := serve(t, limited())
	w := world(t, files)
	w.Sources = append(w.Sources, console.Source{Gone: true, Conf: policy.Source{Name: "archive"},
		State: apply.SourceState{Name: "archive", Accepted: before, Holds: []apply.TenantHold{{Commit: before, Reason: "the source is not in the Config", Clusters: 3}}}})
	held := *w.Plan.Clusters["canaryprod"]
	held.Claim, held.Held = render.Claim{Source: "archive", Tenant: "globex", Path: "tenants/globex"}, &render.Hold{Rule: render.RuleGone, Message: "source archive is gone"}
	w.Plan.Clusters["canaryprod"] = &held
	r.world.Store(&w)
	ops := []string{"X-Groups", "ops"}
	fleet := r.get(t, "/", ops...)
	mentions(t, fleet, "archive: not in the Config any more", "portcullis approve archive@"+before)
	silent(t, fleet, "/revisions/archive")
	silent(t, r.get(t, "/draft", ops...), "archive")
	cluster := r.get(t, "/clusters/canaryprod", ops...)
	mentions(t, cluster, "<code>tenants/globex</code>", "source archive is gone")
	silent(t, cluster, "Draft a", "/revisions/archive", "<strong></strong>")
	if g := r.get(t, "/draft?source=archive", ops...); g.status != http.StatusNotFound {
		t.Errorf("%d", g.status)
	}
	mentions(t, r.get(t, "/api/v1/status", ops...), `"approve": "portcullis approve archive@`+before)
	silent(t, r.get(t, "/", "X-Groups", "kkp-acmeproj1,kkp-acmeproj2"), "archive")
	mentions(t, r.get(t, "/", "X-Groups", "kkp-globex"), "archive: not in the Config")
}

// TestNamesAreEscaped: a folder's name can turn what stands after it around.
func TestNamesAreEscaped(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	texts := map[string]string{"tenants/ev\u202eil/x.yaml": head + "metadata: {name: x}\nspec: {seed: eu-west, clusters: [nonesuch01], entries: [{cidr: 203.0.113.7}]}\n"}
	w := world(t, texts)
	r.world.Store(&w)
	for _, path := range []string{"/", "/clusters/nonesuch01", "/draft"} {
		g := r.get(t, path)
		mentions(t, g, `ev\u202eil`)
		silent(t, got{body: strings.ReplaceAll(g.body, "value=\"ev\u202eil\"", "")}, "\u202e")
	}
}
