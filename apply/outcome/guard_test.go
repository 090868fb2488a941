package outcome_test

import (
	"net/netip"
	"testing"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// guardedPlan has one cluster with a list, held by a rule or not.
func guardedPlan(rule, asks string) *render.Plan {
	list := func(cidr string) *render.Wanted {
		return &render.Wanted{Cluster: "x", UID: "u", Title: "shop (x)", Claim: render.Claim{Source: "s", Tenant: "acme", Path: "acme/a.yaml"},
			Access: render.Restricted, List: []netip.Prefix{netip.MustParsePrefix(cidr)}}
	}
	w := list(asks)
	if rule != "" {
		w = list("203.0.113.0/24")
		w.Held, w.Asked = &render.Hold{Rule: rule, Message: "too much"}, list(asks)
	}
	return &render.Plan{Clusters: map[string]*render.Wanted{"x": w}}
}

// Who asks for a list that a guard holds answers for it: until it is in force,
// and never again after that.
func TestJudgeOfWhatAGuardHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after *render.Plan
		set           int
	}{
		"asks for a new list":            {guardedPlan("", "203.0.113.0/24"), guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), 1},
		"asks for another one meanwhile": {guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), guardedPlan(render.RuleBlastRadius, "192.0.2.0/25"), 1},
		"asks for nothing new":           {guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), 0},
		"turns back":                     {guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), guardedPlan("", "203.0.113.0/24"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := outcome.Judge(c.before, c.after, "s", []string{"acme/a.yaml"})
			if len(j.Set) != c.set || len(j.Errors) > 0 {
				t.Errorf("set %v, errors %v, want %d and none", j.Set, j.Errors, c.set)
			}
		})
	}
}

func TestVerdictOfWhatAGuardHolds(t *testing.T) {
	t.Parallel()
	states := map[string]apply.ClusterState{"x": {State: apply.Held, Message: "too much"}}
	fault := []lint.Finding{{Path: "acme/b.yaml", Line: 3, Column: 1, Severity: lint.Error, Rule: "host-bits", Message: "no"}}
	for name, c := range map[string]struct {
		rule   string
		errors []lint.Finding
		title  string
	}{
		"too much":              {render.RuleBlastRadius, nil, "held: too much; to let it go ahead: approve s@1"},
		"frozen":                {render.RuleFreeze, nil, "held: too much"},
		"with an error besides": {render.RuleBlastRadius, fault, "held: too much; to let it go ahead: approve s@1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := outcome.Judgement{Set: []string{"x"}, Errors: c.errors}.Verdict(outcome.Moment{Plan: guardedPlan(c.rule, "192.0.2.0/24"),
				States: states, Set: []string{"x"}, Approve: "approve s@1", Deadline: deadline})
			want := ""
			if len(c.errors) > 0 {
				want = "acme/b.yaml:3:1: error[host-bits]: no\n"
			}
			wantVerdict(t, v, outcome.Failure, c.title, want+"shop (x): Held, too much\n")
		})
	}
}

// Of several lists those that are held come first, and make a failure another
// one: a check must not read as if most were well.
func TestHeldListsComeFirst(t *testing.T) {
	t.Parallel()
	plan := guardedPlan(render.RuleBlastRadius, "192.0.2.0/24")
	plan.Clusters["a"] = &render.Wanted{Cluster: "a"}
	synced := apply.ClusterState{State: apply.Synced}
	moment := outcome.Moment{Plan: plan, Set: []string{"a", "x"}, Approve: "approve s@1", Deadline: deadline,
		States: map[string]apply.ClusterState{"a": synced, "x": {State: apply.Held, Beneath: apply.Synced, Message: "too much"}}}
	v := outcome.Judgement{Set: moment.Set}.Verdict(moment)
	wantVerdict(t, v, outcome.Failure, "held: too much; to let it go ahead: approve s@1", "shop (x): Held, too much\na: Synced\n")
}

// What the plan holds is told as held before anybody has looked at the cluster:
// whoever was told keeps what was said.
func TestHeldIsToldBeforeItWasLookedAt(t *testing.T) {
	t.Parallel()
	for name, states := range map[string]map[string]apply.ClusterState{"not looked at yet": {"x": {State: apply.Pending, Message: "not looked at yet"}}, "not known": {}} {
		v := outcome.Judgement{Set: []string{"x"}}.Verdict(outcome.Moment{Plan: guardedPlan(render.RuleBlastRadius, "192.0.2.0/24"), States: states, Set: []string{"x"}, Approve: "approve s@1"})
		if want := "shop (x): Held, too much\n"; v.State != outcome.Failure || v.Lines != want {
			t.Errorf("%s: %s, %q, not %q", name, v.State, v.Lines, want)
		}
	}
}
