package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestPages follows a day of the stage by what its pages say.
func TestPages(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	address := freeAddress(t)
	p.populate()
	p.start("--console-address", address)
	p.await("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...), p.InForce(stage.ShopStaging, stage.StagingList()...))
	prod := p.Own(stage.ShopProd)
	p.await("the fleet", says(address, "/?state=Synced", "/clusters/"+prod, "/clusters/"+p.Own(stage.Billing)))
	p.await("a cluster", says(address, "/clusters/"+prod, "Vienna office", "tenants/acme/production.yaml:12", "group vpn", "platform", "As KKP makes it"))
	p.await("an explanation", says(address, "/explain?cluster="+prod+"&address=203.0.113.10", "let in, for good", "Vienna office"),
		says(address, "/explain?cluster="+prod+"&address=192.0.2.99", "not let in"))
	p.await("what the commit means", says(address, "/revisions/customers/"+p.head(), "The commit in force", "newly restricted", "<strong>failure</strong>", "unsupported-expose-strategy"))

	p.must(p.Dashboard(p.ctx, stage.ShopProd, "192.0.2.0/24"))
	p.await("who was put right", says(address, "/clusters/"+prod, "Put back:", "had set the list to 192.0.2.0/24"))

	p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/8}\n    - group: vpn")
	p.await("what is refused", says(address, "/?state=Held", "/clusters/"+p.Own(stage.ShopStaging), "host-bits"),
		says(address, "/clusters/"+p.Own(stage.ShopStaging), "Findings in its file", "host-bits", "Held"),
		says(address, "/revisions/customers/"+p.head(), "host-bits", "<strong>failure</strong>"))
	p.await("the same as the command says", sameStatus(p, address))
}

// TestPagesOfAStandby: a replica that does not lead has pages too, and follows.
func TestPagesOfAStandby(t *testing.T) {
	t.Parallel()
	p := set(t, stage.Options{})
	p.populate()
	pages := p.twoWithPages(stage.ReplicaOptions{})
	prod := p.Own(stage.ShopProd)
	p.expect("the first sync", p.InForce(stage.ShopProd, stage.ProdList()...))
	for _, address := range pages {
		p.expect("the pages of both", says(address, "/?state=Synced", "/clusters/"+prod),
			says(address, "/clusters/"+prod, "Vienna office", "tenants/acme/production.yaml:12", "As KKP makes it"),
			says(address, "/explain?cluster="+prod+"&address=203.0.113.10", "let in, for good"))
	}
	standbys := 0
	for _, address := range pages {
		page, err := read(p.ctx, address, "/")
		p.must(err)
		if strings.Contains(page, "from a replica that stands by") {
			standbys++
		}
	}
	if standbys != 1 {
		t.Errorf("%d of two say that they stand by", standbys)
	}
	p.edit("acme/production.yaml", "Vienna office", "Linz office")
	for _, address := range pages {
		p.expect("what is new on both", says(address, "/clusters/"+prod, "Linz office"), says(address, "/revisions/customers/"+p.head(), "The commit in force"))
	}
}

// TestStandbyShowsWhatIsHeldOfAGoneSource: the clusters that a source had which
// the Config does not have any more are on the pages of both.
func TestStandbyShowsWhatIsHeldOfAGoneSource(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	p.settled()
	p.stop()
	renamed := func(d stage.Document) { d.Source()["name"], d.Source()["path"] = "another", "elsewhere" }
	for name, address := range p.twoWithPages(stage.ReplicaOptions{Config: renamed}) {
		p.expect("the pages of "+name, says(address, "/?state=Held", "/clusters/"+p.Own(stage.ShopProd), "portcullis approve customers@"+first),
			says(address, "/clusters/"+p.Own(stage.ShopProd), "source customers is not in the Config any more"))
	}
}

// twoWithPages starts two replicas, of which one will lead, and answers where
// their pages are.
func (p *play) twoWithPages(o stage.ReplicaOptions) map[string]string {
	p.t.Helper()
	pages := map[string]string{}
	for _, name := range []string{"a", "b"} {
		r, err := p.Replica(name, o)
		p.must(err)
		pages[name] = freeAddress(p.t)
		p.must(r.Start("--leader-elect", "--leader-elect-lease-duration", "15s", "--console-address", pages[name]))
		p.t.Cleanup(func() {
			if p.t.Failed() {
				p.t.Logf("what replica %s logged:\n%s", name, tailOf(r.Log()))
			}
			if err := r.Kill(); err != nil {
				p.t.Error(err)
			}
		})
	}
	return pages
}

// says wants each text on a page.
func says(address, path string, texts ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		page, err := read(ctx, address, path)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if !strings.Contains(page, text) {
				return fmt.Errorf("%s does not say %q", path, text)
			}
		}
		return nil
	}
}

func read(ctx context.Context, address, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return string(text), err
}

// sameStatus wants the API to say of sources and clusters what `portcullis
// status` says. That one looks from outside: it has other words for what it sees,
// and another clock.
func sameStatus(p *play, address string) func(context.Context) error {
	type cluster struct{ ID, Name, Tenant, State, Revision string }
	type status struct {
		Seed     string
		Sources  []struct{ Name, Accepted, Head string }
		Clusters []cluster
		Holds    []any
		Notices  []string
	}
	return func(ctx context.Context) error {
		text, err := read(ctx, address, "/api/v1/status")
		if err != nil {
			return err
		}
		var api, command status
		out, code := p.command("status", "-o", "json")
		if code != 0 {
			return fmt.Errorf("status ends with %d: %s", code, out)
		}
		if err := json.Unmarshal([]byte(text), &api); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(out), &command); err != nil {
			return err
		}
		// On this seed there are those of other tests' installations too, whose
		// lists the command finds on their Clusters.
		mine := strings.TrimPrefix(p.Namespace, "portcullis-")
		command.Clusters = slices.DeleteFunc(command.Clusters, func(c cluster) bool { return !strings.HasSuffix(c.ID, mine) })
		if a, b := fmt.Sprintf("%+v", api), fmt.Sprintf("%+v", command); a != b {
			return fmt.Errorf("the API says\n%s\nthe command\n%s", a, b)
		}
		return nil
	}
}
