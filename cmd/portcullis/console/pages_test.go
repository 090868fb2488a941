package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/cmd/portcullis/console"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

func mentions(t *testing.T, g got, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(g.body, word) {
			t.Errorf("it does not say %q", word)
		}
	}
}

func silent(t *testing.T, g got, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(strings.ToLower(g.body), strings.ToLower(word)) {
			t.Errorf("it says %q", word)
		}
	}
}

const shown = "https://git.example.com/hosting/allowlists/src/commit/" + accepted + "/tenants/acme/prod.yaml#L"

// A page says of when it is what it shows, and above all where that is long ago.
func TestPagesSayHowOldTheyAre(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	leads := r.get(t, "/")
	mentions(t, leads, "As of", "2030-06-01 12:00:00 UTC")
	silent(t, leads, "stands by", " old:")
	for name, c := range map[string]struct {
		ago     time.Duration
		time    string
		in, out []string
	}{
		"seconds": {10 * time.Second, "11:59:50", []string{"from a replica that stands by"}, []string{" old:"}},
		"hours":   {3 * time.Hour, "09:00:00", []string{"from a replica that stands by", "This is 3 h old:", "could not read since"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, policy.Console{ProjectsHeader: "X-Projects", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllProjects: "all"})
			w := world(t, files)
			w.Standby, w.At = true, now.Add(-c.ago)
			r.world.Store(&w)
			for _, projects := range []string{"all", "globex"} {
				page := r.get(t, "/", "X-Projects", projects)
				mentions(t, page, append(c.in, "2030-06-01 "+c.time+" UTC")...)
				silent(t, page, c.out...)
				if at := r.get(t, "/api/v1/status", "X-Projects", projects).header.Get("Last-Modified"); at != "Sat, 01 Jun 2030 "+c.time+" GMT" {
					t.Errorf("the JSON is of %s", at)
				}
			}
		})
	}
}

func TestFleetPage(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	all := r.get(t, "/")
	mentions(t, all, "shop-prod", "canary-prod", "Missing", "Rejected", "Synced", "portcullis approve customers@"+accepted+" --reason ...", "dc-a",
		"5 clusters", "of 400", "a way around &lt;script&gt;", "/revisions/customers/"+accepted, `href="/clusters/shopprod01"`, "in 2 days",
		`commit <a href="/revisions/customers/`+strings.Repeat("f", 40)+`">`)
	if strings.Index(all.body, "Missing</span></td>") > strings.Index(all.body, "Synced</span></td>") {
		t.Error("the worst is not first")
	}
	for path, want := range map[string]struct{ in, out []string }{
		"/?state=Missing":         {[]string{"2 of 5 clusters", "acmegone01", "canarygone"}, []string{`row"><a href="/clusters/shoptest01"`}},
		"/?tenant=acme":           {[]string{"3 of 5 clusters"}, []string{`row"><a href="/clusters/canarygone"`}},
		"/?datacenter=dc-b":       {[]string{"1 of 5 clusters", "shoptest01"}, []string{`row"><a href="/clusters/acmegone01"`}},
		"/?q=SHOP-prod+DC-A":      {[]string{"1 of 5 clusters", "shopprod01"}, []string{`row"><a href="/clusters/acmegone01"`}},
		"/?q=webhook":             {[]string{"1 of 5 clusters", "shoptest01"}, nil},
		"/?q=nothing+like+it":     {[]string{"No cluster matches"}, nil},
		"/?page=99":               {[]string{"5 clusters"}, nil},
		"/?expires=soon":          {[]string{"4 of 5 clusters, in which something expires within 30 days", "canaryprod", `name="expires" value="soon"`}, []string{`row"><a href="/clusters/acmegone01"`}},
		"/?expires=soon&q=shop":   {[]string{"2 of 5 clusters"}, []string{`row"><a href="/clusters/canaryprod"`}},
		"/?page=-1&tenant=globex": {[]string{"2 of 5 clusters"}, nil},
	} {
		g := r.get(t, path)
		if g.status != http.StatusOK {
			t.Errorf("%s: %d", path, g.status)
		}
		mentions(t, g, want.in...)
		silent(t, g, want.out...)
	}
}

func TestClusterPage(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	g := r.get(t, "/clusters/shopprod01")
	mentions(t, g, "shop-prod", "Synced", "handed to aws-nlb", "203.0.113.0/24", shown+"8", "netops@acme.example", "ACME-17", "platform", "NOC",
		"group vpn", "group provider/noc", "198.51.100.224/28", "until the end of 2030-06-10", "in 9 days", "Vienna &lt;script&gt;",
		"/tenants/acme/%3Cimg%20src=x%3E.yaml#L4", "/_edit/main/tenants/acme/prod.yaml", "As KKP makes it")
	bare := r.get(t, "/clusters/acmebare01")
	mentions(t, bare, "No list has this cluster", "203.0.113.0/24", "tenant acme")
	mentions(t, r.get(t, "/clusters/acmegone01"), "no Cluster of this ID", "There is no such Cluster on the seed")
	if g := r.get(t, "/clusters/nonesuch"); g.status != http.StatusNotFound {
		t.Errorf("%d", g.status)
	}
}

