package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// world is what plans are made of in these tests: files by path, and a seed.
type world struct {
	t         *testing.T
	files     map[string]string
	base      *render.Base
	policy    *policy.Policy
	inventory render.Inventory
	now       time.Time
	seed      string
}

const policyText = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds:
  eu-west: {loadBalancer: generic, platform: [{cidr: 192.0.2.0/28, description: NOC}, {cidr: 198.51.100.64/28, datacenters: [dc-b]}]}
  us-east: {loadBalancer: generic}
tenants: {acme: {projects: [acmeproj01, acmeproj02]}}
groups: {noc: [{cidr: 192.0.2.16/28}]}
require: {nodeEgress: false}
rules: {special-range: off, not-enforced: off}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte(policyText), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("policy: %v", problems)
	}
	w := &world{t: t, files: map[string]string{}, policy: p, seed: "eu-west", now: date("2026-11-22T12:00:00Z")}
	w.inventory = render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}
	for id, project := range map[string]string{"shopprod01": "acmeproj01", "shoptest01": "acmeproj02", "globexprod": "globexproj"} {
		w.inventory.Clusters[id] = render.Cluster{ID: id, UID: "uid-" + id, Project: project, Name: "name of " + id,
			ExposeStrategy: render.ExposeLoadBalancer, Datacenter: "dc-a", Namespace: "cluster-" + id}
	}
	return w
}

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// plan makes the plan of the world as it is, and makes it the base of the next.
func (w *world) plan() *render.Plan {
	w.t.Helper()
	p := render.Render(render.Input{Files: w.list(), Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now})
	w.base = p.Base()
	return p
}

// afterNothing makes a repository without files the base of the next plan:
// whatever is in that was added to it.
func (w *world) afterNothing() *world {
	w.base = render.Render(render.Input{Sources: []string{"s"}, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now}).Base()
	return w
}

func (w *world) list() []render.File {
	var files []render.File
	known := render.NewCache() // as the program has it: files that say the same share what they say
	for path, content := range w.files {
		tenant, _, inside := strings.Cut(path, "/")
		if !inside {
			tenant = ""
		}
		hash := fmt.Sprintf("%x", content)
		parsed, err := known.Parse(hash, func() ([]byte, error) { return []byte(content), nil })
		if err != nil {
			w.t.Fatal(err)
		}
		files = append(files, render.File{Source: "s", Tenant: tenant, Path: path, Hash: hash, Parsed: parsed})
	}
	return files
}

// restart forgets everything but what is written down.
func (w *world) restart(p *render.Plan) {
	var refused []render.FileID
	for id := range p.Refused {
		refused = append(refused, id)
	}
	var overdue []render.FileID
	for _, path := range p.Overdue("s") {
		overdue = append(overdue, render.FileID{Source: "s", Path: path})
	}
	w.base = render.Restore("s", w.list(), refused, overdue, p.Contested("s"), p.Retained())
}

func allowlist(name, clusters string, cidrs ...string) string {
	entries := ""
	for _, c := range cidrs {
		entries += fmt.Sprintf("    - {cidr: %q}\n", c)
	}
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  seed: eu-west\n  clusters: [%s]\n  entries:\n%s", name, clusters, entries)
}

func group(name string, cidrs ...string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: %s}\nspec: {entries: [{cidrs: [%q]}]}\n", name, strings.Join(cidrs, `", "`))
}

// wantList checks what a cluster carries, without the platform's range.
func wantList(t *testing.T, p *render.Plan, cluster string, want ...string) {
	t.Helper()
	w := p.Clusters[cluster]
	if w == nil {
		t.Fatalf("cluster %s is not in the plan", cluster)
	}
	got := slices.DeleteFunc(render.Strings(w.List), func(s string) bool { return s == "192.0.2.0/28" })
	if !slices.Equal(got, want) {
		t.Errorf("list of %s: got %v, want %v", cluster, got, want)
	}
}

