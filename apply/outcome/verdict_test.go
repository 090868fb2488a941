package outcome_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

const deadline = 15 * time.Minute

// moment is now, with a judgement the newest to have set all its lists.
func (b *branch) moment(j outcome.Judgement) outcome.Moment {
	return outcome.Moment{Plan: b.plan, Now: now, Deadline: deadline, Set: j.Set}
}

// states are given as id=State or id=State: message, all come into a minute
// ago; a State followed by @ and a duration is that old.
func (b *branch) states(states ...string) map[string]apply.ClusterState {
	b.t.Helper()
	out := map[string]apply.ClusterState{}
	for _, s := range states {
		id, rest, _ := strings.Cut(s, "=")
		rest, message, _ := strings.Cut(rest, ": ")
		state, age, old := strings.Cut(rest, "@")
		d := time.Minute
		if old {
			var err error
			if d, err = time.ParseDuration(age); err != nil {
				b.t.Fatal(err)
			}
		}
		out[id] = apply.ClusterState{State: apply.State(state), Message: message, Since: now.Add(-d)}
	}
	return out
}

func wantVerdict(t *testing.T, got outcome.Verdict, state outcome.State, title, body string) {
	t.Helper()
	if got.State != state || got.Title != title {
		t.Errorf("got  %s %q\nwant %s %q", got.State, got.Title, state, title)
	}
	if got.Body != body {
		t.Errorf("body: got\n%swant\n%s", got.Body, body)
	}
}

// What becomes of a commit that sets the lists of prod and test, as both go on.
func TestVerdictFollowsTheStates(t *testing.T) {
	t.Parallel()
	const both = "shop-prod (prod): %s\nshop-test (test): %s\n"
	for name, c := range map[string]struct {
		states []string
		state  outcome.State
		title  string
		body   string
	}{
		"nothing known yet":     {nil, outcome.Pending, "applying 2 lists", ""},
		"not looked at yet":     {[]string{"prod=Pending", "test=Pending"}, outcome.Pending, "applying 2 lists", ""},
		"one looked at":         {[]string{"prod=Synced"}, outcome.Pending, "applying 2 lists", ""},
		"KKP is to do its part": {[]string{"prod=Synced", "test=Applied"}, outcome.Pending, "applying 2 lists", ""},
		"in force":              {[]string{"prod=Synced: handed to azure", "test=Synced"}, outcome.Success, "2 lists in force", fmt.Sprintf(both, "Synced", "Synced")},
		"paused":                {[]string{"prod=Synced", "test=Waiting: the cluster is paused"}, outcome.Success, "2 lists written, some waiting for KKP", fmt.Sprintf(both, "Synced", "Waiting, the cluster is paused")},
		"both under construction": {[]string{"prod=Waiting: no namespace yet", "test=Waiting: no namespace yet"}, outcome.Success,
			"2 lists written, waiting for KKP", fmt.Sprintf(both, "Waiting, no namespace yet", "Waiting, no namespace yet")},
		"refused by KKP": {[]string{"prod=Synced", "test=Rejected: admission webhook: no"}, outcome.Failure,
			"shop-test (test): Rejected", "shop-test (test): Rejected, admission webhook: no\nshop-prod (prod): Synced\n"},
		"both refused": {[]string{"prod=Rejected: no", "test=Rejected: no"}, outcome.Failure,
			"shop-prod (prod): Rejected, and 1 more", fmt.Sprintf(both, "Rejected, no", "Rejected, no")},
		"gone meanwhile":       {[]string{"prod=Missing: no Cluster of this ID", "test=Synced"}, outcome.Failure, "shop-prod (prod): Missing", fmt.Sprintf(both, "Missing, no Cluster of this ID", "Synced")},
		"just before deadline": {[]string{"prod=Synced", "test=Applied@14m59s"}, outcome.Pending, "applying 2 lists", ""},
		"at the deadline": {[]string{"prod=Synced", "test=Applied@15m: waiting for the Service"}, outcome.Failure,
			"shop-test (test): not on the load balancer after 15m0s", "shop-test (test): Applied, waiting for the Service\nshop-prod (prod): Synced\n"},
		"failed beside one under way": {[]string{"prod=Rejected: no", "test=Applied"}, outcome.Pending, "applying 2 lists", ""},
		"what KKP says is escaped": {[]string{"prod=Synced", "test=Rejected: \x1b[31mred\nline"}, outcome.Failure,
			"shop-test (test): Rejected", "shop-test (test): Rejected, \\x1b[31mred\\nline\nshop-prod (prod): Synced\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			j := b.commit("acme/a.yaml", list("a", "prod, test", office))
			wantVerdict(t, b.verdict(j, c.states...), c.state, c.title, c.body)
		})
	}
}

