package meaning_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

func selecting(name string, spec ...string) string {
	return strings.Replace(listOf(name, "x", spec...), "clusters: [x]", "clusterSelector: {}", 1)
}

func rules(d *meaning.Diff) (out []string) {
	for _, f := range d.Findings {
		out = append(out, string(f.Severity)+" "+f.Rule)
	}
	return out
}

// Without a seed it is not known which clusters a selector has: one that a list
// named and a selector may have now is neither held nor said to be.
func TestSelectorInPlaceOfANameIsNotARemoval(t *testing.T) {
	t.Parallel()
	entries := "entries: [{cidr: 10.0.0.0/24}]"
	for name, row := range map[string]struct{ before, after tree }{
		"named, then selected":       {path(list(entries)), path(selecting("production", entries))},
		"selected, then named":       {path(selecting("production", entries)), path(list(entries))},
		"one list of two goes":       {tree{"acme/a.yaml": list(entries), "acme/b.yaml": selecting("rest", entries)}, tree{"acme/b.yaml": selecting("rest", entries)}},
		"by a list of another name":  {path(selecting("production", entries)), path(selecting("all", entries))},
		"refused, and then selected": {path(list("entries: [{cidr: 10.0.0.1/24}]")), path(selecting("production", entries))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(row.before, row.after)
			if got := rules(d); len(got) > 0 {
				t.Errorf("findings: %v", got)
			}
			for _, c := range d.Clusters {
				if c.Held != nil && c.Held.Rule == "removed-allowlist" {
					t.Errorf("%s is held by removed-allowlist", c.ID)
				}
			}
			if !d.Changed() || d.Class != meaning.Review || !slices.Contains(d.NotCompared, "which clusters a clusterSelector selects") {
				t.Errorf("changed %v, class %s, not compared %q", d.Changed(), d.Class, d.NotCompared)
			}
		})
	}
	d := compare(path(list(entries)), tree{"globex/a.yaml": selecting("production", entries)})
	if got := rules(d); !slices.Equal(got, []string{"error removed-allowlist"}) {
		t.Errorf("another tenant's selector has nothing to do with it: %v", got)
	}
}

// A file that was refused before goes: what its clusters carry is not known, and
// stays; that it stays is to be said.
func TestRefusedFileIsRemoved(t *testing.T) {
	t.Parallel()
	broken := path(list("entries: [{cidr: 10.0.0.1/24}]"))
	other := tree{"acme/z.yaml": listOf("z", "other", "entries: [{cidr: 10.0.0.0/24}]")}
	with := func(t tree) tree { return tree{"acme/a.yaml": t["acme/a.yaml"], "acme/z.yaml": other["acme/z.yaml"]} }
	d := compare(with(broken), other)
	if c := only(t, d); c.Held == nil || c.Held.Rule != "removed-allowlist" || !c.NewlyHeld() {
		t.Errorf("held: %+v", c.Held)
	}
	if got := rules(d); !slices.Equal(got, []string{"error removed-allowlist"}) || d.Findings[0].Path != "acme/a.yaml" {
		t.Errorf("findings: %v", d.Findings)
	}
	for set, want := range map[bool]int{true: 1, false: 0} {
		live := render.Inventory{Known: true, Clusters: map[string]render.Cluster{
			"prod": {ID: "prod", Project: "acme", ExposeStrategy: render.ExposeLoadBalancer, Live: render.Live{Set: set, CIDRs: []string{"10.9.0.0/24"}}}}}
		d := comparison{before: with(broken), after: other, inventory: live}.run()
		if got := slices.DeleteFunc(rules(d), func(r string) bool { return r != "error removed-allowlist" }); len(got) != want {
			t.Errorf("a list is live: %v: findings %v", set, d.Findings)
		}
	}
}

