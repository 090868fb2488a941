package importer_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portcullis-gitops/portcullis/cmd/portcullis/importer"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/document"
	"github.com/portcullis-gitops/portcullis/render/lint"
	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/prefixes"
)

var now = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)

const seedPolicy = `{apiVersion: portcullis.dev/v1alpha1, kind: Policy,
seeds: {eu-west: {loadBalancer: cilium, platform: [{cidr: 192.0.2.0/28}, {cidr: "2001:db8:99::/48", datacenters: [dc-2]}]}}, tenants: {acme: {projects: [acmeproj01]}}}`

func parsed(t interface{ Fatalf(string, ...any) }) *policy.Policy {
	p, problems := policy.ParsePolicy([]byte(seedPolicy), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("%v", problems)
	}
	return p
}

func cluster(id string, live ...string) render.Cluster {
	return render.Cluster{ID: id, UID: "u-" + id, Project: "globexproj", ExposeStrategy: render.ExposeLoadBalancer,
		Live: render.Live{Set: live != nil, CIDRs: live}}
}

func imports(p *policy.Policy, clusters ...render.Cluster) *importer.Importer {
	im := &importer.Importer{Dir: "no/such/folder", Seed: "eu-west", Policy: p, Now: now,
		Inventory: render.Inventory{Known: true, Clusters: map[string]render.Cluster{}}}
	for _, c := range clusters {
		im.Inventory.Clusters[c.ID] = c
	}
	return im
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	named := func(c render.Cluster, name string) render.Cluster { c.Name = name; return c }
	of := func(c render.Cluster, project string) render.Cluster { c.Project = project; return c }
	for name, c := range map[string]struct {
		cluster render.Cluster
		want    importer.Outcome
		path    string
		says    string // the text, or the reason
	}{
		"a list":                         {cluster("c1", "203.0.113.0/24"), importer.Written, "globexproj/c1.yaml", "cidr: 203.0.113.0/24}"},
		"of a tenant with a name":        {of(cluster("c1", "203.0.113.7"), "acmeproj01"), importer.Written, "acme/c1.yaml", "cidr: 203.0.113.7/32}"},
		"duplicates and covered ones":    {cluster("c1", "203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"), importer.Written, "globexproj/c1.yaml", "entries:\n    - {description: imported, cidr: 203.0.113.0/24}\n"},
		"white space around it":          {cluster("c1", " 203.0.113.7/32\n"), importer.Written, "globexproj/c1.yaml", `# " 203.0.113.7/32\n" is written as 203.0.113.7/32, which is what it lets in.`},
		"bits behind its length":         {cluster("c1", "203.0.113.7/24"), importer.Written, "globexproj/c1.yaml", "cidr: 203.0.113.0/24}"},
		"bits behind a length too short": {cluster("c1", "10.0.0.1/8"), importer.NotImported, "globexproj/c1.yaml", "check would refuse the file: error[too-wide]"},
		"white space within":             {cluster("c1", "203.0.113.7 /32"), importer.NotImported, "globexproj/c1.yaml", "no value of its list is a canonical prefix"},
		"IPv4 in IPv6, leading zeros":    {cluster("c1", "::ffff:203.0.113.0/120", "010.0.0.0/16"), importer.NotImported, "globexproj/c1.yaml", "no value of its list is a canonical prefix"},
		"IPv6":                           {cluster("c1", "2001:DB8::0/32"), importer.Written, "globexproj/c1.yaml", `cidr: "2001:db8::/32"}`},
		"an ID that YAML takes for more": {cluster("true", "203.0.113.7"), importer.Written, "globexproj/true.yaml", `clusters: ["true"]`},
		"a name that would break out":    {named(cluster("c1", "203.0.113.7"), "x\n  access: open\r\u2028\u0085\u202e"), importer.Written, "globexproj/c1.yaml", `clusters: [c1] # x\n  access: open\r\u2028\u0085\u202e` + "\n"},
		"a long name":                    {named(cluster("c1", "203.0.113.7"), strings.Repeat("x", 500)), importer.Written, "globexproj/c1.yaml", strings.Repeat("x", 99) + "…\n"},
		"no list":                        {cluster("c1"), importer.Unrestricted, "globexproj/c1.yaml", ""},
		"an empty list":                  {cluster("c1", []string{}...), importer.Unrestricted, "globexproj/c1.yaml", ""},
		"nothing that is valid":          {cluster("c1", "nonsense"), importer.NotImported, "globexproj/c1.yaml", "no value of its list is a canonical prefix"},
		"the platform's alone":           {cluster("c1", "192.0.2.0/29"), importer.NotImported, "globexproj/c1.yaml", "the provider's alone"},
		"everyone":                       {cluster("c1", "0.0.0.0/0"), importer.NotImported, "globexproj/c1.yaml", "check would refuse the file: error[open-world]"},
		"another strategy":               {func() render.Cluster { c := cluster("c1", "203.0.113.7"); c.ExposeStrategy = "NodePort"; return c }(), importer.NotImported, "globexproj/c1.yaml", "error[unsupported-expose-strategy]"},
		"a project that is a path":       {of(cluster("c1", "203.0.113.7"), "../../etc"), importer.NotImported, "", "no name that a folder can have"},
		"without a project":              {of(cluster("c1", "203.0.113.7"), ""), importer.NotImported, "", "no name that a folder can have"},
		"a project that is a tenant":     {of(cluster("c1", "203.0.113.7"), "acme"), importer.NotImported, "", "no tenant has the project"},
		"an ID that is no name":          {cluster("a.b", "203.0.113.7"), importer.NotImported, "", "its ID is no name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			im := imports(parsed(t), c.cluster)
			im.Look("", false)
			got := im.Found[0]
			if got.Outcome != c.want || got.Path != c.path || !strings.Contains(got.Text+got.Reason, c.says) {
				t.Errorf("outcome %d, path %q, reason %q\n%s", got.Outcome, got.Path, got.Reason, got.Text)
			}
		})
	}
}