// An error of the commit's own fails it at once, however its other lists do.
func TestErrorsDecideAtOnce(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod", office), "acme/b.yaml", list("b", "test", broken, "cidr: 999.1.1.1"))
	for _, states := range [][]string{nil, {"prod=Applied", "test=Held"}, {"prod=Synced", "test=Held"}} {
		v := b.verdict(j, states...)
		if v.State != outcome.Failure || v.Title != "acme/b.yaml:8:13: host-bits, and 1 more" {
			t.Errorf("%v: got %s %q", states, v.State, v.Title)
		}
	}
}

func TestBodyIsFindingsAsOnTheCommandLineThenClusters(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod", office), "acme/b.yaml", list("b", "test", broken))
	wantVerdict(t, b.verdict(j, "prod=Synced", "test=Held: the file is refused"), outcome.Failure, "acme/b.yaml:8:13: host-bits",
		`acme/b.yaml:8:13: error[host-bits]: "10.0.0.1/8" has bits set behind its length: the Kubernetes API server refuses it, and KKP's reconcile of the cluster would stop`+"\n"+
			"    fix: 10.0.0.0/8 for the whole network, or 10.0.0.1/32 for the one address\n"+
			"shop-prod (prod): Synced\nshop-test (test): Held, the file is refused\n")
}

func TestOlderFaultsAreCountedAndDoNotDecide(t *testing.T) {
	t.Parallel()
	b := newBranch(t, "globex/a.yaml", list("a", "gprod", broken, "cidr: 999.1.1.1"))
	j := b.commit("acme/a.yaml", list("a", "prod", office))
	wantVerdict(t, b.verdict(j, "prod=Synced", "gprod=Held"), outcome.Success, "1 list in force (2 errors not from this change)", "shop-prod (prod): Synced\n")
	j = b.commit("acme/a.yaml", "# ours\n"+list("a", "prod", office))
	wantVerdict(t, b.verdict(j, "prod=Synced", "gprod=Held"), outcome.Success, "nothing to change here (2 errors not from this change)", "")
}

func TestWarningsAreSuccess(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod", office), "acme/a.yaml.bak", "{", "acme/b.YAML", "{")
	wantVerdict(t, b.verdict(j, "prod=Synced"), outcome.Success, "1 list in force, 2 warnings", "shop-prod (prod): Synced\n")
	j = b.commit("acme/a.yaml", list("a", "prod", "cidr: 198.51.100.0/24"))
	wantVerdict(t, b.verdict(j, "prod=Synced"), outcome.Success, "1 list in force", "shop-prod (prod): Synced\n") // others' warnings are not its
}

func TestHeldCommit(t *testing.T) {
	t.Parallel()
	j := outcome.Judgement{Hold: "rewinds 0123 to 4567; portcullis approve customers@4567 --reason ..."}
	wantVerdict(t, j.Verdict(outcome.Moment{Plan: &render.Plan{}}), outcome.Failure, "held: rewinds 0123 to 4567; portcullis approve customers@4567 --reason ...", "")
}

// Not exposed by LoadBalancer is a failure that turns green by itself.
func TestUnsupportedStrategyTurnsGreenByItself(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	b.change("prod", func(c *render.Cluster) { c.ExposeStrategy = "NodePort" })
	j := b.commit("acme/a.yaml", list("a", "prod, test", office))
	v := b.verdict(j, "prod=Waiting: expose strategy is NodePort", "test=Synced")
	if v.State != outcome.Failure || v.Title != "acme/a.yaml:6:14: unsupported-expose-strategy" {
		t.Fatalf("got %s %q", v.State, v.Title)
	}
	first, rest, _ := strings.Cut(v.Body, "\n")
	if !strings.HasPrefix(first, "acme/a.yaml:6:14: error[unsupported-expose-strategy]: ") ||
		!strings.HasSuffix(rest, "\nshop-prod (prod): Waiting, expose strategy is NodePort\nshop-test (test): Synced\n") {
		t.Errorf("body: %s", v.Body)
	}

	b.change("prod", func(c *render.Cluster) { c.ExposeStrategy = render.ExposeLoadBalancer })
	b.plan = b.render(b.plan.Base())
	wantVerdict(t, b.verdict(j, "prod=Applied", "test=Synced"), outcome.Pending, "applying 2 lists", "")
	wantVerdict(t, b.verdict(j, "prod=Synced", "test=Synced"), outcome.Success, "2 lists in force", "shop-prod (prod): Synced\nshop-test (test): Synced\n")
}

// It was exposed by LoadBalancer when the commit was judged, and is not later.
func TestStrategyChangedAfterTheCommit(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod", office))
	b.change("prod", func(c *render.Cluster) { c.ExposeStrategy = "Tunneling" })
	b.plan = b.render(b.plan.Base())
	if v := b.verdict(j, "prod=Waiting"); v.State != outcome.Failure || v.Title != "acme/a.yaml:6:14: unsupported-expose-strategy" {
		t.Errorf("got %s %q", v.State, v.Title)
	}
}

func TestClusterThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "later", office))
	if v := b.verdict(j, "later=Missing"); v.State != outcome.Failure || v.Title != "acme/a.yaml:6:14: unknown-cluster" {
		t.Errorf("got %s %q", v.State, v.Title)
	}
	b.change("later", func(c *render.Cluster) {
		*c = render.Cluster{ID: "later", UID: "1", Project: "acmeproj01", ExposeStrategy: render.ExposeLoadBalancer}
	})
	b.plan = b.render(b.plan.Base())
	wantVerdict(t, b.verdict(j, "later=Waiting: no namespace yet"), outcome.Success, "1 list written, waiting for KKP", "later: Waiting, no namespace yet\n")
}

