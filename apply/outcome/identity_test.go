package outcome_test

import (
	"strings"
	"testing"
	"time"

	"github.com/portcullis-gitops/portcullis/apply"
	"github.com/portcullis-gitops/portcullis/apply/outcome"
	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/lint"
)

// scene is what one verdict is made of.
type scene struct {
	judgement outcome.Judgement
	states    map[string]apply.ClusterState
	name      string // of the clusters, as people see it
	held      *render.Hold
	set       []string
	settled   bool
}

func (s scene) verdict() outcome.Verdict {
	plan := &render.Plan{Clusters: map[string]*render.Wanted{}}
	for _, id := range []string{"x", "y", "z"} {
		w := &render.Wanted{Cluster: id, Title: s.name + " (" + id + ")", Held: s.held}
		if s.held != nil {
			w.Asked = &render.Wanted{Cluster: id}
		}
		plan.Clusters[id] = w
	}
	return s.judgement.Verdict(outcome.Moment{Plan: plan, States: s.states, Set: s.set, Settled: s.settled,
		Now: time.Unix(1e6, 0), Deadline: time.Minute, Approve: "portcullis approve customers@0123456789ab --reason TEXT"})
}

func all(s apply.ClusterState) map[string]apply.ClusterState {
	return map[string]apply.ClusterState{"x": s, "y": s, "z": s}
}