func wantHeld(t *testing.T, p *render.Plan, cluster, rule string) {
	t.Helper()
	w := p.Clusters[cluster]
	switch {
	case w == nil:
		t.Fatalf("cluster %s is not in the plan", cluster)
	case w.Held == nil && rule != "":
		t.Errorf("cluster %s is not held; want it held by %s", cluster, rule)
	case w.Held != nil && w.Held.Rule != rule:
		t.Errorf("cluster %s is held by %s (%s), want %q", cluster, w.Held.Rule, w.Held.Message, rule)
	}
}

// wantFindings checks all findings, as path:line:column severity rule.
func wantFindings(t *testing.T, p *render.Plan, want ...string) {
	t.Helper()
	var got []string
	for _, f := range p.Findings {
		got = append(got, fmt.Sprintf("%s:%d:%d %s %s", f.Path, f.Line, f.Column, f.Severity, f.Rule))
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings:\n got %q\nwant %q", got, want)
		for _, f := range p.Findings {
			t.Log(f)
		}
	}
}

func TestListIsCanonicalAndHoldsThePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.128/25", "203.0.113.0/24", "2001:db8::/32", "198.51.100.7")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:8:14 warning covered-entry")
	if got, want := render.Strings(p.Clusters["shopprod01"].List), []string{"192.0.2.0/28", "198.51.100.7/32", "203.0.113.0/24", "2001:db8::/32"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(p.Clusters["shopprod01"].Entries) != 5 {
		t.Errorf("provenance of every entry is kept: %v", p.Clusters["shopprod01"].Entries)
	}
}

func TestPlatformOfADatacenterHoldsThereOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.inventory.Clusters["shoptest01"]
	c.Datacenter = "dc-b"
	w.inventory.Clusters["shoptest01"] = c
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01, shoptest01", "203.0.113.0/24")
	p := w.plan()
	wantList(t, p, "shopprod01", "203.0.113.0/24")
	wantList(t, p, "shoptest01", "198.51.100.64/28", "203.0.113.0/24")
}

func TestGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := strings.Replace(allowlist("a", "shopprod01", "203.0.113.0/24"), "entries:\n", "entries:\n    - group: vpn\n    - group: provider/noc\n", 1)
	w.files["acme/a.yaml"], w.files["acme/g.yaml"] = list, group("vpn", "198.51.100.0/24")
	wantList(t, w.plan(), "shopprod01", "192.0.2.16/28", "198.51.100.0/24", "203.0.113.0/24")

	w.files["acme/g.yaml"] = group("vpnn", "198.51.100.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:8:14 error unknown-group", "acme/g.yaml:3:18 warning unused-group")
	wantHeld(t, p, "shopprod01", "unknown-group")
	wantList(t, p, "shopprod01", "192.0.2.16/28", "198.51.100.0/24", "203.0.113.0/24")
}

func TestBrokenGroupHoldsItsUsersAndBlamesItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = strings.Replace(allowlist("a", "shopprod01", "203.0.113.0/24"), "entries:\n", "entries:\n    - group: vpn\n", 1)
	w.files["acme/g.yaml"] = group("vpn", "198.51.100.0/24")
	w.plan()
	for name, broken := range map[string]string{
		"refused":    group("vpn", "198.51.100.1/24"),
		"unreadable": "{",
	} {
		rule := map[string]string{"refused": "host-bits", "unreadable": "yaml-syntax"}
		w.files["acme/g.yaml"] = broken
		p := w.plan()
		if len(p.Findings) != 1 || p.Findings[0].Path != "acme/g.yaml" {
			t.Errorf("%s: the group's file alone is to blame: %v", name, p.Findings)
		}
		wantHeld(t, p, "shopprod01", rule[name])
		wantList(t, p, "shopprod01", "198.51.100.0/24", "203.0.113.0/24")
		w.restart(p)
		p = w.plan()
		wantHeld(t, p, "shopprod01", rule[name])
		wantList(t, p, "shopprod01", "198.51.100.0/24", "203.0.113.0/24")
	}
	w.files["acme/g.yaml"] = group("vpn", "198.51.100.128/25")
	p := w.plan()
	wantHeld(t, p, "shopprod01", "")
	wantList(t, p, "shopprod01", "198.51.100.128/25", "203.0.113.0/24")
}

