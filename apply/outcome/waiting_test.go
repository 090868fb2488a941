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
