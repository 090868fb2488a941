package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestApprovalIsHeardWhenever it comes: before the hold, or while nobody runs
// who could act on it, or has the repository at hand.
func TestApprovalIsHeardWhenever(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"before the hold": true, "while it is down, without a mirror": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := set(t, stage.Options{})
			ids := p.fleet()
			p.start()
			zero := p.write("acme/README.md", "hello")
			p.await("the first", p.Noted(zero, stage.Success))
			var sha string
			if early {
				p.stop()
				sha = p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
			} else {
				sha = p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
				p.await("the hold", p.Noted(sha, stage.Failure, "held: "))
				p.stop()
				p.must(os.RemoveAll(filepath.Join(filepath.Dir(p.Config), "data")))
			}
			p.approve(sha, "announced")
			p.start()
			p.await("what was approved", p.everywhere(ids, []string{"192.0.2.0/28", approvedList}), p.Noted(sha, stage.Success))
		})
	}
}

// dropConfigMap loses one document of the state.
func (p *play) dropConfigMap(name string) {
	p.t.Helper()
	cm := &corev1.ConfigMap{}
	cm.Namespace, cm.Name = p.Namespace, name
	p.must(p.Seed.Client.Delete(p.ctx, cm))
}

// TestHoldOutlivesWhatIsKept: with the lists that are kept lost, what was held
// is held again.
func TestHoldOutlivesWhatIsKept(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	ids := p.fleet()
	p.start()
	sha := p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
	p.await("the hold", p.Noted(sha, stage.Failure, "held: "))
	p.settled()
	p.stop()
	p.dropConfigMap("portcullis-eu-west-retained")
	p.start()
	p.morePolls(4)
	p.holds(p.Absent(ids[0]), p.Absent(ids[fleet-1]), p.Noted(sha, stage.Failure, "held: "))
}

// TestOldApprovalLiftsNoLaterHold: with the state lost that knew it was spent.
func TestOldApprovalLiftsNoLaterHold(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	ids := p.fleet()
	p.start()
	sha := p.write("acme/fleet.yaml", fleetFile(ids, approvedList))
	p.await("the hold", p.Noted(sha, stage.Failure, "held: "))
	p.approve(sha, "announced")
	p.await("the fleet", p.everywhere(ids, []string{"192.0.2.0/28", approvedList}), p.Noted(sha, stage.Success))
	p.stop()
	p.agedApproval()
	p.dropConfigMap("portcullis-eu-west-source-customers")
	const byHand = "203.0.112.0/22"
	for _, id := range ids {
		p.must(p.Dashboard(p.ctx, id, byHand))
	}
	for range 2 {
		p.start()
		p.morePolls(4)
		p.holds(p.everywhere(ids, []string{byHand}))
		p.stop()
	}
}

// agedApproval makes the approval one of yesterday's.
func (p *play) agedApproval() {
	p.t.Helper()
	cm := &corev1.ConfigMap{}
	p.must(p.Seed.Client.Get(p.ctx, client.ObjectKey{Namespace: p.Namespace, Name: "portcullis-approvals"}, cm))
	before, at, found := strings.Cut(cm.Data["customers"], `"at":"`)
	if !found {
		p.t.Fatalf("the approval has no time: %s", cm.Data["customers"])
	}
	cm.Data["customers"] = before + `"at":"2020` + at[4:]
	p.must(p.Seed.Client.Update(p.ctx, cm))
}

// TestApprovalIsOfNothingNewer: a tenant's later commit waits for its own.
func TestApprovalIsOfNothingNewer(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.must(p.Create(p.ctx, stage.Cluster{ID: stage.Billing, Project: stage.GlobexProject}, stage.Cluster{ID: stage.Edge, Project: stage.InitechProject},
		stage.Cluster{ID: stage.ShopProd, Project: stage.AcmeProject}, stage.Cluster{ID: stage.ShopDev, Project: stage.AcmeProject}))
	p.start()
	ofAcme := []string{stage.ShopProd, stage.ShopDev}
	first := p.push(stage.Commit{Message: "All lists", Write: map[string]string{
		stage.GlobexProject + "/billing.yaml": ownFile,
		stage.InitechProject + "/edge.yaml":   strings.Replace(fleetFile([]string{stage.Edge}, approvedList), "name: fleet", "name: edge", 1),
		"acme/fleet.yaml":                     fleetFile(ofAcme, approvedList),
	}})
	p.await("the lists", p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.InForce(stage.ShopDev, "192.0.2.0/28", approvedList), p.Noted(first, stage.Success))
	policy, err := p.ReadPolicy()
	p.must(err)
	policy["blastRadius"] = map[string]any{"clusters": 1, "percent": 0}
	p.must(p.WritePolicy(policy))
	p.changePlatform([]any{map[string]any{"cidr": "192.0.2.8/29"}})
	p.await("the holds", func(context.Context) error {
		if held := p.holdsOf(); len(held) != 2 {
			return fmt.Errorf("status holds %+v", held)
		}
		return nil
	})
	second := p.write("acme/fleet.yaml", fleetFile(ofAcme, "203.0.113.8/29"))
	p.await("acme's hold", p.Noted(second, stage.Failure, "held: ", "customers@"+second))
	p.approve(first, "the NOC has moved")
	p.await("the others' platform", p.InForce(stage.Billing, "192.0.2.8/29", "203.0.113.128/25"))
	p.morePolls(2)
	p.holds(p.InForce(stage.ShopProd, "192.0.2.0/28", approvedList), p.Noted(second, stage.Failure, "held: "))
}