func TestRefusedFileKeepsTheLastGoodList(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]string{
		"not YAML":        "{",
		"host bits":       allowlist("a", "shopprod01", "10.0.0.1/8"),
		"no entries":      allowlist("a", "shopprod01"),
		"other cluster":   allowlist("a", "shoptest01", "10.0.0.1/8"),
		"an alias":        "a: &x b\nc: *x\n",
		"unknown seed":    strings.Replace(allowlist("a", "shopprod01", "10.0.0.0/8"), "eu-west", "eu-wset", 1),
		"open":            "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-west, clusters: [shopprod01], access: open}\n",
		"expires to open": strings.Replace(allowlist("a", "shopprod01", "2001:db8::/32"), `/32"`, `/32", expires: 2026-12-31`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
			w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "203.0.113.0/24")
			w.plan()
			w.files["acme/a.yaml"] = broken
			w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.0/24")
			p := w.plan()
			if len(p.Findings) == 0 || !p.Refused[render.FileID{Source: "s", Path: "acme/a.yaml"}] {
				t.Fatalf("the file is not refused: %v", p.Findings)
			}
			if p.Clusters["shopprod01"].Held == nil {
				t.Error("the cluster is not held")
			}
			wantList(t, p, "shopprod01", "203.0.113.0/24")
			wantList(t, p, "globexprod", "198.51.100.0/24") // another tenant's change goes on
			w.restart(p)
			wantList(t, w.plan(), "shopprod01", "203.0.113.0/24")
		})
	}
}

func TestRemovedFileOpensNothing(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*world){
		"removed":          func(w *world) { delete(w.files, "acme/a.yaml") },
		"emptied":          func(w *world) { w.files["acme/a.yaml"] = "# nothing\n" },
		"all files":        func(w *world) { clear(w.files) },
		"cluster left out": func(w *world) { w.files["acme/a.yaml"] = allowlist("a", "shoptest01", "203.0.113.0/24") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
			w.plan()
			remove(w)
			p := w.plan()
			wantHeld(t, p, "shopprod01", "removed-allowlist")
			wantList(t, p, "shopprod01", "203.0.113.0/24")
			if !slices.ContainsFunc(p.Findings, func(f lint.Finding) bool { return f.Rule == "removed-allowlist" && f.Path == "acme/a.yaml" }) {
				t.Errorf("nothing says that the list goes: %v", p.Findings)
			}
			w.restart(p)
			p = w.plan()
			wantHeld(t, p, "shopprod01", "removed-allowlist")
			wantList(t, p, "shopprod01", "203.0.113.0/24")
		})
	}
}

func TestUnmanagedIsTheWayOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.plan()
	w.files["acme/a.yaml"] = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-west, clusters: [shopprod01], access: unmanaged}\n"
	if p := w.plan(); p.Clusters["shopprod01"].Writes() {
		t.Error("an unmanaged cluster is written to")
	}
	clear(w.files)
	p := w.plan()
	if p.Clusters["shopprod01"] != nil || len(p.Findings) > 0 {
		t.Errorf("the cluster was let go before: %v, %v", p.Clusters, p.Findings)
	}
}

// A file that another tenant copies as it stands asks for the cluster like any
// other, offline too, where it is not known whose the cluster is.
func TestCopiedFileIsClaimedTwice(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		w := newWorld(t)
		w.inventory.Known = known
		w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
		w.files["acme2/a.yaml"] = w.files["acme/a.yaml"]
		rule := map[bool]string{true: "foreign-cluster", false: "cluster-claimed-twice"}[known]
		wantFindings(t, w.plan(), "acme2/a.yaml:6:14 error "+rule)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/b.yaml"] = allowlist("b", "shopprod01", "203.0.113.0/24")
	w.plan()
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "198.51.100.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:6:14 error cluster-claimed-twice")
	wantList(t, p, "shopprod01", "203.0.113.0/24") // the one that had it keeps it
	w.restart(p)
	wantList(t, w.plan(), "shopprod01", "203.0.113.0/24")

	delete(w.files, "acme/b.yaml") // a move in one commit is one change
	p = w.plan()
	wantFindings(t, p)
	wantList(t, p, "shopprod01", "198.51.100.0/24")

	w.files["acme/c.yaml"] = allowlist("c", "globexprod, shoptset01", "203.0.113.0/24")
	p = w.plan()
	wantFindings(t, p, "acme/c.yaml:6:14 error foreign-cluster", "acme/c.yaml:6:26 error unknown-cluster")
	if p.Clusters["globexprod"] != nil {
		t.Error("another tenant's cluster is in the plan")
	}
	p = w.plan() // the same again: what is not there was claimed before
	wantFindings(t, p, "acme/c.yaml:6:14 error foreign-cluster", "acme/c.yaml:6:26 warning unknown-cluster")
}