// Whose addresses nobody knows cannot be said to change nothing.
func TestProviderGroupsWithoutAPolicy(t *testing.T) {
	t.Parallel()
	plain := "entries: [{cidr: 10.0.0.0/24}]"
	with := func(end string) string { return "entries: [{cidr: 10.0.0.0/24}, {group: provider/noc" + end + "}]" }
	for name, row := range map[string]struct {
		before, after string
		want          []meaning.GroupChange
	}{
		"removed":     {with(""), plain, []meaning.GroupChange{{Group: "provider/noc", Change: "removed"}}},
		"added":       {plain, with(""), []meaning.GroupChange{{Group: "provider/noc", Change: "added"}}},
		"another end": {with(", expires: 2031-01-01"), with(", expires: 2032-01-01"), []meaning.GroupChange{{Group: "provider/noc", Change: "end"}}},
		"as it was":   {with(""), strings.Replace(with(""), "10.0.0.0/24", "10.0.0.0/25", 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(path(list(row.before)), path(list(row.after)))
			if c := only(t, d); !slices.Equal(c.Groups, row.want) {
				t.Errorf("groups: %+v", c.Groups)
			}
			if told := row.want == nil; !d.Changed() || (d.Class == meaning.Routine) != told {
				t.Errorf("changed %v, class %s: %v", d.Changed(), d.Class, d.Why)
			}
			if !slices.ContainsFunc(d.NotCompared, func(s string) bool { return strings.Contains(s, "without a policy") }) {
				t.Errorf("not compared: %q", d.NotCompared)
			}
		})
	}
	known := mustPolicy(t, "seeds: {west: {}}\ngroups: {noc: [{cidr: 10.5.0.0/24}]}\n")
	d := comparison{before: path(list(with(""))), after: path(list(plain)), policy: known}.run()
	if c := only(t, d); len(c.Groups) > 0 || !slices.Equal(c.Lost, prefixList("10.5.0.0/24")) {
		t.Errorf("with a policy: groups %v, lost %v", c.Groups, c.Lost)
	}
}

