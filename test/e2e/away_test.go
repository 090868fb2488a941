package e2e_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/portcullis-gitops/portcullis/test/stage"
)

// TestSeedAwayDelaysAndLosesNothing cuts the way to the API server while a
// commit comes in.
func TestSeedAwayDelaysAndLosesNothing(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(seed(t).Plane.Config.Host)
	if server.Host == "" { // host and port without a scheme
		server, err = url.Parse("https://" + seed(t).Plane.Config.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := stage.NewPipe(server.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pipe.Cut(); err != nil {
			t.Error(err)
		}
	})
	p, first := begin(t, stage.Options{Seed: pipe.Address})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))

	p.must(pipe.Cut())
	sha := p.edit("acme/staging.yaml", "    - group: vpn", "    - {description: Graz office, cidr: 192.0.2.96/28}\n    - group: vpn")
	p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
	p.morePolls(3)
	if note, err := p.Note(p.ctx, sha); err == nil && stage.Says(note, stage.Success) == nil {
		t.Errorf("while the seed is away the commit is told %q", note)
	}
	p.holds(p.HasList(stage.ShopStaging, stage.StagingList()...))

	p.must(pipe.Mend(p.ctx))
	p.await("what was missed", p.InForce(stage.ShopStaging, append(stage.StagingList(), "192.0.2.96/28")...),
		p.InForce(stage.ShopProd, stage.ProdList()...))
	p.await("the check", p.Noted(sha, stage.Success))
}

// TestHostAwayDelaysAndLosesNothing has the Git host answer with errors while
// commits come in: another way than the reconciler's gets them there.
func TestHostAwayDelaysAndLosesNothing(t *testing.T) {
	t.Parallel()
	p, first := begin(t, stage.Options{})
	p.await("the first check", p.Noted(first, stage.Failure, stage.Reports))
	sha, err := p.Commit(p.ctx, stage.Commit{Message: "Let the Graz office in", Write: map[string]string{
		"acme/production.yaml": strings.Replace(productionOf(p), "192.0.2.77", "192.0.2.78", 1)}})
	p.must(err)
	p.HTTP.Meter.Away()
	p.must(p.PushLocally(p.ctx))
	p.morePolls(2)
	p.must(p.Dashboard(p.ctx, stage.ShopProd, "0.0.0.0/0"))
	p.await("drift to be put right all the same", p.InForce(stage.ShopProd, stage.ProdList()...))
	p.HTTP.Meter.Answer(nil)
	p.await("the check", p.Noted(sha, stage.Success))
	list := strings.Split(strings.Replace(strings.Join(stage.ProdList(), " "), "192.0.2.77/32", "192.0.2.78/32", 1), " ")
	p.holds(p.InForce(stage.ShopProd, list...))
}