// What is compared of each kind of verdict: what varies while the same is said
// is no news, for forges keep every check for good.
func TestWhatVariesIsNoNews(t *testing.T) {
	t.Parallel()
	xyz, synced, waiting := []string{"x", "y", "z"}, apply.ClusterState{State: apply.Synced}, apply.ClusterState{State: apply.Waiting}
	rejected := func(words string) map[string]apply.ClusterState {
		return all(apply.ClusterState{State: apply.Rejected, Message: "KKP refused the cluster: " + words})
	}
	fault := func(line int, message string) outcome.Judgement {
		return outcome.Judgement{Set: xyz, Errors: []lint.Finding{{Path: "a.yaml", Line: line, Column: 1, Severity: lint.Error, Rule: "rule-budget", Message: message}}}
	}
	for name, c := range map[string]struct {
		a, b scene
		news bool
	}{
		"a later commit took one over": {scene{states: all(synced), set: xyz}, scene{states: all(synced), set: xyz[:2]}, false},
		"pending, after a restart":     {scene{judgement: outcome.Judgement{Set: xyz}, set: xyz}, scene{judgement: outcome.Judgement{Set: xyz[:1]}, set: xyz}, false},
		"warnings and older errors":    {scene{states: all(synced), set: xyz}, scene{judgement: outcome.Judgement{Warnings: 2, Standing: 7}, states: all(synced), set: xyz}, false},
		"one waits less": {scene{states: map[string]apply.ClusterState{"x": waiting, "y": waiting, "z": synced}, set: xyz},
			scene{states: map[string]apply.ClusterState{"x": waiting, "y": synced, "z": synced}, set: xyz}, false},
		"none waits any more":  {scene{states: map[string]apply.ClusterState{"x": waiting, "y": synced, "z": synced}, set: xyz}, scene{states: all(synced), set: xyz}, true},
		"a cluster is renamed": {scene{states: rejected("no"), set: xyz, name: "shop"}, scene{states: rejected("no"), set: xyz, name: "store"}, false},
		"another resourceVersion, UID, duration and time": {
			scene{states: rejected(`clusters "x" is at resourceVersion "4711" (uid 3a9f3c1e-9f3b), timed out after 1.2s at 2026-11-23T05:36:09Z`), set: xyz},
			scene{states: rejected(`clusters "x" is at resourceVersion "4712" (uid 77aa3c1e-0b0b), timed out after 30.01s at 2026-11-24T05:36:09Z`), set: xyz}, false},
		"another day":                      {scene{states: rejected("not before Mon Nov 30 05:36:09 UTC 2026: no"), set: xyz}, scene{states: rejected("not before Tue Dec 1 05:36:09 UTC 2026: no"), set: xyz}, false},
		"another pod":                      {scene{states: rejected("pod 'webhook-xkcdz' says no"), set: xyz}, scene{states: rejected("pod 'webhook-abcde' says no"), set: xyz}, false},
		"another order":                    {scene{states: rejected("[spec.cni: no, spec.pause: no]"), set: xyz}, scene{states: rejected("[spec.pause: no, spec.cni: no]"), set: xyz}, false},
		"another complaint":                {scene{states: rejected("spec.cni: no"), set: xyz}, scene{states: rejected("spec.pause: no"), set: xyz}, true},
		"one more fails":                   {scene{states: map[string]apply.ClusterState{"x": {State: apply.Rejected}, "y": synced, "z": synced}, set: xyz}, scene{states: rejected(""), set: xyz}, true},
		"others took some of a budget":     {scene{judgement: fault(3, "3 are left"), states: all(synced), set: xyz}, scene{judgement: fault(3, "2 are left"), states: all(synced), set: xyz}, false},
		"an error elsewhere":               {scene{judgement: fault(3, "no"), states: all(synced), set: xyz}, scene{judgement: fault(4, "no"), states: all(synced), set: xyz}, true},
		"the rest of a failed one is done": {scene{judgement: fault(3, "no"), set: xyz}, scene{judgement: fault(3, "no"), states: all(synced), set: xyz}, true},
		"more are held": {scene{held: &render.Hold{Rule: render.RuleBlastRadius, Message: "12 of 40 clusters"}, states: all(synced), set: xyz},
			scene{held: &render.Hold{Rule: render.RuleBlastRadius, Message: "13 of 41 clusters"}, states: all(synced), set: xyz}, false},
		"frozen for longer": {scene{held: &render.Hold{Rule: render.RuleFreeze, Message: "until Monday"}, states: all(synced), set: xyz},
			scene{held: &render.Hold{Rule: render.RuleFreeze, Message: "until Tuesday"}, states: all(synced), set: xyz}, true},
		"its deadline passes again": {scene{states: all(apply.ClusterState{State: apply.Applied, Message: "Service since 61 s"}), set: xyz, settled: true},
			scene{states: all(apply.ClusterState{State: apply.Applied, Message: "Service since 90 s"}), set: xyz, settled: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := c.a.verdict(), c.b.verdict()
			if a.State == "" || b.State == "" || a.Identity == "" {
				t.Fatalf("there is nothing to compare: %+v, %+v", a, b)
			}
			if news := a.State != b.State || a.Identity != b.Identity; news != c.news {
				t.Errorf("news: %v\n%s: %s\n%s: %s", news, a.Title, a.Identity, b.Title, b.Identity)
			}
		})
	}
}

// Recovery is told whatever failed, and a failure after it again.
func TestEachFailureIsFollowedByItsRecovery(t *testing.T) {
	t.Parallel()
	set := []string{"x", "y", "z"}
	good := scene{states: all(apply.ClusterState{State: apply.Synced}), set: set, settled: true}.verdict()
	for _, state := range []apply.ClusterState{
		{State: apply.Rejected}, {State: apply.Contested}, {State: apply.Missing}, {State: apply.Applied}, {State: apply.Waiting, ByHand: true},
		{State: apply.Synced, Trouble: &apply.Trouble{Reason: "SyncFailed"}},
	} {
		bad := scene{states: all(state), set: set, settled: true}.verdict()
		if bad.State != outcome.Failure || good.State != outcome.Success {
			t.Errorf("%s: %s, and %s afterwards", state.State, bad.State, good.State)
		}
		for _, v := range []outcome.Verdict{bad, good} {
			if strings.ContainsAny(v.Identity, "3") {
				t.Errorf("a count is compared: %q", v.Identity)
			}
		}
	}
}
