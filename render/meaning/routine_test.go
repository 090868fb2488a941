package meaning_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// Each clause of what makes a change routine, on a seed on which the clusters
// are known and carry what the files say: machines merge by this word.
func TestRoutineByClause(t *testing.T) {
	t.Parallel()
	const policyText = "seeds: {west: {}, east: {}}\nallowOpen: true\ngroups: {noc: [{cidr: 203.0.112.0/22}], one: [{cidr: 198.18.0.1}]}\nrules: {node-egress-missing: off}\n"
	spec := func(change ...string) string {
		text := "  seed: west\n  clusters: [prod]\n  access: restricted\n  nodeEgress: [8.8.8.8]\n  tests: [{allow: 9.9.9.1}, {deny: 1.1.1.1}]\n  entries: [{cidr: 9.9.9.0/24}, {cidr: 7.7.0.0/20, expires: 2031-01-01}, {group: vpn}]\n"
		for i := 0; i < len(change); i += 2 {
			if !strings.Contains(text, change[i]) {
				t.Fatalf("%q is not in the list", change[i])
			}
			text = strings.Replace(text, change[i], change[i+1], 1)
		}
		return "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: production}\nspec:\n" + text
	}
	entry := func(cidr string) string { return spec("[{cidr: 9.9.9.0/24}", "[{cidr: 9.9.9.0/24}, "+cidr) }
	selecting := func(entries string) string {
		return "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: rest}\nspec:\n  seed: west\n  clusterSelector: {}\n  nodeEgress: none\n  entries: [" + entries + "]\n"
	}
	const vpn = "{cidr: 6.6.6.0/24}"
	acme := func(list string, more ...string) tree {
		out := tree{"acme/a.yaml": list, "acme/g.yaml": group("vpn", vpn), "acme/old.yaml": group("lab", "{cidr: 10.0.0.0/24}")}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	p, problems := policy.ParsePolicy([]byte("apiVersion: portcullis.dev/v1alpha1\nkind: Policy\n"+policyText), lint.Changeable)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	before := acme(spec())
	for name, c := range map[string]struct {
		before, after tree
		why           string // empty: routine
	}{
		"nothing":            {before, before, ""},
		"a comment":          {before, acme("# ours\n" + spec()), ""},
		"a description":      {before, acme(spec("{cidr: 9.9.9.0/24}", "{cidr: 9.9.9.0/24, description: d, owner: o, ticket: t}")), ""},
		"another file":       {before, tree{"acme/b.yaml": spec(), "acme/g.yaml": group("vpn", vpn), "acme/old.yaml": before["acme/old.yaml"]}, ""},
		"the clusters twice": {before, acme(spec("[prod]", "[prod, prod]")), ""},

		"gains what is narrow":                 {before, acme(entry("{cidr: 5.5.5.0/24}")), ""},
		"gains a bare address":                 {before, acme(entry("{cidr: 5.5.5.5}")), ""},
		"gains a narrow one of IPv6":           {before, acme(entry("{cidr: \"2a00:1450:17::/48\"}")), ""},
		"gains what is wide":                   {before, acme(entry("{cidr: 5.5.4.0/23}")), "wider than routine"},
		"gains a wide one of IPv6":             {before, acme(entry("{cidr: \"2a00:1450:16::/47\"}")), "wider than routine"},
		"gains halves of what is wide":         {before, acme(entry("{cidrs: [5.5.4.0/24, 5.5.5.0/24]}")), "wider than routine"},
		"gains a half beside one":              {before, acme(entry("{cidr: 9.9.8.0/24}")), ""},
		"gains what is wide for a time":        {before, acme(entry("{cidr: 5.5.0.0/16, expires: 2031-01-01}")), ""},
		"a wide one is for good now":           {before, acme(spec(", expires: 2031-01-01", "")), "wider than routine"},
		"a wide one is for longer":             {before, acme(spec("2031-01-01", "2032-01-01")), ""},
		"gains by a group":                     {before, acme(spec(), "acme/g.yaml", group("vpn", vpn+", {cidr: 5.5.5.0/24}")), ""},
		"gains what is wide by a group":        {before, acme(spec(), "acme/g.yaml", group("vpn", vpn+", {cidr: 5.5.4.0/23}")), "wider than routine"},
		"names a wide group of the provider's": {before, acme(entry("{group: provider/noc}")), "wider than routine"},
		"gains node egress":                    {before, acme(spec("[8.8.8.8]", "[8.8.8.8, 8.8.4.4]")), ""},
		"gains wide node egress":               {before, acme(spec("[8.8.8.8]", "[8.8.8.8, 8.8.0.0/20]")), "wider than routine"},

		"gains what is special":                         {before, acme(entry("{cidr: 10.1.0.0/24}")), "not of the public Internet"},
		"gains what is special for a time":              {before, acme(entry("{cidr: 10.1.0.0/24, expires: 2031-01-01}")), "not of the public Internet"},
		"gains special node egress":                     {before, acme(spec("[8.8.8.8]", "[8.8.8.8, 10.0.0.1]")), "not of the public Internet"},
		"gains what is special by a group's edit":       {before, acme(spec(), "acme/g.yaml", group("vpn", vpn+", {cidr: 10.1.0.0/24}")), "not of the public Internet"},
		"gains what is special by naming an old group":  {before, acme(entry("{group: lab}")), "not of the public Internet"},
		"has what is special, and gains something else": {acme(entry("{cidr: 10.1.0.0/24}")), acme(entry("{cidr: 10.1.0.0/24}, {cidr: 5.5.5.5}")), ""},

		"removes an entry":                     {before, acme(spec(", {group: vpn}", "")), ""},
		"removes node egress":                  {before, acme(spec("[8.8.8.8]", "none")), "node egress is taken away"},
		"makes node egress an entry":           {before, acme(spec("[8.8.8.8]", "none", "[{cidr: 9.9.9.0/24}", "[{cidr: 8.8.8.8}, {cidr: 9.9.9.0/24}")), "node egress is taken away"},
		"removes a test":                       {before, acme(spec(", {deny: 1.1.1.1}", "")), "a test is taken away"},
		"turns a test round":                   {before, acme(spec("deny: 1.1.1.1", "allow: 6.6.6.1")), "a test is taken away"},
		"adds a test":                          {before, acme(spec("{deny: 1.1.1.1}", "{deny: 1.1.1.1}, {deny: 1.0.0.1}")), ""},
		"removes what a test wants":            {before, acme(spec("{cidr: 9.9.9.0/24}, ", "")), "do not pass the rules"},
		"removes what a test wants in a group": {acme(spec("{allow: 9.9.9.1}", "{allow: 6.6.6.6}")), acme(spec("{allow: 9.9.9.1}", "{allow: 6.6.6.6}"), "acme/g.yaml", group("vpn", "{cidr: 6.6.6.0/30}")), "do not pass the rules"},

		"opens":                            {before, acme("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: production}\nspec: {seed: west, clusters: [prod], access: open}\n"), "access is changed"},
		"leaves alone":                     {before, acme("apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: production}\nspec: {seed: west, clusters: [prod], access: unmanaged}\n"), "access is changed"},
		"says what was implied":            {acme(spec("  access: restricted\n", "")), before, ""},
		"another cluster":                  {before, acme(spec("[prod]", "[prod, test]")), "clusters are changed"},
		"a cluster less":                   {acme(spec("[prod]", "[prod, test]")), before, "clusters are changed"},
		"a selector":                       {before, acme(spec("clusters: [prod]", "clusterSelector: {}")), "clusterSelector is changed"},
		"another selector":                 {acme(spec("clusters: [prod]", "clusterSelector: {}")), acme(spec("clusters: [prod]", "clusterSelector: {matchLabels: {project-id: acme}}")), "clusterSelector is changed"},
		"another seed":                     {before, acme(spec("seed: west", "seed: east")), "seed is changed"},
		"another name":                     {before, acme(strings.Replace(spec(), "production", "live", 1)), "another name"},
		"the list goes":                    {before, tree{"acme/g.yaml": before["acme/g.yaml"], "acme/old.yaml": before["acme/old.yaml"]}, "a list goes"},
		"to another tenant":                {before, tree{"globex/a.yaml": spec(", {group: vpn}", ""), "acme/g.yaml": before["acme/g.yaml"], "acme/old.yaml": before["acme/old.yaml"]}, "a list goes"},
		"a list for what is made tomorrow": {acme(spec("[prod]", "[prod, test]")), acme(spec("[prod]", "[prod, test]"), "acme/r.yaml", selecting("{cidr: 5.5.5.0/24}")), "a list with a clusterSelector is new"},
		"what is made tomorrow gains": {acme(spec("[prod]", "[prod, test]"), "acme/r.yaml", selecting("{cidr: 5.5.5.0/24}")),
			acme(spec("[prod]", "[prod, test]"), "acme/r.yaml", selecting("{cidr: 5.0.0.0/12}")), "selects no cluster yet"},
		"what is made tomorrow gains by a group": {acme(spec("[prod]", "[prod, test]"), "acme/r.yaml", selecting("{group: vpn}, {cidr: 5.5.5.0/24}")),
			acme(spec("[prod]", "[prod, test]"), "acme/r.yaml", selecting("{group: vpn}, {cidr: 5.5.5.0/24}"), "acme/g.yaml", group("vpn", vpn+", {cidr: 5.5.5.0/25}")), "selects no cluster yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := onSeed(p, c.before, c.after)
			why := whyOf(d)
			if (d.Class == meaning.Routine) != (c.why == "") || !strings.Contains(why, c.why) || c.why == "" && why != "" {
				t.Errorf("class %s: %s", d.Class, why)
			}
		})
	}
}

// onSeed compares as a pull request is judged: on the seed west, with two
// clusters of the tenant acme's.
func onSeed(p *policy.Policy, before, after tree) *meaning.Diff {
	inventory := render.Inventory{Known: true, Seed: render.SeedRanges{Known: true}, Clusters: map[string]render.Cluster{}}
	for _, id := range []string{"prod", "test"} {
		inventory.Clusters[id] = render.Cluster{ID: id, UID: "u" + id, Project: "acme", ExposeStrategy: render.ExposeLoadBalancer, Namespace: "n"}
	}
	plan := func(t tree, base *render.Base) *render.Plan {
		return render.Render(render.Input{Files: t.files(), Sources: []string{""}, Base: base, Policy: p, Inventory: inventory, Seed: "west", Now: now})
	}
	was := plan(before, nil)
	is := plan(after, was.Base())
	return meaning.Compare(meaning.Input{Before: meaning.Of("west", was, before.files(), nil), After: meaning.Of("west", is, after.files(), nil),
		Policy: p, Inventory: inventory, Now: now})
}
