package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// wideGroup is a group of that many prefixes.
func wideGroup(name string, size int) string {
	var out []string
	for i := range size {
		out = append(out, fmt.Sprintf("81.%d.%d.1", i/250, i%250))
	}
	return "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: " + name + "}\nspec: {entries: [{cidrs: [" + strings.Join(out, ", ") + "]}]}\n"
}

// A group that is named time and again is let in once, for as long as the
// longest of its references says.
func TestGroupNamedOften(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		references []string
		until      string // of all its entries; empty for good
		findings   int
	}{
		"often":                      {strings.Split(strings.Repeat("- group: vpn\n", 2000), "\n")[:2000], "", document.MostOfARule + 1},
		"for a time, and for good":   {[]string{"- {group: vpn, expires: 2027-01-01}", "- group: vpn"}, "", 1},
		"for good, and for a time":   {[]string{"- group: vpn", "- {group: vpn, expires: 2027-01-01}"}, "", 1},
		"for two times":              {[]string{"- {group: vpn, expires: 2027-01-01}", "- {group: vpn, expires: 2028-01-01}", "- {group: vpn, expires: 2027-06-01}"}, "2028-01-02", 2},
		"once over, once for a time": {[]string{"- {group: vpn, expires: 2020-01-01}", "- {group: vpn, expires: 2028-01-01}"}, "2028-01-02", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), quiet+"limits: {maxEntries: 10000}\nrules: {expired: warning}\n")
			w.files["acme/g.yaml"] = wideGroup("vpn", 1000)
			w.files["acme/a.yaml"] = spec(append([]string{seed, cluster, "nodeEgress: [9.9.9.9]", "entries:"}, c.references...)...)
			p := w.plan()
			wanted := p.Clusters["shopprod01"]
			if len(p.Findings) != c.findings {
				t.Fatalf("%d findings, want %d: %v", len(p.Findings), c.findings, p.Findings[:min(len(p.Findings), 3)])
			}
			if len(wanted.Entries) != 1001 || len(wanted.List) != 1001 {
				t.Fatalf("%d entries, %d prefixes, want 1001", len(wanted.Entries), len(wanted.List))
			}
			for _, e := range wanted.Entries {
				if e.Kind == lint.FromGroup && (e.Expires.IsZero() != (c.until == "") || c.until != "" && e.Expires.Format("2006-01-02") != c.until) {
					t.Fatalf("%s lasts until %s, want %q", e.Prefix, e.Expires, c.until)
				}
			}
		})
	}
}

// Many lists with a large group each would take more memory than the seed has:
// what goes beyond any use is refused, and no other tenant notices.
func TestGroupsWithoutEnd(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet+"rules: {too-many-entries: 'off'}\n")
	w.files["globexproj/a.yaml"] = production("globexprod", "91.16.0.0/24")
	w.files["acme/g.yaml"] = wideGroup("vpn", 50_000)
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - group: vpn")
	for i := range 20 {
		w.files[fmt.Sprintf("acme/b%02d.yaml", i)] = strings.NewReplacer("production", fmt.Sprint("b", i), "shopprod01", fmt.Sprint("unknown", i)).Replace(w.files["acme/a.yaml"])
	}
	p := w.plan()
	refused := 0
	for _, f := range p.Findings {
		if f.Rule == "too-many-entries" && f.Severity == lint.Error && f.Line == 9 && f.Column == 14 && strings.Contains(f.Message, "500000") {
			refused++
		}
	}
	if refused < 11 || refused > 12 {
		t.Errorf("%d lists are refused, want those beyond the bound", refused)
	}
	wantHeld(t, p, "shopprod01", "")
	wantHeld(t, p, "unknown19", "too-many-entries")
	wantList(t, p, "globexprod", "91.16.0.0/24")
}