// TestImportMeansWhatIsLive: whatever is live, a file that comes of it passes
// the rules, and lets in what is live and the platform, and nobody else.
func TestImportMeansWhatIsLive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := cluster("c1", rapid.SliceOfN(value(), 1, 8).Draw(t, "live")...)
		c.Name = rapid.String().Draw(t, "name")
		c.Datacenter = rapid.SampledFrom([]string{"dc-1", "dc-2"}).Draw(t, "datacenter")
		im := imports(parsed(t), c)
		im.Inventory.Seed = render.SeedRanges{Known: true, Source: []string{"198.51.100.240/28"}, Default: []string{"nonsense", "198.51.100.224/28"}}
		im.Look("", rapid.Bool().Draw(t, "all"))
		got := im.Found[0]
		if got.Outcome != importer.Written {
			return
		}
		doc := document.Parse([]byte(got.Text))
		plan := render.Render(render.Input{Files: []render.File{{Tenant: "globexproj", Path: got.Path, Hash: "h", Parsed: doc}},
			Policy: im.Policy, Inventory: im.Inventory, Seed: "eu-west", Now: now})
		for _, f := range plan.Findings {
			if f.Severity == lint.Error {
				t.Fatalf("%s\n%s", f, got.Text)
			}
		}
		w := plan.Clusters["c1"]
		if len(got.Own) == 0 {
			if w.Access != render.Unmanaged || !im.Incomplete() {
				t.Fatalf("access %s, incomplete %v", w.Access, im.Incomplete())
			}
			return
		}
		want := understood(c.Live.CIDRs, "192.0.2.0/28", "198.51.100.240/28", "198.51.100.224/28")
		if c.Datacenter == "dc-2" {
			want = append(want, netip.MustParsePrefix("2001:db8:99::/48"))
		}
		if have := append(understood([]string{"198.51.100.240/28", "198.51.100.224/28"}), w.List...); !slices.Equal(union(have), union(want)) {
			t.Fatalf("lets in %v, want %v\n%s", union(have), union(want), got.Text)
		}
	})
}

func union(list []netip.Prefix) []netip.Prefix {
	return prefixes.MergeAdjacent(prefixes.Canonical(list))
}

// understood are the values that have one meaning only: the network, whatever is
// around it or behind its length.
func understood(values []string, more ...string) (out []netip.Prefix) {
	for _, v := range append(slices.Clone(values), more...) {
		v = strings.TrimSpace(v)
		if addr, err := netip.ParseAddr(v); err == nil && addr.Zone() == "" && !addr.Is4In6() {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
		}
		if p, err := netip.ParsePrefix(v); err == nil && !p.Addr().Is4In6() {
			out = append(out, p.Masked())
		}
	}
	return out
}

// value is what a live list may hold: mostly prefixes, close to each other, the
// platform and the Seed's ranges, and sometimes anything.
func value() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		last, bits := rapid.IntRange(0, 255).Draw(t, "last"), rapid.IntRange(20, 32).Draw(t, "bits")
		net := rapid.SampledFrom([]string{"203.0.113", "192.0.2", "198.51.100"}).Draw(t, "net")
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return fmt.Sprintf("%s.%d", net, last)
		case 1:
			return fmt.Sprintf("%s.%d/%d", net, last, bits) // mostly with host bits
		case 2:
			return fmt.Sprintf("2001:db8:%x::/48", last)
		case 3:
			return rapid.String().Draw(t, "anything")
		}
		return netip.PrefixFrom(netip.MustParseAddr(fmt.Sprintf("%s.%d", net, last)), bits).Masked().String()
	})
}
