package outcome_test

import (
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
)

// A cluster that is switched to LoadBalancer is known to the plan before it is
// looked at again: until then its list is not in force, and not refused.
func TestSwitchedClusterIsPendingUntilItIsLookedAt(t *testing.T) {
	t.Parallel()
	for exposed, want := range map[bool]outcome.State{
		true:  outcome.Pending,
		false: outcome.Success, // the policy does not mind that it waits
	} {
		v := outcome.Judgement{Set: []string{"x"}}.Verdict(outcome.Moment{
			Plan:   &render.Plan{Clusters: map[string]*render.Wanted{"x": {Cluster: "x", Exposed: exposed}}},
			States: map[string]apply.ClusterState{"x": {State: apply.Waiting, Unsupported: true}},
			Set:    []string{"x"}, Now: time.Unix(0, 0), Deadline: time.Minute,
		})
		if v.State != want {
			t.Errorf("exposed %v: got %s, want %s", exposed, v.State, want)
		}
	}
}

func TestClusterThatWasLetGoIsNoNews(t *testing.T) {
	t.Parallel()
	v := outcome.Judgement{Set: []string{"gone", "here"}}.Verdict(outcome.Moment{
		Plan:   &render.Plan{Clusters: map[string]*render.Wanted{"here": {Cluster: "here"}}},
		States: map[string]apply.ClusterState{"here": {State: apply.Synced}},
		Set:    []string{"gone", "here"}, Deadline: time.Minute,
	})
	if v.State != outcome.Success || v.Body != "here: Synced\n" {
		t.Errorf("got %+v", v)
	}
}

// A paused cluster whose list a later commit could not change: what the earlier
// one set was written, and it is not to wait for ever.
func TestKeptListOfAPausedClusterIsASuccess(t *testing.T) {
	t.Parallel()
	for unsupported, want := range map[bool]outcome.State{false: outcome.Success, true: outcome.Pending} {
		v := outcome.Judgement{Set: []string{"x"}}.Verdict(outcome.Moment{
			Plan:   &render.Plan{Clusters: map[string]*render.Wanted{"x": {Cluster: "x"}}},
			States: map[string]apply.ClusterState{"x": {State: apply.Held, Beneath: apply.Waiting, Unsupported: unsupported}},
			Set:    []string{"x"}, Deadline: time.Minute,
		})
		if v.State != want {
			t.Errorf("unsupported %v: got %s, want %s", unsupported, v.State, want)
		}
	}
}

// A Cluster that is made anew under its ID for another tenant is no news of the
// commit that set the old one's list, however it fares; nor is its name told.
func TestClusterOfAnotherTenantIsNoNews(t *testing.T) {
	t.Parallel()
	states := map[string]apply.ClusterState{"x": {State: apply.Rejected, Message: "secret"}, "y": {State: apply.Synced}}
	for name, c := range map[string]struct {
		owner   string
		tenants []string
		state   outcome.State
		body    string
	}{
		"still its own":           {"acme", []string{"acme"}, outcome.Failure, "shop (x): Rejected, secret\ny: Synced\n"},
		"another's by now":        {"globex", []string{"acme"}, outcome.Success, "y: Synced\n"},
		"of both from the start":  {"globex", []string{"acme", "globex"}, outcome.Failure, "shop (x): Rejected, secret\ny: Synced\n"},
		"judged before that kept": {"globex", nil, outcome.Failure, "shop (x): Rejected, secret\ny: Synced\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := outcome.Judgement{Set: []string{"x", "y"}}.Verdict(outcome.Moment{
				Plan: &render.Plan{Clusters: map[string]*render.Wanted{
					"x": {Cluster: "x", Title: "shop (x)", Claim: render.Claim{Tenant: c.owner}},
					"y": {Cluster: "y", Claim: render.Claim{Tenant: "acme"}},
				}},
				States: states, Set: []string{"x", "y"}, Tenants: c.tenants, Deadline: time.Minute,
			})
			if v.State != c.state || v.Body != c.body {
				t.Errorf("got %s %q, want %s %q", v.State, v.Body, c.state, c.body)
			}
		})
	}
}