// The list that is kept when a later commit breaks the file is the one that
// this commit set.
func TestALaterFaultIsNotThisCommits(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	first := b.commit("acme/a.yaml", list("a", "prod", office))
	second := b.commit("acme/a.yaml", list("a", "prod", broken))
	if v := b.verdict(first, "prod=Held: the file is refused"); v.State != outcome.Success {
		t.Errorf("the first commit: got %s %q", v.State, v.Title)
	}
	if v := b.verdict(second, "prod=Held: the file is refused"); v.State != outcome.Failure {
		t.Errorf("the second commit: got %s %q", v.State, v.Title)
	}
}

// Work in progress does not reopen a check that was final.
func TestSettledChecksAreNotReopenedByWorkInProgress(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod, test", office))
	for _, c := range []struct {
		states []string
		want   outcome.State
	}{
		{[]string{"prod=Pending", "test=Synced"}, ""}, // nothing to say: neither green nor yellow nor red
		{[]string{"prod=Applied", "test=Synced"}, ""},
		{nil, ""},
		{[]string{"prod=Synced", "test=Synced"}, outcome.Success},
		{[]string{"prod=Rejected", "test=Synced"}, outcome.Failure}, // that is news
		{[]string{"prod=Rejected", "test=Pending"}, outcome.Failure},
		{[]string{"prod=Applied@16m", "test=Synced"}, outcome.Failure},
	} {
		m := b.moment(j)
		m.States, m.Settled = b.states(c.states...), true
		if v := j.Verdict(m); v.State != c.want {
			t.Errorf("%v: got %q %q, want %q", c.states, v.State, v.Title, c.want)
		}
	}
}

// News of a list that a later commit set is that commit's.
func TestListsOfLaterCommitsAreNotItsNews(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod, test", office))
	m := b.moment(j)
	m.Set, m.States = []string{"test"}, b.states("prod=Rejected", "test=Synced")
	wantVerdict(t, j.Verdict(m), outcome.Success, "1 list in force", "shop-test (test): Synced\n")
	m.Set = nil
	if v := j.Verdict(m); v.State != outcome.Success {
		t.Errorf("got %s %q", v.State, v.Title)
	}
}

// A title fits a line of a forge; what it says does not change while work goes
// on, or each step would be posted.
func TestPendingTitleStandsStill(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	j := b.commit("acme/a.yaml", list("a", "prod, test", office))
	first := b.verdict(j)
	for _, states := range [][]string{{"prod=Pending", "test=Pending"}, {"prod=Applied", "test=Pending"}, {"prod=Synced", "test=Applied"}} {
		if v := b.verdict(j, states...); !reflect.DeepEqual(v, first) {
			t.Errorf("%v: got %+v, was %+v", states, v, first)
		}
	}
}

func TestLongBodiesAreCut(t *testing.T) {
	t.Parallel()
	plan := &render.Plan{Clusters: map[string]*render.Wanted{}}
	states := map[string]apply.ClusterState{}
	var set []string
	for i := range 1000 {
		id := fmt.Sprintf("c%04d", i)
		set = append(set, id)
		plan.Clusters[id] = &render.Wanted{Cluster: id}
		states[id] = apply.ClusterState{State: apply.Synced}
	}
	states["c0999"] = apply.ClusterState{State: apply.Rejected, Message: "no"}
	v := outcome.Judgement{Set: set}.Verdict(outcome.Moment{Plan: plan, States: states, Now: now, Set: set})
	lines := strings.Split(strings.TrimSuffix(v.Body, "\n"), "\n")
	if len(lines) != 201 || lines[0] != "c0999: Rejected, no" || lines[200] != "and 800 more" {
		t.Errorf("got %d lines, from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
	if !slices.Equal(set[:2], []string{"c0000", "c0001"}) {
		t.Error("the commit's own clusters were put in another order")
	}
}

func TestPathsAreEscaped(t *testing.T) {
	t.Parallel()
	j := outcome.Judgement{Errors: []lint.Finding{{Path: "acme/\x1b[31m\n.yaml", Line: 1, Column: 2, Severity: lint.Error, Rule: "yaml-syntax", Message: "m"}}}
	v := j.Verdict(outcome.Moment{Plan: &render.Plan{}})
	if v.Title != `acme/\x1b[31m\n.yaml:1:2: yaml-syntax` || v.Body != `acme/\x1b[31m\n.yaml:1:2: error[yaml-syntax]: m`+"\n" {
		t.Errorf("got %q, %q", v.Title, v.Body)
	}
}
