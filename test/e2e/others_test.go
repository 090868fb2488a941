package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/portcullis-gitops/portcullis/test/kkp"
	"github.com/portcullis-gitops/portcullis/test/stage"
)

// shows is a condition: `status` says that a cluster is in this state, with
// each of the words.
func (p *play) shows(id, state string, words ...string) func(context.Context) error {
	return func(context.Context) error {
		out, _ := p.command("status", "-o", "json", p.Own(id))
		var document struct {
			Clusters []struct{ State, Message string }
		}
		if err := json.Unmarshal([]byte(out), &document); err != nil || len(document.Clusters) != 1 {
			return fmt.Errorf("status says %q: %v", out, err)
		}
		c := document.Clusters[0]
		if c.State != state {
			return fmt.Errorf("%s is %s: %s", id, c.State, c.Message)
		}
		for _, word := range words {
			if !strings.Contains(c.Message, word) {
				return fmt.Errorf("%s does not say %q: %s", id, word, c.Message)
			}
		}
		return nil
	}
}

// TestForeignWriteIsShown, over a restart as well, for three writes.
func TestForeignWriteIsShown(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	before := len(p.requests(written))
	p.must(p.Dashboard(p.ctx, stage.Billing, "192.0.2.99/32"))
	p.await("the list to be put right", p.shows(stage.Billing, "Synced", "kubermatic-api had set the list to 192.0.2.99/32; put right at "),
		p.InForce(stage.Billing, stage.BillingList()...))
	p.settled()
	if more := p.requests(written)[before:]; len(more) != 3 { // the Cluster, the Event, the state
		t.Errorf("one foreign write led to:\n%s", describe(more))
	}
	p.stop()
	p.start()
	p.morePolls(2)
	p.settled()
	p.holds(p.shows(stage.Billing, "Synced", "kubermatic-api had set the list to 192.0.2.99/32"))
	if more := p.requests(written)[before+3:]; len(more) != 0 {
		t.Errorf("the restart wrote:\n%s", describe(more))
	}
	table, _ := p.command("status")
	if !strings.Contains(table, "note: Service apiserver-external of each cluster is a NodePort") {
		t.Errorf("the table has no note:\n%s", table)
	}
}

// TestBalancerSpeaksAgainstAList: the commit that set it has failed until the
// load balancer says that it is done.
func TestBalancerSpeaksAgainstAList(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	sha := p.edit("acme/staging.yaml", "203.0.113.0/24", "203.0.113.0/25")
	p.await("success", p.Noted(sha, stage.Success))
	says := func(after time.Duration, kind, reason, message string) {
		p.must(kkp.BalancerSays(p.ctx, p.Seed.Client, p.Own(stage.ShopDev), time.Now().Add(after), kind, reason, message))
	}
	says(0, corev1.EventTypeWarning, "SyncLoadBalancerFailed", "quota exceeded")
	p.await("failure", p.Noted(sha, stage.Failure, "SyncLoadBalancerFailed: quota exceeded"),
		p.shows(stage.ShopDev, "Synced", "the load balancer says SyncLoadBalancerFailed: quota exceeded"))
	p.settled()
	p.stop()
	p.start()
	p.morePolls(2)
	p.holds(p.Noted(sha, stage.Failure, "SyncLoadBalancerFailed"))
	says(2*time.Second, corev1.EventTypeNormal, "EnsuredLoadBalancer", "Ensured load balancer")
	p.await("success again", p.Noted(sha, stage.Success))

	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.ShopDev), kkp.WithFault("the version is too old")))
	p.await("failure by KKP", p.Noted(sha, stage.Failure, "ReconcileError: the version is too old"))
	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.ShopDev), kkp.WithFault("")))
	p.await("success once more", p.Noted(sha, stage.Success))
}

// TestListByHandIsGrantedByThePolicy, and ends with what the policy grants.
func TestListByHandIsGrantedByThePolicy(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{Policy: func(d stage.Document) { d["breakGlass"] = "1h" }})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	until := time.Now().Add(30 * time.Minute).UTC().Format(time.RFC3339)
	p.must(kkp.Update(p.ctx, p.Seed.Client, p.Own(stage.ShopProd),
		kkp.WithAnnotation("portcullis.dev/pause-until", until), kkp.WithList("198.51.100.99/32", "2001:db8:17::/48")))
	words := []string{"kept by hand until " + until, "kubermatic-api had set the list to 198.51.100.99/32, 2001:db8:17::/48"}
	p.await("the hold", p.shows(stage.ShopProd, "Held", words...), p.HasList(stage.ShopProd, "198.51.100.99/32", "2001:db8:17::/48"))
	p.settled()
	p.stop()
	p.start()
	p.morePolls(3)
	p.holds(p.shows(stage.ShopProd, "Held", words...), p.HasList(stage.ShopProd, "198.51.100.99/32", "2001:db8:17::/48"))

	sha := p.edit("acme/production.yaml", "203.0.113.0/24", "203.0.113.0/25")
	p.await("failure", p.Noted(sha, stage.Failure, "Held", "kept by hand until "+until))
	policy, err := p.ReadPolicy()
	p.must(err)
	policy["breakGlass"] = "0s"
	p.must(p.WritePolicy(policy))
	list := strings.Split(strings.ReplaceAll(strings.Join(stage.ProdList(), " "), "203.0.113.0/24", "203.0.113.0/25"), " ")
	p.await("the list in Git", p.InForce(stage.ShopProd, list...), p.Noted(sha, stage.Success))
}
