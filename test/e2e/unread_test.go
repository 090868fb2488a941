package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// restartUnread starts anew without the mirror while the Git host is away; in
// between, something happens that nobody sees.
func (p *play) restartUnread(between func()) {
	p.t.Helper()
	p.stop()
	p.must(os.RemoveAll(filepath.Join(filepath.Dir(p.Config), "data")))
	p.HTTP.Meter.Away()
	between()
	p.start()
	p.morePolls(2)
}

// observe fails the test for whatever the clusters should not have carried at
// any moment since.
func (p *play) observe(lists map[string][]string) *stage.Observer {
	p.t.Helper()
	own := map[string][]string{}
	for id, list := range lists {
		own[p.Own(id)] = list
	}
	o, err := stage.Observe(p.ctx, p.Seed.Plane.Config, func(c *unstructured.Unstructured) bool { return own[c.GetName()] != nil })
	p.must(err)
	for id, list := range own {
		o.Allow(id, list)
	}
	p.t.Cleanup(func() {
		if err := o.Close(context.WithoutCancel(p.ctx)); err != nil {
			p.t.Error(err)
		}
	})
	return o
}

// stands waits until status says so of a cluster.
func (p *play) stands(id, state, word string) func(context.Context) error {
	return func(context.Context) error {
		out, _ := p.command("status", "-o", "json", p.Own(id))
		if got := stateOf(p.t, out, p.Own(id)); got != state || !strings.Contains(out, word) {
			return fmt.Errorf("%s is %s, not %s with %q:\n%s", id, got, state, word, out)
		}
		return nil
	}
}

// TestRestartWithoutMirrorOrHost: the lists of files that cannot be read are
// kept on their clusters all the same.
func TestRestartWithoutMirrorOrHost(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	lists := map[string][]string{stage.ShopProd: stage.ProdList(), stage.ShopDev: stage.StagingList(), stage.Billing: stage.BillingList()}
	o := p.observe(lists)
	writes := 0
	p.restartUnread(func() { writes = len(p.requests(written)) })
	if more := p.requests(written)[writes:]; len(more) > 0 {
		t.Errorf("a restart wrote to the seed:\n%s", describe(more))
	}
	for id, list := range map[string][]string{stage.ShopProd: {"0.0.0.0/0"}, stage.ShopDev: {}} {
		o.Announce(p.Own(id), list)
		p.must(p.Dashboard(p.ctx, id, list...))
		p.await("what was opened to be put right", p.InForce(id, lists[id]...))
	}
	p.HTTP.Meter.Answer(nil)
	p.morePolls(3)
	sha := p.edit("acme/production.yaml", "192.0.2.77", "192.0.2.78")
	changed := strings.Split(strings.Replace(strings.Join(stage.ProdList(), " "), "192.0.2.77/32", "192.0.2.78/32", 1), " ")
	o.Allow(p.Own(stage.ShopProd), changed)
	p.await("the next change", p.InForce(stage.ShopProd, changed...), p.Noted(sha, stage.Success))
}

// TestOverwrittenWhileAway: nobody knows the list, so it is said.
func TestOverwrittenWhileAway(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	p.restartUnread(func() { p.must(p.Dashboard(p.ctx, stage.ShopProd, "203.0.113.0/24")) })
	p.await("what cannot be known to be told", p.stands(stage.ShopProd, "Held", "could not be read"))
	p.holds(p.stands(stage.ShopDev, "Synced", ""))
	p.HTTP.Meter.Answer(nil)
	p.await("what was overwritten to be put right", p.InForce(stage.ShopProd, stage.ProdList()...), p.stands(stage.ShopProd, "Synced", ""))
}

// TestAnotherPathOrPolicySinceTheRestart: what the files do not say any more
// stays where it was in force.
func TestAnotherPathOrPolicySinceTheRestart(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	path := ""
	for name, change := range map[string]func(stage.Document){
		"tenants/acme has no folders": func(d stage.Document) { d.Source()["path"] = "tenants/acme" },
		"no such folder":              func(d stage.Document) { d.Source()["path"] = "elsewhere" },
	} {
		p.stop()
		p.must(p.Reconfigure(func(d stage.Document) {
			path, _ = d.Source()["path"].(string)
			change(d)
		}))
		p.start()
		p.await(name, p.stands(stage.ShopProd, "Held", "no file claims the cluster any more"), p.stands(stage.Billing, "Held", ""))
		p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
		p.await("drift to be put right", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.Billing, stage.BillingList()...))
		p.stop()
		p.must(p.Reconfigure(func(d stage.Document) { d.Source()["path"] = path }))
		p.start()
		p.await("all as before", p.stands(stage.ShopProd, "Synced", ""), p.stands(stage.Billing, "Synced", ""))
	}
	p.stop()
	policy, err := p.ReadPolicy()
	p.must(err)
	wrong := stage.Document{}
	for key, value := range policy {
		wrong[key] = value
	}
	delete(wrong, "tenants")
	p.must(p.WritePolicy(wrong))
	p.start()
	p.await("the tenant's clusters to be held", p.stands(stage.ShopProd, "Held", "policy does not give project"), p.stands(stage.Billing, "Synced", ""))
	p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
	p.await("drift to be put right", p.InForce(stage.ShopProd, stage.ProdList()...))
	p.must(p.WritePolicy(policy))
	p.await("all as before", p.stands(stage.ShopProd, "Synced", ""))
}

