package meaning_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/meaning"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

func explainAll(files tree, inventory render.Inventory, cluster, address string) []meaning.Answer {
	prefix, err := meaning.ParseAddress(address)
	if err != nil {
		panic(err)
	}
	p := policy.Default()
	p.Rules = quiet()
	side := meaning.Alone(meaning.Trees{After: files.files(), Policy: p, Inventory: inventory, Now: now})
	return meaning.Explain(meaning.Question{Cluster: cluster, Prefix: prefix, Side: side, Inventory: inventory, Now: now})
}

func explain(files tree, inventory render.Inventory, cluster, address string) meaning.Answer {
	return explainAll(files, inventory, cluster, address)[0]
}

func TestExplain(t *testing.T) {
	t.Parallel()
	files := tree{
		"acme/a.yaml": list("nodeEgress: [10.7.0.1]", "entries:",
			"- {cidr: 10.0.0.0/24, description: office}",
			"- {cidr: 10.0.0.128/25, expires: 2031-01-01}",
			"- {cidr: 10.1.0.0/24, expires: 2031-02-01}",
			"- {cidr: 10.1.0.0/25, expires: 2031-01-01}",
			"- {cidr: 10.2.0.0/24, expires: 2029-01-01}",
			"- {group: vpn, expires: 2031-03-01}"),
		"acme/g.yaml":      group("vpn", "{cidr: 10.3.0.0/25}, {cidr: 10.3.0.128/25, expires: 2031-01-15}"),
		"acme/open.yaml":   listOf("o", "wide", "access: unmanaged"),
		"acme/broken.yaml": listOf("x", "broken", "entries: [{cidr: 10.0.0.1/8}]"),
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d.AddDate(0, 0, 1) }
	for name, row := range map[string]struct {
		cluster, address string
		verdict          meaning.Verdict
		until            time.Time
		by               string // where the entries are
		note             string
	}{
		"for good":           {"prod", "10.0.0.7", meaning.In, time.Time{}, "acme/a.yaml:8", ""},
		"by two":             {"prod", "10.0.0.200", meaning.In, time.Time{}, "acme/a.yaml:8 acme/a.yaml:9", ""},
		"for a time":         {"prod", "10.1.0.200", meaning.In, day("2031-02-01"), "acme/a.yaml:10", ""},
		"by the longest":     {"prod", "10.1.0.7", meaning.In, day("2031-02-01"), "acme/a.yaml:10 acme/a.yaml:11", ""},
		"no longer":          {"prod", "10.2.0.7", meaning.Out, time.Time{}, "", "Seed's own ranges"},
		"by a group":         {"prod", "10.3.0.7", meaning.In, day("2031-03-01"), "acme/g.yaml:4", ""},
		"a group's end":      {"prod", "10.3.0.200", meaning.In, day("2031-01-15"), "acme/g.yaml:4", ""},
		"all of a prefix":    {"prod", "10.3.0.0/24", meaning.In, day("2031-01-15"), "acme/g.yaml:4 acme/g.yaml:4", ""},
		"some of a prefix":   {"prod", "10.0.0.0/23", meaning.Out, time.Time{}, "acme/a.yaml:8 acme/a.yaml:9", "some of it"},
		"node egress":        {"prod", "10.7.0.1", meaning.In, time.Time{}, "acme/a.yaml:6", ""},
		"not at all":         {"prod", "10.9.0.1", meaning.Out, time.Time{}, "", ""},
		"the other family":   {"prod", "2001:db8::1", meaning.Out, time.Time{}, "", ""},
		"unmanaged":          {"wide", "10.0.0.1", meaning.CannotTell, time.Time{}, "", "by itself is not known"},
		"no list":            {"nobody", "10.0.0.1", meaning.CannotTell, time.Time{}, "", "no list names the cluster"},
		"refused, no before": {"broken", "10.0.0.1", meaning.CannotTell, time.Time{}, "", "held"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := explain(files, render.Inventory{}, row.cluster, row.address)
			var by []string
			for _, e := range a.By {
				by = append(by, fmt.Sprintf("%s:%d", e.Path, e.Line))
			}
			if a.Verdict != row.verdict || !a.Until.Equal(row.until) || strings.Join(by, " ") != row.by {
				t.Errorf("%s until %s by %v", a.Verdict, a.Until, by)
			}
			if !strings.Contains(strings.Join(a.Notes, "; "), row.note) {
				t.Errorf("notes %v, want %q", a.Notes, row.note)
			}
		})
	}
	if a := explain(files, render.Inventory{}, "prod", "10.2.0.7"); len(a.Expired) != 1 || a.Expired[0].Line != 12 {
		t.Errorf("expired: %+v", a.Expired)
	}
	if a := explain(files, render.Inventory{}, "prod", "10.1.1.3"); a.Nearest == nil || a.Nearest.Line != 10 {
		t.Errorf("nearest: %+v", a.Nearest)
	}
}

