package policy_test

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/render/policy"
	"github.com/portcullis-gitops/portcullis/render/profile"
)

const leastPolicy = `apiVersion: portcullis.dev/v1alpha1
kind: Policy
seeds: {eu-west: {}}
`

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestPolicyInFull(t *testing.T) {
	t.Parallel()
	got := mustPolicy(t, string(read(t, "testdata/policy.yaml")))
	azure, _ := profile.Get("azure")
	for _, row := range []struct {
		what      string
		got, want any
	}{
		{"eu-west", got.Seeds["eu-west"], policy.Seed{Profile: azure, Platform: []policy.Platform{
			{Prefix: prefix("192.0.2.0/28"), Description: "NOC"},
			{Prefix: prefix("198.51.100.64/28"), Datacenters: []string{"aws-eu-1a"}, NodeEgress: true}}}},
		{"us-east", got.Seeds["us-east"].Profile, profile.Profile{Name: profile.Custom, Enforces: "unknown", IPv6: "unknown", AbsentFamily: "unknown",
			Budget: profile.Budget{Rules: 60, PerEntry: 3, SharedBy: profile.PerSeed}, Merge: profile.None}},
		{"ap-east", got.Seeds["ap-east"], policy.Seed{Profile: profile.Generic()}},
		{"seeds", got.SeedNames(), []string{"ap-east", "eu-west", "us-east"}},
		{"tenants", got.Tenants, map[string][]string{"acme": {"h8s7d6f5g4"}}},
		{"groups", got.Groups, map[string][]policy.GroupEntry{"noc": {{Prefix: prefix("192.0.2.16/28")}}}},
		{"limits", got.Limits, policy.Limits{MaxEntries: 40, Widest: policy.Lengths{IPv4: 13, IPv6: 33}, Routine: policy.Lengths{IPv4: 25, IPv6: 49},
			Forbidden: []policy.Forbidden{{Prefix: prefix("10.66.0.0/16"), Description: "transfer net"}}}},
		{"require", got.Require, policy.Require{Owner: true, ExpiryWiderThan: policy.Lengths{IPv4: 24}}},
		{"allowOpen", got.AllowOpen, true},
		{"selectors", got.Selectors, policy.SelectorsLabels},
		{"breakGlass", got.BreakGlass, 4 * time.Hour},
		{"blastRadius", got.BlastRadius, policy.BlastRadius{Clusters: 3, Percent: 50}},
		{"tests", got.Tests, []policy.Test{{Prefix: prefix("198.51.100.1/32")}, {Allow: true, Prefix: prefix("192.0.2.1/32")}}},
		{"rules", got.Rules, map[string]string{"special-range": "off", "too-wide": "warning"}},
	} {
		if !reflect.DeepEqual(row.got, row.want) {
			t.Errorf("%s: got  %+v\nwant %+v", row.what, row.got, row.want)
		}
	}
}

// What a Policy leaves out is what holds without one, but that it knows seeds.
func TestPolicyDefaults(t *testing.T) {
	t.Parallel()
	want := policy.Default()
	if want.Seeds != nil || want.SeedNames() != nil {
		t.Error("without a policy seeds are not judged")
	}
	if want.Limits.MaxEntries != 50 || want.Limits.Widest != (policy.Lengths{IPv4: 12, IPv6: 32}) ||
		want.Limits.Routine != (policy.Lengths{IPv4: 24, IPv6: 48}) || want.BlastRadius != (policy.BlastRadius{Clusters: 10, Percent: 25}) ||
		want.Require != (policy.Require{NodeEgress: true}) || want.AllowOpen || want.Selectors != "projects" || want.BreakGlass != 0 {
		t.Errorf("got %+v", want)
	}
	want.Seeds = map[string]policy.Seed{"eu-west": {Profile: profile.Generic()}}
	for _, file := range []string{leastPolicy,
		leastPolicy + "limits: {widest: {}, routine: }\nrequire: {expiryWiderThan: {}}\nblastRadius: {}\ntests: []\nrules: {}\ngroups: {}\ntenants: {}\n"} {
		if got := mustPolicy(t, file); got.Hash() != want.Hash() {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestHalfALimitKeepsTheOtherHalf(t *testing.T) {
	t.Parallel()
	got := mustPolicy(t, leastPolicy+"limits: {widest: {ipv4: 0}}\nblastRadius: {percent: 0}\n")
	if got.Limits.Widest != (policy.Lengths{IPv4: 0, IPv6: 32}) || got.BlastRadius != (policy.BlastRadius{Clusters: 10}) {
		t.Errorf("got %+v and %+v", got.Limits.Widest, got.BlastRadius)
	}
}

func TestExceeded(t *testing.T) {
	t.Parallel()
	limit, never := policy.Lengths{IPv4: 24, IPv6: 48}, policy.Lengths{}
	for s, want := range map[string]bool{"10.0.0.0/23": true, "10.0.0.0/24": false, "2001:db8::/47": true, "2001:db8::/48": false} {
		if got := limit.Exceeded(prefix(s)); got != want {
			t.Errorf("%s: got %t", s, got)
		}
		if never.Exceeded(prefix(s)) || never.Exceeded(prefix("0.0.0.0/0")) {
			t.Errorf("%s: nothing is wider than a length of 0", s)
		}
	}
}

func TestWhoseProject(t *testing.T) {
	t.Parallel()
	p := mustPolicy(t, leastPolicy+"tenants: {acme: {projects: [p1, p2]}, globex: {projects: [globex]}, initech: {projects: [p3]}}\n")
	for tenant, want := range map[string][]string{
		"acme": {"p1", "p2"}, "globex": {"globex"},
		"k4d9x2m7pq": {"k4d9x2m7pq"}, // named by its project
		"p1":         nil,            // a folder named as another's project gets nothing
	} {
		if got := p.Projects(tenant); !slices.Equal(got, want) {
			t.Errorf("the projects of %s: got %v, want %v", tenant, got, want)
		}
	}
	for project, want := range map[string]string{"p1": "acme", "p3": "initech", "globex": "globex", "k4d9x2m7pq": "k4d9x2m7pq", "initech": ""} {
		if got, ok := p.TenantOf(project); got != want || ok != (want != "") {
			t.Errorf("the tenant of %s: got %q, %t, want %q", project, got, ok, want)
		}
	}
	p.Projects("acme")[0] = "changed"
	if p.Projects("acme")[0] != "p1" {
		t.Error("a caller changed the policy")
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	content := string(read(t, "testdata/policy.yaml"))
	hash := mustPolicy(t, content).Hash()
	if len(hash) != 24 || hash != mustPolicy(t, "# form alone\n"+strings.ReplaceAll(content, "{deny: 198.51.100.1}", `{"deny": 198.51.100.1/32}`)).Hash() {
		t.Error("the hash depends on more than on what the policy says")
	}
	for _, change := range []string{"azure|gke", "maxEntries: 40|maxEntries: 41", "deny: 198|allow: 198", "nodeEgress: true|nodeEgress: false",
		"special-range: off|special-range: error", "perEntry: 3|perEntry: 2", "h8s7d6f5g4|h8s7d6f5g5", "4h|5h", "ap-east|ap-west"} {
		from, to, _ := strings.Cut(change, "|")
		if mustPolicy(t, strings.Replace(content, from, to, 1)).Hash() == hash {
			t.Errorf("%s: the hash is the same", change)
		}
	}
	if policy.Default().Hash() == mustPolicy(t, leastPolicy).Hash() {
		t.Error("not judging seeds is another policy than knowing some")
	}
}
