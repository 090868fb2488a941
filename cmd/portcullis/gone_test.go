package main

import (
	"reflect"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/render"
)

// What the state says of a source that is gone is written once, and follows the
// plan; an approval lets go of it once, and only one of the commit that is told.
func TestTheStateOfASourceThatIsGone(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	held := &render.Wanted{Cluster: "shopprod01", UID: "uid", Claim: render.Claim{Source: "old", Tenant: "acme"}, Access: render.Restricted,
		List: render.Written([]string{"203.0.113.0/24"}), Held: &render.Hold{Rule: render.RuleGone, Message: "source old is gone"}}
	plan := &render.Plan{Clusters: map[string]*render.Wanted{"shopprod01": held,
		"another": {Cluster: "another", UID: "uid", Claim: render.Claim{Source: "new"}, Access: render.Restricted, List: held.List}}}
	before := apply.SourceState{Name: "old", Accepted: "a1", Balancer: apply.Balancer{Name: "azure"}, Tenants: map[string]string{"p": "acme"}, Kept: map[string][]string{"acme": {"gone/0000"}},
		Held: &apply.HeldCommit{Commit: "b2"}, Holds: []apply.TenantHold{{Tenant: "acme", Commit: "a0", Since: now.Add(-time.Hour)}}}
	s := stillOf(before, plan, now)
	want := []apply.TenantHold{{Commit: "a1", Reason: goneReason, Since: now, Clusters: 1}}
	if !reflect.DeepEqual(s.Holds, want) || s.Held != nil || len(s.Kept["acme"]) != 1 || s.Tenants != nil || s.Balancer.Name != "" || len(s.Deviations) != 1 || s.Deviations["shopprod01"].State != apply.Held {
		t.Errorf("the state is %+v", s)
	}
	if again := stillOf(s, plan, now.Add(time.Hour)); !reflect.DeepEqual(again, s) {
		t.Errorf("the same an hour later is %+v", again)
	}
	good := apply.Approval{Source: "old", Commit: "a1", At: now.Add(time.Minute)}
	for name, c := range map[string]struct {
		state    apply.SourceState
		approval apply.Approval
		want     bool
	}{
		"of the commit":          {s, good, true},
		"of the one held before": {s, apply.Approval{Commit: "b2", At: good.At}, false},
		"of long ago":            {s, apply.Approval{Commit: "a1", At: now.Add(-2 * time.Hour)}, false},
		"of another hold":        {before, apply.Approval{Commit: "a0", At: good.At}, false},
	} {
		if got := letsGo(c.state, c.approval); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	spent := s
	spent.Approved = &good
	if letsGo(spent, good) {
		t.Error("an approval counts twice")
	}
	if s = stillOf(s, &render.Plan{}, now); s.Kept != nil || s.Holds != nil || s.Deviations != nil || s.Accepted != "a1" {
		t.Errorf("with nothing left, the state is %+v", s)
	}
}

// Whose a project is by the policy is written down with each plan, not only with
// the next commit: `status` names the tenants by it.
func TestTenantsAreWrittenDownWithEachPlan(t *testing.T) {
	t.Parallel()
	f, _ := newTestFollower()
	f.tenants = map[string]string{"project": "beta"}
	s := apply.SourceState{Accepted: "a1", Tenants: map[string]string{"project": "acme"}}
	if f.holdsInto(&s, &render.Plan{}, nil, time.Time{}); !reflect.DeepEqual(s.Tenants, f.tenants) {
		t.Errorf("the project is %v", s.Tenants)
	}
}
