package outcome_test

import (
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
)

// What others do to a list, or say against it, after it was written: it is in
// force by the Cluster and the Service, and all the same of no use.
func TestListThatOthersSpeakAgainstFails(t *testing.T) {
	t.Parallel()
	full := &apply.Trouble{Reason: "SyncLoadBalancerFailed", Message: "quota \x1b exceeded"}
	kkp := &apply.Trouble{Reason: "ReconcileError", Message: "cannot write the Service"}
	for name, c := range map[string]struct {
		s     apply.ClusterState
		state outcome.State
		title string
		body  string
	}{
		"in force": {apply.ClusterState{State: apply.Synced, Message: "handed to azure"},
			outcome.Success, "1 list in force", "shop (x): Synced\n"},
		"old trouble": {apply.ClusterState{State: apply.Synced, Standing: &apply.Standing{Balancer: full}},
			outcome.Success, "1 list in force", "shop (x): Synced\n"},
		"the balancer fails": {apply.ClusterState{State: apply.Synced, Message: "handed to azure", Trouble: full},
			outcome.Failure, "shop (x): SyncLoadBalancerFailed", "shop (x): Synced, SyncLoadBalancerFailed: quota \\x1b exceeded\n"},
		"KKP fails before the Service has it": {apply.ClusterState{State: apply.Applied, Message: "written; KKP says ReconcileError: cannot write the Service", Trouble: kkp},
			outcome.Failure, "shop (x): ReconcileError", "shop (x): Applied, written; KKP says ReconcileError: cannot write the Service\n"},
		"the balancer fails beneath a hold": {apply.ClusterState{State: apply.Held, Message: "frozen", Beneath: apply.Synced, Trouble: full},
			outcome.Failure, "shop (x): SyncLoadBalancerFailed", "shop (x): Synced, SyncLoadBalancerFailed: quota \\x1b exceeded\n"},
		"held, and in force": {apply.ClusterState{State: apply.Held, Message: "frozen", Beneath: apply.Synced},
			outcome.Success, "1 list in force", "shop (x): Synced\n"},
		"another list by hand": {apply.ClusterState{State: apply.Held, Message: "kept by hand until noon", ByHand: true},
			outcome.Failure, "shop (x): Held", "shop (x): Held, kept by hand until noon\n"},
		"contested": {apply.ClusterState{State: apply.Contested, Message: "kubermatic-api keeps changing the list", Beneath: apply.Synced},
			outcome.Failure, "shop (x): Contested", "shop (x): Contested, kubermatic-api keeps changing the list\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, settled := range []bool{false, true} { // also where success was told before
				wantVerdict(t, outcome.Judgement{Set: []string{"x"}}.Verdict(outcome.Moment{
					Plan:   &render.Plan{Clusters: map[string]*render.Wanted{"x": {Cluster: "x", Title: "shop (x)"}}},
					States: map[string]apply.ClusterState{"x": c.s}, Settled: settled,
					Set: []string{"x"}, Now: time.Unix(0, 0), Deadline: time.Minute,
				}), c.state, c.title, c.body)
			}
		})
	}
}

// A request ID in others' words, or another name for the same writer, is no
// news; another state, reason or text is.
func TestOthersWordsAreNewsByTheirGistOnly(t *testing.T) {
	t.Parallel()
	applied := func(words string) apply.ClusterState {
		return apply.ClusterState{State: apply.Applied, Message: "written; KKP says ReconcileError: " + words}
	}
	says := func(reason, words string) apply.ClusterState {
		return apply.ClusterState{State: apply.Synced, Trouble: &apply.Trouble{Reason: reason, Message: words}}
	}
	contested := func(by string) apply.ClusterState {
		return apply.ClusterState{State: apply.Contested, Message: by + " keeps changing the list", Beneath: apply.Synced}
	}
	for name, c := range map[string]struct {
		a, b apply.ClusterState
		news bool
	}{
		"another request":          {applied("request req-71aa: quota exceeded"), applied("request req-88bb: quota exceeded"), false},
		"another text":             {applied("request req-71aa: quota exceeded"), applied("request req-71aa: no such network"), true},
		"another state":            {applied("quota exceeded"), apply.ClusterState{State: apply.Rejected, Message: applied("quota exceeded").Message}, true},
		"the balancer, again":      {says("SyncFailed", "trace 4711: quota"), says("SyncFailed", "trace 4712: quota"), false},
		"the balancer, otherwise":  {says("SyncFailed", "quota"), says("SyncFailed", "no such network"), true},
		"the balancer's reason":    {says("SyncFailed", "quota"), says("QuotaExceeded", "quota"), true},
		"another name in a fight":  {contested("kubermatic-api"), contested("kubectl-edit"), false},
		"a fight, and trouble too": {contested("kubermatic-api"), apply.ClusterState{State: apply.Contested, Trouble: &apply.Trouble{Reason: "SyncFailed"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said []string
			for _, s := range []apply.ClusterState{c.a, c.b} {
				v := outcome.Judgement{Set: []string{"x"}}.Verdict(outcome.Moment{
					Plan:   &render.Plan{Clusters: map[string]*render.Wanted{"x": {Cluster: "x", Title: "shop (x)"}}},
					States: map[string]apply.ClusterState{"x": s}, Settled: true,
					Set: []string{"x"}, Now: time.Unix(1e6, 0), Deadline: time.Minute,
				})
				if v.State != outcome.Failure {
					t.Fatalf("it is %s: %s", v.State, v.Title)
				}
				said = append(said, v.Identity)
			}
			if news := said[0] != said[1]; news != c.news {
				t.Errorf("news: %v; %q and %q", news, said[0], said[1])
			}
		})
	}
}
