package policy_test

import (
	"testing"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

// seed is a Policy whose one seed is as given, from column 18 of line 3.
func seed(content string) string {
	return "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-west: " + content + "}\n"
}

func TestPolicyFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []fault{
		{"no seeds", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\n", []string{"1:1: seeds is missing"}},
		{"seeds, and null", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds:\n", []string{"3:1: seeds has no value"}},
		{"seeds that are none", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {}\n", []string{"3:1: seeds names no seed"}},
		{"a seed with nothing to say", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds:\n  eu-west:\n", nil},
		{"a seed that is no name", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {EU: {}}\n", []string{`3:9: "EU" is no name for a seed`}},
		{"a seed twice", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {a: {}, a: {}}\n", []string{`3:16: "a" is there already, at 3:9`}},

		{"a load balancer", seed("{loadBalancer: hetzner}"), nil},
		{"a misspelt load balancer", seed("{loadBalancer: azur}"), []string{`3:33: there is no load balancer "azur" [azure]`}},
		{"quite another one", seed("{loadBalancer: f5}"), []string{`3:33: there is no load balancer "f5" [one of aws-nlb, `}},
		{"a described one", seed("{loadBalancer: {enforces: yes, ipv6: dual-stack, absentFamily: open, merge: adjacent}}"), nil},
		{"a wrong word in it", seed("{loadBalancer: {enforces: maybe}}"), []string{`3:44: "maybe" is none of: yes, no, unknown`}},
		{"true for yes", seed("{loadBalancer: {enforces: true}}"), []string{`3:44: "true", where a string belongs`}},
		{"a budget of nothing", seed("{loadBalancer: {budget: {rules: 0, perEntry: 0}}}"),
			[]string{"3:50: rules is 0, where a number from 1", "3:63: perEntry is 0, where a number from 1"}},
		{"a budget without rules", seed("{loadBalancer: {budget: {perEntry: 3}}}"), []string{"3:34: rules is missing"}},
		{"a list of them", seed("{loadBalancer: [azure]}"), []string{"3:33: a list, where a mapping belongs"}},

		{"a platform range with host bits", seed("{platform: [{cidr: 192.0.2.1/28}]}"), []string{"3:37: \"192.0.2.1/28\" has bits set behind its length"}},
		{"a platform without a range", seed("{platform: [{description: a}]}"), []string{"3:30: cidr is missing"}},
		{"a platform range that the load balancer refuses", seed("{loadBalancer: aws-nlb, platform: [{cidr: 192.0.2.0/28}, {cidr: '2001:db8::/48'}]}"),
			[]string{"3:82: 2001:db8::/48 is IPv6, and the load balancer of seed eu-west (aws-nlb) takes IPv4 alone"}},
		{"one that it may take", seed("{loadBalancer: aws-lbc, platform: [{cidr: '2001:db8::/48'}]}"), nil},
		{"all of the world", seed("{platform: [{cidr: 0.0.0.0/0}]}"), []string{"3:37: these ranges let half of all IPv4 addresses or more in"}},
		{"half of the world, in parts", seed("{platform: [{cidr: 0.0.0.0/2}, {cidr: 64.0.0.0/2}, {cidr: 0.0.0.0/3}]}"), []string{"3:37: these ranges let half"}},
		{"half of the world, behind what is narrow", seed("{platform: [{cidr: 192.0.2.0/28}, {cidr: 0.0.0.0/2}, {cidr: 64.0.0.0/2}]}"), []string{"3:59: these ranges let half"}},
		{"less than half, in parts", seed("{platform: [{cidr: 0.0.0.0/2}, {cidr: 64.0.0.0/3}, {cidr: 0.0.0.0/3}, {cidr: 0.0.0.0/2}]}"), nil},
		{"half of IPv6", seed("{platform: [{cidr: 2000::/4}]}"), []string{"3:37: these ranges let half of all IPv6"}},
		{"half of both", seed("{platform: [{cidr: 2000::/4}, {cidr: 0.0.0.0/1}]}"), []string{"3:37: these ranges let half of all IPv6", "3:55: these ranges let half of all IPv4"}},
		{"IPv6 that is not handed out", seed("{platform: [{cidr: fc00::/7}, {cidr: 8000::/1}]}"), nil},
		{"no datacenters", seed("{platform: [{cidr: 192.0.2.0/28, datacenters: []}]}"), []string{"3:64: datacenters names none"}},
		{"a datacenter twice", seed("{platform: [{cidr: 192.0.2.0/28, datacenters: [a, a]}]}"), []string{`3:68: the datacenter "a" is there already, at 3:65`}},

		{"a tenant without projects", leastPolicy + "tenants: {acme: {}}\n", []string{"4:11: projects is missing"}},
		{"a tenant, and null", leastPolicy + "tenants: {acme: }\n", []string{`4:11: the tenant "acme" has no projects [projects: [...]]`}},
		{"a tenant with no projects", leastPolicy + "tenants: {acme: {projects: []}}\n", []string{`4:18: the tenant "acme" has no projects`}},
		{"a tenant that is no folder", leastPolicy + "tenants: {../acme: {projects: [p]}}\n", []string{`4:11: "../acme" is no name for a tenant`}},
		{"a project that is none", leastPolicy + "tenants: {acme: {projects: [A B]}}\n", []string{`4:29: "A B" is no name for a project`}},
		{"a project twice", leastPolicy + "tenants: {acme: {projects: [p, p]}}\n", []string{`4:32: the project "p" is there already, at 4:29`}},
		{"a project of two tenants", leastPolicy + "tenants:\n  b: {projects: [p]}\n  a: {projects: [p]}\n", []string{`6:18: the project p is the tenant "b"'s already, at 5:18`}},

		{"a group that is no name", leastPolicy + "groups: {provider/noc: [{cidr: 192.0.2.1}]}\n", []string{`4:10: "provider/noc" is no name for a group`}},
		{"a group without entries", leastPolicy + "groups: {noc: []}\n", []string{`4:10: the group "noc" has no entries`}},
		{"a group, and null", leastPolicy + "groups: {noc: }\n", []string{`4:10: the group "noc" has no entries`}},
		{"cidr and cidrs", leastPolicy + "groups: {noc: [{cidrs: [192.0.2.1], cidr: 192.0.2.2}]}\n", []string{"4:37: cidr is there beside cidrs, at 4:17"}},
		{"neither", leastPolicy + "groups: {noc: [{description: a}]}\n", []string{"4:16: one of cidr, cidrs is missing"}},
		{"no prefix", leastPolicy + "groups: {noc: [{cidrs: []}]}\n", []string{"4:24: cidrs holds no prefix"}},
		{"an expiry, which none has", leastPolicy + "groups: {noc: [{cidr: 192.0.2.1, expires: 2026-12-31}]}\n", []string{`4:34: "expires" is not known here`}},

		{"no entries allowed", leastPolicy + "limits: {maxEntries: 0}\n", []string{"4:22: maxEntries is 0, where a number from 1"}},
		{"a length that is none", leastPolicy + "limits: {widest: {ipv4: 33, ipv6: 129}, routine: {ipv4: -1}}\n",
			[]string{"4:25: ipv4 is 33, where a number from 0 to 32 belongs", "4:35: ipv6 is 129, where a number from 0 to 128 belongs", "4:57: ipv4 is -1"}},
		{"a length with a slash", leastPolicy + "limits: {widest: {ipv4: /12}}\n", []string{`4:25: "/12", where a whole number belongs`}},
		{"a length with a zero before it", leastPolicy + "limits: {widest: {ipv4: 012}}\n", []string{`4:25: "012", where a whole number belongs`}},
		{"a forbidden range that is none", leastPolicy + "limits: {forbidden: [{cidr: 10.66.0.0/99}]}\n", []string{`4:29: "10.66.0.0/99" has the length "99"`}},
		{"an expiry's length", leastPolicy + "require: {expiryWiderThan: {ipv6: 200}}\n", []string{"4:35: ipv6 is 200"}},
		{"yes for true", leastPolicy + "require: {owner: yes}\n", []string{`4:18: "yes", where true or false belongs`}},
		{"a selector's word", leastPolicy + "selectors: label\n", []string{`4:12: "label" is none of: projects, labels, deny [labels]`}},
		{"a negative time", leastPolicy + "breakGlass: -1h\n", []string{`4:13: "-1h", where a duration such as 15m belongs`}},
		{"more than all", leastPolicy + "blastRadius: {clusters: -1, percent: 101}\n", []string{"4:25: clusters is -1", "4:38: percent is 101, where a number from 0 to 100 belongs"}},
		{"a test of both", leastPolicy + "tests: [{deny: 192.0.2.1, allow: 192.0.2.1}]\n", []string{"4:27: allow is there beside deny, at 4:10"}},
		{"a test of neither", leastPolicy + "tests: [{}]\n", []string{"4:9: one of allow, deny is missing"}},
		{"a test of no address", leastPolicy + "tests: [{deny: example.com}]\n", []string{`4:16: "example.com" is not an address`}},
		{"an unknown rule", leastPolicy + "rules: {to-wide: off}\n", []string{`4:9: there is no rule "to-wide"`}},
		{"a rule that cannot be changed", leastPolicy + "rules: {open-world: warning}\n", []string{"4:9: the severity of open-world cannot be changed"}},
		{"a severity that is none", leastPolicy + "rules: {too-wide: warn}\n", []string{`4:19: "warn" is none of: error, warning, off`}},
		{"a rule twice", leastPolicy + "rules: {too-wide: off, too-wide: error}\n", []string{`4:24: "too-wide" is there already, at 4:9`}},
		{"a rule, and null", leastPolicy + "rules: {too-wide: }\n", []string{`4:9: "too-wide" has no value`}},
		{"several at once", leastPolicy + "alowOpen: true\nselectors: some\nblastRadius: {percent: 200}\n",
			[]string{`4:1: "alowOpen" is not known here [allowOpen]`, `5:12: "some" is none of`, "6:24: percent is 200"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, problems := policy.ParsePolicy([]byte(row.file), changeable)
			row.check(t, problems)
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const two = "sources:\n- {name: a, url: file:///a, path: b, tenants: [acme]}\n- {name: b, url: file:///c, tenant: p1}\n"
	for _, row := range []struct {
		fault
		config string
	}{
		{fault{"both agree", leastPolicy, nil}, leastConfig},
		{fault{"the seed is misspelt", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {eu-wset: {}}\n",
			[]string{`3:1: seeds does not have "eu-west", the seed of the Config [add it, or write seed: eu-wset in the Config]`}}, leastConfig},
		{fault{"the seed is missing", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\nseeds: {b: {}}\n",
			[]string{`3:1: seeds does not have "eu-west", the seed of the Config [eu-west: {}]`}}, leastConfig},
		{fault{"projects apart", leastPolicy + "tenants: {acme: {projects: [p2]}}\n", nil}, leastConfig + two},
		{fault{"a project reached twice", leastPolicy + "tenants: {acme: {projects: [p1]}}\n",
			[]string{`4:29: the project "p1" is reached by the sources' tenants "acme" and "p1"`}}, leastConfig + two},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.check(t, policy.Validate(mustConfig(t, row.config), mustPolicy(t, row.file)))
		})
	}
}

// Without a policy, seeds are not judged here either.
func TestValidateWithoutAPolicy(t *testing.T) {
	t.Parallel()
	if problems := policy.Validate(mustConfig(t, leastConfig), policy.Default()); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
}