func TestUnreadableFileKeepsItsClusters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/b.yaml"] = allowlist("b", "shopprod01", "203.0.113.0/24")
	w.plan()
	w.files["acme/b.yaml"] = "{"
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "198.51.100.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:6:14 error cluster-claimed-twice", "acme/b.yaml:1:1 error yaml-syntax")
	wantHeld(t, p, "shopprod01", "yaml-syntax")
	wantList(t, p, "shopprod01", "203.0.113.0/24")
}

func TestDuplicateName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/b.yaml"] = allowlist("same", "shopprod01", "203.0.113.0/24")
	w.plan()
	w.files["acme/a.yaml"] = allowlist("same", "shoptest01", "198.51.100.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:3:18 error duplicate-name")
	wantHeld(t, p, "shopprod01", "")
	w.restart(p)
	wantFindings(t, w.plan(), "acme/a.yaml:3:18 error duplicate-name")
	w.files["globexproj/a.yaml"] = allowlist("same", "globexprod", "198.51.100.0/24") // unique in the tenant only
	wantFindings(t, w.plan(), "acme/a.yaml:3:18 error duplicate-name")
}

func TestSelector(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	selector := func(s string) string {
		return strings.Replace(allowlist("all", "x", "203.0.113.0/24"), "clusters: [x]", "clusterSelector: "+s, 1)
	}
	w.files["acme/z.yaml"] = allowlist("z", "shoptest01", "198.51.100.0/24")
	w.files["acme/all.yaml"] = selector("{}")
	p := w.plan()
	wantFindings(t, p)
	wantList(t, p, "shopprod01", "203.0.113.0/24")
	wantList(t, p, "shoptest01", "198.51.100.0/24") // named beats selected

	w.files["acme/all.yaml"] = selector("{matchLabels: {project-id: acmeproj02}}")
	p = w.plan() // shopprod01 leaves the selector, and keeps its list
	wantHeld(t, p, "shopprod01", "removed-allowlist")
	wantList(t, p, "shopprod01", "203.0.113.0/24")

	w.files["acme/all.yaml"] = selector("{matchLabels: {env: prod}}")
	wantFindings(t, w.plan(), "acme/all.yaml:6:35 error selector-not-allowed")
}

func TestExpiryClosesAndNeverOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = strings.Replace(allowlist("a", "shopprod01", "203.0.113.0/24", "198.51.100.7"), `100.7"`, `100.7", expires: 2026-11-22`, 1)
	p := w.plan()
	wantList(t, p, "shopprod01", "198.51.100.7/32", "203.0.113.0/24")
	if want := date("2026-11-23T00:00:00Z"); !p.Next.Equal(want) {
		t.Errorf("next: got %v, want %v", p.Next, want)
	}
	w.now = p.Next
	p = w.plan()
	wantFindings(t, p, "acme/a.yaml:9:39 warning expired")
	wantList(t, p, "shopprod01", "203.0.113.0/24")
	if !p.Next.IsZero() {
		t.Errorf("nothing expires any more: %v", p.Next)
	}
}

func TestPlatformTakenAwayKeepsTheLastEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = strings.Replace(allowlist("a", "shopprod01", "198.51.100.7"), `100.7"`, `100.7", expires: 2026-11-22`, 1)
	wantFindings(t, w.plan()) // the platform's range stays
	bare, _ := policy.ParsePolicy([]byte("apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: {}, us-east: {}}\ntenants: {acme: {projects: [acmeproj01, acmeproj02]}}\n"), lint.Changeable)
	w.policy, w.now = bare, date("2026-12-01T00:00:00Z")
	p := w.plan()
	wantList(t, p, "shopprod01", "198.51.100.7/32")
	wantHeld(t, p, "shopprod01", "expires-to-open")
}

