package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/servers"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

const approvedList = "203.0.113.0/24"

// holdsOf is what `status` says is held.
func (p *play) holdsOf() []struct{ Source, Tenant, Commit, Reason, Approve string } {
	p.t.Helper()
	out, _ := p.command("status", "-o", "json")
	var document struct {
		Holds []struct{ Source, Tenant, Commit, Reason, Approve string }
	}
	if err := json.Unmarshal([]byte(out), &document); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	return document.Holds
}

func (p *play) approve(sha, why string) {
	p.t.Helper()
	if out, code := p.command("approve", "customers@"+sha, "--reason", why); code != 0 {
		p.t.Fatalf("approve ended with %d: %s", code, out)
	}
}

// TestTooMuchAtOnceIsHeld: a tenant that restricts a whole fleet for the first
// time, and then takes access away on all of it, waits each time for an
// operator, and nobody waits with it.
func TestTooMuchAtOnceIsHeld(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	ids := p.fleet()
	p.must(p.Create(p.ctx, stage.ExampleClusters()...))
	first := p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
	p.start()
	p.await("the hold", p.Noted(first, stage.Failure, "held: ", "60 of the clusters of acme", "portcullis approve customers@"+first))
	other := p.write(stage.GlobexProject+"/billing.yaml", ownFile)
	p.await("another tenant's list", p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"), p.Noted(other, stage.Success))
	p.holds(p.Absent(ids[0]), p.Absent(ids[fleet-1]))
	if held := p.holdsOf(); len(held) != 1 || held[0].Tenant != "acme" || held[0].Commit != first {
		t.Errorf("status holds %+v", held)
	}
	p.stop()
	p.start() // a restart lifts nothing
	p.morePolls(3)
	p.holds(p.Absent(ids[0]), p.Noted(first, stage.Failure, "held: "))

	p.approve(first, "the first sync, announced")
	list := []string{"192.0.2.0/28", approvedList}
	p.await("what was approved", p.everywhere(ids, list), p.Noted(first, stage.Success, "60 lists in force"))
	if held := p.holdsOf(); len(held) != 0 {
		t.Errorf("status still holds %+v", held)
	}
	p.await("the Event", p.told("Approved", first, "announced"))

	second := p.write("acme/fleet.yaml", fleetFile(ids, "203.0.113.0/25"))
	p.await("the second hold", p.Noted(second, stage.Failure, "held: ", "customers@"+second))
	p.must(p.Dashboard(p.ctx, ids[7], "0.0.0.0/0"))
	p.await("drift that is put right all the same", p.everywhere(ids, list))
	third := p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
	p.await("the way back", p.Noted(third, stage.Success))
	p.holds(p.everywhere(ids, list))
}

// eventsIn are the Events of a namespace, as reason and message.
func (p *play) eventsIn(ctx context.Context, namespace string) ([]string, error) {
	var list corev1.EventList
	err := p.Seed.Client.List(ctx, &list, client.InNamespace(namespace))
	var out []string
	for _, e := range list.Items {
		out = append(out, e.Reason+": "+e.Message)
	}
	return out, err
}

// dropState loses all that the reconciler wrote down on the seed.
func (p *play) dropState() {
	p.t.Helper()
	p.must(p.Seed.Client.DeleteAllOf(p.ctx, &corev1.ConfigMap{}, client.InNamespace(p.Namespace)))
}

// told waits for an Event in the reconciler's namespace.
func (p *play) told(words ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		events, err := p.eventsIn(ctx, p.Namespace)
		if err != nil {
			return err
		}
		for _, e := range events {
			if containsAll(e, words) {
				return nil
			}
		}
		return fmt.Errorf("no Event of %v among %q", words, events)
	}
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// TestSeedWideChangeHoldsTheRevision: no tenant alone goes too far, all do.
func TestSeedWideChangeHoldsTheRevision(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 1, "percent": 0} }})
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.Billing, Project: stage.GlobexProject}, stage.Cluster{ID: stage.ShopProd, Project: stage.AcmeProject}))
	both := p.push(stage.Commit{Message: "Restrict both", Write: map[string]string{
		stage.GlobexProject + "/billing.yaml": ownFile,
		"acme/prod.yaml":                      fleetFile([]string{stage.ShopProd}, approvedList),
	}})
	p.start()
	p.await("the hold", p.Noted(both, stage.Failure, "held: ", "2 of the seed's clusters", "customers@"+both))
	p.morePolls(2)
	p.holds(p.Absent(stage.Billing), p.Absent(stage.ShopProd))
	next := p.write(stage.GlobexProject+"/README.md", "hello")
	p.await("the hold of what follows", p.Noted(next, stage.Failure, "held: ", "customers@"+next))
	p.approve(both, "as its own check says")
	p.await("both lists", p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"), p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList),
		p.Noted(both, stage.Success, "2 lists in force"), p.Noted(next, stage.Success, "nothing to change here"))
}