// With a seed, what KKP adds counts too, and so does what a cluster that is not
// looked after carries.
func TestExplainLive(t *testing.T) {
	t.Parallel()
	cluster := func(id string, live render.Live) render.Cluster {
		return render.Cluster{ID: id, Project: "acme", Name: "shop-" + id, ExposeStrategy: "LoadBalancer", Live: live}
	}
	inventory := render.Inventory{Known: true, Seed: render.SeedRanges{Known: true, Source: []string{"10.9.0.0/24"}}, Clusters: map[string]render.Cluster{
		"prod": cluster("prod", render.Live{}), "own": cluster("own", render.Live{Set: true, CIDRs: []string{"10.5.0.0/24"}}), "bare": cluster("bare", render.Live{})}}
	files := tree{"acme/a.yaml": list("entries: [{cidr: 10.0.0.0/24}]"), "acme/b.yaml": listOf("b", "own", "access: unmanaged")}
	for _, row := range []struct {
		cluster, address string
		verdict          meaning.Verdict
	}{
		{"prod", "10.9.0.7", meaning.In}, {"prod", "10.8.0.7", meaning.Out},
		{"own", "10.5.0.7", meaning.In}, {"own", "10.9.0.7", meaning.In}, {"own", "10.6.0.7", meaning.Out},
		{"bare", "10.6.0.7", meaning.In}, {"gone", "10.6.0.7", meaning.CannotTell},
	} {
		if a := explain(files, inventory, row.cluster, row.address); a.Verdict != row.verdict {
			t.Errorf("%s %s: %s, want %s: %v", row.cluster, row.address, a.Verdict, row.verdict, a.Notes)
		}
	}
	if a := explain(files, inventory, "prod", "10.9.0.7"); a.Title != "shop-prod (prod)" || len(a.SeedRanges) != 1 || !a.Until.IsZero() {
		t.Errorf("%s, ranges %v, until %s", a.Title, a.SeedRanges, a.Until)
	}
}

func TestSameIDOnTwoSeeds(t *testing.T) {
	t.Parallel()
	files := tree{"acme/a.yaml": list("seed: east", "entries: [{cidr: 10.0.0.0/24}]"), "acme/b.yaml": listOf("b", "prod", "seed: west", "entries: [{cidr: 10.1.0.0/24}]")}
	all := explainAll(files, render.Inventory{}, "prod", "10.0.0.7")
	if len(all) != 2 || all[0].Seed != "east" || all[0].Verdict != meaning.In || all[1].Seed != "west" || all[1].Verdict != meaning.Out {
		t.Errorf("%+v", all)
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"10.0.0.1", "10.0.0.0/8", "2001:db8::1"} {
		if _, err := meaning.ParseAddress(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "office", "10.0.0.1/8", "10.0.0.01", "fe80::1%eth0"} {
		if _, err := meaning.ParseAddress(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// An answer must not promise more than the load balancer does.
func TestExplainSaysWhereNothingIsFiltered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ balancer, address, want string }{
		"ignores lists":        {"hetzner", "198.51.100.1", "hetzner does not enforce lists"},
		"leaves a family open": {"metallb", "2001:db8::1", "metallb leaves open a family"},
		"filters":              {"azure", "198.51.100.1", ""},
	} {
		p, problems := policy.ParsePolicy([]byte("apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: {loadBalancer: "+c.balancer+"}}\n"), lint.Changeable)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		side := meaning.Side{Clusters: map[string]*render.Wanted{"eu-west/x": {Cluster: "x", Access: render.Restricted,
			List: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}}
		a := meaning.Explain(meaning.Question{Cluster: "x", Prefix: netip.MustParsePrefix(c.address + map[bool]string{true: "/32", false: "/128"}[!strings.Contains(c.address, ":")]),
			Side: side, Policy: p, Inventory: render.Inventory{Known: true}})[0]
		if got := strings.Join(a.Notes, "; "); c.want == "" && strings.Contains(got, c.balancer) || !strings.Contains(got, c.want) {
			t.Errorf("%s: got notes %q, want %q", name, got, c.want)
		}
	}
}
