package outcome_test

import (
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
)

const (
	office = "cidr: 203.0.113.0/24"
	vpn    = "group: vpn"
	broken = "cidr: 10.0.0.1/8"
)

// A commit answers for itself: for errors in what it changes or caused by it,
// and for the lists that it sets.
func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, commit []string
		want           string
	}{
		"a first list":       {nil, []string{"acme/a.yaml", list("a", "prod", office)}, "set prod"},
		"a list changed":     {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("a", "prod", "cidr: 198.51.100.0/24")}, "set prod"},
		"a comment":          {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", "# ours\n" + list("a", "prod", office)}, ""},
		"a description":      {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("a", "prod", "{description: Vienna, "+office+"}")}, ""},
		"a covered prefix":   {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("a", "prod", office, "cidr: 203.0.113.7")}, ""},
		"a cluster more":     {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("a", "prod, test", office)}, "set test"},
		"a file not read":    {nil, []string{"acme/README.md", "hello"}, "1 warnings"}, // the branch takes it for one that is looked at
		"nothing at all":     {[]string{"acme/a.yaml", list("a", "prod", office)}, nil, ""},
		"for another seed":   {nil, []string{"acme/a.yaml", strings.Replace(list("a", "prod", broken), "eu-west", "us-east", 1)}, ""},
		"a name given":       {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("b", "prod", office)}, ""},
		"opened":             {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", access("a", "prod", "open")}, "set prod"},
		"left alone":         {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", access("a", "prod", "unmanaged")}, ""},
		"restricted again":   {[]string{"acme/a.yaml", access("a", "prod", "unmanaged")}, []string{"acme/a.yaml", list("a", "prod", office)}, "set prod"},
		"let go, then gone":  {[]string{"acme/a.yaml", access("a", "prod", "unmanaged")}, []string{"acme/a.yaml", "-"}, ""},
		"a broken first one": {nil, []string{"acme/a.yaml", list("a", "prod", broken)}, "error acme/a.yaml:8:13 host-bits, set prod"},
		"a list broken":      {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", list("a", "prod", broken)}, "error acme/a.yaml:8:13 host-bits"},
		"a list put right":   {[]string{"acme/a.yaml", list("a", "prod", broken)}, []string{"acme/a.yaml", list("a", "prod", office)}, "set prod"},

		"a list put right as it was": {[]string{"acme/a.yaml", list("a", "prod", office), "acme/a.yaml", list("a", "prod", broken)},
			[]string{"acme/a.yaml", list("a", "prod", office)}, "set prod"},
		"beside another tenant's fault": {[]string{"globex/a.yaml", list("a", "gprod", broken)},
			[]string{"acme/a.yaml", list("a", "prod", office)}, "1 standing, set prod"},
		"beside a fault of its own tenant": {[]string{"acme/a.yaml", list("a", "prod", broken)},
			[]string{"acme/b.yaml", list("b", "test", office)}, "1 standing, set test"},
		"a file with a fault touched again": {[]string{"acme/a.yaml", list("a", "prod", broken)},
			[]string{"acme/a.yaml", list("a", "prod", broken) + "# still\n"}, "error acme/a.yaml:8:13 host-bits"},

		"a group's addresses": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/b.yaml", list("b", "test", office), "acme/g.yaml", group("vpn", "192.0.2.0/28")},
			[]string{"acme/g.yaml", group("vpn", "192.0.2.0/29")}, "set prod"},
		"a group taken away under a list": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/g.yaml", group("vpn", "192.0.2.0/28")},
			[]string{"acme/g.yaml", "-"}, "error acme/a.yaml:8:14 unknown-group"},
		"a group made too wide under a list": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/g.yaml", group("vpn", "192.0.2.0/28")},
			[]string{"acme/g.yaml", group("vpn", "0.0.0.0/1")}, "error acme/a.yaml:8:14 open-world"},
		"a group broken": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/g.yaml", group("vpn", "192.0.2.0/28")},
			[]string{"acme/g.yaml", group("vpn", "192.0.2.1/28")}, "error acme/g.yaml:6:15 host-bits"},
		"a list with a group that was broken before": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/g.yaml", group("vpn", "192.0.2.0/28"), "acme/g.yaml", group("vpn", "192.0.2.1/28")},
			[]string{"acme/a.yaml", list("a", "prod", vpn, office)}, "error acme/a.yaml:6:1 host-bits, 1 standing"},
		"another list beside a group that was broken before": {[]string{"acme/a.yaml", list("a", "prod", vpn), "acme/g.yaml", group("vpn", "192.0.2.0/28"), "acme/g.yaml", group("vpn", "192.0.2.1/28")},
			[]string{"acme/b.yaml", list("b", "test", office)}, "1 standing, set test"},

		"a file removed": {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", "-"}, "error acme/a.yaml:1:1 removed-allowlist"},
		"a file emptied": {[]string{"acme/a.yaml", list("a", "prod", office)}, []string{"acme/a.yaml", "# nothing\n"}, "error acme/a.yaml:1:1 removed-allowlist"},
		"a cluster left out": {[]string{"acme/a.yaml", list("a", "prod, test", office)},
			[]string{"acme/a.yaml", list("a", "prod", office)}, "error acme/a.yaml:6:3 removed-allowlist"},
		"after a file was removed": {[]string{"acme/a.yaml", list("a", "prod", office), "acme/a.yaml", "-"},
			[]string{"acme/b.yaml", list("b", "test", office)}, "1 standing, set test"},
		"a removed file put back": {[]string{"acme/a.yaml", list("a", "prod", office), "acme/a.yaml", "-"},
			[]string{"acme/a.yaml", list("a", "prod", office)}, "set prod"},

		"a file moved": {[]string{"acme/b.yaml", list("a", "prod", office)},
			[]string{"acme/b.yaml", "-", "acme/a.yaml", list("a", "prod", office)}, ""},
		"a cluster moved to another file": {[]string{"acme/a.yaml", list("a", "prod, test", office), "acme/b.yaml", list("b", "", office)},
			[]string{"acme/a.yaml", list("a", "prod", office), "acme/b.yaml", list("b", "test", office)}, ""},
		"a cluster moved and changed": {[]string{"acme/a.yaml", list("a", "prod, test", office)},
			[]string{"acme/a.yaml", list("a", "prod", office), "acme/b.yaml", list("b", "test", "cidr: 198.51.100.0/24")}, "set test"},

		"somebody else's cluster": {[]string{"globex/a.yaml", list("a", "gprod", office)},
			[]string{"acme/a.yaml", list("a", "prod, gprod", office)}, "error acme/a.yaml:6:20 foreign-cluster, set prod"},
		"a cluster of another list": {[]string{"acme/a.yaml", list("a", "prod", office)},
			[]string{"acme/b.yaml", list("b", "prod", "cidr: 198.51.100.0/24")}, "error acme/b.yaml:6:14 cluster-claimed-twice"},
		"a cluster that is not there": {nil, []string{"acme/a.yaml", list("a", "prdo", office)}, "seed acme/a.yaml:6:14 unknown-cluster prdo, set prdo"},

		// What an older fault says may follow what the commit changes; that
		// makes it no fault of the commit.
		"the winner of an old quarrel gains a line": {[]string{"acme/a.yaml", list("a", "prod", office), "acme/b.yaml", list("b", "prod", office)},
			[]string{"acme/a.yaml", "# ours\n" + list("a", "prod", office)}, "1 standing"},
		"the owner of a name moves": {[]string{"acme/a.yaml", list("a", "prod", office), "acme/z.yaml", list("a", "test", office)},
			[]string{"acme/a.yaml", "-", "acme/b.yaml", list("a", "prod", office)}, "1 standing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			for i := 0; i < len(c.before); i += 2 {
				b.commit(c.before[i : i+2]...)
			}
			if got := judged(b.commit(c.commit...)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestJudgeKnowsItsOwnSourceOnly(t *testing.T) {
	t.Parallel()
	b := newBranch(t, "acme/a.yaml", list("a", "prod", broken))
	before := b.render(b.plan.Base())
	b.files["acme/a.yaml"] = list("a", "prod", office)
	after := b.render(b.plan.Base())
	if j := outcome.Judge(before, after, "others", []string{"acme/a.yaml"}); judged(j) != "" {
		t.Errorf("another source's commit answers for this one's: %s", judged(j))
	}
	if j := outcome.Judge(after, before, "others", nil); judged(j) != "" {
		t.Errorf("another source's faults are counted: %s", judged(j))
	}
}

func TestJudgeOfASeedThatStandsInTheWay(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	b.change("prod", func(c *render.Cluster) { c.ExposeStrategy = "NodePort" })
	j := b.commit("acme/a.yaml", list("a", "prod", office))
	if got, want := judged(j), "seed acme/a.yaml:6:14 unsupported-expose-strategy prod, set prod"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if j := b.commit("acme/b.yaml", list("b", "test", office)); judged(j) != "1 standing, set test" {
		t.Errorf("the next commit: got %s", judged(j))
	}
}