func TestStricterPolicyDoesNotRefuseWhatWasAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.AllowOpen = true
	open := "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: a}\nspec: {seed: eu-west, clusters: [shopprod01], access: open}\n"
	w.files["acme/a.yaml"] = open
	w.plan()
	w.policy.AllowOpen = false
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:4:55 error open-not-allowed") // standing
	if len(p.Refused) > 0 {
		t.Error("an accepted file is refused by a stricter policy")
	}
	if p.Clusters["shopprod01"].Writes() {
		t.Error("a cluster would be opened although the policy does not permit it")
	}
	w.files["acme/a.yaml"] = open + "# changed\n"
	if p = w.plan(); p.Clusters["shopprod01"].Held == nil {
		t.Error("a changed file is held against the policy of today")
	}
}

func TestUnsupportedStrategyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.inventory.Clusters["shopprod01"]
	c.ExposeStrategy = "NodePort"
	w.inventory.Clusters["shopprod01"] = c
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:6:14 error unsupported-expose-strategy")
	wantList(t, p, "shopprod01", "203.0.113.0/24") // ready for when it comes
}

func TestOtherSeedsListsAreTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = strings.Replace(allowlist("a", "shopprod01", "10.0.0.1/8"), "eu-west", "us-east", 1)
	p := w.plan()
	wantFindings(t, p)
	if len(p.Clusters) > 0 {
		t.Errorf("a list for another seed is acted upon: %v", p.Clusters)
	}
	w.seed = "us-east"
	wantFindings(t, w.plan(), "acme/a.yaml:8:14 error host-bits")
}

func TestForeignClusterIsNeverWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.plan()
	c := w.inventory.Clusters["shopprod01"]
	c.UID, c.Project = "other", "globexproj" // made anew by another project
	w.inventory.Clusters["shopprod01"] = c
	p := w.plan()
	if p.Clusters["shopprod01"] != nil {
		t.Error("a cluster of another project is in the plan")
	}
	clear(w.files)
	if p = w.plan(); p.Clusters["shopprod01"] != nil {
		t.Error("a cluster of another project is kept in the plan")
	}
}

func TestStrayFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.files["acme/a.yaml.bak"], w.files["acme/b.YAML"], w.files["top.yaml"] = "{", "{", "{"
	wantFindings(t, w.plan(), "acme/a.yaml.bak:1:1 warning stray-file", "acme/b.YAML:1:1 warning stray-file", "top.yaml:1:1 warning stray-file")
}

func TestTestsOfTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.inventory.Seed.Source = []string{"198.18.0.0/24"}
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/25", "203.0.113.128/25") +
		"  tests: [{allow: 203.0.113.0/24}, {allow: 198.18.0.1}, {deny: 8.8.8.8}, {allow: 8.8.8.8}, {deny: 203.0.112.0/22}]\n"
	wantFindings(t, w.plan(), "acme/a.yaml:10:82 error test-failed", "acme/a.yaml:10:99 error test-failed")
}

func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.files["acme/b.yaml"] = allowlist("b", "shopprod01, shoptest01", "198.51.100.0/24")
	w.files["acme/c.yaml"] = allowlist("a", "shoptest01", "198.51.100.0/24")
	var first string
	for range 20 { // the order of a Go map is another each time
		w.base = nil
		p := w.plan()
		got := fmt.Sprint(p.Findings, render.Strings(p.Clusters["shopprod01"].List), render.Strings(p.Clusters["shoptest01"].List))
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatalf("got %s, want %s", got, first)
		}
	}
}

