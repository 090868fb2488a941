package render_test

import (
	"fmt"
	"strings"
	"testing"

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
		"often":                      {strings.Split(strings.Repeat("- group: vpn\n", 2000), "\n")[:2000], "", 1999},
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