// Thousands of lists that each select all clusters: no other tenant waits for
// that, and who had a cluster keeps it.
func TestSelectorsWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const clusters, lists = 2000, 300
	for i := range clusters {
		id := fmt.Sprintf("c%05d", i)
		w.inventory.Clusters[id] = render.Cluster{ID: id, UID: id, Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer}
	}
	w.files["globexproj/a.yaml"] = allowlist("a", "globexprod", "198.51.100.0/24")
	w.files["acme/z.yaml"] = selectorList("z", "{}", "203.0.113.0/24")
	if p := w.plan(); len(p.Findings) > 0 {
		t.Fatalf("findings: %v", p.Findings[0])
	}
	var many strings.Builder
	for i := range lists {
		many.WriteString("---\n" + selectorList(fmt.Sprint("n", i), "{}", "198.51.100.0/24"))
	}
	w.files["acme/a.yaml"] = many.String()
	p := w.plan()
	for _, id := range []string{"c00000", "c01999", "shopprod01"} {
		wantList(t, p, id, "203.0.113.0/24")
	}
	wantList(t, p, "globexprod", "198.51.100.0/24")
	told := map[string]int{}
	for _, f := range p.Findings {
		_, more, _ := strings.Cut(f.Message, "; and ")
		told[f.Path+" "+f.Rule+" "+more]++
	}
	beyond := (clusters + 2) * (500_000/(clusters+2) + 1) // so often the file's selectors pick one
	want := fmt.Sprintf("acme/a.yaml cluster-claimed-twice %d more of this rule in the file", beyond+lists-beyond/(clusters+2)-document.MostOfARule-1)
	if len(p.Findings) > document.MostOfARule+2 || told[want] != 1 {
		t.Errorf("%d findings, want one that ends with %q: %v", len(p.Findings), want, p.Findings[len(p.Findings)-1])
	}
}

// Selectors by the thousand that pick nothing take time as well: whoever had a
// cluster keeps it, and nobody gets a new one.
func TestSelectorsThatLookWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const clusters, lists = 5000, 1001
	add := func(id string) {
		w.inventory.Clusters[id] = render.Cluster{ID: id, UID: id, Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer}
	}
	for i := range clusters {
		add(fmt.Sprintf("c%05d", i))
	}
	w.files["acme/z.yaml"] = selectorList("z", "{}", "203.0.113.0/24")
	if p := w.plan(); len(p.Findings) > 0 {
		t.Fatalf("findings: %v", p.Findings[0])
	}
	add("newcomer01")
	var many strings.Builder
	for i := range lists {
		many.WriteString("---\n" + selectorList(fmt.Sprint("n", i), "{matchLabels: {env: none}}", "198.51.100.0/24"))
	}
	w.files["acme/a.yaml"] = many.String()
	p := w.plan()
	wantList(t, p, "c00000", "203.0.113.0/24")
	wantList(t, p, "c04999", "203.0.113.0/24")
	if p.Clusters["newcomer01"] != nil {
		t.Errorf("a selector beyond the bound took up a cluster")
	}
	told := map[string]int{}
	for _, f := range p.Findings {
		if f.Rule == "cluster-claimed-twice" && strings.Contains(f.Message, "look at clusters more than 5000000 times") {
			told[f.Path]++
		}
	}
	if told["acme/z.yaml"] != 1 || told["acme/a.yaml"] == 0 || told["acme/a.yaml"] > 5 {
		t.Errorf("findings: %v", told)
	}
	delete(w.files, "acme/a.yaml")
	wantList(t, w.plan(), "newcomer01", "203.0.113.0/24")
}

// A tenant's folder with more in it than is read is an error at its path, and
// its clusters keep their lists.
func TestOverfullFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files["acme/a.yaml"] = allowlist("a", "shopprod01", "203.0.113.0/24")
	w.plan()
	folder := render.File{Source: "s", Tenant: "acme", Path: "acme", Hash: "tree", Parsed: render.Overfull(50_000, 16<<20)}
	p := render.Render(render.Input{Files: []render.File{folder}, Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now})
	wantList(t, p, "shopprod01", "203.0.113.0/24")
	if !slices.ContainsFunc(p.Findings, func(f lint.Finding) bool {
		return f.Path == "acme" && f.Rule == "file-too-large" && f.Severity == lint.Error && strings.Contains(f.Message, "16777216 bytes")
	}) {
		t.Errorf("findings: %v", p.Findings)
	}
}
