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

// spec is an allowlist of production whose spec begins on line 5.
func spec(lines ...string) string {
	return "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: production}\nspec:\n  " + strings.Join(lines, "\n  ") + "\n"
}

func withPolicy(t *testing.T, w *world, text string) *world {
	t.Helper()
	p, problems := policy.ParsePolicy([]byte("apiVersion: portcullis.dev/v1alpha1\nkind: Policy\ntenants: {acme: {projects: [acmeproj01, acmeproj02]}}\n"+text), lint.Changeable)
	if len(problems) > 0 {
		t.Fatalf("policy: %v", problems)
	}
	w.policy = p
	return w
}

// quiet is a policy in which nothing but what a case is about is found.
const quiet = "seeds: {eu-west: {loadBalancer: cilium}, us-east: {loadBalancer: cilium}}\ngroups: {noc: [{cidr: 198.41.0.0/24}]}\n"

// ruleCase is what a rule finds in acme/a.yaml and acme/g.yaml, as
// path:line:column severity rule; message is part of the first one's.
type ruleCase struct {
	policy  string // quiet, unless another
	a, g    string
	want    []string
	message string
}

const seed, cluster, egress = "seed: eu-west", "clusters: [shopprod01]", "nodeEgress: none"

func TestRules(t *testing.T) {
	t.Parallel()
	groupOf := func(entries string) string {
		return "apiVersion: portcullis.dev/v1alpha1\nkind: AddressGroup\nmetadata: {name: vpn}\nspec:\n  entries:\n" + entries
	}
	many := func(n int) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf("81.16.%d.0/24", 2*i))
		}
		return "entries: [{cidrs: [" + strings.Join(out, ", ") + "]}]"
	}
	for name, c := range map[string]ruleCase{
		"nothing":                      {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24")},
		"as wide as permitted":         {a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.0.0.0/13, 81.8.0.0/13, '2a00:1::/32']")},
		"one address too wide":         {a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.8.0.0/13, 81.0.0.0/13, 91.0.0.1]"), want: []string{"acme/a.yaml:9:15 error too-wide"}, message: "lets in 1,048,577 IPv4 addresses, where one /12 (1,048,576) is the most"},
		"too wide in IPv6":             {a: spec(seed, cluster, egress, "entries:", "  - cidrs: ['2a00:2::/33', '2a00:1::/32']"), want: []string{"acme/a.yaml:9:30 error too-wide"}, message: "lets in 3 x /33 of IPv6, where one /32 is the most"},
		"too wide, in four":            {a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.0.0.0/13, 81.8.0.0/13, 81.16.0.0/13, 81.24.0.0/13]"), want: []string{"acme/a.yaml:9:15 error too-wide"}, message: "2,097,152 IPv4"},
		"too wide by a group":          {a: spec(seed, cluster, egress, "entries:", "  - group: vpn"), g: groupOf("    - cidr: 81.0.0.0/11\n"), want: []string{"acme/a.yaml:9:14 error too-wide"}},
		"too wide by one of IPv6":      {a: spec(seed, cluster, egress, "entries:", "  - cidrs: ['2a00:2::7', '2a00:1::/32']"), want: []string{"acme/a.yaml:9:28 error too-wide"}, message: "lets in more than 1 x /32 of IPv6, where one /32 is the most"},
		"half the world is open alone": {a: spec(seed, cluster, egress, "entries:", "  - cidrs: [0.0.0.0/1]"), want: []string{"acme/a.yaml:9:15 error open-world"}},
		"wide, and past":               {a: spec(seed, cluster, egress, "entries:", "  - {cidr: 81.0.0.0/8, expires: 2026-11-21}", "  - cidr: 91.1.1.1"), want: []string{"acme/a.yaml:9:35 error expired"}},
		"fifty entries":                {a: spec(seed, cluster, egress, many(50))},
		"fifty-one":                    {a: spec(seed, cluster, "nodeEgress: [9.9.9.9]", many(50)), want: []string{"acme/a.yaml:8:752 error too-many-entries"}, message: "51 prefixes"},
		"fifty-one, egress last":       {a: spec(seed, cluster, many(50), "nodeEgress: [9.9.9.9]"), want: []string{"acme/a.yaml:8:16 error too-many-entries"}, message: "51 prefixes"},

		"no node egress":            {a: spec(seed, cluster, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:4:1 error node-egress-missing"}, message: "name of shopprod01 (shopprod01) would be restricted for the first time"},
		"null for node egress":      {a: spec(seed, cluster, "nodeEgress:", "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:7:3 error node-egress-missing"}},
		"no address of node egress": {a: spec(seed, cluster, "nodeEgress: []", "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:7:3 error node-egress-missing"}},
		"the platform's egress":     {policy: strings.Replace(quiet, "cilium}", "cilium, platform: [{cidr: 9.9.9.0/24, nodeEgress: true, datacenters: [dc-a]}]}", 1), a: spec(seed, cluster, "entries:", "  - cidr: 81.16.0.0/24")},
		"another datacenter's":      {policy: strings.Replace(quiet, "cilium}", "cilium, platform: [{cidr: 9.9.9.0/24, nodeEgress: true, datacenters: [dc-z]}]}", 1), a: spec(seed, cluster, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:4:1 error node-egress-missing"}},
		"egress of a selector":      {a: spec(seed, "clusterSelector: {}", "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:4:1 error node-egress-missing"}},
		"egress nobody asks for":    {policy: quiet + "require: {nodeEgress: false}\n", a: spec(seed, cluster, "entries:", "  - cidr: 81.16.0.0/24")},
		"egress of what is open":    {policy: quiet + "allowOpen: true\n", a: spec(seed, cluster, "access: open")},

		"twice":                      {a: spec(seed, cluster, egress, "entries:", "  - {cidr: 81.16.0.1, owner: a@b}", "  - cidr: 81.16.0.1/32"), want: []string{"acme/a.yaml:10:13 warning duplicate-entry"}, message: "acme/a.yaml:9:14, owner a@b"},
		"twice, one for a time":      {a: spec(seed, cluster, egress, "entries:", "  - {cidr: 81.16.0.1, expires: 2030-01-01}", "  - cidr: 81.16.0.1"), want: []string{"acme/a.yaml:10:13 warning duplicate-entry"}, message: "at acme/a.yaml:9:14: the one that lasts longer counts"},
		"twice, by a group":          {a: spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - cidr: 81.16.0.1"), g: groupOf("    - cidr: 81.16.0.1\n"), want: []string{"acme/g.yaml:6:13 warning duplicate-entry"}, message: "acme/a.yaml:10:13"},
		"a group twice":              {a: spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - group: vpn"), g: groupOf("    - cidr: 81.16.0.1\n"), want: []string{"acme/a.yaml:10:14 warning duplicate-entry"}, message: "group vpn is there already, at acme/a.yaml:9:14"},
		"a large group twice":        {a: spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - group: vpn"), g: groupOf("    - cidrs: [81.16.0.1, 81.16.0.2, 81.16.0.3]\n"), want: []string{"acme/a.yaml:10:14 warning duplicate-entry"}},
		"a group three times":        {a: spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - group: vpn", "  - group: vpn"), g: groupOf("    - cidrs: [81.16.0.1, 81.16.0.2]\n"), want: []string{"acme/a.yaml:10:14 warning duplicate-entry", "acme/a.yaml:11:14 warning duplicate-entry"}},
		"a provider's group twice":   {a: spec(seed, cluster, egress, "entries:", "  - group: provider/noc", "  - group: provider/noc"), want: []string{"acme/a.yaml:10:14 warning duplicate-entry"}, message: "group provider/noc is there already"},
		"twice in provider's groups": {policy: "seeds: {eu-west: {loadBalancer: cilium}, us-east: {loadBalancer: cilium}}\ngroups: {noc: [{cidr: 198.41.0.0/24}, {cidr: 198.41.0.0/24}], ops: [{cidr: 198.41.0.0/24}]}\n", a: spec(seed, cluster, egress, "entries:", "  - group: provider/noc", "  - group: provider/ops")},
		"forbidden, of nodes":        {policy: quiet + "limits: {forbidden: [{cidr: 81.16.0.0/24}]}\n", a: spec(seed, cluster, "nodeEgress: [81.16.0.1]", "entries:", "  - cidr: 81.17.0.0/24"), want: []string{"acme/a.yaml:7:16 error forbidden-range"}},
		"forbidden, without a list":  {policy: quiet + "limits: {forbidden: [{cidr: 81.16.0.0/24}]}\n", a: spec(seed, cluster, "nodeEgress: [81.16.0.1]", "access: unmanaged")},
		"no owner in a group":        {policy: quiet + "require: {owner: true}\n", a: spec(seed, cluster, egress, "entries:", "  - group: vpn"), g: groupOf("    - {cidr: 81.16.0.1, owner: a@b}\n    - cidr: 81.16.0.2\n"), want: []string{"acme/a.yaml:9:7 error owner-required"}, message: "an entry of the group vpn, at acme/g.yaml:7:13, has no owner"},
		"a cluster twice":            {a: spec(seed, "clusters: [shopprod01, shoptest01, shopprod01]", egress, "entries:", "  - cidr: 81.16.0.1"), want: []string{"acme/a.yaml:6:38 warning duplicate-entry"}, message: "the cluster \"shopprod01\" is there already, at acme/a.yaml:6:14"},
		"node egress twice":          {a: spec(seed, cluster, "nodeEgress: [81.16.0.1, 81.16.0.2, 81.16.0.1/32]", "entries:", "  - cidr: 81.16.4.0/24"), want: []string{"acme/a.yaml:7:38 warning duplicate-entry"}, message: "81.16.0.1/32 is there already, at acme/a.yaml:7:16"},
		"covered":                    {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.7", "  - {cidr: 81.16.0.0/24, owner: a@b}"), want: []string{"acme/a.yaml:9:13 warning covered-entry"}, message: "81.16.0.0/24, at acme/a.yaml:10:14, owner a@b"},
		"covered by a group":         {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.7", "  - group: vpn"), g: groupOf("    - {cidr: 81.16.0.0/24, owner: a@b}\n"), want: []string{"acme/a.yaml:9:13 warning covered-entry"}, message: "acme/g.yaml:6:14, group vpn, owner a@b"},
		"covered by the provider":    {a: spec(seed, cluster, egress, "entries:", "  - cidr: 198.41.0.7", "  - group: provider/noc"), want: []string{"acme/a.yaml:9:13 warning covered-entry"}, message: "provider/noc (the provider's)"},
		"covered for a time":         {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.7", "  - {cidr: 81.16.0.0/24, expires: 2027-01-01}")},
		"covered, and gone before":   {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 81.16.0.7, expires: 2027-01-01}"), want: []string{"acme/a.yaml:10:14 warning covered-entry"}},
		"covered by what stays most": {a: spec(seed, cluster, egress, "entries:", "  - {cidr: 81.16.0.0/24, expires: 2027-01-01}", "  - cidr: 81.16.0.0/25", "  - cidr: 81.16.0.1"), want: []string{"acme/a.yaml:11:13 warning covered-entry"}, message: "within 81.16.0.0/25"},
		"node egress in an entry":    {a: spec(seed, cluster, "nodeEgress: [81.16.0.7]", "entries:", "  - cidr: 81.16.0.0/24")},

		"a private network":          {a: spec(seed, cluster, "nodeEgress: [192.168.1.0/24]", "entries:", "  - cidrs: [81.16.0.0/24, 10.1.0.0/16]"), want: []string{"acme/a.yaml:7:16 warning special-range", "acme/a.yaml:9:29 warning special-range"}, message: `192.168.0.0/16, "Private-Use" (RFC 1918)`},
		"the closest of the ranges":  {a: spec(seed, cluster, egress, "entries:", "  - cidr: 2001:db8:17::/48"), want: []string{"acme/a.yaml:9:13 warning special-range"}, message: `2001:db8::/32, "Documentation" (RFC 3849)`},
		"a special range in a group": {a: spec(seed, cluster, egress, "entries:", "  - group: vpn"), g: groupOf("    - cidrs: [81.16.0.1, 100.64.0.0/24]\n"), want: []string{"acme/g.yaml:6:26 warning special-range"}, message: "RFC 6598"},
		"the platform's is not":      {policy: strings.Replace(quiet, "cilium}", "cilium, platform: [{cidr: 10.0.0.0/24}]}", 1), a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24")},

		"the end of a day":      {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-22}")},
		"the day before":        {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-21}"), want: []string{"acme/a.yaml:10:33 error expired"}, message: "up since 2026-11-22 00:00 UTC"},
		"that very moment":      {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-22T12:00:00Z}"), want: []string{"acme/a.yaml:10:33 error expired"}},
		"a group for a time":    {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {group: vpn, expires: 2026-11-01}"), g: groupOf("    - cidr: 91.1.1.1\n"), want: []string{"acme/a.yaml:10:29 error expired"}, message: "the time of group vpn"},
		"expired in a group":    {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - group: vpn"), g: groupOf("    - {cidr: 91.1.1.1, expires: 2026-11-01}\n"), want: []string{"acme/g.yaml:6:33 error expired"}},
		"a milder policy":       {policy: quiet + "rules: {expired: warning}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-21}"), want: []string{"acme/a.yaml:10:33 warning expired"}},
		"soon, and nobody asks": {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-23}")},
		"soon": {policy: quiet + "rules: {expires-soon: warning}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-29T12:00:00Z}", "  - {cidr: 91.1.1.2, expires: 2026-11-29T12:00:01Z}"),
			want: []string{"acme/a.yaml:10:33 warning expires-soon"}},
		"a group nobody names": {a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24"), g: groupOf("    - cidr: 91.1.1.1\n"), want: []string{"acme/g.yaml:3:18 warning unused-group"}},

		"tests of what is open": {policy: quiet + "allowOpen: true\n", a: spec(seed, cluster, "access: open", "tests: [{allow: 9.9.9.9}, {deny: 192.0.2.1}, {deny: '2001:db8::1'}]"),
			want: []string{"acme/a.yaml:8:36 error test-failed", "acme/a.yaml:8:55 error test-failed"}, message: "192.0.2.1 should be kept out, and is let in"},
		"canaries of what is open": {policy: quiet + "allowOpen: true\ntests: [{deny: 192.0.2.1}, {allow: 9.9.9.9}]\n", a: spec(seed, cluster, "access: open"),
			want: []string{"acme/a.yaml:7:11 error canary-failed"}, message: "wants 192.0.2.1/32 kept out, and it is let in"},
		"tests of what is unmanaged": {policy: quiet + "tests: [{deny: 192.0.2.1}]\n", a: spec(seed, cluster, "access: unmanaged", "tests: [{allow: 9.9.9.9}, {deny: 192.0.2.1}]")},

		"not enforced":               {policy: "seeds: {eu-west: {loadBalancer: hetzner}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:6:14 error not-enforced"}, message: "(hetzner) ignores the list"},
		"enforced, who knows":        {policy: "seeds: {eu-west: {}}\n", a: spec(seed, "clusters: [shopprod01, shoptest01]", egress, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:6:14 warning not-enforced"}, message: "(generic)"},
		"enforced, for a selector":   {policy: "seeds: {eu-west: {}}\n", a: spec(seed, "clusterSelector: {}", egress, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:6:20 warning not-enforced"}},
		"enforced, for labels":       {policy: "seeds: {eu-west: {}}\n", a: spec(seed, "clusterSelector:", "  matchLabels: {project-id: acmeproj01}", egress, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:7:5 warning not-enforced"}},
		"IPv6 that is refused":       {policy: "seeds: {eu-west: {loadBalancer: aws-nlb}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.16.0.0/24, '2a00:1::/48']"), want: []string{"acme/a.yaml:9:29 error family-unsupported"}, message: "aws-nlb"},
		"IPv6 that may be refused":   {policy: "seeds: {eu-west: {loadBalancer: aws-lbc}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.16.0.0/24, '2a00:1::/48']"), want: []string{"acme/a.yaml:9:29 warning family-unsupported"}},
		"a family that is open":      {policy: "seeds: {eu-west: {loadBalancer: gke}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24"), want: []string{"acme/a.yaml:8:3 warning family-gap"}, message: "no IPv6 prefix"},
		"the other one":              {policy: "seeds: {eu-west: {loadBalancer: gke}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: '2a00:1::/48'"), want: []string{"acme/a.yaml:8:3 warning family-gap"}, message: "no IPv4 prefix"},
		"filled by the platform":     {policy: "seeds: {eu-west: {loadBalancer: gke, platform: [{cidr: '2a00:2::/48'}]}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24")},
		"a family that is denied":    {policy: "seeds: {eu-west: {loadBalancer: azure}}\n", a: spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24")},
		"as much as the budget":      {policy: budgeted, a: spec(seed, cluster, egress, "entries:", "  - cidrs: [81.16.0.0/24, 81.16.2.0/24, 81.16.4.0/24]")},
		"more than the budget":       {policy: budgeted, a: spec(seed, "clusters: [shopprod01, shoptest01]", egress, "entries:", "  - cidrs: [81.16.0.0/24, 81.16.2.0/24]"), want: []string{"acme/a.yaml:6:14 error rule-budget", "acme/a.yaml:6:26 error rule-budget"}, message: "9 are left before this change, and none would be after it, with 3 too many"},
		"a budget of each, not both": {policy: strings.Replace(budgeted, "sharedBy: seed", "sharedBy: cluster", 1), a: spec(seed, "clusters: [shopprod01, shoptest01]", egress, "entries:", "  - cidrs: [81.16.0.0/24, 81.16.2.0/24]")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), orQuiet(c.policy)).afterNothing()
			w.files["acme/a.yaml"] = c.a
			if c.g != "" {
				w.files["acme/g.yaml"] = c.g
			}
			p := w.plan()
			wantFindings(t, p, c.want...)
			if c.message != "" && (len(p.Findings) == 0 || !strings.Contains(p.Findings[0].Message, c.message)) {
				t.Errorf("got %v, want %q in it", p.Findings, c.message)
			}
		})
	}
}

func orQuiet(policy string) string {
	if policy == "" {
		return quiet
	}
	return policy
}

// budgeted is a seed whose load balancers take nine rules together, three of
// them a prefix.
const budgeted = "seeds: {eu-west: {loadBalancer: {enforces: 'yes', ipv6: 'yes', absentFamily: denied, budget: {rules: 9, perEntry: 3, sharedBy: seed}}}}\n"

func production(cluster string, cidrs ...string) string {
	return spec(seed, "clusters: ["+cluster+"]", egress, "entries: [{cidrs: ['"+strings.Join(cidrs, "', '")+"']}]")
}

// What is too much for the balancers is held, takes nothing from those who
// fit, and goes on by itself once there is room.
func TestBudgetHolds(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), budgeted)
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.0.0/24")
	w.files["globexproj/a.yaml"] = production("globexprod", "91.16.0.0/24")
	wantFindings(t, w.plan())
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:6:14 error rule-budget")
	wantHeld(t, p, "shopprod01", "rule-budget")
	wantList(t, p, "shopprod01", "81.16.0.0/24")
	w.files["globexproj/a.yaml"] = production("globexprod", "91.16.0.0/24", "91.16.2.0/24")
	p = w.plan()
	wantHeld(t, p, "globexprod", "")
	wantList(t, p, "globexprod", "91.16.0.0/24", "91.16.2.0/24")
	wantHeld(t, p, "shopprod01", "rule-budget")
	w.restart(p)
	p = w.plan()
	wantHeld(t, p, "shopprod01", "rule-budget")
	wantList(t, p, "shopprod01", "81.16.0.0/24")
	withPolicy(t, w, strings.Replace(budgeted, "rules: 9", "rules: 15", 1))
	p = w.plan()
	wantFindings(t, p)
	wantList(t, p, "shopprod01", "81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24")
	withPolicy(t, w, strings.Replace(budgeted, "rules: 9", "rules: 3", 1))
	p = w.plan() // a smaller budget takes nothing away
	wantHeld(t, p, "shopprod01", "")
	wantHeld(t, p, "globexprod", "")
}

func TestListsThatNobodyManagesCountAgainstTheBudget(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), budgeted)
	c := w.inventory.Clusters["globexprod"]
	c.Live = render.Live{Set: true, CIDRs: []string{"91.16.0.0/24", "91.16.2.0/24"}}
	w.inventory.Clusters["globexprod"] = c
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.0.0/24", "81.16.2.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:6:14 error rule-budget")
	if p.Clusters["shopprod01"].Writes() {
		t.Error("the first list of a cluster is written beyond the budget")
	}
}

func TestRefusedFamilyIsHeldUnlessItIsInForce(t *testing.T) {
	t.Parallel()
	const nlb = "seeds: {eu-west: {loadBalancer: aws-nlb}}\n"
	w := withPolicy(t, newWorld(t), nlb)
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.0.0/24")
	w.plan()
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.2.0/24", "2a00:1::/48")
	p := w.plan()
	wantHeld(t, p, "shopprod01", "family-unsupported")
	wantList(t, p, "shopprod01", "81.16.0.0/24")

	w = withPolicy(t, newWorld(t), quiet)
	w.files["acme/a.yaml"] = production("shopprod01", "81.16.2.0/24", "2a00:1::/48")
	w.plan()
	withPolicy(t, w, nlb) // a stricter policy refuses nothing that was accepted
	p = w.plan()
	wantHeld(t, p, "shopprod01", "")
	wantFindings(t, p, "acme/a.yaml:8:38 error family-unsupported")
}

// What the message says of the room there is.
func TestBudgetSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after []string // of shopprod01
		limit         string   // after it was accepted
		offline       bool
		want          string
	}{
		"a first list, offline":    {nil, []string{"81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24", "81.16.6.0/24"}, "9", true, "together have 9: the files ask for 12, which is 3 too many"},
		"a longer list, offline":   {[]string{"81.16.0.0/24"}, []string{"81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24", "81.16.6.0/24"}, "9", true, "6 are left before this change, and none would be after it, with 3 too many"},
		"a first list":             {nil, []string{"81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24", "81.16.6.0/24"}, "9", false, "9 are left before this change, and none would be after it, with 3 too many"},
		"what was too much before": {[]string{"81.16.0.0/24", "81.16.2.0/24"}, []string{"81.16.0.0/24", "81.16.2.0/24", "81.16.4.0/24"}, "3", false, "none is left before this change, with 3 too many taken already, and 6 too many would be after it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), budgeted)
			if c.offline {
				w.inventory = render.Inventory{}
			}
			if c.before != nil {
				w.files["acme/a.yaml"] = production("shopprod01", c.before...)
				w.plan()
			}
			withPolicy(t, w, strings.Replace(budgeted, "rules: 9", "rules: "+c.limit, 1))
			w.files["acme/a.yaml"] = production("shopprod01", c.after...)
			p := w.plan()
			wantFindings(t, p, "acme/a.yaml:6:14 error rule-budget")
			if got := p.Findings[0].Message; !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
}

// Severities that hang on the change: what stands is a warning.
func TestWhatStandsIsMilder(t *testing.T) {
	t.Parallel()
	old := spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-23}")
	w := withPolicy(t, newWorld(t), quiet)
	w.files["acme/a.yaml"] = old
	wantFindings(t, w.plan())
	w.now = date("2026-11-24T00:00:00Z")
	wantFindings(t, w.plan(), "acme/a.yaml:10:33 warning expired")

	w.files["acme/a.yaml"] = strings.Replace(old, "81.16.0.0/24", "81.16.0.0/16", 1) // beside the line
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:10:33 warning expired")
	delete(w.files, "acme/a.yaml")
	w.files["acme/b.yaml"] = old // the line moves
	wantFindings(t, w.plan(), "acme/b.yaml:10:33 warning expired")
	w.files["acme/b.yaml"] = strings.Replace(old, "81.16.0.0/24", "81.16.0.0/8", 1) // refused, and put right
	w.plan()
	w.files["acme/b.yaml"] = strings.Replace(old, "91.1.1.1", "91.1.1.1, owner: a@b", 1)
	wantFindings(t, w.plan(), "acme/b.yaml:10:45 warning expired")
	w.files["acme/b.yaml"] = strings.Replace(old, "91.1.1.1", "91.1.1.2", 1)
	wantFindings(t, w.plan(), "acme/b.yaml:10:33 error expired")
}

// Whether a line was added can be told only where it is known what was there:
// neither a first start, nor a lost state, nor the rest of the tenant's files
// being refused makes a mistake of a day that has passed.
func TestExpiredWithoutABase(t *testing.T) {
	t.Parallel()
	old := spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-01}")
	usesGroup := spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - group: vpn")
	dated := strings.Replace(group("vpn", "91.1.1.1"), "]}]}", "], expires: 2026-11-01}]}", 1)
	refused := []render.FileID{{Source: "s", Path: "acme/a.yaml"}}
	for name, c := range map[string]struct {
		base func(w *world) *render.Base
		want string
	}{
		"first start":       {func(*world) *render.Base { return nil }, "warning"},
		"nothing restored":  {func(*world) *render.Base { return render.Restore("s", nil, nil, nil, nil, nil) }, "warning"},
		"started, not read": {func(w *world) *render.Base { return render.Render(render.Input{Policy: w.policy, Now: w.now}).Base() }, "warning"},
		"as it was":         {func(w *world) *render.Base { return render.Restore("s", w.list(), nil, nil, nil, nil) }, "warning"},
		"refused before":    {func(w *world) *render.Base { return render.Restore("s", w.list(), refused, nil, nil, nil) }, "warning"},
		"another source's": {func(w *world) *render.Base {
			return (&render.Base{}).With(render.Restore("other", []render.File{}, nil, nil, nil, nil))
		}, "warning"},
		"nothing before":    {func(w *world) *render.Base { return w.afterNothing().base }, "error"},
		"offline, compared": {func(w *world) *render.Base { w.inventory = render.Inventory{}; return w.afterNothing().base }, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), quiet)
			w.files["acme/a.yaml"] = old
			w.base = c.base(w)
			p := w.plan()
			wantFindings(t, p, "acme/a.yaml:10:33 "+c.want+" expired")
			if got := p.Refused[refused[0]]; got != (c.want == "error") {
				t.Errorf("refused: %v", got)
			}

			w = withPolicy(t, newWorld(t), quiet)
			w.files["acme/a.yaml"], w.files["acme/g.yaml"] = usesGroup, dated
			w.base = c.base(w)
			wantFindings(t, w.plan(), "acme/g.yaml:4:49 "+c.want+" expired")
		})
	}
}

// A file that was never accepted, for a line had expired when it came, does not
// become good by a restart, nor do its lines when it is put right elsewhere.
func TestALineThatCameTooLateStaysSoOverARestart(t *testing.T) {
	t.Parallel()
	const late = "  - {cidr: 91.1.1.1, expires: 2026-11-01}"
	w := withPolicy(t, newWorld(t), quiet).afterNothing()
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", late)
	for range 3 {
		p := w.plan()
		wantFindings(t, p, "acme/a.yaml:10:33 error expired")
		if got := p.Overdue("s"); !slices.Equal(got, []string{"acme/a.yaml"}) || p.Overdue("another") != nil {
			t.Fatalf("overdue are %v, of another source %v", got, p.Overdue("another"))
		}
		if p.Clusters["shopprod01"].Writes() {
			t.Error("the list is written")
		}
		w.restart(p)
	}
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.1.0/24", late)
	wantFindings(t, w.plan(), "acme/a.yaml:10:33 error expired")
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.1.0/24")
	p := w.plan()
	wantFindings(t, p)
	if p.Overdue("s") != nil {
		t.Errorf("overdue are %v still", p.Overdue("s"))
	}
}

// A line that came in time stays one, however long something else refused its
// file: what was amiss can be mended in another file.
func TestALineWhoseTimePassedWhileItsFileWasRefused(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet).afterNothing()
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - {cidr: 91.1.1.1, expires: 2026-12-01}")
	wantFindings(t, w.plan(), "acme/a.yaml:9:14 error unknown-group")
	w.now = time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	for range 2 {
		wantFindings(t, w.plan(), "acme/a.yaml:9:14 error unknown-group", "acme/a.yaml:10:33 warning expired")
	}
	w.files["acme/g.yaml"] = group("vpn", "81.16.0.0/24")
	p := w.plan()
	wantFindings(t, p, "acme/a.yaml:10:33 warning expired")
	if !p.Clusters["shopprod01"].Writes() {
		t.Error("the list is not written")
	}
}

// What was empty when it was read is known to have been.
func TestExpiredAfterARestartOfNothing(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet)
	w.base = render.Restore("s", []render.File{}, nil, nil, nil, nil)
	w.base = render.Render(render.Input{Sources: []string{"s"}, Base: w.base, Policy: w.policy, Inventory: w.inventory, Seed: w.seed, Now: w.now}).Base()
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24", "  - {cidr: 91.1.1.1, expires: 2026-11-01}")
	wantFindings(t, w.plan(), "acme/a.yaml:10:33 error expired")
}

