package render_test

import (
	"strings"
	"testing"
)

// A fault of form hides no more than it must: what is said of the sum of a
// list's entries is said of those that are known, as far as the others cannot
// mend it.
func TestFindingsAtOnce(t *testing.T) {
	t.Parallel()
	entries := func(lines ...string) []string { return append([]string{seed, cluster, egress, "entries:"}, lines...) }
	wide := "  - cidrs: [81.0.0.0/13, 81.8.0.0/13, 81.16.0.0/13]"
	second := strings.NewReplacer("production", "second", "shopprod01", "shoptest01").Replace
	for name, c := range map[string]ruleCase{
		"half the world beside host bits":   {a: spec(entries("  - cidr: 9.9.9.9/8", "  - cidr: 0.0.0.0/1")...), want: []string{"acme/a.yaml:9:13 error host-bits", "acme/a.yaml:10:13 error open-world"}},
		"too wide beside host bits":         {a: spec(entries("  - cidr: 9.9.9.9/8", wide)...), want: []string{"acme/a.yaml:9:13 error host-bits", "acme/a.yaml:10:15 error too-wide"}},
		"too many beside an unknown group":  {policy: quiet + "limits: {maxEntries: 1}\n", a: spec(entries("  - group: nobody", "  - cidrs: [81.16.0.1, 81.16.0.3]")...), want: []string{"acme/a.yaml:9:14 error unknown-group", "acme/a.yaml:10:26 error too-many-entries"}},
		"let in whatever the rest is":       {a: spec(entries("  - cidr: 9.9.9.9/8", "  - cidr: 81.16.0.1", "tests: [{deny: 81.16.0.1}]")...), want: []string{"acme/a.yaml:9:13 error host-bits", "acme/a.yaml:11:18 error test-failed"}},
		"who knows what else is let in":     {a: spec(entries("  - cidr: 9.9.9.9/8", "  - cidr: 81.16.0.1", "tests: [{allow: 9.9.9.9}]")...), want: []string{"acme/a.yaml:9:13 error host-bits"}},
		"a canary let in":                   {policy: quiet + "tests: [{deny: 81.16.0.1}, {allow: 9.9.9.9}]\n", a: spec(entries("  - cidr: 9.9.9.9/8", "  - cidr: 81.16.0.1")...), want: []string{"acme/a.yaml:9:13 error host-bits", "acme/a.yaml:10:13 error canary-failed"}},
		"a fault that is none of the sum's": {a: spec(entries("  - {cidr: 81.16.0.1, owner: 7}", "tests: [{allow: 9.9.9.9}]", "sede: x")...), want: []string{"acme/a.yaml:9:32 error wrong-type", "acme/a.yaml:10:19 error test-failed", "acme/a.yaml:11:3 error unknown-field"}},
		"entries twice":                     {a: spec(entries("  - cidr: 81.16.0.1", "entries: [{cidr: 9.9.9.9}]", "tests: [{allow: 9.9.9.9}]")...), want: []string{"acme/a.yaml:10:3 error duplicate-key"}},
		"an end that cannot be read":        {policy: quiet + "require: {expiryWiderThan: {ipv4: 24}}\n", a: spec(entries("  - {cidr: 0.0.0.0/1, expires: soon}", "  - cidr: 81.16.0.1", "tests: [{deny: 9.9.9.9}]")...), want: []string{"acme/a.yaml:9:34 error invalid-date"}},
		"everything may expire":             {a: spec(entries("  - {cidr: 81.16.0.1, expires: 2027-01-01}", "  - cidr: 9.9.9.9/8")...), want: []string{"acme/a.yaml:10:13 error host-bits"}},
		"a seed that is none: who knows its platform": {policy: quiet + "tests: [{allow: 9.9.9.9}]\n", a: spec(append([]string{"seed: nowhere"}, entries("  - {cidr: 81.16.0.1, expires: 2027-01-01}", "tests: [{allow: 9.9.9.9}, {deny: 81.16.0.1}]")[1:]...)...),
			want: []string{"acme/a.yaml:5:9 error unknown-seed", "acme/a.yaml:10:36 error test-failed"}},
		"another document's fault": {a: spec(entries("  - {cidr: 81.16.0.1, expires: 2027-01-01}", "tests: [{allow: 9.9.9.9}]")...) + "---\n" + second(spec(entries("  - cidr: 9.9.9.9/8")...)),
			want: []string{"acme/a.yaml:9:14 error expires-to-open", "acme/a.yaml:10:19 error test-failed", "acme/a.yaml:20:13 error host-bits"}},
		"a group's fault": {a: spec(entries("  - group: vpn", "  - cidr: 81.16.0.1", "tests: [{allow: 9.9.9.9}, {deny: 81.16.0.1}]")...), g: group("vpn", "9.9.9.9/8"),
			want: []string{"acme/a.yaml:11:36 error test-failed", "acme/g.yaml:4:27 error host-bits"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := withPolicy(t, newWorld(t), orQuiet(c.policy))
			w.files["acme/a.yaml"] = c.a
			if c.g != "" {
				w.files["acme/g.yaml"] = c.g
			}
			wantFindings(t, w.plan(), c.want...)
		})
	}
}

// A document without a spec lacks that, and not each thing in it.
func TestNoSpec(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet)
	w.files["acme/a.yaml"] = "apiVersion: portcullis.dev/v1alpha1\nkind: Allowlist\nmetadata: {name: production}\n"
	wantFindings(t, w.plan(), "acme/a.yaml:1:1 error missing-field")
}

func TestDuplicateNameSaysWhere(t *testing.T) {
	t.Parallel()
	w := withPolicy(t, newWorld(t), quiet)
	w.files["acme/a.yaml"] = spec(seed, cluster, egress, "entries:", "  - cidr: 81.16.0.1")
	w.files["acme/b.yaml"] = strings.Replace(w.files["acme/a.yaml"], "shopprod01", "shoptest01", 1)
	p := w.plan()
	wantFindings(t, p, "acme/b.yaml:3:18 error duplicate-name")
	if got := p.Findings[0].Message; !strings.HasSuffix(got, "is there already, at acme/a.yaml:3:18") {
		t.Errorf("got %q", got)
	}
}