// TestWhatIsSaidOfACluster: KKP's words, and who changed the list and when it was
// put back.
func TestWhatIsSaidOfACluster(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	silent(t, r.get(t, "/clusters/shopprod01"), "KKP says", "Paused", "Put back", "Not what follows")
	r = serve(t, policy.Console{})
	w := world(t, files)
	w.States["shopprod01"] = apply.ClusterState{State: apply.Synced, Message: "handed to aws-nlb", Since: now.Add(-time.Hour), Standing: &apply.Standing{
		Foreign: &apply.Foreign{Writer: "kubermatic-api", Wrote: "had set the list to 192.0.2.0/24", At: now.Add(-time.Minute), Count: 3}}}
	r.world.Store(&w)
	r.kkp.Store(true)
	at := now.Add(-time.Minute).UTC()
	mentions(t, r.get(t, "/clusters/shopprod01"), "<strong>KKP says:</strong> InvalidCluster: quota ", "<strong>Paused</strong>: etcd ", "Not what follows from Cluster and Seed",
		"<strong>Put back:</strong> kubermatic-api had set the list to 192.0.2.0/24; put right at ", at.Format("2006-01-02 15:04:05"), "3 times so far")
	mentions(t, r.get(t, "/api/v1/clusters/shopprod01"), `"kkp": "InvalidCluster: quota `, `"pauseReason": "etcd `, `"serviceCarries": false`, `"writer": "kubermatic-api"`,
		`"at": "`+at.Format(time.RFC3339)+`"`)
}

func TestExplainPage(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.128/25")}})
	mentions(t, r.get(t, "/explain?cluster=shopprod01&address=203.0.113.10"), "203.0.113.10</code>: let in, for good", "Vienna", shown+"8", "Synced")
	mentions(t, r.get(t, "/explain?cluster=shop-prod&address=198.51.100.7"), "let in, until the end of 2030-06-10")
	mentions(t, r.get(t, "/explain?cluster=shop-prod+(shopprod01)&address=198.51.100.230"), "Seed's own ranges")
	mentions(t, r.get(t, "/explain?cluster=shoptest01&address=192.0.2.99"), "not let in", "Nearest", "may not be in force yet")
	mentions(t, r.get(t, "/explain?cluster=acmebare01&address=203.0.113.3"), "let in", "which is in no file")
	for path, status := range map[string]int{"/explain?cluster=nonesuch&address=203.0.113.1": 404, "/explain?cluster=shopprod01&address=here": 400, "/explain": 200,
		"/api/v1/explain?cluster=shopprod01&address=010.0.0.1": 400, "/api/v1/explain?cluster=x&address=10.0.0.1": 404} {
		if g := r.get(t, path); g.status != status {
			t.Errorf("%s: %d, want %d", path, g.status, status)
		}
	}
	api := r.get(t, "/api/v1/explain?cluster=shopprod01&address=203.0.113.10")
	mentions(t, api, `"verdict": "in"`, `"cluster": "shopprod01"`)
}

// TestCallersAddress is offered where it can be believed, and not else.
func TestCallersAddress(t *testing.T) {
	t.Parallel()
	proxied := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.128/25")}
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		headers []string
		want    string
	}{
		"by the proxy":        {proxied, []string{"X-Forwarded-For", "203.0.113.77"}, "203.0.113.77"},
		"by two proxies":      {proxied, []string{"X-Forwarded-For", "203.0.113.77, 192.0.2.130"}, "203.0.113.77"},
		"forged before it":    {proxied, []string{"X-Forwarded-For", "198.51.100.1, 203.0.113.77"}, "203.0.113.77"},
		"in two lines":        {proxied, []string{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-For", "203.0.113.77"}, "203.0.113.77"},
		"IPv6":                {proxied, []string{"X-Forwarded-For", "2001:db8::7"}, "2001:db8::7"},
		"no address":          {proxied, []string{"X-Forwarded-For", evil}, ""},
		"nobody is trusted":   {nil, []string{"X-Forwarded-For", "203.0.113.77"}, ""},
		"proxies and no more": {proxied, []string{"X-Forwarded-For", "192.0.2.130"}, ""},
		"without the header":  {proxied, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := serve(t, policy.Console{TrustedProxies: c.proxies}).get(t, "/explain", c.headers...)
			found := regexp.MustCompile(`You come from <code>([^<]*)</code>`).FindStringSubmatch(g.body)
			if c.want == "" && found != nil || c.want != "" && (found == nil || found[1] != c.want) {
				t.Errorf("%v, want %q", found, c.want)
			}
		})
	}
}

