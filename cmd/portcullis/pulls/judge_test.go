package pulls_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/pulls"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

const policyText = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds: {eu-west: {loadBalancer: generic}, us-east: {loadBalancer: generic}}
require: {nodeEgress: false}
blastRadius: {clusters: 0, percent: 0}
rules: {special-range: off, not-enforced: off}
`

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// judge lays a change over a branch: files by path, an empty one is removed.
func judge(t *testing.T, branch, change map[string]string, adjust func(*pulls.Input)) pulls.Result {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte(policyText), lint.Changeable)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	inventory := render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}
	for id, project := range map[string]string{"shopprod01": "acme", "shoptest01": "acme", "globexprod": "globex"} {
		inventory.Clusters[id] = render.Cluster{ID: id, UID: "u" + id, Project: project, ExposeStrategy: render.ExposeLoadBalancer, Namespace: "n"}
	}
	merged := maps.Clone(branch)
	if merged == nil {
		merged = map[string]string{}
	}
	for path, text := range change {
		merged[path] = text
		if text == "" {
			delete(merged, path)
		}
	}
	in := pulls.Input{Seed: "eu-west", Source: "s", Target: "main", Base: strings.Repeat("b", 40), Head: strings.Repeat("a", 40),
		BeforeFiles: parsed(branch), AfterFiles: parsed(merged), Changed: slices.Sorted(maps.Keys(change)), Policy: p, Inventory: inventory, Now: now}
	plan := func(files []render.File, base *render.Base, guard *render.Guard) *render.Plan {
		return render.Render(render.Input{Files: files, Base: base, Policy: p, Inventory: inventory, Seed: "eu-west", Now: now, Guard: guard})
	}
	in.Before = plan(in.BeforeFiles, nil, nil)
	in.After = plan(in.AfterFiles, in.Before.Base(), nil)
	in.Holds = plan(in.AfterFiles, in.Before.Base(), &render.Guard{}).Holds
	if adjust != nil {
		adjust(&in)
	}
	return pulls.Judge(in)
}

func parsed(files map[string]string) []render.File {
	var out []render.File
	for path, text := range files {
		tenant, _, _ := strings.Cut(path, "/")
		out = append(out, render.File{Source: "s", Tenant: tenant, Path: path, Hash: text, Parsed: document.Parse([]byte(text))})
	}
	return out
}

func list(name, seed, cluster string, entries ...string) string {
	return fmt.Sprintf("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: %s}\nspec:\n  seed: %s\n  clusters: [%s]\n  entries: [%s]\n",
		name, seed, cluster, strings.Join(entries, ", "))
}

func group(cidrs string) string {
	return "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec: {entries: [{cidr: " + cidrs + "}]}\n"
}

const office, home, broken = "cidr: 203.0.113.0/24", "cidr: 198.51.100.7", "cidr: 10.0.0.1/8"

func one(path, text string) map[string]string { return map[string]string{path: text} }

func TestJudge(t *testing.T) {
	t.Parallel()
	acme := one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}"))
	for name, c := range map[string]struct {
		branch, change map[string]string
		adjust         func(*pulls.Input)
		failure        bool
		title          string
		comment        []string
	}{
		"a prefix more": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")),
			title: "routine: 1 cluster gaining access", comment: []string{"**routine**", "main (bbbbbbbbbbbb)"}},
		"a comment in the file": {branch: acme, change: one("acme/a.yaml", "# ours\n"+acme["acme/a.yaml"]), title: "routine: no change in meaning"},
		"a mistake": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+broken+"}")), failure: true,
			title: "review: acme/a.yaml:7:20: host-bits", comment: []string{"`acme/a.yaml:7:20` error[host-bits]"}},
		"beside another tenant's mistake": {branch: map[string]string{"acme/a.yaml": acme["acme/a.yaml"], "globex/b.yaml": list("b", "eu-west", "globexprod", "{"+broken+"}")},
			change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")), title: "routine: 1 cluster gaining access", comment: []string{"not from this change"}},
		"a first restriction": {change: acme, title: "hold: 1 cluster newly restricted", comment: []string{"**hold**", "approve"}},
		"a group that a list names": {branch: map[string]string{"acme/a.yaml": list("a", "eu-west", "shopprod01", "{group: vpn}"), "acme/g.yaml": group("203.0.113.0/24")},
			change: one("acme/g.yaml", group("203.0.112.0/23")), title: "routine: 1 cluster gaining access", comment: []string{"vpn"}},
		"a group that lists of another seed name": {branch: map[string]string{"acme/a.yaml": list("a", "us-east", "shopprod01", "{group: vpn}"), "acme/g.yaml": group("203.0.113.0/24")},
			change: one("acme/g.yaml", group("203.0.112.0/23")), title: "nothing here"},
		"a list for another seed":   {branch: acme, change: one("acme/b.yaml", list("b", "us-east", "x", "{"+office+"}")), title: "nothing here", comment: []string{"`eu-west`"}},
		"nothing that is read here": {branch: acme, title: "nothing here"},
		"a list that goes": {branch: acme, change: one("acme/a.yaml", ""), failure: true, title: "review: acme/a.yaml:1:1: removed-allowlist",
			comment: []string{"removed-allowlist", "access: unmanaged, or open"}},
		"another's cluster": {branch: acme, change: one("acme/b.yaml", list("b", "eu-west", "globexprod", "{"+office+"}")), failure: true, title: "review: acme/b.yaml:6:14: foreign-cluster"},
		"a cluster that is not there": {branch: acme, change: one("acme/b.yaml", list("b", "eu-west", "nosuch", "{"+office+"}")), failure: true,
			title: "review: acme/b.yaml:6:14: unknown-cluster"},
		"a conflict": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")),
			adjust: func(in *pulls.Input) { in.Conflicts = []string{"acme/a.yaml"} }, failure: true, title: "review: acme/a.yaml:1:1: merge-conflict", comment: []string{"merge main into this branch"}},
		"refused by KKP": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")),
			adjust: func(in *pulls.Input) {
				in.Refused = map[string]string{"shopprod01": "KKP refused the cluster: the CNI version is not supported"}
			},
			failure: true, title: "review: acme/a.yaml:6:1: refused-by-kkp", comment: []string{"KKP refused the cluster: the CNI version is not supported"}},
		"another cluster refused by KKP": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")),
			adjust: func(in *pulls.Input) { in.Refused = map[string]string{"shoptest01": "no"} }, title: "routine: 1 cluster gaining access"},
		"too many to ask": {branch: acme, change: one("acme/a.yaml", list("a", "eu-west", "shopprod01", "{"+office+"}", "{"+home+"}")),
			adjust: func(in *pulls.Input) { in.Untried = 7 }, title: "routine: 1 cluster gaining access", comment: []string{"not asked about 7 of the clusters"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, c.branch, c.change, c.adjust)
			if r.Failure != c.failure || r.Title != c.title || r.Nothing != (c.title == "nothing here") {
				t.Errorf("got failure %v, nothing %v, %q\nwant %v %q\n%s", r.Failure, r.Nothing, r.Title, c.failure, c.title, r.Comment)
			}
			if ofSeed := slices.ContainsFunc([]string{"unknown-cluster", "removed-allowlist", "refused-by-kkp", "foreign-cluster"}, func(rule string) bool { return strings.HasSuffix(c.title, rule) }); r.OfSeed != ofSeed {
				t.Errorf("%q is of the seed: %v", c.title, r.OfSeed)
			}
			if refused := strings.HasSuffix(c.title, "refused-by-kkp"); r.Refused != refused {
				t.Errorf("%q is refused: %v", c.title, r.Refused)
			}
			for _, want := range c.comment {
				if !strings.Contains(r.Comment, want) {
					t.Errorf("the comment does not say %q:\n%s", want, r.Comment)
				}
			}
		})
	}
}

// What a tenant writes is inert in a comment, and on one line of a title.
func TestMarkupOfTenantsIsInert(t *testing.T) {
	t.Parallel()
	path := "acme/a` @octocat [x](http://evil.example) <b>.yaml"
	r := judge(t, nil, one(path, list("a", "eu-west", "shopprod01", "{description: \"`<img src=x>` @all\", "+broken+"}")), nil)
	if strings.ContainsAny(r.Title, "\n\r") {
		t.Errorf("the title has lines: %q", r.Title)
	}
	for line := range strings.Lines(r.Comment) {
		outside := ""
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.Contains(outside, "evil.example") && !strings.Contains(line, "``") {
			t.Errorf("outside of code: %s", line)
		}
	}
}