// TestPolicyThatTakesAwayFromAllIsHeld: the provider's own change goes too far.
func TestPolicyThatTakesAwayFromAllIsHeld(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 1, "percent": 0} }})
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.Billing, Project: stage.GlobexProject}, stage.Cluster{ID: stage.ShopProd, Project: stage.AcmeProject}))
	p.start()
	p.write(stage.GlobexProject+"/billing.yaml", ownFile)
	p.await("the first list", p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"))
	sha := p.write("acme/prod.yaml", fleetFile([]string{stage.ShopProd}, approvedList))
	p.await("the second list", p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.Noted(sha, stage.Success))

	p.changePlatform([]any{map[string]any{"cidr": "192.0.2.8/29"}})
	p.await("the hold", func(context.Context) error {
		if held := p.holdsOf(); len(held) != 1 || held[0].Tenant != "" || held[0].Commit != sha {
			return fmt.Errorf("status holds %+v", held)
		}
		return nil
	})
	p.holds(p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"), p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.Noted(sha, stage.Success))
	innocent := p.write("acme/README.md", "hello")
	p.await("a commit that has nothing to do with it", p.Noted(innocent, stage.Success))
	p.stop()
	p.start()
	p.morePolls(2)
	p.holds(p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"))
	p.approve(sha, "the NOC has moved")
	p.await("the smaller platform", p.InForce(stage.Billing, "192.0.2.8/29", "203.0.113.128/25"), p.InForce(stage.ShopProd, "192.0.2.8/29", approvedList))
}

// TestApprovedRewindThatGoesTooFar: who approved the rewind was not asked about
// what it takes away.
func TestApprovedRewindThatGoesTooFar(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{Policy: func(d stage.Document) { d["blastRadius"] = map[string]any{"clusters": 1, "percent": 0} }})
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.Billing, Project: stage.GlobexProject}, stage.Cluster{ID: stage.ShopProd, Project: stage.AcmeProject}))
	p.start()
	first := p.write(stage.GlobexProject+"/billing.yaml", ownFile)
	p.await("the first list", p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"))
	second := p.write("acme/prod.yaml", fleetFile([]string{stage.ShopProd}, approvedList))
	p.await("the second list", p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.Noted(second, stage.Success))

	p.must(p.Rewind(p.ctx, first))
	other := p.push(stage.Commit{Message: "Tighten both", Write: map[string]string{
		"acme/prod.yaml":                      fleetFile([]string{stage.ShopProd}, "203.0.113.0/25"),
		stage.GlobexProject + "/billing.yaml": strings.Replace(ownFile, "203.0.113.128/25", "203.0.113.128/26", 1),
	}})
	p.await("the hold of the rewind", p.Noted(other, stage.Failure, "held: rewinds"))
	p.approve(other, "the second commit was a mistake")
	p.await("the hold of what it takes away", p.Noted(other, stage.Failure, "held: ", "2 of the seed's clusters"))
	p.holds(p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/25"))
	p.approve(other, "and both know")
	p.await("both lists", p.InForce(stage.ShopProd, "192.0.2.0/28", "203.0.113.0/25"), p.InForce(stage.Billing, "192.0.2.0/28", "203.0.113.128/26"), p.Noted(other, stage.Success))
}

func (p *play) changePlatform(ranges []any) {
	p.t.Helper()
	policy, err := p.ReadPolicy()
	p.must(err)
	seeds, _ := policy["seeds"].(map[string]any)
	seed, _ := seeds["eu-west"].(map[string]any)
	seed["platform"] = ranges
	p.must(p.WritePolicy(policy))
}

// TestFreezeHoldsWhatIsNew, and nothing else, until it ends by itself.
func TestFreezeHoldsWhatIsNew(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.ShopProd, Project: stage.AcmeProject}))
	p.start()
	p.write("acme/prod.yaml", fleetFile([]string{stage.ShopProd}, approvedList))
	list := []string{"192.0.2.0/28", approvedList}
	p.await("the list", p.InForce(stage.ShopProd, list...))
	p.stop()
	p.must(p.Reconfigure(func(d stage.Document) {
		d["freeze"] = []any{map[string]any{"cluster": "*", "until": time.Now().UTC().Add(20 * time.Second).Format(time.RFC3339), "reason": "an audit"}}
	}))
	p.start()
	sha := p.write("acme/prod.yaml", fleetFile([]string{stage.ShopProd}, "203.0.112.0/23"))
	p.await("the freeze", p.Noted(sha, stage.Failure, "held: frozen until", "an audit"))
	p.must(p.Dashboard(p.ctx, stage.ShopProd))
	p.await("drift that is put right", p.InForce(stage.ShopProd, list...))
	p.await("the end of the freeze", p.InForce(stage.ShopProd, "192.0.2.0/28", "203.0.112.0/23"), p.Noted(sha, stage.Success))
}

// TestLostStateHoldsWhatIsNotLive: without its state the reconciler measures
// against what is live, and a list that is live goes on.
func TestLostStateHoldsWhatIsNotLive(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	ids := p.fleet()
	p.start()
	first := p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
	p.await("the hold", p.Noted(first, stage.Failure, "held: "))
	p.approve(first, "announced")
	list := []string{"192.0.2.0/28", approvedList}
	p.await("the fleet", p.everywhere(ids, list), p.Noted(first, stage.Success))
	p.stop()
	p.dropState()
	p.must(os.RemoveAll(filepath.Join(filepath.Dir(p.Config), "data")))
	begin := len(p.requests(servedWrite))
	p.start()
	second := p.write("acme/README.md", "hello")
	p.await("a commit after the loss", p.Noted(second, stage.Success))
	p.holds(p.everywhere(ids, list))
	if now := p.requests(servedWrite); len(now) > begin {
		t.Errorf("lists that are live were written again:\n%s", describe(now[begin:]))
	}
	p.stop()
	p.dropState()
	third := p.write("acme/fleet.yaml", fleetFile(ids, "203.0.113.0/25"))
	p.start()
	p.await("the mass change after a loss", p.Noted(third, stage.Failure, "held: "))
	p.holds(p.everywhere(ids, list))
}

// servedWrite is a write to a Cluster.
func servedWrite(e servers.AuditEvent) bool { return written(e) && e.ObjectRef.Resource == "clusters" }