func TestStatusIsTheCommands(t *testing.T) {
	t.Parallel()
	g := serve(t, policy.Console{}).get(t, "/api/v1/status")
	var s console.Status
	decoder := json.NewDecoder(strings.NewReader(g.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Seed != "eu-west" || len(s.Clusters) != 5 || s.Clusters[0].ID != "acmegone01" || len(s.Holds) != 3 || s.Sources[0].Age != 3600 || s.Sources[0].Accepted != accepted {
		t.Errorf("%+v", s)
	}
	if kind := g.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Error(kind)
	}
}

// TestEveryAnswerIsGuarded: whatever is asked, the browser is told to run and
// load nothing else.
func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{URL: "https://pages.example.com/gate"})
	for path, status := range map[string]int{
		"/": 200, "/clusters/shopprod01": 200, "/clusters/nonesuch": 404, "/explain": 200, "/static/console.css": 200, "/static/nonesuch.js": 404, "/static/../doc.go": 404,
		"/static/%2e%2e%2fdoc.go": 404, "/api/v1/status": 200, "/api/v1/nonesuch": 404, "/nonesuch": 404, "//": 404, "/clusters/": 404, "/clusters/../": 404,
		"/gate/": 200, "/gate": 200, "/gate/clusters/shopprod01": 200, "/gateway": 404, "/?" + strings.Repeat("q", 5000): 414,
	} {
		g := r.get(t, path)
		if g.status != status {
			t.Errorf("%s: %d, want %d", path, g.status, status)
		}
		policy := g.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			g.header.Get("X-Content-Type-Options") != "nosniff" || g.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, g.header)
		}
	}
}

func TestOnlyReads(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} {
		for _, path := range []string{"/", "/clusters/shopprod01", "/api/v1/status", "/static/console.css", "/explain"} {
			if g := r.do(t, method, path, ""); g.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, g.status)
			}
		}
	}
	for path, allow := range map[string]string{"/": "GET, HEAD", "/draft": "GET, HEAD, POST", "/draft/check": "POST"} {
		if got := r.do(t, http.MethodPut, path, "").header.Get("Allow"); got != allow {
			t.Errorf("%s allows %q", path, got)
		}
	}
	if g := r.do(t, http.MethodHead, "/", ""); g.status != 200 || g.body != "" {
		t.Errorf("%d %q", g.status, g.body)
	}
}

// TestOtherNames: a page of somebody else's, whose name leads here, reads
// nothing.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{URL: "https://pages.example.com"})
	for host, status := range map[string]int{"pages.example.com": 200, "PAGES.example.com:443": 200, "localhost:8082": 200, "127.0.0.1": 200, "[::1]:8082": 200,
		"portcullis-console.portcullis.svc:80": 200, "portcullis-console": 200, "evil.example": 421, "evil.example:8082": 421, "pages.example.com.evil.example": 421, "x.svc.evil.example": 421} {
		if g := r.get(t, "/", "Host", host); g.status != status {
			t.Errorf("%s: %d, want %d", host, g.status, status)
		}
	}
}

func TestStandby(t *testing.T) {
	t.Parallel()
	r := serve(t, policy.Console{})
	r.world.Store(nil)
	for _, path := range []string{"/", "/clusters/shopprod01", "/api/v1/status"} {
		g := r.get(t, path)
		if g.status != http.StatusServiceUnavailable || g.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d", path, g.status)
		}
		mentions(t, g, "stands by")
	}
}

// TestAllThatExpiresSoon is led to where it is more than fits above the fleet.
func TestAllThatExpiresSoon(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 11 {
		ids = append(ids, fmt.Sprintf("expiring%02d", i))
	}
	r := serve(t, policy.Console{URL: "https://pages.example.com/gate"})
	w := world(t, map[string]string{"tenants/acme/all.yaml": head + "metadata: {name: all}\nspec:\n  seed: eu-west\n  clusters: [" + strings.Join(ids, ", ") + "]\n  entries:\n" +
		"    - {cidr: 203.0.113.9}\n    - {cidr: 203.0.113.10, expires: 2030-06-10}\n"})
	r.world.Store(&w)
	mentions(t, r.get(t, "/"), `<a href="/gate/?expires=soon">and 3 more</a>`)
	mentions(t, r.get(t, "/gate/?expires=soon"), "11 of 11 clusters, in which something expires")
}

// TestLongValues may take several lines of a table, and short ones keep to one.
func TestLongValues(t *testing.T) {
	t.Parallel()
	with := func(ticket string) got {
		r := serve(t, policy.Console{})
		w := world(t, map[string]string{"tenants/acme/prod.yaml": head + "metadata: {name: prod}\nspec: {seed: eu-west, clusters: [shopprod01], entries: [{cidr: 203.0.113.7, ticket: \"" + ticket + "\"}]}\n"})
		r.world.Store(&w)
		return r.get(t, "/clusters/shopprod01")
	}
	mentions(t, with("ACME-17"), `class="one">ACME-17<`, `class="prefix one"><code>203.0.113.7/32<`)
	mentions(t, with("https://tickets.acme.example/browse/ACME-17"), `class="long">https://tickets.acme.example/browse/ACME-17<`)
}