// TestAnotherBranchSinceTheRestart: a branch without the accepted commit is no
// way forward.
func TestAnotherBranchSinceTheRestart(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	second := p.edit("acme/production.yaml", "192.0.2.77", "192.0.2.78")
	changed := strings.Split(strings.Replace(strings.Join(stage.ProdList(), " "), "192.0.2.77/32", "192.0.2.78/32", 1), " ")
	p.await("the second commit", p.InForce(stage.ShopProd, changed...), p.Noted(second, stage.Success))
	p.settled()
	p.must(p.PushTo(p.ctx, first, "old"))
	p.must(p.PushTo(p.ctx, second, "release"))
	follow := func(branch string) {
		p.stop()
		p.must(p.Reconfigure(func(d stage.Document) { d.Source()["branch"] = branch }))
		p.start()
		p.morePolls(3)
	}
	follow("old")
	p.holds(p.InForce(stage.ShopProd, changed...), p.Noted(first, stage.Failure, "held: rewinds", "branch old, which does not contain what was accepted of main"))
	follow("release")
	p.holds(p.InForce(stage.ShopProd, changed...), p.Noted(second, stage.Success))
}

// TestASourceThatLeavesTheConfig leaves its clusters to nobody: what it kept there
// stays, and is told, until another source claims them or an operator lets go.
func TestASourceThatLeavesTheConfig(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	o := p.observe(map[string][]string{stage.ShopProd: stage.ProdList(), stage.Billing: stage.BillingList()})
	path, address := "", freeAddress(t)
	config := func(name string, there bool) {
		p.stop()
		p.must(p.Reconfigure(func(d stage.Document) {
			if path == "" {
				path, _ = d.Source()["path"].(string)
			}
			d.Source()["name"], d.Source()["path"] = name, path
			if !there {
				d.Source()["path"] = "elsewhere"
			}
		}))
		p.start("--console-address", address)
	}
	heldOf := func(source string) func(context.Context) error {
		return func(context.Context) error {
			if held := p.holdsOf(); len(held) != 1 || held[0].Source != source || held[0].Commit != first {
				return fmt.Errorf("status holds %+v, not source %s", held, source)
			}
			return nil
		}
	}
	nothingHeld := func(context.Context) error {
		if held := p.holdsOf(); len(held) > 0 {
			return fmt.Errorf("status holds %+v", held)
		}
		return nil
	}
	for _, name := range []string{"another", "a-third"} { // a restart changes nothing
		config(name, false)
		p.await("the pages, which say the same", says(address, "/", "customers: not in the Config any more", "portcullis approve customers@"+first),
			says(address, "/clusters/"+p.Own(stage.ShopProd), "source customers is not in the Config any more"))
		if name == "another" { // the command shows sources that had nothing, too
			p.await("the same as the command says", sameStatus(p, address))
		}
		p.await("its clusters to be held", heldOf("customers"),
			p.stands(stage.ShopProd, "Held", "source customers is not in the Config any more"), p.stands(stage.Billing, "Held", ""))
		o.Announce(p.Own(stage.ShopProd), []string{"0.0.0.0/0"})
		p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
		p.await("drift to be put right", p.InForce(stage.ShopProd, stage.ProdList()...))
	}
	config("renamed", true)
	p.await("all as before", p.stands(stage.ShopProd, "Synced", ""), p.stands(stage.Billing, "Synced", ""), nothingHeld)
	p.settled()
	config("another", false)
	p.await("the clusters of the next to be held", heldOf("renamed"))
	if out, code := p.command("approve", "renamed@"+first, "--reason", "the customer has left"); code != 0 {
		t.Fatalf("approve ended with %d: %s", code, out)
	}
	p.await("its clusters to be let go", nothingHeld)
	o.Announce(p.Own(stage.ShopProd), []string{"203.0.113.0/24"})
	p.must(p.Dashboard(p.ctx, stage.ShopProd, "203.0.113.0/24"))
	p.morePolls(2)
	p.holds(p.InForce(stage.ShopProd, "203.0.113.0/24"), p.InForce(stage.Billing, stage.BillingList()...))
}
