package policy_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/render/policy"
)

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []fault{
		{"nothing at all", "", []string{"1:1: the file holds no document [apiVersion: portcullis.dev/v1alpha1 and kind: Config]"}},
		{"comments alone", "# later\n---\n", []string{"1:1: the file holds no document"}},
		{"not YAML", "seed: [\n", []string{"1:1: did not find"}},
		{"a tab", "seed: a\n\tpolicyFile: b\n", []string{"2:1: a tab where YAML wants spaces"}},
		{"no mapping", "- seed\n", []string{"1:1: a list, where a mapping belongs"}},
		{"an alias, and another fault", leastConfig + "console: {url: &a 5}\nschedule: *a\n", []string{`5:16: "5", where a string belongs [put it in quotes: "5"]`, "5:16: anchors and aliases are not read here [write the value out]", "6:11: anchors and aliases"}},
		{"another kind", "apiVersion: portcullis.dev/v1alpha1\nkind: Policy\n", []string{`2:7: kind is "Policy", where Config belongs [Config]`}},
		{"another version", "apiVersion: portcullis.dev/v2\nkind: Config\n", []string{`1:13: apiVersion is "portcullis.dev/v2"`}},
		{"two documents", leastConfig + "---\nkind: Policy\n", []string{"6:1: a further document, where one of kind Config belongs alone"}},
		{"everything required is missing", "{}\n", []string{"1:1: apiVersion is missing", "1:1: kind is missing", "1:1: policyFile is missing", "1:1: seed is missing"}},
		{"required, and null", "apiVersion: portcullis.dev/v1alpha1\nkind: Config\nseed:\npolicyFile: ~\n",
			[]string{"3:1: seed has no value", "4:1: policyFile has no value"}},
		{"a misspelt key", leastConfig + "shedule: x\n", []string{`5:1: "shedule" is not known here [schedule]`}},
		{"a seed that is no name", strings.Replace(leastConfig, "eu-west", "EU", 1), []string{`3:7: "EU" is no name for a seed`}},
		{"a key twice", leastConfig + "seed: b\n", []string{`5:1: "seed" is there already, at 3:1`}},
		{"a wrong type", leastConfig + "apply: 3\nsources: {}\n", []string{`5:8: "3", where a mapping belongs`, "6:10: a mapping, where a list belongs"}},

		{"a seed that is no name", strings.Replace(leastConfig, "eu-west", "EU_West", 1), []string{`3:7: "EU_West" is no name`}},
		{"an empty policyFile", strings.Replace(leastConfig, "policy.yaml", `""`, 1), []string{"4:13: policyFile is empty"}},
		{"seedResource without a namespace", leastConfig + "seedResource: eu-west\n",
			[]string{`5:15: seedResource is "eu-west", where namespace/name of a Seed object belongs [kubermatic/eu-west]`}},
		{"seedResource with too much", leastConfig + "seedResource: a/b/c\n", []string{"5:15: seedResource is"}},
		{"seedResource with dots", leastConfig + "seedResource: a/b.c\n", nil},

		{"cron", leastConfig + "schedule: \"*/5 * * * *\"\n", nil},
		{"cron with a time zone", leastConfig + "schedule: TZ=UTC 0 6 * * 1-5\n", nil},
		{"no cron", leastConfig + "schedule: often\n", []string{`5:11: schedule is "often": expected exactly 5 fields`}},
		{"an empty schedule", leastConfig + "schedule: \"\"\n", []string{`5:11: schedule is ""`}},
		{"a time zone alone", leastConfig + "schedule: TZ=UTC\n", []string{`5:11: schedule is "TZ=UTC": it cannot be read`}},
		{"faster than a second", leastConfig + "schedule: \"@every 0s\"\n", []string{`5:11: schedule is "@every 0s": 0s is less than a second`}},
		{"backwards", leastConfig + "schedule: \"@every -1m\"\n", []string{`5:11: schedule is "@every -1m"`}},
		{"a day that never comes", leastConfig + "schedule: 0 0 30 2 *\n", []string{`5:11: schedule is "0 0 30 2 *": it never comes`}},

		{"console", leastConfig + "console: {url: https://portcullis.example.com/}\n", nil},
		{"console without http", leastConfig + "console: {url: portcullis.example.com}\n", []string{"5:16: url is neither https nor http"}},
		{"console with a password", leastConfig + "console: {url: https://a:b@c}\n", []string{"5:16: url holds a password"}},

		{"a view of one's own by addresses", leastConfig + "console: {projectsHeader: X-Forwarded-Groups, projectsPrefix: kkp-, allProjects: operators, trustedProxies: [127.0.0.1, 2001:db8::/64]}\n", nil},
		{"a view of one's own by a secret", leastConfig + "console: {projectsHeader: X-Forwarded-Groups, sharedSecretFile: secret, sharedSecretHeader: X-Secret}\n", nil},
		{"addresses alone, for X-Forwarded-For", leastConfig + "console: {trustedProxies: [127.0.0.1]}\n", nil},
		{"a header from anybody", leastConfig + "console: {projectsHeader: X-Groups}\n", []string{"5:11: projectsHeader is there, and nothing by which the proxy that sends it is known [trustedProxies"}},
		{"a secret for nothing", leastConfig + "console: {sharedSecretFile: s}\n", []string{"5:11: sharedSecretFile has no effect without projectsHeader"}},
		{"operators for nothing", leastConfig + "console: {allProjects: ops, projectsPrefix: a}\n", []string{"5:11: allProjects has no effect", "5:29: projectsPrefix has no effect"}},
		{"everybody is a proxy", leastConfig + "console: {projectsHeader: X-A, trustedProxies: [0.0.0.0/0]}\n", []string{"5:49: 0.0.0.0/0 is everybody"}},
		{"no proxy", leastConfig + "console: {projectsHeader: X-A, trustedProxies: []}\n", []string{"5:48: trustedProxies names none"}},
		{"no header", leastConfig + "console: {projectsHeader: \"X A\", trustedProxies: [127.0.0.1]}\n", []string{`5:27: projectsHeader is "X A", which is no name of a header`}},
		{"a value with a comma", leastConfig + "console: {projectsHeader: X-A, allProjects: \"a,b\", trustedProxies: [127.0.0.1]}\n", []string{`5:45: allProjects is "a,b": commas`}},

		{"a negative rate", leastConfig + "apply: {rate: -1}\n", []string{"5:15: rate is -1 writes a second"}},
		{"a rate that is no number", leastConfig + "apply: {rate: .inf}\n", []string{`5:15: ".inf", where a number belongs`}},

		{"freeze without anything", leastConfig + "freeze: [{}]\n", []string{"5:10: cluster is missing", "5:10: until is missing"}},
		{"freeze until a day", leastConfig + "freeze: [{cluster: a, until: 2026-11-30}]\n", []string{"5:30: until is a day, where a time belongs [2026-11-30T06:00:00Z]"}},
		{"freeze until some time", leastConfig + "freeze: [{cluster: a, until: tomorrow}]\n", []string{`5:30: "tomorrow" is neither a day nor a time [2026-11-30T06:00:00Z]`}},
		{"freeze of no cluster", leastConfig + "freeze: [{cluster: shop_prod, until: 2026-11-30T06:00:00Z}]\n", []string{`5:20: "shop_prod" is no cluster's ID`}},
		{"freeze of *, unquoted", leastConfig + "freeze: [{cluster: *, until: 2026-11-30T06:00:00Z}]\n", []string{`5:20: a "*" without quotes begins an alias [put it in quotes: "*"]`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, problems := policy.ParseConfig([]byte(row.file))
			row.check(t, problems)
		})
	}
}
