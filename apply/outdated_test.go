package apply

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/portcullis-gitops/portcullis/render"
	"github.com/portcullis-gitops/portcullis/render/policy"
)

// A standby that takes over may see a list late that the leader before it wrote.
// What it found there until then is no reason to put the older one back.
func TestAnOlderListThatWasFoundIsNotPutBack(t *testing.T) {
	t.Parallel()
	older, newer := []string{"203.0.113.0/24"}, []string{"203.0.113.0/25"}
	live := func(by string, list []string) *Cluster {
		c := &Cluster{}
		c.Name, c.UID, c.Spec.ExposeStrategy = "shopprod01", "uid", render.ExposeLoadBalancer
		c.Labels = map[string]string{projectLabel: "acme"}
		c.Spec.AllowedIPRanges = &AllowedIPRanges{CIDRBlocks: list}
		operation := metav1.ManagedFieldsOperationUpdate
		if by == Manager {
			operation = metav1.ManagedFieldsOperationApply
		}
		c.ManagedFields = []metav1.ManagedFieldsEntry{managed(by, operation, `{"f:spec":{"f:apiServerAllowedIPRanges":{"f:cidrBlocks":{}}}}`, time.Unix(0, 0))}
		return c
	}
	inventory := func(c *Cluster) render.Inventory {
		seen := known(c)
		seen.Ours = (&overwritten{}).lastOurs(c)
		return render.Inventory{Known: true, Clusters: map[string]render.Cluster{c.Name: seen}}
	}
	in := render.Input{Seed: "eu-west", Policy: policy.Default(), Inventory: inventory(live(Manager, older))}
	allowlist := &render.Wanted{Cluster: "shopprod01", UID: "uid", Project: "acme", Claim: render.Claim{Source: "s", Tenant: "acme"}, Access: render.Restricted, List: render.Written(older)}
	kept := (&render.Plan{Clusters: map[string]*render.Wanted{"shopprod01": allowlist}}).Kept("s")
	in.Base = render.Find(kept, func(tenant string) render.Claim { return render.Claim{Source: "s", Tenant: tenant} }, in.Inventory, false)
	plan := render.Render(in)
	w := plan.Clusters["shopprod01"]
	for name, c := range map[string]struct {
		live   *Cluster
		verb   verb
		replan bool
	}{
		"as it was found":       {live(Manager, older), leave, false},
		"written anew by us":    {live(Manager, newer), leave, true},
		"no list that we write": {live(Manager, []string{"203.0.113.1/24"}), write, false},
		"by another":            {live("kubermatic-api", newer), write, false},
	} {
		if d := decide(w, c.live, render.SeedRanges{}); d.verb != c.verb || d.replan != c.replan {
			t.Errorf("%s: %+v", name, d)
		}
	}
	in.Base, in.Inventory = plan.Base(), inventory(live(Manager, newer))
	w = render.Render(in).Clusters["shopprod01"]
	if got := strings.Join(render.Strings(w.List), " "); got != newer[0] {
		t.Errorf("the next plan wants %s", got)
	}
	if d := decide(w, live(Manager, newer), render.SeedRanges{}); !d.settled {
		t.Errorf("and does %+v", d)
	}
}