func TestNodeEgressOfWhatIsRestrictedAlready(t *testing.T) {
	t.Parallel()
	file := spec(seed, "clusters: [shopprod01, shoptest01]", "entries:", "  - cidr: 81.16.0.0/24")
	for name, c := range map[string]struct {
		live    []string
		offline bool
		want    string
	}{
		"one is not":  {[]string{"shopprod01"}, false, "error"},
		"all are":     {[]string{"shopprod01", "shoptest01"}, false, "warning"},
		"who knows":   {nil, true, "warning"},
		"neither one": {nil, false, "error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), quiet)
			for _, id := range c.live {
				cluster := w.inventory.Clusters[id]
				cluster.Live = render.Live{Set: true, CIDRs: []string{"9.9.9.9/32"}}
				w.inventory.Clusters[id] = cluster
			}
			if c.offline {
				w.inventory = render.Inventory{}
			}
			w.files["acme/a.yaml"] = file
			wantFindings(t, w.plan(), "acme/a.yaml:4:1 "+c.want+" node-egress-missing")
		})
	}
}

// Without a seed the base tells what it can: what it opened is restricted for
// the first time by what restricts it.
func TestNodeEgressOfWhatTheBaseOpened(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{"open": "error", "unmanaged": "warning", "restricted": "warning"} {
		w := withPolicy(t, newWorld(t), quiet+"allowOpen: true\n")
		w.inventory = render.Inventory{}
		w.files["acme/a.yaml"] = spec(seed, cluster, "access: "+before)
		if before == "restricted" {
			w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.0/24")
		}
		w.plan()
		w.files["acme/a.yaml"] = spec(seed, cluster, "entries:", "  - cidr: 81.16.0.0/24")
		wantFindings(t, w.plan(), "acme/a.yaml:4:1 "+want+" node-egress-missing")
	}
}

func TestEntryOfASharedGroupIsNotSpare(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet)
	w.files["acme/g.yaml"] = group("vpn", "81.16.0.7")
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - group: vpn", "  - cidr: 81.16.0.0/24")
	wantFindings(t, w.plan(), "acme/g.yaml:4:27 warning covered-entry")
	w.files["acme/b.yaml"] = strings.NewReplacer("production", "test", "shopprod01", "shoptest01", "\n    - cidr: 81.16.0.0/24", "").Replace(w.files["acme/a.yaml"])
	wantFindings(t, w.plan())
}