// Another entry that lets in what was removed, in whole or in part.
func TestStillLetInByOthers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ before, after, want string }{
		"in part, by what stays":          {"{cidr: 8.8.0.0/16, description: bob}, {cidr: 8.8.8.0/24, description: al}", "{cidr: 8.8.8.0/24, description: al}", "8.8.0.0/16 [8.8.8.0/24] by al"},
		"by a wider one that came":        {"{cidr: 8.8.8.8, description: bob}, {cidr: 9.9.9.9}", "{cidr: 8.8.8.0/24, description: office}, {cidr: 9.9.9.9}", "8.8.8.8/32 [] by office"},
		"widened":                         {"{cidr: 8.8.8.0/25, description: office}", "{cidr: 8.8.8.0/24, description: office}", ""},
		"narrowed":                        {"{cidr: 8.8.8.0/24, description: office}", "{cidr: 8.8.8.0/25, description: office}", ""},
		"merged":                          {"{cidr: 8.8.8.0/25, description: a}, {cidr: 8.8.8.128/25, description: b}", "{cidr: 8.8.8.0/24, description: office}", ""},
		"the same in other words":         {"{cidr: 8.8.8.0/24, description: a}", "{cidr: 8.8.8.0/24, description: b}", ""},
		"nothing of it":                   {"{cidr: 8.8.8.0/24, description: a}, {cidr: 9.9.9.9}", "{cidr: 9.9.9.9}", ""},
		"whole, by two halves that stood": {"{cidr: 8.8.8.0/24, description: bob}, {cidr: 8.8.8.0/25, description: a}, {cidr: 8.8.8.128/25, description: b}", "{cidr: 8.8.8.0/25, description: a}, {cidr: 8.8.8.128/25, description: b}", "8.8.8.0/24 [] by a b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := compare(path(list("entries: ["+row.before+"]")), path(list("entries: ["+row.after+"]")))
			var got []string
			for _, c := range d.Clusters {
				for _, s := range c.StillIn {
					var by []string
					for _, e := range s.By {
						by = append(by, e.Description)
					}
					got = append(got, s.Entry.Prefix.String()+" ["+strings.Join(render.Strings(s.Prefixes), " ")+"] by "+strings.Join(by, " "))
				}
			}
			if strings.Join(got, "; ") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// A finding in a file that the change does not touch is not from it, whatever
// its severity was before.
func TestUntouchedFileIsNotBlamed(t *testing.T) {
	t.Parallel()
	live := render.Inventory{Known: true, Clusters: map[string]render.Cluster{"prod": {ID: "prod", Project: "acme", ExposeStrategy: render.ExposeLoadBalancer}}}
	broken := listOf("bad", "nosuch", "entries: [{cidr: 10.0.0.1/24}]")
	d := comparison{inventory: live,
		before: tree{"acme/a.yaml": list("entries: [{cidr: 10.0.0.0/24}]"), "acme/bad.yaml": broken},
		after:  tree{"acme/a.yaml": list("entries: [{cidr: 10.0.0.0/25}]"), "acme/bad.yaml": broken}}.run()
	if got := rules(d); len(got) > 0 || d.Standing != 2 {
		t.Errorf("findings %v, %d standing", got, d.Standing)
	}
}

// A cluster without a load balancer of its own is not filtered.
func TestListThatWaits(t *testing.T) {
	t.Parallel()
	for strategy, want := range map[string]string{"NodePort": "NodePort", "": "unknown", render.ExposeLoadBalancer: ""} {
		live := render.Inventory{Known: true, Clusters: map[string]render.Cluster{"prod": {ID: "prod", Project: "acme", ExposeStrategy: strategy}}}
		after := path(list("entries: [{cidr: 10.0.0.0/24}]"))
		d := comparison{inventory: live, after: after}.run()
		if c := only(t, d); c.Waits != want {
			t.Errorf("%q: waits %q", strategy, c.Waits)
		}
		for _, address := range []string{"10.0.0.7", "10.9.0.7"} {
			a := explain(after, live, "prod", address)
			if said := strings.Contains(strings.Join(a.Notes, "; "), "KKP filters nothing"); said != (want != "") {
				t.Errorf("%q: notes %q", strategy, a.Notes)
			}
		}
	}
}

// What is not known could let it in: then no is no answer.
func TestExplainCannotTellWithoutThePolicyOrTheSeed(t *testing.T) {
	t.Parallel()
	files := path(list("entries: [{cidr: 10.0.0.0/24}, {group: provider/noc}]"))
	local := mustPolicy(t, "seeds: {west: {platform: [{cidr: 10.4.0.0/24}, {cidr: 10.5.0.0/24, datacenters: [dc-b]}]}}\ngroups: {noc: [{cidr: 10.6.0.0/24}]}\n")
	for name, row := range map[string]struct {
		policy, live  bool
		address, note string
		want          meaning.Verdict
	}{
		"a group nobody knows":           {false, false, "10.9.0.1", "provider/noc, which the list names, are not known", meaning.CannotTell},
		"let in all the same":            {false, false, "10.0.0.1", "", meaning.In},
		"a group that is known":          {true, false, "10.9.0.1", "", meaning.Out},
		"by the platform everywhere":     {true, false, "10.4.0.1", "", meaning.In},
		"by the platform of some":        {true, false, "10.5.0.1", "the cluster's datacenter is not known", meaning.CannotTell},
		"not by all that it has":         {true, false, "10.5.0.0/16", "", meaning.Out},
		"of some, in another datacenter": {true, true, "10.5.0.1", "", meaning.Out},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, inventory := policy.Default(), render.Inventory{}
			if row.policy {
				p = local
			}
			if row.live {
				inventory = render.Inventory{Known: true, Clusters: map[string]render.Cluster{"prod": {ID: "prod", Project: "acme", Datacenter: "dc-a", ExposeStrategy: render.ExposeLoadBalancer}}}
			}
			prefix, err := meaning.ParseAddress(row.address)
			if err != nil {
				t.Fatal(err)
			}
			side := meaning.Alone(meaning.Trees{After: files.files(), Policy: p, Inventory: inventory, Now: now})
			a := meaning.Explain(meaning.Question{Cluster: "prod", Prefix: prefix, Side: side, Policy: p, Inventory: inventory, Now: now})[0]
			if a.Verdict != row.want || !strings.Contains(strings.Join(a.Notes, "; "), row.note) {
				t.Errorf("%s: %q", a.Verdict, a.Notes)
			}
		})
	}
}

// A list that names a cluster which its tenant does not have is told apart from
// none.
func TestExplainNamedInVain(t *testing.T) {
	t.Parallel()
	live := render.Inventory{Known: true, Clusters: map[string]render.Cluster{"prod": {ID: "prod", Project: "globex", ExposeStrategy: render.ExposeLoadBalancer}}}
	a := explain(path(list("entries: [{cidr: 10.0.0.0/24}]")), live, "prod", "10.9.0.1")
	if notes := strings.Join(a.Notes, "; "); !strings.Contains(notes, "list production in acme/a.yaml, line 5, names the cluster, and does not have it") || strings.Contains(notes, "no list") {
		t.Errorf("notes: %q", a.Notes)
	}
}