func TestWhatThePolicyDemands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, problems := policy.ParsePolicy([]byte(strings.Replace(policyText, "nodeEgress: false", "nodeEgress: false, owner: true, expiryWiderThan: {ipv4: 24, ipv6: 48}", 1)+`limits: {forbidden: [{cidr: 203.0.113.64/26, description: transfer net}]}
tests: [{deny: 198.51.100.1}, {allow: 192.0.2.1}, {allow: 192.0.2.200}]
`), lint.Changeable)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w.policy = p
	w.files["acme/a.yaml"] = `apiVersion: portcullis.dev/v1alpha1
kind: Allowlist
metadata: {name: a}
spec:
  seed: eu-west
  clusters: [shopprod01]
  nodeEgress: [203.0.113.65]
  entries:
    - {cidr: 203.0.113.0/24, owner: a@b}
    - {cidr: 198.51.0.0/16, owner: a@b}
    - {cidr: 198.51.0.0/17, expires: 2026-12-31, owner: " "}
    - group: provider/noc
`
	wantFindings(t, w.plan(),
		"acme/a.yaml:7:16 error forbidden-range",
		"acme/a.yaml:8:3 error canary-failed",
		"acme/a.yaml:9:14 error forbidden-range",
		"acme/a.yaml:10:14 error canary-failed",
		"acme/a.yaml:10:14 error expiry-required",
		"acme/a.yaml:11:7 error owner-required",
		"acme/a.yaml:11:14 warning covered-entry")
}

func selectorList(name, selector string, cidrs ...string) string {
	return strings.Replace(allowlist(name, "x", cidrs...), "clusters: [x]", "clusterSelector: "+selector, 1)
}

func TestFaultOfFormIsNeverAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24", "198.51.100.1/24")
	w.base = render.Restore("s", w.list(), nil, nil, nil, nil) // as if another version had accepted it
	p := w.plan()
	if p.Clusters["shopprod01"].Writes() {
		t.Errorf("a list is written without the entry that cannot be read: %v", p.Clusters["shopprod01"].List)
	}
}

func TestRefusedSelectorKeepsItsClusters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = selectorList("a", "{}", "203.0.113.0/24")
	w.files["acme/b.yaml"] = selectorList("b", "{matchLabels: {project-id: acmeproj01}}", "198.51.100.0/24")
	w.plan()
	w.files["acme/b.yaml"] = selectorList("b", "{matchLabels: {project-id: acmeproj01}}", "198.51.100.1/24")
	p := w.plan()
	wantList(t, p, "shopprod01", "198.51.100.0/24")
	wantHeld(t, p, "shopprod01", "host-bits")
	wantList(t, p, "shoptest01", "203.0.113.0/24")
}

func TestEmptiedGroupRefusesItsUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = strings.Replace(allowlist("a", "shopprod01"), "entries:\n", "entries:\n    - group: vpn\n", 1)
	w.files["acme/g.yaml"] = group("vpn", "198.51.100.0/24")
	w.plan()
	w.files["acme/g.yaml"] = "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: []}\n"
	p := w.plan()
	if !slices.ContainsFunc(p.Findings, func(f lint.Finding) bool { return f.Rule == "empty-list" && f.Path == "acme/a.yaml" }) {
		t.Errorf("nothing says that the list is empty: %v", p.Findings)
	}
	wantList(t, p, "shopprod01", "198.51.100.0/24")
}

func TestClusterMadeAnewGetsNoKeptList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.plan()
	clear(w.files)
	wantHeld(t, w.plan(), "shopprod01", "removed-allowlist")
	c := w.inventory.Clusters["shopprod01"]
	c.UID = "another"
	w.inventory.Clusters["shopprod01"] = c
	if p := w.plan(); p.Clusters["shopprod01"] != nil {
		t.Error("a cluster made anew gets the list of a file that is gone")
	}
}

func TestUnreadTenantKeepsWhatItHad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.plan()
	w.files["acme/a.yaml"] = "{"
	retained := w.plan().Retained()
	clear(w.files) // the mirror is gone, and the remote is away
	w.base = render.Restore("s", nil, []render.FileID{{Source: "s", Path: "acme/a.yaml"}}, nil, nil, retained)
	p := w.plan()
	wantFindings(t, p)
	wantHeld(t, p, "shopprod01", "yaml-syntax")
	wantList(t, p, "shopprod01", "203.0.113.0/24")
}

func TestSeedWithoutAPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	for seed, want := range map[string]int{"eu-west": 1, "us-east": 0} {
		p := render.Render(render.Input{Files: w.list(), Policy: policy.Default(), Seed: seed, Now: w.now})
		if len(p.Clusters) != want {
			t.Errorf("seed %s: %d clusters, want %d", seed, len(p.Clusters), want)
		}
	}
}
